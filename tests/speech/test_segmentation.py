"""How recordings are split into windows for Whisper."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.speech.segmentation import MAX_WINDOW_S, MIN_WINDOW_S, Window, split_windows
from pipeline.speech.voice_activity import FRAME_S

RATE_HZ = 1000


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ)).astype(np.float32) * 0.1


def cut(samples: np.ndarray, block: int = 10 * RATE_HZ) -> list[Window]:
    return list(split_windows((samples[i : i + block] for i in range(0, len(samples), block)), RATE_HZ, lambda _: np.zeros(0, np.float32)))


@settings(max_examples=50)
@given(st.floats(0.0, 400), st.integers(500, 70_000))
def test_windows_cover_the_recording_and_fit_whisper(seconds, block):
    samples = noise(seconds)
    found = cut(samples, block)
    assert np.array_equal(np.concatenate([np.zeros(0, np.float32), *(window.samples for window in found)]), samples)
    assert all(abs(before.end_s - after.start_s) < 1e-9 for before, after in itertools.pairwise(found))
    assert all(window.length_s <= MAX_WINDOW_S for window in found)
    assert all(window.length_s >= MIN_WINDOW_S for window in found[:-1])


@given(st.integers(500, 70_000))
@settings(max_examples=20)
def test_how_the_sound_arrives_does_not_matter(block):
    samples = noise(200)
    assert [window.start_s for window in cut(samples, block)] == [window.start_s for window in cut(samples)]


def test_a_window_ends_in_the_pause_that_is_there():
    samples = noise(90)
    samples[50 * RATE_HZ : 51 * RATE_HZ] *= 0.01
    assert 50 <= cut(samples)[0].end_s <= 51


def test_over_music_a_window_ends_where_nobody_speaks():
    """The level is the same everywhere; between 45 and 46 s there is no voice."""

    def voice(samples: np.ndarray) -> np.ndarray:
        times_s = MIN_WINDOW_S + np.arange(len(samples) / RATE_HZ / FRAME_S) * FRAME_S
        return np.where((times_s >= 45) & (times_s < 46), 0.0, 1.0).astype(np.float32)

    found = list(split_windows([noise(90)], RATE_HZ, voice))
    assert 44.9 <= found[0].end_s <= 46.1


def test_digital_silence_is_cut_somewhere():
    assert len(cut(np.zeros(150 * RATE_HZ, dtype=np.float32))) > 2


def test_after_a_passage_was_taken_out_the_windows_are_soon_what_they_were():
    samples = noise(1200)
    before, after = ({window.samples.tobytes() for window in cut(part)} for part in (samples, samples[int(33.21 * RATE_HZ) :]))
    assert len(after - before) <= 5
