"""Series of values as SVG path data, and positions on the time axis. A column is 1 unit wide; 10 units are 1 dB high."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pipeline.model import format_clock

COLUMNS = 1200  # finer than a screen or paper shows, and few enough to keep the page small
BOTTOM_DB = -60  # the bottom of a panel: lower levels count as silence
UNITS_PER_DB = 10
_TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
MAX_TICKS = 12


def depth_units(db: float) -> int:
    """The distance of a level below 0 dB, in units, clipped to the panel."""
    return round(min(max(-db, 0), -BOTTOM_DB) * UNITS_PER_DB)


def area_path(levels_db: Sequence[float]) -> str:
    """The path of the area under a series of levels in dB, one step per column."""
    floor = -BOTTOM_DB * UNITS_PER_DB
    heights = [depth_units(level) for level in levels_db]
    moves = "".join(f"h1v{b - a}" for a, b in pairwise(heights)).replace("v0h", "h")
    return f"M0 {floor}V{heights[0]}{moves}h1V{floor}z"


def curve_path(values: Sequence[float | None], lowest: float = BOTTOM_DB + 0.1) -> str:
    """The path of a line through the middle of each column, in dB, interrupted where a value is None or less than `lowest`."""
    commands, previous = [], None
    for column, value in enumerate(values):
        y = None if value is None or value < lowest else round(-value * UNITS_PER_DB)
        if y is not None:
            commands.append(f"M{column}.5 {y}" if previous is None else f"l1 {y - previous}")
        previous = y
    return "".join(commands)


def stroke_path(spans: Iterable[tuple[float, float, float]], duration_s: float, columns: int) -> str:
    """The path of horizontal lines, each from `start_s` to `end_s` at a height in units, at least half a column long."""
    scale = columns / duration_s
    return "".join(
        f"M{start_s * scale:.1f} {height:.0f}h{max((end_s - start_s) * scale, 0.5):.1f}"
        for start_s, end_s, height in spans
        if start_s < duration_s
    )


def percent_of(seconds: float, duration_s: float) -> str:
    """A position on the time axis as a percentage, for SVG and CSS: "12.50%"."""
    return f"{min(max(100 * seconds / duration_s, 0), 100):.2f}%"


def time_ticks(duration_s: float) -> list[tuple[float, str]]:
    """Round times for the axis in seconds, with their labels; at most `MAX_TICKS`."""
    step_s = next((step for step in _TICK_STEPS_S if duration_s / step <= MAX_TICKS), 3600 * math.ceil(duration_s / 3600 / MAX_TICKS))
    return [(at_s, format_clock(at_s)) for at_s in range(0, math.ceil(duration_s), step_s)]


def axis_range_db(values: Iterable[float | None]) -> tuple[int, int]:
    """The ends of an axis in dB that includes every value and 0, in multiples of 6."""
    known = [0.0, *(value for value in values if value is not None)]
    low, high = 6 * math.floor(min(known) / 6), 6 * math.ceil(max(known) / 6)
    return low, max(high, low + 6)
