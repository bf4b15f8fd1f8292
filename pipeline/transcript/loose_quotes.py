"""Quotation marks of a loose transcript: where they open, where they close, which have no partner. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.transcript.loose_lines import Line
from pipeline.transcript.text import Paragraph


def flat(text: str) -> str:
    """A label on one line that is not empty."""
    return " ".join(text.split()) or "…"


def depth(text: str) -> int:
    """How many « more than »."""
    return text.count("«") - text.count("»")


def closes_at(text: str) -> int | None:
    """Where the first « of `text` is closed; None when it is not."""
    level = 0
    for place, char in enumerate(text):
        level += (char == "«") - (char == "»")
        if char == "»" and level <= 0:
            return place
    return None


def open_end(text: str) -> int | None:
    """Where the last « stands that the line leaves open, unless it starts with it."""
    level = 0
    for place in range(len(text) - 1, -1, -1):
        level += (text[place] == "«") - (text[place] == "»")
        if level > 0:
            return place or None
    return None


def lacks_opening(texts: Iterable[str]) -> bool:
    """Whether something is closed in texts that follow each other before anything opens."""
    return next((char == "»" for text in texts for char in text if char in "«»"), False)


def closing_count(text: str, texts: Iterable[str]) -> int | None:
    """How many of the texts that follow it takes to close the « that `text` leaves open; None when nothing does."""
    level = depth(text)
    if level <= 0:
        return 0
    for count, after in enumerate(texts, 1):
        for char in after:
            level += (char == "«") - (char == "»")
            if level == 0:
                return count
    return None


def cut_at_close(lines: list[Line]) -> Line | None:
    """Take the quotation marks off, and what stands after the closing one, which is given back when it has words."""
    lines[0] = replace(lines[0], text=lines[0].text[1:].lstrip())
    level = 1
    for index, line in enumerate(lines):
        for place, char in enumerate(line.text):
            level += (char == "«") - (char == "»")
            if level == 0:
                rest = line.text[place + 1 :].strip()
                inside = line.text[:place].rstrip()
                if not re.search(r"\w", rest):
                    lines[index] = replace(line, text=inside + ("" if re.search(r"[.!?…]$", inside) else rest))
                    return None
                lines[index] = replace(line, text=inside)
                return Line(line.number, rest.lstrip(" ."), source=line.source)
    return None


def balanced(paragraphs: Sequence[Paragraph]) -> tuple[Paragraph, ...]:
    """Paragraphs of an insert whose own quotation marks all come in pairs."""
    done, level = [], 0
    for paragraph in paragraphs:
        kept = []
        for char in paragraph.text:
            level += (char == "«") - (char == "»")
            if level < 0:
                level = 0
            else:
                kept.append(char)
        done.append(replace(paragraph, text=trimmed("".join(kept))))
    if level:
        done = [replace(each, text=without_quotes(each.text)) for each in done]
    return tuple(each for each in done if each.text)


def is_paired(text: str) -> bool:
    """Whether every quotation mark has its partner, in order."""
    level = 0
    for char in text:
        level += (char == "«") - (char == "»")
        if level < 0:
            return False
    return not level


def without_quotes(text: str) -> str:
    """The text without its French quotation marks."""
    return trimmed(re.sub(r"«[ \u202f]?|[ \u202f]?»", "", text))


def trimmed(text: str) -> str:
    """Single spaces, and none at either end, whatever their width."""
    return re.sub(r" {2,}", " ", text).strip(" \u00a0\u202f")
