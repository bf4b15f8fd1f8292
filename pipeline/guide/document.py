"""`guides/<slug>.md`: headings, `>` quotes, `-` items and plain lines, after a TOML front matter. Text only, no times.

Each line is one element: a question, an introduction, an item. Consecutive `>` lines are one quote. `%%` starts a comment, which is
never printed. A backslash before a line's markup makes it plain text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pipeline.guide.labels import fold, load_labels, section_keys
from pipeline.model import CauserieError, suggest, terminal_safe

TEXT, ITEM, QUOTE = "text", "item", "quote"
_MARKUP = re.compile(r"\\|#{1,6} |>|- |%%|\+\+\+")
# Control characters, which XML 1.0 (2.2) and HTML (13.2.3.5) forbid, and bidirectional overrides, which reorder the text after them
_FORBIDDEN_CHARS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]")


@dataclass(frozen=True)
class GuideLine:
    """One element of a section; a quote of several lines keeps its newlines."""

    kind: str  # TEXT | ITEM | QUOTE
    text: str
    number: int = field(default=0, compare=False)  # line in the file, from 1
    note: str = field(default="", compare=False)  # a comment above it in a draft


@dataclass(frozen=True)
class GuideSection:
    """The content under one heading."""

    key: str  # of [sections] in `labels.*.toml`
    lines: tuple[GuideLine, ...]


@dataclass(frozen=True)
class Guide:
    """The text of a guide, in file order."""

    sections: tuple[GuideSection, ...]
    version: str = "1"

    def lines(self, key: str, *kinds: str) -> tuple[GuideLine, ...]:
        """Return the lines under a heading, only of the given kinds if any; empty when the heading is absent."""
        return tuple(line for section in self.sections if section.key == key for line in section.lines if not kinds or line.kind in kinds)

    def texts(self, key: str, *kinds: str) -> tuple[str, ...]:
        """Return the texts of these lines."""
        return tuple(line.text for line in self.lines(key, *kinds))


@dataclass(frozen=True)
class Question:
    """A question and its follow-ups, for when the group stays silent."""

    text: str
    follow_ups: tuple[str, ...] = ()
    number: int = field(default=0, compare=False)  # line in the file, counted from 1


def family_questions(guide: Guide, family: str) -> tuple[Question, ...]:
    """Return the questions of a family: each plain line is one, the items below it are its follow-ups."""
    found: list[Question] = []
    for line in guide.lines(family):
        if line.kind == ITEM and found:
            found[-1] = replace(found[-1], follow_ups=(*found[-1].follow_ups, line.text))
        else:
            found.append(Question(line.text.replace("\n", " "), number=line.number))
    return tuple(found)


def clip_quotes(guide: Guide) -> tuple[tuple[str, GuideLine], ...]:
    """Return each quote of the clips section as (introduction, quote line)."""
    found: list[tuple[str, GuideLine]] = []
    intro: list[str] = []
    for line in guide.lines("clips"):
        if line.kind == QUOTE:
            found.append((" ".join(intro), line))
            intro = []
        else:
            intro.append(line.text)
    return tuple(found)


def parse_guide(text: str, location: str) -> Guide:
    """Parse a guide; `CauserieError` with `location` and line for what is not valid."""
    rows = _FORBIDDEN_CHARS.sub("", text).lstrip("\ufeff").splitlines()
    body, version = _parse_front_matter(rows, location)
    sections: list[tuple[str, list[GuideLine]]] = []
    previous_is_quote = False
    for number, row in enumerate(rows[body:], start=body + 1):
        stripped = row.strip()
        if stripped.startswith("#") and (title := re.match(r"#{1,6} +(.*)", stripped)):
            sections.append((_section_key(title[1], f"{location}:{number}"), []))
        elif stripped and not stripped.startswith("%%"):
            if not sections:
                raise CauserieError(
                    f"“{terminal_safe(stripped)[:60]}” is under no heading", f"{location}:{number}", "move it below a ## heading"
                )
            _append_line(sections[-1][1], _parse_line(stripped, number), previous_is_quote)
        previous_is_quote = stripped.startswith(">")
    return Guide(tuple(GuideSection(key, tuple(lines)) for key, lines in sections), version)


def format_guide(guide: Guide, language: str, notes: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """Return the guide as file text.

    `notes` are `%%` comments by section key; the key is `""` for the top of the file, `"+key"` for the end of a section.
    """
    notes = notes or {}
    titles = load_labels(language)["sections"]
    rows = ["+++", f"version = {_toml_string(guide.version)}", "+++", *_comment_rows(notes.get("", ()))]
    for section in guide.sections:
        rows += ["", f"## {titles[section.key]}", *_comment_rows(notes.get(section.key, ()))]
        for line in section.lines:
            rows += _line_rows(line)
        rows += ["", *after] if (after := _comment_rows(notes.get(f"+{section.key}", ()))) else []
    return "\n".join(rows) + "\n"


def _parse_front_matter(rows: list[str], location: str) -> tuple[int, str]:
    """Return the index of the first row after the front matter, and its version."""
    if not rows or rows[0].strip() != "+++":
        return 0, "1"
    end = next((i for i, row in enumerate(rows[1:], start=1) if row.strip() == "+++"), None)
    if end is None:
        raise CauserieError("the front matter is never closed", f"{location}:1", "end it with a +++ line")
    try:
        values = tomllib.loads("\n".join(rows[1:end]))
    except tomllib.TOMLDecodeError as error:
        raise CauserieError(f"the front matter is not valid TOML ({error})", f"{location}:2", 'write version = "1"') from error
    return end + 1, str(values.get("version", "1"))


def _section_key(title: str, location: str) -> str:
    known = section_keys()
    if (key := known.get(fold(title))) is None:
        raise CauserieError(f"“{terminal_safe(title)[:60]}” is not a heading of a guide", location, suggest(fold(title), known))
    return key


def _parse_line(row: str, number: int) -> GuideLine:
    if row.startswith(">"):
        return GuideLine(QUOTE, _unescape(row[1:].strip()), number)
    if row.startswith("- "):
        return GuideLine(ITEM, _unescape(row[2:].strip()), number)
    return GuideLine(TEXT, _unescape(row), number)


def _unescape(text: str) -> str:
    return text[1:] if text.startswith("\\") else text


def _append_line(lines: list[GuideLine], line: GuideLine, continues_quote: bool) -> None:
    """Add a line; further lines of a quote are joined to it."""
    if line.kind == QUOTE and continues_quote and lines and lines[-1].kind == QUOTE:
        lines[-1] = GuideLine(QUOTE, f"{lines[-1].text}\n{line.text}", lines[-1].number)
    elif line.text:
        lines.append(line)


def _line_rows(line: GuideLine) -> Iterator[str]:
    if line.kind != ITEM:
        yield ""
    yield from _comment_rows((line.note,) if line.note else ())
    mark = {TEXT: "", ITEM: "- ", QUOTE: "> "}[line.kind]
    for text in line.text.split("\n"):
        yield mark + ("\\" + text if _MARKUP.match(text) else text)


def _comment_rows(notes: tuple[str, ...]) -> list[str]:
    return [f"%% {note}".rstrip() for note in notes]


def _toml_string(text: str) -> str:
    """Return a TOML basic string."""
    return '"' + "".join(f"\\u{ord(char):04x}" if ord(char) < 32 or char in '"\\\x7f' else char for char in text) + '"'
