"""Gains that follow from levels: trimming of silence, balance between tracks, ducking of music. No files are opened."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.level_profile import HOPS_PER_S, MOMENTARY_PER_S, Float32Array, LevelProfile, integrated_lufs

MAX_BALANCE_DB = 15.0  # a speaker is raised or lowered by this much at most: beyond it, room noise becomes audible
MARGIN_S = 0.3  # silence kept around the active range: breaths, and consonants that start softly
DUCK_LOOKAHEAD_S, DUCK_HOLD_S, DUCK_RAMP_S = 0.4, 0.9, 0.6  # music is down before a word begins, and stays down between words


def activity_threshold_db(profile: LevelProfile) -> float:
    """Return the level above which a recording counts as active, dB: 6 dB over its background, bounded to 30 to 45 dB under its speech.

    The bounds matter more than the background: with noise close to speech nothing is trimmed, and in a recording without pauses, whose
    quietest moments are speech or music, nothing audible is taken for silence.
    """
    loudness_lufs = profile.integrated_lufs
    return min(max(noise_floor_db(profile) + 6, loudness_lufs - 45), loudness_lufs - 30)


def noise_floor_db(profile: LevelProfile) -> float:
    """Return the background level of a recording, dB: the 5th percentile of its levels."""
    return float(np.percentile(profile.levels_db, 5))


def active_range(profiles: Sequence[LevelProfile]) -> tuple[int, int]:
    """Return the first hop where any track is active, and the one after the last, with margins.

    The margins may reach below 0 or beyond the end; callers must clamp them.
    """
    active_hops = np.concatenate([np.flatnonzero(profile.levels_db > activity_threshold_db(profile)) for profile in profiles])
    margin = math.ceil(MARGIN_S * HOPS_PER_S)
    return int(active_hops.min()) - margin, int(active_hops.max()) + 1 + margin


def balance_gains_db(loudness_lufs: Sequence[float]) -> list[float]:
    """Return the gain, dB, that brings each track to the mean loudness of all, limited to ±`MAX_BALANCE_DB`.

    Integrated loudness is gated 10 LU below its mean, which excludes pauses and the spill of other speakers.
    """
    mean = sum(loudness_lufs) / len(loudness_lufs)
    return [max(-MAX_BALANCE_DB, min(MAX_BALANCE_DB, mean - each)) for each in loudness_lufs]


def lufs_after_gain(profile: LevelProfile, gain_curve_db: Float32Array | None) -> float:
    """Return the loudness of a recording after a gain curve, LUFS.

    `gain_curve_db` holds one value per hop edge; None leaves the recording unchanged.
    """
    if gain_curve_db is None:
        return profile.integrated_lufs
    middles = (np.arange(len(profile.momentary_lufs)) - 1) / MOMENTARY_PER_S * HOPS_PER_S  # of each 400 ms window, which ends 200 ms later
    return integrated_lufs(profile.momentary_lufs + np.interp(middles, np.arange(len(gain_curve_db)), gain_curve_db).astype(np.float32))


def duck_curve_db(speech: NDArray[np.bool_], depth_db: float) -> Float32Array:
    """Return the gain of music under voices, dB at each hop edge: down before a word, up again after the last one."""
    lookahead, hold, ramp = (round(seconds * HOPS_PER_S) for seconds in (DUCK_LOOKAHEAD_S, DUCK_HOLD_S, DUCK_RAMP_S))
    covered = np.zeros(len(speech) + lookahead + hold + 2)
    covered[: len(speech)] = speech
    spread = np.convolve(covered, np.ones(lookahead + hold + 1))[lookahead : lookahead + len(speech) + 1] > 0.5
    padded = np.pad(spread.astype(float), ramp // 2, mode="edge")
    return (-depth_db * np.convolve(padded, np.ones(ramp) / ramp, mode="same")[ramp // 2 : ramp // 2 + len(speech) + 1]).astype(np.float32)
