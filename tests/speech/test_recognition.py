"""Windows are transcribed in order, concurrently, again when Whisper repeats itself, and not at all when they are silent."""

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest

from pipeline.model.transcript import Word
from pipeline.speech.hallucinations import Segment
from pipeline.speech.recognition import Recogniser, detect_language, transcribe_windows
from pipeline.speech.repetitions import find_repetitions
from pipeline.speech.segmentation import Window
from pipeline.speech.window_cache import WindowCache

RATE_HZ = 1000
NO_CACHE = WindowCache(None, ())


@dataclass
class FakeBackend:
    """A fake backend that returns a given text for each loudness, and records its calls."""

    texts: dict[float, str]
    retry_text: str = "enfin autre chose"
    workers: int = 1
    name: str = "parrot"
    compute_type: str = "loud"
    calls: list[tuple[float, bool]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def transcribe(self, samples, language, *, task="transcribe", retry=False):
        loudness = round(float(np.abs(samples).max()), 1)
        with self.lock:
            self.calls.append((loudness, retry))
        text = self.retry_text if retry else self.texts[loudness]
        return (Segment(tuple(Word(word, float(i), i + 0.5, 0.9) for i, word in enumerate(text.split())), 0.0, -0.1),)

    def language_probabilities(self, samples):
        return {"fr": float(np.abs(samples).max()), "en": 0.5}


def recording(*loudness: float) -> list[Window]:
    return [Window(20.0 * i, np.full(20 * RATE_HZ, each, np.float32), RATE_HZ) for i, each in enumerate(loudness)]


def transcribed(engine: FakeBackend, windows: list[Window], chunks: WindowCache = NO_CACHE) -> list[str]:
    return [" ".join(part.text for part in parts) for _, parts in transcribe_windows(windows, Recogniser(engine, "fr"), chunks)]


@pytest.mark.parametrize("workers", [1, 3])
def test_windows_come_out_in_order_with_times_of_the_recording(workers):
    engine = FakeBackend({0.1: "un", 0.2: "deux", 0.3: "trois"}, workers=workers)
    found = list(transcribe_windows(recording(0.1, 0.2, 0.3), Recogniser(engine, "fr"), NO_CACHE))
    assert [(window.start_s, parts[0].text, parts[0].words[0].start_s) for window, parts in found] == [
        (0.0, "un", 0.0),
        (20.0, "deux", 20.0),
        (40.0, "trois", 40.0),
    ]


def test_silence_is_not_given_to_the_engine():
    engine = FakeBackend({0.1: "un"})
    assert transcribed(engine, recording(0.0, 0.1, 0.0002)) == ["", "un", ""]
    assert len(engine.calls) == 1


def test_a_loop_is_heard_again_in_halves():
    engine = FakeBackend({0.1: "merci à tous " * 5})
    assert transcribed(engine, recording(0.1)) == ["enfin autre chose enfin autre chose"]
    assert [again for _, again in engine.calls] == [False, True, True]


def test_a_second_try_that_loops_as_much_is_not_taken():
    engine = FakeBackend({0.1: "merci à tous " * 5}, retry_text="je vous remercie " * 5)
    assert transcribed(engine, recording(0.1)) == [("merci à tous " * 5).strip()]


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path):
    windows = recording(*(n / 10 for n in range(1, 10)))
    engine = FakeBackend({n / 10: str(n) for n in range(1, 10)})
    first = transcribe_windows(windows, Recogniser(engine, "fr"), WindowCache(tmp_path, ()))
    for _ in range(6):
        next(first)
    first.close()
    before = len(engine.calls)
    assert transcribed(engine, windows, WindowCache(tmp_path, ())) == [str(n) for n in range(1, 10)]
    assert before >= 6
    assert len(engine.calls) <= 10  # at most one window was transcribed twice


def test_what_an_engine_cannot_hear_stops_the_rest():
    with pytest.raises(KeyError):
        transcribed(FakeBackend({0.1: "un"}, workers=2), recording(0.1, 0.5, 0.1, 0.1))


def test_words_after_the_end_of_a_window_are_brought_back_into_it():
    engine = FakeBackend({0.1: " ".join(f"w{i}" for i in range(30))})
    words = [
        word for _, parts in transcribe_windows(recording(0.1), Recogniser(engine, "fr"), NO_CACHE) for part in parts for word in part.words
    ]
    assert max(word.end_s for word in words) == 20.0


def test_the_language_is_what_most_of_the_first_windows_speak():
    assert detect_language(recording(0.0, 0.9, 0.8, 0.7), FakeBackend({})) == ("fr", pytest.approx(0.8))
    assert detect_language(recording(0.1, 0.2), FakeBackend({})) == ("en", 0.5)
    assert detect_language(recording(0.0), FakeBackend({})) == ("en", 0.0)


@pytest.mark.parametrize(
    ("text", "found"),
    [("non " * 7, 0), ("non " * 8, 1), ("on y va " * 3, 0), ("on y va " * 4, 1), ("Merci, à tous. merci à tous " * 2, 1), ("", 0)],
)
def test_insistence_is_no_loop(text, found):
    assert len(list(find_repetitions(text.split()))) == found


def test_a_stretch_of_voice_without_words_is_heard_again(monkeypatch):
    """The engine stops after one word, of half a second; from 5 s on somebody speaks."""
    monkeypatch.setattr("pipeline.speech.recognition.detect_voice_frames", lambda samples, rate_hz: np.arange(400) >= 100)
    engine = FakeBackend({0.1: "un"})
    (window,) = recording(0.1)
    heard = Recogniser(engine, "fr").transcribe(window)
    assert [segment.words[0].start_s for segment in heard] == [0.0, 0.5]
    assert len(engine.calls) == 2


def test_a_stretch_without_a_voice_is_left_alone(monkeypatch):
    monkeypatch.setattr("pipeline.speech.recognition.detect_voice_frames", lambda samples, rate_hz: np.zeros(400, bool))
    engine = FakeBackend({0.1: "un"})
    assert len(Recogniser(engine, "fr").transcribe(recording(0.1)[0])) == len(engine.calls) == 1
