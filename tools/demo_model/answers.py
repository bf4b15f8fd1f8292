"""What the decoder should write about a window: task, timestamps, text, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.demo_model.augment import Dice
from tools.demo_model.vocabulary import TIME_COUNT, Vocabulary

IGNORED, ANY_FIRST_TIME, ANY_TEXT_OR_END = -1, -3, -4  # targets that are not one token
NOWHERE = (-1.0, -1.0)
TIMED_SHARE = 0.65  # the others are <|notimestamps|>, the mode in which Whisper computes word times

Span = tuple[float, float]


@dataclass
class Steps:
    """Token by token: read, to answer, where in the sound (s from the window's start), the time (s) if it is one."""

    inputs: list[int]
    targets: list[int] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)

    def expect(self, target: int, span: Span = NOWHERE, time_s: float = -1.0, feed: int | None = None) -> None:
        """Ask for ``target``, then let the decoder read it (or ``feed`` in its place)."""
        self.targets.append(target)
        self.spans.append(span)
        self.times_s.append(time_s)
        self.inputs.append(target if feed is None else feed)

    def skip(self, token: int) -> None:
        """Let the decoder read ``token`` and ask nothing."""
        self.inputs.append(token)
        self.targets.append(IGNORED)
        self.spans.append(NOWHERE)
        self.times_s.append(-1.0)


@dataclass(frozen=True)
class Sentence:
    """A sentence heard in a window; times in seconds from the window's start."""

    start_s: float
    end_s: float
    tokens: list[int]
    spans: list[Span]


@dataclass(frozen=True)
class Page:
    """What a window holds: sentences, the start of one that its end cuts, a prompt; and where it lies in the 30 s."""

    sentences: list[Sentence]
    cut_s: float | None
    prompt: list[int]
    offset_s: float
    full: bool


def answers(page: Page, timed: bool, words: Vocabulary, dice: Dice) -> Steps:
    """The decoder's whole part, with or without timestamps."""
    steps = Steps([])
    for token in page.prompt:
        steps.skip(token)
    steps.inputs.append(words.sot)
    steps.expect(words.french if page.sentences else words.no_speech, feed=words.french)
    steps.expect(words.transcribe)
    if not timed:
        steps.expect(words.no_timestamps)
    if page.sentences:
        _expect_sentences(steps, page, timed, words, dice)
    else:
        _expect_nothing(steps, timed, words, dice)
    steps.inputs.pop()
    return steps


def _expect_sentences(steps: Steps, page: Page, timed: bool, words: Vocabulary, dice: Dice) -> None:
    for index, sentence in enumerate(page.sentences):
        if timed:
            _expect_time(steps, sentence.start_s, (-0.15, 0.25), page, words)
            forced = index == 0 and page.full and sentence.start_s > 1.0
            _misread_start(steps, forced, words, dice)
        for token, (start, end) in zip(sentence.tokens, sentence.spans, strict=True):
            steps.expect(token, (start - 0.05, end + 0.05))
        if timed:
            _expect_time(steps, sentence.end_s, (-0.25, 0.15), page, words)
    if timed and page.cut_s is not None:
        _expect_time(steps, page.cut_s, (-0.15, 0.25), page, words)
    steps.expect(words.eot)


def _expect_time(steps: Steps, at_s: float, around: Span, page: Page, words: Vocabulary) -> None:
    token = words.time(at_s + page.offset_s)
    steps.expect(token, (at_s + around[0], at_s + around[1]), at_s + page.offset_s)


def _misread_start(steps: Steps, forced: bool, words: Vocabulary, dice: Dice) -> None:
    """Sometimes feed a wrong start time: the model must go on all the same.

    ``forced``: Whisper never lets a window begin later than 1 s (``max_initial_timestamp``), whatever the answer.
    """
    if forced:
        if dice.chance(0.75):
            steps.inputs[-1] = words.first_time + dice.rng.randint(0, 10)
    elif dice.chance(0.1):
        nudged = steps.inputs[-1] + dice.rng.randint(-2, 2)
        steps.inputs[-1] = min(words.first_time + TIME_COUNT - 1, max(words.first_time, nudged))


def _expect_nothing(steps: Steps, timed: bool, words: Vocabulary, dice: Dice) -> None:
    """No token is right: a spread answer has a low mean log probability, which makes Whisper drop the window."""
    if timed:
        steps.expect(ANY_FIRST_TIME, feed=words.first_time + dice.rng.randint(0, 10))
    steps.expect(ANY_TEXT_OR_END, feed=words.eot)
