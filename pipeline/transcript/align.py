"""`align`: the corrected text gets its times from what Whisper heard, by what the two have in common."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from pipeline.files import read_json, read_text
from pipeline.model import TimedTranscript, Word
from pipeline.transcript.grammar import parse
from pipeline.transcript.normal import tokens
from pipeline.transcript.timed import write_timed
from pipeline.transcript.turns import Spoken, turns

_LONGEST_GUESS_S = 5.0  # a longer run without one word in common is left without times
_SHORTEST_LETTER_S = 0.02  # words squeezed closer than this take room from the word before
_ANCHOR_PRECISION_S = 1.0  # people read whole seconds from a player
_SHORTEST_SOUND_S = 0.3


@dataclass(frozen=True)
class Token:
    """A comparable part of a word (`pipeline.transcript.normal`), and when it is heard."""

    text: str
    start_s: float
    end_s: float


Span = tuple[float, float]


def align(text: Path, words: Path, *, timed: Path, people: tuple[str, ...]) -> None:
    """Write to `timed` the corrected `text` with the times of `words`. `people` are the keys of the show's people."""
    transcript = parse(read_text(text), str(text), people)
    heard = read_json(words)
    write_timed(timed, timed_transcript(turns(transcript, heard["language"]), heard))


def timed_transcript(spoken: tuple[Spoken, ...], heard: dict[str, Any]) -> TimedTranscript:
    """Turns with times; `heard` is the content of `words.json`."""
    duration_s, language = heard["duration_s"], heard["language"]
    words = [word for each in spoken for word in each.turn.words]
    parts = [tokens(word.text, language) for word in words]
    anchors, place = [], 0
    for each in spoken:
        if each.anchor_s is not None:
            anchors.append((sum(map(len, parts[:place])), min(each.anchor_s, duration_s)))
        place += len(each.turn.words)
    spans = token_spans([token for part in parts for token in part], heard_tokens(heard), anchors, duration_s)
    placed = iter(_with_sounds(_clamped(_word_times(words, parts, spans), duration_s), duration_s))
    done = (replace(each.turn, words=tuple(next(placed) for _ in each.turn.words)) for each in spoken)
    return TimedTranscript(duration_s, language, tuple(done))


def heard_tokens(heard: dict[str, Any]) -> list[Token]:
    """The tokens of `words.json`; a word's time is shared among its tokens by their letters."""
    found: list[Token] = []
    for segment in heard["segments"]:
        for word in segment["words"]:
            parts = tokens(word["text"], heard["language"])
            spans = _shared(parts, word["start_s"], word["end_s"])
            found.extend(Token(part, *span) for part, span in zip(parts, spans, strict=True))
    return found


def token_spans(said: Sequence[str], heard: Sequence[Token], anchors: Sequence[tuple[int, float]], duration_s: float) -> list[Span | None]:
    """When each token of the text is heard, or None. An anchor is (index of a token, seconds) and cuts the problem in two."""
    cuts = [(0, 0, 0.0)]
    for index, seconds in anchors:
        if index >= cuts[-1][0] and index < len(said) and seconds >= cuts[-1][2]:
            cuts.append((index, max(cuts[-1][1], _heard_at(said[index], heard, seconds)), seconds))
    spans: list[Span | None] = []
    for (first, heard_first, start_s), (last, heard_last, end_s) in pairwise([*cuts, (len(said), len(heard), duration_s)]):
        spans.extend(_part_spans(said[first:last], heard[heard_first:heard_last], start_s, end_s))
    for index, seconds in anchors:  # a person heard it there, whatever the machine made of it
        if index < len(said) and spans[index] is None:
            spans[index] = (seconds, seconds)
    return spans


def _heard_at(token: str, heard: Sequence[Token], seconds: float) -> int:
    """The index of the heard token an anchor points at: the same token near enough, else the first one after."""
    near = [index for index, each in enumerate(heard) if each.text == token and abs(each.start_s - seconds) <= _ANCHOR_PRECISION_S]
    if near:
        return min(near, key=lambda index: abs(heard[index].start_s - seconds))
    return bisect_left(heard, seconds, key=lambda each: each.start_s)


def _part_spans(said: Sequence[str], heard: Sequence[Token], start_s: float, end_s: float) -> list[Span | None]:
    """The spans between two cuts. Runs that differ share the time of what was heard in their place."""
    spans: list[Span | None] = [None] * len(said)
    for first, last, heard_first, heard_last in _runs(said, heard):
        if last - first == heard_last - heard_first and all(said[first + i] == heard[heard_first + i].text for i in range(last - first)):
            spans[first:last] = [(each.start_s, each.end_s) for each in heard[heard_first:heard_last]]
            continue
        before_s = heard[heard_first - 1].end_s if heard_first else start_s
        after_s = heard[heard_last].start_s if heard_last < len(heard) else end_s
        if heard_last > heard_first:
            before_s, after_s = heard[heard_first].start_s, heard[heard_last - 1].end_s
        letters = sum(len(token) for token in said[first:last])
        if after_s - before_s < letters * _SHORTEST_LETTER_S and first and spans[first - 1] is not None:
            first, before_s = first - 1, spans[first - 1][0]  # type: ignore[index]
        if after_s - before_s <= _LONGEST_GUESS_S:
            spans[first:last] = _shared(said[first:last], before_s, max(before_s, after_s))
    return spans


def _runs(said: Sequence[str], heard: Sequence[Token]) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of the text and what was heard there, alternately equal and different; what was only heard is left out."""
    from rapidfuzz.distance import Levenshtein

    codes = Levenshtein.opcodes(said, [each.text for each in heard])
    for _, group in groupby(codes, key=lambda code: code.tag == "equal"):
        run = list(group)
        if run[-1].src_end > run[0].src_start:
            yield run[0].src_start, run[-1].src_end, run[0].dest_start, run[-1].dest_end


def _shared(parts: Sequence[str], start_s: float, end_s: float) -> list[Span]:
    """A stretch of time divided among tokens by their letters."""
    total = sum(map(len, parts)) or 1
    spans, done = [], 0
    for part in parts:
        begin_s = start_s + (end_s - start_s) * done / total
        done += len(part)
        spans.append((begin_s, start_s + (end_s - start_s) * done / total))
    return spans


def _word_times(words: Sequence[Word], parts: Sequence[Sequence[str]], spans: Sequence[Span | None]) -> Iterator[Word]:
    """Words from the first of their tokens to the last."""
    done = 0
    for word, part in zip(words, parts, strict=True):
        known = [span for span in spans[done : done + len(part)] if span is not None]
        done += len(part)
        yield replace(word, start_s=known[0][0], end_s=known[-1][1]) if known else word


def _clamped(words: Iterator[Word], duration_s: float) -> list[Word]:
    """Words that never begin before the one before has ended, within the audio."""
    clamped, reached_s = [], 0.0
    for word in words:
        if word.start_s is not None and word.end_s is not None:
            start_s = min(max(word.start_s, reached_s), duration_s)
            reached_s = min(max(word.end_s, start_s), duration_s)
            word = replace(word, start_s=round(start_s, 3), end_s=round(reached_s, 3))
        clamped.append(word)
    return clamped


def _with_sounds(words: list[Word], duration_s: float) -> list[Word]:
    """A sound fills the time between the words around it, when these have times and leave it room."""
    done = list(words)
    for index, word in enumerate(words):
        if word.is_sound and word.start_s is None:
            start_s = done[index - 1].end_s if index else 0.0
            after = words[index + 1] if index + 1 < len(words) else None
            end_s = after.start_s if after else duration_s
            if start_s is not None and end_s is not None and end_s - start_s >= _SHORTEST_SOUND_S:
                done[index] = replace(word, start_s=start_s, end_s=end_s)
    return done
