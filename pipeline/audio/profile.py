"""A sound, moment by moment: what one pass over its samples leaves behind, and the figures that follow from it.

All that is decided about levels is decided on profiles, which are small and have no files; samples are only touched to apply it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CauserieError

HOPS_PER_S = 20  # levels and gains
HOP_S = 1 / HOPS_PER_S
BLOCKS_PER_S = 200  # peaks: a limiter has to know where they are
BLOCKS_PER_HOP = BLOCKS_PER_S // HOPS_PER_S
MOMENTS_PER_S = 10  # loudness: BS.1770 measures 400 ms, each beginning 100 ms after the one before
FLOOR_DB = -120.0  # digital silence
SHORTEST_S = 0.4  # one block of BS.1770; there is no loudness below it
SILENT_LUFS = -70.0  # the absolute gate of ITU-R BS.1770: what never passes it has no loudness

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Profile:
    """How a sound is from its first sample to its last."""

    rate_hz: int
    samples: int  # per channel
    powers: Floats  # mean square of all channels together, 1.0 is full scale; `BLOCKS_PER_S`
    peaks: Floats  # highest absolute sample of any channel; `BLOCKS_PER_S`
    momentary_lufs: Floats  # loudness of the 400 ms that end then (ITU-R BS.1770-5), mono as heard on two loudspeakers; `MOMENTS_PER_S`

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.samples / self.rate_hz

    @property
    def levels_db(self) -> Floats:
        """RMS level, dB full scale, `HOPS_PER_S`; digital silence is `FLOOR_DB`."""
        return decibels(by(self.powers, BLOCKS_PER_HOP, np.mean))

    @property
    def integrated_lufs(self) -> float:
        """Its loudness; minus infinity when nothing passes the gates."""
        return integrated_lufs(self.momentary_lufs)

    @property
    def peak(self) -> float:
        """Its highest sample, 1.0 is full scale."""
        return float(self.peaks.max(initial=0.0))


class Profiler:
    """Takes samples as they come and keeps powers and peaks, in constant time a second of sound."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self.samples = 0
        self.rate_hz, self.channels = rate_hz, channels
        self._powers: list[Floats] = []
        self._peaks: list[Floats] = []
        self._rest = np.zeros((0, channels), np.float32)

    def feed(self, frames: Floats) -> None:
        """Take float samples, a row an instant, a column a channel; whole seconds are measured at once so that blocks stay exact."""
        frames = np.concatenate([self._rest, frames]) if len(self._rest) else frames
        whole = len(frames) // self.rate_hz * self.rate_hz
        for first in range(0, whole, self.rate_hz):
            self._measure(frames[first : first + self.rate_hz])
        self._rest = frames[whole:].copy()

    def profile(self, momentary_lufs: Floats) -> Profile:
        """What was heard, once everything was fed."""
        if len(self._rest):
            self._measure(self._rest)
            self._rest = self._rest[:0]
        powers, peaks = (np.concatenate([np.zeros(0, np.float32), *each]) for each in (self._powers, self._peaks))
        return Profile(self.rate_hz, self.samples, powers, peaks, momentary_lufs)

    def _measure(self, frames: Floats) -> None:
        edges = block_edges(self.rate_hz)
        starts = edges[edges < len(frames)]
        sizes = np.diff([*starts, len(frames)]).astype(np.float32) * self.channels
        flat, at = frames.reshape(-1), starts * self.channels
        self._powers.append(np.add.reduceat(flat * flat, at) / sizes)
        self._peaks.append(np.maximum.reduceat(np.abs(flat), at))
        self.samples += len(frames)


def block_edges(rate_hz: int) -> NDArray[np.int64]:
    """The first sample of each block of a second."""
    return rate_hz * np.arange(BLOCKS_PER_S, dtype=np.int64) // BLOCKS_PER_S


def hop_sample(hop: int, rate_hz: int) -> int:
    """The first sample of a hop."""
    return rate_hz * hop // HOPS_PER_S


def by(values: Floats, size: int, fold: Any) -> Floats:
    """`fold` (`np.mean`, `np.max`) of every `size` values, the last group as short as it is."""
    whole = len(values) // size * size
    rest = [fold(values[whole:])] if whole < len(values) else []
    return np.concatenate([fold(values[:whole].reshape(-1, size), axis=1), rest]).astype(np.float32)


def decibels(powers: Floats) -> Floats:
    """Powers in dB, none below `FLOOR_DB`."""
    return np.maximum(10 * np.log10(np.maximum(powers, 1e-20)), FLOOR_DB).astype(np.float32)


def integrated_lufs(momentary_lufs: Floats) -> float:
    """Integrated loudness from the loudness of each 400 ms (BS.1770-5, annex 1: gates at −70 LUFS and 10 LU under what passes it)."""
    complete = momentary_lufs[3:]  # the first three are of less than 400 ms
    energy = np.power(10.0, complete[complete > SILENT_LUFS].astype(float) / 10)
    if not energy.size:
        return float("-inf")
    return float(10 * np.log10(energy[energy > energy.mean() / 10].mean()))


def short_term_lufs(momentary_lufs: Floats) -> Floats:
    """Loudness of the 3 s that end at each moment (EBU Tech 3341), within a tenth, from the 400 ms ones that tile them."""
    energy = np.power(10.0, momentary_lufs.astype(float) / 10)
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    width = 3 * MOMENTS_PER_S - 3  # the first of them began 300 ms before it ended
    last = np.arange(1, len(sums))
    first = np.maximum(last - width, 0)
    return np.maximum(10 * np.log10(np.maximum((sums[last] - sums[first]) / (last - first), 1e-20)), FLOOR_DB).astype(np.float32)


def range_lu(momentary_lufs: Floats) -> float:
    """Loudness range (EBU Tech 3342): 10th to 95th percentile of what passes −70 LUFS and 20 LU under its mean; 0 under 3 s."""
    levels = short_term_lufs(momentary_lufs)[3 * MOMENTS_PER_S - 1 :]
    levels = levels[levels > SILENT_LUFS]
    if not levels.size:
        return 0.0
    gate = 10 * np.log10(np.power(10.0, levels.astype(float) / 10).mean()) - 20
    low, high = np.percentile(levels[levels > gate], (10, 95))
    return float(high - low)


def save(path: Path, **profiles: Profile) -> None:
    """Write profiles by name; the same profiles give the same bytes."""
    arrays = {f"{name}.{key}": value for name, profile in profiles.items() for key, value in vars(profile).items()}
    with path.open("wb") as stream:
        np.savez(stream, **arrays)


def load(path: Path, name: str) -> Profile:
    """One of the profiles of a file; `CauserieError` when it is damaged."""
    try:
        with np.load(path) as arrays:
            fields = {key.partition(".")[2]: arrays[key] for key in arrays.files if key.startswith(f"{name}.")}
    except (ValueError, OSError, EOFError, BadZipFile, zlib.error) as error:
        raise CauserieError(f"is damaged ({error})", str(path), "delete it, and build") from error
    return Profile(**{key: int(value) if value.ndim == 0 else value for key, value in fields.items()})
