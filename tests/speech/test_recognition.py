"""Windows are transcribed in order, concurrently, again when Whisper repeats itself, and not at all when they are silent."""

import threading
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from pipeline.model.transcript import Word
from pipeline.speech.hallucinations import Segment
from pipeline.speech.recognition import PLAYED_FASTER, Recogniser, detect_language, transcribe_windows
from pipeline.speech.segmentation import Window
from pipeline.speech.voice_activity import FRAME_S
from pipeline.speech.window_cache import WindowCache

RATE_HZ = 1000
NO_CACHE = WindowCache(None, ())


@dataclass
class FakeBackend:
    """A fake backend that returns a given text for each loudness, and records its calls."""

    texts: dict[float, str]
    retry_text: str = "autre chose"
    log_probability: float = -0.1  # of what is not a retry
    spoken: str = "fr"  # where another language is asked for, the segments say so
    workers: int = 1
    name: str = "parrot"
    compute_type: str = "loud"
    calls: list[tuple[float, bool]] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def transcribe(self, samples, language, *, task="transcribe", retry=False):
        loudness = round(float(np.abs(samples).max()), 1)
        with self.lock:
            self.calls.append((loudness, retry))
            self.languages.append(language)
        text = self.retry_text if retry else self.texts[loudness]
        words = tuple(Word(word, float(i), i + 0.5, 0.9) for i, word in enumerate(text.split()))
        return (Segment(words, 0.0, -0.1 if retry else self.log_probability, "" if language == self.spoken else self.spoken),)

    def language_probabilities(self, samples):
        return {"fr": float(np.abs(samples).max()), "en": 0.5}


def voice_from(start_s: float, end_s: float = 20.0):
    """A detector that finds a voice between two times of a window of 20 s."""
    times_s = np.arange(round(20 / FRAME_S)) * FRAME_S
    return lambda samples: ((times_s >= start_s) & (times_s < end_s)).astype(np.float32)


@pytest.fixture(autouse=True)
def voice(monkeypatch):
    """Somebody speaks during the first second: too short for what no word came of to be heard again."""
    monkeypatch.setattr("pipeline.speech.recognition.voice_probabilities", voice_from(0.0, 1.0))


def recording(*loudness: float) -> list[Window]:
    return [Window(20.0 * i, np.full(20 * RATE_HZ, each, np.float32), RATE_HZ) for i, each in enumerate(loudness)]


def transcribed(engine: FakeBackend, windows: list[Window], chunks: WindowCache = NO_CACHE) -> list[str]:
    return [" ".join(part.text for part in heard.segments) for _, heard in transcribe_windows(windows, Recogniser(engine, "fr"), chunks)]


@pytest.mark.parametrize("workers", [1, 3])
def test_windows_come_out_in_order_with_times_of_the_recording(workers):
    engine = FakeBackend({0.1: "un", 0.2: "deux", 0.3: "trois"}, workers=workers)
    found = list(transcribe_windows(recording(0.1, 0.2, 0.3), Recogniser(engine, "fr"), NO_CACHE))
    assert [(window.start_s, heard.segments[0].text, heard.segments[0].start_s) for window, heard in found] == [
        (0.0, "un", 0.0),
        (20.0, "deux", 20.0),
        (40.0, "trois", 40.0),
    ]


def test_silence_is_not_given_to_the_engine():
    engine = FakeBackend({0.1: "un"})
    assert transcribed(engine, recording(0.0, 0.1, 0.0002)) == ["", "un", ""]
    assert len(engine.calls) == 1


def test_a_loop_is_heard_again():
    engine = FakeBackend({0.1: "merci à tous " * 5})
    assert transcribed(engine, recording(0.1)) == ["autre chose"]
    assert [again for _, again in engine.calls] == [False, False, True]  # the second, a little faster


def test_a_second_try_that_loops_as_much_is_not_taken(monkeypatch):
    monkeypatch.setattr("pipeline.speech.recognition.voice_probabilities", voice_from(0.0, 15.0))
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
    ((_, heard),) = transcribe_windows(recording(0.1), Recogniser(engine, "fr"), NO_CACHE)
    assert max(word.end_s for part in heard.segments for word in part.words) <= 20.0


def test_the_language_is_what_most_of_the_first_windows_speak():
    assert detect_language(recording(0.0, 0.9, 0.8, 0.7), FakeBackend({})) == ("fr", pytest.approx(0.8))
    assert detect_language(recording(0.1, 0.2), FakeBackend({})) == ("en", 0.5)
    assert detect_language(recording(0.0), FakeBackend({})) == ("en", 0.0)


def test_a_stretch_of_voice_without_words_is_heard_again(monkeypatch):
    """The engine stops after one word, of half a second; from 5 s on somebody speaks."""
    monkeypatch.setattr("pipeline.speech.recognition.voice_probabilities", voice_from(0.0))
    engine = FakeBackend({0.1: "un"})
    heard = Recogniser(engine, "fr").transcribe(recording(0.1)[0])
    assert [segment.start_s for segment in heard.segments] == [0.0, 0.5]
    assert len(engine.calls) == 2


def test_a_voice_that_stays_without_words_is_told(monkeypatch):
    monkeypatch.setattr("pipeline.speech.recognition.voice_probabilities", voice_from(5.0, 9.0))
    heard = Recogniser(FakeBackend({0.1: ""}), "fr").transcribe(recording(0.1)[0])
    ((start_s, end_s),) = heard.wordless
    assert (start_s, end_s) == (pytest.approx(5, abs=FRAME_S), pytest.approx(9, abs=FRAME_S))
    ((_, placed),) = transcribe_windows([replace(recording(0.1)[0], start_s=100.0)], Recogniser(FakeBackend({0.1: ""}), "fr"), NO_CACHE)
    assert placed.wordless[0][0] == pytest.approx(105, abs=FRAME_S)


def test_a_stretch_without_a_voice_is_left_alone():
    engine = FakeBackend({0.1: "un"})
    heard = Recogniser(engine, "fr").transcribe(recording(0.1)[0])
    assert len(heard.segments) == len(engine.calls) == 1


def test_music_without_a_voice_is_not_given_to_the_engine(monkeypatch):
    monkeypatch.setattr("pipeline.speech.recognition.voice_probabilities", voice_from(21.0))
    engine = FakeBackend({0.1: "Sous-titrage"})
    assert not Recogniser(engine, "fr").transcribe(recording(0.1)[0]).segments
    assert not engine.calls


def test_what_is_improbable_is_heard_again_alone_and_the_likelier_is_kept():
    engine = FakeBackend({0.1: "peut-être"}, log_probability=-1.5)
    assert transcribed(engine, recording(0.1)) == ["autre chose"]
    assert [again for _, again in engine.calls] == [False, False, True]  # the second, a little faster


def test_what_is_said_in_another_language_is_heard_in_it_and_marked(monkeypatch):
    monkeypatch.setattr("pipeline.speech.recognition.voice_probabilities", voice_from(0.0, 3.5))
    engine = FakeBackend({0.1: "bonjour à tous mes amis"}, spoken="en")
    ((_, heard),) = transcribe_windows(recording(0.1), Recogniser(engine, "fr"), NO_CACHE)
    assert [segment.language for segment in heard.segments] == ["en"]
    assert engine.languages == ["fr", "en"]


def test_another_language_in_a_breath_of_voice_is_not_believed():
    engine = FakeBackend({0.1: "bonjour"}, spoken="en")
    ((_, heard),) = transcribe_windows(recording(0.1), Recogniser(engine, "fr"), NO_CACHE)
    assert [segment.language for segment in heard.segments] == [""]
    assert engine.languages == ["fr"]


@dataclass
class TwoHearings:
    """A fake backend that hears one text at the recording's own speed and another one when it is played faster."""

    first: tuple[str, float]  # text, log-probability
    second: tuple[str, float]
    workers: int = 1
    name: str = "parrot"
    compute_type: str = "loud"
    lengths: list[int] = field(default_factory=list)

    def transcribe(self, samples, language, *, task="transcribe", retry=False):
        self.lengths.append(len(samples))
        text, log_probability = self.first if len(samples) == max(self.lengths) else self.second
        return (Segment(tuple(Word(word, float(i), i + 0.5, 0.9) for i, word in enumerate(text.split())), 0.0, log_probability),)


@pytest.mark.parametrize(
    ("first", "second", "kept", "times_heard"),
    [
        (("un deux", -0.2), ("dix", -0.1), "un deux", 1),
        (("un deux", -0.4), ("un trois", -0.35), "un trois", 2),
        (("un deux", -0.4), ("un trois", -0.5), "un deux", 2),
        (("un deux", -0.4), ("un", -0.1), "un deux", 2),
    ],
    ids=["sure", "likelier", "less likely", "fewer words"],
)
def test_what_is_unsure_is_heard_a_little_faster_and_the_likelier_hearing_is_kept(first, second, kept, times_heard):
    engine = TwoHearings(first, second)
    assert transcribed(engine, recording(0.1)) == [kept]
    assert len(engine.lengths) == times_heard


def test_words_that_were_heard_faster_stand_at_the_times_of_the_recording():
    engine = TwoHearings(("un deux", -0.4), ("un trois", -0.1))
    ((_, heard),) = transcribe_windows(recording(0.1), Recogniser(engine, "fr"), NO_CACHE)
    assert heard.segments[0].words[1].start_s == pytest.approx(PLAYED_FASTER)
    assert engine.lengths[0] == pytest.approx(engine.lengths[1] * PLAYED_FASTER, abs=2)
