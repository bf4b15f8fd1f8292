"""How numbers, dates, file sizes, durations and counts are written in a language, and its direction.

French for `fr` and `fr-CA`, English for a language without a file in `languages/`. A number and its unit are kept on one line by U+00A0
(SI brochure, 5.4.3).
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any  # of TOML values

from pipeline.model.text import NO_BREAK_SPACE

_MINUS = "\u2212"


_FOLDER = Path(__file__).parent / "languages"
# Languages and scripts written from right to left (Unicode CLDR, script metadata and likely subtags)
_RTL_LANGUAGES = frozenset("ar arc azb ckb dv fa glk he iw ks lrc mzn nqo pnb ps sd syr ug ur yi".split())
_RTL_SCRIPTS = frozenset("adlm arab aran hebr mand nkoo rohg samr syrc thaa".split())


def language_data(language: str) -> dict[str, Any]:
    """What `languages/<code>.toml` says of a language, a BCP 47 tag; empty without a file. The result is shared: do not change it."""
    return _read_language(language.lower().partition("-")[0])


def text_direction(language: str) -> str:
    """`rtl` for a language tag that is written from right to left, else `ltr`; a script in the tag decides, as in `az-Arab`."""
    first, *subtags = language.lower().split("-")
    script = next((each for each in subtags if len(each) == 4 and each.isalpha()), "")
    return "rtl" if (script in _RTL_SCRIPTS if script else first in _RTL_LANGUAGES) else "ltr"


def format_number(value: float, language: str, unit: str = "", *, digits: int = 1, signed: bool = False) -> str:
    """A number with its unit: « −16,0 LUFS ». `signed` writes the plus sign too; what rounds to zero has no sign."""
    text = f"{abs(value):.{digits}f}"
    sign = (_MINUS if value < 0 else "+" if signed else "") if float(text) else ""
    return sign + text.replace(".", _numbers(language)["decimal"]) + (NO_BREAK_SPACE + unit if unit else "")


def format_date(moment: datetime, language: str) -> str:
    """The date written out: « 1er décembre 2026 », "1 December 2026", "1 de diciembre de 2026", "1. Dezember 2026"."""
    numbers = _numbers(language)
    day = numbers["first_day"] if moment.day == 1 else numbers.get("day", "{day}").format(day=moment.day)
    date: str = numbers["date"].format(day=day, month=numbers["months"][moment.month - 1], year=moment.year)
    return date


def format_size(size_bytes: int, language: str) -> str:
    """A file size for listeners, in decimal units (1 kB = 1000 bytes), at least 1 kB: « 7,7 Mo », « 54 ko », "7.7 MB"."""
    numbers = _numbers(language)
    if size_bytes < 999_500:
        return format_number(max(1, round(size_bytes / 1e3)), language, numbers["kilobyte"], digits=0)
    return format_number(size_bytes / 1e6, language, numbers["megabyte"])


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


def _numbers(language: str) -> dict[str, Any]:
    """How a language writes numbers and dates; English for one that does not say."""
    numbers: dict[str, Any] = language_data(language).get("numbers") or _read_language("en")["numbers"]
    return numbers


@cache
def _read_language(code: str) -> dict[str, Any]:
    """The file of a language; its code, which a person typed, may be no name of a file."""
    path = _FOLDER / f"{code}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if code.isalpha() and path.is_file() else {}


def _plain(text: str) -> str:
    """The text with plain spaces, as a terminal and a search in its output want it."""
    return text.replace(NO_BREAK_SPACE, " ")
