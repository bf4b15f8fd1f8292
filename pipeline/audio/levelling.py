"""Level the voices of one recording, turn by turn, without knowing who speaks. Profiles in, gains out, no files.

A turn is a stretch of speech at one level. Each turn is brought to the reference loudness of the recording, that of its loud voices, so
that later stages need not raise noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.level_profile import HOP_S, HOPS_PER_S, Float32Array, LevelProfile
from pipeline.audio.speech_detection import (
    SYLLABLE_HOPS,
    Float64Array,
    HopMask,
    background_db,
    gated_lufs,
    k_weighted_powers,
    mean_level_db,
    speech_mask,
    true_runs,
)

MIN_SNR_DB = 8.0  # signal-to-noise ratio from which speech is raised: below it, raising noise outweighs the benefit
MAX_GAIN_DB = 15.0  # a turn is raised or lowered by this much at most: beyond it, room noise becomes audible
MAX_DISTANCE_LU = 25.0  # quieter turns are not levelled: spill, a neighbour, a television
DEAD_ZONE_LU = {"gentle": 1.0, "strong": 0.0}  # smaller differences are left unchanged
TURN_COST, MID_SPEECH_COST = 12.0, 22.0  # of a new turn, after a pause or amid speech; 3 s at −5 dB among louder words justify two
MIN_TURN_HOPS = 8  # anything shorter is a single word
MAX_TURN_HOPS = 90 * HOPS_PER_S  # of speech: longer turns are found in pieces, then merged
MIN_PAUSE_HOPS = 6  # 300 ms: the shortest pause in which a raised gain is lowered
LONG_PAUSE_HOPS = 2 * HOPS_PER_S  # a pause in which no gain stays raised
MAX_PAUSE_GAIN_DB = 3.0  # highest gain in a pause between raised words; with the ramps, the noise over a second rises by less than 6 dB
MUSIC_HOPS = 10  # a gap of half a second or more can hold music
MUSIC_RANGE_DB = 25.0  # non-speech within this range below speech is music or ambience, not a pause
MIN_RAMP_HOPS = 2  # 100 ms, longer for larger changes
MAX_SLOPE_DB = 7.5  # per hop, 150 dB a second: the fastest change
DRIFT_WINDOW_S, MAX_DRIFT_DB = 8, 4.0  # "strong" follows a fading voice: averaging time, largest correction


@dataclass(frozen=True)
class SpeechTurn:
    """A stretch of speech at one level; times in seconds."""

    start_s: float
    end_s: float
    loudness_lufs: float
    gain_db: float


@dataclass(frozen=True)
class GainCurve:
    """A gain over time, dB at each hop edge (interpolated linearly in amplitude, 0 is unchanged), and the turns it was computed from."""

    gains_db: Float32Array
    turns: tuple[SpeechTurn, ...]


def level_turns(profile: LevelProfile, strength: str) -> GainCurve:
    """Compute the gains that level the voices of one recording; `strength` is "off", "gentle" or "strong"."""
    levels_db, speech = profile.levels_db, speech_mask(profile)
    if strength == "off" or not speech.any():
        return GainCurve(np.zeros(len(levels_db) + 1, np.float32), ())
    powers, floors = k_weighted_powers(profile), background_db(levels_db)
    turn_hops = _find_turns(powers, speech)
    speech_hops = [first + np.flatnonzero(speech[first:end]) for first, end in turn_hops]
    loudness = np.array([gated_lufs(powers[each]) for each in speech_hops])
    if not np.isfinite(loudness).any():  # everything is under the absolute gate
        return GainCurve(np.zeros(len(levels_db) + 1, np.float32), ())
    snr_db = np.array([mean_level_db(levels_db[each]) - np.median(floors[each]) for each in speech_hops])
    missing_lu = _reference_lufs(loudness, np.array([len(each) for each in speech_hops])) - loudness
    max_gains_db = np.clip(3 * np.minimum(snr_db - MIN_SNR_DB, MAX_DISTANCE_LU - missing_lu), 0.0, MAX_GAIN_DB)  # a gradual transition
    wanted_db = np.where(np.abs(missing_lu) < DEAD_ZONE_LU[strength], 0.0, np.clip(missing_lu, -MAX_GAIN_DB, max_gains_db))
    target_gains_db = np.repeat(wanted_db, [end - first for first, end in turn_hops])
    if strength == "strong":
        target_gains_db = np.clip(target_gains_db + _drift_gains_db(powers, speech, turn_hops), -MAX_GAIN_DB, MAX_GAIN_DB)
    gains = _ramp_gains(target_gains_db, speech, [first for first, _ in turn_hops], levels_db)
    spans = [(float(each[0] * HOP_S), float((each[-1] + 1) * HOP_S)) for each in speech_hops]
    turns = tuple(SpeechTurn(*span, float(lufs), float(gain)) for span, lufs, gain in zip(spans, loudness, wanted_db, strict=True))
    return GainCurve(gains.astype(np.float32), turns)


def _reference_lufs(loudness: Float64Array, hops: NDArray[np.int64]) -> float:
    """Return the target loudness of all turns, LUFS: the mean of the turns above a relative gate of 10 LU, as BS.1770 gates blocks."""
    energy = np.power(10.0, loudness / 10)
    is_above_gate = energy > np.average(energy, weights=hops) / 10
    return float(10 * np.log10(np.average(energy[is_above_gate], weights=hops[is_above_gate])))


def _find_turns(powers: Float64Array, speech: HopMask) -> list[tuple[int, int]]:
    """Partition the recording into turns, where the level of speech changes lastingly; returns (first, end) hops, `end` exclusive.

    The powers of the hops of one turn are distributed like those of noise (exponentially), so a turn of n hops with mean power p costs
    n log p. The cheapest partition is found among all whose boundaries are at pauses or between syllables.
    """
    cumulative_power = np.concatenate([[0.0], np.cumsum(np.where(speech, powers + 1e-12, 0.0))])
    cumulative_hops = np.concatenate([[0.0], np.cumsum(speech)])
    boundaries, costs = _candidate_boundaries(powers, speech)
    ends = [int(each) for each in boundaries[_cheapest_partition(cumulative_power[boundaries], cumulative_hops[boundaries], costs)]]

    def cost(first: int, end: int) -> float:
        count = cumulative_hops[end] - cumulative_hops[first]
        return float(count * np.log(max(cumulative_power[end] - cumulative_power[first], 1e-12) / count)) if count else 0.0

    merged = [0]
    for end, next_end in zip(ends, ends[1:], strict=False):  # merge the pieces of long turns
        if cost(merged[-1], end) + cost(end, next_end) + TURN_COST < cost(merged[-1], next_end):
            merged.append(end)
    merged.append(ends[-1])
    for index, (previous, end, next_end) in enumerate(zip(merged, merged[1:], merged[2:], strict=False), start=1):
        if speech[end - 1]:  # amid speech: refine to the exact hop
            near = range(max(end - SYLLABLE_HOPS, previous + 1), min(end + SYLLABLE_HOPS, next_end - 1) + 1)
            merged[index] = min(near, key=lambda each: cost(previous, each) + cost(each, next_end))
    return list(zip(merged, merged[1:], strict=False))


def _candidate_boundaries(powers: Float64Array, speech: HopMask) -> tuple[NDArray[np.int64], Float64Array]:
    """Return the hops where a turn may begin, and its cost there; the first and the last hop are included."""
    last = len(speech)
    dips = np.flatnonzero(speech[1:-1] & speech[:-2] & (powers[1:-1] < powers[:-2]) & (powers[1:-1] <= powers[2:])) + 1
    costs = {int(each): MID_SPEECH_COST for each in dips}
    costs |= {end: TURN_COST for first, end in true_runs(~speech) if first}
    costs |= {0: 0.0, last: 0.0}
    boundaries = np.array(sorted(costs))
    return boundaries, np.array([costs[int(each)] for each in boundaries])


def _cheapest_partition(cumulative_power: Float64Array, cumulative_hops: Float64Array, costs: Float64Array) -> list[int]:
    """Return the indices of the boundaries of the cheapest partition, in order (dynamic programming)."""
    least, previous = np.zeros(len(costs)), np.zeros(len(costs), int)
    reach = np.searchsorted(cumulative_hops, cumulative_hops - MAX_TURN_HOPS)
    for end in range(1, len(costs)):
        first = min(int(reach[end]), end - 1)
        count = cumulative_hops[end] - cumulative_hops[first:end]
        turn = count * np.log(np.maximum(cumulative_power[end] - cumulative_power[first:end], 1e-12) / np.maximum(count, 1))
        total = least[first:end] + np.where(count < MIN_TURN_HOPS, 1e6, turn)
        best = int(np.argmin(total))
        least[end], previous[end] = total[best] + costs[end], first + best
    path = [len(costs) - 1]
    while path[-1]:
        path.append(int(previous[path[-1]]))
    return path[::-1]


def _drift_gains_db(powers: Float64Array, speech: HopMask, turn_hops: list[tuple[int, int]]) -> Float64Array:
    """Return the correction for level drift within turns, dB per hop: loudness over `DRIFT_WINDOW_S` against that of the turn."""
    drift = np.zeros(len(powers))
    for first, end in turn_hops:
        turn_speech = speech[first:end]
        if turn_speech.sum() > 2 * DRIFT_WINDOW_S * HOPS_PER_S:
            window = np.hanning(DRIFT_WINDOW_S * HOPS_PER_S * 2 + 1)
            energy, weight = (np.convolve(each, window, "same") for each in (powers[first:end] * turn_speech, turn_speech.astype(float)))
            local = 10 * np.log10(np.maximum(energy, 1e-20) / np.maximum(weight, 1e-9))
            mean = 10 * np.log10(powers[first:end][turn_speech].mean())
            drift[first:end] = np.where(weight > HOPS_PER_S, np.clip(mean - local, -MAX_DRIFT_DB, MAX_DRIFT_DB), 0.0)
    return drift


def _ramp_gains(target_gains_db: Float64Array, speech: HopMask, starts: list[int], levels_db: Float32Array) -> Float64Array:
    """Return the gains at hop edges, joined by ramps: within pauses where possible, and down before a loud word begins."""
    gains, speech_db = np.concatenate([target_gains_db[:1], target_gains_db]), mean_level_db(levels_db[speech])
    for first, end in _find_gaps(speech, starts):
        left, right = (target_gains_db[first - 1] if first else None), (target_gains_db[end] if end < len(target_gains_db) else None)
        neighbours = [float(each) for each in (left, right) if each is not None]
        level = _pause_gain_db(neighbours, levels_db[first:end], speech_db)
        at, values = _gap_breakpoints(first, end, neighbours[0] if first else level, level, neighbours[-1] if right is not None else level)
        inside = np.arange(max(at[0], 0), min(at[-1], len(target_gains_db)) + 1)
        gains[inside] = np.interp(inside, at, values)
    slope = MAX_SLOPE_DB * np.arange(len(gains))  # where turns are too short for their ramps, the lower gain applies
    falling: Float64Array = np.minimum.accumulate(gains - slope) + slope
    rising: Float64Array = np.minimum.accumulate((falling + slope)[::-1])[::-1] - slope
    return rising


def _find_gaps(speech: HopMask, starts: list[int]) -> list[tuple[int, int]]:
    """Return pauses, dips where a turn begins, and zero-length gaps for turns that begin in neither."""
    silent = true_runs(~speech)
    turn_starts = set(starts)
    gaps = [
        (first, end) for first, end in silent if end - first >= MIN_PAUSE_HOPS or end in turn_starts or first == 0 or end == len(speech)
    ]
    return sorted({*gaps, *((start, start) for start in starts if start > 0 and speech[start - 1])})


def _pause_gain_db(neighbours: list[float], levels_db: Float32Array, speech_db: float) -> float:
    """Return the gain during a pause, dB, from the gains on both sides."""
    if len(levels_db) >= MUSIC_HOPS and np.median(levels_db) > speech_db - MUSIC_RANGE_DB:
        return 0.0
    return min(*neighbours, 0.0 if len(levels_db) > LONG_PAUSE_HOPS or len(neighbours) < 2 else MAX_PAUSE_GAIN_DB)


def _gap_breakpoints(first: int, end: int, left: float, level: float, right: float) -> tuple[list[int], list[float]]:
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
    return max(MIN_RAMP_HOPS, int(np.ceil(abs(right - left) / MAX_SLOPE_DB))) if left != right else 0
