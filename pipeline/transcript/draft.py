"""`draft`: what Whisper heard as a text to correct, with everything the machine doubts in notes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from pipeline.drafts import stamp
from pipeline.files import read_json, write_whole
from pipeline.model import Word
from pipeline.text import hms, typographic
from pipeline.transcript.text import Block, Declared, Note, Paragraph, Transcript, write

_PAUSE_S = 0.8  # a new paragraph
_LONG_PAUSE_S = 2.0  # when tracks tell the voices, a pause matters less
_GAP_S = 4.0  # something else than words is heard there
_DOUBT = 0.5  # probability of a word
_PARAGRAPH_CHARS = 400  # then a sentence's end is a good place to breathe
_SENTENCE_END = re.compile(r"[.!?…][»”\")\]\s\u00a0\u202f]*$")
_QUIET_DB = -100.0

_TEXTS = {
    "fr": {
        "stamp": "tant que rien d’autre n’est changé, la machine peut récrire ce brouillon",
        "help": (
            "Ce que la machine a entendu : écoutez et corrigez. Les lignes qui commencent par %% ne sont jamais publiées.",
            "Un paragraphe simple : le narrateur. « Nom : texte » : une autre voix (deux fois au moins, ou déclarée ici).",
            "## Archive : 1978 ouvre une partie ; ## Récit rend la parole au narrateur. [musique], [rires] : ce qu’on entend.",
            "Entre « et », un extrait ; une ligne qui commence par - y change de voix. @1:05 au début d’un paragraphe en fixe l’heure.",
        ),
        "voice": "Voix",
        "gap": "? [musique] ou silence",
        "quote": "« {} »",
    },
    "en": {
        "stamp": "as long as nothing else is changed, the machine may write this draft again",
        "help": (
            "What the machine heard: listen and correct. Lines that begin with %% are never published.",
            "A plain paragraph: the narrator. “Name : text”: another voice (twice at least, or declared here).",
            "## Archive: 1978 opens a part; ## Narration returns to the narrator. [music], [laughter]: what is heard.",
            "Between « and », an insert; a line that begins with a dash changes voice in it. @1:05 before a paragraph sets its time.",
        ),
        "voice": "Voice",
        "gap": "? [music] or silence",
        "quote": "“{}”",
    },
}


@dataclass(frozen=True)
class _Track:
    """A speaker's own recording: levels in dB every `hop_s`, relative to how loud this track is when it speaks."""

    label: str
    hop_s: float
    levels_db: tuple[float, ...]

    def level_db(self, start_s: float, end_s: float) -> float:
        """The mean level between two times."""
        first = max(0, int(start_s / self.hop_s))
        part = self.levels_db[first : max(first + 1, int(end_s / self.hop_s))]
        return sum(part) / len(part) if part else _QUIET_DB


def draft(words: Path, activity: Path, *, text: Path, names: Mapping[str, str], language: str) -> None:
    """Write to `text` a stamped draft of the transcript. `names` maps the keys of the show's people to their names."""
    transcript = drafted(read_json(words), read_json(activity), names, language)
    write_whole(text, stamp(write(transcript), _texts(language)["stamp"]))


def drafted(heard: dict[str, Any], activity: dict[str, Any], names: Mapping[str, str], language: str) -> Transcript:
    """The draft as a transcript: `heard` is the content of `words.json`, `activity` of `activity.json`.

    With a track for each speaker the voices are known; with one recording everything is the narrator's until a person says otherwise.
    """
    voices = _voices(activity["tracks"], names, language) if len(activity["tracks"]) > 1 else ()
    tracks = tuple(_track(voice, each, activity["hop_s"]) for voice, each in zip(voices, activity["tracks"], strict=False))
    words = [
        Word(*(each[key] for key in ("text", "start_s", "end_s", "probability"))) for part in heard["segments"] for each in part["words"]
    ]
    paragraphs = _paragraphs(_sentences(words), tracks)
    edges = [(0.0, 0.0), *((said[0].start_s or 0.0, said[-1].end_s or 0.0) for _, said in paragraphs), (heard["duration_s"],) * 2]
    blocks: list[Block] = []
    for index, (voice, said) in enumerate(paragraphs):
        blocks.extend(_gap_note(edges[index][1], edges[index + 1][0], language))
        if text := _safe(" ".join(word.text for word in said), language):
            blocks.append(Paragraph(text, voice))
        blocks.extend(_doubt_note(said, language))
    blocks.extend(_gap_note(edges[-2][1], edges[-1][0], language))
    return Transcript(tuple(blocks), voices, _texts(language)["help"])


def _texts(language: str) -> dict[str, Any]:
    """What the draft says to its reader, in the show's language or in English."""
    return _TEXTS.get(language.split("-")[0], _TEXTS["en"])


def _voices(tracks: Sequence[dict[str, Any]], names: Mapping[str, str], language: str) -> tuple[Declared, ...]:
    """A declared voice for each track: called by the first name where only one has it."""
    full = [names.get(track["voice"], "") for track in tracks]
    firsts = [name.split(" ")[0] for name in full]
    found = []
    for index, (track, name, first) in enumerate(zip(tracks, full, firsts, strict=True), 1):
        key = re.sub(r"[:«»\[\]\\]", " ", first if firsts.count(first) == 1 else name)[:40].strip()
        key = key or f"{_texts(language)['voice']} {index}"
        found.append(Declared(key, person=track["voice"] if name else "", label=name if name != key else ""))
    return tuple(found)


def _track(voice: Declared, track: dict[str, Any], hop_s: float) -> _Track:
    """A track's levels over its own loud moments: a voice recorded low must not lose to another's crosstalk."""
    levels = sorted(track["levels_db"]) or [0.0]
    reference_db = levels[min(len(levels) - 1, int(len(levels) * 0.95))]
    return _Track(voice.key, hop_s, tuple(level - reference_db for level in track["levels_db"]))


def _sentences(words: Sequence[Word]) -> list[list[Word]]:
    """Words up to a full stop or a pause."""
    sentences: list[list[Word]] = []
    for before, word in pairwise([None, *words]):
        if before is None or _SENTENCE_END.search(before.text) or _pause_s(before, word) > _PAUSE_S:  # type: ignore[arg-type]
            sentences.append([])
        sentences[-1].append(word)  # type: ignore[arg-type]
    return sentences


def _paragraphs(sentences: list[list[Word]], tracks: tuple[_Track, ...]) -> list[tuple[str, list[Word]]]:
    """Sentences gathered: the voice's name (empty for the narrator) and the words."""
    pause_s = _LONG_PAUSE_S if tracks else _PAUSE_S
    paragraphs: list[tuple[str, list[Word]]] = []
    for sentence in sentences:
        voice = _speaker(sentence, tracks)
        last = paragraphs[-1] if paragraphs else None
        if (
            last is None
            or last[0] != voice
            or _pause_s(last[1][-1], sentence[0]) > pause_s
            or sum(len(word.text) + 1 for word in last[1]) > _PARAGRAPH_CHARS
        ):
            paragraphs.append((voice, list(sentence)))
        else:
            last[1].extend(sentence)
    return paragraphs


def _speaker(sentence: list[Word], tracks: tuple[_Track, ...]) -> str:
    """Whose track is the loudest, relative to itself, while the sentence is said."""
    spans = [(word.start_s or 0.0, word.end_s or 0.0) for word in sentence]
    totals = {track.label: sum(track.level_db(*span) * (span[1] - span[0] + 0.01) for span in spans) for track in tracks}
    return max(totals, key=lambda label: totals[label]) if totals else ""


def _pause_s(before: Word, after: Word) -> float:
    return (after.start_s or 0.0) - (before.end_s or 0.0)


def _gap_note(start_s: float, end_s: float, language: str) -> tuple[Note, ...]:
    """A place without words is worth a person's ear: music, a silence, or words that were missed."""
    if end_s - start_s < _GAP_S:
        return ()
    return (Note(f"{_texts(language)['gap']} ({hms(start_s)}–{hms(end_s)})"),)


def _doubt_note(said: list[Word], language: str) -> tuple[Note, ...]:
    """The words of a paragraph that are more probably wrong than right."""
    quote = _texts(language)["quote"]
    runs = groupby(said, key=lambda word: word.probability < _DOUBT)
    doubts = [list(words) for doubtful, words in runs if doubtful]
    shown = (f"{quote.format(' '.join(word.text for word in words).strip(' .,;:!?'))} ({hms(words[0].start_s or 0.0)})" for words in doubts)
    return (Note(typographic(f"? {', '.join(shown)}", language)),) if doubts else ()


def _safe(text: str, language: str) -> str:
    """The machine's text must never break the grammar: brackets are not its to write, quotation marks come in pairs."""
    plain = re.sub(r"[ \t\r\n]+", " ", text.translate(str.maketrans("[]", "()"))).strip()
    depth, broken = 0, False
    for char in plain:
        depth += (char == "«") - (char == "»")
        broken = broken or depth not in (0, 1)
    return typographic(re.sub(r"[«»] ?", "", plain) if broken or depth else plain, language).strip(" \u00a0\u202f")
