"""Glyph coverage of the PDF fonts. PDF/UA forbids characters without a glyph: they are drawn as □, and reported in a warning."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.model import CauserieError, font_characters

MAX_MISSING_SHARE = 0.1  # of the letters of a document
NON_PRINTING_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def missing_glyphs(text: str, fonts: tuple[Path, ...] = ()) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for each character of a guide's text that its PDFs cannot draw, once per character.

    `fonts` are files that have more characters than the built-in font.
    """
    more = extra_characters(fonts)
    seen: set[str] = set()
    for number, line in enumerate(unicodedata.normalize("NFC", text).splitlines(), 1):
        for char in "" if line.lstrip().startswith("%%") else line:
            if char not in seen and unicodedata.category(char) not in NON_PRINTING_CATEGORIES and not has_glyph(char, more):
                seen.add(char)
                name = unicodedata.name(char, "a character without a name").lower()
                yield number, f"the PDF has no glyph for “{char}” (U+{ord(char):04X}, {name}) and draws □"


def refuse_missing_script(value: Any, fonts: tuple[Path, ...], where: str) -> None:
    """Raise `CauserieError` when more than a tenth of the letters of a document have no glyph: it is in a script that no font has."""
    more, letters = extra_characters(fonts), [char for text in _texts(value) for char in text if char.isalpha()]
    missing = [char for char in letters if not has_glyph(char, more)]
    if len(missing) > MAX_MISSING_SHARE * len(letters):
        names = ", ".join(f"“{char}”" for char in dict.fromkeys(missing[:3]))
        share = round(100 * len(missing) / len(letters))
        message = f"{share} % of its letters ({names}…) are in no font of the PDFs, which would show □"
        hint = 'put a .ttf or .otf file that has them in the show, one of Noto’s for example, and name it: fonts = ["fonts/…"] in [guide]'
        raise CauserieError(message, where, hint)


def _texts(value: Any) -> Iterator[str]:
    """Every string in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def extra_characters(fonts: tuple[Path, ...]) -> frozenset[str]:
    """The characters of font files."""
    return frozenset[str]().union(*map(font_characters, fonts))


def replace_missing_glyphs(value: Any, more: frozenset[str] = frozenset()) -> Any:
    """Return the value with characters the bundled fonts cannot draw replaced by □, as PDF/UA requires; HTML keeps them.

    `Any`: a value keeps its shape on every level, which Python's types cannot express.
    """
    if isinstance(value, str):
        composed = unicodedata.normalize("NFC", value)  # combining accents, typed so on some systems, have no glyph
        return "".join(
            char if has_glyph(char, more) else "" if unicodedata.category(char) in NON_PRINTING_CATEGORIES else "□" for char in composed
        )
    if isinstance(value, dict):
        return {key: replace_missing_glyphs(one, more) for key, one in value.items()}
    return [replace_missing_glyphs(one, more) for one in value] if isinstance(value, list) else value


def has_glyph(char: str, more: frozenset[str] = frozenset()) -> bool:
    """Whether Libertinus Serif, or a font with the characters `more`, has a glyph for it.

    Libertinus Serif has Latin, Greek, Cyrillic, and the punctuation of European languages.
    """
    if char in more:
        return True
    point = ord(char)
    if point < 0x250 or char in "\u202f\u2009\u2011□–—‘’‚“”„•…‹›€→←↑↓−≤≥≠≈":
        return char in "\t\n" or unicodedata.category(char) not in NON_PRINTING_CATEGORIES
    return 0x370 <= point < 0x3FF and unicodedata.category(char) != "Cn" or 0x400 <= point < 0x460 or 0x1E00 <= point < 0x1F00
