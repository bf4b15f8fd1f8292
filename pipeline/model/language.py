"""How numbers, dates, file sizes, durations and counts are written, in French and in English.

French for `fr` and `fr-CA`, English for any other language. A number and its unit are kept on one line by U+00A0 (SI brochure, 5.4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.model.text import NO_BREAK_SPACE

_MINUS = "\u2212"


@dataclass(frozen=True)
class _Conventions:
    """What one language writes differently from another."""

    decimal: str
    first_day: str
    months: tuple[str, ...]
    kilobyte: str
    megabyte: str


_FRENCH = _Conventions(
    ",",
    "1er",
    tuple("janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()),
    "ko",
    "Mo",
)
_ENGLISH = _Conventions(
    ".",
    "1",
    tuple("January February March April May June July August September October November December".split()),
    "kB",
    "MB",
)


def format_number(value: float, language: str, unit: str = "", *, digits: int = 1, signed: bool = False) -> str:
    """A number with its unit: « −16,0 LUFS ». `signed` writes the plus sign too; what rounds to zero has no sign."""
    text = f"{abs(value):.{digits}f}"
    sign = (_MINUS if value < 0 else "+" if signed else "") if float(text) else ""
    return sign + text.replace(".", _conventions(language).decimal) + (NO_BREAK_SPACE + unit if unit else "")


def format_date(moment: datetime, language: str) -> str:
    """The date written out: « 1er décembre 2026 », "1 December 2026"."""
    conventions = _conventions(language)
    day = conventions.first_day if moment.day == 1 else str(moment.day)
    return f"{day}{NO_BREAK_SPACE}{conventions.months[moment.month - 1]} {moment.year}"


def format_size(size_bytes: int, language: str) -> str:
    """A file size for listeners, in decimal units (1 kB = 1000 bytes), at least 1 kB: « 7,7 Mo », « 54 ko », "7.7 MB"."""
    conventions = _conventions(language)
    if size_bytes < 999_500:
        return format_number(max(1, round(size_bytes / 1e3)), language, conventions.kilobyte, digits=0)
    return format_number(size_bytes / 1e6, language, conventions.megabyte)


def format_bytes(count: int) -> str:
    """A number of bytes for producers, in English, in decimal units and with plain spaces: `840 bytes`, `12.3 kB`, `9.0 MB`."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return _plain(format_number(count / size, "en", unit))
    return f"{count} bytes"


def format_duration(seconds: float, language: str) -> str:
    """A duration: « 9,8 s », « 3 min 24 s », « 1 h 02 min »."""
    if round(seconds, 1) < 60:
        return format_number(seconds, language, "s")
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    (first, unit), (second, under) = ((hours, "h"), (minutes, "min")) if hours else ((minutes, "min"), (rest_s, "s"))
    return NO_BREAK_SPACE.join((str(first), unit, f"{second:02}", under))


def format_elapsed(seconds: float) -> str:
    """A time that a command took, in English with plain spaces: `4 s`, `2 min 05 s`, `1 h 02 min`."""
    whole_s = round(seconds)
    return f"{whole_s} s" if whole_s < 60 else _plain(format_duration(whole_s, "en"))


def iso_duration(seconds: float) -> str:
    """A duration as schema.org wants it (ISO 8601), in whole seconds: `PT8M6S`."""
    total_s = int(seconds)
    hours, minutes, rest_s = total_s // 3600, total_s // 60 % 60, total_s % 60
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + f"{rest_s}S"


def pluralise(count: int, noun: str) -> str:
    """A count and an English noun with a regular plural: `1 episode`, `3 episodes`, `0 files`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def is_plural(count: int, language: str) -> bool:
    """Whether a count takes the plural: in French from 2, in English everything but 1 (CLDR plural rules, whole numbers)."""
    return count >= 2 if language.startswith("fr") else count != 1


def _conventions(language: str) -> _Conventions:
    return _FRENCH if language.lower().partition("-")[0] == "fr" else _ENGLISH


def _plain(text: str) -> str:
    """The text with plain spaces, as a terminal and a search in its output want it."""
    return text.replace(NO_BREAK_SPACE, " ")
