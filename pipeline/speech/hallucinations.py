"""Filters Whisper's hallucinations: words where nobody speaks, and repetition loops; joins word pieces into words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.model import WITHOUT_SPACES, Word, apply_typography, join_words
from pipeline.speech.repetitions import find_repetitions
from pipeline.speech.voice_activity import highest, mean, voiced_s

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_SPEECH_THRESHOLD = 0.6  # Whisper's own defaults of no_speech_threshold and logprob_threshold; it applies them to windows
LOGPROB_THRESHOLD = -1.0
_MIN_PEAK_VOICE = 0.5  # at the loudest moment of a segment; the quietest that people said reached 0.6, invented ones 0.1
_MIN_MEAN_VOICE = 0.3  # over a segment that Whisper itself holds for improbable
_MIN_IMPROBABLE_VOICE_S = 1.0  # the same, of voice: a laugh is shorter
_MARGIN_S = 0.3  # Whisper places words to about 0.2 s
_MAX_WORDS_PER_S = 8.0  # nobody repeats himself faster; loops are squeezed into what is left of a window
MAX_WORD_LETTERS = 40  # longer "words" are loops without spaces; the longest of French has 25 letters, German compounds seldom 40
_OPENING_MARKS = "«“([{¿¡"


@dataclass(frozen=True)
class Segment:
    """Words that Whisper decoded together, with its confidence; `language` only where it is not the recording's."""

    words: tuple[Word, ...]
    no_speech_probability: float
    average_log_probability: float
    language: str = ""

    @property
    def text(self) -> str:
        """Its words."""
        return join_words(word.text for word in self.words)

    @property
    def start_s(self) -> float:
        """The start of its first word."""
        return self.words[0].start_s or 0.0

    @property
    def end_s(self) -> float:
        """The end of its last word."""
        return max(self.words[-1].end_s or 0.0, self.start_s)


@dataclass(frozen=True)
class Loop:
    """Words that were removed because they repeat what stands before them."""

    start_s: float
    end_s: float
    text: str  # what is repeated, once
    times: int  # it was removed


def merge_word_pieces(pieces: Iterable[Word], language: str) -> tuple[Word, ...]:
    """Join the pieces Whisper splits words into: `l'` + `hiver`, `rendez` + `-vous`, `mot` + ` ?`.

    A piece that begins with a space begins a word, unless it is only punctuation. Languages written without spaces keep their pieces.
    """
    words: list[Word] = []
    for piece in pieces:
        opens = piece.text.startswith(" ") and (re.search(r"\w", piece.text) or piece.text.strip()[:1] in _OPENING_MARKS)
        opens = opens or (language.split("-")[0] in WITHOUT_SPACES and bool(re.search(r"\w", piece.text)))
        after_opening = bool(words) and not re.search(r"\w", words[-1].text)
        if not words or (opens and not after_opening):
            words.append(piece)
        else:
            words[-1] = _join_pieces(words[-1], piece)
    tidy = (word._replace(text=re.sub(r"[ \t\n]+", "\u00a0", apply_typography(word.text.strip(), language))) for word in words)
    return tuple(word for word in tidy if word.text)


def filter_hallucinations(segments: Iterable[Segment], voice: NDArray[np.float32]) -> tuple[Segment, ...]:
    """The segments without those where nobody speaks, and without words of no duration; `voice` are the probabilities of a voice."""
    kept = (segment for segment in segments if segment.words and not _is_hallucinated(segment, voice))
    placed = (replace(segment, words=tuple(word for word in segment.words if _has_plausible_time(word, voice))) for segment in kept)
    return tuple(segment for segment in placed if segment.words)


def remove_loops(segments: tuple[Segment, ...], language: str) -> tuple[tuple[Segment, ...], tuple[Loop, ...]]:
    """The segments without what nobody can have said: words over `MAX_WORD_LETTERS`, and repetitions faster than people speak.

    A slow repetition stays: people do say « bonjour » twelve times. What was removed is told.
    """
    words = [word for segment in segments for word in segment.words]
    extra, loops = set[int](), list[Loop]()
    for start, size, times in find_repetitions([word.text for word in words]):
        run = words[start : start + size * times]
        start_s, end_s = run[0].start_s or 0.0, run[-1].end_s or 0.0
        if len(run) > _MAX_WORDS_PER_S * (end_s - start_s):
            extra |= set(range(start + size, start + size * times))
            loops.append(Loop(run[size].start_s or 0.0, end_s, join_words(word.text for word in run[:size]), times - 1))
    if language.split("-")[0] not in WITHOUT_SPACES:
        for index, word in enumerate(words):
            if len(word.text) > MAX_WORD_LETTERS and index not in extra:
                extra.add(index)
                loops.append(Loop(word.start_s or 0.0, word.end_s or 0.0, word.text, 1))
    return _without(segments, extra), tuple(sorted(loops, key=lambda loop: loop.start_s))


def split_decodings(segments: Iterable[Segment]) -> list[tuple[Segment, ...]]:
    """The segments in their order, those of one decoding together: Whisper gives them one and the same log-probability."""
    return [tuple(group) for _, group in groupby(segments, key=lambda segment: segment.average_log_probability)]


def is_improbable(segment: Segment) -> bool:
    """Whether Whisper itself holds a segment for improbable: heard again, or doubted, never simply kept."""
    return segment.average_log_probability < LOGPROB_THRESHOLD


def _join_pieces(first: Word, second: Word) -> Word:
    """Two pieces as one word, with the lower probability of the two."""
    return Word(first.text + second.text, first.start_s, second.end_s, min(first.probability, second.probability))


def _is_hallucinated(segment: Segment, voice: NDArray[np.float32]) -> bool:
    if highest(voice, segment.start_s - _MARGIN_S, segment.end_s + _MARGIN_S) < _MIN_PEAK_VOICE:
        return True
    start_s, end_s = segment.start_s, segment.end_s
    little = mean(voice, start_s, end_s) < _MIN_MEAN_VOICE or voiced_s(voice, start_s, end_s) < _MIN_IMPROBABLE_VOICE_S
    return is_improbable(segment) and (little or segment.no_speech_probability > NO_SPEECH_THRESHOLD)


def _has_plausible_time(word: Word, voice: NDArray[np.float32]) -> bool:
    """Whether a word has a duration; a word of no duration is hallucinated, unless it is probable and next to a voice."""
    start_s, end_s = word.start_s or 0.0, word.end_s or 0.0
    return end_s > start_s or (word.probability >= 0.5 and highest(voice, start_s - _MARGIN_S, end_s + _MARGIN_S) >= _MIN_PEAK_VOICE)


def _without(segments: tuple[Segment, ...], extra: set[int]) -> tuple[Segment, ...]:
    """The segments without the words at these positions of the whole."""
    position, kept = 0, []
    for segment in segments:
        indexed = enumerate(segment.words, position)
        kept.append(replace(segment, words=tuple(word for index, word in indexed if index not in extra)))
        position += len(segment.words)
    return tuple(segment for segment in kept if segment.words)
