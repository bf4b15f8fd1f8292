"""The level profile of an audio signal over time, measured in one pass, and the figures computed from it.

All decisions about levels are made on profiles, which are small and held in memory; samples are only processed to apply them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # of what numpy's reducers return, an array or a number
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pipeline.model import CauserieError

HOPS_PER_S = 20  # levels and gains
HOP_S = 1 / HOPS_PER_S
BLOCKS_PER_S = 200  # peaks: a limiter needs their position
BLOCKS_PER_HOP = BLOCKS_PER_S // HOPS_PER_S
MOMENTARY_PER_S = 10  # momentary loudness: BS.1770 measures windows of 400 ms, 100 ms apart
SILENCE_DB = -120.0  # digital silence
MIN_DURATION_S = 0.4  # one gating block of BS.1770; loudness is undefined below it
ABSOLUTE_GATE_LUFS = -70.0  # the absolute gate of ITU-R BS.1770; loudness is undefined for what never exceeds it

Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class LevelProfile:
    """Levels of an audio signal from its first sample to its last."""

    rate_hz: int
    samples: int  # per channel
    powers: Float32Array  # mean square of all channels together, 1.0 is full scale; `BLOCKS_PER_S`
    peaks: Float32Array  # highest absolute sample of any channel; `BLOCKS_PER_S`
    momentary_lufs: Float32Array  # of the 400 ms that end there (ITU-R BS.1770-5), mono as on two loudspeakers; `MOMENTARY_PER_S`

    @property
    def duration_s(self) -> float:
        """Duration in seconds."""
        return self.samples / self.rate_hz

    @property
    def levels_db(self) -> Float32Array:
        """RMS level of each hop, dB full scale, `HOPS_PER_S`; digital silence is `SILENCE_DB`."""
        return power_to_db(reduce_groups(self.powers, BLOCKS_PER_HOP, np.mean))

    @property
    def integrated_lufs(self) -> float:
        """Integrated loudness (ITU-R BS.1770-5); minus infinity when nothing passes the gates."""
        return integrated_lufs(self.momentary_lufs)

    @property
    def peak(self) -> float:
        """Highest peak, 1.0 is full scale."""
        return float(self.peaks.max(initial=0.0))


class LevelMeter:
    """Measures powers and peaks of samples as they arrive, in constant time per second of audio."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self.samples = 0
        self.rate_hz, self.channels = rate_hz, channels
        self._powers: list[Float32Array] = []
        self._peaks: list[Float32Array] = []
        self._pending = np.zeros((0, channels), np.float32)

    def feed(self, frames: Float32Array) -> None:
        """Add float samples (shape: samples, channels). They are measured in whole seconds, so that block edges stay exact."""
        frames = np.concatenate([self._pending, frames]) if len(self._pending) else frames
        complete = len(frames) // self.rate_hz * self.rate_hz
        for first in range(0, complete, self.rate_hz):
            self._measure(frames[first : first + self.rate_hz])
        self._pending = frames[complete:].copy()

    def profile(self, momentary_lufs: Float32Array) -> LevelProfile:
        """Return the profile of everything fed; call it once, at the end."""
        if len(self._pending):
            self._measure(self._pending)
            self._pending = self._pending[:0]
        powers, peaks = (np.concatenate([np.zeros(0, np.float32), *each]) for each in (self._powers, self._peaks))
        return LevelProfile(self.rate_hz, self.samples, powers, peaks, momentary_lufs)

    def _measure(self, frames: Float32Array) -> None:
        edges = block_edges(self.rate_hz)
        starts = edges[edges < len(frames)]
        sizes = np.diff([*starts, len(frames)]).astype(np.float32) * self.channels
        flat, at = frames.reshape(-1), starts * self.channels
        self._powers.append((np.add.reduceat(flat * flat, at) / sizes).astype(np.float32))
        self._peaks.append(np.maximum.reduceat(np.abs(flat), at))
        self.samples += len(frames)


def block_edges(rate_hz: int) -> NDArray[np.int64]:
    """Return the first sample of each block within a second."""
    return rate_hz * np.arange(BLOCKS_PER_S, dtype=np.int64) // BLOCKS_PER_S


def hop_sample(hop: int, rate_hz: int) -> int:
    """Return the first sample of a hop."""
    return rate_hz * hop // HOPS_PER_S


def reduce_groups(values: Float32Array, size: int, reducer: Callable[..., Any]) -> Float32Array:
    """Reduce every `size` values with `reducer` (`np.mean`, `np.max`); the last group may be shorter."""
    complete = len(values) // size * size
    rest = [reducer(values[complete:])] if complete < len(values) else []
    folded: Float32Array = np.concatenate([reducer(values[:complete].reshape(-1, size), axis=1), rest]).astype(np.float32)
    return folded


def power_to_db(powers: NDArray[np.floating]) -> Float32Array:
    """Convert powers to dB, at least `SILENCE_DB`."""
    levels_db: Float32Array = np.maximum(10 * np.log10(np.maximum(powers, 1e-20)), SILENCE_DB).astype(np.float32)
    return levels_db


def integrated_lufs(momentary_lufs: Float32Array) -> float:
    """Compute integrated loudness from momentary loudness (BS.1770-5, annex 1: gates at −70 LUFS and 10 LU under the mean above it)."""
    complete = momentary_lufs[3:]  # the first three windows are shorter than 400 ms
    energy = np.power(10.0, complete[complete > ABSOLUTE_GATE_LUFS].astype(float) / 10)
    if not energy.size:
        return float("-inf")
    return float(10 * np.log10(energy[energy > energy.mean() / 10].mean()))


def short_term_lufs(momentary_lufs: Float32Array) -> Float32Array:
    """Compute short-term loudness, of the 3 s that end at each value (EBU Tech 3341), to 0.1 LU, from the 400 ms windows within."""
    energy = np.power(10.0, momentary_lufs.astype(float) / 10)
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    width = 3 * MOMENTARY_PER_S - 3  # the first window began 300 ms earlier
    last = np.arange(1, len(sums))
    first = np.maximum(last - width, 0)
    return power_to_db((sums[last] - sums[first]) / (last - first))


def loudness_range_lu(momentary_lufs: Float32Array) -> float:
    """Compute loudness range (EBU Tech 3342): 10th to 95th percentile above gates at −70 LUFS and 20 LU under the mean; 0 below 3 s."""
    levels = short_term_lufs(momentary_lufs)[3 * MOMENTARY_PER_S - 1 :]
    levels = levels[levels > ABSOLUTE_GATE_LUFS]
    if not levels.size:
        return 0.0
    gate = 10 * np.log10(np.power(10.0, levels.astype(float) / 10).mean()) - 20
    low, high = np.percentile(levels[levels > gate], (10, 95))
    return float(high - low)


def save_profiles(path: Path, **profiles: LevelProfile) -> None:
    """Write profiles by name to an `.npz` file; the same profiles give the same bytes."""
    arrays = {f"{name}.{key}": value for name, profile in profiles.items() for key, value in vars(profile).items()}
    with path.open("wb") as stream:
        np.savez(stream, **arrays)


def load_profile(path: Path, name: str) -> LevelProfile:
    """Load one profile of a file; raises `CauserieError` when it is damaged."""
    try:
        with np.load(path) as arrays:
            fields = {key.partition(".")[2]: arrays[key] for key in arrays.files if key.startswith(f"{name}.")}
    except (ValueError, OSError, EOFError, BadZipFile, zlib.error) as error:
        raise CauserieError(f"is damaged ({error})", str(path), "delete it and build again") from error
    return LevelProfile(int(fields["rate_hz"]), int(fields["samples"]), fields["powers"], fields["peaks"], fields["momentary_lufs"])
