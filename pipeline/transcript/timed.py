"""`timed.json`: the corrected transcript with its times, between alignment and everything that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.files import read_json, write_json
from pipeline.model import TimedTranscript, Turn, Voice, Word


def to_value(transcript: TimedTranscript) -> dict[str, Any]:
    """The transcript as JSON values: a word is `[text, start_s, end_s]`, or `[text]` when it has no place."""
    return {
        "version": 1,
        "duration_s": transcript.duration_s,
        "language": transcript.language,
        "turns": [
            {
                "voice": {"name": turn.voice.name, "role": turn.voice.role, "person": turn.voice.person, "label": turn.voice.label},
                "section": turn.section,
                "insert": turn.insert,
                "words": [_word_value(word) for word in turn.words],
            }
            for turn in transcript.turns
        ],
    }


def from_value(value: dict[str, Any]) -> TimedTranscript:
    """The inverse of `to_value`; probabilities are not kept."""
    turns = (
        Turn(Voice(**turn["voice"]), tuple(Word(*word) for word in turn["words"]), turn["section"], turn["insert"])
        for turn in value["turns"]
    )
    return TimedTranscript(value["duration_s"], value["language"], tuple(turns))


def read_timed(path: Path) -> TimedTranscript:
    """The timed transcript in a file."""
    return from_value(read_json(path))


def write_timed(path: Path, transcript: TimedTranscript) -> None:
    """Write it whole."""
    write_json(path, to_value(transcript))


def _word_value(word: Word) -> list[Any]:
    """Times to the millisecond: captions and players go no finer."""
    if word.start_s is None or word.end_s is None:
        return [word.text]
    return [word.text, round(word.start_s, 3), round(word.end_s, 3)]
