"""Lines that differ by one word from a line of another episode: credits and jingles should be identical.

Two lines that differ by one word have the same first half, or the same second half. So each line is filed under the digests of its halves,
and only lines under the same digest are compared: one index serves all the texts of a show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import blake2b

from pipeline.transcript.freeform.lint import Diagnostic, published_lines, split_lines

LineKeys = list[int]  # the line's number, the digest of its words, those of its halves; a JSON value, so that it can be kept

_MIN_WORDS = 6  # shorter lines are similar by chance
_PLACES = 2  # kept of a line that many texts have: a text that has it itself needs the second


def line_keys(text: str) -> list[LineKeys]:
    """The keys of a text's lines, for a `LineIndex`."""
    lines = ((number, _words(line)) for number, line in published_lines(text))
    return [[number, _digest(words), *_half_digests(words)] for number, words in lines if len(words) >= _MIN_WORDS]


class LineIndex:
    """The lines of a show's texts in one language, by the digests of their halves."""

    def __init__(self, read: Callable[[str], str]) -> None:
        """`read` returns the text of a name; it is called only for texts with similar lines."""
        self._read = read
        self._lines: dict[str, list[str]] = {}
        self._keys: dict[str, list[LineKeys]] = {}
        self._ranks: dict[str, int] = {}
        self._by_half: dict[int, dict[int, list[tuple[str, int]]]] = {}  # digest of a half: of the line: its first places

    def add(self, name: str, keys: list[LineKeys]) -> None:
        """Add a text. A line that is like those of several texts is compared with the text that was added first."""
        self._keys[name], self._ranks[name] = keys, len(self._ranks)
        for number, whole, *halves in keys:
            for half in halves:
                places = self._by_half.setdefault(half, {}).setdefault(whole, [])
                if len(places) < _PLACES and all(other != name for other, _ in places):
                    places.append((name, number))

    def near_duplicates(self, name: str) -> list[Diagnostic]:
        """Advice on the lines of a text that differ by one word from a line of another text; none on those that another text has."""
        return [each for keys in self._keys[name] for each in self._compare(name, keys, self._lines_of)]

    def compare(self, name: str, text: str) -> list[Diagnostic]:
        """The same for a `text` of that name as it stands, whether the index has an older one or none."""
        lines = split_lines(text)
        return [each for keys in line_keys(text) for each in self._compare(name, keys, lambda _: lines)]

    def _compare(self, name: str, keys: LineKeys, lines_of: Callable[[str], list[str]]) -> Iterator[Diagnostic]:
        number, whole, *halves = keys
        buckets = [self._by_half.get(half, {}) for half in halves]
        if any(other != name for other, _ in buckets[0].get(whole, ())):
            return
        similar = {place for bucket in buckets for places in bucket.values() for place in places if place[0] != name}
        for other, line in sorted(similar, key=lambda place: (self._ranks[place[0]], place[1])):
            there = self._lines_of(other)[line - 1 : line]  # nothing, when the file has become shorter since
            if differing := _word_difference(_words(lines_of(name)[number - 1]), _words("".join(there))):
                mine, theirs = differing
                message = f"one word differs from {other}:{line}: “{mine}” here, “{theirs}” there"
                yield Diagnostic(number, message, "if it is the same sentence, make them identical")
                return

    def _lines_of(self, name: str) -> list[str]:
        if name not in self._lines:
            self._lines[name] = split_lines(self._read(name))
        return self._lines[name]


def _half_digests(words: tuple[str, ...]) -> Iterator[int]:
    """The digests of both halves of a line, as if it were the shorter and as if it were the longer of two lines."""
    for count in (len(words), len(words) - 1):
        if count >= _MIN_WORDS:
            yield _digest((str(count), "<", *words[: count // 2]))
            yield _digest((str(count), ">", *words[len(words) - (count - count // 2) :]))


def _digest(words: tuple[str, ...]) -> int:
    """Six bytes: a number that JSON and JavaScript keep."""
    return int.from_bytes(blake2b(" ".join(words).encode(), digest_size=6).digest())


def _words(line: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", line.casefold()))


def _word_difference(words: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, str] | None:
    """The words in which two lines differ, when it is at most one in each, and not a number; else None."""
    first = _common_start(words, other)
    last = min(_common_start(words[::-1], other[::-1]), min(len(words), len(other)) - first)
    mine, theirs = words[first : len(words) - last], other[first : len(other) - last]
    if max(len(mine), len(theirs)) != 1 or any(word.isdecimal() for word in (*mine, *theirs)):
        return None
    return " ".join(mine), " ".join(theirs)


def _common_start(words: tuple[str, ...], other: tuple[str, ...]) -> int:
    """The number of words with which both begin."""
    shorter = min(len(words), len(other))
    return next((place for place in range(shorter) if words[place] != other[place]), shorter)
