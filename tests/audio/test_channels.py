import json

import numpy as np
import pytest

from pipeline.audio.channel_meter import ChannelMeter
from pipeline.audio.channels import ChannelFindings, describe_findings, select_filters, suggested_channel
from pipeline.audio.encode import encode_mp3
from pipeline.audio.ingest import ingest_recordings, inspect_channels
from pipeline.audio.level_profile import load_profile
from pipeline.audio.probe import probe_file
from pipeline.audio.stream_info import AudioStream
from pipeline.model.audio import CleanupOptions, Mix, Recording
from pipeline.model.errors import CauserieError
from tests.support.audio_tools import RATE_HZ, convert, read_samples, rms_db, silence, speech_like_noise, write

pytestmark = pytest.mark.slow

TALK = np.concatenate([silence(1), speech_like_noise(4), silence(1), speech_like_noise(4, seed=2), silence(1)])
HISS = np.random.default_rng(5).standard_normal(len(TALK)) * 10 ** (-50 / 20)
FIRST = np.concatenate([speech_like_noise(3), silence(3)] * 2)
SECOND = np.concatenate([silence(3), speech_like_noise(3, seed=9)] * 2)


def found(*columns):
    meter = ChannelMeter(RATE_HZ, len(columns))
    frames = np.column_stack(columns).astype(np.float32)
    for start in range(0, len(frames), 70_001):  # blocks that are no multiple of a hop
        meter.feed(frames[start : start + 70_001])
    return meter.findings()


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ((TALK, TALK), ChannelFindings(2)),
        ((TALK, 0.3 * TALK + HISS), ChannelFindings(2)),
        ((TALK, 0 * TALK), ChannelFindings(2, dead=(1,))),
        ((1e-5 * HISS, TALK), ChannelFindings(2, dead=(0,))),
        ((TALK, HISS), ChannelFindings(2, noise=(1,))),
        ((HISS, TALK), ChannelFindings(2, noise=(0,))),
        ((TALK, -TALK), ChannelFindings(2, is_opposite=True)),
        ((TALK, -0.4 * TALK + HISS), ChannelFindings(2, is_opposite=True)),
        ((FIRST, SECOND), ChannelFindings(2, has_voice_per_side=True)),
        ((FIRST + 0.05 * SECOND, 0.5 * SECOND + 0.03 * FIRST), ChannelFindings(2, has_voice_per_side=True)),
        ((0 * TALK, 0 * TALK), ChannelFindings(2)),
        ((TALK, HISS, 0 * TALK), ChannelFindings(3, dead=(2,))),
        ((TALK,), ChannelFindings(1)),
    ],
)
def test_what_the_channels_hold(columns, expected):
    assert found(*columns) == expected


def test_two_microphones_before_one_room_are_left_as_they_are():
    other = 0.7 * np.roll(TALK, 200) + 0.5 * HISS  # the same voice, 4.5 ms later
    assert found(TALK + HISS, other + 0.3 * TALK).noise == () and describe_findings(found(TALK, TALK)) == ()


def test_each_finding_names_the_key_that_mends_it():
    assert 'channel = "left"' in describe_findings(found(TALK, HISS))[0] and suggested_channel(found(TALK, HISS)) == "left"
    assert 'channel = "right"' in describe_findings(found(0 * TALK, TALK))[0] and suggested_channel(found(0 * TALK, TALK)) == "right"
    assert "twice in [[recordings]]" in describe_findings(found(FIRST, SECOND))[0]
    assert "3 channels, 3 silent" in describe_findings(found(TALK, HISS, 0 * TALK))[0]


@pytest.mark.parametrize(("channel", "channels", "said"), [("right", 1, "is mono"), ("3", 2, "has 2 channels")])
def test_a_channel_that_is_not_there_is_told(channel, channels, said):
    with pytest.raises(CauserieError, match=said):
        select_filters(ChannelFindings(channels), AudioStream(0, "pcm", RATE_HZ, channels), channel)


def published(folder, *recordings, channels=2, columns, level="off"):
    """The samples of the master, and what the report says of each recording."""
    raw = write(folder / "raw.wav", np.column_stack(columns))
    mix = Mix(recordings or (Recording("raw", clean=CleanupOptions(highpass=False)),), level=level, trim_silence=False)
    places = {name: folder / name for name in ("master", "activity", "levels", "sound")}
    ingest_recordings((raw,), **places, mix=mix, sample_rate_hz=RATE_HZ, channels=channels)
    return read_samples(places["master"])[0], [each["cleaned"] for each in json.loads(places["sound"].read_text())["recordings"]]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    "columns",
    [(TALK, -TALK), (TALK, -0.4 * TALK), (TALK, 0 * TALK), (0 * TALK, TALK), (TALK, TALK), (TALK, 0.5 * TALK)],
    ids=["opposite", "unequal", "dead right", "dead left", "same", "panned"],
)
def test_what_is_published_is_audible_on_one_loudspeaker(tmp_path, columns, channels):
    samples, _ = published(tmp_path, columns=columns, channels=channels)
    assert samples.shape[1] == channels
    loud = rms_db(samples) if channels == 1 else rms_db(samples) + 0.0
    fold_lu = rms_db(samples.mean(axis=1)) - loud
    assert fold_lu > -3.0 and rms_db(samples.mean(axis=1)) > -45
    assert all(rms_db(samples[:, each]) > -45 for each in range(channels))


@pytest.mark.parametrize(("channel", "kept"), [("left", 0), ("right", 1), ("1", 0), ("2", 1)])
def test_a_channel_is_taken_alone_and_centred(tmp_path, channel, kept):
    columns = (FIRST, SECOND)
    samples, (said,) = published(tmp_path, Recording("raw", channel=channel, clean=CleanupOptions(highpass=False)), columns=columns)
    assert np.array_equal(samples[:, 0], samples[:, 1])
    assert rms_db(samples[:, 0] - columns[kept]) < -70 and f"channel {channel} only" in said


def test_mono_mixes_both_sides_and_turns_an_opposite_one(tmp_path):
    recording = Recording("raw", channel="mono", clean=CleanupOptions(highpass=False))
    samples, _ = published(tmp_path, recording, columns=(TALK, -TALK))
    assert rms_db(samples[:, 0] - TALK) < -70 and np.array_equal(samples[:, 0], samples[:, 1])


def test_one_file_is_two_tracks_with_a_voice_each(tmp_path):
    sides = tuple(Recording("raw", voice=voice, channel=side) for voice, side in (("nora", "left"), ("malik", "right")))
    samples, said = published(tmp_path, *sides, columns=(FIRST, 0.2 * SECOND), level="gentle")
    activity = json.loads((tmp_path / "activity").read_text())
    assert [track["voice"] for track in activity["tracks"]] == ["nora", "malik"] and len(said) == 2
    mono = samples.mean(axis=1)
    assert rms_db(mono[RATE_HZ : 2 * RATE_HZ]) == pytest.approx(rms_db(mono[4 * RATE_HZ : 5 * RATE_HZ]), abs=3)


def test_the_third_track_of_a_polyphonic_recorder_is_taken(tmp_path):
    columns = (HISS, 0.1 * TALK, TALK, HISS)
    samples, _ = published(tmp_path, Recording("raw", channel="3", clean=CleanupOptions(highpass=False)), columns=columns)
    assert rms_db(samples[:, 0] - TALK) < -70


def test_an_mp3_of_opposite_channels_is_as_loud_in_mono(tmp_path):
    published(tmp_path, columns=(TALK, -TALK))
    places = {"report": tmp_path / "r", "curve": tmp_path / "c.npz", "audio": tmp_path / "a.mp3"}
    encode_mp3(tmp_path / "master", tmp_path / "levels", **places, target_lufs=-16.0, ceiling_dbtp=-1.0, kbps=128)
    samples, _ = read_samples(places["audio"])
    assert rms_db(samples.mean(axis=1)) > rms_db(samples) - 3.0


def test_a_pair_that_needs_nothing_is_decoded_once(tmp_path, monkeypatch):
    import pipeline.audio.analysis as analysis

    calls, analyse = [], analysis.analyse
    monkeypatch.setattr(analysis, "analyse", lambda *given, **more: (calls.append(given), analyse(*given, **more))[1])
    published(tmp_path, columns=(TALK, 0.8 * TALK))
    assert len(calls) == 1 and load_profile(tmp_path / "levels", "master").samples == len(TALK)


def test_a_file_is_inspected_in_any_format(tmp_path):
    raw = write(tmp_path / "raw.wav", np.column_stack([TALK, -TALK]))
    for form in ("flac", "m4a", "mka"):
        path = convert(raw, tmp_path / f"a.{form}")
        assert inspect_channels(path, probe_file(path).audio_streams[0]).is_opposite
