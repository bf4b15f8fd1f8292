"""Which matches of the text with what was recognised are certain enough to be called known times. Pure.

A match is certain when enough letters agree around it for the number of places it was chosen from, or when there is no room for it to be
far off; never when the same words were recognised a second time beside it, when its word was stretched over a pause, or when it stands in
a stretch that seems displaced: words are missing before it without time for them, and the time is there after it, or the other way round.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

_MAX_CLUSTER_TOKENS = 3  # between two matches that support each other
_MAX_CLUSTER_GAP_S = 2.0
_MIN_END_LETTERS = 6.0
_SURE_S = 2.0  # between two certain words so near, a match is certain
_AMBIGUOUS_S = 1.0  # between two places where a word may have been spoken
_LETTER_S = 0.065  # of speech
_LOOP_TOKENS = 3
_LOOP_REACH = 4.0  # times the length of a loop
_FASTEST_LETTER_S = 0.035  # of speech, over several words
_HURRIED_TOKENS = 6
_MIN_DISPLACEMENT_S = 0.9
_MAX_DISPLACED_S = 45.0  # a longer stretch is where it is, and what is missing before it was not spoken


class TimedToken(NamedTuple):
    """A comparable part of a word (see `pipeline.transcript.normalisation`), with its times."""

    text: str
    start_s: float
    end_s: float
    is_stretched: bool = False  # over a pause: its start is a guess


@dataclass(frozen=True)
class Match:
    """Tokens `first` to `last` (exclusive) of the text and the recognised ones they agree with, by index; as many, or joined."""

    first: int
    last: int
    heard_first: int
    heard_last: int
    letters: float  # that agree
    certain: bool = False


def judge_matches(matches: list[Match], written: Sequence[str], heard: Sequence[TimedToken], span_s: tuple[float, float]) -> list[Match]:
    """The matches, with those that are certain marked: the strongest first, then those that are certain between them."""
    odd = _hurried(heard) | {place for place, each in enumerate(heard) if each.is_stretched}
    gaps = _gaps(matches, written, heard, span_s)
    unsure = (
        {place for place, match in enumerate(matches) if match.heard_first in odd}
        | _ambiguous(matches, heard)
        | _looped(matches, heard)
        | _displaced(matches, gaps, heard)
    )
    evidence = _evidence(matches, written)
    clusters = [[place for place in _trimmed(cluster, matches, evidence) if place not in unsure] for cluster in _clusters(matches, heard)]
    certain: set[int] = set()
    while new := set(_newly_certain(matches, evidence, clusters, sorted(certain), (len(written), heard, span_s))) - certain:
        certain |= new
    return [replace(match, certain=place in certain) for place, match in enumerate(matches)]


def _hurried(heard: Sequence[TimedToken]) -> set[int]:
    """The recognised tokens, by index, that no one can have spoken so fast: a loop is squeezed into the time of something else."""
    hurried: set[int] = set()
    for first in range(len(heard) - _HURRIED_TOKENS + 1):
        run = heard[first : first + _HURRIED_TOKENS]
        if run[-1].end_s - run[0].start_s < _FASTEST_LETTER_S * sum(len(each.text) for each in run):
            hurried.update(range(first, first + _HURRIED_TOKENS))
    return hurried


def _evidence(matches: list[Match], written: Sequence[str]) -> list[float]:
    """How many letters of each match count: fewer of a word that occurs often, which agrees by chance."""
    counts = Counter(written)
    return [match.letters / (1 + math.log2(min(counts[token] for token in written[match.first : match.last]))) for match in matches]


def _clusters(matches: list[Match], heard: Sequence[TimedToken]) -> Iterator[range]:
    """Runs of matches that support each other: few words and little time between them, or no word at all."""
    first = 0
    for place, (before, after) in enumerate(pairwise(matches), 1):
        skipped, skipped_heard = after.first - before.last, after.heard_first - before.heard_last
        gap_s = heard[after.heard_first].start_s - heard[before.heard_last - 1].end_s
        if skipped == skipped_heard == 0:
            continue
        if max(skipped, skipped_heard) > _MAX_CLUSTER_TOKENS or gap_s > _MAX_CLUSTER_GAP_S:
            yield range(first, place)
            first = place
    if matches:
        yield range(first, len(matches))


def _trimmed(cluster: range, matches: list[Match], evidence: list[float]) -> range:
    """A cluster without the weak runs at its ends: a few letters that agree beyond others that do not may be chance."""
    runs: list[list[int]] = []
    for place in cluster:
        before = matches[place - 1] if runs else None
        if before and (before.last, before.heard_last) == (matches[place].first, matches[place].heard_first):
            runs[-1].append(place)
        else:
            runs.append([place])
    strong = [run for run in runs if sum(evidence[place] for place in run) >= _MIN_END_LETTERS]
    return range(strong[0][0], strong[-1][-1] + 1) if strong else cluster


def _newly_certain(
    matches: list[Match],
    evidence: list[float],
    clusters: list[list[int]],
    known: list[int],
    whole: tuple[int, Sequence[TimedToken], tuple[float, float]],
) -> Iterator[int]:
    """The matches that are certain, given those that were before, in order: enough letters agree, or there is no room to be far off."""
    count, heard, span_s = whole
    ends = [(0, 0, span_s[0]), *(_end(matches[place], heard) for place in known)]
    starts = [*(_start(matches[place], heard) for place in known), (count, len(heard), span_s[1])]
    for place, (end, start) in enumerate(zip(ends, starts, strict=True)):
        if start[2] - end[2] <= _SURE_S:
            yield from range(known[place - 1] + 1 if place else 0, known[place] if place < len(known) else len(matches))
    for cluster in filter(None, clusters):
        i0, j0, _ = ends[bisect_left(known, cluster[0])]
        i1, j1, _ = starts[bisect_right(known, cluster[-1])]
        if sum(evidence[place] for place in cluster) >= 4 + 4 * math.log10(max(1, (i1 - i0) * (j1 - j0))):
            yield from cluster


def _end(match: Match, heard: Sequence[TimedToken]) -> tuple[int, int, float]:
    return match.last, match.heard_last, heard[match.heard_last - 1].end_s


def _start(match: Match, heard: Sequence[TimedToken]) -> tuple[int, int, float]:
    return match.first, match.heard_first, heard[match.heard_first].start_s


def _ambiguous(matches: list[Match], heard: Sequence[TimedToken]) -> set[int]:
    """The matches that could as well be with words recognised more than a second away: the same words stand there, unmatched."""
    unsure: set[int] = set()
    ends = [Match(0, 0, 0, 0, 0), *matches, Match(0, 0, len(heard), len(heard), 0)]
    for place, (before, after) in enumerate(pairwise(ends)):
        j0, j1 = before.heard_last, after.heard_first
        back = 0  # matches before the unmatched words that are repeated at their end
        while place - 1 - back >= 0 and j1 - 1 - back >= j0 and _same(matches[place - 1 - back], heard, j1 - 1 - back):
            back += 1
        if back and heard[j1 - 1].end_s - heard[j0 - 1].end_s > _AMBIGUOUS_S:
            unsure.update(range(place - back, place))
        ahead = 0
        while place + ahead < len(matches) and j0 + ahead < j1 and _same(matches[place + ahead], heard, j0 + ahead):
            ahead += 1
        if ahead and heard[j1].start_s - heard[j0].start_s > _AMBIGUOUS_S:
            unsure.update(range(place, place + ahead))
    return unsure


def _looped(matches: list[Match], heard: Sequence[TimedToken]) -> set[int]:
    """The matches near words that were recognised twice, three or more in a row, where no match explains one of the two times.

    Nobody knows which of them was spoken, nor how long the loop took from what follows: its length before it and four times that after it
    are doubtful.
    """
    texts = [each.text for each in heard]
    starts_s = [heard[match.heard_first].start_s for match in matches]
    ends = [Match(0, 0, 0, 0, 0), *matches, Match(0, 0, len(heard), len(heard), 0)]
    unsure: set[int] = set()
    for before, after in pairwise(ends):
        j0, j1 = before.heard_last, after.heard_first
        loop = {tuple(texts[j : j + _LOOP_TOKENS]) for j in range(j0, j1 - _LOOP_TOKENS + 1)}
        reach = 2 * (j1 - j0)
        near = [j for j in range(max(0, j0 - reach), min(len(heard), j1 + reach) - _LOOP_TOKENS + 1) if not j0 <= j < j1] if loop else []
        if any(tuple(texts[j : j + _LOOP_TOKENS]) in loop for j in near):
            start_s, end_s = heard[j0].start_s, heard[j1 - 1].end_s
            first = bisect_left(starts_s, start_s - (end_s - start_s))
            unsure.update(range(first, bisect_right(starts_s, end_s + _LOOP_REACH * (end_s - start_s))))
    return unsure


def _same(match: Match, heard: Sequence[TimedToken], place: int) -> bool:
    return match.heard_last - match.heard_first == 1 and heard[match.heard_first].text == heard[place].text


def _gaps(matches: list[Match], written: Sequence[str], heard: Sequence[TimedToken], span_s: tuple[float, float]) -> list[float]:
    """Before each match, and after the last: how many seconds are missing for the unmatched words of the text; below 0, left over."""
    ends = [(0, 0, span_s[0]), *(_end(match, heard) for match in matches)]
    starts = [*(_start(match, heard) for match in matches), (len(written), len(heard), span_s[1])]
    return [_LETTER_S * sum(map(len, written[end[0] : start[0]])) - (start[2] - end[2]) for end, start in zip(ends, starts, strict=True)]


def _displaced(matches: list[Match], missing_s: list[float], heard: Sequence[TimedToken]) -> set[int]:
    """The matches between a place where time is missing and the next where about as much is left over, before it or after it."""
    displaced: set[int] = set()
    for place, need_s in enumerate(missing_s):
        for step in (1, -1) if need_s >= _MIN_DISPLACEMENT_S else ():
            end = place + step
            while 0 <= end < len(missing_s) and missing_s[end] > -need_s / 2 and not _far(matches, heard, *sorted((place, end))):
                end += step
            first, last = sorted((place, end))
            if 0 <= end < len(missing_s) and not _far(matches, heard, first, last):
                displaced.update(range(first, last))
    return displaced


def _far(matches: list[Match], heard: Sequence[TimedToken], first: int, last: int) -> bool:
    """Whether matches `first` to `last` (exclusive) lie too far apart to be displaced together."""
    return last > first and heard[matches[last - 1].heard_last - 1].end_s - heard[matches[first].heard_first].start_s > _MAX_DISPLACED_S
