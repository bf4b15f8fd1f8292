"""`timed.json`: the corrected transcript with its times, the input of captions, pages, guides and chapters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from pipeline.engine import read_json, write_atomic
from pipeline.model import TextReview, TimedTranscript, Turn, Voice, Word


@dataclass(frozen=True)
class UnalignedSpan:
    """Words `first` to `last` of a turn, all indices, that alignment could not place."""

    turn: int
    first: int
    last: int


@dataclass(frozen=True)
class EstimatedSpan:
    """Words `first` to `last` of a turn, all indices, whose times are estimated, and when they are thought to be spoken, in seconds."""

    turn: int
    first: int
    last: int
    start_s: float
    end_s: float


class VoiceValue(TypedDict):
    """A voice in `timed.json`."""

    name: str
    role: str
    person: str
    label: str


class TurnValue(TypedDict):
    """A turn in `timed.json`."""

    voice: VoiceValue
    section: str
    insert: bool
    words: list[list[Any]]  # Any: JSON has no tuples; [text, start_s, end_s] or [text]


class ReviewValue(TypedDict):
    """Who has checked the text; see `TextReview`."""

    state: str
    date: str
    by: str


class TimedValue(TypedDict):
    """The content of `timed.json`; see docs/formats.md."""

    version: int
    unaligned: list[list[int]]  # [turn, first word, last word]
    estimated: NotRequired[list[list[int]]]  # the same; absent in files of 0.2 and before
    duration_s: float
    language: str
    review: NotRequired[ReviewValue]  # unless a person wrote the text
    doubtful: NotRequired[list[list[float]]]  # unless there are none
    turns: list[TurnValue]


def transcript_to_json(transcript: TimedTranscript) -> TimedValue:
    """The content of `timed.json`: a word is `[text, start_s, end_s]`, or `[text]` when it has no times."""
    review = transcript.review
    value: TimedValue = {
        "version": 1,
        "unaligned": [[each.turn, each.first, each.last] for each in find_unaligned(transcript)],
        "estimated": [[each.turn, each.first, each.last] for each in find_estimated(transcript)],
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
    if review.state:
        value["review"] = {"state": review.state, "date": review.date, "by": review.by}
    if transcript.doubtful:
        value["doubtful"] = [[start_s, end_s] for start_s, end_s in transcript.doubtful]
    return value


def transcript_from_json(value: TimedValue) -> TimedTranscript:
    """The inverse of `transcript_to_json`; probabilities are not stored."""
    estimated = {(turn, place) for turn, first, last in value.get("estimated", ()) for place in range(first, last + 1)}
    turns = (
        Turn(
            Voice(**turn["voice"]),
            tuple(Word(*word)._replace(estimated=(index, place) in estimated) for place, word in enumerate(turn["words"])),
            turn["section"],
            turn["insert"],
        )
        for index, turn in enumerate(value["turns"])
    )
    return TimedTranscript(value["duration_s"], value["language"], tuple(turns), TextReview(**value.get("review", {})), _doubtful(value))


def _doubtful(value: TimedValue) -> tuple[tuple[float, float], ...]:
    return tuple((start_s, end_s) for start_s, end_s in value.get("doubtful", ()))


def find_unaligned(transcript: TimedTranscript) -> tuple[UnalignedSpan, ...]:
    """The runs of spoken words without times, to which no link can lead. Sounds are not counted."""
    found: list[UnalignedSpan] = []
    for index, turn in enumerate(transcript.turns):
        untimed = [place for place, word in enumerate(turn.words) if word.start_s is None and not word.is_sound]
        for _, group in groupby(enumerate(untimed), key=lambda pair: pair[1] - pair[0]):
            places = [place for _, place in group]
            found.append(UnalignedSpan(index, places[0], places[-1]))
    return tuple(found)


def find_estimated(transcript: TimedTranscript) -> tuple[EstimatedSpan, ...]:
    """The runs of words whose times are estimated."""
    found: list[EstimatedSpan] = []
    for index, turn in enumerate(transcript.turns):
        for is_estimated, group in groupby(enumerate(turn.words), key=lambda pair: pair[1].estimated):
            run = list(group) if is_estimated else []
            times = [(word.start_s, word.end_s) for _, word in run if word.start_s is not None and word.end_s is not None]
            if times:
                found.append(EstimatedSpan(index, run[0][0], run[-1][0], times[0][0], times[-1][1]))
    return tuple(found)


def link_time_s(turn: Turn) -> float | None:
    """The time that a link to this turn may lead to, in seconds; None when its first spoken word has no time."""
    first = next((word for word in turn.words if not word.is_sound), None)
    return turn.start_s if first is None or first.start_s is not None else None


def read_timed(path: Path) -> TimedTranscript:
    """The timed transcript in a file."""
    return transcript_from_json(read_json(path))


def write_timed(path: Path, transcript: TimedTranscript) -> None:
    """Write it atomically, one turn per line: indented as other JSON files are, an hour's ten thousand words would take 50,000 lines."""
    value = transcript_to_json(transcript)
    turns = ",\n".join(json.dumps(turn, ensure_ascii=False, allow_nan=False) for turn in value["turns"])
    head = json.dumps({key: each for key, each in value.items() if key != "turns"}, ensure_ascii=False, allow_nan=False)
    write_atomic(path, f'{head[:-1]}, "turns": [\n{turns}\n]}}\n')


def _word_value(word: Word) -> list[str | float]:
    """A word as in `timed.json`, times to the millisecond, the precision of captions and players."""
    if word.start_s is None or word.end_s is None:
        return [word.text]
    return [word.text, round(word.start_s, 3), round(word.end_s, 3)]
