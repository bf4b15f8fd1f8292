"""Voices of one recording made even with each other, turn by turn, without knowing who speaks: profiles in, gains out, no files.

Speech is what rises and falls a few times a second above its background; music and noise do not. Stretches of speech of one level
are turns; each is brought to the loudness of the recording, which is that of its loud voices, so what follows need not lift noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.audio.profile import BLOCKS_PER_HOP, BLOCKS_PER_S, HOP_S, HOPS_PER_S, MOMENTS_PER_S, Floats, Profile, by

Hops = NDArray[np.bool_]
Doubles = NDArray[np.float64]
Fold = Callable[..., Any]  # of an array, along an axis

SYLLABLE_DB = 6.0  # a syllable stands at least so much above what is around it; notes that ring and steady noise seldom do
SYLLABLE_HOPS = 8  # on each side: syllables last up to 400 ms
AROUND_HOPS = 30  # 1.5 s: how much is looked at to tell speech, the shortest "oui" with its edges filling half of it
STEADY_DB, STEADY_HOPS = 4.0, 2  # noise moves less than that in 250 ms
NEAR_S = 10  # on each side: where background and voices are compared
ABOVE_DB = 6.0  # over the background: a word
HIDDEN_DB = 40.0  # where nothing is steady, the background is so far under the voices that it does not matter
HISS_DB = 22.0  # what is steady and so far under the voices is the noise of this moment, even where other moments have less
CLEAR_DB = 8.0  # over the background: speech that may be raised without raising noise more than is gained
LOWEST_DB = -80.0  # quieter than any room: an edit, digital silence
DIP_HOPS = 3  # gaps of 150 ms are inside words
WORD_HOPS = 2  # shorter is a click
MOST_DB = 15.0  # the most a turn is raised or lowered: beyond it, room noise comes up or something else is wrong
APART_LU = 25.0  # who is further away than that takes no part: spill, a neighbour, a television
DEAD_ZONE_LU = {"gentle": 1.0, "strong": 0.0}  # differences that are left alone
TURN_COST, BREACH_COST = 12.0, 22.0  # a turn more, begun after a pause or amid speech: as much likelihood as 3 s at 5 dB less give
TURN_HOPS = 8  # shorter is a word, whoever says it
REACH_HOPS = 90 * HOPS_PER_S  # of speech: longer turns are found in pieces, then joined
PAUSE_HOPS = 6  # 300 ms: the shortest pause in which a raised gain comes down
LONG_HOPS = 2 * HOPS_PER_S
PAUSE_DB = 6.0  # the most that a pause is raised
MUSIC_HOPS = 10
MUSIC_UNDER_DB = 25.0  # what is not speech and no further under it is music or a place, not a pause
RAMP_HOPS = 2  # 100 ms, or more where the gain moves more
HOP_DB = 7.5  # 150 dB a second: the fastest it moves
DRIFT_S, DRIFT_DB, DRIFT_EVERY = 8, 4.0, HOPS_PER_S  # "strong" follows a voice that fades: over how long, how far, how often
SLOT_BLOCKS = BLOCKS_PER_S // MOMENTS_PER_S
GATE_BLOCK_HOPS = 8  # 400 ms


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
    levels_db = profile.levels_db
    flat = Ride(np.zeros(len(levels_db) + 1, np.float32), ())
    spoken = talking(profile)
    if strength == "off" or not spoken.any():
        return flat
    powers = weighted_powers(profile)
    stretches = _stretches(powers, spoken)
    loudness = np.array([_lufs(powers[first:end][spoken[first:end]]) for first, end in stretches])
    reference = _reference(loudness, np.array([spoken[first:end].sum() for first, end in stretches]))
    floors = background_db(levels_db)
    missing = np.where(np.abs(reference - loudness) < DEAD_ZONE_LU[strength], 0.0, reference - loudness)
    clear_db = np.array([_clear_db(levels_db[first:end], floors[first:end], spoken[first:end]) for first, end in stretches])
    most = np.clip(3 * np.minimum(clear_db - CLEAR_DB, APART_LU - missing), 0.0, MOST_DB)  # gradually
    wanted = np.clip(missing, -MOST_DB, most)
    aims = np.repeat(wanted, [end - first for first, end in stretches])
    if strength == "strong":
        aims = aims + _drift(powers, spoken, stretches)
    gains = _ramped(np.clip(aims, -MOST_DB, MOST_DB), spoken, [first for first, _ in stretches], levels_db, _speech_level_db(levels_db, spoken))
    turns = tuple(_turn(spoken, *each) for each in zip(stretches, loudness, wanted, strict=True))
    return Ride(gains.astype(np.float32), turns)


def talking(profile: Profile) -> Hops:
    """Whether somebody speaks, a value a hop: above the background, and with the rise and fall of syllables."""
    levels_db = profile.levels_db
    if len(levels_db) < WORD_HOPS:
        return np.zeros(len(levels_db), bool)
    bounded = np.maximum(levels_db, LOWEST_DB)
    steady = _around(_steady_db(bounded), STEADY_HOPS, np.min)  # all of the moment, not only its middle
    spoken = _lively(bounded) & (bounded > background_db(levels_db) + ABOVE_DB) & (steady > _voices_db(bounded) - HISS_DB)
    return _opened(_closed(spoken, DIP_HOPS), WORD_HOPS)


def background_db(levels_db: Floats) -> Floats:
    """The level of what goes on while nobody speaks, a value a hop: the quietest steady moment within `NEAR_S`.

    It has to be about the lowest level there is (a held vowel is steady, but not that) and well under the voices (music is steady, but
    not that). Where there is none, the background is that of the nearest pauses, or without any, `HIDDEN_DB` under the voices.
    """
    bounded = np.maximum(levels_db, LOWEST_DB)
    quiet, lowest, voices = _near(_steady_db(bounded), np.min), _near(bounded, _percentile(1)) + STEADY_DB, _voices_db(bounded)
    known = np.flatnonzero(quiet <= np.minimum(lowest, voices - CLEAR_DB))
    if not known.size:
        return np.maximum(voices - HIDDEN_DB, LOWEST_DB).astype(np.float32)
    return np.minimum(np.interp(np.arange(len(quiet)), known, quiet[known]), lowest).astype(np.float32)


def voice_lufs(profile: Profile, spans: Iterable[tuple[float, float]] = ((0.0, float("inf")),)) -> float:
    """The loudness of the speech in these spans (start and end in seconds) put end to end, gated as BS.1770 does.

    Minus infinity when nobody speaks there.
    """
    spoken, wanted = talking(profile), np.zeros(len(profile.levels_db), bool)
    for start_s, end_s in spans:
        first, end = (round(min(max(each, 0.0), profile.duration_s) * HOPS_PER_S) for each in (start_s, end_s))
        wanted[first:end] = True
    return _lufs(weighted_powers(profile)[wanted & spoken])


def weighted_powers(profile: Profile) -> Doubles:
    """K-weighted mean square of each hop: −0.691 + 10 log₁₀ of it is its loudness (BS.1770-5).

    Momentary loudness covers 400 ms, so a loud voice hides 300 ms of the quiet one after it. Its powers say when each was heard, and
    the two are reconciled by Richardson and Lucy's rule: what 100 ms are worth is corrected until the windows come out as measured.
    """
    plain = by(profile.powers, BLOCKS_PER_HOP, np.mean).astype(float)
    slots = by(profile.powers, SLOT_BLOCKS, np.mean).astype(float) + 1e-14
    measured = np.power(10.0, (profile.momentary_lufs[: len(slots)].astype(float) + 0.691) / 10)
    if not measured.size:
        return plain
    worth = slots.copy()
    for _ in range(8):
        ratio = np.clip(measured / (np.convolve(worth, np.full(4, 0.25))[: len(measured)] + 1e-14), 0.01, 100)
        ratio = np.concatenate([ratio, np.full(len(slots) + 3 - len(ratio), ratio[-1])])
        worth *= sliding_window_view(ratio, 4).mean(axis=1)
    return plain * np.repeat(worth / slots, 2)[: len(plain)]


def _steady_db(levels_db: Floats) -> Floats:
    """The level of moments that hardly move, infinity elsewhere."""
    high, low = _around(levels_db, STEADY_HOPS, np.max), _around(levels_db, STEADY_HOPS, np.min)
    return np.where(high - low < STEADY_DB, high, np.inf)


def _voices_db(levels_db: Floats) -> Floats:
    """The level of the loud syllables near each hop."""
    return _near(np.where(_lively(levels_db), levels_db, LOWEST_DB), _percentile(90))


def _lively(levels_db: Floats) -> Hops:
    """Where half of the moments around are syllables: they rise and they fall, which a fade or an attack do not."""
    size = SYLLABLE_HOPS
    padded = np.pad(levels_db, size, mode="edge")
    lowest = sliding_window_view(padded, size + 1).min(axis=1)
    stands = levels_db - np.maximum(lowest[: len(levels_db)], lowest[size:])
    syllable = _around(stands, size // 2, np.max) > SYLLABLE_DB
    share = np.convolve(syllable, np.full(AROUND_HOPS + 1, 1 / (AROUND_HOPS + 1)), "same" if len(syllable) > AROUND_HOPS else "full")
    return share[(len(share) - len(syllable)) // 2 :][: len(syllable)] >= 0.5


def _around(values: Floats, size: int, fold: Fold) -> Floats:
    """`fold` of each value and `size` on each side."""
    return fold(sliding_window_view(np.pad(values, size, mode="edge"), 2 * size + 1), axis=1)


def _near(values: Floats, fold: Fold) -> Floats:
    """`fold` of all within `NEAR_S` of each second, given to each of its hops."""
    seconds = -(-len(values) // HOPS_PER_S)
    padded = np.pad(values, (NEAR_S * HOPS_PER_S, (seconds + NEAR_S) * HOPS_PER_S - len(values)), mode="edge")
    windows = sliding_window_view(padded, (2 * NEAR_S + 1) * HOPS_PER_S)[::HOPS_PER_S]
    folded = np.concatenate([fold(windows[first : first + 600], axis=1) for first in range(0, seconds, 600)])  # memory, not speed
    return np.repeat(folded, HOPS_PER_S)[: len(values)]


def _percentile(share: float) -> Fold:
    """The fold that finds it."""
    return lambda values, axis: np.percentile(values, share, axis=axis)


def _closed(hops: Hops, size: int) -> Hops:
    """Without the gaps of up to `size` hops."""
    return _filled(hops, False, size)


def _opened(hops: Hops, size: int) -> Hops:
    """Without what is shorter than `size` hops."""
    return _filled(hops, True, size - 1)


def _filled(hops: Hops, value: bool, size: int) -> Hops:
    """The other value in runs of `value` that are no longer than `size` and lie between two others."""
    hops = hops.copy()
    for first, end in runs(hops == value):
        if end - first <= size and (value or (first > 0 and end < len(hops))):
            hops[first:end] = not value
    return hops


def runs(hops: Hops) -> list[tuple[int, int]]:
    """First hop and the one after the last of every run of true ones."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], hops, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in changes.reshape(-1, 2)]


def _lufs(powers: Doubles) -> float:
    """Loudness of these hops put end to end, in 400 ms blocks behind the gates of BS.1770."""
    if not powers.size:
        return float("-inf")
    blocks = sliding_window_view(powers, min(GATE_BLOCK_HOPS, len(powers))).mean(axis=1)
    blocks = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if not blocks.size:
        return float("-inf")
    return float(-0.691 + 10 * np.log10(blocks[blocks > blocks.mean() / 10].mean()))


def _reference(loudness: Doubles, hops: NDArray[np.int64]) -> float:
    """The loudness all turns are brought to: that of the turns not further than 10 LU under the mean, as BS.1770 gates blocks."""
    energy = np.power(10.0, loudness / 10)
    kept = energy > np.average(energy, weights=hops) / 10
    return float(10 * np.log10(np.average(energy[kept], weights=hops[kept])))


def _clear_db(levels_db: Floats, floors_db: Floats, spoken: Hops) -> float:
    """By how much speech stands above its background."""
    return _speech_level_db(levels_db, spoken) - float(np.median(floors_db[spoken]))


def _speech_level_db(levels_db: Floats, spoken: Hops) -> float:
    """Mean power of what is spoken, dB."""
    return float(10 * np.log10(np.power(10.0, levels_db[spoken].astype(float) / 10).mean()))


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


def _turn(spoken: Hops, stretch: tuple[int, int], loudness_lufs: float, gain_db: float) -> Turn:
    """A turn as told, from its first word to its last."""
    heard = stretch[0] + np.flatnonzero(spoken[slice(*stretch)])
    return Turn(float(heard[0] * HOP_S), float((heard[-1] + 1) * HOP_S), float(loudness_lufs), float(gain_db))


def _ramped(aims: Doubles, spoken: Hops, starts: list[int], levels_db: Floats, speech_db: float) -> Doubles:
    """The aims at hop edges, joined by ramps: in the pauses where there are any, down before a loud word begins."""
    gains = np.concatenate([aims[:1], aims])
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
    return sorted({*gaps, *((start, start) for start in starts if 0 < start and spoken[start - 1])})


def _between(sides: list[float], levels_db: Floats, speech_db: float) -> float:
    """The gain while nobody speaks, from the gains on its sides."""
    if len(levels_db) >= MUSIC_HOPS and np.median(levels_db) > speech_db - MUSIC_UNDER_DB:
        return 0.0
    return min(*sides, 0.0 if len(levels_db) > LONG_HOPS else PAUSE_DB)


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
