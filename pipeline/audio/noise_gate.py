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

from pipeline.audio.level_profile import HOPS_PER_S, SILENCE_DB, Float32Array, LevelProfile
from pipeline.audio.speech_detection import Float64Array, HopMask, background_db, speech_mask, true_runs
from pipeline.audio.track_references import LOUD_PERCENTILE, reference_levels_db

_T = TypeVar("_T", bound=np.generic)
DEPTH_DB = {"off": 0.0, "gentle": 15.0, "strong": 25.0}  # attenuation; not a full mute, which would be audible
LOOKAHEAD_HOPS = 4  # open 200 ms before the first detected word, because consonants are softer than the vowels they lead to
HOLD_HOPS = 6  # and stay open 300 ms after the last one
MIN_CLOSED_HOPS = 10  # closing for half a second or less is audible and gains nothing
OPENING_SLOPE_DB, CLOSING_SLOPE_DB = 7.5, 2.5  # opens in 100 to 150 ms, closes in 300 to 500 ms
SMOOTH_HOPS = 2  # levels are compared over 250 ms: rooms blur what spills
ACTIVE_RANGE_DB = 20.0  # below loud speech: laughter, an instrument, anything that is neither speech nor noise
MIN_SPILL_DIFFERENCE_DB = 6.0  # a track further than this below another at the same moment may hold only spill
OVER_SPILL_DB = 6.0  # above the usual spill: two people speak at once
MIN_SPILL_SHARE = 0.3  # of what is active on both tracks: in one room, all but simultaneous speech
MIN_SPILL_CORRELATION = 0.6  # correlation of level changes; unrelated tracks stay below 0.5, spill mixed with one's own voice reaches 0.7
RISE_HOPS = 3
MIN_SPILL_HOPS = 2 * HOPS_PER_S  # of spill, to conclude that two tracks were recorded in one room


def gate_gains_db(profiles: Sequence[LevelProfile], strength: str = "gentle") -> list[Float32Array]:
    """Return the gain of each track, dB at its hop edges (0 is open), from all tracks of a conversation, which start together.

    `strength` is "off", "gentle" or "strong". A single track, and a track without speech of its own, stay open.
    """
    lengths = [len(profile.levels_db) for profile in profiles]
    if len(profiles) < 2 or strength == "off":
        return [np.zeros(length + 1, np.float32) for length in lengths]
    levels, active = _smoothed_levels(profiles), _padded_table([_active_hops(profile) for profile in profiles], False)
    own_speech = _own_speech_hops(levels - reference_levels_db(levels, active)[:, None], active)
    is_open = _keep_one_open(np.array([_open_hops(own) for own in own_speech]))
    depth_db = DEPTH_DB[strength]
    return [
        _gate_curve(is_open[index, :length], depth_db) if own_speech[index].any() else np.zeros(length + 1, np.float32)
        for index, length in enumerate(lengths)
    ]


def gate_references_db(profiles: Sequence[LevelProfile]) -> list[float]:
    """Return the reference level of each track, dB: see `track_references.reference_levels_db`."""
    return [
        float(each)
        for each in reference_levels_db(_smoothed_levels(profiles), _padded_table([_active_hops(profile) for profile in profiles], False))
    ]


def _smoothed_levels(profiles: Sequence[LevelProfile]) -> Float64Array:
    """Smoothed levels, dB, one row per track; `SILENCE_DB` after the end of the shorter ones."""
    return _padded_table([_smooth_levels(profile.levels_db) for profile in profiles], SILENCE_DB)


def _active_hops(profile: LevelProfile) -> HopMask:
    """Mark the hops where a track holds speech or other foreground sound; none when it holds no speech at all."""
    speech, levels_db = speech_mask(profile), profile.levels_db
    if not speech.any():
        return speech
    heard_db: Float32Array = np.maximum(
        np.percentile(levels_db[speech], LOUD_PERCENTILE) - ACTIVE_RANGE_DB, background_db(levels_db) + OVER_SPILL_DB
    )
    return speech | (levels_db > heard_db)


def _own_speech_hops(levels: Float64Array, active: HopMask) -> HopMask:
    """Mark the hops where a track is active through its own speaker, one row per track; `levels` are relative to the references, dB."""
    own_speech, loudest = active.copy(), np.argmax(levels, axis=0)
    for track in range(len(levels)):
        for other_track in range(len(levels)):
            if track != other_track:
                difference_db = levels[track] - levels[other_track]
                both = (
                    active[track] & active[other_track] & ((loudest == track) | (loudest == other_track))
                )  # exclude a third speaker picked up by both
                spill = both & (difference_db < -MIN_SPILL_DIFFERENCE_DB)
                differing = both & (np.abs(difference_db) > MIN_SPILL_DIFFERENCE_DB)
                if differing.sum() > MIN_SPILL_SHARE * both.sum() and _is_correlated(levels[track], levels[other_track], spill):
                    own_speech[track] &= difference_db > min(
                        float(np.median(difference_db[spill])) + OVER_SPILL_DB, -MIN_SPILL_DIFFERENCE_DB
                    )
    return own_speech


def _is_correlated(track: Float64Array, other_track: Float64Array, spill: HopMask) -> bool:
    """Whether the level changes of two tracks correlate in these hops. The levels themselves are similar by selection."""
    both = spill[RISE_HOPS:] & spill[:-RISE_HOPS]
    if both.sum() < MIN_SPILL_HOPS:
        return False
    rises = [(each[RISE_HOPS:] - each[:-RISE_HOPS])[both] for each in (track, other_track)]
    return bool(np.dot(*rises) > MIN_SPILL_CORRELATION * np.sqrt(np.dot(rises[0], rises[0]) * np.dot(rises[1], rises[1])))


def _open_hops(own: HopMask) -> HopMask:
    """Extend each open run by lookahead and hold, and bridge short gaps."""
    marks = np.zeros(len(own) + 1, int)
    for first, end in true_runs(own):
        marks[max(0, first - LOOKAHEAD_HOPS)] += 1
        marks[min(len(own), end + HOLD_HOPS)] -= 1
    is_open = np.cumsum(marks[:-1]) > 0
    for first, end in true_runs(~is_open):
        if end - first <= MIN_CLOSED_HOPS and first and end < len(is_open):
            is_open[first:end] = True
    return is_open


def _keep_one_open(is_open: HopMask) -> HopMask:
    """Keep the last track to close open until another one opens."""
    any_open: HopMask = np.any(is_open, axis=0)
    last_open = np.maximum.accumulate(np.where(any_open, np.arange(len(any_open)), -1))
    all_closed = np.flatnonzero(~any_open & (last_open >= 0))
    opened = is_open.copy()
    opened[np.argmax(is_open[:, last_open[all_closed]], axis=0), all_closed] = True
    return opened


def _gate_curve(is_open: HopMask, depth_db: float) -> Float32Array:
    """Return the gain at hop edges, dB; the ramps lie where the gate is closed."""
    if not len(is_open):
        return np.zeros(1, np.float32)
    edges = np.arange(len(is_open) + 1)
    level = np.where(np.concatenate([is_open[:1], is_open]) | np.concatenate([is_open, is_open[-1:]]), 0.0, -depth_db)
    closing = np.maximum.accumulate(level + CLOSING_SLOPE_DB * edges) - CLOSING_SLOPE_DB * edges
    opening = np.maximum.accumulate((level - OPENING_SLOPE_DB * edges)[::-1])[::-1] + OPENING_SLOPE_DB * edges
    gains_db: Float32Array = np.maximum(closing, opening).astype(np.float32)
    return gains_db


def _smooth_levels(levels_db: Float32Array) -> Float64Array:
    """Average levels as powers over `SMOOTH_HOPS` on each side."""
    powers, weights = np.power(10.0, levels_db.astype(float) / 10), np.ones(len(levels_db))
    window = np.ones(2 * SMOOTH_HOPS + 1)
    sums = [np.convolve(each, window)[SMOOTH_HOPS : SMOOTH_HOPS + len(each)] if len(each) else each for each in (powers, weights)]
    return 10 * np.log10(np.maximum(sums[0] / np.maximum(sums[1], 1), 1e-12))


def _padded_table(rows: Sequence[NDArray[_T]], value: float) -> NDArray[_T]:
    """Stack rows of unequal lengths in one table, padded with `value`."""
    table = np.full((len(rows), max(len(row) for row in rows)), value, rows[0].dtype)
    for row, filled in zip(rows, table, strict=True):
        filled[: len(row)] = row
    return table
