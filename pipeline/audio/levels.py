"""How loud a recording is from one twentieth of a second to the next, and what follows: silence, balance, headroom. No files."""

from __future__ import annotations

import math
from collections.abc import Sequence

HOPS_PER_S = 20
HOP_S = 1 / HOPS_PER_S
FLOOR_DB = -120.0  # digital silence
SILENT_LUFS = -70.0  # the absolute gate of ITU-R BS.1770: what never passes it has no loudness
BALANCE_DB = 15.0  # the most a speaker is raised or lowered: beyond it, room noise comes up or something else is wrong
MARGIN_S = 0.3  # of silence kept around what is heard: breaths, and consonants that start softly


class LevelMeter:
    """RMS levels (dB full scale, all channels together) and sample peak of interleaved 32-bit float samples, in constant memory."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self.levels_db: list[float] = []
        self.samples = 0  # per channel
        self.peak = 0.0  # 1.0 is full scale
        self._rate_hz = rate_hz
        self._frame_bytes = 4 * channels
        self._rest = b""

    def feed(self, block: bytes) -> None:
        """Take some bytes; whole seconds are measured at once, so that hops are exact at any sample rate."""
        self._rest += block
        second = self._rate_hz * self._frame_bytes
        while len(self._rest) >= second:
            self._measure(self._rest[:second])
            self._rest = self._rest[second:]

    def finish(self) -> None:
        """Measure what is left, the last hop being as short as it is."""
        if self._rest:
            self._measure(self._rest)
            self._rest = b""

    def _measure(self, data: bytes) -> None:
        import numpy as np

        frames = np.frombuffer(data, dtype="<f4").reshape(-1, self._frame_bytes // 4)
        starts = [edge for edge in (hop_sample(i, self._rate_hz) for i in range(HOPS_PER_S)) if edge < len(frames)]
        power = np.add.reduceat(np.square(frames, dtype="f8").mean(axis=1), starts) / np.diff([*starts, len(frames)])
        self.levels_db += np.maximum(10 * np.log10(np.maximum(power, 1e-20)), FLOOR_DB).tolist()
        self.peak = max(self.peak, float(np.abs(frames).max()))
        self.samples += len(frames)


def hop_sample(hop: int, rate_hz: int) -> int:
    """The first sample of a hop."""
    return rate_hz * hop // HOPS_PER_S


def threshold_db(levels_db: Sequence[float], loudness_lufs: float) -> float:
    """The level above which a recording is heard: 6 dB over its own background, 30 to 45 dB under its own speech.

    Those bounds matter more than the background: with noise close to speech nothing is trimmed, and in a recording without any pause,
    whose quietest moments are speech or music, nothing that can be heard is taken for silence.
    """
    background_db = sorted(levels_db)[len(levels_db) // 20]
    return min(max(background_db + 6, loudness_lufs - 45), loudness_lufs - 30)


def heard(tracks: Sequence[tuple[Sequence[float], float]]) -> tuple[int, int]:
    """The first hop where some track (its levels, its threshold in dB) is heard, and the one after the last, margins included.

    A margin may reach below 0 or beyond the end: whoever cuts has to bound it.
    """
    loud = [i for levels_db, threshold in tracks for i, level_db in enumerate(levels_db) if level_db > threshold]
    margin = math.ceil(MARGIN_S * HOPS_PER_S)
    return min(loud) - margin, max(loud) + 1 + margin


def balance_db(loudness_lufs: Sequence[float]) -> list[float]:
    """The gain that brings each speaker's track to the mean of all, at most `BALANCE_DB` each way; a single one is left alone.

    Integrated loudness is gated 10 LU below its own mean, which keeps pauses and the other speakers' spill out of the comparison.
    """
    mean = sum(loudness_lufs) / len(loudness_lufs)
    return [max(-BALANCE_DB, min(BALANCE_DB, mean - each)) for each in loudness_lufs]


def headroom_db(peaks: Sequence[float], gains_db: Sequence[float]) -> float:
    """By how much to lower a sum so that it cannot clip even where all peaks meet: 0 or less, dB.

    A hundredth more than that, because gains are written with two decimals.
    """
    worst = sum(peak * 10 ** (gain_db / 20) for peak, gain_db in zip(peaks, gains_db, strict=True))
    return -20 * math.log10(worst) - 0.01 if worst > 1 else 0.0
