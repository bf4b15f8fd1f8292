"""Tell where the header of a free-form transcript ends: title, summary and facts before anything is said. No input or output."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.transcript.freeform import labels as labels
from pipeline.transcript.freeform.labels import fold_name
from pipeline.transcript.freeform.source_lines import SourceLine
from pipeline.transcript.freeform.speakers import opening_label

_SAID = re.compile(  # no title and no summary speaks so
    r"^(?:bonjour|bonsoir|bienvenue|salut|merci|un (?:grand|immense) merci)\b|^(?:je|j[’']\w+|nous|vous)\b.*[.!?…]$|"
    r"\bje (?:suis|m[’']appelle)\b|\bpr[ée]sente(?:nt)? ?:|^vous [ée]coutez\b|\b(?:je|j[’']\w+|nous)\b.*!$",
    re.I,
)
_TITLE_CHARS_MAX = 120  # characters
_HEADER_LINES_MAX = 10  # lines


def header_length(lines: Sequence[SourceLine]) -> int:
    """Return how many lines are header when no marker says so: up to the last fact, or to the first music after a line or two."""
    first_heard = next((index for index, line in enumerate(lines) if _is_heard(line) and not is_fact_or_credit(line.text)), len(lines))
    facts = [index for index, line in enumerate(lines[: min(first_heard, _HEADER_LINES_MAX)]) if _is_fact(line.text)]
    facts += [index for index, line in enumerate(lines[:first_heard]) if is_fact_or_credit(line.text)]
    if facts:
        return max(facts) + 1 + _has_title_after_number(lines, max(facts) + 1)
    first = next((index for index, line in enumerate(lines) if is_body_line(line)), len(lines))
    if not first or len(lines) == 1 or not _is_title(lines[0]) or _is_first_turn(lines):
        return 0
    return 2 if first == 2 < len(lines) and _is_music(lines[2]) else 1


def _is_fact(text: str) -> bool:
    return bool(labels.match_identifier(text) or labels.match_keyed_field(text) or labels.parse_duration_s(text) is not None)


def lines_before_title(header: Sequence[SourceLine]) -> set[int]:
    """Return the indexes of lines of the page before the title: of three lines or more, it is the last that does not end as a sentence."""
    first_fact = next((index for index, line in enumerate(header) if is_fact_or_credit(line.text)), len(header))
    if first_fact < 3 or first_fact == len(header):
        return set()
    titles = [index for index in range(first_fact - 1) if not re.search(r"[.!?…»]$", header[index].text)]
    return set(range(titles[-1])) if titles else set()


def is_fact_or_credit(text: str) -> bool:
    """Whether a line belongs to the header when no speech comes before it."""
    return bool(_is_fact(text) or labels.match_episode(text) or labels.match_credit(text, False) or labels.match_credits(text))


def is_body_line(line: SourceLine) -> bool:
    """Whether a line cannot belong to the header."""
    return bool(
        line.has_dash or line.label or line.anchor_s is not None or line.text[:1] in "[«" or labels.match_part(line.text, capitals=False)
    )


def _is_music(line: SourceLine) -> bool:
    found = labels.match_part(line.text)
    return line.text.startswith("[") or bool(found and labels.fold_name(found[0]).startswith(("generique", "jingle", "intro")))


def _is_heard(line: SourceLine) -> bool:
    """Whether a line is said, whatever facts come after it."""
    return is_body_line(line) or (_SAID.search(line.text) is not None and not line.is_heading)


def _has_title_after_number(lines: Sequence[SourceLine], start: int) -> bool:
    """Whether the line after « Épisode 3 » alone is the title."""
    before = labels.match_episode(lines[start - 1].text)
    after = lines[start] if start < len(lines) else None
    return (
        before is not None
        and not before[1]
        and after is not None
        and _is_title(after)
        and not labels.match_part(after.text, capitals=False)
    )


def _is_first_turn(lines: Sequence[SourceLine]) -> bool:
    """Whether the first line is a turn, « Solène : Papi, c’est quoi un bac ? »: its name opens another line too."""
    name = opening_label(lines[0].text)
    return bool(name) and any(opening_label(line.text) == name or fold_name(line.label) == name for line in lines[1:])


def _is_title(line: SourceLine) -> bool:
    if _SAID.search(line.text) and not line.is_heading:
        return False
    is_short = len(line.text) <= _TITLE_CHARS_MAX and not re.search(r"[.:,;…]$", line.text)
    return line.is_heading or labels.match_episode(line.text) is not None or (is_short and not line.label)
