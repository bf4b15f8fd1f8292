"""Tell what of a source is written otherwise in the transcript: one remark for each kind of change. No input or output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.transcript.freeform.source_lines import Remark, SourceLine

_LINES_MAX = 6  # line numbers in one remark

_KINDS = (
    (re.compile(r"\S*(?:\.\.\.|…(?=\s*[\])]))\S*"), "three full stops or an ellipsis in brackets are written … and […]"),
    (re.compile(r"\w+'\w+"), "straight apostrophes are written ’"),
    (re.compile(r"\S*[\"“”„]\S*|<<\S*|\S*>>"), "quotation marks are written « »"),
    (re.compile(r"\((?![^()]*\.\.\.)[^()]{1,60}\)"), "parentheses that hold a sound or a way of speaking are written in square brackets"),
    (re.compile(r"^\s*(?:[–—•·*‑]|--)\s*\w+"), "dashes that change the voice are written “- ”"),
    (re.compile(r"\S+  +\S+"), "several spaces in a row are written as one"),
)


def alteration_remarks(lines: Sequence[SourceLine], kept_text: str) -> Iterator[Remark]:
    """Yield a remark for each kind of change that was made to these lines; `kept_text` is the result, as it was written."""
    for pattern, reason in _KINDS:
        found = [(line, match) for line in lines for match in pattern.finditer(line.source or line.text)]
        found = [(line, match) for line, match in found if _is_changed(match[0].strip(), kept_text)]
        if found:
            first, match = found[0]
            count = f", {len(found)} times" if len(found) > 1 else ""
            yield Remark(first.number, match[0].strip(), f"{reason}{count} ({line_list([line.number for line, _ in found])})")


def _is_changed(typed: str, kept_text: str) -> bool:
    """Whether a piece of the source is not in the result as it was typed; what stands in parentheses, that it is there in brackets."""
    return typed not in kept_text and (typed[:1] != "(" or f"[{typed[1:-1].strip()[:9]}" in kept_text or "..." in typed)


def line_list(numbers: Sequence[int]) -> str:
    """Return “line 3” or “lines 3, 4, 9 and 12 more”."""
    known = sorted(set(numbers))
    shown = ", ".join(map(str, known[:_LINES_MAX]))
    rest = f" and {len(known) - _LINES_MAX} more" if len(known) > _LINES_MAX else ""
    return f"line{'s' if len(known) > 1 else ''} {shown}{rest}"
