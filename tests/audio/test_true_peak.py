import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from pipeline.audio.level_profile import LevelMeter
from pipeline.audio.true_peak import TruePeakMeter
from tests.support.audio_tools import speech_like_noise


def found(frames, rate_hz=8000, floor=float("inf"), step=None):
    """Peaks of frames fed `step` at a time."""
    peaks = TruePeakMeter(rate_hz, frames.shape[1], floor)
    for first in range(0, len(frames), step or len(frames)):
        peaks.feed(frames[first : first + (step or len(frames))])
    blocks = peaks.peaks()
    return peaks.highest, blocks


def noise(seed, count, channels=1, gusts=True):
    random = np.random.default_rng(seed)
    swell = np.abs(np.sin(np.arange(count) / 700 + seed)) ** 3 if gusts else 1
    return (random.standard_normal((count, channels)) * 0.2 * np.reshape(swell, (-1, 1))).astype(np.float32)


@pytest.mark.parametrize("hz", [997, 5000, 11_025, 16_000])
def test_a_tone_peaks_where_its_wave_does(hz):
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(44_100) / 44_100 + np.pi / 4) * np.hanning(44_100)
    assert 20 * np.log10(found(wave.astype(np.float32)[:, None], 44_100)[0]) == pytest.approx(-6.02, abs=0.1)


@pytest.mark.parametrize("sound", [speech_like_noise(2, -20)[:, None], noise(3, 88_200, 2, gusts=False)], ids=["speech", "noise"])
def test_another_meter_reads_the_same(sound):
    highest, _ = found(sound.astype(np.float32), 44_100)
    assert 20 * np.log10(highest / np.abs(resample_poly(sound, 8, 1, axis=0)).max()) == pytest.approx(0, abs=0.05)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 20_000), st.integers(1, 2))
def test_what_is_skipped_could_not_matter(seed, count, channels):
    sound = noise(seed, count, channels)
    complete, everywhere = found(sound, floor=0.0)
    assert found(sound)[0] == pytest.approx(complete)
    floor = 0.3 * complete
    blocks = found(sound, floor=floor)[1]
    assert blocks[everywhere > floor] == pytest.approx(everywhere[everywhere > floor])
    assert everywhere.max() == pytest.approx(complete)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(500, 30_000), st.integers(300, 9000))
def test_it_does_not_matter_in_what_pieces_it_comes(seed, count, step):
    sound = noise(seed, count)
    assert found(sound, step=step, floor=0.1)[1] == pytest.approx(found(sound, floor=0.1)[1])


@pytest.mark.parametrize("more", [-44_099, 0, 3, 12_345])
def test_blocks_are_those_of_a_profile(more):
    sound = noise(1, 44_100 + more, 2)
    profiler = LevelMeter(44_100, 2)
    profiler.feed(sound)
    peaks = profiler.profile(np.zeros(0, np.float32)).peaks
    blocks = found(sound, 44_100)[1]
    assert len(blocks) == len(peaks) and (blocks >= peaks).all()
