"""Voices of one recording made even with each other, turn by turn, without knowing who speaks: profiles in, gains out, no files.

Stretches of speech of one level are turns; each is brought to the loudness of the recording, which is that of its loud voices, so what
follows need not lift noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.profile import HOP_S, HOPS_PER_S, Floats, Profile
from pipeline.audio.voice import SYLLABLE_HOPS, Doubles, Hops, background_db, gated_lufs, level_db, runs, talking, weighted_powers

CLEAR_DB = 8.0  # over the background: speech that may be raised without raising noise more than is gained
MOST_DB = 15.0  # the most a turn is raised or lowered: beyond it, room noise comes up or something else is wrong
APART_LU = 25.0  # who is further away than that takes no part: spill, a neighbour, a television
DEAD_ZONE_LU = {"gentle": 1.0, "strong": 0.0}  # differences that are left alone
TURN_COST, BREACH_COST = 12.0, 22.0  # a turn more, begun after a pause or amid speech; 3 s at 5 dB less, among louder words, are worth two
TURN_HOPS = 8  # shorter is a word, whoever says it
REACH_HOPS = 90 * HOPS_PER_S  # of speech: longer turns are found in pieces, then joined
PAUSE_HOPS = 6  # 300 ms: the shortest pause in which a raised gain comes down
LONG_HOPS = 2 * HOPS_PER_S  # a pause in which nothing is raised
PAUSE_DB = 3.0  # the most between raised words; with the ramps on both sides, the noise of a second is raised by less than 6
MUSIC_HOPS = 10  # a gap of half a second can hold some
MUSIC_UNDER_DB = 25.0  # what is not speech and no further under it is music or a place, not a pause
RAMP_HOPS = 2  # 100 ms, or more where the gain moves more
HOP_DB = 7.5  # 150 dB a second: the fastest it moves
DRIFT_S, DRIFT_DB = 8, 4.0  # "strong" follows a voice that fades: over how long, how far


@dataclass(frozen=True)
class Turn:
    """A stretch of speech of one level."""

    start_s: float
    end_s: float
    loudness_lufs: float
    gain_db: float


@dataclass(frozen=True)
class Ride:
    """How the gain moves: dB at each hop edge, linear in amplitude between them, 0 where nothing is done; and for which turns."""

    gains_db: Floats
    turns: tuple[Turn, ...]


def ride(profile: Profile, strength: str) -> Ride:
    """The gains that even the voices of one recording; `strength` is "off", "gentle" or "strong"."""
    levels_db, spoken = profile.levels_db, talking(profile)
    if strength == "off" or not spoken.any():
        return Ride(np.zeros(len(levels_db) + 1, np.float32), ())
    powers, floors = weighted_powers(profile), background_db(levels_db)
    stretches = _stretches(powers, spoken)
    words = [first + np.flatnonzero(spoken[first:end]) for first, end in stretches]
    loudness = np.array([gated_lufs(powers[each]) for each in words])
    if not np.isfinite(loudness).any():  # under the absolute gate: nothing that has a loudness
        return Ride(np.zeros(len(levels_db) + 1, np.float32), ())
    clear_db = np.array([level_db(levels_db[each]) - np.median(floors[each]) for each in words])
    missing = _reference(loudness, np.array([len(each) for each in words])) - loudness
    most = np.clip(3 * np.minimum(clear_db - CLEAR_DB, APART_LU - missing), 0.0, MOST_DB)  # by and by, not all or nothing
    wanted = np.where(np.abs(missing) < DEAD_ZONE_LU[strength], 0.0, np.clip(missing, -MOST_DB, most))
    aims = np.repeat(wanted, [end - first for first, end in stretches])
    if strength == "strong":
        aims = np.clip(aims + _drift(powers, spoken, stretches), -MOST_DB, MOST_DB)
    gains = _ramped(aims, spoken, [first for first, _ in stretches], levels_db)
    spans = [(float(each[0] * HOP_S), float((each[-1] + 1) * HOP_S)) for each in words]
    turns = tuple(Turn(*span, float(lufs), float(gain)) for span, lufs, gain in zip(spans, loudness, wanted, strict=True))
    return Ride(gains.astype(np.float32), turns)


def _reference(loudness: Doubles, hops: NDArray[np.int64]) -> float:
    """The loudness all turns are brought to: that of the turns not further than 10 LU under the mean, as BS.1770 gates blocks."""
    energy = np.power(10.0, loudness / 10)
    kept = energy > np.average(energy, weights=hops) / 10
    return float(10 * np.log10(np.average(energy[kept], weights=hops[kept])))


def _stretches(powers: Doubles, spoken: Hops) -> list[tuple[int, int]]:
    """Where the level of speech changes for good: first hop and the one after the last of each turn, from the first hop to the last.

    Hops of one turn have powers that vary like those of noise (exponentially), so a turn of n hops of mean power p costs n log p, and
    the partition that costs least is found among all those that end at pauses and between syllables.
    """
    spent = np.concatenate([[0.0], np.cumsum(np.where(spoken, powers + 1e-12, 0.0))])
    heard = np.concatenate([[0.0], np.cumsum(spoken)])
    places, costs = _places(powers, spoken)
    ends = [int(each) for each in places[_best(spent[places], heard[places], costs)]]

    def cost(first: int, end: int) -> float:
        count = heard[end] - heard[first]
        return float(count * np.log(max(spent[end] - spent[first], 1e-12) / count)) if count else 0.0

    kept = [0]
    for end, after in zip(ends, ends[1:], strict=False):  # pieces of a turn beyond reach
        if cost(kept[-1], end) + cost(end, after) + TURN_COST < cost(kept[-1], after):
            kept.append(end)
    kept.append(ends[-1])
    for index, (before, end, after) in enumerate(zip(kept, kept[1:], kept[2:], strict=False), start=1):
        if spoken[end - 1]:  # amid speech: to the very hop
            near = range(max(end - SYLLABLE_HOPS, before + 1), min(end + SYLLABLE_HOPS, after - 1) + 1)
            kept[index] = min(near, key=lambda each: cost(before, each) + cost(each, after))
    return list(zip(kept, kept[1:], strict=False))


def _places(powers: Doubles, spoken: Hops) -> tuple[NDArray[np.int64], Doubles]:
    """Hops where a turn may begin, and what it costs there; the first and the last hop are among them."""
    last = len(spoken)
    amid = np.flatnonzero(spoken[1:-1] & spoken[:-2] & (powers[1:-1] < powers[:-2]) & (powers[1:-1] <= powers[2:])) + 1
    costs = {int(each): BREACH_COST for each in amid}
    costs |= {end: TURN_COST for first, end in runs(~spoken) if first}
    costs |= {0: 0.0, last: 0.0}
    places = np.array(sorted(costs))
    return places, np.array([costs[int(each)] for each in places])


def _best(spent: Doubles, heard: Doubles, costs: Doubles) -> list[int]:
    """Which of the places bound the turns of the least cost in all, in order."""
    least, came = np.zeros(len(costs)), np.zeros(len(costs), int)
    reach = np.searchsorted(heard, heard - REACH_HOPS)
    for end in range(1, len(costs)):
        first = min(int(reach[end]), end - 1)
        count = heard[end] - heard[first:end]
        turn = count * np.log(np.maximum(spent[end] - spent[first:end], 1e-12) / np.maximum(count, 1))
        total = least[first:end] + np.where(count < TURN_HOPS, 1e6, turn)
        best = int(np.argmin(total))
        least[end], came[end] = total[best] + costs[end], first + best
    path = [len(costs) - 1]
    while path[-1]:
        path.append(int(came[path[-1]]))
    return path[::-1]


def _drift(powers: Doubles, spoken: Hops, stretches: list[tuple[int, int]]) -> Doubles:
    """What a voice that comes and goes inside its turn misses, dB a hop: its loudness over `DRIFT_S` against that of the turn."""
    drift = np.zeros(len(powers))
    for first, end in stretches:
        heard = spoken[first:end]
        if heard.sum() > 2 * DRIFT_S * HOPS_PER_S:
            window = np.hanning(DRIFT_S * HOPS_PER_S * 2 + 1)
            energy, weight = (np.convolve(each, window, "same") for each in (powers[first:end] * heard, heard.astype(float)))
            local = 10 * np.log10(np.maximum(energy, 1e-20) / np.maximum(weight, 1e-9))
            mean = 10 * np.log10(powers[first:end][heard].mean())
            drift[first:end] = np.where(weight > HOPS_PER_S, np.clip(mean - local, -DRIFT_DB, DRIFT_DB), 0.0)
    return drift


def _ramped(aims: Doubles, spoken: Hops, starts: list[int], levels_db: Floats) -> Doubles:
    """The aims at hop edges, joined by ramps: in the pauses where there are any, down before a loud word begins."""
    gains, speech_db = np.concatenate([aims[:1], aims]), level_db(levels_db[spoken])
    for first, end in _gaps(spoken, starts):
        left, right = (aims[first - 1] if first else None), (aims[end] if end < len(aims) else None)
        sides = [float(each) for each in (left, right) if each is not None]
        level = _between(sides, levels_db[first:end], speech_db)
        at, values = _knots(first, end, sides[0] if first else level, level, sides[-1] if right is not None else level)
        inside = np.arange(max(at[0], 0), min(at[-1], len(aims)) + 1)
        gains[inside] = np.interp(inside, at, values)
    slope = HOP_DB * np.arange(len(gains))  # where turns are too short for their ramps, the lower gain wins
    gains = np.minimum.accumulate(gains - slope) + slope
    return np.minimum.accumulate((gains + slope)[::-1])[::-1] - slope


def _gaps(spoken: Hops, starts: list[int]) -> list[tuple[int, int]]:
    """Pauses, dips where a turn begins, and turns that begin in neither (as gaps of no length)."""
    silent = runs(~spoken)
    begun = set(starts)
    gaps = [(first, end) for first, end in silent if end - first >= PAUSE_HOPS or end in begun or first == 0 or end == len(spoken)]
    return sorted({*gaps, *((start, start) for start in starts if start > 0 and spoken[start - 1])})


def _between(sides: list[float], levels_db: Floats, speech_db: float) -> float:
    """The gain while nobody speaks, from the gains on its sides."""
    if len(levels_db) >= MUSIC_HOPS and np.median(levels_db) > speech_db - MUSIC_UNDER_DB:
        return 0.0
    return min(*sides, 0.0 if len(levels_db) > LONG_HOPS or len(sides) < 2 else PAUSE_DB)


def _knots(first: int, end: int, left: float, level: float, right: float) -> tuple[list[int], list[float]]:
    """Edges and gains of a gap: down to `level` after the last word, up before the next; straight across where it is too short."""
    down, up = _ramp_hops(left, level), _ramp_hops(level, right)
    if down + up <= end - first:
        return [first, first + down, end - up, end], [left, level, level, right]
    need = _ramp_hops(left, right)
    missing = max(0, need - (end - first))
    if right > left:  # what is loud must not be raised: half of what is missing is taken from the quiet side
        return [end + missing - missing // 2 - max(need, 1), end + missing - missing // 2], [left, right]
    return [first - missing, first - missing + max(need, 1)], [left, right]


def _ramp_hops(left: float, right: float) -> int:
    """How long the gain takes from one to the other."""
    return max(RAMP_HOPS, int(np.ceil(abs(right - left) / HOP_DB))) if left != right else 0
