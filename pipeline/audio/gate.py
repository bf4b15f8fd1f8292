"""Noise gates for the microphones of one conversation: each is attenuated while its speaker is silent. Profiles in, gains out, no files.

A voice is loud on its own track and reaches the others more quietly. So a track is open where, relative to its reference level, it is
about as loud as any track that rises and falls with it. The noise of N open microphones is 10 log₁₀ N dB above that of one (4.8 dB for
three). Here one is open at any time, and the N − 1 closed ones add what passes a closed gate: under 0.4 dB for three closed by 15 dB.
When no one speaks, the last one stays open, so that the room does not fall silent between two answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.apart import LOUD_PERCENT, references
from pipeline.audio.profile import FLOOR_DB, HOPS_PER_S, Floats, Profile
from pipeline.audio.voice import Doubles, Hops, background_db, runs, talking

_T = TypeVar("_T", bound=np.generic)
DEPTH_DB = {"off": 0.0, "gentle": 15.0, "strong": 25.0}  # attenuation; not a full mute, which would be audible
AHEAD_HOPS = 4  # open 200 ms before the first detected word, because consonants are softer than the vowels they lead to
HOLD_HOPS = 6  # and stay open 300 ms after the last one
BREATH_HOPS = 10  # closing for half a second or less is audible and gains nothing
OPEN_HOP_DB, CLOSE_HOP_DB = 7.5, 2.5  # opens in 100 to 150 ms, closes in 300 to 500 ms
SMOOTH_HOPS = 2  # levels are compared over 250 ms: rooms blur what spills
HEARD_DB = 20.0  # below loud speech: laughter, an instrument, anything that is neither speech nor noise
SPILL_DB = 6.0  # a track further than this below another at the same moment may hold only spill
OVER_SPILL_DB = 6.0  # above the usual spill: two people speak at once
APART_SHARE = 0.3  # of what is active on both tracks: in one room, all but simultaneous speech
SPILL_LIKENESS = 0.6  # correlation of level changes; unrelated tracks stay below 0.5, spill mixed with one's own voice reaches 0.7
RISE_HOPS = 3
ENOUGH_HOPS = 2 * HOPS_PER_S  # of spill, to conclude that two tracks were recorded in one room


def gates(profiles: Sequence[Profile], strength: str = "gentle") -> list[Floats]:
    """Return the gain of each track, dB at its hop edges (0 is open), from all tracks of a conversation, which start together.

    `strength` is "off", "gentle" or "strong". A single track, and a track without speech of its own, stay open.
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
    """Return the reference level of each track, dB: see `track_references.reference_levels_db`."""
    return [float(each) for each in references(_levels(profiles), _filled([_active(profile) for profile in profiles], False))]


def _levels(profiles: Sequence[Profile]) -> Doubles:
    """Smoothed levels, dB, one row per track; `SILENCE_DB` after the end of the shorter ones."""
    return _filled([_smooth(profile.levels_db) for profile in profiles], FLOOR_DB)


def _active(profile: Profile) -> Hops:
    """Mark the hops where a track holds speech or other foreground sound; none when it holds no speech at all."""
    spoken, levels_db = talking(profile), profile.levels_db
    if not spoken.any():
        return spoken
    heard_db: Floats = np.maximum(np.percentile(levels_db[spoken], LOUD_PERCENT) - HEARD_DB, background_db(levels_db) + OVER_SPILL_DB)
    return spoken | (levels_db > heard_db)


def _owned(levels: Doubles, active: Hops) -> Hops:
    """Mark the hops where a track is active through its own speaker, one row per track; `levels` are relative to the references, dB."""
    owned, loudest = active.copy(), np.argmax(levels, axis=0)
    for mine in range(len(levels)):
        for other in range(len(levels)):
            if mine != other:
                under = levels[mine] - levels[other]
                both = active[mine] & active[other] & ((loudest == mine) | (loudest == other))  # exclude a third speaker picked up by both
                spill = both & (under < -SPILL_DB)
                apart = both & (np.abs(under) > SPILL_DB)
                if apart.sum() > APART_SHARE * both.sum() and _alike(levels[mine], levels[other], spill):
                    owned[mine] &= under > min(float(np.median(under[spill])) + OVER_SPILL_DB, -SPILL_DB)
    return owned


def _alike(mine: Doubles, other: Doubles, spill: Hops) -> bool:
    """Whether the level changes of two tracks correlate in these hops. The levels themselves are similar by selection."""
    both = spill[RISE_HOPS:] & spill[:-RISE_HOPS]
    if both.sum() < ENOUGH_HOPS:
        return False
    rises = [(each[RISE_HOPS:] - each[:-RISE_HOPS])[both] for each in (mine, other)]
    return bool(np.dot(*rises) > SPILL_LIKENESS * np.sqrt(np.dot(rises[0], rises[0]) * np.dot(rises[1], rises[1])))


def _held(own: Hops) -> Hops:
    """Extend each open run by lookahead and hold, and bridge short gaps."""
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
    """Keep the last track to close open until another one opens."""
    some: Hops = np.any(held, axis=0)
    last = np.maximum.accumulate(np.where(some, np.arange(len(some)), -1))
    alone = np.flatnonzero(~some & (last >= 0))
    opened = held.copy()
    opened[np.argmax(held[:, last[alone]], axis=0), alone] = True
    return opened


def _moves(opened: Hops, depth_db: float) -> Floats:
    """Return the gain at hop edges, dB; the ramps lie where the gate is closed."""
    if not len(opened):
        return np.zeros(1, np.float32)
    edges = np.arange(len(opened) + 1)
    level = np.where(np.concatenate([opened[:1], opened]) | np.concatenate([opened, opened[-1:]]), 0.0, -depth_db)
    closing = np.maximum.accumulate(level + CLOSE_HOP_DB * edges) - CLOSE_HOP_DB * edges
    opening = np.maximum.accumulate((level - OPEN_HOP_DB * edges)[::-1])[::-1] + OPEN_HOP_DB * edges
    gains_db: Floats = np.maximum(closing, opening).astype(np.float32)
    return gains_db


def _smooth(levels_db: Floats) -> Doubles:
    """Average levels as powers over `SMOOTH_HOPS` on each side."""
    powers, weights = np.power(10.0, levels_db.astype(float) / 10), np.ones(len(levels_db))
    window = np.ones(2 * SMOOTH_HOPS + 1)
    sums = [np.convolve(each, window)[SMOOTH_HOPS : SMOOTH_HOPS + len(each)] if len(each) else each for each in (powers, weights)]
    return 10 * np.log10(np.maximum(sums[0] / np.maximum(sums[1], 1), 1e-12))


def _filled(rows: Sequence[NDArray[_T]], value: float) -> NDArray[_T]:
    """Stack rows of unequal lengths in one table, padded with `value`."""
    table = np.full((len(rows), max(len(row) for row in rows)), value, rows[0].dtype)
    for row, filled in zip(rows, table, strict=True):
        filled[: len(row)] = row
    return table
