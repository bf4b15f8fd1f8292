import numpy as np
import pyloudnorm
import pytest

from pipeline.audio.loudness import measure_loudness, measure_profile
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
    assert found.duration_s == profile.duration_s == 4.0 and found.range_lu >= 0


@pytest.mark.parametrize("form", ["mp3", "m4a", "opus"])
def test_a_lossy_file_lasts_what_its_source_lasts(stereo, tmp_path, form):
    assert measure_loudness(convert(stereo, tmp_path / f"a.{form}")).duration_s == pytest.approx(4.0, abs=0.002)


def test_silence_and_too_short_files_are_told_so(tmp_path):
    with pytest.raises(CauserieError, match="only silence"):
        measure_loudness(write(tmp_path / "silent.wav", silence(2)))
    with pytest.raises(CauserieError, match="too short"):
        measure_loudness(write(tmp_path / "short.wav", speech_like_noise(0.3)))
