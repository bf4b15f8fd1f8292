"""Labels of the pages, and dates, file sizes and durations as written in one language."""

from __future__ import annotations

import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any  # of what tomllib reads

from pipeline.errors import CauserieError
from pipeline.text import NO_BREAK_SPACE

TEMPLATES = Path(__file__).parent.parent / "templates" / "site"


@cache
def labels(language: str, own: str = "") -> dict[str, Any]:
    """Every label of the pages: French for `fr` and `fr-CA`, English for any other language.

    `own` is TOML text whose labels override the built-in ones. Raises `CauserieError` when it cannot be read.
    """
    name = f"labels.{'fr' if language.startswith('fr') else 'en'}.toml"
    words = tomllib.loads((TEMPLATES / name).read_text(encoding="utf-8"))
    try:
        given = tomllib.loads(own)
    except tomllib.TOMLDecodeError as error:
        raise CauserieError(f"is not valid TOML: {error}", f"templates/{name}", "correct that line") from error
    given = {key: word for key, word in given.items() if isinstance(word, type(words.get(key)))}
    return {key: {**word, **given.get(key, {})} if isinstance(word, dict) else given.get(key, word) for key, word in words.items()}


def weight(size_bytes: int, language: str) -> str:
    """A file size in decimal units (1 kB = 1000 bytes): « 7,7 Mo », « 54 ko », "7.7 MB"."""
    units = labels(language)["units"]
    if size_bytes < 999_500:
        return f"{max(1, round(size_bytes / 1e3))}{NO_BREAK_SPACE}{units['kilo']}"
    return f"{size_bytes / 1e6:.1f}".replace(".", units["point"]) + f"{NO_BREAK_SPACE}{units['mega']}"


def day(moment: datetime, language: str) -> str:
    """The date written out: « 1er décembre 2026 », "1 December 2026"."""
    words = labels(language)
    number = words["first_day"] if moment.day == 1 else str(moment.day)
    return f"{number}{NO_BREAK_SPACE}{words['months'][moment.month - 1]} {moment.year}"


def iso_duration(seconds: float) -> str:
    """A duration as schema.org wants it (ISO 8601), in whole seconds: `PT8M6S`."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + f"{rest}S"
