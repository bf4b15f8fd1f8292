"""How recordings are split into windows for Whisper."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.speech.segmentation import MAX_WINDOW_S, MIN_WINDOW_S, Window, halve_window, split_windows

RATE_HZ = 1000


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ)).astype(np.float32) * 0.1


def cut(samples: np.ndarray, block: int = 10 * RATE_HZ) -> list[Window]:
    return list(split_windows((samples[i : i + block] for i in range(0, len(samples), block)), RATE_HZ))


@settings(max_examples=50)
@given(st.floats(0.0, 200), st.integers(500, 70_000))
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
    samples = noise(90)
    assert [window.start_s for window in cut(samples, block)] == [window.start_s for window in cut(samples)]


def test_a_window_ends_in_the_pause_that_is_there():
    samples = noise(40)
    samples[20 * RATE_HZ : 21 * RATE_HZ] *= 0.01
    assert 20 <= cut(samples)[0].end_s <= 21


def test_digital_silence_is_cut_somewhere():
    assert len(cut(np.zeros(60 * RATE_HZ, dtype=np.float32))) > 2


def test_after_a_passage_was_taken_out_the_windows_are_soon_what_they_were():
    samples = noise(600)
    before, after = ({window.samples.tobytes() for window in cut(part)} for part in (samples, samples[int(33.21 * RATE_HZ) :]))
    assert len(after - before) <= 5


def test_a_window_is_halved_in_its_quietest_moment():
    samples = noise(20)
    samples[12 * RATE_HZ : 13 * RATE_HZ] *= 0.01
    first, second = halve_window(Window(100.0, samples, RATE_HZ))
    assert 112 <= first.end_s == second.start_s <= 113
    assert len(first.samples) + len(second.samples) == len(samples)
