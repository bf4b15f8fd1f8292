"""The edges of jingles."""

import numpy as np
import soundfile

from pipeline.audio.jingle import MAX_JINGLE_S, fade_edges

RATE_HZ = 44_100


def written(path, seconds: float, channels: int = 2):
    tone = np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE_HZ)) / RATE_HZ + 1) * 0.5
    soundfile.write(path, np.column_stack([tone] * channels), RATE_HZ, subtype="PCM_24")
    return path


def test_a_jingle_starts_and_ends_in_silence_and_is_whole_between(tmp_path):
    raw, _ = soundfile.read(written(tmp_path / "raw.flac", 2), always_2d=True)
    soft, rate_hz = soundfile.read(fade_edges(tmp_path / "raw.flac", tmp_path / "soft.wav"), always_2d=True)
    assert rate_hz == RATE_HZ and soft.shape == raw.shape
    assert abs(raw[0, 0]) > 0.4 and abs(soft[0, 0]) < 0.02
    assert np.abs(soft[-40:]).max() < 0.02
    middle = slice(RATE_HZ // 2, RATE_HZ)
    assert np.abs(soft[middle] - raw[middle]).max() < 1e-6


def test_fades_are_as_long_as_asked_and_never_shorter_than_what_clicks(tmp_path):
    long, _ = soundfile.read(
        fade_edges(written(tmp_path / "raw.flac", 2), tmp_path / "a.wav", fade_in_s=1.0, fade_out_s=9.0), always_2d=True
    )
    raw, _ = soundfile.read(tmp_path / "raw.flac", always_2d=True)
    early, late = slice(RATE_HZ // 10, RATE_HZ // 5), slice(3 * RATE_HZ // 2, None)
    assert np.abs(long[early]).max() < 0.2 * np.abs(raw[early]).max()
    assert np.abs(long[late]).max() < 0.5 * np.abs(raw[late]).max()
    short, _ = soundfile.read(fade_edges(tmp_path / "raw.flac", tmp_path / "b.wav", fade_in_s=0, fade_out_s=0), always_2d=True)
    plain, _ = soundfile.read(fade_edges(tmp_path / "raw.flac", tmp_path / "c.wav"), always_2d=True)
    assert np.array_equal(short, plain)


def test_long_music_is_left_as_it_is(tmp_path):
    long = written(tmp_path / "long.flac", MAX_JINGLE_S + 1, channels=1)
    assert fade_edges(long, tmp_path / "soft.wav") == long
    assert not (tmp_path / "soft.wav").exists()
