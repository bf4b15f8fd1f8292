"""Transcribes windows: in order, several at once when the backend can, each recognised once and cached."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.model import Word
from pipeline.speech.hallucinations import Segment
from pipeline.speech.repetitions import find_repetitions
from pipeline.speech.segmentation import Window, halve_window
from pipeline.speech.time_left import HearingProgress
from pipeline.speech.voice_activity import detect_voice_frames, voiced_s
from pipeline.speech.window_cache import WindowCache

if TYPE_CHECKING:
    from pipeline.speech.backend import Backend

_SILENCE_AMPLITUDE = 10 ** (-70 / 20)  # amplitude; a window without a louder sample is digital silence
MIN_UNHEARD_S = 1.5  # of voice without a word: longer than a breath or a laugh, shorter than a sentence
MIN_SURE_LOGPROB = -1.0  # Whisper's own threshold: below it, words in such a stretch are likelier invented than heard
_LANGUAGE_WINDOWS = 3  # used to detect the language


@dataclass(frozen=True)
class Recogniser:
    """A backend, and the settings it transcribes with."""

    backend: Backend
    language: str
    task: str = "transcribe"  # "translate": into English

    def transcribe(self, window: Window) -> tuple[Segment, ...]:
        """The segments of a window, times in seconds from its start.

        When the result repeats itself, each half of the window is decoded again with `retry`, and the less repetitive result is kept.
        """
        if is_silent(window):
            return ()
        first = self._transcribe_once(window)
        if not repetition_count(first):
            return self._with_unheard(window, first)
        second = tuple(
            segment
            for half in halve_window(window)
            for segment in shift_segments(self._transcribe_once(half, retry=True), half.start_s - window.start_s)
        )
        return min(first, second, key=repetition_count)

    def _with_unheard(self, window: Window, heard: tuple[Segment, ...]) -> tuple[Segment, ...]:
        """What was heard, with another hearing of each stretch where a voice is and no word came: Whisper may stop after one sentence."""
        frames = detect_voice_frames(window.samples, window.rate_hz)
        found = list(heard)
        for start_s, end_s in gaps(heard, window.length_s):
            if voiced_s(frames, start_s, end_s) >= MIN_UNHEARD_S:
                first, last = (round(time_s * window.rate_hz) for time_s in (start_s, end_s))
                part = Window(window.start_s + start_s, window.samples[first:last], window.rate_hz)
                sure = (each for each in self._transcribe_once(part) if each.average_log_probability > MIN_SURE_LOGPROB)
                found += shift_segments(sure, start_s)
        return tuple(sorted(found, key=lambda segment: segment.words[0].start_s or 0.0 if segment.words else 0.0))

    def _transcribe_once(self, window: Window, retry: bool = False) -> tuple[Segment, ...]:
        segments = self.backend.transcribe(window.samples, self.language, task=self.task, retry=retry)
        return tuple(_clip_to_window(segment, window.length_s) for segment in segments)


def transcribe_windows(
    windows: Iterable[Window], recogniser: Recogniser, cache: WindowCache, counted: HearingProgress | None = None
) -> Iterator[tuple[Window, tuple[Segment, ...]]]:
    """Each window with its segments, times in seconds from the start of the recording, in order.

    `workers` windows are transcribed at once, and as many more are queued; `counted` is told of each as it ends.
    """
    counted = counted or HearingProgress(0.0)
    pending: deque[tuple[Window, Future[tuple[Segment, ...]]]] = deque()
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
    """The stretches of a window, in seconds, that lie between its words and last `MIN_UNHEARD_S` or more."""
    spans = sorted((word.start_s or 0.0, word.end_s or 0.0) for segment in heard for word in segment.words)
    edges = [(0.0, 0.0), *spans, (length_s, length_s)]
    return [(a[1], b[0]) for a, b in pairwise(edges) if b[0] - a[1] >= MIN_UNHEARD_S]


def is_silent(window: Window) -> bool:
    """Whether every sample of a window is below −70 dBFS."""
    return not window.samples.size or float(max(window.samples.max(), -window.samples.min())) < _SILENCE_AMPLITUDE


def repetition_count(segments: tuple[Segment, ...]) -> int:
    """How many words of the segments belong to repetitions."""
    return sum(size * times for _, size, times in find_repetitions([word.text for segment in segments for word in segment.words]))


def shift_segments(segments: Iterable[Segment], offset_s: float) -> tuple[Segment, ...]:
    """The segments, `offset_s` later."""
    return tuple(replace(part, words=tuple(_shift_word(word, offset_s) for word in part.words)) for part in segments)


def _transcribe_cached(window: Window, recogniser: Recogniser, cache: WindowCache, counted: HearingProgress) -> tuple[Segment, ...]:
    if (cached := cache.get(window)) is not None:
        counted.skip(window.length_s)
        return cached
    if is_silent(window):
        counted.skip(window.length_s, is_silent=True)
        segments: tuple[Segment, ...] = ()
    else:
        with counted.hearing(window.start_s, window.length_s):
            segments = recogniser.transcribe(window)
    cache.put(window, segments)
    return segments


def _placed_result(window: Window, future: Future[tuple[Segment, ...]]) -> tuple[Window, tuple[Segment, ...]]:
    return window, shift_segments(future.result(), window.start_s)


def _clip_to_window(segment: Segment, length_s: float) -> Segment:
    """A segment whose words end within the window: Whisper pads a window with silence, and sometimes places a word there."""
    words = (word._replace(start_s=min(word.start_s or 0.0, length_s), end_s=min(word.end_s or 0.0, length_s)) for word in segment.words)
    return replace(segment, words=tuple(words))


def _shift_word(word: Word, offset_s: float) -> Word:
    return word._replace(start_s=(word.start_s or 0.0) + offset_s, end_s=(word.end_s or 0.0) + offset_s)
