"""The reference level of each track of a conversation, to decide whose microphone a voice belongs to. Profiles in, no files.

A voice is louder on its own track than on the others. The level difference between two tracks therefore clusters around two values, one
per speaker. Their midpoint separates the speakers, however loud each one is and however much of each voice reaches the other microphone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.level_profile import HOPS_PER_S
from pipeline.audio.speech_detection import Float64Array, HopMask

LOUD_PERCENTILE = 95  # percentile of a track's active levels: its own voice, which is mostly louder there than any other
MIN_SEPARATION_DB = 6.0  # between the two clusters; less means one speaker, or two at the same distance from both microphones
MAX_SHARE_BETWEEN = 0.3  # at most this share of the hops may lie in the middle third between the clusters
MIN_HOPS = HOPS_PER_S  # one second in each cluster
_ITERATIONS = 3
_PRIOR_WEIGHT = 1e-3  # weight of the initial estimate relative to the measured offsets


def reference_levels_db(levels_db: Float64Array, active: HopMask) -> Float64Array:
    """Estimate the reference level of each track, dB. `levels_db` and `active` have one row per track and one column per hop.

    The track that is furthest above its reference holds the voice. For tracks whose levels show no two clusters, the reference is the
    level of their loud moments.
    """
    active_levels_db = [level[is_active] for level, is_active in zip(levels_db, active, strict=True)]
    estimate_db = initial_db = np.array([np.percentile(each, LOUD_PERCENTILE) if each.size else 0.0 for each in active_levels_db])
    for _ in range(_ITERATIONS):
        loudest = np.argmax(np.where(active, levels_db - estimate_db[:, None], -np.inf), axis=0)
        estimate_db = _least_squares_levels(initial_db, _pairwise_offsets(levels_db, active, loudest))
    return estimate_db


def _pairwise_offsets(levels_db: Float64Array, active: HopMask, loudest: NDArray[np.int64]) -> list[tuple[int, int, float]]:
    """Pairs of tracks with the level offset (first minus second, dB) that separates their two speakers."""
    pairs = []
    for first in range(len(levels_db)):
        for second in range(first + 1, len(levels_db)):
            both = active[first] & active[second] & ((loudest == first) | (loudest == second))  # exclude a third speaker picked up by both
            if (offset_db := cluster_midpoint_db(levels_db[first][both] - levels_db[second][both])) is not None:
                pairs.append((first, second, offset_db))
    return pairs


def cluster_midpoint_db(differences_db: Float64Array) -> float | None:
    """Return the midpoint of the two clusters of `differences_db`; None when there are no two clusters."""
    if len(differences_db) < 2 * MIN_HOPS:
        return None
    low, high = (float(each) for each in np.percentile(differences_db, (1, 99)))
    for _ in range(20):
        upper = differences_db > (low + high) / 2
        if min(upper.sum(), (~upper).sum()) < MIN_HOPS:
            return None
        low, high = float(np.median(differences_db[~upper])), float(np.median(differences_db[upper]))
    third = (high - low) / 3
    share_between = np.mean((differences_db > low + third) & (differences_db < high - third))
    return (low + high) / 2 if high - low >= MIN_SEPARATION_DB and share_between <= MAX_SHARE_BETWEEN else None


def _least_squares_levels(first: Float64Array, pairs: list[tuple[int, int, float]]) -> Float64Array:
    """Return levels whose differences match the pairs in the least-squares sense, and stay close to the initial estimate."""
    rows, targets = [np.eye(len(first)) * _PRIOR_WEIGHT], [first * _PRIOR_WEIGHT]
    for track, other_track, between in pairs:
        row = np.zeros((1, len(first)))
        row[0, track], row[0, other_track] = 1, -1
        rows.append(row)
        targets.append(np.array([between]))
    return np.linalg.lstsq(np.concatenate(rows), np.concatenate(targets), rcond=None)[0]
