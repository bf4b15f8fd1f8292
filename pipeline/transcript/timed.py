"""`timed.json`: the corrected transcript with its times, between alignment and everything that shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from pipeline.files import read_json, write_whole
from pipeline.model import TimedTranscript, Turn, Voice, Word


@dataclass(frozen=True)
class Unaligned:
    """Words `first` to `last` of a turn, all by their index, that were not found in what was heard."""

    turn: int
    first: int
    last: int


def to_value(transcript: TimedTranscript) -> dict[str, Any]:
    """The transcript as JSON values: a word is `[text, start_s, end_s]`, or `[text]` when it has no place."""
    return {
        "version": 1,
        "unaligned": [[each.turn, each.first, each.last] for each in unaligned(transcript)],
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


def unaligned(transcript: TimedTranscript) -> tuple[Unaligned, ...]:
    """The stretches of speech without times, « non alignés »: nobody can be sent there. Sounds between other words are none."""
    found: list[Unaligned] = []
    for index, turn in enumerate(transcript.turns):
        lost = [place for place, word in enumerate(turn.words) if word.start_s is None and not word.is_sound]
        for _, group in groupby(enumerate(lost), key=lambda pair: pair[1] - pair[0]):
            places = [place for _, place in group]
            found.append(Unaligned(index, places[0], places[-1]))
    return tuple(found)


def link_s(turn: Turn) -> float | None:
    """Where a link to this turn may lead: when its first spoken word was found; None when that would be a guess."""
    first = next((word for word in turn.words if not word.is_sound), None)
    return turn.start_s if first is None or first.start_s is not None else None


def read_timed(path: Path) -> TimedTranscript:
    """The timed transcript in a file."""
    return from_value(read_json(path))


def write_timed(path: Path, transcript: TimedTranscript) -> None:
    """Write it whole, a turn on each line: an hour has ten thousand words, of five lines each in the JSON of other files."""
    value = to_value(transcript)
    turns = ",\n".join(json.dumps(turn, ensure_ascii=False, allow_nan=False) for turn in value.pop("turns"))
    write_whole(path, f'{json.dumps(value, ensure_ascii=False, allow_nan=False)[:-1]}, "turns": [\n{turns}\n]}}\n')


def _word_value(word: Word) -> list[Any]:
    """Times to the millisecond: captions and players go no finer."""
    if word.start_s is None or word.end_s is None:
        return [word.text]
    return [word.text, round(word.start_s, 3), round(word.end_s, 3)]
