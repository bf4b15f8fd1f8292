"""A programme as clips on a timeline: the range used of each file, its position, and its gain. Positions are in samples; no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.profile import BLOCKS_PER_S, FLOOR_DB, HOPS_PER_S, MOMENTS_PER_S, Floats, Profile, hop_sample

EDGE_S = 0.005  # fade at a cut in the middle of sound, which would click; short enough not to be noticed
_T = TypeVar("_T", bound=np.generic)
OVERLAP_S = 1.0  # of a looped bed with itself


@dataclass(frozen=True, eq=False)
class Source:
    """An analysed file: how to decode it, its profile, and its levelling gains."""

    path: Path
    stream: int  # from 0
    filters: tuple[str, ...]  # from decoder output to float samples at the programme's rate and channels
    profile: Profile
    gain_db: float = 0.0
    moves_db: Floats | None = None  # added to `gain_db`, at each hop edge of this file


@dataclass(frozen=True, eq=False)
class Clip:
    """A range of a source placed on the timeline. Positions are samples at the programme's rate."""

    source: Source
    first: int  # in the source
    count: int
    at: int  # in the programme
    fade_in: int = 0
    fade_out: int = 0
    moves_db: Floats | None = None  # at the programme's hop edges: ducking of a bed

    @property
    def end(self) -> int:
        """The sample after its last one, in the programme."""
        return self.at + self.count


@dataclass(frozen=True)
class Stretch:
    """A part of the programme without a position yet: the range of its sources, and its transition from the previous part."""

    sources: tuple[Source, ...]  # several tracks play together
    first: int
    count: int
    gap: int = 0
    crossfade: int = 0
    fade_in: int = 0
    fade_out: int = 0
    cut: tuple[bool, bool] = (False, False)  # whether its start, and its end, is in the middle of sound
    gain_db: float = 0.0


def placed(stretches: Sequence[Stretch], rate_hz: int) -> list[tuple[Clip, ...]]:
    """Place parts one after the other and return the clips of each. Each starts on a hop, so that levels need no resampling.

    A crossfade is limited to half of the shorter of the two parts.
    """
    parts: list[tuple[Clip, ...]] = []
    end, before = 0, None
    for stretch in stretches:
        overlap = min(stretch.crossfade, stretch.count // 2, before.count // 2) if before else 0
        at = _on_a_hop(end + stretch.gap - overlap, rate_hz)
        overlap = max(0, end - at)
        if parts and overlap:
            parts[-1] = tuple(replace(clip, fade_out=max(clip.fade_out, overlap)) for clip in parts[-1])
        edge = round(EDGE_S * rate_hz)
        fades = (max(stretch.fade_in, overlap, edge * stretch.cut[0]), max(stretch.fade_out, edge * stretch.cut[1]))
        parts.append(tuple(_clip(source, stretch, at, fades) for source in stretch.sources))
        end, before = at + stretch.count, stretch
    return parts


def repeated(bed: Source, at: int, count: int, fades: tuple[int, int], moves_db: Floats, rate_hz: int) -> tuple[Clip, ...]:
    """Place a bed from `at` on for `count` samples; a shorter bed is looped, crossfading with its own end."""
    length = bed.profile.samples
    overlap = min(round(OVERLAP_S * rate_hz), length // 4)
    clips, position = [], 0
    while position < count:
        size = min(length, count - position)
        again = overlap if size == length and position + length < count else 0
        fade_in, fade_out = overlap if position else fades[0], again or fades[1]
        clips.append(Clip(bed, 0, size, at + position, min(fade_in, size // 2), min(fade_out, size // 2), moves_db))
        position += size - again
        if not again:
            break
    return tuple(clips)


def gains(clip: Clip, start: int, count: int, rate_hz: int, gain_db: float = 0.0) -> Floats | float:
    """Return the linear gain of `count` samples of a clip from its own sample `start` on; a float where it is constant."""
    level_db = clip.source.gain_db + gain_db
    moves = [(clip.source.moves_db, clip.first + start), (clip.moves_db, clip.at + start)]
    gain: Floats | float = 10 ** (level_db / 20)
    for moves_db, sample in moves:
        if moves_db is not None:
            gain = gain * _moving(moves_db, sample, count, rate_hz)
    return _faded(clip, start, count, gain)


def levels_of(clips: Iterable[Clip], hops: int, rate_hz: int) -> Floats:
    """Return the level of clips along the programme before any gain, dB per hop; `SILENCE_DB` where there is no clip."""
    levels = np.full(hops, FLOOR_DB, np.float32)
    for clip in clips:
        lay(levels, clip.source.profile.levels_db, clip, HOPS_PER_S, rate_hz, np.maximum)
    return levels


def before(clips: Iterable[Clip], samples: int, rate_hz: int) -> Profile:
    """Return the profile of the programme without any gain applied: the sum of the profiles of its clips."""
    powers, peaks, energy = (np.zeros(-(-samples * each // rate_hz), np.float32) for each in (BLOCKS_PER_S, BLOCKS_PER_S, MOMENTS_PER_S))
    for clip in clips:
        own = clip.source.profile
        lay(powers, own.powers, clip, BLOCKS_PER_S, rate_hz, np.add)
        lay(peaks, own.peaks, clip, BLOCKS_PER_S, rate_hz, np.maximum)
        lay(energy, np.power(10, own.momentary_lufs / 10), clip, MOMENTS_PER_S, rate_hz, np.add)
    return Profile(rate_hz, samples, powers, peaks, np.maximum(10 * np.log10(np.maximum(energy, 1e-12)), FLOOR_DB).astype(np.float32))


def worst_peak(clips: Sequence[Clip], samples: int, rate_hz: int) -> float:
    """Return an upper bound for the highest sample of the mix, 1.0 is full scale: the highest sum of clip peaks per 5 ms block."""
    sums = np.zeros(-(-samples * BLOCKS_PER_S // rate_hz) + 1, np.float32)
    for clip in clips:
        peaks = clip.source.profile.peaks * np.float32(10 ** (clip.source.gain_db / 20))
        if clip.source.moves_db is not None:
            highest = np.maximum(clip.source.moves_db[:-1], clip.source.moves_db[1:])
            which = np.minimum(np.arange(len(peaks)) * HOPS_PER_S // BLOCKS_PER_S, len(highest) - 1)
            peaks = peaks * np.power(10, highest[which] / 20)
        wide = np.maximum(peaks, np.concatenate([peaks[1:], [0]]))  # a clip need not start on a block edge of the programme
        lay(sums, wide, clip, BLOCKS_PER_S, rate_hz, np.add)
    return float(sums.max(initial=0.0))


def lay(line: NDArray[_T], values: NDArray[_T], clip: Clip, per_s: int, rate_hz: int, how: np.ufunc) -> None:
    """Combine a clip's range of `values` (`per_s` per second of its source) into `line`, which runs along the programme."""
    first, at, count = (round(each * per_s / rate_hz) for each in (clip.first, clip.at, clip.count))
    share = values[first : first + min(count, max(0, len(line) - at))]
    place = slice(at, at + len(share))
    line[place] = how(line[place], share)


def _clip(source: Source, stretch: Stretch, at: int, fades: tuple[int, int]) -> Clip:
    fade_in, fade_out = (min(fade, stretch.count // 2) for fade in fades)
    return Clip(replace(source, gain_db=source.gain_db + stretch.gain_db), stretch.first, stretch.count, at, fade_in, fade_out)


def _on_a_hop(sample: int, rate_hz: int) -> int:
    """Return the start of the first hop that does not begin before a sample."""
    hop = -(-sample * HOPS_PER_S // rate_hz)
    return hop_sample(hop, rate_hz)


def _moving(moves_db: Floats, first: int, count: int, rate_hz: int) -> Floats | float:
    """Return the linear gain of `count` samples from sample `first` of the signal that `moves_db` belongs to."""
    hop = rate_hz / HOPS_PER_S
    low, high = int(first / hop), int((first + count) / hop) + 2
    edges = np.power(10, moves_db[low:high] / 20)
    if not len(edges):
        edges = np.power(10, moves_db[-1:] / 20)
    if (edges == edges[0]).all():
        return float(edges[0])
    at = np.arange(first - low * hop, first - low * hop + count - 0.5, dtype=np.float64) / hop
    return np.interp(at, np.arange(len(edges)), edges).astype(np.float32)


def _faded(clip: Clip, start: int, count: int, gain: Floats | float) -> Floats | float:
    """Apply the clip's fades to a gain: a quarter sine, so that crossfades keep constant power."""
    if start >= clip.fade_in and start + count <= clip.count - clip.fade_out:
        return gain
    at = np.arange(start, start + count)
    rising = (at + 1) / (clip.fade_in + 1) if clip.fade_in else np.ones(count)
    falling = (clip.count - at) / (clip.fade_out + 1) if clip.fade_out else np.ones(count)
    return (gain * np.sin(np.pi / 2 * np.clip(rising, 0, 1)) * np.sin(np.pi / 2 * np.clip(falling, 0, 1))).astype(np.float32)
