"""A look-ahead limiter: one gain for a whole programme, and short gain reductions where a peak would exceed the limit.

Everything is computed from a profile before any sample is processed, including the resulting loudness, so the gain compensates for what
the limiter removes. Gains are linear, one at each block edge of the profile (`BLOCKS_PER_S`), interpolated linearly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.audio.profile import BLOCKS_PER_S, MOMENTS_PER_S, Floats, Profile, block_edges, integrated_lufs

REACH = 4  # blocks: a reduction begins 20 ms before its peak and ends 20 ms after it, too short to be heard as pumping
MOST_PUSH_DB = 12.0  # most gain added to compensate for limiting: beyond it the audio sounds unnatural
_STEPS = 10  # of bisection: from 12 dB to 0.012 dB
_WINDOW = np.hanning(2 * REACH + 3)[1:-1] / np.hanning(2 * REACH + 3).sum()
MEND_DB = 0.3  # extra reduction: encoding again overshoots differently


@dataclass(frozen=True)
class Level:
    """The gain and limit applied to a master before encoding."""

    gain_db: float
    limit_dbtp: float
    softer: tuple[tuple[int, float], ...] = ()  # (block, dB): lower limits where the encoder overshot


def fitting(profile: Profile, target_lufs: float, limit_dbtp: float, softer: tuple[tuple[int, float], ...] = ()) -> Level:
    """Return the settings whose predicted loudness is `target_lufs`, or as close as `MAX_MAKEUP_DB` allows."""
    plain_db = round(target_lufs - profile.integrated_lufs, 3)  # rounded as in the report
    low_db, high_db = plain_db, plain_db + MOST_PUSH_DB
    if not dips_db(profile, Level(plain_db, limit_dbtp, softer)).any():
        return Level(plain_db, limit_dbtp, softer)
    for _ in range(_STEPS):
        middle_db = (low_db + high_db) / 2
        under = predicted_lufs(profile, Level(middle_db, limit_dbtp, softer)) < target_lufs
        low_db, high_db = (middle_db, high_db) if under else (low_db, middle_db)
    return Level(round((low_db + high_db) / 2, 3), limit_dbtp, softer)


def dips_db(profile: Profile, level: Level) -> Floats:
    """Return the gain reduction at each block edge, dB, 0 or less; there is one more edge than there are blocks.

    A sliding minimum, smoothed by a window no longer than the look-ahead, so the smoothed curve never exceeds the required one.
    """
    limits_db = np.full(len(profile.peaks), level.limit_dbtp - level.gain_db, np.float32)
    for block, down_db in level.softer:
        limits_db[block] -= down_db
    needed = np.minimum(limits_db - 20 * np.log10(np.maximum(profile.peaks, 1e-6)), 0)
    if not needed.any():
        return np.zeros(len(needed) + 1, np.float32)
    padded = np.pad(needed, 2 * REACH + 1)  # an edge lies between two blocks, and both are within its reach
    count = len(needed) + 1 + 2 * REACH
    held = padded[:count].copy()
    for later in range(1, 2 * REACH + 2):
        np.minimum(held, padded[later : later + count], out=held)
    return np.convolve(held, _WINDOW.astype(np.float32), mode="valid")


def gains(profile: Profile, level: Level) -> Floats:
    """Return the total gain at each block edge, linear."""
    return np.power(10.0, (dips_db(profile, level) + np.float32(level.gain_db)) / 20).astype(np.float32)


def predicted_lufs(profile: Profile, level: Level) -> float:
    """Predict the integrated loudness after limiting, LUFS, from the power lost in each 400 ms window."""
    edges = np.power(10.0, dips_db(profile, level) / 20)
    kept = (edges[:-1] ** 2 + edges[:-1] * edges[1:] + edges[1:] ** 2) / 3  # the mean square of a linear ramp
    powers = np.maximum(profile.powers, 1e-12)
    steps = np.arange(0, len(powers), BLOCKS_PER_S // MOMENTS_PER_S)
    before, after = (np.concatenate([[0.0], np.cumsum(np.add.reduceat(each, steps), dtype=float)]) for each in (powers, powers * kept))
    ends = np.minimum(np.arange(1, len(profile.momentary_lufs) + 1), len(steps))
    starts = np.maximum(ends - 4, 0)
    shares = (after[ends] - after[starts]) / np.maximum(before[ends] - before[starts], 1e-12)
    return integrated_lufs(profile.momentary_lufs + level.gain_db + 10 * np.log10(np.maximum(shares, 1e-6)))


def softened(profile: Profile, level: Level, published: Floats, ceiling_dbtp: float) -> Level:
    """Lower the limit wherever the `published` peaks exceed the ceiling, by the excess plus `REDUCTION_MARGIN_DB`."""
    over_db = 20 * np.log10(np.maximum(published[: len(profile.peaks)], 1e-6)) - ceiling_dbtp
    reached_dbtp = 20 * np.log10(np.maximum(profile.peaks, 1e-6)) + level.gain_db
    softer = dict(level.softer)
    for over in np.flatnonzero(over_db > 0).tolist():
        for block in range(max(0, over - 1), min(len(reached_dbtp), over + 2)):  # the encoder spreads peaks to neighbouring blocks
            room_db = level.limit_dbtp - float(reached_dbtp[block])
            before_db = max(dict(level.softer).get(block, 0.0), room_db)
            softer[block] = round(max(softer.get(block, 0.0), before_db + float(over_db[over]) + MEND_DB), 3)
    return replace(level, softer=tuple(sorted(softer.items())))


def limited_s(profile: Profile, level: Level) -> float:
    """Return how long the limiter is active, seconds."""
    return float(np.count_nonzero(dips_db(profile, level) < 0) / BLOCKS_PER_S)


def apply(frames: Floats, first: int, edges: Floats, rate_hz: int) -> Floats:
    """Apply the gains at block `edges` to frames (shape: samples, channels); `first` is the sample number of the first frame."""
    seconds = np.arange(first // rate_hz, (first + len(frames)) // rate_hz + 2)
    samples = (seconds[:, None] * rate_hz + block_edges(rate_hz)).reshape(-1)
    start = int(seconds[0]) * BLOCKS_PER_S
    here = edges[np.minimum(np.arange(start, start + len(samples)), len(edges) - 1)]
    if np.ptp(here) == 0:
        return frames * np.float32(here[0])
    factors: Floats = np.interp(np.arange(first, first + len(frames)), samples, here).astype(np.float32)
    louder: Floats = frames * factors[:, None]
    return louder
