import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from pipeline.audio.level_profile import LevelMeter
from pipeline.audio.true_peak import KERNEL_REACH, OVERSAMPLING, TruePeakMeter, interpolation_kernel, peak_bounds
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


def test_only_blocks_above_the_floor_need_be_exact():
    """A tone at a quarter of the rate, whose samples miss every peak by 3 dB: soft, middling, loud."""
    amplitude = np.repeat([0.1, 0.3, 0.6], 8000)
    wave = (amplitude * np.sin(np.pi / 2 * np.arange(24_000) + np.pi / 4)).astype(np.float32)[:, None]
    for floor, exact in ((0.05, (True, True, True)), (0.2, (False, True, True)), (0.4, (False, False, True))):
        highest, blocks = found(wave, floor=floor)
        for second, (peak, is_exact) in enumerate(zip((0.1, 0.3, 0.6), exact, strict=True)):
            inner = blocks[200 * second + 10 : 200 * second + 190]
            assert inner == pytest.approx(peak if is_exact else peak * np.sqrt(0.5), rel=0.01), (floor, second)
        assert highest == blocks.max() == pytest.approx(0.6, rel=0.05)


def test_without_a_floor_the_highest_block_alone_is_exact():
    wave = 0.5 * np.sin(np.pi / 2 * np.arange(8000) + np.pi / 4) * np.hanning(8000)
    highest, blocks = found(wave.astype(np.float32)[:, None])
    assert highest == blocks.max() == pytest.approx(0.5, rel=0.01)
    assert np.median(blocks[:80] / found(wave.astype(np.float32)[:, None], floor=0.0)[1][:80]) < 0.8


def test_silence_and_nothing_have_no_peak():
    assert found(np.zeros((8000, 2), np.float32))[0] == 0 and list(found(np.zeros((8000, 2), np.float32))[1]) == [0.0] * 200
    highest, blocks = found(np.zeros((0, 1), np.float32), step=1)
    assert highest == 0 and len(blocks) == 0


def test_a_peak_is_that_of_the_louder_channel_and_of_either_sign():
    for sign in (1, -1):
        sound = np.zeros((8000, 2), np.float32)
        sound[4020, 1] = 0.5 * sign
        highest, blocks = found(sound)
        assert highest == pytest.approx(0.5) and int(blocks.argmax()) == 100


def test_the_bounds_hold_for_the_worst_sound_and_are_reached_by_it():
    kernel = interpolation_kernel()
    assert kernel.sum(axis=0) == pytest.approx(np.ones(OVERSAMPLING), abs=1e-6)
    assert kernel[KERNEL_REACH - 1, 0] == pytest.approx(1, abs=1e-6)
    overshoot, sample_weight, curvature_weight = peak_bounds()
    for seed in range(20):
        samples = np.random.default_rng(seed).uniform(-1, 1, 2 * KERNEL_REACH)
        highest, curvature = np.abs(samples).max(), np.abs(np.diff(samples, 2)).max()
        points = np.abs(samples @ kernel).max()
        assert points <= overshoot * highest and points <= sample_weight * highest + curvature_weight * curvature
    worst = np.sign(kernel[:, int(np.abs(kernel).sum(axis=0).argmax())])
    assert np.abs(worst @ kernel).max() == pytest.approx(overshoot, rel=1e-5)
    smooth = np.linspace(-1, 1, 2 * KERNEL_REACH)  # a line has no curvature: no point is above its samples
    assert 1 <= sample_weight < 1.01 and np.abs(smooth @ kernel).max() <= sample_weight * 1.0
