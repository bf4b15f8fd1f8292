"""Dates, file sizes and durations as written in one language."""

from __future__ import annotations

from datetime import datetime

from pipeline.model import NO_BREAK_SPACE
from pipeline.templates import labels


def format_size(size_bytes: int, language: str) -> str:
    """A file size in decimal units (1 kB = 1000 bytes): « 7,7 Mo », « 54 ko », "7.7 MB"."""
    units = labels("site", language)["units"]
    if size_bytes < 999_500:
        return f"{max(1, round(size_bytes / 1e3))}{NO_BREAK_SPACE}{units['kilo']}"
    return f"{size_bytes / 1e6:.1f}".replace(".", units["point"]) + f"{NO_BREAK_SPACE}{units['mega']}"


def format_date(moment: datetime, language: str) -> str:
    """The date written out: « 1er décembre 2026 », "1 December 2026"."""
    words = labels("site", language)
    number = words["first_day"] if moment.day == 1 else str(moment.day)
    return f"{number}{NO_BREAK_SPACE}{words['months'][moment.month - 1]} {moment.year}"


def iso_duration(seconds: float) -> str:
    """A duration as schema.org wants it (ISO 8601), in whole seconds: `PT8M6S`."""
    total_s = int(seconds)
    hours, minutes, rest = total_s // 3600, total_s // 60 % 60, total_s % 60
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + f"{rest}S"
