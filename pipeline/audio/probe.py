"""What a recording is, and whether all of it is there. FFmpeg's wheel has no ffprobe, so this reads what `ffmpeg -i` prints."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from pipeline.audio import ffmpeg
from pipeline.errors import CauserieError

MISSING_S = 0.1  # a decoded length this much below the announced one is a truncated file
_GLITCH_S = 0.01  # less than the shortest frame of an MP3: nothing that was announced is missing
_LAYOUTS = {"mono": 1, "stereo": 2, "2.1": 3, "3.0": 3, "quad": 4, "4.0": 4, "5.0": 5, "5.1": 6, "6.1": 7, "7.1": 8}
# Anchored at two spaces: FFmpeg indents metadata deeper and continues it with a colon, so a title cannot pass for these.
_DURATION = re.compile(r"^  Duration: (?:(\d+):(\d\d):(\d\d(?:\.\d+)?)|N/A)", re.M)
_AUDIO = re.compile(r"^  Stream #0:\d+\S*: Audio: (\w+).*?, (\d+) Hz, ([\w.]+)(?: (channels))?", re.M)
_DAMAGE = ("Error submitting packet to decoder", "Decoding error", "CRC mismatch", "partial file", "File ended prematurely")


@dataclass(frozen=True)
class Probe:
    """The first audio stream of a file."""

    duration_s: float | None  # as the file announces it; None when it does not, or when FFmpeg only guesses
    sample_rate_hz: int
    channels: int  # 0 when the layout has no known number
    codec: str
    streams: int  # audio streams in the file; the first is used


def probe(path: Path) -> Probe:
    """What `path` says it holds, read in a moment; `whole` also listens to all of it.

    `CauserieError` when it is missing, empty, a folder, unreadable, not audio, or shorter than its own header says.
    """
    _refuse_unreadable(path)
    log = _described(path)
    found = parse(log)
    if found is None:
        _refuse_what_is_no_audio(path, log)
    if ends_early(path):
        raise truncated(path)
    return found


def parse(log: str) -> Probe | None:
    """The probe in what `ffmpeg -i` printed, None when it names no audio stream."""
    log = log.rpartition("\nStream mapping:")[0] or log  # what follows describes the output
    durations = list(_DURATION.finditer(log))
    streams = list(_AUDIO.finditer(log, durations[-1].end())) if durations else []  # a file's name, printed before, can hold anything
    if not streams:
        return None
    hours, minutes, seconds = durations[-1].groups()
    guessed = seconds is None or "Estimating duration from bitrate" in log
    codec, rate, layout, counted = streams[0].groups()
    channels = int(layout) if counted else _LAYOUTS.get(layout, 0)
    duration_s = None if guessed else int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return Probe(duration_s, int(rate), channels, codec, len(streams))


def whole(path: Path) -> Probe:
    """The probe of a file that decodes from end to end; `CauserieError` when it is truncated or damaged."""
    found, count = probe(path), [0]

    def add(block: bytes) -> None:
        count[0] += len(block)

    plain = ["-map", "0:a:0", "-ac", "1", "-ar", str(found.sample_rate_hz), "-c:a", "pcm_s16le", "-f", "s16le", "pipe:1"]
    log = decoding(path, [*ffmpeg.source(path), *plain], add)
    refuse_damage(path, found, expected_s=found.duration_s, decoded_s=count[0] / 2 / found.sample_rate_hz, log=log)
    return found


def decoding(path: Path, arguments: list[str], consume: Callable[[bytes], None]) -> str:
    """`ffmpeg.pipe`, whose failure names the recording."""
    try:
        return ffmpeg.pipe(arguments, consume)
    except CauserieError as error:
        raise CauserieError(f"cannot be decoded ({error.message})", str(path), "export it again from where it comes from") from error


def refuse_damage(path: Path, found: Probe, *, expected_s: float | None, decoded_s: float, log: str) -> None:
    """`CauserieError` when less came out of `path` than it announces, or when FFmpeg had to skip what it could not read.

    One unreadable frame is forgiven in an MP3 that is otherwise complete: encoders and taggers leave crumbs after the last one.
    """
    if expected_s is not None and decoded_s < expected_s - MISSING_S:
        raise truncated(path, f" ({decoded_s:.1f} s of {expected_s:.1f} s are there)")
    errors = sum(log.count(words) for words in _DAMAGE)
    complete = expected_s is None or decoded_s > expected_s - _GLITCH_S
    if errors and not (found.codec.startswith("mp3") and errors == 1 and complete):
        raise CauserieError(f"is damaged ({ffmpeg.why(log)})", str(path), "copy it again from the recorder, or export it again")


def truncated(path: Path, detail: str = "") -> CauserieError:
    """The error of a recording whose end is missing."""
    return CauserieError(f"is truncated: its end is missing{detail}", str(path), "copy it again from the recorder, or export it again")


def ends_early(path: Path) -> bool:
    """Whether a WAV promises more than the file holds, or an Ogg lacks its last page; FFmpeg plays both without a word."""
    with path.open("rb") as stream:
        start = stream.read(12)
        if start[:4] == b"RIFF" and start[8:] == b"WAVE":
            return _wav_ends_early(stream, path.stat().st_size)
        if start[:4] == b"OggS":
            stream.seek(max(0, path.stat().st_size - (1 << 17)))
            page = stream.read().rpartition(b"OggS")[2]
            # RFC 3533, section 6: flag 4 is "end of stream"; after 23 bytes come the lengths of the segments, then the segments.
            whole = len(page) >= 23 and len(page) >= 23 + page[22] + sum(page[23 : 23 + page[22]])
            return not whole or not page[1] & 4
    return False


def _wav_ends_early(stream: BinaryIO, size: int) -> bool:
    """Look for the `data` chunk; lengths of 0 and 2³²−1 come from recorders that never came back to fill them in."""
    position = 12
    while position + 8 <= size:
        stream.seek(position)
        head = stream.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"data":
            return length < 0xFFFFFF00 and position + 8 + length > size
        position += 8 + length + length % 2
    return True


def _refuse_unreadable(path: Path) -> None:
    """Say what FFmpeg would only call an input error."""
    if path.is_dir():
        raise CauserieError("is a folder, not a recording", str(path), "name a file in it")
    if not path.exists():
        raise CauserieError("is missing", str(path), "put the recording there, or correct its name")
    if not os.access(path, os.R_OK):
        raise CauserieError("cannot be read", str(path), "give yourself the right to read it")
    if path.stat().st_size == 0:
        raise CauserieError("is empty", str(path), "copy the recording again")


def _described(path: Path) -> str:
    """What `ffmpeg -i` prints; it decodes nothing but the first moments."""
    try:
        return ffmpeg.pipe([*ffmpeg.source(path), "-map", "0:a:0?", "-t", "0", "-f", "null", "-"], lambda _: None)
    except CauserieError as error:
        return error.message


def _refuse_what_is_no_audio(path: Path, log: str) -> NoReturn:
    """Always raises: there is no audio stream, or no container that is a recording's."""
    if _DURATION.search(log) or "not contain any stream" in log:
        raise CauserieError("holds no sound", str(path), "name the file that has the sound")
    hint = "use WAV, FLAC, MP3, M4A, Ogg or another audio file; if it is one, it is damaged"
    raise CauserieError("is not a recording that can be read", str(path), hint)
