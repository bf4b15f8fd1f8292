"""The annotations of a transcript that is being corrected: word times, doubtful passages, mistakes, remarks. Pure functions.

The text may be half typed: no function needs it to follow the grammar, and none raises because of its content.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # of JSON values

from pipeline.model import REVIEWED, CauserieError, Problems, Recognition, Word, format_clock
from pipeline.transcript import (
    ANCHOR,
    SPEAKER_LABEL,
    assign_times,
    compare_with_heard,
    completeness_notes,
    format_reasons,
    parse_anchor,
    parse_transcript,
    removed_loops,
    review_notice,
    scan_head,
    text_review,
)
from pipeline.transcript.freeform import LineIndex, lint_transcript

_DOUBT = re.compile(r"\s*%%\s*\?\s*(?P<said>.*)")
_CLOCK = re.compile(r"\d+(?::[0-5]\d){1,2}")
_CLOCK_RANGE = re.compile(rf"^{_CLOCK.pattern}(?:–{_CLOCK.pattern})? ")
_WORD = re.compile(r"\[[^\[\]]*\]|[^\s\[]+")


@dataclass(frozen=True)
class WordPosition:
    """The position of a word in the text and the audio: line from 1, column from 0 in UTF-16 code units, start in seconds."""

    line: int
    column: int
    start_s: float
    is_estimated: bool = False


def build_view_model(
    text: str,
    words_data: Recognition | None,
    doubts_data: Mapping[str, Any] | None,
    *,
    where: str,
    texts: LineIndex,
    people: Collection[str],
    language: str,
) -> dict[str, Any]:
    """All annotations as JSON values.

    `words_data` is the content of `words.json`, `doubts_data` of `doubts.json`; `texts` has the lines of the show's other transcripts.
    """
    positions = locate_words(text, words_data) if words_data else []
    spoken = (words_data["language"] if words_data else "") or language  # of the text, which may not be the page's
    remarks = sorted((*lint_transcript(text, where, spoken), *texts.compare(where, text)), key=lambda remark: remark.line)
    doubts = doubt_entries(text, positions, (doubts_data or {}).get("passages", ()), language)
    return {
        "words": [[each.line, each.column, each.start_s] for each in positions],
        "doubts": doubts,
        "check": check_value(text, where, people, language, sum(each["line"] > 0 for each in doubts)),
        "estimated": [index for index, each in enumerate(positions) if each.is_estimated],
        "completeness": completeness_entries(text, words_data, language) if words_data else [],
        "mistakes": list(parse_errors(text, where, people)),
        "remarks": [{"line": each.line, "said": f"{each.message}: {each.hint}"} for each in remarks],
    }


def locate_words(text: str, words_data: Recognition) -> list[WordPosition]:
    """Every word of the text that was aligned with a recognised word, in order."""
    spoken_words, anchors = _spoken_words(text)
    timed = assign_times([Word(word) for _, _, word in spoken_words], anchors, words_data)
    placed = zip(spoken_words, timed, strict=True)
    return [WordPosition(line, column, word.start_s, word.estimated) for (line, column, _), word in placed if word.start_s is not None]


def doubt_entries(
    text: str, positions: Sequence[WordPosition], passages: Sequence[Mapping[str, Any]], language: str
) -> list[dict[str, Any]]:
    """The passages to check, sorted by time: the `%% ?` notes of the text with their line, and passages without a note with line 0.

    A note without a time applies to the text after it. `end_s` is None when only the start is known.
    """
    entries, unmatched = [], {format_clock(each["start_s"]): each for each in passages}
    for line, content in enumerate(text.split("\n"), 1):
        if note := _DOUBT.match(content):
            clock = _CLOCK.search(note["said"])
            start_s = parse_anchor(clock[0]) if clock else next((each.start_s for each in positions if each.line > line), None)
            passage = unmatched.pop(clock[0] if clock else "", {"start_s": start_s, "end_s": None})  # its times are more precise
            entries.append({"line": line, **_start_end(passage), "said": _CLOCK_RANGE.sub("", note["said"])})
    for each in unmatched.values():
        description = f"{each['text']} ({format_reasons(each['reasons'], language)})" if each["reasons"] else each["text"]
        entries.append({"line": 0, **_start_end(each), "said": description})
    return sorted(entries, key=lambda each: (each["start_s"] is None, each["start_s"]))


def check_value(text: str, where: str, people: Collection[str], language: str, open_doubts: int) -> dict[str, Any]:
    """Who has checked the text, as a sentence, and whether the check-off is offered: to whom has gone through the doubts and mistakes."""
    try:
        review = text_review(text, parse_transcript(text, where, people))
    except CauserieError:
        return {"notice": "", "offered": False, "done": False}
    is_done = review.state == REVIEWED
    return {"notice": review_notice(review, language), "offered": not open_doubts and not is_done, "done": is_done}


def completeness_entries(text: str, words_data: Recognition, language: str) -> list[dict[str, Any]]:
    """What only the text or only the sound has, the longest first; none while the text has mistakes of grammar."""
    try:
        comparison = compare_with_heard(parse_transcript(text), words_data)
    except CauserieError:
        return []
    notes = completeness_notes(comparison, removed_loops(words_data), language)
    return [{"start_s": note.start_s, "said": note.sentence} for note in notes]


def parse_errors(text: str, where: str, people: Collection[str]) -> Iterator[dict[str, Any]]:
    """The errors of parsing the text, by line; `where` is the path that messages name."""
    try:
        parse_transcript(text, where, people)
    except CauserieError as error:
        for each in error.problems if isinstance(error, Problems) else (error,):
            line = each.where.rpartition(":")[2]
            yield {"line": int(line) if line.isdecimal() else 1, "said": f"{each.message}: {each.hint}" if each.hint else each.message}


def _start_end(passage: Mapping[str, Any]) -> dict[str, Any]:
    return {key: passage[key] for key in ("start_s", "end_s")}


def _spoken_words(text: str) -> tuple[list[tuple[int, int, str]], list[tuple[int, float]]]:
    """The spoken words with line and column, and the anchors as `assign_times` takes them."""
    words: list[tuple[int, int, str]] = []
    anchors: list[tuple[int, float]] = []
    first, names = scan_head(text)
    for number, line in enumerate(text.split("\n")[first:], first + 1):
        if line.lstrip().startswith(("%%", "##")):
            continue
        start = len(line) - len(line.lstrip())
        if anchor := ANCHOR.match(line, start):
            anchors.append((len(words), parse_anchor(anchor["clock"])))
            start = anchor.end()
        start = _speech_start(line, start, names)
        words.extend((number, _utf16(line[: word.start()]), word[0]) for word in _WORD.finditer(line, start))
    return words, anchors


def _speech_start(line: str, start: int, names: Collection[str]) -> int:
    """The column where speech starts: after the mark of an insert or of a change of voice, and the voice's name."""
    opening_marks = re.compile(r"[«\s]*(?:- )?\s*").match(line, start)
    label = SPEAKER_LABEL.match(line, opening_marks.end() if opening_marks else start)
    return label.end() if label and label["label"] in names else start


def _utf16(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)
