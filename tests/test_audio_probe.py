import os
import socket
import struct

import pytest
from audio_tools import convert, speech, write

from pipeline.audio.hearing import hear
from pipeline.audio.probe import probe, whole
from pipeline.errors import CauserieError

FORMATS = ["wav", "flac", "aiff", "mp3", "m4a", "ogg", "opus", "mka"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same four seconds in every format."""
    folder = tmp_path_factory.mktemp("formats")
    wav = write(folder / "take.wav", speech(4, rate_hz=48_000), rate_hz=48_000)
    options = {"opus": ("-b:a", "96k"), "m4a": ("-movflags", "+faststart")}
    return {form: wav if form == "wav" else convert(wav, folder / f"take.{form}", *options.get(form, ())) for form in FORMATS}


def damaged(path, tmp_path, content):
    copy = tmp_path / path.name
    copy.write_bytes(content)
    return copy


@pytest.mark.parametrize("form", FORMATS)
def test_a_whole_recording_is_described(files, form):
    found = whole(files[form])
    assert found.duration_s == pytest.approx(4.0, abs=0.02)
    assert (found.sample_rate_hz, found.channels, found.streams) == (48_000, 1, 1)


@pytest.mark.parametrize("form", FORMATS)
def test_a_recording_cut_short_is_refused(files, tmp_path, form):
    content = files[form].read_bytes()
    with pytest.raises(CauserieError, match="truncated"):
        whole(damaged(files[form], tmp_path, content[: len(content) * 6 // 10]))


@pytest.mark.parametrize("form", ["flac", "mp3", "ogg", "opus"])
def test_a_recording_with_a_hole_is_refused(files, tmp_path, form):
    content = bytearray(files[form].read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = bytes(byte ^ 0x5A for byte in content[middle : middle + 1500])
    with pytest.raises(CauserieError, match="damaged|truncated"):
        whole(damaged(files[form], tmp_path, bytes(content)))


@pytest.mark.parametrize("tail", [b"TAG" + bytes(125), bytes(range(256)), b"APETAGEX" + bytes(60)])
def test_crumbs_after_an_mp3_are_no_damage(files, tmp_path, tail):
    assert whole(damaged(files["mp3"], tmp_path, files["mp3"].read_bytes() + tail)).duration_s == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_wav_whose_length_was_never_filled_in_is_read_to_its_end(files, tmp_path, length):
    content = bytearray(files["wav"].read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", length)
    path = damaged(files["wav"], tmp_path, bytes(content))
    assert whole(path).duration_s is None  # nothing is promised
    assert hear(path, (), 48_000, 1).profile.duration_s == 4.0  # and nothing is lost


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"hello", "not a recording"), (bytes(5000), "not a recording")],
)
def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path, content, said):
    path = tmp_path / "take.wav"
    path.write_bytes(content)
    with pytest.raises(CauserieError, match=said) as caught:
        probe(path)
    assert caught.value.where == str(path) and caught.value.hint


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(CauserieError, match="is missing"):
        probe(tmp_path / "absent.wav")
    with pytest.raises(CauserieError, match="is a folder"):
        probe(tmp_path)


def test_a_file_nobody_may_read_is_told_so(tmp_path, monkeypatch):
    path = write(tmp_path / "locked.wav", speech(1))
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything: permissions cannot be taken from it
    with pytest.raises(CauserieError, match="cannot be read"):
        probe(path)


def test_a_film_without_sound_is_told_so(files, tmp_path):
    film = tmp_path / "film.mp4"
    convert(files["wav"], film, "-f", "lavfi", "-i", "color=s=16x16:d=1", "-map", "1:v", "-c:v", "mpeg4")
    with pytest.raises(CauserieError, match="holds no sound"):
        probe(film)


def test_a_script_called_wav_opens_no_other_file(files, tmp_path):
    files["wav"].with_name("list.wav").write_text("ffconcat version 1.0\nfile take.wav\n")
    with pytest.raises(CauserieError, match="not a recording"):
        probe(files["wav"].with_name("list.wav"))


def test_a_playlist_called_wav_opens_no_address(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        path = tmp_path / "take.wav"
        path.write_text(f"#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:{server.getsockname()[1]}/take.mp3\n#EXT-X-ENDLIST\n")
        with pytest.raises(CauserieError, match="not a recording"):
            probe(path)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_title_cannot_pass_for_a_duration(files, tmp_path):
    title = "x\n  Duration: 09:00:00.00, start\n  Stream #0:0: Audio: mp3, 8000 Hz, mono"
    found = probe(convert(files["flac"], tmp_path / "titled.flac", "-metadata", f"title={title}"))
    assert (found.duration_s, found.sample_rate_hz) == (4.0, 48_000)
