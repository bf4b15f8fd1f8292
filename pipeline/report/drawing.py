"""Lines of values as SVG paths, and where things stand on the time axis. One column is one unit wide, ten units are one dB high."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pipeline.text import hms

COLUMNS = 1200  # finer than paper or a screen shows, and a page stays light
BOTTOM_DB = -60  # of the panels: what is lower is silence
UNITS_PER_DB = 10
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
MOST_TICKS = 12


def height_of(db: float) -> int:
    """How far under 0 dB a level is drawn, in units, never below the panel."""
    return round(min(max(-db, 0), -BOTTOM_DB) * UNITS_PER_DB)


def area(levels_db: Sequence[float]) -> str:
    """The path of everything under a line of levels, a step a column."""
    floor = -BOTTOM_DB * UNITS_PER_DB
    heights = [height_of(level) for level in levels_db]
    moves = "".join(f"h1v{b - a}" for a, b in pairwise(heights)).replace("v0h", "h")
    return f"M0 {floor}V{heights[0]}{moves}h1V{floor}z"


def curve(values: Sequence[float | None], lowest: float = BOTTOM_DB + 0.1) -> str:
    """The path of a line of dB through the middle of each column, interrupted where there is none, or less than `lowest`."""
    path, before = [], None
    for column, value in enumerate(values):
        here = None if value is None or value < lowest else round(-value * UNITS_PER_DB)
        if here is not None:
            path.append(f"M{column}.5 {here}" if before is None else f"l1 {here - before}")
        before = here
    return "".join(path)


def strokes(spans: Iterable[tuple[float, float, float]], duration_s: float, columns: int) -> str:
    """The path of level lines, each from `start_s` to `end_s` at a height in units, half a column long at least."""
    scale = columns / duration_s
    return "".join(
        f"M{start_s * scale:.1f} {height:.0f}h{max((end_s - start_s) * scale, 0.5):.1f}"
        for start_s, end_s, height in spans
        if start_s < duration_s
    )


def share(seconds: float, duration_s: float) -> str:
    """A place on the time axis, for SVG and CSS: "12.5%"."""
    return f"{min(max(100 * seconds / duration_s, 0), 100):.2f}%"


def ticks(duration_s: float) -> list[tuple[float, str]]:
    """Round times to write along the axis and how they are written, `MOST_TICKS` at most."""
    step_s = next((step for step in _STEPS_S if duration_s / step <= MOST_TICKS), 3600 * math.ceil(duration_s / 3600 / MOST_TICKS))
    return [(at_s, hms(at_s)) for at_s in range(0, math.ceil(duration_s), step_s)]


def scale_db(values: Iterable[float | None]) -> tuple[int, int]:
    """The lowest and highest dB of an axis that holds every value and 0, in whole steps of 6."""
    known = [0.0, *(value for value in values if value is not None)]
    low, high = 6 * math.floor(min(known) / 6), 6 * math.ceil(max(known) / 6)
    return low, max(high, low + 6)
