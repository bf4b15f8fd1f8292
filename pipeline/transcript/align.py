"""The step `align`: gives the corrected text its times, by aligning its words with those Whisper recognised."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple

from pipeline.files import read_json, read_text
from pipeline.glossary import Recognition
from pipeline.model import TimedTranscript, Word
from pipeline.transcript.grammar import parse
from pipeline.transcript.normal import tokens
from pipeline.transcript.timed import write_timed
from pipeline.transcript.turns import Spoken, turns

_LONGEST_GUESS_S = 5.0  # a longer stretch without a common word gets no times
_SHORTEST_LETTER_S = 0.02  # words faster than this take time from the word before
_MOST_SQUEEZED = 80  # letters; more than that in too little time cannot have been spoken there
_SOUND_LETTERS = 40  # the length of a sound, in letters: about 2.5 s
_ANCHOR_PRECISION_S = 1.0  # players show whole seconds
_SHORTEST_SOUND_S = 0.3


class Token(NamedTuple):
    """A comparable part of a word (see `pipeline.transcript.normalisation`), with its times."""

    text: str
    start_s: float
    end_s: float


Span = tuple[float, float]


def align(text: Path, words: Path, *, timed: Path, people: tuple[str, ...]) -> None:
    """Write to `timed` the corrected `text` with times from `words`. `people` are the keys of the show's people.

    `CauserieError` or `Problems` when the text has mistakes of grammar.
    """
    transcript = parse(read_text(text), str(text), people)
    heard = read_json(words)
    write_timed(timed, timed_transcript(turns(transcript, heard["language"]), heard))


def timed_transcript(spoken: tuple[Spoken, ...], heard: Recognition) -> TimedTranscript:
    """Turns with times; `recognition` is the content of `words.json`."""
    anchors, place = [], 0
    for each in spoken:
        if each.anchor_s is not None:
            anchors.append((place, each.anchor_s))
        place += len(each.turn.words)
    placed = iter(timed_words([word for each in spoken for word in each.turn.words], anchors, heard))
    done = (replace(each.turn, words=tuple(next(placed) for _ in each.turn.words)) for each in spoken)
    return TimedTranscript(heard["duration_s"], heard["language"], tuple(done))


def timed_words(words: Sequence[Word], anchors: Sequence[tuple[int, float]], heard: Recognition) -> list[Word]:
    """The same words with their times. An anchor is (index of a word, seconds); `recognition` is the content of `words.json`."""
    duration_s, language = heard["duration_s"], heard["language"]
    parts = [tokens(word.text, language) for word in words]
    said = [token for part in parts for token in part]
    marks = [(sum(map(len, parts[:place])), min(seconds, duration_s)) for place, seconds in anchors]
    spans = token_spans(said, _stops(words, parts), heard_tokens(heard), marks, duration_s)
    return _with_sounds(_clamped(words, _word_spans(parts, spans), duration_s), duration_s)


def heard_tokens(heard: Recognition) -> list[Token]:
    """The tokens of `words.json`; a word's time is divided among its tokens by their letters."""
    found: list[Token] = []
    language = heard["language"]
    for segment in heard["segments"]:
        for word in segment["words"]:
            parts = tokens(word["text"], language)
            if len(parts) == 1:
                found.append(Token(parts[0], word["start_s"], word["end_s"]))
                continue
            spans = _shared(parts, word["start_s"], word["end_s"])
            found.extend(Token(part, *span) for part, span in zip(parts, spans, strict=True))
    return found


def token_spans(
    said: Sequence[str], stops: Sequence[int], heard: Sequence[Token], anchors: Sequence[tuple[int, float]], duration_s: float
) -> list[Span | None]:
    """The times of each token of the text, or None. `pauses` are those after the tokens, as a number of letters.

    An anchor is (index of a token, seconds); what is before and after it is aligned separately.
    """
    cuts = [(0, 0, 0.0)]
    for index, seconds in anchors:
        if index >= cuts[-1][0] and index < len(said) and seconds >= cuts[-1][2]:
            cuts.append((index, max(cuts[-1][1], _heard_at(said[index], heard, seconds)), seconds))
    spans: list[Span | None] = []
    for (first, heard_first, start_s), (last, heard_last, end_s) in pairwise([*cuts, (len(said), len(heard), duration_s)]):
        spans.extend(_part_spans(said[first:last], stops[first:last], heard[heard_first:heard_last], start_s, end_s))
    for index, seconds in anchors:  # a hand-placed time holds, whatever was recognised there
        if index < len(said) and spans[index] is None:
            spans[index] = (seconds, seconds)
    return spans


def _heard_at(token: str, heard: Sequence[Token], seconds: float) -> int:
    """The index of the recognised token an anchor points at: the nearest equal one within a second, else the first one after."""
    near = [index for index, each in enumerate(heard) if each.text == token and abs(each.start_s - seconds) <= _ANCHOR_PRECISION_S]
    if near:
        return min(near, key=lambda index: abs(heard[index].start_s - seconds))
    return bisect_left(heard, seconds, key=lambda each: each.start_s)


def _part_spans(said: Sequence[str], stops: Sequence[int], heard: Sequence[Token], start_s: float, end_s: float) -> list[Span | None]:
    """The times of the tokens between two anchors. Runs that differ share the time of what was recognised in their place."""
    spans: list[Span | None] = [None] * len(said)
    for first, last, heard_first, heard_last in _runs(said, heard):
        if last - first == heard_last - heard_first:  # the same words, or as many misrecognised ones
            spans[first:last] = [(each.start_s, each.end_s) for each in heard[heard_first:heard_last]]
            continue
        before_s = heard[heard_first - 1].end_s if heard_first else start_s
        after_s = heard[heard_last].start_s if heard_last < len(heard) else end_s
        if heard_last > heard_first:
            before_s, after_s = heard[heard_first].start_s, heard[heard_last - 1].end_s
        letters = sum(len(token) for token in said[first:last])
        is_squeezed = after_s - before_s < letters * _SHORTEST_LETTER_S
        if is_squeezed and letters > _MOST_SQUEEZED:
            continue
        if is_squeezed and first and (span := spans[first - 1]) is not None:
            first, before_s = first - 1, span[0]
        if after_s - before_s <= _LONGEST_GUESS_S:
            pause = stops[first - 1] if first and heard_first == heard_last and not is_squeezed else 0
            is_heard = heard_last > heard_first
            after = [*stops[first : last - 1], 0 if is_heard or is_squeezed else stops[last - 1]]
            spans[first:last] = _shared(said[first:last], before_s, max(before_s, after_s), (pause, *after))
    return spans


def _runs(said: Sequence[str], heard: Sequence[Token]) -> Iterator[tuple[int, int, int, int]]:
    """Matching runs of the text and of what was recognised, alternately equal and different; insertions of the latter are left out.

    Each is (first, last, first recognised, last recognised), by the Levenshtein alignment of the tokens.
    """
    from rapidfuzz.distance import Levenshtein

    codes = Levenshtein.opcodes(said, [each.text for each in heard])
    for _, group in groupby(codes, key=lambda code: code.tag == "equal"):
        run = list(group)
        if run[-1].src_end > run[0].src_start:
            yield run[0].src_start, run[-1].src_end, run[0].dest_start, run[-1].dest_end


def _shared(parts: Sequence[str], start_s: float, end_s: float, pauses: Sequence[int] = ()) -> list[Span]:
    """A span of time divided among tokens by their letters; `pauses`, in letters, are before the first token and after each."""
    pauses = pauses or (0,) * (len(parts) + 1)
    letter_s = (end_s - start_s) / (sum(map(len, parts)) + sum(pauses) or 1)
    spans, done = [], pauses[0]
    for part, pause in zip(parts, pauses[1:], strict=True):
        spans.append((start_s + letter_s * done, start_s + letter_s * (done + len(part))))
        done += len(part) + pause
    return spans


def _stops(words: Sequence[Word], parts: Sequence[Sequence[str]]) -> list[int]:
    """The pause after each token, in letters: none inside a word, a long one where there is a sound."""
    stops: list[int] = []
    for word, part in zip(words, parts, strict=True):
        if part:
            stops += (*(0,) * (len(part) - 1), _stop(word.text))
        elif word.is_sound and stops:
            stops[-1] += _SOUND_LETTERS
    return stops


def _stop(word: str) -> int:
    """The pause after a word, in letters: about 0.5 s after a sentence, 0.2 s after a comma."""
    last = word.rstrip('»”") \u00a0\u202f')[-1:]
    return 8 if last in ".?!…" else 3 if last in ",;:–—" else 0


def _word_spans(parts: Sequence[Sequence[str]], spans: Sequence[Span | None]) -> Iterator[Span | None]:
    """The times of each word, from those of its first to its last token."""
    done = 0
    for part in parts:
        known = [span for span in spans[done : done + len(part)] if span is not None]
        done += len(part)
        yield (known[0][0], known[-1][1]) if known else None


def _clamped(words: Sequence[Word], spans: Iterable[Span | None], duration_s: float) -> list[Word]:
    """Words with their times, none beginning before the previous one ends, all within the audio."""
    clamped, reached_s = [], 0.0
    for word, span in zip(words, spans, strict=True):
        if span is not None:
            start_s = min(max(span[0], reached_s), duration_s)
            reached_s = min(max(span[1], start_s), duration_s)
            word = Word(word.text, round(start_s, 3), round(reached_s, 3), word.probability)
        clamped.append(word)
    return clamped


def _with_sounds(words: list[Word], duration_s: float) -> list[Word]:
    """The words with times for sounds: the gap between the words around them, when these have times and the gap is long enough."""
    done = list(words)
    for index, word in enumerate(words):
        if word.is_sound and word.start_s is None:
            start_s = done[index - 1].end_s if index else 0.0
            after = words[index + 1] if index + 1 < len(words) else None
            end_s = after.start_s if after else duration_s
            if start_s is not None and end_s is not None and end_s - start_s >= _SHORTEST_SOUND_S:
                done[index] = word._replace(start_s=start_s, end_s=end_s)
    return done
