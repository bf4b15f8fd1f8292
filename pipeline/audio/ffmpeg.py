"""Run FFmpeg: find it, pass files to it safely, and turn its failures into errors a user can act on.

It comes in a wheel, without ffprobe. File names and contents are untrusted: a name is always passed as an absolute path after `file:`,
so that `-i.wav` is not an option and `http:x.wav` not a URL; and only the containers below are opened, none of which opens other files.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import IO, TypeVar

from pipeline.model import CauserieError, terminal_safe

_T = TypeVar("_T")

# Demuxers of recordings. Playlists, concat scripts, subtitles and other text formats are excluded: they open the files they name.
ALLOWED_DEMUXERS = "wav,w64,aiff,caf,au,flac,mp3,aac,ac3,eac3,ogg,mov,matroska,avi,asf,mpegts,amr,wv,ape,tta,flv,mpeg"
BITEXACT_ARGUMENTS = (
    "-map_metadata",
    "-1",
    "-map_chapters",
    "-1",
    "-bitexact",
    "-fflags",
    "+bitexact",
    "-flags:a",
    "+bitexact",
)  # reproducible bytes
_UNINFORMATIVE_PREFIXES = (
    "Conversion failed",
    "Error opening input file",
    "Error opening output file",
    "Error while filtering",
    "Nothing was written",
)
_UNTRUSTED_PREFIXES = (" ", "Input #", "Output #")  # lines with untrusted titles and names
_GENERIC_ERROR = "Invalid data found when processing input"  # used only when no other line is more specific
_ERROR_WORDS = (
    "invalid error denied unsupported unknown missing".split()
    + ["not on whitelist", "no such", "moov atom", "not contain", "matches no"]  # words of a line that gives the reason
)
_LOG_CONTEXT = re.compile(r"\[[^\]]* @ 0x[0-9a-f]+\] ?")  # "[mp3float @ 0x557c6edbc240] ", different on each run
_BLOCK_BYTES = 1 << 18
_LOG_BYTES = 1 << 20  # from each end
STALL_TIMEOUT_S = 120.0  # it normally produces output every few milliseconds: after so long without any, it never will
# Failures of the machine rather than the file: FFmpeg's words, our message, the hint.
_SYSTEM_ERRORS = (
    ("No space left on device", "the disk is full", "free some space, then try again"),
    ("Disk quota exceeded", "the disk quota is used up", "free some space, then try again"),
    ("Cannot allocate memory", "there is not enough memory", "close other programs, then try again"),
    ("Too many open files", "too many files are open", "raise the limit (ulimit -n), then try again"),
)


def executable() -> str:
    """Return the path of FFmpeg: from the imageio-ffmpeg wheel, or from `IMAGEIO_FFMPEG_EXE`. Raises `CauserieError` when missing."""
    import imageio_ffmpeg

    try:
        path: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise CauserieError("FFmpeg is missing", "", "install imageio-ffmpeg again, or set IMAGEIO_FFMPEG_EXE to an ffmpeg") from error
    return path


def input_arguments(path: Path) -> list[str]:
    """Return the arguments that open `path` as an input, safe for any name and content; damaged data is an error, not concealed."""
    limits = ["-protocol_whitelist", "file", "-format_whitelist", ALLOWED_DEMUXERS, "-err_detect", "crccheck+explode"]
    return [*limits, "-i", file_url(path)]


def file_url(path: Path) -> str:
    """Return a `file:` URL, which FFmpeg takes literally."""
    return f"file:{os.path.abspath(path)}"


def run(arguments: Iterable[str]) -> str:
    """Run FFmpeg to its end, ignoring its standard output, and return its log. Raises `CauserieError` as `open_process`."""
    return read_output(arguments, lambda block: None)


def read_output(arguments: Iterable[str], on_block: Callable[[bytes], None]) -> str:
    """Run FFmpeg, pass each block of its standard output to `on_block`, and return its log.

    Raises `CauserieError` as `open_process`.
    """
    with open_process(arguments) as process:
        while block := process.read_available():
            on_block(block)
    return process.log


@contextmanager
def open_process(
    arguments: Iterable[str], *, writes_stdin: bool = False, inherited_fds: Iterable[int] = (), stall_timeout_s: float | None = None
) -> Iterator[FFmpegProcess]:
    """Start FFmpeg to read its output, or (`writes_stdin`) to write its input; leaving the `with` block waits for it to end.

    The process inherits the file descriptors `inherited_fds`. Leaving the block before reading everything is allowed. Raises
    `CauserieError` with FFmpeg's reason when it fails, is killed, or makes no progress for `stall_timeout_s` (default `STALL_TIMEOUT_S`).
    The process is killed when an exception leaves the block.
    """
    command = [executable(), "-nostdin", "-hide_banner", "-nostats", "-y", *arguments]
    stdin, stdout = (subprocess.PIPE, subprocess.DEVNULL) if writes_stdin else (subprocess.DEVNULL, subprocess.PIPE)
    with tempfile.TemporaryFile() as log:  # not a pipe, which could fill up while standard output is read
        # Input is unbuffered: a buffer left over when FFmpeg dies would be written again when its pipe is closed.
        with subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=log, pass_fds=tuple(inherited_fds), bufsize=0 if writes_stdin else -1
        ) as popen:
            process = FFmpegProcess(popen, STALL_TIMEOUT_S if stall_timeout_s is None else stall_timeout_s)
            try:
                yield process
                process.finish()
            except _EndedEarly:
                pass  # its log says why
            except BaseException:
                popen.kill()
                raise
            finally:
                process.stop_watching()
        process.log = _read_log(log)
    if not process.log and shutil.disk_usage(tempfile.gettempdir()).free < _LOG_BYTES:  # its output is lost as well as its log
        raise CauserieError(f"the disk of {tempfile.gettempdir()} is full", "", "free some space, then try again")
    if process.has_stalled:
        raise CauserieError(f"FFmpeg made no progress for {process.stall_timeout_s:.0f} s and was stopped")
    if not process.has_succeeded and "received signal 2" in process.log:
        raise KeyboardInterrupt  # Ctrl-C reaches both processes, and FFmpeg stopped first
    if not process.has_succeeded:
        raise process_error(popen.returncode, process.log)


class _EndedEarly(Exception):
    """FFmpeg ended too early."""


class FFmpegProcess:
    """A running FFmpeg; it is killed when a call has waited for it for `stall_timeout_s` seconds."""

    def __init__(self, popen: subprocess.Popen[bytes], stall_timeout_s: float) -> None:
        self.stall_timeout_s = stall_timeout_s
        self.log = ""  # set when it has ended
        self.has_stalled = False
        self._popen = popen
        self._is_fully_read = self._stopped_reading = self._input_rejected = False
        self._waiting_since_s: float | None = None  # None while the caller does something else, however long
        self._watch_ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end; never the truncated output of a process that failed."""
        return self._check_block(self._call_watched(lambda: self._stdout.read(size)), size)

    def read_available(self) -> bytes:
        """Return the bytes that are available, waiting for the first; empty at the end."""
        return self._check_block(self._call_watched(lambda: self._stdout.read1(_BLOCK_BYTES)), 1)

    def write(self, data: bytes | memoryview) -> None:
        """Write all of `data` to its input, waiting while it is busy."""
        remaining = memoryview(data)
        while remaining:
            try:
                remaining = remaining[self._call_watched(partial(self._stdin.write, remaining)) :]
            except OSError as error:  # a broken pipe, which some systems report as an invalid argument
                self._input_rejected = True
                self._call_watched(self._popen.wait)
                raise _EndedEarly from error

    def finish(self) -> None:
        """Close its pipes and wait until it has ended."""
        self._stopped_reading = self._popen.stdout is not None and not self._is_fully_read
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe:
                pipe.close()
        self._call_watched(self._popen.wait)

    def stop_watching(self) -> None:
        """Stop the watchdog thread."""
        self._watch_ended.set()

    @property
    def has_succeeded(self) -> bool:
        """Whether it completed its task, once it has ended; an error is ignored when its output was not read to the end."""
        return self._popen.returncode == 0 and not self._input_rejected or self._stopped_reading and self._popen.returncode > 0

    @property
    def _stdin(self) -> IO[bytes]:
        """Its input, which exists when it was started to be written to."""
        if self._popen.stdin is None:
            raise ValueError("this FFmpeg was started to be read from")
        return self._popen.stdin

    @property
    def _stdout(self) -> BufferedReader:
        """Its output, which exists when it was started to be read from."""
        if not isinstance(self._popen.stdout, BufferedReader):
            raise ValueError("this FFmpeg was started to be written to")
        return self._popen.stdout

    def _check_block(self, block: bytes, expected_bytes: int) -> bytes:
        if len(block) < expected_bytes:
            self._is_fully_read = True
            if self._call_watched(self._popen.wait) != 0:
                raise _EndedEarly
        return block

    def _call_watched(self, call: Callable[[], _T]) -> _T:
        """Call `call`, which waits for the process, under the watchdog."""
        self._waiting_since_s = time.monotonic()
        try:
            return call()
        finally:
            self._waiting_since_s = None

    def _watch(self) -> None:
        """Check periodically, in one thread of its own, so that nothing is set up per block."""
        while not self._watch_ended.wait(min(1.0, self.stall_timeout_s / 4)):
            since_s = self._waiting_since_s
            if since_s is not None and time.monotonic() - since_s > self.stall_timeout_s:
                self.has_stalled = True
                return self._popen.kill()


def process_error(returncode: int, log: str) -> CauserieError:
    """Return the error for a failed FFmpeg. Its hint is empty when the file may be the cause."""
    lines = "\n".join(line for line in log.splitlines() if not line.startswith(" "))  # indented lines hold untrusted titles
    for pattern, message, hint in _SYSTEM_ERRORS:
        if pattern in lines:
            return CauserieError(message, "", hint)
    if returncode < 0:
        return CauserieError(f"FFmpeg was killed (signal {-returncode})", "", "check that the machine has enough memory, then try again")
    return CauserieError(f"FFmpeg failed ({error_reason(log)})")


def error_reason(log: str) -> str:
    """Return the part of a log that explains a failure: the first lines that name an error, without memory addresses."""
    lines = [_LOG_CONTEXT.sub("", line) for line in log.splitlines() if line.strip() and not line.startswith(_UNTRUSTED_PREFIXES)]
    errors = [line for line in lines if not line.startswith(_UNINFORMATIVE_PREFIXES) and any(word in line.lower() for word in _ERROR_WORDS)]
    informative = [line for line in errors if _GENERIC_ERROR not in line] or errors or lines[-1:]
    return terminal_safe("; ".join(dict.fromkeys(line.strip().rstrip(".") for line in informative[:3]))) or "no reason given"


def _read_log(log: IO[bytes]) -> str:
    """Read a log; the middle of a very long one, as a badly damaged file causes, is skipped."""
    size = log.seek(0, os.SEEK_END)
    log.seek(0)
    text = log.read(_LOG_BYTES)
    log.seek(max(log.tell(), size - _LOG_BYTES))
    return (text + log.read()).decode("utf-8", "replace")
