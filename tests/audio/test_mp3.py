import subprocess

import mutagen.mp3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.ffmpeg import BITEXACT_ARGUMENTS, executable
from pipeline.audio.mp3 import FrameStream, NoSplicePoint, build_info_frame, crc16, find_splice_frame, join_streams, parse_header, write_mp3
from tests.support.audio_tools import lag_samples, read_samples, rms_db, speech_like_noise, write

FORMS = [(48_000, 2, 128), (44_100, 1, 64), (22_050, 2, 48)]
SCALE = 0.95  # what LAME multiplies sound with at these rates
FRAMES_ONLY = ("-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3")


def encoded(folder, sound, rate_hz, kbps):
    """Frames, as they come from the encoder."""
    wav, out = write(folder / "a.wav", sound, rate_hz=rate_hz), folder / "frames"
    command = [executable(), "-v", "error", "-y", "-i", wav, *BITEXACT_ARGUMENTS, *FRAMES_ONLY, "-b:a", f"{kbps}k", out]
    subprocess.run(command, check=True)
    return FrameStream(out.read_bytes())


class Joined:
    """The same audio encoded in one piece and in two, and both as files."""

    def __init__(self, folder, rate_hz, channels, kbps):
        left = 0.6 * speech_like_noise(6, -20, rate_hz=rate_hz, seed=2) + 0.1 * np.sin(np.arange(6 * rate_hz) / 20)
        self.sound = np.column_stack([left, speech_like_noise(6, -24, rate_hz=rate_hz, seed=9)][:channels])
        frame = 1152 if rate_hz > 32_000 else 576
        self.ahead, end = 60, 110
        self.parts = [encoded(folder, each, rate_hz, kbps) for each in (self.sound[: end * frame], self.sound[self.ahead * frame :])]
        self.whole, self.joined = folder / "whole.mp3", folder / "joined.mp3"
        write_mp3(self.whole, [encoded(folder, self.sound, rate_hz, kbps).data], len(self.sound))
        write_mp3(self.joined, join_streams(zip((0, self.ahead), self.parts, strict=True)), len(self.sound))
        self.seam = find_splice_frame(*self.parts, self.ahead) * frame
        self.rate_hz, self.kbps = rate_hz, kbps


@pytest.fixture(scope="module", params=FORMS, ids=lambda form: f"{form[0]}-{form[1]}-{form[2]}")
def case(request, tmp_path_factory):
    return Joined(tmp_path_factory.mktemp("mp3"), *request.param)


def test_every_reader_finds_the_exact_length(case):
    log = subprocess.run([executable(), "-i", case.joined, "-f", "f32le", "-"], capture_output=True, check=True)
    assert len(log.stdout) == case.sound.size * 4 and b"rror" not in log.stderr
    assert len(read_samples(case.joined)[0]) == len(case.sound)
    info = mutagen.mp3.MP3(case.joined).info
    assert info.length == pytest.approx(len(case.sound) / case.rate_hz, abs=1e-6)
    assert info.bitrate_mode == mutagen.mp3.BitrateMode.CBR and round(info.bitrate, -3) == case.kbps * 1000


def test_joined_is_as_good_as_one_piece(case):
    ours, whole, sound = read_samples(case.joined)[0], read_samples(case.whole)[0], case.sound * SCALE
    assert lag_samples(sound[:, 0], ours[:, 0]) == 0
    assert rms_db(ours - sound) <= rms_db(whole - sound) + 0.2


def test_nothing_is_heard_at_the_seam(case):
    error = np.abs(read_samples(case.joined)[0] - case.sound * SCALE).max(axis=1)
    around = error[case.seam - 3000 : case.seam + 3000]
    assert around.max() <= 1.2 * error[3000:-3000].max()
    assert np.sqrt(np.mean(around**2)) <= 1.5 * np.sqrt(np.mean(error**2))


def test_before_and_after_the_seam_it_is_what_was_encoded(case):
    ours, old, new = (FrameStream(each) for each in (case.joined.read_bytes(), case.parts[0].data, case.parts[1].data))
    at = case.seam // parse_header(old.data).samples_per_frame
    assert ours.frame_count - 1 == case.ahead + new.frame_count
    body = ours.data[ours.frame_offsets[1] :]
    assert body[: old.frame_offsets[at - 10]] == old.data[: old.frame_offsets[at - 10]]
    assert body.endswith(new.data[new.frame_offsets[at - case.ahead] :])


def test_a_frame_that_finds_no_room_is_not_taken(tmp_path):
    stereo, silent = (encoded(tmp_path, np.tile(each, (2, 1)).T, 44_100, 96) for each in (speech_like_noise(4), np.zeros(4 * 44_100)))
    for ahead in (10, 30):
        at = find_splice_frame(silent, stereo, ahead)
        assert at is None or stereo.main_data_begin(at - ahead) <= silent.main_data_begin(at)
    with pytest.raises(NoSplicePoint):
        list(join_streams([(0, stereo), (stereo.frame_count - 5, stereo)]))


def test_what_is_no_stream_of_frames_is_refused(case):
    data = case.parts[0].data
    for broken in (data[:-3], data[1:], b"\0" * 100, data + b"TAG"):
        with pytest.raises(ValueError):
            FrameStream(broken).frame_offsets  # noqa: B018
    with pytest.raises(ValueError, match="not the length"):
        build_info_frame(data, 10_000_000, FrameStream(data).frame_count, len(data), 0)


def test_the_checksum_is_the_one_of_the_catalogue():
    assert crc16(b"123456789") == 0xBB3D  # CRC-16/ARC


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 9000), st.integers(0, 9000))
def test_a_checksum_goes_on_where_it_stopped(size, cut):
    data, plain = np.random.default_rng(size).bytes(size), 0
    for byte in data:
        plain ^= byte
        for _ in range(8):
            plain = plain >> 1 ^ (0xA001 if plain & 1 else 0)
    assert crc16(data) == crc16(data[cut:], crc16(data[:cut])) == plain


def test_the_info_frame_vouches_for_itself_and_for_the_music(case):
    data = case.joined.read_bytes()
    start, tag = FrameStream(data).frame_offsets[1], data.index(b"LAME3")
    assert int.from_bytes(data[tag + 34 : tag + 36]) == crc16(data[: tag + 34])
    assert int.from_bytes(data[tag + 32 : tag + 34]) == crc16(data[start:])
    assert int.from_bytes(data[tag + 28 : tag + 32]) == len(data)
