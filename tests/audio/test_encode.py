import json
from dataclasses import replace
from pathlib import Path

import mutagen.mp3
import mutagen.mp4
import mutagen.oggopus
import numpy as np
import pyloudnorm
import pytest
from scipy.signal import resample_poly

from pipeline.audio import encode as encoding
from pipeline.audio import parallel_encode
from pipeline.audio.encode import cut_clip, encode_m4a, encode_mp3, encode_opus, is_on_target
from pipeline.audio.level_profile import load_profile, save_profiles
from pipeline.audio.loudness import measure_loudness, measure_profile
from pipeline.model.errors import CauserieError
from tests.support.audio_tools import RATE_HZ, convert, lag_samples, read_samples, rms_db, speech_like_noise, write

pytestmark = pytest.mark.slow


def lufs(path):
    """Measure loudness with another meter and another decoder, as played on two loudspeakers."""
    samples, rate_hz = read_samples(path)
    return pyloudnorm.Meter(rate_hz).integrated_loudness(samples if samples.shape[1] == 2 else np.repeat(samples, 2, axis=1))


def true_peak_db(path):
    """Peak at eight times the rate."""
    return 20 * np.log10(np.abs(resample_poly(read_samples(path)[0], 8, 1, axis=0)).max())


def encoded(folder, samples, *, step=encode_mp3, name="a", target_lufs=-16.0, ceiling_dbtp=-1.0, kbps=128, rate_hz=RATE_HZ):
    """An encoded file made from samples, and its report."""
    master = convert(write(folder / "raw.wav", samples, rate_hz=rate_hz), folder / "master.flac")
    levels, audio, report = folder / "levels.npz", folder / name, folder / "report.json"
    save_profiles(levels, master=measure_profile(master, 0.25))
    asked = {"audio": audio, "target_lufs": target_lufs, "ceiling_dbtp": ceiling_dbtp, "kbps": kbps}
    if step is not encode_mp3:
        step(master, levels, **asked)
        return audio, {}
    encode_mp3(master, levels, report=report, curve=folder / "published.npz", **asked)
    return audio, json.loads(report.read_text())


QUIET = np.concatenate([speech_like_noise(2, -34, seed=3), speech_like_noise(2, -40, seed=4)])
PEAKY = np.concatenate([speech_like_noise(4, -24, seed=3), [0.97, -0.97, 0.97], speech_like_noise(1, -24)])


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
    samples = read_samples(audio)[0][:, 0]
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
    after = read_samples(audio)[0][:, 0]
    assert lag_samples(samples, after) == 0
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
    wide = np.column_stack(
        [speech_like_noise(4, -30, seed=7), speech_like_noise(4, -30, seed=8)]
    )  # nothing in common: mixing down loses 3 dB
    audio, _ = encoded(tmp_path, wide, step=encode_opus, kbps=24)
    assert lufs(audio) == pytest.approx(-16, abs=0.4)
    assert true_peak_db(audio) <= -0.9
    info = mutagen.oggopus.OggOpus(audio)
    assert info.tags.keys() == ["encoder"] and info.info.length == pytest.approx(4.0, abs=0.01)
    assert read_samples(audio)[0].shape[1] == 1 and audio.stat().st_size < 20_000
    first = audio.read_bytes()
    assert encoded(tmp_path, wide, step=encode_opus, kbps=24, name="b")[0].read_bytes() == first


def test_what_cannot_be_reached_is_told_with_figures(tmp_path):
    with pytest.raises(CauserieError, match=r"measures -\d+\.\d\d LUFS and -\d+\.\d\d dBTP .* -5 LUFS and at most -12 dBTP"):
        encoded(tmp_path, speech_like_noise(1), target_lufs=-5.0, ceiling_dbtp=-12.0)


@pytest.mark.parametrize("samples", [QUIET, np.column_stack([PEAKY, -PEAKY])], ids=["mono", "out of phase"])
def test_a_mono_mix_is_never_silence(tmp_path, samples):
    assert lufs(encoded(tmp_path, samples, step=encode_opus, kbps=24)[0]) == pytest.approx(-16, abs=0.4)


def test_m4a_is_aac_as_loud_that_plays_before_it_is_all_there(tmp_path):
    audio, _ = encoded(tmp_path, np.column_stack([PEAKY, 0.3 * PEAKY]), step=encode_m4a, name="a.m4a", kbps=96)
    found, content = measure_loudness(audio), audio.read_bytes()
    assert found.integrated_lufs == pytest.approx(-16, abs=0.3) and found.true_peak_dbtp <= -1.0
    assert found.duration_s == pytest.approx(len(PEAKY) / RATE_HZ, abs=0.001)
    assert content.index(b"moov") < content.index(b"mdat") and b"M4A " in content[:32]
    assert mutagen.mp4.MP4(audio).info.codec == "mp4a.40.2"


@pytest.fixture(scope="module")
def in_parts(tmp_path_factory):
    """Twelve seconds in three parts, and in one."""
    folder, usual = tmp_path_factory.mktemp("parts"), parallel_encode.SEGMENT_S
    samples = np.column_stack([np.concatenate([speech_like_noise(8, -30, seed=5), speech_like_noise(4, -24, seed=6)])] * 2)
    whole = encoded(folder, samples, name="whole")[0]
    parallel_encode.SEGMENT_S = 4.5
    yield samples, whole, *encoded(folder, samples, name="joined")
    parallel_encode.SEGMENT_S = usual


def test_parts_sound_like_one_piece(in_parts):
    samples, whole, audio, report = in_parts
    one, three = read_samples(whole)[0], read_samples(audio)[0]
    assert len(one) == len(three) == len(samples) and lag_samples(one[:, 0], three[:, 0]) == 0
    gain = 10 ** (report["gain_db"] / 20)
    assert rms_db(three - samples * gain) <= rms_db(one - samples * gain) + 0.2
    assert mutagen.mp3.MP3(audio).info.length == pytest.approx(12.0, abs=1e-4)


def test_parts_that_do_not_fit_are_given_up_for_one_piece(in_parts, tmp_path, monkeypatch):
    samples, whole, *_ = in_parts
    monkeypatch.setattr(parallel_encode.mp3, "find_splice_frame", lambda old, new, ahead: None)
    assert encoded(tmp_path, samples)[0].read_bytes() == whole.read_bytes()


def test_what_reports_read_is_the_published_file(in_parts):
    _, _, audio, report = in_parts
    curve = load_profile(audio.parent / "published.npz", "published")
    assert curve.integrated_lufs == pytest.approx(measure_loudness(audio).integrated_lufs, abs=0.01)
    assert 20 * np.log10(curve.peak) == pytest.approx(report["true_peak_dbtp"], abs=0.01)
    assert (curve.samples, report["duration_s"]) == (12 * RATE_HZ, 12.0)


def test_a_part_that_comes_out_over_is_made_again_alone(tmp_path, monkeypatch):
    made, pour, lame = [], parallel_encode.stream_samples, encoding._mp3_codec
    monkeypatch.setattr(parallel_encode, "stream_samples", lambda source, span, *rest: (made.append(span.first), pour(source, span, *rest)))
    monkeypatch.setattr(parallel_encode, "SEGMENT_S", 3.0)
    monkeypatch.setattr(encoding, "_mp3_codec", lambda kbps: replace(lame(kbps), headroom_db=-1.0))  # too much is let through at first
    spiky = speech_like_noise(8, -24, seed=6)
    spiky[RATE_HZ : RATE_HZ + 400] += 0.8 * np.sin(np.arange(400) / 8) * np.hanning(400)
    audio, report = encoded(tmp_path, spiky, target_lufs=-17.0)
    assert report["attempts"] == 2 and sorted(made) == [0, 0, *sorted(made)[2:]] and len(made) == len(set(made)) + 1
    assert true_peak_db(audio) <= -1.0 and report["limited"] and report["softer"]


def test_a_clip_is_what_was_published_to_the_sample(tmp_path):
    audio, _ = encoded(tmp_path, np.column_stack([PEAKY, 0.5 * PEAKY]), target_lufs=-14.0, kbps=192)
    clip = tmp_path / "clip.mp3"
    cut_clip(tmp_path / "master.flac", tmp_path / "levels.npz", tmp_path / "report.json", clip=clip, start_s=2.3456, end_s=4.5, kbps=192)
    whole, piece = read_samples(audio)[0][:, 0], read_samples(clip)[0][:, 0]
    first = round(2.3456 * RATE_HZ)
    assert len(piece) == round((4.5 - 2.3456) * RATE_HZ)
    there = whole[first : first + len(piece)]
    assert lag_samples(there, piece) == 0
    assert rms_db((piece - there)[1000:-1000]) < rms_db(there) - 15
    assert abs(piece[0]) < 0.02 and abs(piece[-1]) < 0.02


def test_a_master_that_lost_its_end_is_told(tmp_path):
    encoded(tmp_path, QUIET, target_lufs=-20.0)
    convert(write(tmp_path / "raw.wav", QUIET[:RATE_HZ]), tmp_path / "master.flac")
    asked = {"audio": tmp_path / "a", "target_lufs": -20.0, "ceiling_dbtp": -1.0, "kbps": 64}
    with pytest.raises(CauserieError, match=r"master\.flac: ends after 1\.0 s"):
        encode_mp3(tmp_path / "master.flac", tmp_path / "levels.npz", report=tmp_path / "r", curve=tmp_path / "c", **asked)


def test_a_clip_of_nothing_is_told(tmp_path):
    encoded(tmp_path, QUIET, target_lufs=-20.0)
    with pytest.raises(CauserieError, match="no sound from 9 s"):
        cut_clip(
            tmp_path / "master.flac", tmp_path / "levels.npz", tmp_path / "report.json", clip=tmp_path / "c", start_s=9, end_s=10, kbps=64
        )


def test_of_several_attempts_the_best_is_published(tmp_path, monkeypatch):
    further = encoding._next_settings

    def worse(*given):
        aim_lufs, limiter = further(*given)
        return aim_lufs, replace(limiter, gain_db=limiter.gain_db + 3)

    monkeypatch.setattr(encoding, "TOLERANCE_LU", 0.0)  # no attempt is good enough to stop at
    monkeypatch.setattr(encoding, "is_on_target", lambda *given: given[3:] != () and within(*given))
    within, target_lufs = is_on_target, -20.0
    monkeypatch.setattr(encoding, "_next_settings", worse)
    audio, report = encoded(tmp_path, QUIET, target_lufs=target_lufs)
    assert report["attempts"] == encoding.MAX_ATTEMPTS and report["integrated_lufs"] == pytest.approx(-20, abs=0.2)
    assert lufs(audio) == pytest.approx(-20, abs=0.4)


def measured_attempt(lufs, dbtp):
    return encoding.Attempt(None, -16.0, None, None, encoding.Loudness(lufs, dbtp, 1.0, 1.0))


@pytest.mark.parametrize(
    ("attempts", "best"),
    [
        ([(-16.3, -1.2), (-16.0, -0.9)], 0),  # under the ceiling before near the target
        ([(-16.3, -1.2), (-15.9, -1.0)], 1),
        ([(-16.0, -0.8), (-16.2, -0.9)], 1),  # none is: the one least above
        ([(-17.0, -1.5), (-16.4, -1.0), (-16.5, -3.0)], 1),
    ],
)
def test_which_attempt_is_best(attempts, best):
    tried = [measured_attempt(*each) for each in attempts]
    assert encoding.best_attempt(tried, -16.0, -1.0) is tried[best]


def test_peaks_that_jump_to_other_blocks_are_caught_by_a_lower_limit_everywhere(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.audio.limiter.with_lower_limits", lambda profile, limiter, *rest: limiter)  # single blocks do not help
    monkeypatch.setattr(encoding, "Codec", lambda *given, headroom_db=0.0, **rest: parallel_encode.Codec(*given, headroom_db=-1.0, **rest))
    audio, _ = encoded(tmp_path, PEAKY, step=encode_opus, target_lufs=-17.0, kbps=24)
    assert measure_loudness(audio).true_peak_dbtp <= -1.0
    assert measure_loudness(audio).integrated_lufs == pytest.approx(-17.0, abs=0.5)


def test_what_cannot_reach_the_target_says_which_of_the_two_is_missed():
    over = encoding._off_target_error(Path("m.flac"), encoding.Loudness(-16.0, -0.4, 1, 1), -16.0, -1.0)
    assert "-0.40 dBTP" in over.message and "encoder raises its peaks" in over.hint
    assert "too high above its speech" in encoding._off_target_error(Path("m"), encoding.Loudness(-19.0, -1.5, 1, 1), -16.0, -1.0).hint
