"""Find names that stand apart from the words: « [Warda] », « VALÈRE » alone on a line, « HARPAGON, à part. - … ». No input or output.

A notation counts only when the text uses it throughout: two names, one of them twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.transcript.freeform import labels as labels
from pipeline.transcript.freeform.labels import fold_name
from pipeline.transcript.freeform.source_lines import Remark, SourceLine

_NAME = r"[A-ZÀ-ÞŒŸ][\w’'-]*(?: (?:[A-ZÀ-ÞŒŸ][\w’'.-]*|d[eu]s?|la|le|\d+)){0,3}"
_CAPITALS = r"[A-ZÀ-ÞŒŸ][A-ZÀ-ÞŒŸ’'-]+(?: [A-ZÀ-ÞŒŸ][A-ZÀ-ÞŒŸ’'.-]*){0,3}"
_ASIDE = r"(?:\s*[,(\[]\s*(?P<aside>[^()\[\]:–—]{2,50}?)[)\]]?)?"
_BRACKETED = re.compile(rf"(?:[-–—]\s*)?\[(?P<name>{_NAME})\]\s*:?\s*(?P<text>.*)$")
_ALONE = re.compile(rf"(?P<name>{_CAPITALS}){_ASIDE}\s*[.:]?$|[-–—]\s*(?P<dashed>{_NAME})\s*[-–—]$")
_POINT_DASH = re.compile(rf"(?P<name>{_CAPITALS}){_ASIDE}\s*[.,]?\s*[-–—]+\s+(?P<text>\S.*[a-zà-ÿœ].*)$")
_POINT = re.compile(rf"(?P<name>{_CAPITALS}|[A-Z]){_ASIDE}\. +(?P<text>[^\W\d_a-zà-ÿ].*|[«\[(].*)$")
_SOUNDS = frozenset(
    """
    musique musiques rire rires bruit bruits bruitage bruitages sonnerie silence applaudissements transition jingle soupir soupirs
    ambiance generique voix chant chants cri cris pause inaudible fin debut archive archives extrait virgule son sons effet fond porte
    pas pluie vent vague vagues oiseaux telephone cloche cloches tonnerre moteur element texte music laughter applause sound
    """.split()
)
_SHARE_MIN = 0.2  # of the lines: brackets with a name are few where they are sounds
_COUNT_MIN = 4  # « NOM. texte » may be a sentence of one word


@dataclass(frozen=True)
class _Mark:
    """A name before words, or alone on its line when `text` is empty; `aside` is how they are said."""

    name: str
    text: str = ""
    aside: str = ""


def mark_names(lines: Sequence[SourceLine]) -> tuple[list[SourceLine], list[Remark]]:
    """Return the lines with names of such notations as their labels. A name alone on its line holds until the next one."""
    for find, is_used in ((_bracketed, _often), (_point_dash, _twice), (_point, _many), (_alone, _twice)):
        marks = [None if line.label or line.is_heading else find(line.text) for line in lines]
        marks = _with_speech(marks, lines)
        if is_used(marks, lines):
            names = ", ".join(dict.fromkeys(mark.name for mark in marks if mark))
            first = next(line for line, mark in zip(lines, marks, strict=True) if mark)
            return list(_labelled(lines, marks)), [Remark(first.number, names, "names set apart from the words: read as those who speak")]
    return list(lines), []


def _bracketed(text: str) -> _Mark | None:
    found = _BRACKETED.match(text)
    is_name = found and fold_name(found["name"]).split(" ")[0] not in _SOUNDS and not labels.match_part(f"[{found['name']}]")
    return _Mark(found["name"], found["text"]) if found and is_name else None


def _alone(text: str) -> _Mark | None:
    found = _ALONE.match(text)
    if not found or labels.match_part(text, capitals=False) or labels.match_credit(text, False):
        return None
    name = (found["name"] or found["dashed"] or "").strip(" .")
    return _Mark(name, "", (found["aside"] or "").strip(" .")) if fold_name(name).split(" ")[0] not in _SOUNDS else None


def _point_dash(text: str) -> _Mark | None:
    found = None if labels.match_part(text, capitals=False) else _POINT_DASH.match(text)
    return _Mark(found["name"].strip(" ."), found["text"], (found["aside"] or "").strip(" .")) if found else None


def _point(text: str) -> _Mark | None:
    found = _POINT.match(text)
    is_title = found and labels.match_part(text.rstrip("."), capitals=False)
    return _Mark(found["name"].strip(" ."), found["text"], (found["aside"] or "").strip(" .")) if found and not is_title else None


def _with_speech(marks: Sequence[_Mark | None], lines: Sequence[SourceLine]) -> list[_Mark | None]:
    """The marks that words follow, on their line or on the next one."""
    following = [*marks[1:], None]
    last = len(lines) - 1
    return [mark if mark and (mark.text or (i < last and following[i] is None)) else None for i, mark in enumerate(marks)]


def _twice(marks: Sequence[_Mark | None], _: Sequence[SourceLine]) -> bool:
    counts = Counter(fold_name(mark.name) for mark in marks if mark)
    return len(counts) > 1 and max(counts.values()) > 1


def _many(marks: Sequence[_Mark | None], lines: Sequence[SourceLine]) -> bool:
    return _twice(marks, lines) and sum(mark is not None for mark in marks) >= _COUNT_MIN


def _often(marks: Sequence[_Mark | None], lines: Sequence[SourceLine]) -> bool:
    return _twice(marks, lines) and sum(mark is not None for mark in marks) >= _SHARE_MIN * len(lines)


def _labelled(lines: Sequence[SourceLine], marks: Sequence[_Mark | None]) -> Iterator[SourceLine]:
    """Yield the lines with their labels."""
    held: _Mark | None = None
    is_next = False  # the line after a name alone
    anchor_s = None
    for line, mark in zip(lines, marks, strict=True):
        if mark and mark.text:
            held, is_next = (mark, False) if _BRACKETED.match(line.text) else (None, False)
            yield replace(line, text=_with_aside(mark.text, mark.aside), label=mark.name, starts_paragraph=True)
        elif mark:
            held, is_next, anchor_s = mark, True, line.anchor_s
        elif held and (is_next or line.starts_paragraph) and not _ends_turn(line):
            text = _with_aside(line.text, held.aside if is_next else "")
            start_s = line.anchor_s if line.anchor_s is not None or not is_next else anchor_s
            yield replace(line, text=text, label=held.name, starts_paragraph=True, anchor_s=start_s)
            is_next = False
        else:
            held = None if _ends_turn(line) else held
            yield line


def _ends_turn(line: SourceLine) -> bool:
    """Whether a line after a name alone is not that person's: a sound, the title of a part, a credit, somebody else."""
    checks: tuple[Callable[[str], object], ...] = (
        labels.match_part,
        labels.match_file_marker,
        lambda text: labels.match_credit(text, False),
    )
    return bool(
        line.label or line.is_heading or re.fullmatch(r"[(\[][^()\[\]]*[)\]]", line.text) or any(check(line.text) for check in checks)
    )


def _with_aside(text: str, aside: str) -> str:
    return f"[{aside}] {text}" if aside else text
