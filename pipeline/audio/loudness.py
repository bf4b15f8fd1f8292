"""Measure loudness (ITU-R BS.1770, EBU Tech 3342) and true peak of an audio file in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio.probe import probe_file
from pipeline.model import CauserieError

if TYPE_CHECKING:
    from pipeline.audio.level_profile import LevelProfile


@dataclass(frozen=True)
class Loudness:
    """The loudness and true peak of a file; mono is measured as played on two loudspeakers, 3 LU louder than on one."""

    integrated_lufs: float
    true_peak_dbtp: float
    range_lu: float
    duration_s: float


def measure_loudness(path: Path) -> Loudness:
    """Measure an audio file, decoded from end to end; raises `CauserieError` when it is shorter than 0.4 s or silent."""
    return loudness_from_profile(path, measure_profile(path))


def measure_profile(path: Path, floor: float = math.inf, on_progress: Callable[[float], None] = lambda done_s: None) -> LevelProfile:
    """Measure the profile of a file; its `peaks` are true peaks for the highest block and all blocks above `floor` (1.0 is full scale).

    `on_progress` is called with the seconds done.
    """
    from dataclasses import replace

    from pipeline.audio.analysis import analyse
    from pipeline.audio.true_peak import TruePeakMeter

    info = probe_file(path)
    peaks = TruePeakMeter(info.sample_rate_hz, info.channels, floor)
    profile = analyse(path, (), info.sample_rate_hz, info.channels, on_progress=on_progress, on_frames=peaks.feed).profile
    return replace(profile, peaks=peaks.peaks())


def loudness_from_profile(path: Path, profile: LevelProfile) -> Loudness:
    """Return the figures for the profile of `path`, rounded to 0.01; the duration is exact to the sample.

    Raises `CauserieError` when it is shorter than 0.4 s or silent.
    """
    from pipeline.audio.level_profile import ABSOLUTE_GATE_LUFS, MIN_DURATION_S, loudness_range_lu

    if profile.duration_s < MIN_DURATION_S:
        message = f"lasts {profile.duration_s:.2f} s, too short to measure its loudness"
        raise CauserieError(message, str(path), "use a recording of 0.4 s or more")
    if not profile.integrated_lufs > ABSOLUTE_GATE_LUFS:
        raise CauserieError("holds only silence", str(path), "check the microphone, or use another recording")
    peak_dbtp = 20 * math.log10(max(profile.peak, 1e-6))
    return Loudness(
        round(profile.integrated_lufs, 2),
        round(peak_dbtp, 2),
        round(loudness_range_lu(profile.momentary_lufs), 2),
        round(profile.duration_s, 6),
    )
