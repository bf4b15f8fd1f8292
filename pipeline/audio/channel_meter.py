"""Measure channels: which hold a voice, which are dead or noise, whether two cancel each other. Frames in, findings out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.channels import ChannelFindings
from pipeline.audio.level_profile import HOPS_PER_S, Float32Array, power_to_db
from pipeline.audio.speech_detection import Float64Array
from pipeline.audio.track_references import cluster_midpoint_db

DEAD_DB = -75.0  # full scale: a channel that never exceeds it holds nothing
DEAD_BELOW_DB = 45.0  # below the loudest channel: what is left is its crosstalk, or the noise of an open input
STEADY_RANGE_DB, MOVING_RANGE_DB = 6.0, 12.0  # between the 10th and the 95th percentile of levels: noise or hum, and speech
OPPOSITE_CORRELATION = -0.05  # below it the mono fold of two channels is over 3 LU quieter than they are
UNRELATED_CORRELATION = 0.3  # above it two channels hold the same sound
SIDE_SEPARATION_DB = 10.0  # a voice on each side: it is this much louder there
ACTIVE_BELOW_DB = 25.0  # hops this much below the loud ones are pauses


class ChannelMeter:
    """Measures blocks of frames (shape: samples, channels), one after the other."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self.channels, self._hop = channels, rate_hz // HOPS_PER_S
        self._rest = np.zeros((0, channels), np.float32)
        self._powers: list[Float64Array] = []  # mean square of each channel, per hop
        self._products: list[float] = []  # of the first two channels, mean per hop

    def feed(self, frames: Float32Array) -> None:
        """Measure the next frames."""
        frames = np.concatenate([self._rest, frames])
        count = len(frames) // self._hop
        self._rest = frames[count * self._hop :].copy()
        hops = frames[: count * self._hop].reshape(count, self._hop, self.channels).astype(np.float64)
        self._powers.extend(np.mean(hops**2, axis=1))
        if self.channels > 1:
            self._products.extend(np.mean(hops[:, :, 0] * hops[:, :, 1], axis=1).tolist())

    def findings(self) -> ChannelFindings:
        """What all the frames say together."""
        if self.channels < 2 or not self._powers:
            return ChannelFindings(self.channels)
        powers = np.array(self._powers)
        levels_db = power_to_db(powers + 1e-12).astype(np.float64)
        loud_db, quiet_db = np.percentile(levels_db, 95, axis=0), np.percentile(levels_db, 10, axis=0)
        is_dead = (loud_db < DEAD_DB) | (loud_db < loud_db.max() - DEAD_BELOW_DB)
        if is_dead.all():
            return ChannelFindings(self.channels)
        if self.channels > 2:
            return ChannelFindings(self.channels, _numbers(is_dead))
        correlation = float(sum(self._products) / np.sqrt(np.prod(powers.sum(axis=0)) + 1e-20))
        span_db = loud_db - quiet_db
        is_noise = ~is_dead & (span_db < STEADY_RANGE_DB) & (span_db[::-1] > MOVING_RANGE_DB) & (abs(correlation) < UNRELATED_CORRELATION)
        is_pair = not is_dead.any() and not is_noise.any()
        return ChannelFindings(
            2,
            _numbers(is_dead),
            _numbers(is_noise),
            is_pair and correlation < OPPOSITE_CORRELATION,
            is_pair and abs(correlation) < UNRELATED_CORRELATION and _alternates(levels_db, loud_db),
        )


def _alternates(levels_db: Float64Array, loud_db: Float64Array) -> bool:
    """Whether one voice is on the left and another on the right: the difference of levels has two clusters, far apart, around 0."""
    is_active = (levels_db > loud_db - ACTIVE_BELOW_DB).any(axis=1)
    differences = levels_db[is_active, 0] - levels_db[is_active, 1] - (loud_db[0] - loud_db[1])
    if cluster_midpoint_db(differences) is None:
        return False
    low, high = np.percentile(differences, (15, 85))
    return bool(high > SIDE_SEPARATION_DB / 2 and low < -SIDE_SEPARATION_DB / 2)


def _numbers(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(each) for each in np.flatnonzero(mask))
