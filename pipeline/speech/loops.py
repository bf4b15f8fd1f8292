"""Repetition loops: the same words, many times in a row, a well-known failure of Whisper's decoder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_SIZES = range(3, 13)  # words in a loop
_TIMES = 4  # people do repeat themselves three times
_SHORT_SIZES, _SHORT_TIMES = range(1, 3), 8  # people do say « non, non, non, non », but not eight times


def loops(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Where the same words repeat too often in a row: (index of the first, words in the loop, number of times)."""
    spoken = [re.sub(r"\W", "", word.lower()) for word in words]
    for size in (*_SIZES, *_SHORT_SIZES):
        least = _TIMES if size in _SIZES else _SHORT_TIMES
        start = 0
        while start + size * least <= len(spoken):
            times = _repeats(spoken, start, size)
            if times >= least:
                yield start, size, times
            start += size * times if times >= least else 1


def repeated(words: Sequence[str]) -> set[int]:
    """The indices of the words that a loop repeats: all its occurrences except the first."""
    return {index for start, size, times in loops(words) for index in range(start + size, start + size * times)}


def _repeats(spoken: list[str], start: int, size: int) -> int:
    """How many times in a row the `size` words at `start` occur."""
    pattern, times = spoken[start : start + size], 1
    while spoken[start + size * times : start + size * (times + 1)] == pattern:
        times += 1
    return times
