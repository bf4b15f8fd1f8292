"""Detect speech in a profile, as opposed to music and noise, and measure its loudness.

Speech rises and falls a few times a second above its background; music and noise do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.audio.profile import BLOCKS_PER_HOP, BLOCKS_PER_S, HOPS_PER_S, MOMENTS_PER_S, Floats, Profile, by

Hops = NDArray[np.bool_]
Doubles = NDArray[np.float64]
Fold = Callable[..., Any]  # reduces an array along an axis, like `np.min`; numpy's own signatures are overloads that no type covers

SYLLABLE_DB = 6.0  # a syllable rises at least this far above its surroundings; sustained notes and steady noise seldom do
SYLLABLE_HOPS = 8  # on each side: syllables last up to 400 ms
AROUND_HOPS = 30  # 1.5 s: the window that decides on speech; the shortest "oui" with its edges fills half of it
STEADY_DB, STEADY_HOPS = 4.0, 2  # noise varies less than this within 250 ms
NEAR_S = 10  # on each side: the context in which background and voices are compared
ABOVE_DB = 6.0  # speech is at least this far above the background
HIDDEN_DB = 40.0  # assumed distance of the background below the voices where nothing is steady
HISS_DB = 22.0  # steady sound this far below the voices is noise, even where the noise is lower at other moments
APART_DB = 8.0  # steady sound closer to the voices than this may be music
LOWEST_DB = -80.0  # quieter than any room: edits, digital silence
DIP_HOPS = 3  # gaps of up to 150 ms are inside words
WORD_HOPS = 2  # anything shorter is a click
SLOT_BLOCKS = BLOCKS_PER_S // MOMENTS_PER_S
GATE_BLOCK_HOPS = 8  # 400 ms


def talking(profile: Profile) -> Hops:
    """Mark the hops with speech: above the background, with the rise and fall of syllables."""
    levels_db = profile.levels_db
    if len(levels_db) < WORD_HOPS:
        return np.zeros(len(levels_db), bool)
    bounded = np.maximum(levels_db, LOWEST_DB)
    steady = _around(_steady_db(bounded), STEADY_HOPS, np.min)  # of the whole moment, not only its centre
    spoken = _lively(bounded) & (bounded > background_db(levels_db) + ABOVE_DB) & (steady > _voices_db(bounded) - HISS_DB)
    return _without(True, _without(False, spoken, DIP_HOPS), WORD_HOPS - 1)


def background_db(levels_db: Floats) -> Floats:
    """Return the background level at each hop, dB: the quietest steady moment within `CONTEXT_S`.

    It must be near the lowest level (a held vowel is steady, but louder) and well under the voices (so is music). Where there is no such
    moment, it is interpolated from the nearest pauses, or, without any, `DEFAULT_SNR_DB` under the voices.
    """
    bounded = np.maximum(levels_db, LOWEST_DB)
    quiet, lowest, voices = _near(_steady_db(bounded), np.min), _near(bounded, _percentile(1)) + STEADY_DB, _voices_db(bounded)
    known = np.flatnonzero(quiet <= np.minimum(lowest, voices - APART_DB))
    if not known.size:
        background: Floats = np.maximum(voices - HIDDEN_DB, LOWEST_DB)
    else:
        background = np.minimum(np.interp(np.arange(len(quiet)), known, quiet[known]), lowest)
    return background.astype(np.float32)


def weighted_powers(profile: Profile) -> Doubles:
    """Return the K-weighted mean square of each hop; its loudness is −0.691 + 10 log₁₀ of it (BS.1770-5).

    Momentary loudness covers 400 ms, so a loud voice masks 300 ms of the quiet one after it. The unweighted powers show when each was
    active, and Richardson–Lucy deconvolution combines both: slots of 100 ms are corrected until their windows match the measurement.
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


def gated_lufs(powers: Doubles) -> float:
    """Return the loudness of these hops concatenated, LUFS, in 400 ms blocks with the gates of BS.1770; minus infinity when silent."""
    if not powers.size:
        return float("-inf")
    blocks = sliding_window_view(powers, min(GATE_BLOCK_HOPS, len(powers))).mean(axis=1)
    blocks = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if not blocks.size:
        return float("-inf")
    return float(-0.691 + 10 * np.log10(blocks[blocks > blocks.mean() / 10].mean()))


def runs(hops: Hops) -> list[tuple[int, int]]:
    """Return (first, end) of every run of true values; `end` is exclusive."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], hops, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in changes.reshape(-1, 2)]


def level_db(levels_db: Floats) -> float:
    """Return the mean of levels, averaged as powers, dB."""
    return float(10 * np.log10(np.power(10.0, levels_db.astype(float) / 10).mean()))


def _steady_db(levels_db: Floats) -> Floats:
    """Return the level of steady moments, infinity elsewhere."""
    high, low = _around(levels_db, STEADY_HOPS, np.max), _around(levels_db, STEADY_HOPS, np.min)
    return np.where(high - low < STEADY_DB, high, np.inf)


def _voices_db(levels_db: Floats) -> Floats:
    """Return the level of the loud syllables near each hop, dB."""
    return _near(np.where(_lively(levels_db), levels_db, LOWEST_DB), _percentile(90))


def _lively(levels_db: Floats) -> Hops:
    """Mark hops where half of the surrounding window is syllables, which rise and fall, unlike a fade or an attack."""
    size = SYLLABLE_HOPS
    padded = np.pad(levels_db, size, mode="edge")
    lowest = sliding_window_view(padded, size + 1).min(axis=1)
    stands = levels_db - np.maximum(lowest[: len(levels_db)], lowest[size:])
    syllable = _around(stands, size // 2, np.max) > SYLLABLE_DB
    share = np.convolve(syllable, np.full(AROUND_HOPS + 1, 1 / (AROUND_HOPS + 1)), "same" if len(syllable) > AROUND_HOPS else "full")
    return share[(len(share) - len(syllable)) // 2 :][: len(syllable)] >= 0.5


def _around(values: Floats, size: int, fold: Fold) -> Floats:
    """Reduce each value and its `size` neighbours on each side with `fold`."""
    folded: Floats = fold(sliding_window_view(np.pad(values, size, mode="edge"), 2 * size + 1), axis=1)
    return folded


def _near(values: Floats, fold: Fold) -> Floats:
    """Reduce the values within `CONTEXT_S` of each second with `fold`; each hop of the second gets the result."""
    seconds = -(-len(values) // HOPS_PER_S)
    padded = np.pad(values, (NEAR_S * HOPS_PER_S, (seconds + NEAR_S) * HOPS_PER_S - len(values)), mode="edge")
    windows = sliding_window_view(padded, (2 * NEAR_S + 1) * HOPS_PER_S)[::HOPS_PER_S]
    folded = np.concatenate([fold(windows[first : first + 600], axis=1) for first in range(0, seconds, 600)])  # in batches, to limit memory
    return np.repeat(folded, HOPS_PER_S)[: len(values)]


def _percentile(share: float) -> Fold:
    """Return a reducer that computes a percentile."""
    return lambda values, axis: np.percentile(values, share, axis=axis)


def _without(value: bool, hops: Hops, size: int) -> Hops:
    """Invert runs of `value` of up to `size` hops; silence before the first word and after the last is kept."""
    hops = hops.copy()
    for first, end in runs(hops == value):
        if end - first <= size and (value or (first > 0 and end < len(hops))):
            hops[first:end] = not value
    return hops
