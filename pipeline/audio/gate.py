"""Microphones of one conversation, each kept down while its own speaker is silent: profiles in, attenuations out, no files.

A voice is loud on its own track and comes to the others quieter, all else being the same. So a track is open where it is about as
loud, for what it can be, as any track that rises and falls with it. Noise of N open microphones is 10 log₁₀ N dB more than that of one
(4.8 dB for three); here one is open at any time, and N − 1 add what passes a closed gate, under 0.4 dB for three closed by 15 dB. When
nobody speaks, the last one stays open: the room must not fall silent between two answers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.audio.apart import LOUD_PERCENT, references
from pipeline.audio.profile import FLOOR_DB, HOPS_PER_S, Floats, Profile
from pipeline.audio.voice import Doubles, Hops, background_db, runs, talking

DEPTH_DB = {"off": 0.0, "gentle": 15.0, "strong": 25.0}  # not to nothing: a closed microphone is still in the room
AHEAD_HOPS = 4  # open 200 ms before the first word is noticed, because consonants are softer than the vowels they lead to
HOLD_HOPS = 6  # and 300 ms after the last
BREATH_HOPS = 10  # a gate that closes for half a second is heard, and helps nobody
OPEN_HOP_DB, CLOSE_HOP_DB = 7.5, 2.5  # opens in 100 to 150 ms, closes in 300 to 500 ms
SMOOTH_HOPS = 2  # levels are compared over 250 ms: rooms blur what spills
HEARD_DB = 20.0  # under that: laughter, an instrument, anything that is no speech and yet no noise
SPILL_DB = 6.0  # the most that what is a speaker's own stands under the same moment of another's track, if it is spill
OVER_SPILL_DB = 6.0  # above the usual spill: two who speak at once
APART_SHARE = 0.3  # of what is heard on two tracks: in a room, all but what they say at once
SPILL_LIKENESS = 0.6  # correlation of rises; strangers stay under 0.5, spill with some of one's own voice in it has 0.7
RISE_HOPS = 3
ENOUGH_HOPS = 2 * HOPS_PER_S  # of spill, to say that two tracks share a room


def gates(profiles: Sequence[Profile], strength: str = "gentle") -> list[Floats]:
    """How far to turn each track down, dB at its hop edges (0 is open), from all tracks of a conversation, which begin together.

    `strength` is "off", "gentle" or "strong". A track without speech of its own, and one that is alone, stay open.
    """
    lengths = [len(profile.levels_db) for profile in profiles]
    if len(profiles) < 2 or strength == "off":
        return [np.zeros(length + 1, np.float32) for length in lengths]
    levels, active = _levels(profiles), _filled([_active(profile) for profile in profiles], False)
    owned = _owned(levels - references(levels, active)[:, None], active)
    opened = _never_none(np.array([_held(own) for own in owned]))
    depth_db = DEPTH_DB[strength]
    return [
        _moves(opened[index, :length], depth_db) if owned[index].any() else np.zeros(length + 1, np.float32)
        for index, length in enumerate(lengths)
    ]


def references_db(profiles: Sequence[Profile]) -> list[float]:
    """The level above which each track is compared with the others, to say on whose a voice is: see `apart.references`."""
    return [float(each) for each in references(_levels(profiles), _filled([_active(profile) for profile in profiles], False))]


def _levels(profiles: Sequence[Profile]) -> Doubles:
    """Their levels, a row a track, smoothed; nothing after the end of the shorter ones."""
    return _filled([_smooth(profile.levels_db) for profile in profiles], FLOOR_DB)


def _active(profile: Profile) -> Hops:
    """Where a track with speech has something to say; nowhere on a track without."""
    spoken, levels_db = talking(profile), profile.levels_db
    if not spoken.any():
        return spoken
    heard_db = np.maximum(np.percentile(levels_db[spoken], LOUD_PERCENT) - HEARD_DB, background_db(levels_db) + OVER_SPILL_DB)
    return spoken | (levels_db > heard_db)


def _owned(levels: Doubles, active: Hops) -> Hops:
    """Where a track is active by its own speaker, a row a track; `levels` are relative to the loud moments of each track."""
    owned, loudest = active.copy(), np.argmax(levels, axis=0)
    for mine in range(len(levels)):
        for other in range(len(levels)):
            if mine != other:
                under = levels[mine] - levels[other]
                both = active[mine] & active[other] & ((loudest == mine) | (loudest == other))  # not what both hear of a third
                spill = both & (under < -SPILL_DB)
                apart = both & (np.abs(under) > SPILL_DB)
                if apart.sum() > APART_SHARE * both.sum() and _alike(levels[mine], levels[other], spill):
                    owned[mine] &= under > min(float(np.median(under[spill])) + OVER_SPILL_DB, -SPILL_DB)
    return owned


def _alike(mine: Doubles, other: Doubles, spill: Hops) -> bool:
    """Whether these hops of a track rise and fall as the other's do: their levels are alike already by how they were chosen."""
    both = spill[RISE_HOPS:] & spill[:-RISE_HOPS]
    if both.sum() < ENOUGH_HOPS:
        return False
    rises = [(each[RISE_HOPS:] - each[:-RISE_HOPS])[both] for each in (mine, other)]
    return bool(np.dot(*rises) > SPILL_LIKENESS * np.sqrt(np.dot(rises[0], rises[0]) * np.dot(rises[1], rises[1])))


def _held(own: Hops) -> Hops:
    """Open a little before and a little after, and through breaths."""
    marks = np.zeros(len(own) + 1, int)
    for first, end in runs(own):
        marks[max(0, first - AHEAD_HOPS)] += 1
        marks[min(len(own), end + HOLD_HOPS)] -= 1
    held = np.cumsum(marks[:-1]) > 0
    for first, end in runs(~held):
        if end - first <= BREATH_HOPS and first and end < len(held):
            held[first:end] = True
    return held


def _never_none(held: Hops) -> Hops:
    """The same, the last to close staying open until another opens."""
    some = held.any(axis=0)
    last = np.maximum.accumulate(np.where(some, np.arange(len(some)), -1))
    alone = np.flatnonzero(~some & (last >= 0))
    opened = held.copy()
    opened[np.argmax(held[:, last[alone]], axis=0), alone] = True
    return opened


def _moves(opened: Hops, depth_db: float) -> Floats:
    """The attenuation at hop edges: ramps lie where the gate is closed."""
    if not len(opened):
        return np.zeros(1, np.float32)
    edges = np.arange(len(opened) + 1)
    level = np.where(np.concatenate([opened[:1], opened]) | np.concatenate([opened, opened[-1:]]), 0.0, -depth_db)
    closing = np.maximum.accumulate(level + CLOSE_HOP_DB * edges) - CLOSE_HOP_DB * edges
    opening = np.maximum.accumulate((level - OPEN_HOP_DB * edges)[::-1])[::-1] + OPEN_HOP_DB * edges
    return np.maximum(closing, opening).astype(np.float32)


def _smooth(levels_db: Floats) -> Doubles:
    """Levels over `SMOOTH_HOPS` on each side, as powers."""
    powers, weights = np.power(10.0, levels_db.astype(float) / 10), np.ones(len(levels_db))
    window = np.ones(2 * SMOOTH_HOPS + 1)
    sums = [np.convolve(each, window)[SMOOTH_HOPS : SMOOTH_HOPS + len(each)] if len(each) else each for each in (powers, weights)]
    return 10 * np.log10(np.maximum(sums[0] / np.maximum(sums[1], 1), 1e-12))


def _filled(rows: Sequence[np.ndarray], value: float) -> np.ndarray:
    """Rows of unequal lengths as one table, `value` after their ends."""
    table = np.full((len(rows), max(len(row) for row in rows)), value, rows[0].dtype)
    for row, filled in zip(rows, table, strict=True):
        filled[: len(row)] = row
    return table
