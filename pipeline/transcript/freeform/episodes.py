"""Cut a page that holds several episodes into them: by the marks of their audio files, or by their identifiers. No input or output."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.transcript.freeform import labels as labels
from pipeline.transcript.freeform.source_lines import SourceLine

_HEAD_LINES = 3  # title, summary and one more line before the facts of an episode


def split_episodes(lines: Sequence[SourceLine]) -> tuple[tuple[SourceLine, ...], ...]:
    """Return the lines of each episode; all of them as one when the page holds a single episode."""
    cuts = [0]
    has_started, identifiers = False, set[str]()
    after_end: int | None = None
    for index, line in enumerate(lines):
        marker = labels.match_file_marker(line.text.strip())
        identifier = labels.match_identifier(line.text.strip())
        starts = (marker is not None and marker[0] == "start" and has_started) or (
            identifier and identifiers and identifier not in identifiers
        )
        if starts and _is_another(identifier or (marker[1] if marker else ""), identifiers):
            cuts.append(after_end if after_end is not None else _head_start(lines, cuts[-1], index))
            has_started, identifiers, after_end = False, set(), None
        if marker and marker[0] == "start":
            has_started = True
        if marker and marker[0] == "end":
            after_end = index + 1
        identifiers |= {name for name in (identifier, marker[1] if marker else "") if name}
    return tuple(tuple(lines[start:end]) for start, end in zip(cuts, [*cuts[1:], len(lines)], strict=True))


def _is_another(identifier: str, known: set[str]) -> bool:
    """Whether an identifier, or a mark without one, belongs to another episode than those seen since the last cut."""
    return not identifier or identifier not in known


def _head_start(lines: Sequence[SourceLine], first: int, index: int) -> int:
    """The line where the head of an episode begins, whose identifier or mark is at `index`: facts, then a title and a summary."""
    start = index
    while start - 1 > first and _is_fact(lines[start - 1].text):
        start -= 1
    for _ in range(_HEAD_LINES):
        before = lines[start - 1].text.strip() if start - 1 > first else ""
        if not before or re.match(r"[«\[(-]", before) or labels.match_credit(before, True) or labels.match_part(before):
            break
        start -= 1
    return start


def _is_fact(text: str) -> bool:
    return bool(
        labels.match_identifier(text.strip()) or labels.match_keyed_field(text.strip()) or labels.parse_duration_s(text.strip()) is not None
    )
