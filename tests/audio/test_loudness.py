from pathlib import Path

import numpy as np
import pyloudnorm
import pytest

from pipeline.audio.level_profile import LevelProfile
from pipeline.audio.loudness import Loudness, loudness_from_profile, measure_loudness, measure_profile
from pipeline.model.errors import CauserieError
from tests.support.audio_tools import convert, read_samples, silence, speech_like_noise, write


@pytest.fixture(scope="module")
def stereo(tmp_path_factory):
    left, right = speech_like_noise(4, -20, seed=1), speech_like_noise(4, -30, seed=2)
    return write(tmp_path_factory.mktemp("measure") / "stereo.wav", np.column_stack([left, right]))


def test_loudness_is_what_another_meter_says(stereo):
    samples, rate_hz = read_samples(stereo)
    assert measure_loudness(stereo).integrated_lufs == pytest.approx(pyloudnorm.Meter(rate_hz).integrated_loudness(samples), abs=0.15)


def test_mono_is_measured_as_two_loudspeakers_play_it(tmp_path):
    mono = write(tmp_path / "mono.wav", speech_like_noise(3))
    samples, rate_hz = read_samples(mono)
    as_heard = pyloudnorm.Meter(rate_hz).integrated_loudness(np.repeat(samples, 2, axis=1))
    assert measure_loudness(mono).integrated_lufs == pytest.approx(as_heard, abs=0.15)


def test_a_peak_between_samples_is_found(tmp_path):
    turns = 2 * np.pi * np.arange(44_100) / 4 + np.pi / 4  # every sample at 0.707 of the peak
    found = measure_loudness(write(tmp_path / "between.wav", 0.5 * np.sin(turns) * np.hanning(len(turns))))
    assert found.true_peak_dbtp == pytest.approx(-6.0, abs=0.2)


def test_the_true_peak_is_among_the_peaks_of_the_profile(stereo):
    profile, found = measure_profile(stereo), measure_loudness(stereo)
    assert 20 * np.log10(profile.peak) == pytest.approx(found.true_peak_dbtp, abs=0.01)
    assert found.duration_s == profile.duration_s == 4.0


@pytest.mark.parametrize("form", ["mp3", "m4a", "opus"])
def test_a_lossy_file_lasts_what_its_source_lasts(stereo, tmp_path, form):
    assert measure_loudness(convert(stereo, tmp_path / f"a.{form}")).duration_s == pytest.approx(4.0, abs=0.002)


def test_silence_and_too_short_files_are_told_so(tmp_path):
    with pytest.raises(CauserieError, match="only silence"):
        measure_loudness(write(tmp_path / "silent.wav", silence(2)))
    with pytest.raises(CauserieError, match="too short"):
        measure_loudness(write(tmp_path / "short.wav", speech_like_noise(0.3)))


def profile(peak=0.5, samples=480_123, lufs=(-20.0,) * 100):
    """A profile made by hand, at 48 kHz."""
    peaks = np.array([peak / 2, peak, 0.0], np.float32)
    return LevelProfile(48_000, samples, np.zeros(0, np.float32), peaks, np.array(lufs, np.float32))


def test_the_figures_of_a_profile_are_rounded_to_hundredths():
    lufs = (-31.237,) * 50 + (-20.111,) * 50
    found = loudness_from_profile(Path("a.wav"), profile(lufs=lufs))
    assert found == Loudness(integrated_lufs=-22.68, true_peak_dbtp=-6.02, range_lu=found.range_lu, duration_s=10.002562)
    assert 8 < found.range_lu <= 11.13 and found.range_lu == round(found.range_lu, 2)


@pytest.mark.parametrize(("peak", "peak_dbtp"), [(1.0, 0.0), (2.0, 6.02), (1e-5, -100.0), (1e-6, -120.0), (1e-8, -120.0), (0.0, -120.0)])
def test_a_peak_is_in_decibels_and_never_below_digital_silence(peak, peak_dbtp):
    assert loudness_from_profile(Path("a.wav"), profile(peak)).true_peak_dbtp == pytest.approx(peak_dbtp, abs=0.01)


def test_an_even_sound_has_no_range_and_a_soft_and_a_loud_half_have_their_difference():
    even, uneven = ((-20.0,) * 300, (-30.0,) * 300 + (-20.0,) * 300)
    assert [loudness_from_profile(Path("a.wav"), profile(lufs=lufs)).range_lu for lufs in (even, uneven)] == [0.0, 10.0]


def test_four_tenths_of_a_second_can_be_measured_and_less_cannot():
    assert loudness_from_profile(Path("a.wav"), profile(samples=19_200)).duration_s == 0.4
    said = r"^a\.wav: lasts 0\.39 s, too short to measure its loudness; use a recording of 0\.4 s or more$"
    with pytest.raises(CauserieError, match=said):
        loudness_from_profile(Path("a.wav"), profile(samples=18_720))
    with pytest.raises(CauserieError, match="too short"):
        loudness_from_profile(Path("a.wav"), profile(samples=19_199))


@pytest.mark.parametrize("lufs", [-70.0, -100.0])
def test_what_never_passes_the_gate_is_silence(lufs):
    with pytest.raises(CauserieError, match=r"^a\.wav: holds only silence; check the microphone, or use another recording$"):
        loudness_from_profile(Path("a.wav"), profile(lufs=(lufs,) * 100))
    assert loudness_from_profile(Path("a.wav"), profile(lufs=(-69.9,) * 100)).integrated_lufs == -69.9


def test_blocks_above_the_floor_hold_their_true_peak_and_progress_is_told(tmp_path):
    turns = 2 * np.pi * np.arange(44_100 * 2) / 4 + np.pi / 4  # every sample at 0.707 of the peak
    path = write(tmp_path / "between.wav", np.where(np.arange(len(turns)) < 44_100, 0.25, 0.5) * np.sin(turns))
    done_s = []
    everywhere, highest_only = measure_profile(path, 0.1, done_s.append).peaks, measure_profile(path).peaks
    assert np.median(everywhere[20:180]) == pytest.approx(0.25, rel=0.01)
    assert np.median(highest_only[20:180]) == pytest.approx(0.25 * np.sqrt(0.5), rel=0.01)
    assert everywhere.max() == pytest.approx(highest_only.max()) == pytest.approx(0.5, rel=0.06)
    assert done_s == sorted(done_s) and done_s[-1] == pytest.approx(2, abs=0.5)
