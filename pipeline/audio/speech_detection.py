"""Detect speech in a profile, as opposed to music and noise, and measure its loudness.

Speech rises and falls a few times a second above its background; music and noise do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.audio.level_profile import (
    BLOCKS_PER_HOP,
    BLOCKS_PER_S,
    HOPS_PER_S,
    MOMENTARY_PER_S,
    Float32Array,
    LevelProfile,
    reduce_groups,
)

HopMask = NDArray[np.bool_]
Float64Array = NDArray[np.float64]
Reducer = Callable[..., Any]  # reduces an array along an axis, like `np.min`; numpy's own signatures are overloads that no type covers

MIN_SYLLABLE_DB = 6.0  # a syllable rises at least this far above its surroundings; sustained notes and steady noise seldom do
SYLLABLE_HOPS = 8  # on each side: syllables last up to 400 ms
SPEECH_WINDOW_HOPS = 30  # 1.5 s: the window that decides on speech; the shortest "oui" with its edges fills half of it
STEADY_RANGE_DB, STEADY_HOPS = 4.0, 2  # noise varies less than this within 250 ms
CONTEXT_S = 10  # on each side: the context in which background and voices are compared
MIN_SPEECH_OVER_BACKGROUND_DB = 6.0  # speech is at least this far above the background
DEFAULT_SNR_DB = 40.0  # assumed distance of the background below the voices where nothing is steady
NOISE_UNDER_VOICE_DB = 22.0  # steady sound this far below the voices is noise, even where the noise is lower at other moments
MIN_BACKGROUND_DISTANCE_DB = 8.0  # steady sound closer to the voices than this may be music
MIN_ROOM_DB = -80.0  # quieter than any room: edits, digital silence
MAX_DIP_HOPS = 3  # gaps of up to 150 ms are inside words
MIN_WORD_HOPS = 2  # anything shorter is a click
SLOT_BLOCKS = BLOCKS_PER_S // MOMENTARY_PER_S
GATE_BLOCK_HOPS = 8  # 400 ms


def speech_mask(profile: LevelProfile) -> HopMask:
    """Mark the hops with speech: above the background, with the rise and fall of syllables."""
    levels_db = profile.levels_db
    if len(levels_db) < MIN_WORD_HOPS:
        return np.zeros(len(levels_db), bool)
    bounded = np.maximum(levels_db, MIN_ROOM_DB)
    steady = _sliding(_steady_level_db(bounded), STEADY_HOPS, np.min)  # of the whole moment, not only its centre
    speech = (
        _syllable_mask(bounded)
        & (bounded > background_db(levels_db) + MIN_SPEECH_OVER_BACKGROUND_DB)
        & (steady > _voice_level_db(bounded) - NOISE_UNDER_VOICE_DB)
    )
    return _drop_short_runs(True, _drop_short_runs(False, speech, MAX_DIP_HOPS), MIN_WORD_HOPS - 1)


def background_db(levels_db: Float32Array) -> Float32Array:
    """Return the background level at each hop, dB: the quietest steady moment within `CONTEXT_S`.

    It must be near the lowest level (a held vowel is steady, but louder) and well under the voices (so is music). Where there is no such
    moment, it is interpolated from the nearest pauses, or, without any, `DEFAULT_SNR_DB` under the voices.
    """
    bounded = np.maximum(levels_db, MIN_ROOM_DB)
    steady_db, lowest_db, voices_db = (
        _sliding_per_second(_steady_level_db(bounded), np.min),
        _sliding_per_second(bounded, _percentile_reducer(1)) + STEADY_RANGE_DB,
        _voice_level_db(bounded),
    )
    known = np.flatnonzero(steady_db <= np.minimum(lowest_db, voices_db - MIN_BACKGROUND_DISTANCE_DB))
    if not known.size:
        background: Float32Array = np.maximum(voices_db - DEFAULT_SNR_DB, MIN_ROOM_DB)
    else:
        background = np.minimum(np.interp(np.arange(len(steady_db)), known, steady_db[known]), lowest_db)
    return background.astype(np.float32)


def k_weighted_powers(profile: LevelProfile) -> Float64Array:
    """Return the K-weighted mean square of each hop; its loudness is −0.691 + 10 log₁₀ of it (BS.1770-5).

    Momentary loudness covers 400 ms, so a loud voice masks 300 ms of the quiet one after it. The unweighted powers show when each was
    active, and Richardson–Lucy deconvolution combines both: slots of 100 ms are corrected until their windows match the measurement.
    """
    unweighted = reduce_groups(profile.powers, BLOCKS_PER_HOP, np.mean).astype(float)
    slots = reduce_groups(profile.powers, SLOT_BLOCKS, np.mean).astype(float) + 1e-14
    measured = np.power(10.0, (profile.momentary_lufs[: len(slots)].astype(float) + 0.691) / 10)
    if not measured.size:
        return unweighted
    corrected = slots.copy()
    for _ in range(8):
        ratio = np.clip(measured / (np.convolve(corrected, np.full(4, 0.25))[: len(measured)] + 1e-14), 0.01, 100)
        ratio = np.concatenate([ratio, np.full(len(slots) + 3 - len(ratio), ratio[-1])])
        corrected *= sliding_window_view(ratio, 4).mean(axis=1)
    return unweighted * np.repeat(corrected / slots, 2)[: len(unweighted)]


def gated_lufs(powers: Float64Array) -> float:
    """Return the loudness of these hops concatenated, LUFS, in 400 ms blocks with the gates of BS.1770; minus infinity when silent."""
    if not powers.size:
        return float("-inf")
    blocks = sliding_window_view(powers, min(GATE_BLOCK_HOPS, len(powers))).mean(axis=1)
    blocks = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if not blocks.size:
        return float("-inf")
    return float(-0.691 + 10 * np.log10(blocks[blocks > blocks.mean() / 10].mean()))


def true_runs(hops: HopMask) -> list[tuple[int, int]]:
    """Return (first, end) of every run of true values; `end` is exclusive."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], hops, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in changes.reshape(-1, 2)]


def mean_level_db(levels_db: Float32Array) -> float:
    """Return the mean of levels, averaged as powers, dB."""
    return float(10 * np.log10(np.power(10.0, levels_db.astype(float) / 10).mean()))


def _steady_level_db(levels_db: Float32Array) -> Float32Array:
    """Return the level of steady moments, infinity elsewhere."""
    high, low = _sliding(levels_db, STEADY_HOPS, np.max), _sliding(levels_db, STEADY_HOPS, np.min)
    return np.where(high - low < STEADY_RANGE_DB, high, np.inf)


def _voice_level_db(levels_db: Float32Array) -> Float32Array:
    """Return the level of the loud syllables near each hop, dB."""
    return _sliding_per_second(np.where(_syllable_mask(levels_db), levels_db, MIN_ROOM_DB), _percentile_reducer(90))


def _syllable_mask(levels_db: Float32Array) -> HopMask:
    """Mark hops where half of the surrounding window is syllables, which rise and fall, unlike a fade or an attack."""
    size = SYLLABLE_HOPS
    padded = np.pad(levels_db, size, mode="edge")
    lowest = sliding_window_view(padded, size + 1).min(axis=1)
    prominence_db = levels_db - np.maximum(lowest[: len(levels_db)], lowest[size:])
    syllable = _sliding(prominence_db, size // 2, np.max) > MIN_SYLLABLE_DB
    share = np.convolve(
        syllable, np.full(SPEECH_WINDOW_HOPS + 1, 1 / (SPEECH_WINDOW_HOPS + 1)), "same" if len(syllable) > SPEECH_WINDOW_HOPS else "full"
    )
    return share[(len(share) - len(syllable)) // 2 :][: len(syllable)] >= 0.5


def _sliding(values: Float32Array, size: int, reducer: Reducer) -> Float32Array:
    """Reduce each value and its `size` neighbours on each side with `reducer`."""
    folded: Float32Array = reducer(sliding_window_view(np.pad(values, size, mode="edge"), 2 * size + 1), axis=1)
    return folded


def _sliding_per_second(values: Float32Array, reducer: Reducer) -> Float32Array:
    """Reduce the values within `CONTEXT_S` of each second with `reducer`; each hop of the second gets the result."""
    seconds = -(-len(values) // HOPS_PER_S)
    padded = np.pad(values, (CONTEXT_S * HOPS_PER_S, (seconds + CONTEXT_S) * HOPS_PER_S - len(values)), mode="edge")
    windows = sliding_window_view(padded, (2 * CONTEXT_S + 1) * HOPS_PER_S)[::HOPS_PER_S]
    folded = np.concatenate(
        [reducer(windows[first : first + 600], axis=1) for first in range(0, seconds, 600)]
    )  # in batches, to limit memory
    return np.repeat(folded, HOPS_PER_S)[: len(values)]


def _percentile_reducer(share: float) -> Reducer:
    """Return a reducer that computes a percentile."""
    return lambda values, axis: np.percentile(values, share, axis=axis)


def _drop_short_runs(value: bool, hops: HopMask, size: int) -> HopMask:
    """Invert runs of `value` of up to `size` hops; silence before the first word and after the last is kept."""
    hops = hops.copy()
    for first, end in true_runs(hops == value):
        if end - first <= size and (value or (first > 0 and end < len(hops))):
            hops[first:end] = not value
    return hops
