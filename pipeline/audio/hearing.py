"""One pass over a file, decoded and never held: everything that is decided about it is decided on what this leaves behind."""

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

READ_S = 1.0  # of sound at a time
# Dual mono: one channel is heard on two loudspeakers, 3 LU louder than it measures alone.
METER = "ebur128=metadata=1:dualmono=true:framelog=quiet"
FLOATS = "aformat=sample_fmts=flt"
_MOMENT = re.compile(r"^lavfi\.r128\.M=(-?[\d.]+|nan|-?inf)", re.M)
LOUDEST = 1e6  # 1.0 is full scale; floats that were integers reach 2³¹ only by mistake


@dataclass(frozen=True)
class Heard:
    """What a pass found."""

    profile: Profile
    log: str  # what FFmpeg said meanwhile: damage is told there


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
    """The profile of a file's audio stream (counted from 0) after `filters`, which give `rate_hz` and `channels`.

    `tell` hears how many seconds are done, `also` every block of frames. `CauserieError` when it cannot be decoded, or holds samples
    that are no numbers.
    """
    with tempfile.TemporaryFile() as lines:
        graph = ",".join([f"[0:a:{stream}]{FLOATS}", *filters, METER, moments(lines.fileno()), f"{FLOATS}[out]"])
        arguments = [*ffmpeg.source(path), "-filter_complex", graph, "-map", "[out]", "-f", "f32le", "pipe:1"]
        profiler = Profiler(rate_hz, channels)
        log = _passed(path, arguments, (lines.fileno(),), profiler, (tell, also), round(rate_hz * READ_S) * channels * 4)
        return Heard(profiler.profile(moments_in(lines, profiler)), log)


def moments(file: int) -> str:
    """The filter that writes the loudness of each 400 ms into an open file of ours: audio is metered while it passes, not again."""
    return f"ametadata=mode=print:key=lavfi.r128.M:file=pipe\\\\:{file}"


def moments_in(lines: IO[bytes], profiler: Profiler) -> Floats:
    """What that filter wrote while the profiler was fed, LUFS; `FLOOR_DB` where there was nothing to hear."""
    lines.seek(0)
    loudness = np.array([float(each) for each in _MOMENT.findall(lines.read().decode("ascii"))], np.float32)
    if len(loudness) < profiler.samples * MOMENTS_PER_S // profiler.rate_hz - 1:  # FFmpeg does not tell that it could not write them
        raise CauserieError("there is no room left for temporary files", tempfile.gettempdir(), "make room, or set TMPDIR to another disk")
    return np.maximum(np.nan_to_num(loudness, nan=FLOOR_DB, neginf=FLOOR_DB), FLOOR_DB).astype(np.float32)


def _passed(
    path: Path,
    arguments: list[str],
    shares: tuple[int, ...],
    profiler: Profiler,
    tell: tuple[Callable[[float], None], Callable[[Floats], None]],
    block_bytes: int,
) -> str:
    """Feed the profiler everything FFmpeg gives; what it logged."""
    try:
        with ffmpeg.running(arguments, shares=shares) as process:
            while block := process.read(block_bytes):
                frames = np.frombuffer(block, np.float32).reshape(-1, profiler.channels)
                if not np.abs(frames).max() <= LOUDEST:  # true of what is no number, too
                    at_s = profiler.samples / profiler.rate_hz
                    raise CauserieError(f"holds samples that are no sound, after {at_s:.0f} s", str(path), AGAIN)
                profiler.feed(frames)
                tell[0](profiler.samples / profiler.rate_hz)
                tell[1](frames)
    except CauserieError as error:
        if error.where:
            raise
        raise undecodable(path, error) from error
    return process.log
