"""Text helpers: French typographic spaces, clock times, slugs, suggestions, and text that is safe on a terminal."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

NARROW_SPACE = "\u202f"  # before ; ! ? and inside « »
NO_BREAK_SPACE = "\u00a0"  # before : and between a number and its unit

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SPACED = (
    ("«", re.compile(r"«[ \t\u00a0\u202f]*"), f"«{NARROW_SPACE}"),
    ("»", re.compile(r"[ \t\u00a0\u202f]*»"), f"{NARROW_SPACE}»"),
    (";!?", re.compile(r"(?<=[^\s;!?«])[ \t\u00a0\u202f]*([;!?]+)(?=[\s»\"”)\]]|$)"), rf"{NARROW_SPACE}\1"),
    (":", re.compile(r"[ \t\u00a0\u202f]+:(?=\s|$)"), f"{NO_BREAK_SPACE}:"),
)
_UNITS = re.compile(r"(\d)[ \t\u202f]+(?=(?:%|€|h|min|s|km|m|kg|Mo|ko|kb/s|ans?|minutes?|heures?|secondes?)\b|[%€])")
_UNSAFE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def french_spaces(text: str) -> str:
    """Insert the no-break spaces of French typography; text that has them is unchanged.

    U+202F before `;`, `!`, `?` and inside « », U+00A0 before `:` that follows a space, and between a number and its unit
    (Lexique des règles typographiques en usage à l'Imprimerie nationale). Times such as 12:30 and URLs are unchanged.
    """
    for marks, pattern, proper in _SPACED:  # most text has none of the marks, and testing for them costs a hundredth of the substitution
        if any(mark in text for mark in marks):
            text = pattern.sub(proper, text)
    return _UNITS.sub(rf"\1{NO_BREAK_SPACE}", text)


@lru_cache(4096)
def typographic(text: str, language: str) -> str:
    """The text with typographic apostrophes, and in French with no-break spaces; `language` is a BCP 47 tag."""
    if "'" in text:
        text = re.sub(r"(?<=\w)'(?=\w)", "’", text)
    return french_spaces(text) if language.startswith("fr") else text


def speaks(language: str, wanted: str) -> bool:
    """Whether a language tag matches a language range, as `en-gb` matches `en` (RFC 4647, 3.3.1: basic filtering); "" matches any."""
    return not wanted or f"{language.lower()}-".startswith(f"{wanted.lower()}-")


def hms(seconds: float, *, always_hours: bool = False) -> str:
    """Seconds as a clock time for people: `0:07`, `8:06`, `1:02:03`, or `00:08:06` when `always_hours`; rounded down."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if always_hours:
        return f"{hours:02}:{minutes:02}:{rest:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def hms_ms(seconds: float) -> str:
    """Seconds as a WebVTT timestamp: `00:08:06.500`, to the nearest millisecond."""
    rest, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.{milliseconds:03}"


def printable(text: str) -> str:
    """The text with every control and format character (Unicode categories Cc, Cf, Co, Cs, Zl, Zp) replaced by `?`."""
    return "".join("?" if unicodedata.category(char) in _UNSAFE else char for char in text)


def is_slug(text: str) -> bool:
    """Whether `text` is a slug: at most 80 lower-case ASCII letters, digits and single hyphens."""
    return len(text) <= 80 and _SLUG.fullmatch(text) is not None


@lru_cache(4096)
def slugify(text: str) -> str:
    """The slug of a title: « La file d’attente » gives `la-file-d-attente`; empty when no ASCII letter or digit is left."""
    spelt = re.sub(r"['’ʼ]", " ", text.lower()).replace("œ", "oe").replace("æ", "ae")
    plain = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    spaced = re.sub(r"[^a-z0-9]+", "-", plain)
    return spaced.strip("-")[:80].strip("-")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint with the known word closest to `word`, «did you mean “title”?», or all known words when none is close."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"did you mean “{close[0]}”?" if close else f"use one of {', '.join(names)}"
