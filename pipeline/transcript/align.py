"""The step `align_words`: gives the corrected text its times, by aligning its words with those Whisper recognised."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from pipeline.engine import read_json, read_text
from pipeline.model import Recognition, TimedTranscript, Word
from pipeline.transcript.certainty import TimedToken
from pipeline.transcript.matching import match_tokens
from pipeline.transcript.normalisation import word_tokens
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.placement import TokenTime, divide_time, place_tokens
from pipeline.transcript.review_status import open_doubts, text_review
from pipeline.transcript.timed_json import write_timed
from pipeline.transcript.turns import AnchoredTurn, build_turns

_SOUND_PAUSE_LETTERS = 40  # the length of a sound, in letters: about 2.5 s
_ANCHOR_TOLERANCE_S = 1.0  # players show whole seconds
_MIN_SOUND_S = 0.3
_LONGEST_WORD_S, _LONGEST_LETTER_S = 1.0, 0.12  # a word that lasts longer was stretched over a pause
_CERTAIN_SHARE = 0.5  # of the letters of a word: a word of several parts is where most of it is


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
    times = align_tokens(tokens_of_text, _token_pauses(words, parts), recognised_tokens(recognition), marks, duration_s, language)
    return _time_sounds(_clamp_times(words, _word_times(parts, times), duration_s), duration_s)


def recognised_tokens(recognition: Recognition) -> list[TimedToken]:
    """The tokens of `words.json`; a word's time is divided among its tokens by their letters.

    Whisper draws a word out over the pause or the music before it: one that lasts too long keeps its end, and its start is no evidence.
    """
    found: list[TimedToken] = []
    language = recognition["language"]
    for segment in recognition["segments"]:
        for word in segment["words"]:
            parts, start_s, end_s = word_tokens(word["text"], language), word["start_s"], word["end_s"]
            longest_s = _LONGEST_WORD_S + _LONGEST_LETTER_S * sum(map(len, parts))
            is_stretched = end_s - start_s > longest_s
            spans = divide_time(parts, end_s - longest_s if is_stretched else start_s, end_s)
            found.extend(TimedToken(part, *span, is_stretched) for part, span in zip(parts, spans, strict=True))
    return found


def align_tokens(
    written: Sequence[str],
    pauses: Sequence[int],
    recognised: Sequence[TimedToken],
    anchors: Sequence[tuple[int, float]],
    duration_s: float,
    language: str,
) -> list[TokenTime | None]:
    """The times of each token of the text, or None. `pauses` are those after the tokens, as a number of letters.

    An anchor is (index of a token, seconds); what is before and after it is aligned separately.
    """
    cuts = [(0, 0, 0.0)]
    for index, seconds in anchors:
        if index >= cuts[-1][0] and index < len(written) and seconds >= cuts[-1][2]:
            cuts.append((index, max(cuts[-1][1], _anchor_index(written[index], recognised, seconds)), seconds))
    times: list[TokenTime | None] = []
    for (first, heard_first, start_s), (last, heard_last, end_s) in pairwise([*cuts, (len(written), len(recognised), duration_s)]):
        part, heard = written[first:last], recognised[heard_first:heard_last]
        matches = match_tokens(part, heard, language, (start_s, end_s), is_anchored=len(times) > 0 or bool(anchors and anchors[0][0] == 0))
        times.extend(place_tokens(part, pauses[first:last], heard, matches, (start_s, end_s)))
    for index, seconds in anchors:  # a hand-placed time holds, whatever was recognised there
        if index < len(written):
            placed = times[index] or TokenTime(seconds, seconds)
            times[index] = placed._replace(estimated=placed.estimated and abs(placed.start_s - seconds) > _ANCHOR_TOLERANCE_S)
    return times


def _anchor_index(token: str, recognised: Sequence[TimedToken], seconds: float) -> int:
    """The index of the recognised token an anchor points at: the nearest equal one within a second, else the first one after."""
    near = [index for index, each in enumerate(recognised) if each.text == token and abs(each.start_s - seconds) <= _ANCHOR_TOLERANCE_S]
    if near:
        return min(near, key=lambda index: abs(recognised[index].start_s - seconds))
    return bisect_left(recognised, seconds, key=lambda each: each.start_s)


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


def _word_times(parts: Sequence[Sequence[str]], times: Sequence[TokenTime | None]) -> Iterator[TokenTime | None]:
    """The times of each word, from those of its first to its last token; estimated unless most of its letters are certain."""
    done = 0
    for part in parts:
        own = list(zip(part, times[done : done + len(part)], strict=True))
        done += len(part)
        known = [time for _, time in own if time is not None]
        certain = sum(len(token) for token, time in own if time is not None and not time.estimated)
        is_estimated = certain < _CERTAIN_SHARE * sum(map(len, part))
        yield TokenTime(known[0].start_s, known[-1].end_s, is_estimated) if known else None


def _clamp_times(words: Sequence[Word], times: Iterable[TokenTime | None], duration_s: float) -> list[Word]:
    """Words with their times, none beginning before the previous one ends, all within the audio."""
    clamped, previous_end_s = [], 0.0
    for word, time in zip(words, times, strict=True):
        if time is not None:
            start_s = min(max(time.start_s, previous_end_s), duration_s)
            previous_end_s = min(max(time.end_s, start_s), duration_s)
            word = Word(word.text, round(start_s, 3), round(previous_end_s, 3), word.probability, time.estimated)
        clamped.append(word)
    return clamped


def _time_sounds(words: list[Word], duration_s: float) -> list[Word]:
    """The words with times for sounds: the gap between the words around them, when these have times and the gap is long enough."""
    done = list(words)
    for index, word in enumerate(words):
        if word.is_sound and word.start_s is None:
            before = done[index - 1] if index else Word("", 0.0, 0.0)
            after = words[index + 1] if index + 1 < len(words) else Word("", duration_s, duration_s)
            start_s, end_s = before.end_s, after.start_s
            if start_s is not None and end_s is not None and end_s - start_s >= _MIN_SOUND_S:
                done[index] = word._replace(start_s=start_s, end_s=end_s, estimated=before.estimated or after.estimated)
    return done
