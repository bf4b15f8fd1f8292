"""A programme as clips on a timeline: the range used of each file, its position, and its gain. Positions are in samples; no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.level_profile import BLOCKS_PER_S, HOPS_PER_S, MOMENTARY_PER_S, SILENCE_DB, Float32Array, LevelProfile, hop_sample

CUT_FADE_S = 0.005  # fade at a cut in the middle of sound, which would click; short enough not to be noticed
_T = TypeVar("_T", bound=np.generic)
LOOP_OVERLAP_S = 1.0  # of a looped bed with itself


@dataclass(frozen=True, eq=False)
class ClipSource:
    """An analysed file: how to decode it, its profile, and its levelling gains."""

    path: Path
    stream: int  # from 0
    filters: tuple[str, ...]  # from decoder output to float samples at the programme's rate and channels
    profile: LevelProfile
    gain_db: float = 0.0
    gain_curve_db: Float32Array | None = None  # added to `gain_db`, at each hop edge of this file


@dataclass(frozen=True, eq=False)
class Clip:
    """A range of a source placed on the timeline. Positions are samples at the programme's rate."""

    source: ClipSource
    source_start: int  # in the source
    count: int
    start: int  # in the programme
    fade_in: int = 0
    fade_out: int = 0
    gain_curve_db: Float32Array | None = None  # at the programme's hop edges: ducking of a bed

    @property
    def end(self) -> int:
        """The sample after its last one, in the programme."""
        return self.start + self.count


@dataclass(frozen=True)
class UnplacedPart:
    """A part of the programme without a position yet: the range of its sources, and its transition from the previous part."""

    sources: tuple[ClipSource, ...]  # several tracks play together
    source_start: int
    count: int
    gap: int = 0
    crossfade: int = 0
    fade_in: int = 0
    fade_out: int = 0
    cuts_sound: tuple[bool, bool] = (False, False)  # whether its start, and its end, is in the middle of sound
    gain_db: float = 0.0


def place_parts(unplaced: Sequence[UnplacedPart], rate_hz: int) -> list[tuple[Clip, ...]]:
    """Place parts one after the other and return the clips of each. Each starts on a hop, so that levels need no resampling.

    A crossfade is limited to half of the shorter of the two parts.
    """
    parts: list[tuple[Clip, ...]] = []
    end, previous = 0, None
    for stretch in unplaced:
        overlap = min(stretch.crossfade, stretch.count // 2, previous.count // 2) if previous else 0
        at = _next_hop_sample(end + stretch.gap - overlap, rate_hz)
        overlap = max(0, end - at)
        if parts and overlap:
            parts[-1] = tuple(replace(clip, fade_out=max(clip.fade_out, overlap)) for clip in parts[-1])
        edge = round(CUT_FADE_S * rate_hz)
        fades = (max(stretch.fade_in, overlap, edge * stretch.cuts_sound[0]), max(stretch.fade_out, edge * stretch.cuts_sound[1]))
        parts.append(tuple(_place_clip(source, stretch, at, fades) for source in stretch.sources))
        end, previous = at + stretch.count, stretch
    return parts


def loop_bed(
    bed: ClipSource, start: int, count: int, fades: tuple[int, int], gain_curve_db: Float32Array, rate_hz: int
) -> tuple[Clip, ...]:
    """Place a bed from `start` on for `count` samples; a shorter bed is looped, crossfading with its own end."""
    length = bed.profile.samples
    overlap = min(round(LOOP_OVERLAP_S * rate_hz), length // 4)
    clips, position = [], 0
    while position < count:
        size = min(length, count - position)
        loop_overlap = overlap if size == length and position + length < count else 0
        fade_in, fade_out = overlap if position else fades[0], loop_overlap or fades[1]
        clips.append(Clip(bed, 0, size, start + position, min(fade_in, size // 2), min(fade_out, size // 2), gain_curve_db))
        position += size - loop_overlap
        if not loop_overlap:
            break
    return tuple(clips)


def clip_gains(clip: Clip, start: int, count: int, rate_hz: int, gain_db: float = 0.0) -> Float32Array | float:
    """Return the linear gain of `count` samples of a clip from its own sample `start` on; a float where it is constant."""
    level_db = clip.source.gain_db + gain_db
    curves = [(clip.source.gain_curve_db, clip.source_start + start), (clip.gain_curve_db, clip.start + start)]
    gain: Float32Array | float = 10 ** (level_db / 20)
    for moves_db, sample in curves:
        if moves_db is not None:
            gain = gain * _interpolated_gain(moves_db, sample, count, rate_hz)
    return _with_fades(clip, start, count, gain)


def programme_levels_db(clips: Iterable[Clip], hops: int, rate_hz: int) -> Float32Array:
    """Return the level of clips along the programme before any gain, dB per hop; `SILENCE_DB` where there is no clip."""
    levels = np.full(hops, SILENCE_DB, np.float32)
    for clip in clips:
        overlay(levels, clip.source.profile.levels_db, clip, HOPS_PER_S, rate_hz, np.maximum)
    return levels


def unprocessed_profile(clips: Iterable[Clip], samples: int, rate_hz: int) -> LevelProfile:
    """Return the profile of the programme without any gain applied: the sum of the profiles of its clips."""
    powers, peaks, energy = (np.zeros(-(-samples * each // rate_hz), np.float32) for each in (BLOCKS_PER_S, BLOCKS_PER_S, MOMENTARY_PER_S))
    for clip in clips:
        profile = clip.source.profile
        overlay(powers, profile.powers, clip, BLOCKS_PER_S, rate_hz, np.add)
        overlay(peaks, profile.peaks, clip, BLOCKS_PER_S, rate_hz, np.maximum)
        overlay(energy, np.power(10, profile.momentary_lufs / 10), clip, MOMENTARY_PER_S, rate_hz, np.add)
    return LevelProfile(
        rate_hz, samples, powers, peaks, np.maximum(10 * np.log10(np.maximum(energy, 1e-12)), SILENCE_DB).astype(np.float32)
    )


def peak_bound(clips: Sequence[Clip], samples: int, rate_hz: int) -> float:
    """Return an upper bound for the highest sample of the mix, 1.0 is full scale: the highest sum of clip peaks per 5 ms block."""
    sums = np.zeros(-(-samples * BLOCKS_PER_S // rate_hz) + 1, np.float32)
    for clip in clips:
        peaks = clip.source.profile.peaks * np.float32(10 ** (clip.source.gain_db / 20))
        if clip.source.gain_curve_db is not None:
            highest = np.maximum(clip.source.gain_curve_db[:-1], clip.source.gain_curve_db[1:])
            hops = np.minimum(np.arange(len(peaks)) * HOPS_PER_S // BLOCKS_PER_S, len(highest) - 1)
            peaks = peaks * np.power(10, highest[hops] / 20)
        widened = np.maximum(peaks, np.concatenate([peaks[1:], [0]]))  # a clip need not start on a block edge of the programme
        overlay(sums, widened, clip, BLOCKS_PER_S, rate_hz, np.add)
    return float(sums.max(initial=0.0))


def overlay(line: NDArray[_T], values: NDArray[_T], clip: Clip, per_s: int, rate_hz: int, combine: np.ufunc) -> None:
    """Combine a clip's range of `values` (`per_s` per second of its source) into `line`, which runs along the programme."""
    first, at, count = (round(each * per_s / rate_hz) for each in (clip.source_start, clip.start, clip.count))
    values_used = values[first : first + min(count, max(0, len(line) - at))]
    target = slice(at, at + len(values_used))
    line[target] = combine(line[target], values_used)


def _place_clip(source: ClipSource, stretch: UnplacedPart, at: int, fades: tuple[int, int]) -> Clip:
    fade_in, fade_out = (min(fade, stretch.count // 2) for fade in fades)
    return Clip(replace(source, gain_db=source.gain_db + stretch.gain_db), stretch.source_start, stretch.count, at, fade_in, fade_out)


def _next_hop_sample(sample: int, rate_hz: int) -> int:
    """Return the start of the first hop that does not begin before a sample."""
    hop = -(-sample * HOPS_PER_S // rate_hz)
    return hop_sample(hop, rate_hz)


def _interpolated_gain(gain_curve_db: Float32Array, first: int, count: int, rate_hz: int) -> Float32Array | float:
    """Return the linear gain of `count` samples from sample `first` of the signal that `gain_curve_db` belongs to."""
    hop = rate_hz / HOPS_PER_S
    low, high = int(first / hop), int((first + count) / hop) + 2
    edges = np.power(10, gain_curve_db[low:high] / 20)
    if not len(edges):
        edges = np.power(10, gain_curve_db[-1:] / 20)
    if (edges == edges[0]).all():
        return float(edges[0])
    at = np.arange(first - low * hop, first - low * hop + count - 0.5, dtype=np.float64) / hop
    return np.interp(at, np.arange(len(edges)), edges).astype(np.float32)


def _with_fades(clip: Clip, start: int, count: int, gain: Float32Array | float) -> Float32Array | float:
    """Apply the clip's fades to a gain: a quarter sine, so that crossfades keep constant power."""
    if start >= clip.fade_in and start + count <= clip.count - clip.fade_out:
        return gain
    at = np.arange(start, start + count)
    rising = (at + 1) / (clip.fade_in + 1) if clip.fade_in else np.ones(count)
    falling = (clip.count - at) / (clip.fade_out + 1) if clip.fade_out else np.ones(count)
    return (gain * np.sin(np.pi / 2 * np.clip(rising, 0, 1)) * np.sin(np.pi / 2 * np.clip(falling, 0, 1))).astype(np.float32)
