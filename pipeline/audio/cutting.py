"""Cut a master and its profile: what is left, copied sample by sample, with a crossfade at each join. Positions are in samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.audio import ffmpeg
from pipeline.audio.cut_points import CutPoint, crossfade
from pipeline.audio.level_profile import BLOCKS_PER_S, MOMENTARY_PER_S, Float32Array, LevelProfile
from pipeline.model import CauserieError

QUIET_LU = 15.0
_SKIP_FRAMES = 1 << 16


class ForwardReader:
    """Reads the frames of a decoder from front to back; what lies between two ranges is skipped."""

    def __init__(self, decoder: ffmpeg.FFmpegProcess, channels: int) -> None:
        self._decoder, self._channels, self._at = decoder, channels, 0

    def take(self, first: int, end: int) -> Float32Array:
        """The frames from `first` to `end`. Raises `CauserieError` when the file ends before."""
        while self._at < first:
            self._read(min(first - self._at, _SKIP_FRAMES))
        return self._read(end - first)

    def blocks(self, first: int, end: int, size: int) -> Iterator[Float32Array]:
        """The frames from `first` to `end`, at most `size` at a time."""
        for at in range(first, end, size):
            yield self.take(at, min(at + size, end))

    def _read(self, count: int) -> Float32Array:
        frames = np.frombuffer(self._decoder.read(count * self._channels * 4), np.float32).reshape(-1, self._channels)
        if len(frames) < count:
            raise CauserieError("ends earlier than when it was analysed", "master.flac", "delete .causerie and build again")
        self._at += count
        return frames


class WindowReader:
    """Reads short ranges of a master, anywhere."""

    def __init__(self, master: Path, rate_hz: int, channels: int) -> None:
        self._master, self._rate_hz, self._channels = master, rate_hz, channels

    def __call__(self, first: int, end: int) -> Float32Array:
        """The frames from `first` to `end`."""
        from_s, size, data = first // self._rate_hz, self._channels * 4, bytearray()
        seek = ("-ss", str(from_s), "-t", str(-(-end // self._rate_hz) - from_s))  # whole seconds: exact
        ffmpeg.read_output((*seek, *decode_arguments(self._master)), data.extend)
        start = (first - from_s * self._rate_hz) * size
        return np.frombuffer(bytes(data[start : start + (end - first) * size]), np.float32).reshape(-1, self._channels)


def decode_arguments(master: Path) -> list[str]:
    """FFmpeg's arguments that decode a master to float samples, which hold its 24 bits exactly."""
    return [*ffmpeg.input_arguments(master), "-map", "0:a:0", "-f", "f32le", "pipe:1"]


def cut_frames(stream: ForwardReader, points: Sequence[CutPoint], samples: int, block: int) -> Iterator[Float32Array]:
    """Yield the frames that are left, at most `block` at a time: copies of the master's, and a crossfade at each join.

    The crossfade lies half before and half after the join; where the programme now begins or ends, it is a fade.
    """
    at = 0
    for point in points:
        before, after, fade = _faded_ranges(point, samples)
        yield from stream.blocks(at, before, block)
        left = stream.take(before, before + fade) if point.first > 0 else None
        right = stream.take(after, after + fade) if point.end < samples else None
        if left is not None or right is not None:
            silence = np.zeros_like(right if left is None else left)
            yield crossfade(silence if left is None else left, silence if right is None else right)
        at = after + fade
    yield from stream.blocks(at, samples, block)


def _faded_ranges(point: CutPoint, samples: int) -> tuple[int, int, int]:
    """Where the two sounds of a crossfade start, and how long they are."""
    half, opens, closes = point.half_fade, point.first == 0, point.end == samples
    if opens or closes:
        return max(0, point.first - 2 * half), point.end, 2 * half
    return point.first - half, point.end - half, 2 * half


def with_true_peaks(edited: LevelProfile, profile: LevelProfile, points: Sequence[CutPoint]) -> LevelProfile:
    """The profile of the edited master, with the true peaks of `profile`, the master's, which copied samples keep.

    A block lies in two of the master's: it has the higher peak of both, which is at most too high by what the next 5 ms hold. Measuring
    them again would take a third of the time of the whole step.
    """
    edges = (_values_at(profile.peaks, BLOCKS_PER_S, share, profile.rate_hz, points, edited.samples) for share in (0.0, 0.999))
    return replace(edited, peaks=np.maximum.reduce([edited.peaks, *edges]))


def cut_profile(profile: LevelProfile, points: Sequence[CutPoint], samples: int) -> LevelProfile:
    """The profile of what is left, to the block: each block of it is the one of `profile` that its middle comes from."""

    def left(values: Float32Array, per_s: int) -> Float32Array:
        return _values_at(values, per_s, 0.5, profile.rate_hz, points, samples)

    momentary_lufs = left(profile.momentary_lufs, MOMENTARY_PER_S)[: samples * MOMENTARY_PER_S // profile.rate_hz]  # whole windows only
    powers, peaks = left(profile.powers, BLOCKS_PER_S), left(profile.peaks, BLOCKS_PER_S)
    return replace(profile, samples=samples, powers=powers, peaks=peaks, momentary_lufs=momentary_lufs)


def is_in_sound(point: CutPoint, profile: LevelProfile) -> bool:
    """Whether a cut is made where the sound does not fall: at one of its ends, 10 ms of it are not `QUIET_LU` below the programme.

    A word's end that the recogniser has wrong by more than the search is wide gives such a cut: somebody has to listen.
    """

    def level_db(sample: int) -> float:
        block = sample * BLOCKS_PER_S // profile.rate_hz
        return float(10 * np.log10(profile.powers[max(0, block - 1) : block + 1].mean() + 1e-20))

    ends = [sample for sample in (point.first, point.end) if 0 < sample < profile.samples]
    return any(level_db(sample) > profile.integrated_lufs - QUIET_LU for sample in ends)


def _values_at(values: Float32Array, per_s: int, share: float, rate_hz: int, points: Sequence[CutPoint], samples: int) -> Float32Array:
    """For each of `per_s` blocks a second of what is left, the value of the master where `share` of the block has passed."""
    places = (np.arange(-(-samples * per_s // rate_hz)) + share) * rate_hz / per_s
    for point in points:  # in order: what was cut before it is put back already
        places = places + np.where(places >= point.first, point.end - point.first, 0)
    found: Float32Array = values[np.minimum((places * per_s / rate_hz + 1e-6).astype(int), len(values) - 1)]
    return found
