"""A transcript with times: what alignment writes, and captions, pages, guides and chapters are made from; and what a recogniser heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, NotRequired, TypedDict

from pipeline.model.text import join_words


@dataclass(frozen=True)
class Voice:
    """A speaker, as named in one episode's transcript. `role` is a word in the show's language that is safe as a CSS class."""

    name: str  # "Nora", "Voix 1"; "" for the narrator
    role: str = ""  # récit | archive | micro-trottoir | fiction | entretien …
    person: str = ""  # key of a credited person
    label: str = ""  # as printed, when longer than the name


class Word(NamedTuple):
    """A written word with its punctuation, and its times; the times are None when the word was not aligned.

    A sound such as `[musique]` is one word with its brackets. A tuple, because an hour has ten thousand words and a dataclass takes
    three times as long to create.
    """

    text: str
    start_s: float | None = None
    end_s: float | None = None
    probability: float = 1.0
    estimated: bool = False  # the times are a guess between neighbours, or rest on too few letters to be certain

    @property
    def is_sound(self) -> bool:
        """Whether this is the description of a sound; `[…]` is an ellipsis, not a sound."""
        return self.text.startswith("[") and not self.text.startswith("[…]")


@dataclass(frozen=True)
class Turn:
    """A turn: one voice speaking without interruption, or a sound between voices (with an empty `voice.name` and role)."""

    voice: Voice
    words: tuple[Word, ...]
    section: str = ""  # the label of its `##` section
    insert: bool = False  # inside « … »

    @property
    def text(self) -> str:
        """The words of the turn, on one line."""
        return join_words(word.text for word in self.words)

    @property
    def start_s(self) -> float | None:
        """The start of its first aligned word; None when no word was aligned."""
        return next((word.start_s for word in self.words if word.start_s is not None), None)

    @property
    def end_s(self) -> float | None:
        """The end of its last aligned word; None when no word was aligned."""
        return next((word.end_s for word in reversed(self.words) if word.end_s is not None), None)


DRAFT, EDITED, REVIEWED = "draft", "edited", "reviewed"  # a machine's text, one that a person has changed, one that somebody has checked


@dataclass(frozen=True)
class TextReview:
    """Who has checked a text."""

    state: str = ""  # DRAFT | EDITED | REVIEWED; "" for a text that a person wrote
    date: str = ""  # ISO 8601, of REVIEWED
    by: str = ""  # of REVIEWED; may be empty

    @property
    def is_unchecked(self) -> bool:
        """Whether a machine wrote the text, and nobody has stated that they have checked it."""
        return self.state in (DRAFT, EDITED)


@dataclass(frozen=True)
class TimedTranscript:
    """The corrected transcript with times, from which captions, pages, guides and chapters are made."""

    duration_s: float
    language: str
    turns: tuple[Turn, ...]
    review: TextReview = TextReview()
    doubtful: tuple[tuple[float, float], ...] = ()  # passages (start, end) that somebody still has to listen to


class RecognisedWord(TypedDict):
    """A word in `words.json`."""

    text: str
    start_s: float
    end_s: float
    probability: float


class RecognisedSegment(TypedDict):
    """A segment in `words.json`: words that the recogniser decoded together."""

    start_s: float
    end_s: float
    text: str
    no_speech_probability: float
    average_log_probability: float
    words: list[RecognisedWord]
    language: NotRequired[str]  # where it is not the recording's


class VoiceSpan(TypedDict):
    """In `words.json`, a stretch where a voice is and no word was recognised, even when it was heard again."""

    start_s: float
    end_s: float


class RemovedLoop(TypedDict):
    """In `words.json`, words that the recogniser repeated and that were removed: `text`, `times` times over."""

    start_s: float
    end_s: float
    text: str
    times: int


class Recognition(TypedDict):
    """The content of `words.json`; see docs/formats.md."""

    version: int
    engine: str
    model: str
    language: str
    language_probability: NotRequired[float]  # when the language was detected
    duration_s: float
    segments: list[RecognisedSegment]
    removed: NotRequired[list[RemovedLoop]]
    wordless_voice: NotRequired[list[VoiceSpan]]


class CorrectionValue(TypedDict):
    """A correction in `doubts.json`."""

    start_s: float
    end_s: float
    heard: str
    written: str


class DoubtfulPassage(TypedDict):
    """A passage in `doubts.json`."""

    start_s: float
    end_s: float
    text: str
    score: float
    reasons: list[str]


class Doubts(TypedDict):
    """The content of `doubts.json`; see docs/formats.md."""

    version: int
    duration_s: float
    doubtful_s: float
    found: NotRequired[int]  # passages, of which the worst are listed
    passages: list[DoubtfulPassage]
    corrections: list[CorrectionValue]
