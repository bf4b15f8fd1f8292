"""`guides/<slug>.md`: headings, `>` quotes, `-` items and plain lines, under a TOML front matter. Words only, no times.

A line is one thing: a question, an introduction, an item. Consecutive `>` lines are one quote. `%%` opens a note that is never
printed. A backslash before a line's first sign makes it ordinary text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pipeline.errors import CauserieError
from pipeline.guide.labels import fold, headings, labels
from pipeline.text import nearest, printable

TEXT, ITEM, QUOTE = "text", "item", "quote"
_SIGNS = re.compile(r"\\|#{1,6} |>|- |%%|\+\+\+")
# Controls, which no form of a guide may hold (XML 1.0, 2.2; HTML, 13.2.3.5), and what turns round all that stands after it
_NEVER_PRINTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]")


@dataclass(frozen=True)
class Line:
    """One thing of a section; a quote of several lines keeps them, separated by newlines."""

    kind: str  # TEXT | ITEM | QUOTE
    text: str
    number: int = field(default=0, compare=False)  # where it starts in the file, from 1
    note: str = field(default="", compare=False)  # a comment above it in a draft


@dataclass(frozen=True)
class Section:
    """What stands under one heading."""

    key: str  # of `labels.*.toml`, [sections]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Guide:
    """A guide's words, in the order of its file."""

    sections: tuple[Section, ...]
    version: str = "1"

    def lines(self, key: str, *kinds: str) -> tuple[Line, ...]:
        """The lines under a heading, of those kinds when some are given; empty when it is absent."""
        return tuple(line for section in self.sections if section.key == key for line in section.lines if not kinds or line.kind in kinds)

    def texts(self, key: str, *kinds: str) -> tuple[str, ...]:
        """The same, as text."""
        return tuple(line.text for line in self.lines(key, *kinds))


@dataclass(frozen=True)
class Question:
    """A question, and what to ask when nobody answers."""

    text: str
    follow_ups: tuple[str, ...] = ()
    number: int = field(default=0, compare=False)  # its line in the file, from 1


def questions(guide: Guide, family: str) -> tuple[Question, ...]:
    """The questions of a family: each plain line is one, the items below it are its follow-ups."""
    found: list[Question] = []
    for line in guide.lines(family):
        if line.kind == ITEM and found:
            found[-1] = replace(found[-1], follow_ups=(*found[-1].follow_ups, line.text))
        else:
            found.append(Question(line.text.replace("\n", " "), number=line.number))
    return tuple(found)


def clips(guide: Guide) -> tuple[tuple[str, Line], ...]:
    """Each quote with the lines that introduce it."""
    found: list[tuple[str, Line]] = []
    intro: list[str] = []
    for line in guide.lines("clips"):
        if line.kind == QUOTE:
            found.append((" ".join(intro), line))
            intro = []
        else:
            intro.append(line.text)
    return tuple(found)


def parse(text: str, where: str) -> Guide:
    """The guide in a file; a `CauserieError` names `where` and the line that cannot be understood."""
    rows = _NEVER_PRINTED.sub("", text).lstrip("\ufeff").splitlines()
    body, version = _front(rows, where)
    sections: list[tuple[str, list[Line]]] = []
    joins = False
    for number, row in enumerate(rows[body:], start=body + 1):
        stripped = row.strip()
        if stripped.startswith("#") and (title := re.match(r"#{1,6} +(.*)", stripped)):
            sections.append((_key(title[1], f"{where}:{number}"), []))
        elif stripped and not stripped.startswith("%%"):
            if not sections:
                raise CauserieError(f"“{printable(stripped)[:60]}” stands under no heading", f"{where}:{number}", "put it under one")
            _add(sections[-1][1], _line(stripped, number), joins)
        joins = stripped.startswith(">")
    return Guide(tuple(Section(key, tuple(lines)) for key, lines in sections), version)


def write(guide: Guide, language: str, notes: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """The guide as a file. `notes` are `%%` comments by section, `""` for the head of the file and `"+key"` for a section's end."""
    notes = notes or {}
    titles = labels(language)["sections"]
    rows = ["+++", f"version = {_toml(guide.version)}", "+++", *_notes(notes.get("", ()))]
    for section in guide.sections:
        rows += ["", f"## {titles[section.key]}", *_notes(notes.get(section.key, ()))]
        for line in section.lines:
            rows += _rows(line)
        rows += ["", *after] if (after := _notes(notes.get(f"+{section.key}", ()))) else []
    return "\n".join(rows) + "\n"


def _front(rows: list[str], where: str) -> tuple[int, str]:
    """The index of the first row after the front matter, and the version it names."""
    if not rows or rows[0].strip() != "+++":
        return 0, "1"
    end = next((i for i, row in enumerate(rows[1:], start=1) if row.strip() == "+++"), None)
    if end is None:
        raise CauserieError("the front matter is never closed", f"{where}:1", "end it with a line +++")
    try:
        values = tomllib.loads("\n".join(rows[1:end]))
    except tomllib.TOMLDecodeError as error:
        raise CauserieError(f"the front matter is not TOML ({error})", f"{where}:2", 'write it as version = "1"') from error
    return end + 1, str(values.get("version", "1"))


def _key(title: str, where: str) -> str:
    known = headings()
    if (key := known.get(fold(title))) is None:
        raise CauserieError(f"“{printable(title)[:60]}” is no heading of a guide", where, nearest(fold(title), known))
    return key


def _line(row: str, number: int) -> Line:
    if row.startswith(">"):
        return Line(QUOTE, _plain(row[1:].strip()), number)
    if row.startswith("- "):
        return Line(ITEM, _plain(row[2:].strip()), number)
    return Line(TEXT, _plain(row), number)


def _plain(text: str) -> str:
    return text[1:] if text.startswith("\\") else text


def _add(lines: list[Line], line: Line, joins: bool) -> None:
    """Add a line, a quote's further lines to the quote before."""
    if line.kind == QUOTE and joins and lines and lines[-1].kind == QUOTE:
        lines[-1] = Line(QUOTE, f"{lines[-1].text}\n{line.text}", lines[-1].number)
    elif line.text:
        lines.append(line)


def _rows(line: Line) -> Iterator[str]:
    if line.kind != ITEM:
        yield ""
    yield from _notes((line.note,) if line.note else ())
    mark = {TEXT: "", ITEM: "- ", QUOTE: "> "}[line.kind]
    for text in line.text.split("\n"):
        yield mark + ("\\" + text if _SIGNS.match(text) else text)


def _notes(notes: tuple[str, ...]) -> list[str]:
    return [f"%% {note}".rstrip() for note in notes]


def _toml(text: str) -> str:
    """A TOML basic string."""
    return '"' + "".join(f"\\u{ord(char):04x}" if ord(char) < 32 or char in '"\\\x7f' else char for char in text) + '"'
