"""Gains that follow from levels: trimming of silence, balance between tracks, ducking of music. No files are opened."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.profile import HOPS_PER_S, MOMENTS_PER_S, Floats, Profile, integrated_lufs

BALANCE_DB = 15.0  # a speaker is raised or lowered by this much at most: beyond it, room noise becomes audible
MARGIN_S = 0.3  # silence kept around the active range: breaths, and consonants that start softly
DUCK_AHEAD_S, DUCK_HOLD_S, DUCK_RAMP_S = 0.4, 0.9, 0.6  # music is down before a word begins, and stays down between words


def threshold_db(profile: Profile) -> float:
    """Return the level above which a recording counts as active, dB: 6 dB over its background, bounded to 30 to 45 dB under its speech.

    The bounds matter more than the background: with noise close to speech nothing is trimmed, and in a recording without pauses, whose
    quietest moments are speech or music, nothing audible is taken for silence.
    """
    loudness_lufs = profile.integrated_lufs
    return min(max(floor_db(profile) + 6, loudness_lufs - 45), loudness_lufs - 30)


def floor_db(profile: Profile) -> float:
    """Return the background level of a recording, dB: the 5th percentile of its levels."""
    return float(np.percentile(profile.levels_db, 5))


def heard(profiles: Sequence[Profile]) -> tuple[int, int]:
    """Return the first hop where any track is active, and the one after the last, with margins.

    The margins may reach below 0 or beyond the end; callers must clamp them.
    """
    loud = np.concatenate([np.flatnonzero(profile.levels_db > threshold_db(profile)) for profile in profiles])
    margin = math.ceil(MARGIN_S * HOPS_PER_S)
    return int(loud.min()) - margin, int(loud.max()) + 1 + margin


def balance_db(loudness_lufs: Sequence[float]) -> list[float]:
    """Return the gain, dB, that brings each track to the mean loudness of all, limited to ±`MAX_BALANCE_DB`.

    Integrated loudness is gated 10 LU below its mean, which excludes pauses and the spill of other speakers.
    """
    mean = sum(loudness_lufs) / len(loudness_lufs)
    return [max(-BALANCE_DB, min(BALANCE_DB, mean - each)) for each in loudness_lufs]


def moved_lufs(profile: Profile, moves_db: Floats | None) -> float:
    """Return the loudness of a recording after a gain curve, LUFS; `moves_db` holds one value per hop edge, None leaves it unchanged."""
    if moves_db is None:
        return profile.integrated_lufs
    middles = (np.arange(len(profile.momentary_lufs)) - 1) / MOMENTS_PER_S * HOPS_PER_S  # of each 400 ms window, which ends 200 ms later
    return integrated_lufs(profile.momentary_lufs + np.interp(middles, np.arange(len(moves_db)), moves_db).astype(np.float32))


def duck(talking: NDArray[np.bool_], depth_db: float) -> Floats:
    """Return the gain of music under voices, dB at each hop edge: down before a word, up again after the last one."""
    before, after, ramp = (round(seconds * HOPS_PER_S) for seconds in (DUCK_AHEAD_S, DUCK_HOLD_S, DUCK_RAMP_S))
    covered = np.zeros(len(talking) + before + after + 2)
    covered[: len(talking)] = talking
    spread = np.convolve(covered, np.ones(before + after + 1))[before : before + len(talking) + 1] > 0.5
    padded = np.pad(spread.astype(float), ramp // 2, mode="edge")
    return (-depth_db * np.convolve(padded, np.ones(ramp) / ramp, mode="same")[ramp // 2 : ramp // 2 + len(talking) + 1]).astype(np.float32)
