"""Splits a transcript into caption cues that fit on a screen and can be read in time. Pure.

At most two lines of a given width; one to seven seconds where speech allows; split at phrase boundaries, never between an article and
its noun. Figures: Charte de qualité du sous-titrage (CSA, 2011) and the Podcast Index transcript notes.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from pipeline.model import TimedTranscript, Turn, Word

_MIN_CUE_S = 1.0
_MAX_CUE_S = 7.0
_READING_CPS = 15.0  # characters a second
_MIN_GAP_S = 0.08  # a shorter gap between cues flickers
_LONG_PAUSE_S = 1.0
_MAX_SHIFT_S = 0.4  # how far the start of a cue may move from that of its words
_SHIFT_PASSES = 6  # passes; fast speech is spread over as many cues
_MAX_CUE_WORDS = 24  # in a cue
_FORBIDDEN_COST = 1000.0
# Words that must not be separated from the next one: articles, possessives, pronouns, prepositions, auxiliaries, numbers.
_BINDING_WORDS = """
    le la les un une des du de au aux ce cet cette ces mon ton son ma ta sa mes tes ses notre votre leur nos vos leurs je tu
    il elle on nous vous ils elles ne se me te lui y en à dans par pour sur sous avec sans chez vers entre depuis est sont
    était étaient a ai as avez avons ont avait très plus moins si mille cent deux trois quatre cinq six sept huit neuf dix
    chaque quelques plusieurs toute tous toutes suis es sommes êtes sera seront aura auront aurait serait
    monsieur madame qui que dont où the an my your his her its our their i you he she it we they of to in on at by for with
    from is are was were has have had not mr mrs
"""
_BINDING = frozenset(_BINDING_WORDS.split())
_ARTICLES = frozenset("le la les un une des du de au aux ce cet cette ces mon ton son ma ta sa mes tes ses the an".split())
_SENTENCE_END = re.compile(r"[.!?…。！？][»”\")」』\u202f\u00a0]*$")
_CLAUSE_WORDS = """
    et ou mais donc car puis quand parce pour avec dans sur sans comme si qui que and or but so because with when that
"""
_CLAUSE_OPENERS = frozenset(_CLAUSE_WORDS.split())


@dataclass(frozen=True)
class Cue:
    """The lines of words of one turn that are shown together."""

    start_s: float
    end_s: float
    turn: Turn
    lines: tuple[tuple[Word, ...], ...]
    opens_turn: bool  # it is the first of its turn

    @property
    def chars(self) -> int:
        """Characters shown, spaces included."""
        return sum(_width(line) for line in self.lines)


def split_cues(transcript: TimedTranscript, line_chars: int, prefixes: dict[int, tuple[Word, ...]] | None = None) -> tuple[Cue, ...]:
    """The cues of a transcript, in order, without overlap; starts and ends strictly increase.

    `prefixes` are words shown before a turn, by its index. Words without times share the time between their neighbours.
    """
    cut: list[tuple[Turn, tuple[tuple[Word, ...], ...], bool]] = []
    for index, turn in enumerate(transcript.turns):
        words = ((prefixes or {}).get(index, ())) + tuple(part for word in turn.words for part in _split_sound(word, line_chars))
        cut += [(turn, lines, first == 0) for first, lines in enumerate(_split_turn(words, line_chars))]
    parts = [tuple(word for line in lines for word in line) for _, lines, _ in cut]
    spans = _cue_spans(parts, transcript.duration_s)
    spans = shift_starts(spans, [_width(part) for part in parts], transcript.duration_s)
    drafts = (Cue(*span, turn, lines, opens) for (turn, lines, opens), span in zip(cut, spans, strict=True))
    return tuple(_extend_cues(list(drafts), transcript.duration_s))


def _split_sound(word: Word, line_chars: int) -> tuple[Word, ...]:
    """A sound that is too long for a line, split into its words; any other word unchanged."""
    if not word.is_sound or len(word.text) <= line_chars:
        return (word,)
    texts = word.text.split(" ")
    if word.start_s is None or word.end_s is None:
        return tuple(Word(text) for text in texts)
    step_s = (word.end_s - word.start_s) / len(texts)
    return tuple(Word(text, word.start_s + step_s * index, word.start_s + step_s * (index + 1)) for index, text in enumerate(texts))


class _TurnCosts:
    """What it costs to split a turn, from sums over its words made once: an hour can be cut in half a million ways.

    `start` and `end` are indices of words: a part is `words[start:end]`.
    """

    def __init__(self, words: tuple[Word, ...], line_chars: int) -> None:
        self._line_chars = line_chars
        self._chars = [0, *accumulate(len(word.text) + 1 for word in words)]
        self.cuts = [0.0, *(_cut_cost(before, after) for before, after in pairwise(words)), 0.0]  # the cost of a break before each word
        self._ends_sentence = [_SENTENCE_END.search(word.text) is not None for word in words]
        self._sentence_ends = [0, *accumulate(self._ends_sentence)]
        self._times = [(word.start_s, word.end_s) for word in words if word.start_s is not None and word.end_s is not None]
        self._timed = [0, *accumulate(word.start_s is not None and word.end_s is not None for word in words)]
        pauses = (start_s - end_s > _LONG_PAUSE_S for (_, end_s), (start_s, _) in pairwise(self._times))
        self._pauses = [0, *accumulate(pauses)]

    def line_break(self, start: int, end: int) -> int | None:
        """The index of the first word of the second line: at a phrase boundary first, then evenly; `start` when one line is enough.

        None when the part does not fit on two lines.
        """
        first, last = self._chars[start], self._chars[end]
        if last - first - 1 <= self._line_chars:
            return start
        low = bisect_left(self._chars, last - 1 - self._line_chars, start + 1, end)
        high = bisect_right(self._chars, first + 1 + self._line_chars, low, end)
        middle = first + last
        return min(range(low, high), key=lambda place: self.cuts[place] + abs(2 * self._chars[place] - middle) / 4, default=None)

    def cue_cost(self, start: int, end: int) -> float:
        """The cost of a cue: long pauses, long cues and short cues are hard to read."""
        first, last = self._timed[start], self._timed[end]
        if first == last:
            return 20.0
        length_s = self._times[last - 1][1] - self._times[first][0]
        pauses = self._pauses[last - 1] - self._pauses[first]
        return 12.0 + 30.0 * pauses + 40.0 * (length_s > _MAX_CUE_S) + 15.0 * max(0.0, _MIN_CUE_S - length_s)

    def line_cost(self, start: int, end: int, break_at: int | None) -> float:
        """The cost of the line break of a cue, and of joining the end of a sentence with the first words of the next."""
        ends = self._sentence_ends[end - 1] - self._sentence_ends[start]
        straddling = 0.0 if self._ends_sentence[end - 1] else 8.0 * ends
        return straddling + (self.cuts[break_at] / 2 if break_at is not None and break_at > start else 0.0)


def _split_turn(words: tuple[Word, ...], line_chars: int) -> list[tuple[tuple[Word, ...], ...]]:
    """The cheapest way to split a turn into cues of one or two lines, by dynamic programming over its words."""
    costs = _TurnCosts(words, line_chars)
    best: list[tuple[float, int]] = [(0.0, 0)]  # for each number of words: the cost of splitting them, and the start of the last cue
    for end in range(1, len(words) + 1):
        options = []
        for start in range(end - 1, max(-1, end - _MAX_CUE_WORDS - 1), -1):
            break_at = costs.line_break(start, end)
            if break_at is None and end - start > 1:
                break
            cost = best[start][0] + costs.cue_cost(start, end) + costs.line_cost(start, end, break_at) + costs.cuts[end]
            options.append((cost, start))
        best.append(min(options))
    cues: list[tuple[tuple[Word, ...], ...]] = []
    end = len(words)
    while end:
        start = best[end][1]
        break_at = costs.line_break(start, end) or start  # one word that is wider than two lines stays on one
        cues.append((words[start:break_at], words[break_at:end]) if break_at > start else (words[start:end],))
        end = start
    return cues[::-1]


def _cut_cost(before: Word, after: Word) -> float:
    """The cost of a break between two words: nothing after a sentence, prohibitive after an article."""
    text, start = before.text, after.text.lower().strip("«\u202f")
    if text.lower().rsplit("’")[-1] in _ARTICLES:
        return _FORBIDDEN_COST  # even at a pause
    if before.end_s is not None and after.start_s is not None and after.start_s - before.end_s > _LONG_PAUSE_S:
        return 0.0
    if (before.is_sound and "]" in text) or after.is_sound or _SENTENCE_END.search(text):
        return 0.0
    if re.search(r"[;:»—–][\u202f\u00a0]*$", text):
        return 3.0 if not text.endswith(":") else 6.0
    if text.endswith(","):
        return 5.0
    bare = text.lower().strip("«\u202f")
    if (
        bare in _BINDING
        or bare.rsplit("’")[-1] in _BINDING
        or re.fullmatch(r"[\d.,]+", bare)
        or (before.start_s is None and bare.endswith(":"))
    ):
        return _FORBIDDEN_COST
    if text[:1].isupper() and after.text[:1].isupper():
        return _FORBIDDEN_COST / 2  # a first name and a last name
    return 9.0 if start in _CLAUSE_OPENERS else 16.0


def _width(words: Sequence[Word]) -> int:
    return sum(len(word.text) for word in words) + len(words) - 1


def _cue_spans(parts: list[tuple[Word, ...]], duration_s: float) -> list[tuple[float, float]]:
    """The times of each cue's words. Cues without times share the time before the next one that has them, or that of the one before."""
    known = [_spoken_span(part) for part in parts]
    spans: list[tuple[float, float]] = []
    index = 0
    while index < len(parts):
        if (span := known[index]) is not None:
            spans.append(span)
            index += 1
            continue
        end = next((later for later in range(index, len(parts)) if known[later] is not None), len(parts))
        after = known[end] if end < len(parts) else None
        room = (spans[-1][1] if spans else 0.0, after[0] if after else duration_s)
        group = parts[index:end]
        if room[1] - room[0] < _MIN_CUE_S:
            before_s, after_s = (span[1] - span[0] if span else 0.0 for span in (spans[-1] if spans else None, after))
            if spans and before_s >= min(after_s, 2 * _MIN_CUE_S):
                group, room = [parts[index - 1], *group], (spans.pop()[0], max(room))
            elif after and after[1] > room[0]:
                group, room, end = [*group, parts[end]], (room[0], after[1]), end + 1
        spans.extend(_divide_time(group, *room))
        index = end
    return spans


def _spoken_span(part: tuple[Word, ...]) -> tuple[float, float] | None:
    """The times from the first to the last word that has them."""
    starts = [word.start_s for word in part if word.start_s is not None]
    ends = [word.end_s for word in part if word.end_s is not None]
    return (starts[0], ends[-1]) if starts and ends else None


def shift_starts(spans: Sequence[tuple[float, float]], chars: Sequence[int], duration_s: float) -> list[tuple[float, float]]:
    """Spans with starts shifted by at most 0.4 s where a cue is too short to be read: earlier into a pause, or later into a slower cue."""
    starts = [start_s for start_s, _ in spans]
    wanted_s = [max(_MIN_CUE_S, count / _READING_CPS) for count in chars]
    for _ in range(_SHIFT_PASSES):
        for index, (spoken_s, until_s) in enumerate(spans):
            left_s = starts[index - 1] if index else 0.0
            limit_s = starts[index + 1] if index + 1 < len(spans) else duration_s
            right_s = min(limit_s, max(until_s, starts[index] + wanted_s[index]))
            before_s = wanted_s[index - 1] if index else 0.0
            short_s = before_s + wanted_s[index] - (right_s - left_s)
            if short_s > 0:  # the shortage is shared in proportion
                best_s = left_s + before_s - short_s * before_s / (before_s + wanted_s[index])
            else:
                best_s = min(max(spoken_s, left_s + before_s), right_s - wanted_s[index])
            starts[index] = min(max(best_s, spoken_s - _MAX_SHIFT_S, left_s), spoken_s + _MAX_SHIFT_S, limit_s)
    return [(start_s, max(end_s, start_s)) for start_s, (_, end_s) in zip(starts, spans, strict=True)]


def _divide_time(parts: list[tuple[Word, ...]], start_s: float, end_s: float) -> Iterator[tuple[float, float]]:
    """A span of time divided among cues by their characters."""
    total, done = sum(map(_width, parts)) or 1, 0
    for part in parts:
        begin_s = start_s + (end_s - start_s) * done / total
        done += _width(part)
        yield begin_s, start_s + (end_s - start_s) * done / total


def _extend_cues(cues: list[Cue], duration_s: float) -> Iterator[Cue]:
    """Cues extended to the time it takes to read them, as far as the next one allows; times to the millisecond."""
    previous_end_ms = 0
    for index, cue in enumerate(cues):
        limit_s = cues[index + 1].start_s if index + 1 < len(cues) else duration_s
        wanted_s = max(cue.end_s, cue.start_s + max(_MIN_CUE_S, cue.chars / _READING_CPS))
        end_s = min(wanted_s, limit_s, cue.start_s + _MAX_CUE_S)
        if 0 < limit_s - end_s < _MIN_GAP_S:
            end_s = limit_s
        start_ms = max(round(cue.start_s * 1000), previous_end_ms)
        previous_end_ms = max(round(end_s * 1000), start_ms + 1)
        yield replace(cue, start_s=start_ms / 1000, end_s=previous_end_ms / 1000)
