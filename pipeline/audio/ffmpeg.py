"""FFmpeg: where it is, how a file is given to it, and what it said when it failed.

It comes in a wheel, without ffprobe. File names and contents are a stranger's: a name is always an absolute path after `file:`, so
that `-i.wav` is no option and `http:x.wav` no address; and only the containers below are opened, none of which reads another file.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import CauserieError
from pipeline.progress import report
from pipeline.text import printable

# Demuxers of recordings. Playlists, concat scripts, subtitles and the other text formats are left out: they open what they name.
CONTAINERS = "wav,w64,aiff,caf,au,flac,mp3,aac,ac3,eac3,ogg,mov,matroska,avi,asf,mpegts,amr,wv,ape"
EXACT = ("-map_metadata", "-1", "-map_chapters", "-1", "-bitexact", "-fflags", "+bitexact", "-flags:a", "+bitexact")  # same bytes each time
_NOISE = ("Conversion failed", "Error opening input file", "Error opening output file", "Error while filtering", "Nothing was written")
_SPEAKER = re.compile(r"\[[^\]]* @ 0x[0-9a-f]+\] ?")  # "[mp3float @ 0x557c6edbc240] ", other each time
_BLOCK_BYTES = 1 << 18
STALL_S = 120.0  # it gives something every few milliseconds: a file that keeps it silent for so long would keep it so for ever


def executable() -> str:
    """Where FFmpeg is: the one of the imageio-ffmpeg wheel, or `IMAGEIO_FFMPEG_EXE`."""
    import imageio_ffmpeg

    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise CauserieError("FFmpeg is missing", "", "install imageio-ffmpeg again, or set IMAGEIO_FFMPEG_EXE to an ffmpeg") from error


def source(path: Path) -> list[str]:
    """The arguments that open `path` as an input, whatever its name and content; damage is an error, not a guess."""
    limits = ["-protocol_whitelist", "file,pipe,fd", "-format_whitelist", CONTAINERS, "-err_detect", "crccheck+explode"]
    return [*limits, "-i", address(path)]


def address(path: Path) -> str:
    """A path as FFmpeg takes it literally."""
    return f"file:{os.path.abspath(path)}"


def run(arguments: Iterable[str], *, total_s: float = 0.0, before_s: float = 0.0) -> str:
    """Run FFmpeg to its end and return what it logged; `pipeline.progress` hears `before_s` plus what is done, of `total_s`.

    `CauserieError` with FFmpeg's own reason when it fails.
    """
    lines = _Lines(lambda done_s: report(min(before_s + done_s, total_s), total_s))
    return pipe(["-progress", "pipe:1", *arguments], lines.feed)


def pipe(arguments: Iterable[str], consume: Callable[[bytes], None]) -> str:
    """Run FFmpeg, hand each block of its standard output to `consume`, return what it logged."""
    with running(arguments) as process:
        while block := process.read_some():
            consume(block)
    return process.log


@contextmanager
def running(arguments: Iterable[str], *, fed: bool = False, shares: Iterable[int] = ()) -> Iterator[Running]:
    """FFmpeg at work: read what it gives, or (`fed`) write what it takes; leaving the block waits for its end.

    It inherits the open files of `shares`. `CauserieError` with its own reason when it fails or stops moving; it is killed when the
    block is left by an exception.
    """
    command = [executable(), "-nostdin", "-hide_banner", "-nostats", "-y", *arguments]
    ends = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL} if fed else {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    with tempfile.TemporaryFile() as log:  # not a pipe: nobody empties one while standard output is read
        with subprocess.Popen(command, **ends, stderr=log, pass_fds=tuple(shares)) as popen:
            process = Running(popen)
            try:
                yield process
                process.end()
            except BrokenPipeError:
                popen.wait()  # it has ended: its log says why
            except BaseException:
                popen.kill()
                raise
            finally:
                process.unwatch()
        log.seek(0)
        process.log = log.read().decode("utf-8", "replace")
    if process.stalled:
        raise CauserieError(f"FFmpeg gave nothing for {STALL_S:.0f} s and was stopped")
    if popen.returncode != 0:
        raise CauserieError(f"FFmpeg failed ({why(process.log)})")


class Running:
    """One FFmpeg; every read and write shows that it moves, and it is killed when it has not for `STALL_S`."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self.log = ""  # once it has ended
        self.stalled = False
        self._popen = popen
        self._watch = self._watched()

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end only."""
        return self._moving(lambda: self._popen.stdout.read(size))  # type: ignore[union-attr]

    def read_some(self) -> bytes:
        """What is there, as soon as there is something; nothing at the end."""
        return self._moving(lambda: self._popen.stdout.read1(_BLOCK_BYTES))  # type: ignore[union-attr]

    def write(self, data: bytes | memoryview) -> None:
        """Give it `data`; waits while it is busy."""
        self._moving(lambda: self._popen.stdin.write(data))  # type: ignore[union-attr]

    def end(self) -> None:
        """Tell it that there is no more to take, and wait until it has finished."""
        if self._popen.stdin:
            self._popen.stdin.close()
        self._moving(self._popen.wait)

    def unwatch(self) -> None:
        """Let it be."""
        self._watch.cancel()

    def _moving(self, act: Callable[[], Any]) -> Any:
        """Do something that waits for it, under a fresh watch."""
        if time.monotonic() - self._watched_s > STALL_S / 10:  # not at each block: starting a watch costs a thread
            self._watch.cancel()
            self._watch = self._watched()
        return act()

    def _watched(self) -> threading.Timer:
        """A watch that starts now."""
        self._watched_s = time.monotonic()
        watch = threading.Timer(STALL_S, self._stop)
        watch.daemon = True
        watch.start()
        return watch

    def _stop(self) -> None:
        self.stalled = True
        self._popen.kill()


def why(log: str) -> str:
    """The part of a log that tells a person what went wrong: the first lines that name an error, without FFmpeg's addresses."""
    lines = [_SPEAKER.sub("", line) for line in log.splitlines() if line.strip()]
    meant = [line for line in lines if _is_error(line)] or lines[-1:]
    return printable("; ".join(dict.fromkeys(line.strip().rstrip(".") for line in meant[:3]))) or "it gave no reason"


def _is_error(line: str) -> bool:
    """Whether a line says why, rather than that there is a failure."""
    words = ("invalid", "error", "not on whitelist", "no such", "denied", "moov atom", "unsupported", "unknown", "missing", "not contain")
    return not line.startswith((" ", *_NOISE)) and any(word in line.lower() for word in words)


class _Lines:
    """Finds the seconds done in what `-progress` writes, however it is cut into blocks."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._rest = b""

    def feed(self, block: bytes) -> None:
        """Take a block; tell of every `out_time_us` line that is complete."""
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            key, _, value = line.partition(b"=")
            if key == b"out_time_us" and value.strip().isdigit():
                self._tell(int(value) / 1e6)
