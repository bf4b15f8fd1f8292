"""Captions (VTT, SRT) from any host as an editable transcript: speakers and paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from html import unescape
from itertools import groupby
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from pipeline.feed.imports.html_text import single_line
from pipeline.feed.imports.item import LinkedFile
from pipeline.model import CauserieError
from pipeline.transcript import SPEAKER_LABEL, Paragraph, Transcript, VoiceDeclaration, format_transcript, parse_transcript

_VOICE = re.compile(r"<v(?:\.[^\s>]*)?[ \t]+([^>]*)>")
_TAG = re.compile(r"</?[a-zA-Z0-9:.][^<>]*>|</?>")
_MAX_PARAGRAPH_CHARS = 700  # characters; a longer paragraph of one speaker ends with its sentence

_EXTENSION_BY_TYPE = {
    "text/vtt": ".vtt",
    "application/x-subrip": ".srt",
    "application/srt": ".srt",
    "text/srt": ".srt",
    "text/plain": ".txt",
}
_EXTENSION_BY_TYPE |= {"application/json": ".json", "text/html": ".html"}
_PREFERRED_EXTENSIONS = (".vtt", ".srt", ".txt", ".json", ".html")

CueText = tuple[str, str]  # speaker ("" when none is named), text


def captions_to_transcript(content: str, people: Mapping[str, str]) -> str:
    """The text of `transcripts/<slug>.md`; `people` maps keys to names. Raises `CauserieError` when there is no cue."""
    cue_texts = label_speakers(parse_cues(content))
    if not cue_texts:
        raise CauserieError("contains no captions")
    blocks = tuple(Paragraph(_balance_brackets(words), voice) for voice, words in join_paragraphs(cue_texts))
    keys = {name.casefold(): key for key, name in people.items()}
    speakers = dict.fromkeys(voice for voice, _ in cue_texts if voice)
    text = format_transcript(Transcript(blocks, tuple(VoiceDeclaration(name, person=keys.get(name.casefold(), "")) for name in speakers)))
    parse_transcript(text, "its captions", people)
    return text


def best_transcript(transcripts: Iterable[LinkedFile], language: str) -> LinkedFile:
    """The preferred transcript of an episode: in the show's language or without a language first, then by format."""
    return min(
        transcripts,
        key=lambda each: (each.language[:2].lower() not in ("", language[:2]), _PREFERRED_EXTENSIONS.index(transcript_extension(each))),
    )


def transcript_extension(transcript: LinkedFile) -> str:
    """`.vtt`, `.srt`, `.txt`, `.json` or `.html`, from the media type in the feed, else from the URL."""
    by_type = _EXTENSION_BY_TYPE.get(transcript.type.partition(";")[0].strip())
    extension = PurePosixPath(urlsplit(transcript.url).path).suffix.lower()
    return by_type or (extension if extension in _PREFERRED_EXTENSIONS else ".html")


def parse_cues(content: str) -> list[CueText]:
    """The text of each cue, in order; lines that repeat the previous one, as in rolling captions, are left out."""
    parsed: list[CueText] = []
    previous_text = ""
    blocks = re.split(r"\n[ \t]*\n", content.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    for block in blocks:
        lines = block.split("\n")
        at = next((number for number, each in enumerate(lines) if "-->" in each), None)
        if at is None:
            continue
        voice = ""
        for each in lines[at + 1 :]:
            pieces = _VOICE.split(each)
            for number, piece in enumerate(pieces):
                if number % 2:
                    voice = speaker_name(unescape(piece))
                elif (text := single_line(unescape(_TAG.sub("", piece)))) and text != previous_text:
                    parsed.append((voice, text))
                    previous_text = text
    return parsed


def label_speakers(cues: Iterable[CueText]) -> list[CueText]:
    """The same, with `Nora: …` read as a speaker label when the name starts at least two lines."""
    cues = list(cues)
    labels = [SPEAKER_LABEL.match(text) for voice, text in cues]
    counts = Counter(found["label"] for found, (voice, _) in zip(labels, cues, strict=True) if found and not voice)
    labelled: list[CueText] = []
    current = ""
    for (voice, words), found in zip(cues, labels, strict=True):
        if not voice and found and counts[found["label"]] > 1:
            current, words = speaker_name(found["label"]), words[found.end() :]
        elif voice:
            current = ""
        labelled.append((voice or current, words))
    return [(voice, words) for voice, words in labelled if words]


def join_paragraphs(cues: Iterable[CueText]) -> list[CueText]:
    """Consecutive cues of one speaker joined; a long turn is split after a sentence."""
    joined = []
    for voice, group in groupby(cues, key=lambda each: each[0]):
        text = ""
        for _, cue_text in group:
            if len(text) > _MAX_PARAGRAPH_CHARS and text.endswith((".", "?", "!", "…")):
                joined.append((voice, text))
                text = ""
            text = f"{text} {cue_text}".strip()
        joined.append((voice, text))
    return joined


def speaker_name(text: str) -> str:
    """A name that is valid before a colon in a transcript; empty when nothing is left."""
    name = single_line(re.sub(r"[:«»\[\]\\<>\n]", " ", text)).lstrip("@#%+- ")[:40].strip()
    found = SPEAKER_LABEL.match(f"{name} : x")
    return name if found and found["label"] == name else ""


def _balance_brackets(text: str) -> str:
    """Replace unbalanced « » and [ ], which would be syntax errors in a transcript, by “ ” and ( )."""
    depth = 0
    for char in text:
        depth += (char == "«") - (char == "»")
        if depth < 0:
            break
    if depth:
        text = text.replace("«", "“").replace("»", "”")
    bare = re.sub(r"\[[^\[\]]*\]", "", text)
    return text.replace("[", "(").replace("]", ")") if "[" in bare or "]" in bare else text
