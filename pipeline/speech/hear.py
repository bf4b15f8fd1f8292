"""Transcribes windows: in order, several at once when the backend can, each recognised once and cached."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.model import Word
from pipeline.speech.chunks import Chunks
from pipeline.speech.loops import loops
from pipeline.speech.sift import Segment
from pipeline.speech.windows import Window, halves

if TYPE_CHECKING:
    from pipeline.speech.engines import Engine

_SILENCE = 10 ** (-70 / 20)  # amplitude; a window without a louder sample is digital silence
_LANGUAGE_WINDOWS = 3  # used to detect the language


@dataclass(frozen=True)
class Ears:
    """A backend, and the settings it transcribes with."""

    engine: Engine
    language: str
    prompt: str = ""
    task: str = "transcribe"  # "translate": into English

    def hear(self, window: Window) -> tuple[Segment, ...]:
        """The segments of a window, times in seconds from its start.

        When the result repeats itself, each half of the window is decoded again with `retry`, and the less repetitive result is kept.
        """
        if is_silent(window):
            return ()
        first = self._hear(window)
        if not circles(first):
            return first
        second = tuple(segment for half in halves(window) for segment in moved(self._hear(half, again=True), half.start_s - window.start_s))
        return min(first, second, key=circles)

    def _hear(self, window: Window, again: bool = False) -> tuple[Segment, ...]:
        segments = self.engine.hear(window.samples, self.language, self.prompt, task=self.task, again=again)
        return tuple(_inside(segment, window.length_s) for segment in segments)


def hear_all(windows: Iterable[Window], ears: Ears, chunks: Chunks) -> Iterator[tuple[Window, tuple[Segment, ...]]]:
    """Each window with its segments, times in seconds from the start of the recording, in order.

    `workers` windows are transcribed at once, and as many more are queued.
    """
    waiting: deque[tuple[Window, Future[tuple[Segment, ...]]]] = deque()
    with ThreadPoolExecutor(ears.engine.workers) as pool:
        try:
            for window in windows:
                waiting.append((window, pool.submit(_kept_or_heard, window, ears, chunks)))
                if len(waiting) > 2 * ears.engine.workers:
                    yield _done(*waiting.popleft())
            while waiting:
                yield _done(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def spoken_language(windows: Iterable[Window], engine: Engine) -> tuple[str, float]:
    """The most probable language over the first windows that are not silent, and its probability; `("en", 0.0)` when all are silent."""
    heard = (window for window in windows if not is_silent(window))
    guesses = [engine.languages(window.samples) for window, _ in zip(heard, range(_LANGUAGE_WINDOWS), strict=False)]
    if not guesses:
        return "en", 0.0
    mean = {code: sum(guess.get(code, 0.0) for guess in guesses) / len(guesses) for code in guesses[0]}
    return max(mean.items(), key=lambda item: item[1])


def is_silent(window: Window) -> bool:
    """Whether every sample of a window is below −70 dBFS."""
    return not window.samples.size or float(max(window.samples.max(), -window.samples.min())) < _SILENCE


def circles(segments: tuple[Segment, ...]) -> int:
    """How many words of the segments belong to repetitions."""
    return sum(size * times for _, size, times in loops([word.text for segment in segments for word in segment.words]))


def moved(segments: Iterable[Segment], by_s: float) -> tuple[Segment, ...]:
    """The segments, `offset_s` later."""
    return tuple(replace(part, words=tuple(_later(word, by_s) for word in part.words)) for part in segments)


def _kept_or_heard(window: Window, ears: Ears, chunks: Chunks) -> tuple[Segment, ...]:
    if (kept := chunks.get(window)) is not None:
        return kept
    segments = ears.hear(window)
    chunks.put(window, segments)
    return segments


def _done(window: Window, future: Future[tuple[Segment, ...]]) -> tuple[Window, tuple[Segment, ...]]:
    return window, moved(future.result(), window.start_s)


def _inside(segment: Segment, length_s: float) -> Segment:
    """A segment whose words end within the window: Whisper pads a window with silence, and sometimes places a word there."""
    words = (word._replace(start_s=min(word.start_s or 0.0, length_s), end_s=min(word.end_s or 0.0, length_s)) for word in segment.words)
    return replace(segment, words=tuple(words))


def _later(word: Word, by_s: float) -> Word:
    return word._replace(start_s=(word.start_s or 0.0) + by_s, end_s=(word.end_s or 0.0) + by_s)
