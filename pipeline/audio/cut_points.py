"""Where a cut is made: never inside a word, in the middle of the quietest 10 ms, with a crossfade that reaches into no word if it can.

Positions are samples of the master. Words come from `words.json`; a word is cut when its middle is, and kept whole when it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.audio.level_profile import Float32Array
from pipeline.model import CauserieError, Removal, format_clock

QUIET_S = 0.010  # the length of sound that is to be as quiet as possible around a cut
SEARCH_S = 0.150  # how far from the time that a person wrote it is looked for: further, the cut would not be theirs
MIN_FADE_S, MAX_FADE_S = 0.010, 0.030
MIN_CUT_S = 0.020  # two halves of a crossfade; less, where the master begins or ends within a cut, is none
MIN_KEPT_S = 0.030  # less than that between two cuts is a click, and not kept

ReadFrames = Callable[[int, int], Float32Array]  # the frames of the master from a sample to another


@dataclass(frozen=True, order=True)
class CutPoint:
    """A range of samples to remove, and half the length of the crossfade at its join."""

    first: int
    end: int
    half_fade: int


@dataclass(frozen=True)
class Gap:
    """Samples without a word, ends included; they can be one and the same."""

    first: int
    last: int

    def around(self, sample: int, reach: int) -> Gap:
        """Its part within `reach` of the sample of the gap that is nearest to `sample`."""
        nearest = min(max(sample, self.first), self.last)
        return Gap(max(self.first, nearest - reach), min(self.last, nearest + reach))

    def within(self, first: int, last: int) -> Gap:
        """Its part between two samples; where it has none, the one that is nearest to it."""
        return Gap(min(max(self.first, first), last), min(max(self.last, first), last))


def join_words(words: Iterable[tuple[float, float]], rate_hz: int) -> list[tuple[int, int]]:
    """The words (start and end, seconds) in samples, sorted; those that overlap as one, since no cut fits between them."""
    joined: list[tuple[int, int]] = []
    for start_s, end_s in sorted(words):
        start, end = round(start_s * rate_hz), round(end_s * rate_hz)
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, max(start, end)))
    return joined


def gaps_of(first: int, end: int, words: Sequence[tuple[int, int]], samples: int) -> tuple[Gap, Gap]:
    """The gaps in which a cut from `first` to `end` may start and end: around the words whose middle it holds, else the gap it is in."""
    before = [word for word in words if sum(word) / 2 < first]
    inside = [word for word in words if first <= sum(word) / 2 < end]
    after = words[len(before) + len(inside)] if len(before) + len(inside) < len(words) else (samples, samples)
    opens = before[-1][1] if before else 0
    return Gap(opens, inside[0][0] if inside else after[0]), Gap(inside[-1][1] if inside else opens, min(after[0], samples))


def quietest(frames: Float32Array, width: int) -> int:
    """The first frame of the quietest run of `width` frames; the earliest, when several are."""
    energy = np.concatenate([[0.0], np.cumsum((frames.astype(np.float64) ** 2).sum(axis=1))])
    return int(np.argmin(np.round(energy[width:] - energy[:-width], 15))) if len(frames) > width else 0


def place_cut(wanted: Removal, part: Removal, words: Sequence[tuple[int, int]], samples: int, rate_hz: int, read: ReadFrames) -> CutPoint:
    """The cut of a range of the master, as near to it as words and silence allow, and within the `part` of the programme that it is in.

    Raises `CauserieError`, without a place, when the range lies inside one word.
    """
    first, end = round(wanted.start_s * rate_hz), round(wanted.end_s * rate_hz)
    opens, closes = round(part.start_s * rate_hz), min(round(part.end_s * rate_hz), samples)
    opening, closing = (gap.within(opens, closes) for gap in gaps_of(first, end, words, samples))
    if opening == closing and min(end, closing.last) - max(first, opening.first) < MIN_CUT_S * rate_hz:
        raise _inside_a_word(wanted)
    reach, fade = round(SEARCH_S * rate_hz), round(MIN_FADE_S * rate_hz)
    starts, ends = opening.around(first, reach), closing.around(end, reach)
    if starts.last > ends.first:  # both in one gap, where they must not cross
        middle = min(max((first + end) // 2, starts.first), ends.last)
        starts, ends = Gap(starts.first, min(starts.last, middle)), Gap(max(ends.first, middle), ends.last)
    at = opening.first if first < opens + fade else _quietest_in(starts, rate_hz, samples, read)
    until = closing.last if end > closes - fade else _quietest_in(ends, rate_hz, samples, read)
    if until - at < MIN_CUT_S * rate_hz:
        raise _inside_a_word(wanted)
    rooms = (at - opening.first, opening.last - at, until - closing.first, closing.last - until)
    half = min(max(min(rooms), -(-fade // 2)), round(MAX_FADE_S * rate_hz) // 2, (until - at) // 2)
    return CutPoint(at, until, half)


def merge_cuts(points: Iterable[CutPoint], samples: int, rate_hz: int) -> tuple[CutPoint, ...]:
    """Cuts in order, those that touch or leave next to nothing between them as one; no crossfade reaches into the next one's."""
    merged: list[CutPoint] = []
    for each in sorted(points):
        if merged and each.first - merged[-1].end < MIN_KEPT_S * rate_hz:
            last = merged[-1]
            merged[-1] = CutPoint(last.first, max(last.end, each.end), min(last.half_fade, each.half_fade))
        else:
            merged.append(each)
    edges = [0, *(edge for each in merged for edge in (each.first, each.end)), samples]
    rooms = [(after - before) // 3 for before, after in pairwise(edges)][::2]  # at an end of the programme a fade takes two thirds
    return tuple(
        CutPoint(each.first, each.end, min([each.half_fade, *(room for room in rooms[i : i + 2] if room)])) for i, each in enumerate(merged)
    )


def crossfade(left: Float32Array, right: Float32Array) -> Float32Array:
    """Two sounds of one length, the first fading into the second.

    Linear, so that no sample is beyond both sounds, and no step from one sample to the next is larger than theirs by more than their
    distance divided by the length: a join cannot click. Where the two have nothing in common it is 3 dB quieter in its middle; at places
    chosen for their silence, over 10 to 30 ms, nobody hears that.
    """
    rising = ((np.arange(len(left)) + 0.5) / max(len(left), 1))[:, None]
    mixed: Float32Array = (left * (1 - rising) + right * rising).astype(np.float32)
    return mixed


def _quietest_in(gap: Gap, rate_hz: int, samples: int, read: ReadFrames) -> int:
    """The middle of the quietest `QUIET_S` whose middle is in the gap."""
    if gap.first == gap.last:
        return gap.first
    width = round(QUIET_S * rate_hz)
    first = max(0, gap.first - width // 2)
    frames = read(first, min(samples, gap.last - width // 2 + width))
    return min(max(first + quietest(frames, width) + width // 2, gap.first), gap.last)


def _inside_a_word(wanted: Removal) -> CauserieError:
    span = f"from {format_clock(wanted.start_s)} to {format_clock(wanted.end_s)} of the master"
    hint = "move its start before that word, or its end after it"
    return CauserieError(f"lies inside one word, {span}, and no word is cut in two", "", hint)
