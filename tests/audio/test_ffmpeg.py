import contextlib
import os
import signal
import sys
import threading
import time

import pytest

from pipeline.audio import ffmpeg
from pipeline.audio.probe import probe_file
from pipeline.model.errors import CauserieError
from tests.support.audio_tools import speech_like_noise, write
from tests.support.processes import child_process

HOSTILE = [
    "-i.wav",
    "-f lavfi.wav",
    "http:x.wav",
    "concat:a.wav|b.wav",
    "take%03d.wav",
    "it's $(touch pwned); `x`.wav",
    "« prise n°1 ? ».wav",
    os.fsdecode(b"caf\xe9.wav"),
    "CRC mismatch, Decoding error.wav",
    "a\n  Duration: 01:00:00.00, x\n  Stream #0:0: Audio: mp3, 8000 Hz, mono\nb.wav",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_is_opened_whatever_its_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "plain.wav", speech_like_noise(1)).rename(tmp_path / name)
    found = probe_file(tmp_path.joinpath(name).relative_to(tmp_path))
    assert (found.duration_s, found.sample_rate_hz, found.channels) == (1.0, 44_100, 1)
    assert not (tmp_path / "pwned").exists()


def test_a_failure_says_why_and_nothing_of_ffmpegs_inside(tmp_path):
    with pytest.raises(CauserieError) as caught:
        ffmpeg.run([*ffmpeg.input_arguments(tmp_path / "absent.wav"), "-f", "null", "-"])
    assert "No such file" in caught.value.message and "0x" not in caught.value.message


def test_a_log_cannot_recolour_the_terminal():
    assert ffmpeg.error_reason("Error: \x1b[31mred\x07") == "Error: ?[31mred?"


def test_a_log_without_a_reason_says_so():
    assert ffmpeg.error_reason("") == "no reason given"


NOISE = ["-f", "lavfi", "-i", "anoisesrc=r=48000"]  # for ever
PCM = ["-f", "f32le", "-ar", "48000", "-ac", "1"]
SECOND = bytes(4 * 48_000)


def kill(process):
    process._popen.send_signal(signal.SIGKILL)


def gone(process):
    return process._popen.poll() is not None


def test_a_killed_decoder_is_told_and_its_torn_end_is_not_handed_on():
    blocks = []
    with pytest.raises(CauserieError, match=r"killed \(signal 9\)") as caught, ffmpeg.open_process([*NOISE, *PCM, "pipe:1"]) as process:
        while block := process.read(len(SECOND)):
            blocks.append(len(block))
            kill(process)
    assert set(blocks) == {len(SECOND)} and "memory" in caught.value.hint


def test_a_killed_encoder_is_told(tmp_path):
    with (
        pytest.raises(CauserieError, match="killed"),
        ffmpeg.open_process([*PCM, "-i", "pipe:0", str(tmp_path / "a.flac")], writes_stdin=True) as process,
    ):
        for _ in range(1000):
            process.write(SECOND)
            kill(process)


def test_an_encoder_that_had_enough_too_early_is_told(tmp_path):
    arguments = [*PCM, "-i", "pipe:0", "-t", "1", str(tmp_path / "a.flac")]
    with pytest.raises(CauserieError), ffmpeg.open_process(arguments, writes_stdin=True) as process:
        for _ in range(1000):
            process.write(SECOND)


def test_a_full_disk_is_called_a_full_disk():
    with pytest.raises(CauserieError, match="the disk is full") as caught:
        ffmpeg.run([*NOISE, "-t", "10", "-f", "wav", "/dev/full"])
    assert "free some space" in caught.value.hint
    with (
        pytest.raises(CauserieError, match="the disk is full"),
        ffmpeg.open_process([*PCM, "-i", "pipe:0", "-f", "wav", "/dev/full"], writes_stdin=True) as fed,
    ):
        for _ in range(100):
            fed.write(SECOND)


def test_a_full_disk_of_temporary_files_is_told_though_nothing_could_be_logged(monkeypatch):
    monkeypatch.setattr(ffmpeg.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 0}))
    with pytest.raises(CauserieError, match="is full"):
        ffmpeg.run(["-v", "quiet", *NOISE, "-t", "1", "-f", "null", "-"])


def test_a_title_cannot_fill_the_disk():
    assert ffmpeg.process_error(1, "    title : No space left on device\nError: x").message == "FFmpeg failed (Error: x)"


def test_one_that_stands_still_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(ffmpeg, "STALL_TIMEOUT_S", 0.3)
    os.mkfifo(tmp_path / "fifo.wav")
    with (
        open(tmp_path / "fifo.wav", "r+b", buffering=0),
        pytest.raises(CauserieError, match="made no progress"),
    ):  # open for writing, but never written to
        ffmpeg.run([*ffmpeg.input_arguments(tmp_path / "fifo.wav"), "-f", "null", "-"])


def test_one_that_nobody_waits_for_may_stand_still(monkeypatch):
    monkeypatch.setattr(ffmpeg, "STALL_TIMEOUT_S", 0.3)
    with ffmpeg.open_process([*NOISE, "-t", "60", *PCM, "pipe:1"]) as process:
        process.read(4)
        time.sleep(1.0)  # the caller is busy: FFmpeg is blocked meanwhile, which is no stall
        while process.read_available():
            pass


def test_whoever_has_had_enough_may_leave():
    with ffmpeg.open_process([*NOISE, *PCM, "pipe:1"]) as process:
        assert len(process.read(len(SECOND))) == len(SECOND)
    assert gone(process)


@pytest.mark.parametrize("error", [KeyboardInterrupt, BrokenPipeError, ValueError])
@pytest.mark.parametrize("fed", [True, False])
def test_an_error_of_the_callers_is_passed_on_and_nobody_is_left(tmp_path, error, fed):
    ends = [*PCM, "-i", "pipe:0", str(tmp_path / "a.flac")] if fed else [*NOISE, *PCM, "pipe:1"]
    with pytest.raises(error), ffmpeg.open_process(ends, writes_stdin=fed) as process:
        process.write(SECOND) if fed else process.read(len(SECOND))
        raise error
    assert gone(process)
    assert threading.active_count() < 20


def test_ctrl_c_leaves_no_ffmpeg_behind(tmp_path):
    code = f"""
from pipeline.audio import ffmpeg
with ffmpeg.open_process({[*NOISE, *PCM, "pipe:1"]}) as process:
    print(process._popen.pid, flush=True)
    while process.read(1 << 20): pass
"""
    with child_process(sys.executable, "-c", code) as child:
        pid = int(child.stdout.readline())
        os.killpg(child.pid, signal.SIGINT)
        assert "KeyboardInterrupt" in child.communicate(timeout=30)[1]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        pytest.fail("FFmpeg is still there")


def test_a_log_as_long_as_a_film_is_kept_by_its_ends(monkeypatch, tmp_path):
    monkeypatch.setattr(ffmpeg, "_LOG_BYTES", 10)
    with open(tmp_path / "log", "w+b") as log:
        log.write(b"beginning " + bytes(100_000) + b"the ending")
        assert ffmpeg._read_log(log) == "beginning the ending"
        log.truncate(14)
        assert ffmpeg._read_log(log) == "beginning \0\0\0\0"
