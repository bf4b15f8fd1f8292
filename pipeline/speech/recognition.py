"""Transcribes windows: in order, several at once when the backend can, each recognised once and cached."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from pipeline.model import Word
from pipeline.speech.hallucinations import Segment, filter_hallucinations, is_improbable, split_decodings
from pipeline.speech.repetitions import find_repetitions, repeats_itself
from pipeline.speech.segmentation import Window
from pipeline.speech.time_left import HearingProgress
from pipeline.speech.voice_activity import voice_probabilities, voiced_s, voiced_span, voiced_stretches
from pipeline.speech.window_cache import Hearing, WindowCache

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.speech.backend import Backend

PLAYED_FASTER = 1.07  # the second hearing: near enough to be understood as well, far enough to fail elsewhere
_UNSURE_LOGPROB = -0.3  # of a decoding; below it another one is often likelier, and above it seldom
_LIKELIER_LOGPROB = 0.015  # than the first by so much
_FEWEST_WORDS = 0.8  # of the first hearing's: leaving words out is likely, too
_SILENCE_AMPLITUDE = 10 ** (-70 / 20)  # amplitude; a window without a louder sample is digital silence
MIN_UNHEARD_S = 1.5  # of voice that stays without a word is told: longer than a breath or a laugh, shorter than a sentence
_MIN_AGAIN_S = 0.8  # of voice without a word is heard again
_MAX_SAID_S = 1.2  # of a word; Whisper stretches one over the sentences it leaves out
_MAX_WORD_S = 3.0  # nobody draws a word out for longer
_PADDING_S = 0.2  # heard around a stretch: Whisper places words to about as much
_MIN_RETRY_LOGPROB = -0.8  # what comes in place of a repetition must be likelier than what Whisper makes up
_TRANSLATED = "en"  # the language Whisper translates into; what is already in it is transcribed
_LANGUAGE_WINDOWS = 3  # used to detect the language
_MIN_LANGUAGE_VOICE_S = 3.0  # of voice; the language of less is a guess


class Hear(Protocol):
    """Decodes a part of a window, from one time to another; in another language, played faster, or with `retry` differently."""

    def __call__(
        self, start_s: float, end_s: float, *, language: str = "", faster: bool = False, retry: bool = False
    ) -> tuple[Segment, ...]: ...


@dataclass(frozen=True)
class Recogniser:
    """A backend, and the settings it transcribes with."""

    backend: Backend
    language: str
    task: str = "transcribe"  # "translate": into English

    def transcribe(self, window: Window) -> Hearing:
        """What is said in a window.

        What may hold a voice is decoded once; again, played a little faster, where that is unsure, and the likelier of the two is kept;
        then again what repeats itself, is improbable or in another language, and where a voice speaks and no word came: Whisper may stop
        after one sentence. Words where nobody speaks are dropped.
        """
        if is_silent(window):
            return Hearing()
        voice = voice_probabilities(window.samples)
        hear = partial(self._hear, window)
        first = tuple(segment for stretch in voiced_stretches(voice) for segment in _likelier(partial(hear, *stretch)))
        segments = filter_hallucinations(self._heard_better(hear, first, voice), voice)
        return self._with_unheard(hear, window, segments, voice)

    def _heard_better(self, hear: Hear, heard: tuple[Segment, ...], voice: NDArray[np.float32]) -> tuple[Segment, ...]:
        """What was heard; each decoding that is improbable, repeats itself or is in another language is heard again alone."""
        better: list[Segment] = []
        for run in split_decodings(segment for segment in heard if segment.words):
            hear_run = partial(hear, run[0].start_s - _PADDING_S, run[-1].end_s + _PADDING_S)
            believed = voiced_s(voice, run[0].start_s, run[-1].end_s) >= _MIN_LANGUAGE_VOICE_S
            believed = believed or (bool(better) and better[-1].language == run[0].language)  # the end of what was said before
            better += _in_its_language(run, hear_run) if run[0].language and believed else _better(run, partial(hear_run, retry=True))
        return tuple(replace(segment, language="") if segment.language == self.language else segment for segment in better)

    def _with_unheard(self, hear: Hear, window: Window, heard: tuple[Segment, ...], voice: NDArray[np.float32]) -> Hearing:
        """What was heard, with another hearing of each stretch where a voice is and no word came; where none comes, that is told."""
        found, wordless = list(heard), []
        for start_s, end_s in gaps(heard, window.length_s):
            if voiced_s(voice, start_s, end_s) < _MIN_AGAIN_S:
                continue
            heard_again = self._heard_better(hear, hear(start_s, end_s), voice)
            again = filter_hallucinations((each for each in heard_again if not is_improbable(each)), voice)
            found += again
            wordless += [voiced_span(voice, *gap) for gap in _gaps_between(again, start_s, end_s) if voiced_s(voice, *gap) >= MIN_UNHEARD_S]
        return Hearing(tuple(sorted(found, key=lambda segment: segment.start_s)), tuple(span for span in wordless if span))

    def _hear(
        self, window: Window, start_s: float, end_s: float, *, language: str = "", faster: bool = False, retry: bool = False
    ) -> tuple[Segment, ...]:
        """The segments between two times of a window, times in seconds from the window's start; `language`: another one than ours."""
        first, last = (round(min(max(time_s, 0.0), window.length_s) * window.rate_hz) for time_s in (start_s, end_s))
        task = "transcribe" if language == _TRANSLATED else self.task
        samples = _played_faster(window.samples[first:last]) if faster else window.samples[first:last]
        heard = self.backend.transcribe(samples, language or self.language, task=task, retry=retry)
        segments = map(_slowed_down, heard) if faster else heard
        clipped = (_clip_to_window(segment, (last - first) / window.rate_hz) for segment in segments)
        return shift_segments((replace(segment, language=language or segment.language) for segment in clipped), first / window.rate_hz)


def _likelier(hear: Callable[..., tuple[Segment, ...]]) -> tuple[Segment, ...]:
    """What is heard; where that is unsure or repeats itself, it or what is heard when it is played faster, whichever is likelier."""
    first = hear()
    repeated = repetition_count(first)
    if not first or not (repeated or _mean_log_probability(first) < _UNSURE_LOGPROB):
        return first
    second = hear(faster=True)
    if repeated:  # of what somebody did say again and again, half would not be gone
        is_better = 2 * repetition_count(second) <= repeated and _mean_log_probability(second) > _MIN_RETRY_LOGPROB
    else:
        has_as_many = _word_count(second) >= _FEWEST_WORDS * _word_count(first)
        is_better = has_as_many and _mean_log_probability(second) > _mean_log_probability(first) + _LIKELIER_LOGPROB
    return second if is_better else first


def _word_count(segments: Sequence[Segment]) -> int:
    return sum(len(segment.words) for segment in segments)


def _played_faster(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The samples as if they were played `PLAYED_FASTER` times as fast."""
    import numpy as np

    places = np.arange(int(len(samples) / PLAYED_FASTER)) * PLAYED_FASTER
    faster: NDArray[np.float32] = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    return faster


def _slowed_down(segment: Segment) -> Segment:
    """A segment of what was played faster, at the times of the recording."""
    return replace(segment, words=tuple(word._replace(start_s=_slow(word.start_s), end_s=_slow(word.end_s)) for word in segment.words))


def _slow(time_s: float | None) -> float | None:
    return None if time_s is None else time_s * PLAYED_FASTER


def transcribe_windows(
    windows: Iterable[Window], recogniser: Recogniser, cache: WindowCache, counted: HearingProgress | None = None
) -> Iterator[tuple[Window, Hearing]]:
    """Each window with what was heard in it, times in seconds from the start of the recording, in order.

    `workers` windows are transcribed at once, and as many more are queued; `counted` is told of each as it ends.
    """
    counted = counted or HearingProgress(0.0)
    pending: deque[tuple[Window, Future[Hearing]]] = deque()
    with ThreadPoolExecutor(recogniser.backend.workers) as pool:
        try:
            for window in windows:
                pending.append((window, pool.submit(_transcribe_cached, window, recogniser, cache, counted)))
                if len(pending) > 2 * recogniser.backend.workers:
                    yield _placed_result(*pending.popleft())
            while pending:
                yield _placed_result(*pending.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def detect_language(windows: Iterable[Window], backend: Backend) -> tuple[str, float]:
    """The most probable language over the first windows that are not silent, and its probability; `("en", 0.0)` when all are silent."""
    audible = (window for window in windows if not is_silent(window))
    guesses = [backend.language_probabilities(window.samples) for window, _ in zip(audible, range(_LANGUAGE_WINDOWS), strict=False)]
    if not guesses:
        return "en", 0.0
    mean = {code: sum(guess.get(code, 0.0) for guess in guesses) / len(guesses) for code in guesses[0]}
    return max(mean.items(), key=lambda item: item[1])


def gaps(heard: Iterable[Segment], length_s: float) -> list[tuple[float, float]]:
    """The stretches of a window, in seconds, that lie between its words and last `_MIN_AGAIN_S` or more."""
    return _gaps_between(heard, 0.0, length_s)


def is_silent(window: Window) -> bool:
    """Whether every sample of a window is below −70 dBFS."""
    return not window.samples.size or float(max(window.samples.max(), -window.samples.min())) < _SILENCE_AMPLITUDE


def repetition_count(segments: tuple[Segment, ...]) -> int:
    """How many words of the segments belong to repetitions; of what repeats itself by letters alone, all."""
    words = [word.text for segment in segments for word in segment.words]
    return sum(size * times for _, size, times in find_repetitions(words)) or len(words) * repeats_itself("".join(words))


def shift_segments(segments: Iterable[Segment], offset_s: float) -> tuple[Segment, ...]:
    """The segments, `offset_s` later."""
    return tuple(replace(part, words=tuple(_shift_word(word, offset_s) for word in part.words)) for part in segments)


def _in_its_language(run: tuple[Segment, ...], hear_run: Callable[..., tuple[Segment, ...]]) -> tuple[Segment, ...]:
    """A decoding heard again in the language it speaks: Whisper would translate it without a word; as it was, when that is improbable."""
    again = hear_run(language=run[0].language)
    if again and not any(is_improbable(segment) for segment in again):
        return again
    return tuple(replace(segment, language="") for segment in run)


def _better(run: tuple[Segment, ...], hear_again: Callable[[], tuple[Segment, ...]]) -> tuple[Segment, ...]:
    """A decoding, or another hearing of its stretch, when it repeats itself or is improbable, and the other is better."""
    run = tuple(replace(segment, language="") for segment in run)
    repeated = repetition_count(run)
    if not repeated and not is_improbable(run[0]):
        return run
    again = hear_again()
    if not repeated:
        return max(run, again, key=_mean_log_probability)
    likely = _mean_log_probability(again) > _MIN_RETRY_LOGPROB
    return again if likely and repetition_count(again) < repeated else run


def _transcribe_cached(window: Window, recogniser: Recogniser, cache: WindowCache, counted: HearingProgress) -> Hearing:
    if (cached := cache.get(window)) is not None:
        counted.skip(window.length_s)
        return cached
    if is_silent(window):
        counted.skip(window.length_s, is_silent=True)
        hearing = Hearing()
    else:
        with counted.hearing(window.start_s, window.length_s):
            hearing = recogniser.transcribe(window)
    cache.put(window, hearing)
    return hearing


def _placed_result(window: Window, future: Future[Hearing]) -> tuple[Window, Hearing]:
    hearing, offset_s = future.result(), window.start_s
    spans = tuple((start_s + offset_s, end_s + offset_s) for start_s, end_s in hearing.wordless)
    return window, Hearing(shift_segments(hearing.segments, offset_s), spans)


def _gaps_between(heard: Iterable[Segment], start_s: float, end_s: float) -> list[tuple[float, float]]:
    """The stretches between two times without a word, of `_MIN_AGAIN_S` or more."""
    words = [(word.start_s or 0.0, word.end_s or 0.0) for segment in heard for word in segment.words]
    spans = sorted((first_s, min(last_s, first_s + _MAX_SAID_S)) for first_s, last_s in words)
    edges = [(start_s, start_s), *spans, (end_s, end_s)]
    return [(before[1], after[0]) for before, after in pairwise(edges) if after[0] - before[1] >= _MIN_AGAIN_S]


def _mean_log_probability(segments: Sequence[Segment]) -> float:
    """The mean log probability of segments, weighted by their words; without words, as low as can be."""
    words = sum(len(segment.words) for segment in segments)
    return sum(segment.average_log_probability * len(segment.words) for segment in segments) / words if words else float("-inf")


def _clip_to_window(segment: Segment, length_s: float) -> Segment:
    """A segment whose words end within the window and within `_MAX_WORD_S`: Whisper sometimes places one in the silence it pads with."""
    return replace(segment, words=tuple(_clip_word(word, length_s) for word in segment.words))


def _clip_word(word: Word, length_s: float) -> Word:
    start_s = min(word.start_s or 0.0, length_s)
    return word._replace(start_s=start_s, end_s=min(word.end_s or 0.0, length_s, start_s + _MAX_WORD_S))


def _shift_word(word: Word, offset_s: float) -> Word:
    return word._replace(start_s=(word.start_s or 0.0) + offset_s, end_s=(word.end_s or 0.0) + offset_s)
