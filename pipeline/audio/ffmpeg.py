"""FFmpeg: where it is, how a file is given to it, and what it said when it failed.

It comes in a wheel, without ffprobe. File names and contents are a stranger's: a name is always an absolute path after `file:`, so
that `-i.wav` is no option and `http:x.wav` no address; and only the containers below are opened, none of which reads another file.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from pipeline.errors import CauserieError
from pipeline.progress import report
from pipeline.text import printable

# Demuxers of recordings. Playlists, concat scripts, subtitles and the other text formats are left out: they open what they name.
CONTAINERS = "wav,w64,aiff,caf,au,flac,mp3,aac,ac3,eac3,ogg,mov,matroska,avi,asf,mpegts,amr,wv,ape"
EXACT = ("-map_metadata", "-1", "-map_chapters", "-1", "-bitexact", "-fflags", "+bitexact", "-flags:a", "+bitexact")  # same bytes each time
_NOISE = ("Conversion failed", "Error opening input file", "Error opening output file", "Error while filtering", "Nothing was written")
_SPEAKER = re.compile(r"\[[^\]]* @ 0x[0-9a-f]+\] ?")  # "[mp3float @ 0x557c6edbc240] ", other each time
_BLOCK_BYTES = 1 << 18


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
    command = [executable(), "-nostdin", "-hide_banner", "-nostats", "-y", *arguments]
    with tempfile.TemporaryFile() as log:  # not a pipe: nobody empties one while standard output is read
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log) as process:
            try:
                while block := process.stdout.read1(_BLOCK_BYTES):  # type: ignore[union-attr]
                    consume(block)
            except BaseException:
                process.kill()
                raise
        log.seek(0)
        said = log.read().decode("utf-8", "replace")
    if process.returncode != 0:
        raise CauserieError(f"FFmpeg failed ({why(said)})")
    return said


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
