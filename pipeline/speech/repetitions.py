"""Repetition loops: the same words, many times in a row, a well-known failure of Whisper's decoder."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence

_LOOP_WORDS = range(3, 13)  # words in a loop
_MIN_REPEATS = 4  # people do repeat themselves three times
_LONG_LOOP_WORDS, _MIN_LONG_REPEATS = range(13, 61), 3  # whole sentences; a window holds about 80 words
_SHORT_LOOP_WORDS, _MIN_SHORT_REPEATS = range(1, 3), 8  # people do say « non, non, non, non », but not eight times
_MAX_COMPRESSION_RATIO = 2.4  # Whisper's own compression_ratio_threshold: text that repeats itself in any period packs better
_MIN_PACKED_BYTES = 100  # shorter texts pack badly or well by chance


def find_repetitions(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Where the same words repeat too often in a row: (index of the first, words in the loop, number of times), none inside another."""
    folded = [re.sub(r"\W", "", word.lower()) for word in words]
    taken = [False] * len(folded)
    for sizes, min_repeats in ((_SHORT_LOOP_WORDS, _MIN_SHORT_REPEATS), (_LOOP_WORDS, _MIN_REPEATS), (_LONG_LOOP_WORDS, _MIN_LONG_REPEATS)):
        for size in sizes:
            start = 0
            while start + size * min_repeats <= len(folded):
                repeats = 0 if taken[start] or folded[start] != folded[start + size] else _count_repeats(folded, start, size)
                if repeats >= min_repeats:
                    taken[start : start + size * repeats] = [True] * (size * repeats)
                    yield start, size, repeats
                start += size * repeats if repeats >= min_repeats else 1


def repeats_itself(text: str) -> bool:
    """Whether a text repeats itself in any period, by letters: also within one endless word."""
    content = text.encode()
    return len(content) >= _MIN_PACKED_BYTES and len(content) / len(zlib.compress(content)) > _MAX_COMPRESSION_RATIO


def _count_repeats(folded: list[str], start: int, size: int) -> int:
    """How many times in a row the `size` words at `start` occur."""
    pattern, times = folded[start : start + size], 1
    while folded[start + size * times : start + size * (times + 1)] == pattern:
        times += 1
    return times
