"""Words on paper and on screen: spaces of French typography, times, names, and text safe to print."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

NARROW_SPACE = "\u202f"  # before ; ! ? and inside « »
NO_BREAK_SPACE = "\u00a0"  # before : and between a number and what it counts

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
    """Put French no-break spaces where a French reader expects them; text already so stays as it is.

    U+202F before `;`, `!`, `?` and inside « », U+00A0 before `:` that has a space, and between a number and its unit
    (Lexique des règles typographiques en usage à l'Imprimerie nationale). Times such as 12:30 and addresses are left alone.
    """
    for marks, pattern, proper in _SPACED:  # most text has none of the marks, and looking for them is a hundredth of the search
        if any(mark in text for mark in marks):
            text = pattern.sub(proper, text)
    return _UNITS.sub(rf"\1{NO_BREAK_SPACE}", text)


@lru_cache(4096)
def typographic(text: str, language: str) -> str:
    """The text with the curly apostrophe, and with its language's spaces."""
    if "'" in text:
        text = re.sub(r"(?<=\w)'(?=\w)", "’", text)
    return french_spaces(text) if language.startswith("fr") else text


def speaks(language: str, wanted: str) -> bool:
    """Whether a language is the one that is wanted, or a country's form of it: `en-gb` is `en` (RFC 4647, 3.3.1). "" wants any."""
    return not wanted or f"{language.lower()}-".startswith(f"{wanted.lower()}-")


def hms(seconds: float, *, always_hours: bool = False) -> str:
    """Seconds as people write a time: `0:07`, `8:06`, `1:02:03`, or `00:08:06` when `always_hours`; rounded down."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if always_hours:
        return f"{hours:02}:{minutes:02}:{rest:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def hms_ms(seconds: float) -> str:
    """Seconds as files write a time: `00:08:06.500`, to the nearest millisecond."""
    rest, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.{milliseconds:03}"


def printable(text: str) -> str:
    """One line that cannot move the cursor, recolour or reorder a terminal: control and format characters become `?`."""
    return "".join("?" if unicodedata.category(char) in _UNSAFE else char for char in text)


def is_slug(text: str) -> bool:
    """Whether `text` can name a folder, a file and an address: lower-case ASCII letters, digits and single hyphens."""
    return len(text) <= 80 and _SLUG.fullmatch(text) is not None


@lru_cache(4096)
def slugify(text: str) -> str:
    """The nearest slug to a title, « La file d’attente » giving `la-file-d-attente`; empty when nothing is left."""
    spelt = re.sub(r"['’ʼ]", " ", text.lower()).replace("œ", "oe").replace("æ", "ae")
    plain = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    spaced = re.sub(r"[^a-z0-9]+", "-", plain)
    return spaced.strip("-")[:80].strip("-")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint naming the known word nearest to `word`: «did you mean “title”?», or the list when none is near."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"did you mean “{close[0]}”?" if close else f"use one of {', '.join(names)}"
