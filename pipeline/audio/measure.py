"""Loudness (ITU-R BS.1770, EBU Tech 3341 and 3342) by FFmpeg's `ebur128`, of the master and of what is published."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.audio import ffmpeg
from pipeline.audio.levels import SILENT_LUFS
from pipeline.audio.probe import decoding, probe
from pipeline.errors import CauserieError
from pipeline.files import write_json
from pipeline.progress import report

SHORTEST_S = 0.4  # one block of BS.1770; there is no loudness below it
METER = "ebur128=peak=true:dualmono=true:framelog=quiet"  # dual mono: one channel is heard on two loudspeakers, 3 LU louder
_FIGURE = r":\s+(-?inf|nan|-?[\d.]+)"


@dataclass(frozen=True)
class Loudness:
    """What a file measures; a mono file as it is heard, on two loudspeakers."""

    integrated_lufs: float
    true_peak_dbtp: float
    range_lu: float
    duration_s: float


def measure(master: Path, *, loudness: Path) -> None:
    """Write what `master` measures as JSON; `CauserieError` when it is too short or silent."""
    write_json(loudness, asdict(loudness_of(master)))


def loudness_of(path: Path) -> Loudness:
    """The loudness of any audio file, decoded from end to end; figures to 0.1, duration to the sample.

    `CauserieError` when it lasts under 0.4 s or holds only silence.
    """
    found, count = probe(path), [0]

    def add(block: bytes) -> None:
        count[0] += len(block)
        report(count[0] / found.sample_rate_hz, found.duration_s or 0.0)

    as_bytes = ["-af", f"{METER},pan=mono|c0=c0", "-map", "0:a:0", "-c:a", "pcm_u8", "-f", "u8", "pipe:1"]
    log = decoding(path, [*ffmpeg.source(path), *as_bytes], add)  # one byte a sample: counting them is the duration
    return judged(path, parse(log, count[0] / found.sample_rate_hz))


def parse(log: str, duration_s: float) -> Loudness:
    """The loudness in the summary that `ebur128` logs last; figures it does not give are minus infinity."""
    summary = log.rpartition("Summary:")[2]
    return Loudness(_figure("I", summary), _figure("Peak", summary), _figure("LRA", summary), round(duration_s, 3))


def judged(path: Path, loudness: Loudness) -> Loudness:
    """The same, unless nothing can be made of it."""
    if loudness.duration_s < SHORTEST_S:
        said = f"lasts {loudness.duration_s:.2f} s, too short to have a loudness"
        raise CauserieError(said, str(path), "give a recording of 0.4 s or more")
    if not loudness.integrated_lufs > SILENT_LUFS:
        raise CauserieError("holds only silence", str(path), "check the microphone, or give another recording")
    return loudness


def _figure(name: str, summary: str) -> float:
    """A figure of the summary by its name."""
    found = re.search(rf"^\s+{name}{_FIGURE}", summary, re.M)
    return float(found[1]) if found else float("-inf")
