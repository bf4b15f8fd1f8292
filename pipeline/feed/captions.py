"""Captions (VTT, SRT) from any host as an editable transcript: speakers and paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from html import unescape
from itertools import groupby
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from pipeline.errors import CauserieError
from pipeline.feed.imported_item import Linked
from pipeline.feed.wording import line
from pipeline.transcript.grammar import parse
from pipeline.transcript.text import LABEL, Declared, Paragraph, Transcript, write

_VOICE = re.compile(r"<v(?:\.[^\s>]*)?[ \t]+([^>]*)>")
_TAG = re.compile(r"</?[a-zA-Z0-9:.][^<>]*>|</?>")
_LONGEST = 700  # characters; a longer paragraph of one speaker ends with its sentence

_FORMS = {"text/vtt": ".vtt", "application/x-subrip": ".srt", "application/srt": ".srt", "text/srt": ".srt", "text/plain": ".txt"}
_FORMS |= {"application/json": ".json", "text/html": ".html"}
_BEST = (".vtt", ".srt", ".txt", ".json", ".html")

Said = tuple[str, str]  # speaker ("" when none is named), text


def captions_text(content: str, people: Mapping[str, str]) -> str:
    """The text of `transcripts/<slug>.md`; `people` maps keys to names. Raises `CauserieError` when there is no cue."""
    spoken = voices(cues(content))
    if not spoken:
        raise CauserieError("contains no captions")
    blocks = tuple(Paragraph(_paired(words), voice) for voice, words in paragraphs(spoken))
    keys = {name.casefold(): key for key, name in people.items()}
    named = dict.fromkeys(voice for voice, _ in spoken if voice)
    text = write(Transcript(blocks, tuple(Declared(name, person=keys.get(name.casefold(), "")) for name in named)))
    parse(text, "its captions", people)
    return text


def best_transcript(found: Iterable[Linked], language: str) -> Linked:
    """The preferred transcript of an episode: in the show's language or without a language first, then by format."""
    return min(found, key=lambda each: (each.language[:2].lower() not in ("", language[:2]), _BEST.index(form_of(each))))


def form_of(found: Linked) -> str:
    """`.vtt`, `.srt`, `.txt`, `.json` or `.html`, from the media type in the feed, else from the URL."""
    known = _FORMS.get(found.type.partition(";")[0].strip())
    extension = PurePosixPath(urlsplit(found.url).path).suffix.lower()
    return known or (extension if extension in _BEST else ".html")


def cues(content: str) -> list[Said]:
    """The text of each cue, in order; lines that repeat the previous one, as in rolling captions, are left out."""
    said: list[Said] = []
    last = ""
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
                    voice = voice_name(unescape(piece))
                elif (words := line(unescape(_TAG.sub("", piece)))) and words != last:
                    said.append((voice, words))
                    last = words
    return said


def voices(said: Iterable[Said]) -> list[Said]:
    """The same, with `Nora: …` read as a speaker label when the name starts at least two lines."""
    said = list(said)
    starts = [LABEL.match(words) for voice, words in said]
    counts = Counter(found["label"] for found, (voice, _) in zip(starts, said, strict=True) if found and not voice)
    named: list[Said] = []
    current = ""
    for (voice, words), found in zip(said, starts, strict=True):
        if not voice and found and counts[found["label"]] > 1:
            current, words = voice_name(found["label"]), words[found.end() :]
        elif voice:
            current = ""
        named.append((voice or current, words))
    return [(voice, words) for voice, words in named if words]


def paragraphs(said: Iterable[Said]) -> list[Said]:
    """Consecutive cues of one speaker joined; a long turn is split after a sentence."""
    found = []
    for voice, group in groupby(said, key=lambda each: each[0]):
        words = ""
        for _, more in group:
            if len(words) > _LONGEST and words.endswith((".", "?", "!", "…")):
                found.append((voice, words))
                words = ""
            words = f"{words} {more}".strip()
        found.append((voice, words))
    return found


def voice_name(text: str) -> str:
    """A name that is valid before a colon in a transcript; empty when nothing is left."""
    name = line(re.sub(r"[:«»\[\]\\<>\n]", " ", text)).lstrip("@#%+- ")[:40].strip()
    found = LABEL.match(f"{name} : x")
    return name if found and found["label"] == name else ""


def _paired(words: str) -> str:
    """Replace unbalanced « » and [ ], which would be syntax errors in a transcript, by “ ” and ( )."""
    depth = 0
    for char in words:
        depth += (char == "«") - (char == "»")
        if depth < 0:
            break
    if depth:
        words = words.replace("«", "“").replace("»", "”")
    bare = re.sub(r"\[[^\[\]]*\]", "", words)
    return words.replace("[", "(").replace("]", ")") if "[" in bare or "]" in bare else words
