"""Who speaks when: turns with a displayed name, from the transcript or, before there is one, from the voices that ingest detected."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any  # of JSON values

from pipeline.model import TimedTranscript, Turn

_BIDI_CONTROLS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class SpeakerTurn:
    """One voice speaking without interruption by another."""

    voice: str  # the name as displayed
    start_s: float
    end_s: float
    words: tuple[tuple[float, float], ...] = ()  # start and end of each timed word in seconds; between them is a pause


def turns_from_transcript(timed: TimedTranscript, names: Mapping[str, str], labels: Mapping[str, str]) -> tuple[SpeakerTurn, ...]:
    """Every turn that has times and is not a sound. Two voices of the same name are distinguished by their role."""
    spoken = [turn for turn in timed.turns if turn.start_s is not None and turn.end_s is not None and not _is_sound(turn)]
    names_by_speaker = {_speaker_identity(turn): display_safe(_speaker_name(turn, names, labels["narrator"])) for turn in spoken}
    repeated_names = [name for name in names_by_speaker.values() if list(names_by_speaker.values()).count(name) > 1]
    full_names = {
        each: f"{name} ({display_safe(each[1])})" if name in repeated_names and each[1] else name for each, name in names_by_speaker.items()
    }
    return tuple(_speaker_turn(turn, full_names[_speaker_identity(turn)]) for turn in spoken)


def turns_from_ingest(turns: Iterable[Mapping[str, Any]], names: Mapping[str, str], labels: Mapping[str, str]) -> tuple[SpeakerTurn, ...]:
    """The turns that ingest detected, all that is known of voices before there is a transcript."""
    return tuple(
        SpeakerTurn(display_safe(names.get(turn["voice"], turn["voice"])) or labels["unknown"], turn["start_s"], turn["end_s"])
        for turn in turns
    )


def display_safe(text: str) -> str:
    """The text on one line, without control characters and without Unicode bidi controls, which could reorder the text around it."""
    safe_chars = (" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text if char not in _BIDI_CONTROLS)
    return " ".join("".join(safe_chars).split(" ")).strip()


def _speaker_turn(turn: Turn, voice: str) -> SpeakerTurn:
    word_intervals = tuple((word.start_s, word.end_s) for word in turn.words if word.start_s is not None and word.end_s is not None)
    return SpeakerTurn(voice, turn.start_s or 0.0, turn.end_s or 0.0, word_intervals)


def _speaker_identity(turn: Turn) -> tuple[str, str]:
    """What identifies a speaker: the key of the person, else name and role."""
    return (turn.voice.person, "") if turn.voice.person else (turn.voice.name, turn.voice.role)


def _speaker_name(turn: Turn, names: Mapping[str, str], narrator: str) -> str:
    return names.get(turn.voice.person, "") or turn.voice.label or turn.voice.name or narrator


def _is_sound(turn: Turn) -> bool:
    return all(word.is_sound for word in turn.words)
