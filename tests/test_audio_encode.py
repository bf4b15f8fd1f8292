import json

import mutagen.mp3
import mutagen.oggopus
import numpy as np
import pyloudnorm
import pytest
from audio_tools import RATE_HZ, convert, decoded, lag, rms_db, speech, write
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

from pipeline.audio.encode import Level, encode, encode_light, first_level, next_level
from pipeline.audio.measure import Loudness, loudness_of, measure
from pipeline.errors import CauserieError

DB = st.floats(-40, 0)


def lufs(path):
    """Loudness by another meter, of another decoder's samples, as two loudspeakers play them."""
    samples, rate_hz = decoded(path)
    return pyloudnorm.Meter(rate_hz).integrated_loudness(samples if samples.shape[1] == 2 else np.repeat(samples, 2, axis=1))


def true_peak_db(path):
    """Peak at eight times the rate."""
    return 20 * np.log10(np.abs(resample_poly(decoded(path)[0], 8, 1, axis=0)).max())


def encoded(folder, samples, *, light=False, name="a", target_lufs=-16.0, ceiling_dbtp=-1.0, kbps=128):
    """An encoded file made from samples, and its report."""
    master = convert(write(folder / "raw.wav", samples), folder / "master.flac")
    loudness, audio, report = folder / "loudness.json", folder / name, folder / "report.json"
    measure(master, loudness=loudness)
    if light:
        encode_light(master, loudness, audio=audio, target_lufs=target_lufs, ceiling_dbtp=ceiling_dbtp, kbps=kbps)
        return audio, {}
    encode(master, loudness, audio=audio, report=report, target_lufs=target_lufs, ceiling_dbtp=ceiling_dbtp, kbps=kbps)
    return audio, json.loads(report.read_text())


QUIET = np.concatenate([speech(2, -34, seed=3), speech(2, -40, seed=4)])
PEAKY = np.concatenate([speech(4, -24, seed=3), [0.97, -0.97, 0.97], speech(1, -24)])


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quiet")
    return encoded(folder, np.column_stack([QUIET, QUIET]), target_lufs=-20.0)


def test_the_mp3_is_as_loud_as_asked(quiet):
    audio, report = quiet
    assert lufs(audio) == pytest.approx(-20, abs=0.4)
    assert report["integrated_lufs"] == pytest.approx(lufs(audio), abs=0.2)  # what is reported is measured on that very file
    assert report["target_lufs"] == -20.0 and report["ceiling_dbtp"] == -1.0


def test_without_need_there_is_a_gain_and_nothing_else(quiet):
    audio, report = quiet
    samples = decoded(audio)[0][:, 0]
    assert report["limited"] is False
    loud, soft = slice(0, 2 * RATE_HZ), slice(2 * RATE_HZ, 4 * RATE_HZ)
    assert rms_db(samples[loud]) - rms_db(samples[soft]) == pytest.approx(rms_db(QUIET[loud]) - rms_db(QUIET[soft]), abs=0.1)
    assert rms_db(samples) - rms_db(QUIET) == pytest.approx(report["gain_db"], abs=0.6)  # the encoder drops the highest of this noise


def test_the_mp3_seeks_exactly_and_carries_no_tag(quiet):
    content, info = quiet[0].read_bytes(), mutagen.mp3.MP3(quiet[0]).info
    assert content[0] == 0xFF and b"Info" in content[:64] and b"Xing" not in content[:64]
    assert b"TAG" not in content[-128:] and b"ID3" not in content[:4096]
    assert info.bitrate_mode == mutagen.mp3.BitrateMode.CBR and round(info.bitrate, -3) == 128_000
    assert (info.sample_rate, info.channels) == (RATE_HZ, 2)


@pytest.mark.parametrize("samples", [QUIET, PEAKY], ids=["gain", "limiter"])
def test_time_is_not_shifted(tmp_path, samples):
    audio, report = encoded(tmp_path, samples, target_lufs=-18.0)
    after = decoded(audio)[0][:, 0]
    assert lag(samples, after) == 0
    assert report["duration_s"] == pytest.approx(len(samples) / RATE_HZ, abs=0.002)


def test_peaks_are_held_and_loudness_is_kept(tmp_path):
    audio, report = encoded(tmp_path, PEAKY, target_lufs=-14.0)
    assert report["limited"] is True
    assert true_peak_db(audio) <= -0.9 and report["true_peak_dbtp"] <= -1.0
    assert lufs(audio) == pytest.approx(-14, abs=0.4)


def test_the_same_master_gives_the_same_bytes(quiet, tmp_path):
    again, _ = encoded(tmp_path, np.column_stack([QUIET, QUIET]), target_lufs=-20.0)
    assert again.read_bytes() == quiet[0].read_bytes()


def test_the_light_version_is_small_mono_and_as_loud(tmp_path):
    wide = np.column_stack([speech(4, -30, seed=7), speech(4, -30, seed=8)])  # nothing in common: mixing down loses 3 dB
    audio, _ = encoded(tmp_path, wide, light=True, kbps=24)
    assert lufs(audio) == pytest.approx(-16, abs=0.4)
    assert true_peak_db(audio) <= -0.9
    info = mutagen.oggopus.OggOpus(audio)
    assert info.tags.keys() == ["encoder"] and info.info.length == pytest.approx(4.0, abs=0.01)
    assert decoded(audio)[0].shape[1] == 1 and audio.stat().st_size < 20_000
    first = audio.read_bytes()
    assert encoded(tmp_path, wide, light=True, kbps=24, name="b")[0].read_bytes() == first


def test_what_cannot_be_reached_is_told_with_figures(tmp_path):
    with pytest.raises(CauserieError, match=r"measures -\d+\.\d LUFS and -\d+\.\d dBTP .* -5 LUFS under -12 dBTP"):
        encoded(tmp_path, speech(1), target_lufs=-5.0, ceiling_dbtp=-12.0)


@given(DB, DB)
def test_the_limiter_is_there_only_when_the_gain_needs_it(integrated, peak):
    level = first_level(Loudness(integrated, peak, 0, 1), -16.0, -1.0, 0.5)
    assert level.gain_db == -16.0 - integrated
    assert (level.limit_dbtp is not None) == (peak + level.gain_db > -1.0)


@given(DB, st.floats(-6, 3), st.sampled_from([None, -1.5, -3.0]))
def test_a_second_attempt_moves_towards_the_target(integrated, peak, limit):
    level = next_level(Level(2.0, limit), Loudness(integrated, peak, 0, 1), -16.0, -1.0, 0.5)
    assert level.gain_db == pytest.approx(2.0 - 16.0 - integrated)
    if peak <= -1.0:
        assert level.limit_dbtp == limit
    else:
        assert level.limit_dbtp is not None and level.limit_dbtp <= (-1.5 if limit is None else limit)


def test_every_other_file_is_measured_the_same_way(quiet):
    assert loudness_of(quiet[0]).integrated_lufs == quiet[1]["integrated_lufs"]
