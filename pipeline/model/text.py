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
WITHOUT_SPACES = frozenset({"ja", "zh", "yue", "th", "lo", "my", "km"})  # languages whose words stand side by side
_CJK = "\u3000-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff9f"  # no Hangul: Korean has spaces
_STARTS_NO_LINE = "、。，．！？：；）」』】〉》〕・ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ゛゜"  # JIS X 4051, as far as cues need it
_ENDS_NO_LINE = "（「『【〈《〔"
_UNSPACED_BORDER = re.compile(rf"(?<=[{_CJK}])(?<![{_ENDS_NO_LINE}])(?=[{_CJK}])(?![{_STARTS_NO_LINE}])")
_CJK_CHAR = re.compile(f"[{_CJK}]")
_UNSPACED_CHAR = re.compile(rf"[{_CJK}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_UNSAFE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def add_french_spaces(text: str) -> str:
    """Insert the no-break spaces of French typography; text that has them is unchanged.

    U+202F before `;`, `!`, `?` and inside « », U+00A0 before `:` that follows a space, and between a number and its unit
    (Lexique des règles typographiques en usage à l'Imprimerie nationale). Times such as 12:30 and URLs are unchanged.
    """
    for marks, pattern, proper in _SPACED:  # most text has none of the marks, and testing for them costs a hundredth of the substitution
        if any(mark in text for mark in marks):
            text = pattern.sub(proper, text)
    return _UNITS.sub(rf"\1{NO_BREAK_SPACE}", text)


@lru_cache(4096)
def apply_typography(text: str, language: str) -> str:
    """The text with typographic apostrophes, and in French with no-break spaces; `language` is a BCP 47 tag."""
    if "'" in text:
        text = re.sub(r"(?<=\w)'(?=\w)", "’", text)
    return add_french_spaces(text) if language.startswith("fr") else text


def join_heard(words: Iterable[str], language: str) -> str:
    """A recogniser's words as one text; without spaces in the languages that are written without."""
    return ("" if language.split("-")[0] in WITHOUT_SPACES else " ").join(words)


def join_words(words: Iterable[str]) -> str:
    """Printed words as one text: the inverse of `split_unspaced` for words that were next to each other, with spaces between others."""
    words = list(words)
    if not _CJK_CHAR.search("".join(words)):
        return " ".join(words)
    pairs = zip(["", *words], words, strict=False)
    return "".join(word if not before or touches(before, word) else f" {word}" for before, word in pairs)


def touches(before: str, after: str) -> bool:
    """Whether no space is put between two words: both are Chinese or Japanese where they meet, or the first ends with a space."""
    return before.endswith(" ") or _CJK_CHAR.match(before[-1:]) is not None and _CJK_CHAR.match(after[:1]) is not None


def split_unspaced(token: str) -> list[str]:
    """A text without spaces, split between Chinese and Japanese characters where a line may end."""
    return _UNSPACED_BORDER.split(token) if _UNSPACED_BORDER.search(token) else [token]


def separate_unspaced(text: str) -> str:
    """The text with spaces around every character of a script without spaces, to compare it character by character."""
    return _UNSPACED_CHAR.sub(r" \g<0> ", text)


def language_matches(language: str, language_range: str) -> bool:
    """Whether a language tag matches a language range, as `en-gb` matches `en` (RFC 4647, 3.3.1: basic filtering); "" matches any."""
    return not language_range or f"{language.lower()}-".startswith(f"{language_range.lower()}-")


def format_clock(seconds: float, *, always_hours: bool = False) -> str:
    """Seconds as a clock time for people: `0:07`, `8:06`, `1:02:03`, or `00:08:06` when `always_hours`; rounded down."""
    total_s = int(seconds)
    hours, minutes, remainder_s = total_s // 3600, total_s // 60 % 60, total_s % 60
    if always_hours:
        return f"{hours:02}:{minutes:02}:{remainder_s:02}"
    return f"{hours}:{minutes:02}:{remainder_s:02}" if hours else f"{minutes}:{remainder_s:02}"


def format_timestamp(seconds: float) -> str:
    """Seconds as a WebVTT timestamp: `00:08:06.500`, to the nearest millisecond."""
    remainder_s, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{remainder_s // 3600:02}:{remainder_s // 60 % 60:02}:{remainder_s % 60:02}.{milliseconds:03}"


def terminal_safe(text: str) -> str:
    """The text with every control and format character (Unicode categories Cc, Cf, Co, Cs, Zl, Zp) replaced by `?`."""
    return "".join("?" if unicodedata.category(char) in _UNSAFE else char for char in text)


def is_slug(text: str) -> bool:
    """Whether `text` is a slug: at most 80 lower-case ASCII letters, digits and single hyphens."""
    return len(text) <= 80 and _SLUG.fullmatch(text) is not None


@lru_cache(4096)
def slugify(text: str) -> str:
    """The slug of a title: « La file d’attente » gives `la-file-d-attente`; empty when it has no Latin letter and no ASCII digit.

    Letters lose their accents; Latin ones that are more than an ASCII letter with an accent are transliterated: « Straße » gives `strasse`.
    """
    expanded = re.sub(r"['’ʼ]", " ", text.lower()).replace("œ", "oe").replace("æ", "ae")
    ascii_text = "".join(map(_to_ascii, unicodedata.normalize("NFC", expanded)))
    hyphenated = re.sub(r"[^a-z0-9]+", "-", ascii_text)
    return hyphenated.strip("-")[:80].strip("-")


@lru_cache(4096)
def _to_ascii(char: str) -> str:
    """A character without its accents, or the ASCII letters that stand for another Latin one; nothing for most others."""
    plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    if plain or not unicodedata.name(char, "").startswith("LATIN "):
        return plain
    from anyascii import anyascii  # for few texts

    return "".join(filter(str.isalnum, anyascii(char).lower()))


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint with the known word closest to `word`, «did you mean “title”?», or all known words when none is close."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"did you mean “{close[0]}”?" if close else f"use one of {', '.join(names)}"
