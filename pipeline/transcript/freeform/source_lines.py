"""The lines of a source, and the remarks on them in the import report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceLine:
    """A line of the source; `number` is its line number there (a paragraph's in Word)."""

    number: int
    text: str
    label: str = ""  # a name set apart from the text by bold type, or by a column of its own
    is_heading: bool = False  # in a heading's style
    starts_paragraph: bool = True  # starts a paragraph: after an empty line, or in a document
    has_dash: bool = False
    anchor_s: float | None = None
    source: str = ""  # as it was typed


@dataclass(frozen=True)
class Remark:
    """A remark in the import report: the line, its text, and what was done with it."""

    line: int
    text: str
    reason: str
