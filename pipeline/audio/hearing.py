"""Analyse a file in one streaming pass. All decisions about it are made from the resulting profile."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from pipeline.audio import ffmpeg
from pipeline.audio.probe import AGAIN, undecodable
from pipeline.audio.profile import FLOOR_DB, MOMENTS_PER_S, Floats, Profile, Profiler
from pipeline.errors import CauserieError

READ_S = 1.0  # duration of a block
# Dual mono: one channel is played on two loudspeakers, 3 LU louder than it measures alone.
METER = "ebur128=metadata=1:dualmono=true:framelog=quiet"
FLOATS = "aformat=sample_fmts=flt"
_MOMENT = re.compile(r"^lavfi\.r128\.M=(-?[\d.]+|nan|-?inf)", re.M)
LOUDEST = 1e6  # 1.0 is full scale; integers mistakenly stored as floats reach 2³¹


@dataclass(frozen=True)
class Heard:
    """The result of a pass."""

    profile: Profile
    log: str  # of FFmpeg, which reports damaged data there


def hear(
    path: Path,
    filters: Iterable[str],
    rate_hz: int,
    channels: int,
    *,
    stream: int = 0,
    tell: Callable[[float], None] = lambda done_s: None,
    also: Callable[[Floats], None] = lambda frames: None,
) -> Heard:
    """Measure the profile of a file's audio stream (counted from 0) after `filters`, which must produce `rate_hz` and `channels`.

    `tell` is called with the seconds done, `also` with every block of frames. Raises `CauserieError` when the file cannot be decoded,
    or holds samples that are not finite or far beyond full scale.
    """
    with tempfile.TemporaryFile() as lines:
        graph = ",".join([f"[0:a:{stream}]{FLOATS}", *filters, METER, moments(lines.fileno()), f"{FLOATS}[out]"])
        arguments = [*ffmpeg.source(path), "-filter_complex", graph, "-map", "[out]", "-f", "f32le", "pipe:1"]
        profiler = Profiler(rate_hz, channels)
        log = _passed(path, arguments, (lines.fileno(),), profiler, (tell, also), round(rate_hz * READ_S) * channels * 4)
        return Heard(profiler.profile(moments_in(lines, profiler)), log)


def moments(file: int) -> str:
    """Return the filter that writes momentary loudness (400 ms) to a file descriptor, so that metering needs no second pass."""
    return f"ametadata=mode=print:key=lavfi.r128.M:file=pipe\\\\:{file}"


def moments_in(lines: IO[bytes], profiler: Profiler) -> Floats:
    """Read the momentary loudness written by that filter, LUFS; at least `SILENCE_DB`.

    Raises `CauserieError` when values are missing because the disk was full.
    """
    lines.seek(0)
    loudness = np.array([float(each) for each in _MOMENT.findall(lines.read().decode("ascii"))], np.float32)
    if len(loudness) < profiler.samples * MOMENTS_PER_S // profiler.rate_hz - 1:  # FFmpeg does not report failed writes
        raise CauserieError("there is no space left for temporary files", tempfile.gettempdir(), "free some, or set TMPDIR to another disk")
    return np.maximum(np.nan_to_num(loudness, nan=FLOOR_DB, neginf=FLOOR_DB), FLOOR_DB).astype(np.float32)


def _passed(
    path: Path,
    arguments: list[str],
    shares: tuple[int, ...],
    profiler: Profiler,
    tell: tuple[Callable[[float], None], Callable[[Floats], None]],
    block_bytes: int,
) -> str:
    """Feed FFmpeg's output to the profiler and return its log."""
    try:
        with ffmpeg.running(arguments, shares=shares) as process:
            while block := process.read(block_bytes):
                frames = np.frombuffer(block, np.float32).reshape(-1, profiler.channels)
                if not np.abs(frames).max() <= LOUDEST:  # also true of NaN
                    at_s = profiler.samples / profiler.rate_hz
                    raise CauserieError(f"holds invalid samples (not numbers, or far too large) after {at_s:.0f} s", str(path), AGAIN)
                profiler.feed(frames)
                tell[0](profiler.samples / profiler.rate_hz)
                tell[1](frames)
    except CauserieError as error:
        if error.where:
            raise
        raise undecodable(path, error) from error
    return process.log
