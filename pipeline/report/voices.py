"""Who speaks when: turns with a displayed name, from the transcript or, before there is one, from the voices that ingest detected."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any  # of JSON values

from pipeline.model import TimedTranscript, Turn

_REORDERING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Said:
    """One voice speaking without interruption by another."""

    voice: str  # the name as displayed
    start_s: float
    end_s: float
    words: tuple[tuple[float, float], ...] = ()  # start and end of each timed word in seconds; between them is a pause


def from_transcript(timed: TimedTranscript, names: Mapping[str, str], words: Mapping[str, str]) -> tuple[Said, ...]:
    """Every turn that has times and is not a sound. Two voices of the same name are distinguished by their role."""
    spoken = [turn for turn in timed.turns if turn.start_s is not None and turn.end_s is not None and not _is_sound(turn)]
    named = {_identity(turn): shown(_name(turn, names, words["narrator"])) for turn in spoken}
    often = [name for name in named.values() if list(named.values()).count(name) > 1]
    full = {each: f"{name} ({shown(each[1])})" if name in often and each[1] else name for each, name in named.items()}
    return tuple(_said(turn, full[_identity(turn)]) for turn in spoken)


def from_sound(turns: Iterable[Mapping[str, Any]], names: Mapping[str, str], words: Mapping[str, str]) -> tuple[Said, ...]:
    """The turns that ingest detected, all that is known of voices before there is a transcript."""
    return tuple(Said(shown(names.get(turn["voice"], turn["voice"])) or words["unknown"], turn["start_s"], turn["end_s"]) for turn in turns)


def shown(text: str) -> str:
    """The text on one line, without control characters and without Unicode bidi controls, which could reorder the text around it."""
    kept = (" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text if char not in _REORDERING)
    return " ".join("".join(kept).split(" ")).strip()


def _said(turn: Turn, voice: str) -> Said:
    placed = tuple((word.start_s, word.end_s) for word in turn.words if word.start_s is not None and word.end_s is not None)
    return Said(voice, turn.start_s or 0.0, turn.end_s or 0.0, placed)


def _identity(turn: Turn) -> tuple[str, str]:
    """What identifies a speaker: the key of the person, else name and role."""
    return (turn.voice.person, "") if turn.voice.person else (turn.voice.name, turn.voice.role)


def _name(turn: Turn, names: Mapping[str, str], narrator: str) -> str:
    return names.get(turn.voice.person, "") or turn.voice.label or turn.voice.name or narrator


def _is_sound(turn: Turn) -> bool:
    return all(word.is_sound for word in turn.words)
