"""A look-ahead limiter: one gain for a whole programme, and short gain reductions where a peak would exceed the limit.

Everything is computed from a profile before any sample is processed, including the resulting loudness, so the gain compensates for what
the limiter removes. Gains are linear, one at each block edge of the profile (`BLOCKS_PER_S`), interpolated linearly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.audio.level_profile import BLOCKS_PER_S, MOMENTARY_PER_S, Float32Array, LevelProfile, block_edges, integrated_lufs

LOOKAHEAD_BLOCKS = 4  # blocks: a reduction begins 20 ms before its peak and ends 20 ms after it, too short to be heard as pumping
MAX_MAKEUP_DB = 12.0  # most gain added to compensate for limiting: beyond it the audio sounds unnatural
_BISECTION_STEPS = 10  # of bisection: from 12 dB to 0.012 dB
_WINDOW = np.hanning(2 * LOOKAHEAD_BLOCKS + 3)[1:-1] / np.hanning(2 * LOOKAHEAD_BLOCKS + 3).sum()
REDUCTION_MARGIN_DB = 0.3  # extra reduction: encoding again overshoots differently


@dataclass(frozen=True)
class LimiterSettings:
    """The gain and limit applied to a master before encoding."""

    gain_db: float
    limit_dbtp: float
    reductions: tuple[tuple[int, float], ...] = ()  # (block, dB): lower limits where the encoder overshot


def solve_gain(
    profile: LevelProfile, target_lufs: float, limit_dbtp: float, reductions: tuple[tuple[int, float], ...] = ()
) -> LimiterSettings:
    """Return the settings whose predicted loudness is `target_lufs`, or as close as `MAX_MAKEUP_DB` allows."""
    plain_gain_db = round(target_lufs - profile.integrated_lufs, 3)  # rounded as in the report
    low_db, high_db = plain_gain_db, plain_gain_db + MAX_MAKEUP_DB
    if not gain_reduction_db(profile, LimiterSettings(plain_gain_db, limit_dbtp, reductions)).any():
        return LimiterSettings(plain_gain_db, limit_dbtp, reductions)
    for _ in range(_BISECTION_STEPS):
        middle_db = (low_db + high_db) / 2
        under = predicted_lufs(profile, LimiterSettings(middle_db, limit_dbtp, reductions)) < target_lufs
        low_db, high_db = (middle_db, high_db) if under else (low_db, middle_db)
    return LimiterSettings(round((low_db + high_db) / 2, 3), limit_dbtp, reductions)


def gain_reduction_db(profile: LevelProfile, settings: LimiterSettings) -> Float32Array:
    """Return the gain reduction at each block edge, dB, 0 or less; there is one more edge than there are blocks.

    A sliding minimum, smoothed by a window no longer than the look-ahead, so the smoothed curve never exceeds the required one.
    """
    limits_db = np.full(len(profile.peaks), settings.limit_dbtp - settings.gain_db, np.float32)
    for block, down_db in settings.reductions:
        limits_db[block] -= down_db
    needed = np.minimum(limits_db - 20 * np.log10(np.maximum(profile.peaks, 1e-6)), 0)
    if not needed.any():
        return np.zeros(len(needed) + 1, np.float32)
    padded = np.pad(needed, 2 * LOOKAHEAD_BLOCKS + 1)  # an edge lies between two blocks, and both are within its reach
    count = len(needed) + 1 + 2 * LOOKAHEAD_BLOCKS
    lowest = padded[:count].copy()
    for later in range(1, 2 * LOOKAHEAD_BLOCKS + 2):
        np.minimum(lowest, padded[later : later + count], out=lowest)
    return np.convolve(lowest, _WINDOW.astype(np.float32), mode="valid")


def limiter_gains(profile: LevelProfile, settings: LimiterSettings) -> Float32Array:
    """Return the total gain at each block edge, linear."""
    return np.power(10.0, (gain_reduction_db(profile, settings) + np.float32(settings.gain_db)) / 20).astype(np.float32)


def predicted_lufs(profile: LevelProfile, settings: LimiterSettings) -> float:
    """Predict the integrated loudness after limiting, LUFS, from the power lost in each 400 ms window."""
    edges = np.power(10.0, gain_reduction_db(profile, settings) / 20)
    power_factors = (edges[:-1] ** 2 + edges[:-1] * edges[1:] + edges[1:] ** 2) / 3  # the mean square of a linear ramp
    powers = np.maximum(profile.powers, 1e-12)
    steps = np.arange(0, len(powers), BLOCKS_PER_S // MOMENTARY_PER_S)
    cumulative_before, cumulative_after = (
        np.concatenate([[0.0], np.cumsum(np.add.reduceat(each, steps), dtype=float)]) for each in (powers, powers * power_factors)
    )
    ends = np.minimum(np.arange(1, len(profile.momentary_lufs) + 1), len(steps))
    starts = np.maximum(ends - 4, 0)
    shares = (cumulative_after[ends] - cumulative_after[starts]) / np.maximum(cumulative_before[ends] - cumulative_before[starts], 1e-12)
    return integrated_lufs(profile.momentary_lufs + settings.gain_db + 10 * np.log10(np.maximum(shares, 1e-6)))


def with_lower_limits(
    profile: LevelProfile, settings: LimiterSettings, encoded_peaks: Float32Array, ceiling_dbtp: float
) -> LimiterSettings:
    """Lower the limit wherever the `encoded_peaks` peaks exceed the ceiling, by the excess plus `REDUCTION_MARGIN_DB`."""
    over_db = 20 * np.log10(np.maximum(encoded_peaks[: len(profile.peaks)], 1e-6)) - ceiling_dbtp
    levelled_dbtp = 20 * np.log10(np.maximum(profile.peaks, 1e-6)) + settings.gain_db
    reductions = dict(settings.reductions)
    for peak_block in np.flatnonzero(over_db > 0).tolist():
        for block in range(
            max(0, peak_block - 1), min(len(levelled_dbtp), peak_block + 2)
        ):  # the encoder spreads peaks to neighbouring blocks
            room_db = settings.limit_dbtp - float(levelled_dbtp[block])
            before_db = max(dict(settings.reductions).get(block, 0.0), room_db)
            reductions[block] = round(max(reductions.get(block, 0.0), before_db + float(over_db[peak_block]) + REDUCTION_MARGIN_DB), 3)
    return replace(settings, reductions=tuple(sorted(reductions.items())))


def limiting_s(profile: LevelProfile, settings: LimiterSettings) -> float:
    """Return how long the limiter is active, seconds."""
    return float(np.count_nonzero(gain_reduction_db(profile, settings) < 0) / BLOCKS_PER_S)


def apply_gains(frames: Float32Array, first_sample: int, edges: Float32Array, rate_hz: int) -> Float32Array:
    """Apply the gains at block `edges` to frames (shape: samples, channels); `first_sample` is the sample number of the first frame."""
    seconds = np.arange(first_sample // rate_hz, (first_sample + len(frames)) // rate_hz + 2)
    samples = (seconds[:, None] * rate_hz + block_edges(rate_hz)).reshape(-1)
    start = int(seconds[0]) * BLOCKS_PER_S
    block_gains = edges[np.minimum(np.arange(start, start + len(samples)), len(edges) - 1)]
    if np.ptp(block_gains) == 0:
        return frames * np.float32(block_gains[0])
    factors: Float32Array = np.interp(np.arange(first_sample, first_sample + len(frames)), samples, block_gains).astype(np.float32)
    louder: Float32Array = frames * factors[:, None]
    return louder
