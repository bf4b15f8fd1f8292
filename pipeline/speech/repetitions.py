"""Repetition loops: the same words, many times in a row, a well-known failure of Whisper's decoder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_LOOP_WORDS = range(3, 13)  # words in a loop
_MIN_REPEATS = 4  # people do repeat themselves three times
_SHORT_LOOP_WORDS, _MIN_SHORT_REPEATS = range(1, 3), 8  # people do say « non, non, non, non », but not eight times


def find_repetitions(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Where the same words repeat too often in a row: (index of the first, words in the loop, number of times)."""
    folded = [re.sub(r"\W", "", word.lower()) for word in words]
    for size in (*_LOOP_WORDS, *_SHORT_LOOP_WORDS):
        min_repeats = _MIN_REPEATS if size in _LOOP_WORDS else _MIN_SHORT_REPEATS
        start = 0
        while start + size * min_repeats <= len(folded):
            repeats = _count_repeats(folded, start, size)
            if repeats >= min_repeats:
                yield start, size, repeats
            start += size * repeats if repeats >= min_repeats else 1


def repeated_indices(words: Sequence[str]) -> set[int]:
    """The indices of the words that a loop repeats: all its occurrences except the first."""
    return {index for start, size, times in find_repetitions(words) for index in range(start + size, start + size * times)}


def _count_repeats(folded: list[str], start: int, size: int) -> int:
    """How many times in a row the `size` words at `start` occur."""
    pattern, times = folded[start : start + size], 1
    while folded[start + size * times : start + size * (times + 1)] == pattern:
        times += 1
    return times
