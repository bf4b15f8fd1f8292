"""The annotations of a transcript that is being corrected: word times, doubtful passages, mistakes, remarks. Pure functions.

The text may be half typed: no function needs it to follow the grammar, and none raises because of its content.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # of JSON values

from pipeline.errors import CauserieError, Problems
from pipeline.glossary import Recognition
from pipeline.model import Word
from pipeline.text import hms
from pipeline.transcript.align import timed_words
from pipeline.transcript.draft import told
from pipeline.transcript.grammar import ANCHOR, opening, parse
from pipeline.transcript.lint import lint
from pipeline.transcript.text import LABEL, read_clock

_DOUBT = re.compile(r"\s*%%\s*\?\s*(?P<said>.*)")
_CLOCK = re.compile(r"\d+(?::[0-5]\d){1,2}")
_SPAN = re.compile(rf"^{_CLOCK.pattern}(?:–{_CLOCK.pattern})? ")
_WORD = re.compile(r"\[[^\[\]]*\]|[^\s\[]+")


@dataclass(frozen=True)
class Place:
    """The position of a word in the text and the audio: line from 1, column from 0 in UTF-16 code units, start in seconds."""

    line: int
    column: int
    start_s: float


def view(
    text: str,
    heard: Recognition | None,
    doubted: Mapping[str, Any] | None,
    *,
    where: str,
    others: Mapping[str, str],
    people: Collection[str],
    language: str,
) -> dict[str, Any]:
    """All annotations as JSON values.

    `heard` is the content of `words.json`, `doubted` of `doubts.json`, `others` the show's other transcripts by path.
    """
    found = places(text, heard) if heard else []
    spoken = (heard["language"] if heard else "") or language  # of the text, which may not be the page's
    remarks = lint(text, where, others, spoken)
    return {
        "words": [[each.line, each.column, each.start_s] for each in found],
        "doubts": doubts(text, found, (doubted or {}).get("passages", ()), language),
        "mistakes": list(mistakes(text, where, people)),
        "remarks": [{"line": each.line, "said": f"{each.message}: {each.hint}"} for each in remarks],
    }


def places(text: str, heard: Recognition) -> list[Place]:
    """Every word of the text that was aligned with a recognised word, in order."""
    spots, anchors = _spots(text)
    timed = timed_words([Word(word) for _, _, word in spots], anchors, heard)
    placed = zip(spots, timed, strict=True)
    return [Place(line, column, word.start_s) for (line, column, _), word in placed if word.start_s is not None]


def doubts(text: str, found: Sequence[Place], passages: Sequence[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """The passages to check, sorted by time: the `%% ?` notes of the text with their line, and passages without a note with line 0.

    A note without a time applies to the text after it. `end_s` is None when only the start is known.
    """
    listed, rest = [], {hms(each["start_s"]): each for each in passages}
    for line, content in enumerate(text.split("\n"), 1):
        if note := _DOUBT.match(content):
            clock = _CLOCK.search(note["said"])
            start_s = read_clock(clock[0]) if clock else next((each.start_s for each in found if each.line > line), None)
            passage = rest.pop(clock[0] if clock else "", {"start_s": start_s, "end_s": None})  # its times are more precise
            listed.append({"line": line, **_span(passage), "said": _SPAN.sub("", note["said"])})
    for each in rest.values():
        said = f"{each['text']} ({told(each['reasons'], language)})" if each["reasons"] else each["text"]
        listed.append({"line": 0, **_span(each), "said": said})
    return sorted(listed, key=lambda each: (each["start_s"] is None, each["start_s"]))


def mistakes(text: str, where: str, people: Collection[str]) -> Iterator[dict[str, Any]]:
    """The errors of parsing the text, by line; `where` is the path that messages name."""
    try:
        parse(text, where, people)
    except CauserieError as error:
        for each in error.problems if isinstance(error, Problems) else (error,):
            line = each.where.rpartition(":")[2]
            yield {"line": int(line) if line.isdecimal() else 1, "said": f"{each.message}: {each.hint}" if each.hint else each.message}


def _span(passage: Mapping[str, Any]) -> dict[str, Any]:
    return {key: passage[key] for key in ("start_s", "end_s")}


def _spots(text: str) -> tuple[list[tuple[int, int, str]], list[tuple[int, float]]]:
    """The spoken words with line and column, and the anchors as `timed_words` takes them."""
    spots: list[tuple[int, int, str]] = []
    anchors: list[tuple[int, float]] = []
    first, names = opening(text)
    for number, line in enumerate(text.split("\n")[first:], first + 1):
        if line.lstrip().startswith(("%%", "##")):
            continue
        start = len(line) - len(line.lstrip())
        if anchor := ANCHOR.match(line, start):
            anchors.append((len(spots), read_clock(anchor["clock"])))
            start = anchor.end()
        start = _after_name(line, start, names)
        spots.extend((number, _utf16(line[: word.start()]), word[0]) for word in _WORD.finditer(line, start))
    return spots, anchors


def _after_name(line: str, start: int, names: Collection[str]) -> int:
    """The column where speech starts: after the mark of an insert or of a change of voice, and the voice's name."""
    signs = re.compile(r"[«\s]*(?:- )?\s*").match(line, start)
    label = LABEL.match(line, signs.end() if signs else start)
    return label.end() if label and label["label"] in names else start


def _utf16(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)
