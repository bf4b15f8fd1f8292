"""Where recordings are cut for Whisper."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.speech.windows import LONGEST_S, SHORTEST_S, cuts

RATE_HZ = 1000


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(int(seconds * RATE_HZ)).astype(np.float32) * 0.1


@settings(max_examples=50)
@given(st.floats(0.1, 200))
def test_windows_cover_the_recording_and_fit_whisper(seconds):
    samples = noise(seconds)
    found = cuts(samples, RATE_HZ)
    lengths = np.diff(found)
    assert (found[0], found[-1]) == (0.0, len(samples) / RATE_HZ)
    assert (lengths <= LONGEST_S + 0.02).all()
    assert (lengths[:-1] >= SHORTEST_S - 0.02).all()


def test_a_window_ends_in_the_pause_that_is_there():
    samples = noise(40)
    samples[20 * RATE_HZ : 21 * RATE_HZ] *= 0.01
    assert 20 <= cuts(samples, RATE_HZ)[1] <= 21


def test_digital_silence_is_cut_somewhere():
    assert len(cuts(np.zeros(60 * RATE_HZ, dtype=np.float32), RATE_HZ)) > 3
