"""On whose microphone a voice is: how loud each track is for what it can be, from all tracks of a conversation. Profiles in, no files.

A voice is louder on its own track than on another by more than the other voice is: the difference between two tracks has two values, one
for each speaker, and what is half-way between them parts the two, however loud each speaks and however much reaches the other.
"""

from __future__ import annotations

import numpy as np

from pipeline.audio.profile import HOPS_PER_S
from pipeline.audio.voice import Doubles, Hops

LOUD_PERCENT = 95  # of what is heard on a track: its own voice, which is mostly louder there than any other
APART_DB = 6.0  # between the two values: less is one speaker, or two as far from both microphones
BETWEEN_SHARE = 0.3  # of the hops, at most, in the middle third between them
LEAST_HOPS = HOPS_PER_S  # a second of each
_ROUNDS = 3
_WEAK = 1e-3  # how much the first guess weighs beside what was found


def references(levels_db: Doubles, active: Hops) -> Doubles:
    """The level of each track at which it is as much its speaker's as another's is theirs, dB; a row a track, a column a hop.

    The track that is highest above its own holds the voice. Where two tracks never disagree, it is the level of their loud moments.
    """
    heard = [level[here] for level, here in zip(levels_db, active, strict=True)]
    found = first = np.array([np.percentile(each, LOUD_PERCENT) if each.size else 0.0 for each in heard])
    for _ in range(_ROUNDS):
        loudest = np.argmax(np.where(active, levels_db - found[:, None], -np.inf), axis=0)
        found = _reconciled(first, _halfways(levels_db, active, loudest))
    return found


def _halfways(levels_db: Doubles, active: Hops, loudest: np.ndarray) -> list[tuple[int, int, float]]:
    """Pairs of tracks, and how much the first is above the second where neither's speaker is told from the other's."""
    pairs = []
    for mine in range(len(levels_db)):
        for other in range(mine + 1, len(levels_db)):
            both = active[mine] & active[other] & ((loudest == mine) | (loudest == other))  # not what both hear of a third
            if (between := halfway(levels_db[mine][both] - levels_db[other][both])) is not None:
                pairs.append((mine, other, between))
    return pairs


def halfway(differences_db: Doubles) -> float | None:
    """What is half-way between the two values these gather around; None when they gather around one, or none."""
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
    """Levels whose differences are those of the pairs, as near as can be to the first guess otherwise."""
    rows, wanted = [np.eye(len(first)) * _WEAK], [first * _WEAK]
    for mine, other, between in pairs:
        row = np.zeros((1, len(first)))
        row[0, mine], row[0, other] = 1, -1
        rows.append(row)
        wanted.append(np.array([between]))
    return np.linalg.lstsq(np.concatenate(rows), np.concatenate(wanted), rcond=None)[0]
