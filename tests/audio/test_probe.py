import os
import struct

import pytest

from pipeline.audio.analysis import analyse
from pipeline.audio.probe import probe_file, probe_fully, select_stream
from pipeline.model.errors import CauserieError
from tests.support.audio_tools import convert, speech_like_noise, write
from tests.support.broken_files import ogg_crc, rf64, wav

pytestmark = pytest.mark.slow

FORMATS = ["wav", "flac", "aiff", "mp3", "m4a", "ogg", "opus", "mka"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same four seconds in every format."""
    folder = tmp_path_factory.mktemp("formats")
    wav = write(folder / "take.wav", speech_like_noise(4, rate_hz=48_000), rate_hz=48_000)
    options = {"opus": ("-b:a", "96k"), "m4a": ("-movflags", "+faststart")}
    return {form: wav if form == "wav" else convert(wav, folder / f"take.{form}", *options.get(form, ())) for form in FORMATS}


def damaged(path, tmp_path, content):
    copy = tmp_path / path.name
    copy.write_bytes(content)
    return copy


@pytest.mark.parametrize("form", FORMATS)
def test_a_whole_recording_is_described(files, form):
    found = probe_fully(files[form])
    assert found.duration_s == pytest.approx(4.0, abs=0.02)
    assert (found.sample_rate_hz, found.channels, found.stream_count) == (48_000, 1, 1)


@pytest.mark.parametrize("form", FORMATS)
def test_a_recording_cut_short_is_refused(files, tmp_path, form):
    content = files[form].read_bytes()
    with pytest.raises(CauserieError, match="truncated"):
        probe_fully(damaged(files[form], tmp_path, content[: len(content) * 6 // 10]))


@pytest.mark.parametrize("form", ["flac", "mp3", "ogg", "opus"])
def test_a_recording_with_a_hole_is_refused(files, tmp_path, form):
    content = bytearray(files[form].read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = bytes(byte ^ 0x5A for byte in content[middle : middle + 1500])
    with pytest.raises(CauserieError, match="damaged|truncated"):
        probe_fully(damaged(files[form], tmp_path, bytes(content)))


@pytest.mark.parametrize("tail", [b"TAG" + bytes(125), bytes(range(256)), b"APETAGEX" + bytes(60)])
def test_crumbs_after_an_mp3_are_no_damage(files, tmp_path, tail):
    assert probe_fully(damaged(files["mp3"], tmp_path, files["mp3"].read_bytes() + tail)).duration_s == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0x7FFFFFDB, 0x7FFFFFFF, 0x80000000, 0xFFFFF000, 0xFFFFFFFF])
def test_a_wav_whose_length_was_never_filled_in_is_read_to_its_end(files, tmp_path, length):
    content = bytearray(files["wav"].read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", length)
    path = damaged(files["wav"], tmp_path, bytes(content))
    assert probe_file(path).duration_s is None  # not declared
    assert probe_file(path).doubts == ("its length was never written into its header; read to its end",)
    assert probe_fully(path).duration_s == pytest.approx(4.0)
    assert analyse(path, (), 48_000, 1).profile.duration_s == 4.0  # and nothing is lost


@pytest.mark.parametrize("form", ["ogg", "opus"])
def test_an_ogg_whose_last_page_is_not_marked_is_read_to_its_end_and_told(files, tmp_path, form):
    content = bytearray(files[form].read_bytes())
    last = content.rindex(b"OggS")
    content[last + 5] &= ~4
    content = content[: last + 22] + ogg_crc(content[last:]) + content[last + 26 :]
    found = probe_fully(damaged(files[form], tmp_path, bytes(content)))
    assert found.duration_s == pytest.approx(4.0, abs=0.03) and "not marked as the end" in found.doubts[0]


@pytest.mark.parametrize("form", ["mka", "opus", "ogg", "m4a", "webm", "wma", "ts"])
def test_a_recording_whose_first_time_is_not_zero_is_whole(files, tmp_path, form):
    late = convert(files["wav"], tmp_path / f"late.{form}", "-output_ts_offset", "1.5")
    assert probe_fully(late).duration_s == pytest.approx(4.0, abs=0.05)
    assert probe_file(late).duration_s in (None, pytest.approx(4.0, abs=0.05))


def test_what_an_opus_skips_at_its_start_is_not_missing(files, tmp_path):
    content = bytearray(files["opus"].read_bytes())
    at = content.index(b"OpusHead")
    content[at + 10 : at + 12] = struct.pack("<H", 48_000)
    content = bytes(content[:22]) + ogg_crc(content[: content.index(b"OggS", 4)]) + bytes(content[26:])
    path = damaged(files["opus"], tmp_path, content)
    assert probe_fully(path).duration_s == pytest.approx(3.0, abs=0.03) == probe_file(path).duration_s


@pytest.mark.parametrize("form", ["ogg", "opus"])
def test_an_ogg_that_lost_whole_pages_is_refused(files, tmp_path, form):
    content = files[form].read_bytes()
    pages = [at for at in range(len(content)) if content.startswith(b"OggS", at)]
    middle = len(pages) // 2
    with pytest.raises(CauserieError, match="truncated|damaged"):
        probe_fully(damaged(files[form], tmp_path, content[: pages[middle]] + content[pages[middle + 1] :]))


@pytest.mark.parametrize("missing", [0, 4000])
def test_a_wma_is_whole_when_all_its_packets_are_there_whatever_duration_it_declares(files, tmp_path, missing):
    content = bytearray(convert(files["wav"], tmp_path / "a.wma").read_bytes())
    at = content.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")) + 64
    content[at : at + 8] = struct.pack("<Q", struct.unpack("<Q", content[at : at + 8])[0] + 20_000_000)  # two seconds more
    path = damaged(tmp_path / "b.wma", tmp_path, bytes(content[: len(content) - missing]))
    if missing:
        with pytest.raises(CauserieError, match="truncated|damaged"):
            probe_fully(path)
    else:
        assert probe_fully(path).duration_s == pytest.approx(4.0, abs=0.1)


def test_an_m4a_whose_boxes_are_all_there_is_whole_whatever_duration_it_declares(files, tmp_path):
    content = bytearray(files["m4a"].read_bytes())
    for box, skipped in ((b"mvhd", 20), (b"tkhd", 24), (b"elst", 12), (b"mdhd", 20)):
        at = content.index(box) + skipped
        content[at : at + 4] = struct.pack(">I", struct.unpack(">I", content[at : at + 4])[0] * 2)
    assert probe_fully(damaged(files["m4a"], tmp_path, bytes(content))).duration_s == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize("form", ["flac", "mp3", "wav", "ogg", "opus", "m4a"])
@pytest.mark.parametrize("tail", [b"TAG" + b"Titre" + bytes(120), b"APETAGEX" + bytes(4000), b"XYZ-unknown" + bytes(range(256)) * 8])
def test_a_tag_that_nobody_knows_behind_the_sound_is_no_damage(files, tmp_path, form, tail):
    found = probe_fully(damaged(files[form], tmp_path, files[form].read_bytes() + tail))
    assert found.duration_s == pytest.approx(4.0, abs=0.04)


def test_what_is_torn_is_taken_only_as_it_is(files, tmp_path):
    content = files["wav"].read_bytes()
    torn = damaged(files["wav"], tmp_path, content[: len(content) // 2])
    with pytest.raises(CauserieError) as caught:
        probe_file(torn)
    assert 'accept = "as it is"' in caught.value.hint
    assert probe_fully(torn, as_it_is=True).duration_s == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"hello", "not a recording"), (bytes(5000), "not a recording")],
)
def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path, content, said):
    path = tmp_path / "take.wav"
    path.write_bytes(content)
    with pytest.raises(CauserieError, match=said) as caught:
        probe_file(path)
    assert caught.value.where == str(path) and caught.value.hint


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(CauserieError, match="is missing"):
        probe_file(tmp_path / "absent.wav")
    with pytest.raises(CauserieError, match="is a folder"):
        probe_file(tmp_path)


def test_a_file_nobody_may_read_is_told_so(tmp_path, monkeypatch):
    path = write(tmp_path / "locked.wav", speech_like_noise(1))
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything: permissions cannot be taken from it
    with pytest.raises(CauserieError, match="cannot be read"):
        probe_file(path)


def test_a_film_without_sound_is_told_so(files, tmp_path):
    film = tmp_path / "film.mp4"
    convert(files["wav"], film, "-f", "lavfi", "-i", "color=s=16x16:d=1", "-map", "1:v", "-c:v", "mpeg4")
    with pytest.raises(CauserieError, match="holds no sound"):
        probe_file(film)


def test_a_title_cannot_pass_for_a_duration(files, tmp_path):
    title = "x\n  Duration: 09:00:00.00, start\n  Stream #0:0: Audio: mp3, 8000 Hz, mono"
    found = probe_file(convert(files["flac"], tmp_path / "titled.flac", "-metadata", f"title={title}"))
    assert (found.duration_s, found.sample_rate_hz) == (4.0, 48_000)


FORGED = "xx\n  Duration: 09:00:00.00, start\n  Stream #0:7: Audio: mp3, 8000 Hz, mono\n#sample_rate 0: 8000\n[STREAM]\ntitle=forged"


@pytest.mark.parametrize("tag", ["title", "language", FORGED.replace("=", "")])
def test_no_tag_of_a_stream_can_pass_for_a_fact(files, tmp_path, tag):
    found = probe_file(convert(files["flac"], tmp_path / "a.mka", "-metadata:s:a", f"{tag}={FORGED}"))
    assert (found.sample_rate_hz, found.stream_count) == (48_000, 1) and found.duration_s in (None, 4.0)
    assert getattr(found.audio_streams[0], tag, FORGED) == FORGED


@pytest.fixture(scope="module")
def several(files, tmp_path_factory):
    """Two microphones in one file."""
    path = tmp_path_factory.mktemp("several") / "both.mka"
    second = ("-i", str(files["flac"]), "-map", "0", "-map", "1", "-ac:a:1", "2", "-ar:a:1", "44100")
    tags = ("-metadata:s:a:0", "title=Micro Nora", "-metadata:s:a:0", "language=fra", "-metadata:s:a:1", "title=Salle\x1b[31m")
    return convert(files["wav"], path, *second, *tags)


def test_several_streams_are_listed(several):
    with pytest.raises(CauserieError) as caught:
        select_stream(several)
    assert caught.value.message == "holds 2 audio streams: 1 (fra, mono, “Micro Nora”), 2 (stereo, “Salle?[31m”)"
    assert caught.value.hint == 'choose one with stream = "1" in episode.toml'
    assert probe_file(several).stream_count == 2


@pytest.mark.parametrize(("name", "index"), [("1", 0), (" 2 ", 1), ("micro nora", 0), ("fra", 0), ("Salle\x1b[31m", 1)])
def test_a_stream_is_named_by_number_title_or_language(several, name, index):
    taken = select_stream(several, name)
    assert (taken.index, taken.channels, taken.sample_rate_hz) == (index, *((1, 48_000), (2, 44_100))[index])
    probe_fully(several, name)


@pytest.mark.parametrize("name", ["0", "3", "nora", "²", "-1"])
def test_a_name_of_no_stream_is_refused_with_the_list(several, name):
    with pytest.raises(CauserieError, match="none of them") as caught:
        select_stream(several, name)
    assert "Micro Nora" in caught.value.message


def test_the_only_stream_needs_no_name(files):
    assert select_stream(files["wav"]) == select_stream(files["wav"], "1") == probe_file(files["wav"]).audio_streams[0]


def test_a_film_may_go_on_after_its_sound(files, tmp_path):
    film = convert(files["wav"], tmp_path / "film.mp4", "-f", "lavfi", "-i", "color=s=16x16:d=6", "-map", "0", "-map", "1", "-c:v", "mpeg4")
    found = probe_fully(film)
    assert (probe_file(film).duration_s, found.duration_s, found.audio_streams[0].duration_s) == (6.0, pytest.approx(4.0, abs=0.1), None)


BROUGHT = {
    "alac.m4a": ("-c:a", "alac"),
    "float.wav": ("-c:a", "pcm_f64le"),
    "rf64.wav": ("-rf64", "always"),
    "many.wav": ("-ac", "6"),
    "eight.flac": ("-ac", "8"),
    "low.wav": ("-ar", "8000"),
    "high.flac": ("-ar", "192000"),
    "raw.aac": (),
    "phone.amr": ("-c:a", "libopencore_amrnb", "-ar", "8000"),
    "a.wma": (),
    "a.w64": (),
    "a.caf": (),
    "a.aifc": (),
    "a.au": (),
    "a.wv": (),
    "a.avi": (),
    "a.mov": (),
    "a.webm": (),
    "a.ts": (),
    "wrong.mp3": ("-f", "ogg", "-c:a", "libvorbis"),
}


@pytest.mark.parametrize("name", BROUGHT)
def test_what_people_bring_is_taken(files, tmp_path, name):
    path = convert(files["wav"], tmp_path / name, *BROUGHT[name])
    found = probe_fully(path)
    assert found.channels == {"many.wav": 6, "eight.flac": 8}.get(name, 1)
    assert analyse(path, ("aresample=48000", "aformat=channel_layouts=mono"), 48_000, 1).profile.duration_s == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
@pytest.mark.parametrize("missing", [0, 1_000_000])
def test_more_than_four_gibibytes(tmp_path, kind, missing):
    path, length = tmp_path / "long.wav", 9 * 2**29
    header = rf64(b"", length=length, kind=kind)
    with path.open("wb") as stream:  # a sparse file
        stream.write(header)
        stream.truncate(len(header) + length - missing)
    if missing:
        with pytest.raises(CauserieError, match="truncated"):
            probe_file(path)
    else:
        assert probe_file(path).duration_s == pytest.approx(length / 96_000, abs=0.01)


def test_a_wav_whose_length_began_again_at_zero_is_told(tmp_path):
    path = tmp_path / "long.wav"
    with path.open("wb") as stream:
        stream.write(wav(b"", length=2**20))
        stream.truncate(2**32 + 2**20)
    with pytest.raises(CauserieError, match="more than 4 GiB"):
        probe_file(path)
