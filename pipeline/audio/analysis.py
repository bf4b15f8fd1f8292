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
from pipeline.audio.level_profile import MOMENTARY_PER_S, SILENCE_DB, Float32Array, LevelMeter, LevelProfile
from pipeline.audio.probe import COPY_AGAIN, decode_error
from pipeline.model import CauserieError

READ_BLOCK_S = 1.0  # duration of a block
# Dual mono: one channel is played on two loudspeakers, 3 LU louder than it measures alone.
EBUR128_FILTER = "ebur128=metadata=1:dualmono=true:framelog=quiet"
FLOAT_FILTER = "aformat=sample_fmts=flt"
_MOMENTARY_LINE = re.compile(r"^lavfi\.r128\.M=(-?[\d.]+|nan|-?inf)", re.M)
MAX_SAMPLE = 1e6  # 1.0 is full scale; integers mistakenly stored as floats reach 2³¹


@dataclass(frozen=True)
class Analysis:
    """The result of a pass."""

    profile: LevelProfile
    log: str  # of FFmpeg, which reports damaged data there


def analyse(
    path: Path,
    filters: Iterable[str],
    rate_hz: int,
    channels: int,
    *,
    stream: int = 0,
    on_progress: Callable[[float], None] = lambda done_s: None,
    on_frames: Callable[[Float32Array], None] = lambda frames: None,
) -> Analysis:
    """Measure the profile of a file's audio stream (counted from 0) after `filters`, which must produce `rate_hz` and `channels`.

    `on_progress` is called with the seconds done, `on_frames` with every block of frames. Raises `CauserieError` when the file cannot be
    decoded, or holds samples that are not finite or far beyond full scale.
    """
    with tempfile.TemporaryFile() as loudness_file:
        graph = ",".join(
            [f"[0:a:{stream}]{FLOAT_FILTER}", *filters, EBUR128_FILTER, momentary_filter(loudness_file.fileno()), f"{FLOAT_FILTER}[out]"]
        )
        arguments = [*ffmpeg.input_arguments(path), "-filter_complex", graph, "-map", "[out]", "-f", "f32le", "pipe:1"]
        profiler = LevelMeter(rate_hz, channels)
        log = _feed_profiler(
            path, arguments, (loudness_file.fileno(),), profiler, (on_progress, on_frames), round(rate_hz * READ_BLOCK_S) * channels * 4
        )
        return Analysis(profiler.profile(read_momentary_lufs(loudness_file, profiler)), log)


def momentary_filter(file_descriptor: int) -> str:
    """Return the filter that writes momentary loudness (400 ms) to a file descriptor, so that metering needs no second pass."""
    return f"ametadata=mode=print:key=lavfi.r128.M:file=pipe\\\\:{file_descriptor}"


def read_momentary_lufs(loudness_file: IO[bytes], profiler: LevelMeter) -> Float32Array:
    """Read the momentary loudness written by that filter, LUFS; at least `SILENCE_DB`.

    Raises `CauserieError` when values are missing because the disk was full.
    """
    loudness_file.seek(0)
    loudness = np.array([float(each) for each in _MOMENTARY_LINE.findall(loudness_file.read().decode("ascii"))], np.float32)
    if len(loudness) < profiler.samples * MOMENTARY_PER_S // profiler.rate_hz - 1:  # FFmpeg does not report failed writes
        raise CauserieError("there is no space left for temporary files", tempfile.gettempdir(), "free some, or set TMPDIR to another disk")
    return np.maximum(np.nan_to_num(loudness, nan=SILENCE_DB, neginf=SILENCE_DB), SILENCE_DB).astype(np.float32)


def _feed_profiler(
    path: Path,
    arguments: list[str],
    inherited_fds: tuple[int, ...],
    profiler: LevelMeter,
    callbacks: tuple[Callable[[float], None], Callable[[Float32Array], None]],
    block_bytes: int,
) -> str:
    """Feed FFmpeg's output to the profiler and return its log."""
    try:
        with ffmpeg.open_process(arguments, inherited_fds=inherited_fds) as process:
            while block := process.read(block_bytes):
                frames = np.frombuffer(block, np.float32).reshape(-1, profiler.channels)
                if not np.abs(frames).max() <= MAX_SAMPLE:  # also true of NaN
                    at_s = profiler.samples / profiler.rate_hz
                    raise CauserieError(f"holds invalid samples (not numbers, or far too large) after {at_s:.0f} s", str(path), COPY_AGAIN)
                profiler.feed(frames)
                callbacks[0](profiler.samples / profiler.rate_hz)
                callbacks[1](frames)
    except CauserieError as error:
        if error.where:
            raise
        raise decode_error(path, error) from error
    return process.log
