"""Filters Whisper's hallucinations: words over music or silence, and repetition loops; joins word pieces into words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pipeline.model import Word, apply_typography
from pipeline.speech.repetitions import repeated_indices

_NO_SPEECH_THRESHOLD = (
    0.6  # Whisper's own defaults of no_speech_threshold and logprob_threshold; it applies them to windows, not to segments
)
_LOGPROB_THRESHOLD = -1.0
_WITHOUT_SPACES = frozenset({"ja", "zh", "yu", "th", "lo", "my", "km"})
_OPENING_MARKS = "«“([{¿¡"


@dataclass(frozen=True)
class Segment:
    """Words that Whisper decoded together, with its confidence."""

    words: tuple[Word, ...]
    no_speech_probability: float
    average_log_probability: float

    @property
    def text(self) -> str:
        """Its words, joined by spaces."""
        return " ".join(word.text for word in self.words)


def merge_word_pieces(pieces: Iterable[Word], language: str) -> tuple[Word, ...]:
    """Join the pieces Whisper splits words into: `l'` + `hiver`, `rendez` + `-vous`, `mot` + ` ?`.

    A piece that begins with a space begins a word, unless it is only punctuation. Languages written without spaces keep their pieces.
    """
    words: list[Word] = []
    for piece in pieces:
        opens = piece.text.startswith(" ") and (re.search(r"\w", piece.text) or piece.text.strip()[:1] in _OPENING_MARKS)
        opens = opens or (language[:2] in _WITHOUT_SPACES and bool(re.search(r"\w", piece.text)))
        after_opening = bool(words) and not re.search(r"\w", words[-1].text)
        if not words or (opens and not after_opening):
            words.append(piece)
        else:
            words[-1] = _join_pieces(words[-1], piece)
    tidy = (word._replace(text=re.sub(r"[ \t\n]+", "\u00a0", apply_typography(word.text.strip(), language))) for word in words)
    return tuple(word for word in tidy if word.text)


def filter_hallucinations(segments: Iterable[Segment], has_voice: Callable[[float, float], bool]) -> tuple[Segment, ...]:
    """The segments without hallucinated segments and words.

    `has_voice(start_s, end_s)` is whether a voice may be present between two times.
    """
    kept = (segment for segment in segments if not _is_hallucinated(segment) and segment.words)
    voiced = (segment for segment in kept if has_voice(segment.words[0].start_s or 0.0, segment.words[-1].end_s or 0.0))
    placed = (replace(segment, words=tuple(word for word in segment.words if _has_plausible_time(word, has_voice))) for segment in voiced)
    return _remove_repetitions(tuple(segment for segment in placed if segment.words))


def _join_pieces(first: Word, second: Word) -> Word:
    """Two pieces as one word, with the lower probability of the two."""
    return Word(first.text + second.text, first.start_s, second.end_s, min(first.probability, second.probability))


def _is_hallucinated(segment: Segment) -> bool:
    return segment.no_speech_probability > _NO_SPEECH_THRESHOLD and segment.average_log_probability < _LOGPROB_THRESHOLD


def _has_plausible_time(word: Word, has_voice: Callable[[float, float], bool]) -> bool:
    """Whether a word has a duration; a word of no duration is hallucinated, unless it is probable and next to a voice."""
    start_s, end_s = word.start_s or 0.0, word.end_s or 0.0
    return end_s > start_s or (word.probability >= 0.5 and has_voice(start_s, end_s))


def _remove_repetitions(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments with each repetition that remains after the retry reduced to one occurrence."""
    extra = repeated_indices([word.text for segment in segments for word in segment.words])
    position, kept = 0, []
    for segment in segments:
        indexed = enumerate(segment.words, position)
        kept.append(replace(segment, words=tuple(word for index, word in indexed if index not in extra)))
        position += len(segment.words)
    return tuple(segment for segment in kept if segment.words)
