"""Quotation marks of a free-form transcript: where they open and close, and which do not match. No input or output."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile

from pipeline.transcript import Paragraph
from pipeline.transcript.freeform.source_lines import SourceLine


def single_line(text: str) -> str:
    """Return the text on one line, or “…” when it is empty."""
    return " ".join(text.split()) or "…"


def open_quotes(text: str) -> int:
    """Return the number of « minus the number of »."""
    return text.count("«") - text.count("»")


def closing_index(text: str) -> int | None:
    """Return the index of the » that closes the first « of `text`; None when it is not closed."""
    level = 0
    for index, char in enumerate(text):
        level += (char == "«") - (char == "»")
        if char == "»" and level <= 0:
            return index
    return None


def unclosed_index(text: str) -> int | None:
    """Return the index of the last unclosed «; None when there is none, or when it is the first character."""
    level = 0
    for index in range(len(text) - 1, -1, -1):
        level += (text[index] == "«") - (text[index] == "»")
        if level > 0:
            return index or None
    return None


def closes_unopened(texts: Iterable[str]) -> bool:
    """Whether a » comes before any « in consecutive texts."""
    return next((char == "»" for text in texts for char in text if char in "«»"), False)


def missing_openings(lines: Sequence[SourceLine]) -> set[int]:
    """Return the indexes of lines that lack a «: a plain line before dashes, when their » closes nothing."""
    found, level = set(), 0
    for index, line in enumerate(lines):
        dashes = takewhile(lambda after: after.has_dash, lines[index + 1 :])
        is_plain = level <= 0 and not line.has_dash and not line.label and "«" not in line.text and line.text[:1] not in "[("
        if is_plain and (texts := [after.text for after in dashes]) and closes_unopened(texts):
            found.add(index)
            level += 1
        level = max(0, level + open_quotes(line.text))
    return found


def lines_to_close(text: str, texts: Iterable[str]) -> int | None:
    """Return how many of the following texts are needed to close the « that `text` leaves open; None when none closes it."""
    level = open_quotes(text)
    if level <= 0:
        return 0
    for count, after in enumerate(texts, 1):
        for char in after:
            level += (char == "«") - (char == "»")
            if level == 0:
                return count
    return None


def split_at_close(lines: list[SourceLine]) -> SourceLine | None:
    """Strip the quotation marks from `lines`, in place. The text after the closing mark is returned as a line when it has words."""
    lines[0] = replace(lines[0], text=lines[0].text[1:].lstrip())
    level = 1
    for index, line in enumerate(lines):
        for offset, char in enumerate(line.text):
            level += (char == "«") - (char == "»")
            if level == 0:
                rest = line.text[offset + 1 :].strip()
                inside = line.text[:offset].rstrip()
                if not re.search(r"\w", rest):
                    lines[index] = replace(line, text=inside + ("" if re.search(r"[.!?…]$", inside) else rest))
                    return None
                lines[index] = replace(line, text=inside)
                return SourceLine(line.number, rest.lstrip(" ."), source=line.source)
    return None


def balance_quotes(paragraphs: Sequence[Paragraph]) -> tuple[Paragraph, ...]:
    """Return an insert's paragraphs with balanced inner quotation marks."""
    result, level = [], 0
    for paragraph in paragraphs:
        chars = []
        for char in paragraph.text:
            level += (char == "«") - (char == "»")
            if level < 0:
                level = 0
            else:
                chars.append(char)
        result.append(replace(paragraph, text=collapse_spaces("".join(chars))))
    if level:
        result = [replace(each, text=strip_quotes(each.text)) for each in result]
    return tuple(each for each in result if each.text)


def is_balanced(text: str) -> bool:
    """Whether the quotation marks are balanced."""
    level = 0
    for char in text:
        level += (char == "«") - (char == "»")
        if level < 0:
            return False
    return not level


def strip_quotes(text: str) -> str:
    """Return the text without French quotation marks."""
    return collapse_spaces(re.sub(r"«[ \u202f]?|[ \u202f]?»", "", text))


def collapse_spaces(text: str) -> str:
    """Collapse runs of spaces, and strip spaces of any width at both ends."""
    return re.sub(r" {2,}", " ", text).strip(" \u00a0\u202f")
