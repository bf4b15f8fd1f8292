"""Glyph coverage of the PDF fonts. PDF/UA forbids characters without a glyph: they are drawn as □, and reported in a warning."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

NON_PRINTING_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def missing_glyphs(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for each character of a guide's text that its PDFs cannot draw, once per character."""
    seen: set[str] = set()
    for number, line in enumerate(unicodedata.normalize("NFC", text).splitlines(), 1):
        for char in "" if line.lstrip().startswith("%%") else line:
            if char not in seen and unicodedata.category(char) not in NON_PRINTING_CATEGORIES and not has_glyph(char):
                seen.add(char)
                name = unicodedata.name(char, "a character without a name").lower()
                yield number, f"the PDF has no glyph for “{char}” (U+{ord(char):04X}, {name}) and draws □"


def replace_missing_glyphs(value: Any) -> Any:
    """Return the value with characters the bundled fonts cannot draw replaced by □, as PDF/UA requires; HTML keeps them.

    `Any`: a value keeps its shape on every level, which Python's types cannot express.
    """
    if isinstance(value, str):
        composed = unicodedata.normalize("NFC", value)  # combining accents, typed so on some systems, have no glyph
        return "".join(
            char if has_glyph(char) else "" if unicodedata.category(char) in NON_PRINTING_CATEGORIES else "□" for char in composed
        )
    if isinstance(value, dict):
        return {key: replace_missing_glyphs(one) for key, one in value.items()}
    return [replace_missing_glyphs(one) for one in value] if isinstance(value, list) else value


def has_glyph(char: str) -> bool:
    """Whether Libertinus Serif has a glyph for it: Latin, Greek, Cyrillic, and the punctuation of European languages."""
    point = ord(char)
    if point < 0x250 or char in "\u202f\u2009\u2011□–—‘’‚“”„•…‹›€→←↑↓−≤≥≠≈":
        return char in "\t\n" or unicodedata.category(char) not in NON_PRINTING_CATEGORIES
    return 0x370 <= point < 0x3FF and unicodedata.category(char) != "Cn" or 0x400 <= point < 0x460 or 0x1E00 <= point < 0x1F00
