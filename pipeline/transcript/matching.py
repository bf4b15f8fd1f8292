"""Which words of the corrected text are which recognised words: matches where letters or sounds agree, and nothing where they do not. Pure.

Long runs of equal tokens, found by edit distance, divide the text; what lies between them is aligned with affine gaps, in which a
substitution counts only as far as the two words agree. A match that could as well be another one is not certain; nor is one on which too
few letters agree for the number of places it was chosen from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from pipeline.transcript.certainty import Match, TimedToken, judge_matches
from pipeline.transcript.similarity import agreement

_GAP = 2.0  # letters: a gap costs as much, so that words which stand together are matched together
_OPENING_GAP = 1.5  # before the first word, where a gap separates nothing
_FUZZY = 0.7  # of the letters of a word that only resembles the recognised one
_LONG_RUN_LETTERS = 20  # of equal words: they divide what is aligned
_MAX_CELLS = 60_000  # words times words: about 0.1 s; a larger part is divided at shorter equal runs
_MAX_JOINED = 5  # words that are compared as one: « la tente » for « l'attente »

Pair = tuple[int, int]


def match_tokens(
    written: Sequence[str],
    heard: Sequence[TimedToken],
    language: str,
    span_s: tuple[float, float] = (0.0, math.inf),
    *,
    is_anchored: bool = False,
) -> list[Match]:
    """The matches of a text with what was recognised in `span_s`, in order; neither side goes back.

    `is_anchored` says that the first word is known to be spoken at the start of the span.
    """
    pairs = _slide_to_pauses(
        _aligned_pairs(written, [each.text for each in heard], language, _GAP if is_anchored else _OPENING_GAP), written, heard
    )
    matches = [Match(i, i + 1, j, j + 1, _score(written[i], heard[j].text, language)) for i, j in pairs]
    matches = _with_joined(matches, written, heard, language)
    return judge_matches(matches, written, heard, span_s)


def _score(written: str, heard: str, language: str) -> float:
    """The letters on which two words agree."""
    if written == heard:
        return len(written)
    return _FUZZY * agreement(written, heard, language) * min(len(written), len(heard))


def _aligned_pairs(
    written: Sequence[str], heard: Sequence[str], language: str, opening: float, run_letters: int = _LONG_RUN_LETTERS
) -> list[Pair]:
    """The pairs of tokens that agree: equal runs of `run_letters` or more, and between them the best alignment.

    What is too large to be aligned is divided at shorter runs; what has none of them has nothing in common.
    """
    pairs: list[Pair] = []
    i0 = j0 = 0
    for i1, j1, count in [*_equal_runs(written, heard, run_letters), (len(written), len(heard), 0)]:
        part, other = written[i0:i1], heard[j0:j1]
        if len(part) * len(other) <= _MAX_CELLS:
            found = align_affine(part, other, language, opening if j0 == 0 else _GAP) if part and other else []
        else:
            found = _aligned_pairs(part, other, language, opening if j0 == 0 else _GAP, run_letters // 2) if run_letters > 1 else []
        pairs += [(i0 + i, j0 + j) for i, j in found]
        pairs += [(i1 + k, j1 + k) for k in range(count)]
        i0, j0 = i1 + count, j1 + count
    return pairs


def _equal_runs(written: Sequence[str], heard: Sequence[str], min_letters: int) -> list[tuple[int, int, int]]:
    """Equal runs of at least so many letters, by edit distance: first token, first recognised token, how many."""
    from rapidfuzz.distance import Levenshtein

    return [
        (code.src_start, code.dest_start, code.src_end - code.src_start)
        for code in Levenshtein.opcodes(written, heard)
        if code.tag == "equal" and sum(map(len, written[code.src_start : code.src_end])) >= min_letters
    ]


def align_affine(written: Sequence[str], heard: Sequence[str], language: str, opening: float = _GAP) -> list[Pair]:
    """The pairs of the alignment on which most letters agree, less `_GAP` for each gap and `opening` for one at the start (Gotoh, 1982).

    Only words that agree are paired.
    """
    width = len(heard) + 1
    matched, gap = [-math.inf] * width, [-opening] * width  # best scores so far that end in a match, or in a gap
    matched[0] = 0.0
    came: list[bytearray] = []  # for each cell: 1 the match came from a match; 2 the gap from a match; 4 the gap from above
    for word in written:
        new_matched, new_gap, row = [-math.inf] * width, [max(gap[0], matched[0] - _GAP)] * width, bytearray(width)
        row[0] = 4 | (2 if matched[0] - _GAP > gap[0] else 0)
        for j in range(1, width):
            score = _score(word, heard[j - 1], language)
            if score > 0:
                stays = matched[j - 1] > gap[j - 1]  # on a tie the earlier words are matched earlier
                new_matched[j] = score + (matched[j - 1] if stays else gap[j - 1])
                row[j] = stays
            above, left = max(gap[j], matched[j] - _GAP), max(new_gap[j - 1], new_matched[j - 1] - _GAP)
            if above >= left:
                new_gap[j] = above
                row[j] |= 4 | (2 if matched[j] - _GAP > gap[j] else 0)
            else:
                new_gap[j] = left
                row[j] |= 2 if new_matched[j - 1] - _GAP > new_gap[j - 1] else 0
        came.append(row)
        matched, gap = new_matched, new_gap
    return _trace(came, matched[-1] > gap[-1])


def _trace(came: list[bytearray], in_match: bool) -> list[Pair]:
    """The pairs of the best alignment, from the marks of `align_affine`."""
    pairs: list[Pair] = []
    i, j = len(came), len(came[0]) - 1 if came else 0
    while i and j:
        mark = came[i - 1][j]
        if in_match:
            pairs.append((i - 1, j - 1))
            i, j, in_match = i - 1, j - 1, bool(mark & 1)
        else:
            i, j, in_match = (i - 1, j, bool(mark & 2)) if mark & 4 else (i, j - 1, bool(mark & 2))
    return pairs[::-1]


def _slide_to_pauses(pairs: list[Pair], written: Sequence[str], heard: Sequence[TimedToken]) -> list[Pair]:
    """The same pairs, but where missing words may have stood before or after an equal word, they stand in the longer pause."""
    found = list(pairs)
    for place in range(1, len(found)):
        (i0, j0), (i1, j1) = found[place - 1], found[place]
        if i1 - i0 == 1 or j1 - j0 != 1:
            continue
        gap = i1 - i0 - 1  # the words i0 + 1 to i1 - 1 were not recognised
        left = 0  # how many words before the gap are equal to those at its end
        while place - 1 - left >= 0 and found[place - 1 - left] == (i0 - left, j0 - left) and written[i0 - left] == written[i1 - 1 - left]:
            left += 1
        right = 0
        while (
            place + right < len(found)
            and found[place + right] == (i1 + right, j1 + right)
            and written[i1 + right] == written[i0 + 1 + right]
        ):
            right += 1
        shift = max(range(-left, right + 1), key=lambda k: (_pause_s(heard, j1 + k), -abs(k)))
        for k in range(shift, 0):
            i, j = found[place + k]
            found[place + k] = (i + gap, j)
        for k in range(shift):
            i, j = found[place + k]
            found[place + k] = (i - gap, j)
    return found


def _pause_s(heard: Sequence[TimedToken], place: int) -> float:
    """The pause before a recognised token, to 50 ms."""
    return round(20 * (heard[place].start_s - heard[place - 1].end_s)) / 20 if 0 < place < len(heard) else 0.0


def _with_joined(matches: list[Match], written: Sequence[str], heard: Sequence[TimedToken], language: str) -> list[Match]:
    """The matches, with those of words that only agree when they are joined: « la tente » for « l'attente »."""
    ends = [Match(0, 0, 0, 0, 0), *matches, Match(len(written), len(written), len(heard), len(heard), 0)]
    found: list[Match] = []
    for before, after in pairwise(ends):
        i0, i1, j0, j1 = before.last, after.first, before.heard_last, after.heard_first
        if 0 < i1 - i0 <= _MAX_JOINED and 0 < j1 - j0 <= _MAX_JOINED:
            text, sound = "".join(written[i0:i1]), "".join(each.text for each in heard[j0:j1])
            if (letters := _score(text, sound, language)) > 0:
                found.append(Match(i0, i1, j0, j1, letters))
        found.append(after)
    return found[:-1]
