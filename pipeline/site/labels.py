"""Labels of the pages, and dates, file sizes and durations as written in one language."""

from __future__ import annotations

import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any  # of what tomllib reads

from pipeline.model import NO_BREAK_SPACE, CauserieError

TEMPLATES = Path(__file__).parents[1] / "templates" / "site"


@cache
def load_labels(language: str, overrides_toml: str = "") -> dict[str, Any]:
    """Every label of the pages: French for `fr` and `fr-CA`, English for any other language.

    `overrides_toml` is TOML text whose labels override the built-in ones. Raises `CauserieError` when it cannot be read.
    """
    name = f"labels.{'fr' if language.startswith('fr') else 'en'}.toml"
    builtin = tomllib.loads((TEMPLATES / name).read_text(encoding="utf-8"))
    try:
        overrides = tomllib.loads(overrides_toml)
    except tomllib.TOMLDecodeError as error:
        raise CauserieError(f"is not valid TOML: {error}", f"templates/{name}", "correct that line") from error
    overrides = {key: word for key, word in overrides.items() if isinstance(word, type(builtin.get(key)))}
    return {
        key: {**word, **overrides.get(key, {})} if isinstance(word, dict) else overrides.get(key, word) for key, word in builtin.items()
    }


def format_size(size_bytes: int, language: str) -> str:
    """A file size in decimal units (1 kB = 1000 bytes): « 7,7 Mo », « 54 ko », "7.7 MB"."""
    units = load_labels(language)["units"]
    if size_bytes < 999_500:
        return f"{max(1, round(size_bytes / 1e3))}{NO_BREAK_SPACE}{units['kilo']}"
    return f"{size_bytes / 1e6:.1f}".replace(".", units["point"]) + f"{NO_BREAK_SPACE}{units['mega']}"


def format_date(moment: datetime, language: str) -> str:
    """The date written out: « 1er décembre 2026 », "1 December 2026"."""
    labels = load_labels(language)
    number = labels["first_day"] if moment.day == 1 else str(moment.day)
    return f"{number}{NO_BREAK_SPACE}{labels['months'][moment.month - 1]} {moment.year}"


def iso_duration(seconds: float) -> str:
    """A duration as schema.org wants it (ISO 8601), in whole seconds: `PT8M6S`."""
    total_s = int(seconds)
    hours, minutes, rest = total_s // 3600, total_s // 60 % 60, total_s % 60
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + f"{rest}S"
