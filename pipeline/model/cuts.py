"""Cuts: what a person removes from a finished master, and the times of what is left. Frozen, no I/O.

Three timelines, all in seconds: that of the *recordings*, in which cuts are written; that of the *master*, on which Whisper, draft,
alignment, chapters, soundbites and quotes live; and the *published* one, which is the master's without what was cut. `published` is the
only way from the master's to the published one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple  # Any: of JSON values


@dataclass(frozen=True, order=True)
class Cut:
    """A passage that a person removes, in the time of the recordings; `said` reminds them of what was said there."""

    start_s: float
    end_s: float
    said: str = ""


class KeptRange(NamedTuple):
    """A range of the recordings that the master holds: its start in their time, its start and end in the master's."""

    from_s: float
    start_s: float
    end_s: float


class Removal(NamedTuple):
    """A range of the master that is not published. Removals are in order and do not touch each other."""

    start_s: float
    end_s: float


def kept_from_json(activity: Mapping[str, Any]) -> tuple[KeptRange, ...]:
    """The ranges of the recordings in the master, as `activity.json` lists them."""
    return tuple(KeptRange(each["from_s"], each["start_s"], each["end_s"]) for each in activity["kept"])


def removals_from_json(edits: Mapping[str, Any]) -> tuple[Removal, ...]:
    """The removals in `edits.json`, exact to the sample."""
    rate_hz = edits["rate_hz"]
    return tuple(Removal(each["first"] / rate_hz, each["end"] / rate_hz) for each in edits["removed"])


def master_ranges(start_s: float, end_s: float, kept: Iterable[KeptRange]) -> tuple[Removal, ...]:
    """Where a range of the recordings is in the master: nowhere, in one place, or in several when a part is played twice."""
    shifted = ((each, each.start_s - each.from_s) for each in kept)
    found = (Removal(max(start_s + shift_s, each.start_s), min(end_s + shift_s, each.end_s)) for each, shift_s in shifted)
    return tuple(sorted(each for each in found if each.end_s > each.start_s))


def recording_range(start_s: float, end_s: float, kept: Iterable[KeptRange]) -> tuple[float, float] | None:
    """The inverse for a range of the master that lies in one piece of the recordings; None when it does not."""
    for each in kept:
        if each.start_s <= start_s < end_s <= each.end_s:
            return start_s - each.start_s + each.from_s, end_s - each.start_s + each.from_s
    return None


def published(time_s: float, removals: Sequence[Removal]) -> float:
    """The published time of a time of the master. What was cut is all at its join; the function never decreases."""
    before = bisect_right(removals, (time_s,))  # removals that start before it
    removed_s = sum(each.end_s - each.start_s for each in removals[:before])
    return time_s - removed_s + (max(0.0, removals[before - 1].end_s - time_s) if before else 0.0)


def is_removed(start_s: float, end_s: float, removals: Sequence[Removal]) -> bool:
    """Whether a word, from `start_s` to `end_s` in the master, is cut: its middle is."""
    middle_s = (start_s + end_s) / 2
    return any(each.start_s <= middle_s < each.end_s for each in removals)
