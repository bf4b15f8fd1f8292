"""What follows from how loud recordings are: where silence ends, how tracks are balanced, how far music ducks. No files."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.profile import HOPS_PER_S, MOMENTS_PER_S, Floats, Profile, integrated_lufs

BALANCE_DB = 15.0  # the most a speaker is raised or lowered: beyond it, room noise comes up or something else is wrong
MARGIN_S = 0.3  # of silence kept around what is heard: breaths, and consonants that start softly
DUCK_AHEAD_S, DUCK_HOLD_S, DUCK_RAMP_S = 0.4, 0.9, 0.6  # music is down when a word begins, and does not come up between two


def threshold_db(profile: Profile) -> float:
    """The level above which a recording is heard: 6 dB over its own background, 30 to 45 dB under its own speech.

    Those bounds matter more than the background: with noise close to speech nothing is trimmed, and in a recording without any pause,
    whose quietest moments are speech or music, nothing that can be heard is taken for silence.
    """
    loudness_lufs = profile.integrated_lufs
    return min(max(floor_db(profile) + 6, loudness_lufs - 45), loudness_lufs - 30)


def floor_db(profile: Profile) -> float:
    """The background of a recording: the level it is above for 19 moments of 20, digital silence left out."""
    return float(np.percentile(profile.levels_db, 5))


def heard(profiles: Sequence[Profile]) -> tuple[int, int]:
    """The first hop where some track is heard, and the one after the last, margins included.

    A margin may reach below 0 or beyond the end: whoever cuts has to bound it.
    """
    loud = np.concatenate([np.flatnonzero(profile.levels_db > threshold_db(profile)) for profile in profiles])
    margin = math.ceil(MARGIN_S * HOPS_PER_S)
    return int(loud.min()) - margin, int(loud.max()) + 1 + margin


def balance_db(loudness_lufs: Sequence[float]) -> list[float]:
    """The gain that brings each speaker's track to the mean of all, at most `BALANCE_DB` each way; a single one is left alone.

    Integrated loudness is gated 10 LU below its own mean, which keeps pauses and the other speakers' spill out of the comparison.
    """
    mean = sum(loudness_lufs) / len(loudness_lufs)
    return [max(-BALANCE_DB, min(BALANCE_DB, mean - each)) for each in loudness_lufs]


def moved_lufs(profile: Profile, moves_db: Floats | None) -> float:
    """The loudness of a recording once its gain moves as `moves_db` says, one value at each edge of a hop."""
    if moves_db is None:
        return profile.integrated_lufs
    middles = (np.arange(len(profile.momentary_lufs)) - 1) / MOMENTS_PER_S * HOPS_PER_S  # of the 400 ms that end 200 ms later
    return integrated_lufs(profile.momentary_lufs + np.interp(middles, np.arange(len(moves_db)), moves_db).astype(np.float32))


def duck(talking: NDArray[np.bool_], depth_db: float) -> Floats:
    """The gain of music under voices, dB at each edge of a hop: down before a word, up again after the last of a passage."""
    before, after, ramp = (round(seconds * HOPS_PER_S) for seconds in (DUCK_AHEAD_S, DUCK_HOLD_S, DUCK_RAMP_S))
    covered = np.zeros(len(talking) + before + after + 2)
    covered[: len(talking)] = talking
    spread = np.convolve(covered, np.ones(before + after + 1))[before : before + len(talking) + 1] > 0.5
    padded = np.pad(spread.astype(float), ramp // 2, mode="edge")
    return (-depth_db * np.convolve(padded, np.ones(ramp) / ramp, mode="same")[ramp // 2 : ramp // 2 + len(talking) + 1]).astype(np.float32)
