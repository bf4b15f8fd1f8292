"""What is shown beside a text while it is corrected: when each word is heard, what to listen to, what is wrong. Pure.

The text may be half typed: nothing here needs it to follow the grammar, and nothing raises for what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import CauserieError, Problems
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
    """Where a word stands: its line, from 1, and its column as browsers count, in UTF-16 units from 0; and when it is heard."""

    line: int
    column: int
    start_s: float


def view(
    text: str,
    heard: Mapping[str, Any] | None,
    doubted: Mapping[str, Any] | None,
    *,
    where: str,
    others: Mapping[str, str],
    people: Collection[str],
    language: str,
) -> dict[str, Any]:
    """All of it as JSON values. `heard` is the content of `words.json`, `doubted` of `doubts.json`, `others` the show's other texts."""
    found = places(text, heard) if heard else []
    remarks = lint(text, where, others, (heard or {}).get("language") or language)  # the text's, where the page is in the show's
    return {
        "words": [[each.line, each.column, each.start_s] for each in found],
        "doubts": doubts(text, found, (doubted or {}).get("passages", ()), language),
        "mistakes": list(mistakes(text, where, people)),
        "remarks": [{"line": each.line, "said": f"{each.message}: {each.hint}"} for each in remarks],
    }


def places(text: str, heard: Mapping[str, Any]) -> list[Place]:
    """Every word of the text that was found in what was heard, in order."""
    spots, anchors = _spots(text)
    timed = timed_words([Word(word) for _, _, word in spots], anchors, dict(heard))
    placed = zip(spots, timed, strict=True)
    return [Place(line, column, word.start_s) for (line, column, _), word in placed if word.start_s is not None]


def doubts(text: str, found: Sequence[Place], passages: Sequence[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """What to listen to, in order of time: the `%% ?` notes of the text, with their line; then passages whose note is gone, with line 0.

    A note that says no time is about what follows it. `end_s` is null when only the start is known.
    """
    listed, rest = [], {hms(each["start_s"]): each for each in passages}
    for line, content in enumerate(text.split("\n"), 1):
        if note := _DOUBT.match(content):
            clock = _CLOCK.search(note["said"])
            start_s = read_clock(clock[0]) if clock else next((each.start_s for each in found if each.line > line), None)
            passage = rest.pop(clock[0] if clock else "", {"start_s": start_s, "end_s": None})  # its times are finer
            listed.append({"line": line, **_span(passage), "said": _SPAN.sub("", note["said"])})
    for each in rest.values():
        said = f"{each['text']} ({told(each['reasons'], language)})" if each["reasons"] else each["text"]
        listed.append({"line": 0, **_span(each), "said": said})
    return sorted(listed, key=lambda each: (each["start_s"] is None, each["start_s"]))


def mistakes(text: str, where: str, people: Collection[str]) -> Iterator[dict[str, Any]]:
    """What keeps the text from being read, by line; `where` names its file."""
    try:
        parse(text, where, people)
    except CauserieError as error:
        for each in error.problems if isinstance(error, Problems) else (error,):
            line = each.where.rpartition(":")[2]
            yield {"line": int(line) if line.isdecimal() else 1, "said": f"{each.message}: {each.hint}" if each.hint else each.message}


def _span(passage: Mapping[str, Any]) -> dict[str, Any]:
    return {key: passage[key] for key in ("start_s", "end_s")}


def _spots(text: str) -> tuple[list[tuple[int, int, str]], list[tuple[int, float]]]:
    """The words that are said, each with its line and column; and anchors, as `timed_words` wants them."""
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
    """Where what is said begins, after the sign of an insert or of another voice, and the voice's name."""
    signs = re.compile(r"[«\s]*(?:- )?\s*").match(line, start)
    label = LABEL.match(line, signs.end() if signs else start)
    return label.end() if label and label["label"] in names else start


def _utf16(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)
