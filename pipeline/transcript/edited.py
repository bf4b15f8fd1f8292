"""What is published of a transcript whose episode has cuts: without the words that were cut, and in published time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from pipeline.engine import read_json, read_text, write_atomic
from pipeline.model import NARROW_SPACE, Removal, TimedTranscript, Word, format_timestamp, is_removed, published, removals_from_json
from pipeline.transcript.timed_json import read_timed, write_timed

_CUE_TIMES = re.compile(r"(?m)^((?:\d+:)?\d\d:\d\d\.\d{3}) --> ((?:\d+:)?\d\d:\d\d\.\d{3})")  # WebVTT 4.1, as `translate` writes it


def write_published_transcript(timed: Path, edits: Path, *, published: Path) -> None:
    """Write what is published of `timed`, in its own format."""
    write_timed(published, publish_transcript(read_timed(timed), removals_from_json(read_json(edits))))


def write_published_translation(vtt: Path, edits: Path, *, published: Path) -> None:
    """Write what is published of a translation: its cues in published time, without those that were cut."""
    write_atomic(published, publish_cues(read_text(vtt), removals_from_json(read_json(edits))))


def publish_transcript(transcript: TimedTranscript, removals: Sequence[Removal]) -> TimedTranscript:
    """The transcript without what was cut, in published time, to the millisecond."""

    def move(time_s: float) -> float:
        return round(published(time_s, removals), 3)

    def moved(word: Word) -> Word:
        return word if word.start_s is None or word.end_s is None else word._replace(start_s=move(word.start_s), end_s=move(word.end_s))

    left = drop_removed(transcript, removals)
    turns = tuple(replace(turn, words=tuple(map(moved, turn.words))) for turn in left.turns)
    doubtful = tuple((move(start_s), move(end_s)) for start_s, end_s in left.doubtful)
    return replace(left, duration_s=move(left.duration_s), turns=turns, doubtful=doubtful)


def drop_removed(transcript: TimedTranscript, removals: Sequence[Removal]) -> TimedTranscript:
    """The transcript without what was cut, its times as they were. A word without times goes with its neighbours, when both are cut."""
    words = [word for turn in transcript.turns for word in turn.words]
    left = iter(_with_quotation_marks(words, list(_removed_words(words, removals))))
    kept = ((turn, tuple(word for _, word in zip(turn.words, left, strict=False) if word is not None)) for turn in transcript.turns)
    turns = tuple(replace(turn, words=words) for turn, words in kept if words or not turn.words)
    doubtful = tuple(each for each in transcript.doubtful if not is_removed(*each, removals))
    return replace(transcript, turns=turns, doubtful=doubtful)


def publish_cues(text: str, removals: Sequence[Removal]) -> str:
    """The cues of a WebVTT text in published time; a cue whose middle is cut is left out."""

    def move(block: str) -> str | None:
        times = _CUE_TIMES.search(block)
        if not times:
            return block
        start_s, end_s = (_seconds(each) for each in times.groups())
        if is_removed(start_s, end_s, removals):
            return None
        moved = (format_timestamp(round(published(each, removals), 3)) for each in (start_s, end_s))
        return block.replace(times[0], " --> ".join(moved), 1)

    return "\n\n".join(block for block in map(move, text.rstrip("\n").split("\n\n")) if block is not None) + "\n"


def _with_quotation_marks(words: Sequence[Word], flags: Sequence[bool]) -> list[Word | None]:
    """The words, None for each that is cut. « and » of an insert that lose their word go to the next one, or to the one before."""
    left: list[Word | None] = [None if is_cut else word for word, is_cut in zip(words, flags, strict=True)]
    for is_cut, group in groupby(range(len(words)), key=flags.__getitem__):
        run = list(group)
        text = "".join(words[index].text for index in run) if is_cut else ""
        surplus, before, after = text.count("«") - text.count("»"), run[0] - 1, run[-1] + 1
        if surplus > 0 and after < len(words):
            left[after] = words[after]._replace(text=f"«{NARROW_SPACE}{words[after].text}")
        elif surplus < 0 and before >= 0 and (word := left[before]) is not None:
            left[before] = word._replace(text=f"{word.text}{NARROW_SPACE}»")
    return left


def _removed_words(words: Sequence[Word], removals: Sequence[Removal]) -> Iterator[bool]:
    """Of each word, in order, whether it is cut."""
    places = [_removal_of(word, removals) for word in words]
    before, after = _carried(places), _carried(places[::-1])[::-1]
    for last, following in zip(before, after, strict=True):
        sides = {each for each in (last, following) if each is not None}
        yield len(sides) == 1 and sides != {-1}


def _carried(places: list[int | None]) -> list[int | None]:
    """The last place that is known, at each place; None before the first."""
    found: list[int | None] = []
    for place in places:
        found.append(place if place is not None else found[-1] if found else None)
    return found


def _removal_of(word: Word, removals: Sequence[Removal]) -> int | None:
    """The index of the removal that a word is in, -1 when it is in none, None when it has no times."""
    if word.start_s is None or word.end_s is None:
        return None
    start_s, end_s = word.start_s, word.end_s
    return next((index for index, each in enumerate(removals) if is_removed(start_s, end_s, (each,))), -1)


def _seconds(clock: str) -> float:
    """`00:01:05.250` in seconds."""
    hours, minutes, seconds = (float(part) for part in f"0:{clock}".split(":")[-3:])
    return 3600 * hours + 60 * minutes + seconds
