"""Gives tokens their times from matches: those of the recognised words, else estimates between near neighbours, else none. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from pipeline.transcript.certainty import Match, TimedToken

MAX_INTERPOLATION_S = 5.0  # a longer stretch without a word that agrees gets no times
_MIN_LETTER_S = 0.02  # words faster than this take time from the word before
_MAX_SQUEEZED_LETTERS = 80  # letters; more than that in too little time cannot have been spoken there

TimeSpan = tuple[float, float]


class TokenTime(NamedTuple):
    """The times of a token; `estimated` when no recognised word that certainly is this one gave them."""

    start_s: float
    end_s: float
    estimated: bool = False


def place_tokens(
    written: Sequence[str],
    pauses: Sequence[int],
    heard: Sequence[TimedToken],
    matches: Sequence[Match],
    span_s: TimeSpan,
) -> list[TokenTime | None]:
    """The times of each token between two anchors, which are at `span_s`. `pauses` follow the tokens, as a number of letters."""
    times: list[TokenTime | None] = [None] * len(written)
    kept = _with_room(matches, written, heard, span_s)
    for match in kept:
        times[match.first : match.last] = _matched_times(match, written, heard)
    edges = [Match(0, 0, 0, 0, 0.0), *kept, Match(len(written), len(written), len(heard), len(heard), 0.0)]
    for before, after in pairwise(edges):
        if after.first > before.last:
            _interpolate(times, (before, after), written, pauses, heard, span_s)
    return times


def divide_time(parts: Sequence[str], start_s: float, end_s: float, pauses: Sequence[int] = ()) -> list[TimeSpan]:
    """A span of time divided among tokens by their letters; `pauses`, in letters, are before the first token and after each."""
    pauses = pauses or (0,) * (len(parts) + 1)
    letter_s = (end_s - start_s) / (sum(map(len, parts)) + sum(pauses) or 1)
    spans, done = [], pauses[0]
    for part, pause in zip(parts, pauses[1:], strict=True):
        spans.append((start_s + letter_s * done, start_s + letter_s * (done + len(part))))
        done += len(part) + pause
    return spans


def _matched_times(match: Match, written: Sequence[str], heard: Sequence[TimedToken]) -> list[TokenTime]:
    """The times of the recognised tokens of a match; joined ones share theirs by letters."""
    tokens = heard[match.heard_first : match.heard_last]
    spans = divide_time(written[match.first : match.last], tokens[0].start_s, tokens[-1].end_s)
    return [TokenTime(*span, not match.certain) for span in spans]


def _with_room(matches: Sequence[Match], written: Sequence[str], heard: Sequence[TimedToken], span_s: TimeSpan) -> list[Match]:
    """The matches, without the uncertain ones that leave too little time for the words between them and the certain ones around them."""
    letters = [0, *accumulate(map(len, written))]
    roomy = [True] * len(matches)
    known_s, known_letters = span_s[0], 0
    for place, match in enumerate(matches):
        if match.certain:
            known_s, known_letters = heard[match.heard_last - 1].end_s, letters[match.last]
        else:
            roomy[place] = _fits(letters[match.first] - known_letters, heard[match.heard_first].start_s - known_s)
    known_s, known_letters = span_s[1], letters[-1]
    for place, match in reversed(list(enumerate(matches))):
        if match.certain:
            known_s, known_letters = heard[match.heard_first].start_s, letters[match.first]
        else:
            roomy[place] &= _fits(known_letters - letters[match.last], known_s - heard[match.heard_last - 1].end_s)
    return [match for match, has_room in zip(matches, roomy, strict=True) if match.certain or has_room]


def _fits(letters: int, time_s: float) -> bool:
    """Whether so many letters can be spoken in a time; no letters need none."""
    return not letters or time_s >= letters * _MIN_LETTER_S


def _interpolate(
    times: list[TokenTime | None],
    around: tuple[Match, Match],
    written: Sequence[str],
    pauses: Sequence[int],
    heard: Sequence[TimedToken],
    span_s: TimeSpan,
) -> None:
    """Estimate the times of the tokens between two matches: they share the time of what was recognised in their place, else the gap."""
    before, after = around
    first, last, is_recognised = before.last, after.first, after.heard_first > before.heard_last
    if is_recognised:
        start_s, end_s = heard[before.heard_last].start_s, heard[after.heard_first - 1].end_s
    else:
        start_s = heard[before.heard_last - 1].end_s if before.heard_last else span_s[0]
        end_s = heard[after.heard_first].start_s if after.heard_first < len(heard) else span_s[1]
    letters = sum(map(len, written[first:last]))
    is_squeezed = end_s - start_s < letters * _MIN_LETTER_S
    if is_squeezed and letters > _MAX_SQUEEZED_LETTERS:
        return
    borrowed = times[first - 1] if is_squeezed and first else None
    if borrowed is not None:
        first, start_s = first - 1, borrowed.start_s
    if end_s - start_s > MAX_INTERPOLATION_S:
        return
    if is_recognised and borrowed is None and last - first == after.heard_first - before.heard_last:
        times[first:last] = [TokenTime(each.start_s, each.end_s, True) for each in heard[before.heard_last : after.heard_first]]
        return  # as many words: likelier one for one than by their letters
    pause = pauses[first - 1] if first and not is_recognised and not is_squeezed else 0
    own = (pause, *pauses[first : last - 1], 0 if is_recognised or is_squeezed else pauses[last - 1])
    spans = divide_time(written[first:last], start_s, max(start_s, end_s), own)
    times[first:last] = [TokenTime(*span, True) for span in spans]
    if borrowed is not None:  # it still starts where it was recognised
        times[first] = TokenTime(*spans[0], borrowed.estimated)
