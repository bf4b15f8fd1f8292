"""Figures from profiles: voices, noise, peaks, and lines of one value a column to draw. No files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.audio.profile import (
    BLOCKS_PER_S,
    FLOOR_DB,
    HOPS_PER_S,
    MOMENTS_PER_S,
    SILENT_LUFS,
    Floats,
    Profile,
    decibels,
    integrated_lufs,
    short_term_lufs,
)

Span = tuple[float, float]  # seconds
MOMENT_S = 0.4  # what a momentary loudness measures
SHORT_TERM_S = 3.0
AROUND_WORDS_S = 0.15  # consonants and breaths that a word's times leave out
ENOUGH_HOPS = HOPS_PER_S  # a second outside speech says what the noise is; less does not
PROGRAMME_LU = 25.0  # what is further under the programme's loudness is a pause: its gain says nothing of the voices


def loudness_lufs(profile: Profile, spans: Iterable[Span]) -> float | None:
    """Loudness of what lies within `spans`, gated as BS.1770 gates a programme; None when nothing there passes the gates.

    Only the 400 ms that lie whole within a span count, so that a loud neighbour does not.
    """
    import numpy as np

    pieces = [np.full(3, FLOOR_DB, np.float32)]  # `integrated_lufs` leaves out its first three, which in a file are incomplete
    for start_s, end_s in spans:
        first = math.ceil((start_s + MOMENT_S) * MOMENTS_PER_S - 1e-6) - 1  # a moment is named by its end
        pieces.append(profile.momentary_lufs[first : max(first, math.floor(end_s * MOMENTS_PER_S + 1e-6))])
    return finite(integrated_lufs(np.concatenate(pieces)))


def noise_floor_db(profile: Profile, spoken: Iterable[Span]) -> tuple[float | None, bool]:
    """The level that 19 in 20 of the moments outside `spoken` are above, digital silence left out, and whether there were any.

    With less than a second outside speech it is taken over everything; None when all is digital silence.
    """
    import numpy as np

    levels = profile.levels_db
    outside = np.ones(len(levels), bool)
    for start_s, end_s in spoken:
        outside[max(0, int((start_s - AROUND_WORDS_S) * HOPS_PER_S)) : int((end_s + AROUND_WORDS_S) * HOPS_PER_S) + 1] = False
    heard = levels > FLOOR_DB
    apart = bool((outside & heard).sum() >= ENOUGH_HOPS)
    chosen = levels[outside & heard] if apart else levels[heard]
    return (float(np.percentile(chosen, 5)) if chosen.size else None), apart


def peak_dbfs(profile: Profile) -> float | None:
    """The highest sample; None in digital silence."""
    return float(decibels(profile.peaks.max(keepdims=True) ** 2)[0]) if profile.peak > 0 else None


def loudest_lufs(profile: Profile) -> float | None:
    """The loudest three seconds (EBU Tech 3341, maximum short-term); None under three seconds."""
    whole = short_term_lufs(profile.momentary_lufs)[round(SHORT_TERM_S * MOMENTS_PER_S) - 1 :]
    return finite(float(whole.max())) if whole.size else None


def each_second(profile: Profile) -> list[float | None]:
    """Short-term loudness at the end of each second; None where it is silent."""
    values = short_term_lufs(profile.momentary_lufs)[MOMENTS_PER_S - 1 :: MOMENTS_PER_S]
    return [finite(float(value)) for value in values]


def finite(value: float) -> float | None:
    """A loudness that is one, to the hundredth: None for what never passes BS.1770's absolute gate."""
    return round(value, 2) if value > SILENT_LUFS else None


def columns_of(duration_s: float, most: int) -> int:
    """How many columns a sound is drawn in: as many as there are blocks, `most` at most, 1 at least."""
    return max(1, min(most, int(duration_s * BLOCKS_PER_S)))


def envelope_db(profile: Profile, columns: int) -> tuple[Floats, Floats]:
    """Highest sample, and RMS level of the quietest hop, of each column of time; dB full scale."""
    import numpy as np

    return (
        decibels(_folded(profile.peaks, columns, np.maximum) ** 2),
        _folded(profile.levels_db, columns, np.minimum),
    )


def smoothed_lufs(profile: Profile, columns: int, window_s: float) -> Floats:
    """Mean loudness of the `window_s` around the middle of each column, or of the column where that is longer."""
    import numpy as np

    energy = np.power(10.0, profile.momentary_lufs.astype(float) / 10)
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    column_s = profile.duration_s / columns
    middles, half = (np.arange(columns) + 0.5) * column_s, max(window_s, column_s) / 2
    most = max(len(energy) - 1, 0)
    # A moment began 400 ms before it ended: the first whole one in a window is the fourth tenth to end there.
    first = np.clip(np.round((middles - half) * MOMENTS_PER_S).astype(int) + 3, 0, most)
    last = np.clip(np.round((middles + half) * MOMENTS_PER_S).astype(int), first + 1, len(energy))
    mean = (sums[last] - sums[first]) / np.maximum(last - first, 1)
    return np.maximum(10 * np.log10(np.maximum(mean, 1e-20)), FLOOR_DB).astype(np.float32)


def gains_db(before: Profile, after: Profile, columns: int) -> list[float | None]:
    """By how much each column of time is louder than it was, over a second at least; None in pauses, where that is noise."""
    old, new = (smoothed_lufs(profile, columns, 1.0) for profile in (before, after))
    least = max(before.integrated_lufs - PROGRAMME_LU, SILENT_LUFS)
    return [float(b - a) if a > least and b > SILENT_LUFS else None for a, b in zip(old, new, strict=True)]


def _folded(values: Floats, columns: int, fold: Any) -> Floats:
    """`fold` of the values of each column; a column shorter than a value takes the one it begins in."""
    import numpy as np

    edges: Sequence[int] = np.arange(columns) * len(values) // columns
    return fold.reduceat(values, edges) if len(values) else np.zeros(columns, np.float32)
