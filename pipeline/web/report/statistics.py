"""Statistics of level profiles: loudness of voices, noise, peaks, and curves with one value per column. No file access."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipeline.audio import (
    ABSOLUTE_GATE_LUFS,
    BLOCKS_PER_S,
    HOPS_PER_S,
    MOMENTARY_PER_S,
    SILENCE_DB,
    Float32Array,
    LevelProfile,
    integrated_lufs,
    power_to_db,
    short_term_lufs,
)

if TYPE_CHECKING:
    import numpy as np

TimeInterval = tuple[float, float]  # start and end in seconds
MOMENTARY_S = 0.4  # the window of momentary loudness (EBU Tech 3341)
SHORT_TERM_S = 3.0  # the window of short-term loudness (EBU Tech 3341)
WORD_MARGIN_S = 0.15  # added on both sides of a word: its times leave out consonants and breaths
MIN_NOISE_HOPS = HOPS_PER_S  # less than a second outside speech is too little to measure noise
PAUSE_BELOW_LU = 25.0  # moments further below the programme loudness are pauses, whose gain is not that of the voices


def loudness_lufs(profile: LevelProfile, spans: Iterable[TimeInterval]) -> float | None:
    """The loudness within `spans` in LUFS, gated as BS.1770 gates a programme; None when nothing passes the gates.

    Only 400 ms blocks that lie entirely within a span count, so that a loud neighbour has no effect.
    """
    import numpy as np

    pieces = [np.full(3, SILENCE_DB, np.float32)]  # `integrated_lufs` skips the first three, which are incomplete at the start of a file
    for start_s, end_s in spans:
        first = math.ceil((start_s + MOMENTARY_S) * MOMENTARY_PER_S - 1e-6) - 1  # a block is indexed by its end
        pieces.append(profile.momentary_lufs[first : max(first, math.floor(end_s * MOMENTARY_PER_S + 1e-6))])
    return audible_lufs(integrated_lufs(np.concatenate(pieces)))


def noise_floor_db(profile: LevelProfile, spoken: Iterable[TimeInterval]) -> tuple[float | None, bool]:
    """The 5th percentile of the levels outside `spoken` in dB, without digital silence, and whether it was measured outside speech.

    With less than a second outside speech it is measured over everything. None when all is digital silence.
    """
    import numpy as np

    levels = profile.levels_db
    outside = np.ones(len(levels), bool)
    for start_s, end_s in spoken:
        outside[max(0, int((start_s - WORD_MARGIN_S) * HOPS_PER_S)) : int((end_s + WORD_MARGIN_S) * HOPS_PER_S) + 1] = False
    audible = levels > SILENCE_DB
    is_outside_speech = bool((outside & audible).sum() >= MIN_NOISE_HOPS)
    measured = levels[outside & audible] if is_outside_speech else levels[audible]
    return (float(np.percentile(measured, 5)) if measured.size else None), is_outside_speech


def peak_dbfs(profile: LevelProfile) -> float | None:
    """The sample peak in dBFS; None in digital silence."""
    return float(power_to_db(profile.peaks.max(keepdims=True) ** 2)[0]) if profile.peak > 0 else None


def max_short_term_lufs(profile: LevelProfile) -> float | None:
    """The maximum short-term loudness in LUFS (EBU Tech 3341); None under three seconds."""
    complete = short_term_lufs(profile.momentary_lufs)[round(SHORT_TERM_S * MOMENTARY_PER_S) - 1 :]
    return audible_lufs(float(complete.max())) if complete.size else None


def short_term_each_second(profile: LevelProfile) -> list[float | None]:
    """The short-term loudness in LUFS at the end of each second; None where it is silent."""
    values = short_term_lufs(profile.momentary_lufs)[MOMENTARY_PER_S - 1 :: MOMENTARY_PER_S]
    return [audible_lufs(float(value)) for value in values]


def audible_lufs(value: float) -> float | None:
    """A loudness rounded to 0.01 LUFS; None when it does not pass BS.1770's absolute gate."""
    return round(value, 2) if value > ABSOLUTE_GATE_LUFS else None


def column_count(duration_s: float, max_columns: int) -> int:
    """The number of columns of a curve: one per block of the profile, at least 1 and at most `max_columns`."""
    return max(1, min(max_columns, int(duration_s * BLOCKS_PER_S)))


def envelope_db(profile: LevelProfile, columns: int) -> tuple[Float32Array, Float32Array]:
    """The sample peak and the RMS level of the quietest hop in each column, in dBFS."""
    import numpy as np

    return (
        power_to_db(_reduce_columns(profile.peaks, columns, np.maximum) ** 2),
        _reduce_columns(profile.levels_db, columns, np.minimum),
    )


def smoothed_lufs(profile: LevelProfile, columns: int, window_s: float) -> Float32Array:
    """The mean loudness in LUFS of the `window_s` around the middle of each column, or of the whole column where that is longer."""
    import numpy as np

    energy = np.power(10.0, profile.momentary_lufs.astype(float) / 10)
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    column_s = profile.duration_s / columns
    middles, half = (np.arange(columns) + 0.5) * column_s, max(window_s, column_s) / 2
    last_index = max(len(energy) - 1, 0)
    # A block starts 400 ms before its end: the first complete one in a window ends at its fourth tenth of a second.
    first = np.clip(np.round((middles - half) * MOMENTARY_PER_S).astype(int) + 3, 0, last_index)
    last = np.clip(np.round((middles + half) * MOMENTARY_PER_S).astype(int), first + 1, len(energy))
    mean = (sums[last] - sums[first]) / np.maximum(last - first, 1)
    smoothed: Float32Array = np.maximum(10 * np.log10(np.maximum(mean, 1e-20)), SILENCE_DB).astype(np.float32)
    return smoothed


def gains_db(before: LevelProfile, after: LevelProfile, columns: int) -> list[float | None]:
    """The loudness gain of each column in dB, over at least one second; None in pauses, where it would be that of the noise."""
    old, new = (smoothed_lufs(profile, columns, 1.0) for profile in (before, after))
    threshold_lufs = max(before.integrated_lufs - PAUSE_BELOW_LU, ABSOLUTE_GATE_LUFS)
    return [float(b - a) if a > threshold_lufs and b > ABSOLUTE_GATE_LUFS else None for a, b in zip(old, new, strict=True)]


def _reduce_columns(values: Float32Array, columns: int, ufunc: np.ufunc) -> Float32Array:
    """Reduce the values of each column with `ufunc`; a column shorter than a value gets the value in which it starts."""
    import numpy as np

    if not len(values):
        return np.zeros(columns, np.float32)
    starts = np.arange(columns) * len(values) // columns
    reduced: Float32Array = ufunc.reduceat(values, starts)
    return reduced
