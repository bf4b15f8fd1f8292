"""Level the voices of one recording, turn by turn, without knowing who speaks. Profiles in, gains out, no files.

A turn is a stretch of speech at one level. Each turn is brought to the reference loudness of the recording, that of its loud voices, so
that later stages need not raise noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.profile import HOP_S, HOPS_PER_S, Floats, Profile
from pipeline.audio.voice import SYLLABLE_HOPS, Doubles, Hops, background_db, gated_lufs, level_db, runs, talking, weighted_powers

CLEAR_DB = 8.0  # signal-to-noise ratio from which speech is raised: below it, raising noise outweighs the benefit
MOST_DB = 15.0  # a turn is raised or lowered by this much at most: beyond it, room noise becomes audible
APART_LU = 25.0  # quieter turns are not levelled: spill, a neighbour, a television
DEAD_ZONE_LU = {"gentle": 1.0, "strong": 0.0}  # smaller differences are left unchanged
TURN_COST, BREACH_COST = 12.0, 22.0  # of a new turn, after a pause or amid speech; 3 s at −5 dB among louder words justify two
TURN_HOPS = 8  # anything shorter is a single word
REACH_HOPS = 90 * HOPS_PER_S  # of speech: longer turns are found in pieces, then merged
PAUSE_HOPS = 6  # 300 ms: the shortest pause in which a raised gain is lowered
LONG_HOPS = 2 * HOPS_PER_S  # a pause in which no gain stays raised
PAUSE_DB = 3.0  # highest gain in a pause between raised words; with the ramps, the noise over a second rises by less than 6 dB
MUSIC_HOPS = 10  # a gap of half a second or more can hold music
MUSIC_UNDER_DB = 25.0  # non-speech within this range below speech is music or ambience, not a pause
RAMP_HOPS = 2  # 100 ms, longer for larger changes
HOP_DB = 7.5  # per hop, 150 dB a second: the fastest change
DRIFT_S, DRIFT_DB = 8, 4.0  # "strong" follows a fading voice: averaging time, largest correction


@dataclass(frozen=True)
class Turn:
    """A stretch of speech at one level; times in seconds."""

    start_s: float
    end_s: float
    loudness_lufs: float
    gain_db: float


@dataclass(frozen=True)
class Ride:
    """A gain over time, dB at each hop edge (interpolated linearly in amplitude, 0 is unchanged), and the turns it was computed from."""

    gains_db: Floats
    turns: tuple[Turn, ...]


def ride(profile: Profile, strength: str) -> Ride:
    """Compute the gains that level the voices of one recording; `strength` is "off", "gentle" or "strong"."""
    levels_db, spoken = profile.levels_db, talking(profile)
    if strength == "off" or not spoken.any():
        return Ride(np.zeros(len(levels_db) + 1, np.float32), ())
    powers, floors = weighted_powers(profile), background_db(levels_db)
    stretches = _stretches(powers, spoken)
    words = [first + np.flatnonzero(spoken[first:end]) for first, end in stretches]
    loudness = np.array([gated_lufs(powers[each]) for each in words])
    if not np.isfinite(loudness).any():  # everything is under the absolute gate
        return Ride(np.zeros(len(levels_db) + 1, np.float32), ())
    clear_db = np.array([level_db(levels_db[each]) - np.median(floors[each]) for each in words])
    missing = _reference(loudness, np.array([len(each) for each in words])) - loudness
    most = np.clip(3 * np.minimum(clear_db - CLEAR_DB, APART_LU - missing), 0.0, MOST_DB)  # a gradual transition
    wanted = np.where(np.abs(missing) < DEAD_ZONE_LU[strength], 0.0, np.clip(missing, -MOST_DB, most))
    aims = np.repeat(wanted, [end - first for first, end in stretches])
    if strength == "strong":
        aims = np.clip(aims + _drift(powers, spoken, stretches), -MOST_DB, MOST_DB)
    gains = _ramped(aims, spoken, [first for first, _ in stretches], levels_db)
    spans = [(float(each[0] * HOP_S), float((each[-1] + 1) * HOP_S)) for each in words]
    turns = tuple(Turn(*span, float(lufs), float(gain)) for span, lufs, gain in zip(spans, loudness, wanted, strict=True))
    return Ride(gains.astype(np.float32), turns)


def _reference(loudness: Doubles, hops: NDArray[np.int64]) -> float:
    """Return the target loudness of all turns, LUFS: the mean of the turns above a relative gate of 10 LU, as BS.1770 gates blocks."""
    energy = np.power(10.0, loudness / 10)
    kept = energy > np.average(energy, weights=hops) / 10
    return float(10 * np.log10(np.average(energy[kept], weights=hops[kept])))


def _stretches(powers: Doubles, spoken: Hops) -> list[tuple[int, int]]:
    """Partition the recording into turns, where the level of speech changes lastingly; returns (first, end) hops, `end` exclusive.

    The powers of the hops of one turn are distributed like those of noise (exponentially), so a turn of n hops with mean power p costs
    n log p. The cheapest partition is found among all whose boundaries are at pauses or between syllables.
    """
    spent = np.concatenate([[0.0], np.cumsum(np.where(spoken, powers + 1e-12, 0.0))])
    heard = np.concatenate([[0.0], np.cumsum(spoken)])
    places, costs = _places(powers, spoken)
    ends = [int(each) for each in places[_best(spent[places], heard[places], costs)]]

    def cost(first: int, end: int) -> float:
        count = heard[end] - heard[first]
        return float(count * np.log(max(spent[end] - spent[first], 1e-12) / count)) if count else 0.0

    kept = [0]
    for end, after in zip(ends, ends[1:], strict=False):  # merge the pieces of long turns
        if cost(kept[-1], end) + cost(end, after) + TURN_COST < cost(kept[-1], after):
            kept.append(end)
    kept.append(ends[-1])
    for index, (before, end, after) in enumerate(zip(kept, kept[1:], kept[2:], strict=False), start=1):
        if spoken[end - 1]:  # amid speech: refine to the exact hop
            near = range(max(end - SYLLABLE_HOPS, before + 1), min(end + SYLLABLE_HOPS, after - 1) + 1)
            kept[index] = min(near, key=lambda each: cost(before, each) + cost(each, after))
    return list(zip(kept, kept[1:], strict=False))


def _places(powers: Doubles, spoken: Hops) -> tuple[NDArray[np.int64], Doubles]:
    """Return the hops where a turn may begin, and its cost there; the first and the last hop are included."""
    last = len(spoken)
    amid = np.flatnonzero(spoken[1:-1] & spoken[:-2] & (powers[1:-1] < powers[:-2]) & (powers[1:-1] <= powers[2:])) + 1
    costs = {int(each): BREACH_COST for each in amid}
    costs |= {end: TURN_COST for first, end in runs(~spoken) if first}
    costs |= {0: 0.0, last: 0.0}
    places = np.array(sorted(costs))
    return places, np.array([costs[int(each)] for each in places])


def _best(spent: Doubles, heard: Doubles, costs: Doubles) -> list[int]:
    """Return the indices of the boundaries of the cheapest partition, in order (dynamic programming)."""
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
    """Return the correction for level drift within turns, dB per hop: loudness over `DRIFT_WINDOW_S` against that of the turn."""
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
    """Return the gains at hop edges, joined by ramps: within pauses where possible, and down before a loud word begins."""
    gains, speech_db = np.concatenate([aims[:1], aims]), level_db(levels_db[spoken])
    for first, end in _gaps(spoken, starts):
        left, right = (aims[first - 1] if first else None), (aims[end] if end < len(aims) else None)
        sides = [float(each) for each in (left, right) if each is not None]
        level = _between(sides, levels_db[first:end], speech_db)
        at, values = _knots(first, end, sides[0] if first else level, level, sides[-1] if right is not None else level)
        inside = np.arange(max(at[0], 0), min(at[-1], len(aims)) + 1)
        gains[inside] = np.interp(inside, at, values)
    slope = HOP_DB * np.arange(len(gains))  # where turns are too short for their ramps, the lower gain applies
    falling: Doubles = np.minimum.accumulate(gains - slope) + slope
    rising: Doubles = np.minimum.accumulate((falling + slope)[::-1])[::-1] - slope
    return rising


def _gaps(spoken: Hops, starts: list[int]) -> list[tuple[int, int]]:
    """Return pauses, dips where a turn begins, and zero-length gaps for turns that begin in neither."""
    silent = runs(~spoken)
    begun = set(starts)
    gaps = [(first, end) for first, end in silent if end - first >= PAUSE_HOPS or end in begun or first == 0 or end == len(spoken)]
    return sorted({*gaps, *((start, start) for start in starts if start > 0 and spoken[start - 1])})


def _between(sides: list[float], levels_db: Floats, speech_db: float) -> float:
    """Return the gain during a pause, dB, from the gains on both sides."""
    if len(levels_db) >= MUSIC_HOPS and np.median(levels_db) > speech_db - MUSIC_UNDER_DB:
        return 0.0
    return min(*sides, 0.0 if len(levels_db) > LONG_HOPS or len(sides) < 2 else PAUSE_DB)


def _knots(first: int, end: int, left: float, level: float, right: float) -> tuple[list[int], list[float]]:
    """Return edges and gains of a gap: to `level` after the last word, and back before the next; a direct ramp where it is too short."""
    down, up = _ramp_hops(left, level), _ramp_hops(level, right)
    if down + up <= end - first:
        return [first, first + down, end - up, end], [left, level, level, right]
    need = _ramp_hops(left, right)
    missing = max(0, need - (end - first))
    if right > left:  # the loud side must not be raised: half of the missing time is taken from the quiet side
        return [end + missing - missing // 2 - max(need, 1), end + missing - missing // 2], [left, right]
    return [first - missing, first - missing + max(need, 1)], [left, right]


def _ramp_hops(left: float, right: float) -> int:
    """Return the length of a ramp between two gains, hops."""
    return max(RAMP_HOPS, int(np.ceil(abs(right - left) / HOP_DB))) if left != right else 0
