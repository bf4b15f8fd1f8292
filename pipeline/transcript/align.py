"""The step `align_words`: gives the corrected text its times, by aligning its words with those Whisper recognised."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple

from pipeline.engine import read_json, read_text
from pipeline.model import Recognition, TimedTranscript, Word
from pipeline.transcript.normalisation import word_tokens
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.review_status import open_doubts, text_review
from pipeline.transcript.timed_json import write_timed
from pipeline.transcript.turns import AnchoredTurn, build_turns

_MAX_INTERPOLATION_S = 5.0  # a longer stretch without a common word gets no times
_MIN_LETTER_S = 0.02  # words faster than this take time from the word before
_MAX_SQUEEZED_LETTERS = 80  # letters; more than that in too little time cannot have been spoken there
_SOUND_PAUSE_LETTERS = 40  # the length of a sound, in letters: about 2.5 s
_ANCHOR_TOLERANCE_S = 1.0  # players show whole seconds
_MIN_SOUND_S = 0.3


class TimedToken(NamedTuple):
    """A comparable part of a word (see `pipeline.transcript.normalisation`), with its times."""

    text: str
    start_s: float
    end_s: float


TimeSpan = tuple[float, float]


def align_words(text: Path, words: Path, *, timed: Path, people: Mapping[str, str]) -> None:
    """Write to `timed` the corrected `text` with times from `words`. `people` gives the names of the show's people by key.

    `CauserieError` or `Problems` when the text has mistakes of grammar.
    """
    written = read_text(text)
    transcript = parse_transcript(written, str(text), people)
    recognition = read_json(words)
    aligned = align_turns(build_turns(transcript, recognition["language"], people), recognition)
    write_timed(timed, replace(aligned, review=text_review(written, transcript), doubtful=open_doubts(transcript)))


def align_turns(spoken: tuple[AnchoredTurn, ...], recognition: Recognition) -> TimedTranscript:
    """Turns with times; `recognition` is the content of `words.json`."""
    anchors, index = [], 0
    for each in spoken:
        if each.anchor_s is not None:
            anchors.append((index, each.anchor_s))
        index += len(each.turn.words)
    timed = iter(assign_times([word for each in spoken for word in each.turn.words], anchors, recognition))
    done = (replace(each.turn, words=tuple(next(timed) for _ in each.turn.words)) for each in spoken)
    return TimedTranscript(recognition["duration_s"], recognition["language"], tuple(done))


def assign_times(words: Sequence[Word], anchors: Sequence[tuple[int, float]], recognition: Recognition) -> list[Word]:
    """The same words with their times. An anchor is (index of a word, seconds); `recognition` is the content of `words.json`."""
    duration_s, language = recognition["duration_s"], recognition["language"]
    parts = [word_tokens(word.text, language) for word in words]
    tokens_of_text = [token for part in parts for token in part]
    marks = [(sum(map(len, parts[:place])), min(seconds, duration_s)) for place, seconds in anchors]
    spans = align_tokens(tokens_of_text, _token_pauses(words, parts), recognised_tokens(recognition), marks, duration_s)
    return _time_sounds(_clamp_times(words, _word_spans(parts, spans), duration_s), duration_s)


def recognised_tokens(recognition: Recognition) -> list[TimedToken]:
    """The tokens of `words.json`; a word's time is divided among its tokens by their letters."""
    found: list[TimedToken] = []
    language = recognition["language"]
    for segment in recognition["segments"]:
        for word in segment["words"]:
            parts = word_tokens(word["text"], language)
            if len(parts) == 1:
                found.append(TimedToken(parts[0], word["start_s"], word["end_s"]))
                continue
            spans = _divide_time(parts, word["start_s"], word["end_s"])
            found.extend(TimedToken(part, *span) for part, span in zip(parts, spans, strict=True))
    return found


def align_tokens(
    written: Sequence[str], pauses: Sequence[int], recognised: Sequence[TimedToken], anchors: Sequence[tuple[int, float]], duration_s: float
) -> list[TimeSpan | None]:
    """The times of each token of the text, or None. `pauses` are those after the tokens, as a number of letters.

    An anchor is (index of a token, seconds); what is before and after it is aligned separately.
    """
    cuts = [(0, 0, 0.0)]
    for index, seconds in anchors:
        if index >= cuts[-1][0] and index < len(written) and seconds >= cuts[-1][2]:
            cuts.append((index, max(cuts[-1][1], _anchor_index(written[index], recognised, seconds)), seconds))
    spans: list[TimeSpan | None] = []
    for (first, recognised_first, start_s), (last, recognised_last, end_s) in pairwise(
        [*cuts, (len(written), len(recognised), duration_s)]
    ):
        spans.extend(_align_part(written[first:last], pauses[first:last], recognised[recognised_first:recognised_last], start_s, end_s))
    for index, seconds in anchors:  # a hand-placed time holds, whatever was recognised there
        if index < len(written) and spans[index] is None:
            spans[index] = (seconds, seconds)
    return spans


def _anchor_index(token: str, recognised: Sequence[TimedToken], seconds: float) -> int:
    """The index of the recognised token an anchor points at: the nearest equal one within a second, else the first one after."""
    near = [index for index, each in enumerate(recognised) if each.text == token and abs(each.start_s - seconds) <= _ANCHOR_TOLERANCE_S]
    if near:
        return min(near, key=lambda index: abs(recognised[index].start_s - seconds))
    return bisect_left(recognised, seconds, key=lambda each: each.start_s)


def _align_part(
    written: Sequence[str], pauses: Sequence[int], recognised: Sequence[TimedToken], start_s: float, end_s: float
) -> list[TimeSpan | None]:
    """The times of the tokens between two anchors. Runs that differ share the time of what was recognised in their place."""
    spans: list[TimeSpan | None] = [None] * len(written)
    for first, last, recognised_first, recognised_last in _matching_runs(written, recognised):
        if last - first == recognised_last - recognised_first:  # the same words, or as many misrecognised ones
            spans[first:last] = [(each.start_s, each.end_s) for each in recognised[recognised_first:recognised_last]]
            continue
        before_s = recognised[recognised_first - 1].end_s if recognised_first else start_s
        after_s = recognised[recognised_last].start_s if recognised_last < len(recognised) else end_s
        if recognised_last > recognised_first:
            before_s, after_s = recognised[recognised_first].start_s, recognised[recognised_last - 1].end_s
        letters = sum(len(token) for token in written[first:last])
        is_squeezed = after_s - before_s < letters * _MIN_LETTER_S
        if is_squeezed and letters > _MAX_SQUEEZED_LETTERS:
            continue
        if is_squeezed and first and (span := spans[first - 1]) is not None:
            first, before_s = first - 1, span[0]
        if after_s - before_s <= _MAX_INTERPOLATION_S:
            pause = pauses[first - 1] if first and recognised_first == recognised_last and not is_squeezed else 0
            is_recognised = recognised_last > recognised_first
            after = [*pauses[first : last - 1], 0 if is_recognised or is_squeezed else pauses[last - 1]]
            spans[first:last] = _divide_time(written[first:last], before_s, max(before_s, after_s), (pause, *after))
    return spans


def _matching_runs(written: Sequence[str], recognised: Sequence[TimedToken]) -> Iterator[tuple[int, int, int, int]]:
    """Matching runs of the text and of what was recognised, alternately equal and different; insertions of the latter are left out.

    Each is (first, last, first recognised, last recognised), by the Levenshtein alignment of the tokens.
    """
    from rapidfuzz.distance import Levenshtein

    codes = Levenshtein.opcodes(written, [each.text for each in recognised])
    for _, group in groupby(codes, key=lambda code: code.tag == "equal"):
        run = list(group)
        if run[-1].src_end > run[0].src_start:
            yield run[0].src_start, run[-1].src_end, run[0].dest_start, run[-1].dest_end


def _divide_time(parts: Sequence[str], start_s: float, end_s: float, pauses: Sequence[int] = ()) -> list[TimeSpan]:
    """A span of time divided among tokens by their letters; `pauses`, in letters, are before the first token and after each."""
    pauses = pauses or (0,) * (len(parts) + 1)
    letter_s = (end_s - start_s) / (sum(map(len, parts)) + sum(pauses) or 1)
    spans, done = [], pauses[0]
    for part, pause in zip(parts, pauses[1:], strict=True):
        spans.append((start_s + letter_s * done, start_s + letter_s * (done + len(part))))
        done += len(part) + pause
    return spans


def _token_pauses(words: Sequence[Word], parts: Sequence[Sequence[str]]) -> list[int]:
    """The pause after each token, in letters: none inside a word, a long one where there is a sound."""
    pauses: list[int] = []
    for word, part in zip(words, parts, strict=True):
        if part:
            pauses += (*(0,) * (len(part) - 1), _pause_letters(word.text))
        elif word.is_sound and pauses:
            pauses[-1] += _SOUND_PAUSE_LETTERS
    return pauses


def _pause_letters(word: str) -> int:
    """The pause after a word, in letters: about 0.5 s after a sentence, 0.2 s after a comma."""
    last = word.rstrip('»”") \u00a0\u202f')[-1:]
    return 8 if last in ".?!…" else 3 if last in ",;:–—" else 0


def _word_spans(parts: Sequence[Sequence[str]], spans: Sequence[TimeSpan | None]) -> Iterator[TimeSpan | None]:
    """The times of each word, from those of its first to its last token."""
    done = 0
    for part in parts:
        known = [span for span in spans[done : done + len(part)] if span is not None]
        done += len(part)
        yield (known[0][0], known[-1][1]) if known else None


def _clamp_times(words: Sequence[Word], spans: Iterable[TimeSpan | None], duration_s: float) -> list[Word]:
    """Words with their times, none beginning before the previous one ends, all within the audio."""
    clamped, previous_end_s = [], 0.0
    for word, span in zip(words, spans, strict=True):
        if span is not None:
            start_s = min(max(span[0], previous_end_s), duration_s)
            previous_end_s = min(max(span[1], start_s), duration_s)
            word = Word(word.text, round(start_s, 3), round(previous_end_s, 3), word.probability)
        clamped.append(word)
    return clamped


def _time_sounds(words: list[Word], duration_s: float) -> list[Word]:
    """The words with times for sounds: the gap between the words around them, when these have times and the gap is long enough."""
    done = list(words)
    for index, word in enumerate(words):
        if word.is_sound and word.start_s is None:
            start_s = done[index - 1].end_s if index else 0.0
            after = words[index + 1] if index + 1 < len(words) else None
            end_s = after.start_s if after else duration_s
            if start_s is not None and end_s is not None and end_s - start_s >= _MIN_SOUND_S:
                done[index] = word._replace(start_s=start_s, end_s=end_s)
    return done
