import pytest
from audio_tools import speech, write
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import progress
from pipeline.audio import ffmpeg
from pipeline.audio.probe import probe
from pipeline.errors import CauserieError

HOSTILE = [
    "-i.wav",
    "-f lavfi.wav",
    "http:x.wav",
    "concat:a.wav|b.wav",
    "take%03d.wav",
    "it's $(touch pwned); `x`.wav",
    "« prise n°1 ? ».wav",
    "a\n  Duration: 01:00:00.00, x\n  Stream #0:0: Audio: mp3, 8000 Hz, mono\nb.wav",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_is_opened_whatever_its_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "plain.wav", speech(1)).rename(tmp_path / name)
    found = probe(tmp_path.joinpath(name).relative_to(tmp_path))
    assert (found.duration_s, found.sample_rate_hz, found.channels) == (1.0, 44_100, 1)
    assert not (tmp_path / "pwned").exists()


def test_a_failure_says_why_and_nothing_of_ffmpegs_inside(tmp_path):
    with pytest.raises(CauserieError) as caught:
        ffmpeg.run([*ffmpeg.source(tmp_path / "absent.wav"), "-f", "null", "-"])
    assert "No such file" in caught.value.message and "0x" not in caught.value.message


def test_a_log_cannot_recolour_the_terminal():
    assert ffmpeg.why("Error: \x1b[31mred\x07") == "Error: ?[31mred?"


def test_a_log_without_a_reason_says_so():
    assert ffmpeg.why("") == "it gave no reason"


def test_progress_reaches_the_end(tmp_path):
    heard = []
    progress.listen(lambda *said: heard.append(said[-2:]))
    try:
        ffmpeg.run([*ffmpeg.source(write(tmp_path / "a.wav", speech(2))), "-f", "null", "-"], total_s=6.0, before_s=4.0)
    finally:
        progress.listen(None)
    assert heard[-1] == (6.0, 6.0)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 10**9), max_size=5), st.integers(1, 12))
def test_progress_is_read_however_it_is_cut(times, size):
    text = b"".join(b"fps=0\nout_time_us=%d\nprogress=continue\n" % time for time in times) + b"out_time_us=N/A\n"
    heard = []
    lines = ffmpeg._Lines(heard.append)
    for start in range(0, len(text), size):
        lines.feed(text[start : start + size])
    assert heard == [time / 1e6 for time in times]
