"""Captions that cannot be read in time, or do not fit on a screen. Pure; also for captions that a person or another program wrote.

At most two lines (Charte de qualité du sous-titrage, CSA, 2011), and 20 characters a second, beyond which viewers stop following
(BBC Subtitle Guidelines; Netflix Timed Text Style Guide, adult programmes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CPS = 20.0  # characters a second
MAX_LINES = 2
_TOLERANCE_CPS = 0.05  # times are in milliseconds
_CLOCK = r"(?:(\d+):)?(\d\d):(\d\d)[.,](\d{3})"
_TIMING = re.compile(rf"\s*{_CLOCK}[ \t]+-->[ \t]+{_CLOCK}")
_TAG = re.compile(r"<[^<>]*>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\u00a0"), ("&amp;", "&"))


@dataclass(frozen=True)
class UnreadableCue:
    """A cue of a caption file that is too fast, or too tall."""

    line: int  # of its times, from 1
    start_s: float
    chars_per_s: float
    lines: int

    @property
    def is_fast(self) -> bool:
        """Whether it is too fast; otherwise it has too many lines."""
        return self.chars_per_s > MAX_CPS + _TOLERANCE_CPS


def unreadable_cues(text: str) -> Iterator[UnreadableCue]:
    """The cues of a WebVTT or SRT file that nobody can read; what is not a cue is ignored, as `first_error` reports it."""
    rows = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    place = 0
    while place < len(rows):
        timing = _TIMING.match(rows[place]) if "-->" in rows[place] else None
        place += 1
        if timing is None:
            continue
        first = place
        while place < len(rows) and rows[place].strip():
            place += 1
        shown = [_displayed(row) for row in rows[first:place]]
        start_s, end_s = _seconds(*timing.groups()[:4]), _seconds(*timing.groups()[4:])
        cps = (sum(map(len, shown)) + len(shown) - 1) / max(end_s - start_s, 0.001) if shown else 0.0
        if len(shown) > MAX_LINES or cps > MAX_CPS + _TOLERANCE_CPS:
            yield UnreadableCue(first, start_s, round(cps, 1), len(shown))


def _displayed(row: str) -> str:
    """A line without tags and entities."""
    row = _TAG.sub("", row) if "<" in row else row
    if "&" in row:
        for entity, char in _ENTITIES:
            row = row.replace(entity, char)
    return row


def _seconds(hours: str | None, minutes: str, seconds: str, milliseconds: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(milliseconds) / 1000
