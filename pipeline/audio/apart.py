"""The reference level of each track of a conversation, to decide whose microphone a voice belongs to. Profiles in, no files.

A voice is louder on its own track than on the others. The level difference between two tracks therefore clusters around two values, one
per speaker. Their midpoint separates the speakers, however loud each one is and however much of each voice reaches the other microphone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.profile import HOPS_PER_S
from pipeline.audio.voice import Doubles, Hops

LOUD_PERCENT = 95  # percentile of a track's active levels: its own voice, which is mostly louder there than any other
APART_DB = 6.0  # between the two clusters; less means one speaker, or two at the same distance from both microphones
BETWEEN_SHARE = 0.3  # at most this share of the hops may lie in the middle third between the clusters
LEAST_HOPS = HOPS_PER_S  # one second in each cluster
_ROUNDS = 3
_WEAK = 1e-3  # weight of the initial estimate relative to the measured offsets


def references(levels_db: Doubles, active: Hops) -> Doubles:
    """Estimate the reference level of each track, dB. `levels_db` and `active` have one row per track and one column per hop.

    The track that is furthest above its reference holds the voice. For tracks whose levels show no two clusters, the reference is the
    level of their loud moments.
    """
    heard = [level[here] for level, here in zip(levels_db, active, strict=True)]
    found = first = np.array([np.percentile(each, LOUD_PERCENT) if each.size else 0.0 for each in heard])
    for _ in range(_ROUNDS):
        loudest = np.argmax(np.where(active, levels_db - found[:, None], -np.inf), axis=0)
        found = _reconciled(first, _halfways(levels_db, active, loudest))
    return found


def _halfways(levels_db: Doubles, active: Hops, loudest: NDArray[np.int64]) -> list[tuple[int, int, float]]:
    """Pairs of tracks with the level offset (first minus second, dB) that separates their two speakers."""
    pairs = []
    for mine in range(len(levels_db)):
        for other in range(mine + 1, len(levels_db)):
            both = active[mine] & active[other] & ((loudest == mine) | (loudest == other))  # exclude a third speaker picked up by both
            if (between := halfway(levels_db[mine][both] - levels_db[other][both])) is not None:
                pairs.append((mine, other, between))
    return pairs


def halfway(differences_db: Doubles) -> float | None:
    """Return the midpoint of the two clusters of `differences_db`; None when there are no two clusters."""
    if len(differences_db) < 2 * LEAST_HOPS:
        return None
    low, high = (float(each) for each in np.percentile(differences_db, (1, 99)))
    for _ in range(20):
        upper = differences_db > (low + high) / 2
        if min(upper.sum(), (~upper).sum()) < LEAST_HOPS:
            return None
        low, high = float(np.median(differences_db[~upper])), float(np.median(differences_db[upper]))
    third = (high - low) / 3
    between = np.mean((differences_db > low + third) & (differences_db < high - third))
    return (low + high) / 2 if high - low >= APART_DB and between <= BETWEEN_SHARE else None


def _reconciled(first: Doubles, pairs: list[tuple[int, int, float]]) -> Doubles:
    """Return levels whose differences match the pairs in the least-squares sense, and stay close to the initial estimate."""
    rows, wanted = [np.eye(len(first)) * _WEAK], [first * _WEAK]
    for mine, other, between in pairs:
        row = np.zeros((1, len(first)))
        row[0, mine], row[0, other] = 1, -1
        rows.append(row)
        wanted.append(np.array([between]))
    return np.linalg.lstsq(np.concatenate(rows), np.concatenate(wanted), rcond=None)[0]
