"""Measure loudness (ITU-R BS.1770, EBU Tech 3342) and true peak of an audio file in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio.probe import probe
from pipeline.errors import CauserieError

if TYPE_CHECKING:
    from pipeline.audio.profile import Profile


@dataclass(frozen=True)
class Loudness:
    """The loudness and true peak of a file; mono is measured as played on two loudspeakers, 3 LU louder than on one."""

    integrated_lufs: float
    true_peak_dbtp: float
    range_lu: float
    duration_s: float


def loudness_of(path: Path) -> Loudness:
    """Measure an audio file, decoded from end to end; raises `CauserieError` when it is shorter than 0.4 s or silent."""
    return loudness(path, heard(path))


def heard(path: Path, floor: float = math.inf, tell: Callable[[float], None] = lambda done_s: None) -> Profile:
    """Measure the profile of a file; its `peaks` are true peaks for the highest block and all blocks above `floor` (1.0 is full scale).

    `tell` is called with the seconds done.
    """
    from dataclasses import replace

    from pipeline.audio.hearing import hear
    from pipeline.audio.truepeak import TruePeaks

    found = probe(path)
    peaks = TruePeaks(found.sample_rate_hz, found.channels, floor)
    profile = hear(path, (), found.sample_rate_hz, found.channels, tell=tell, also=peaks.feed).profile
    return replace(profile, peaks=peaks.peaks())


def loudness(path: Path, profile: Profile) -> Loudness:
    """Return the figures for the profile of `path`, rounded to 0.01; the duration is exact to the sample.

    Raises `CauserieError` when it is shorter than 0.4 s or silent.
    """
    from pipeline.audio.profile import SHORTEST_S, SILENT_LUFS, range_lu

    if profile.duration_s < SHORTEST_S:
        said = f"lasts {profile.duration_s:.2f} s, too short to measure its loudness"
        raise CauserieError(said, str(path), "use a recording of 0.4 s or more")
    if not profile.integrated_lufs > SILENT_LUFS:
        raise CauserieError("holds only silence", str(path), "check the microphone, or use another recording")
    peak_dbtp = 20 * math.log10(max(profile.peak, 1e-6))
    return Loudness(
        round(profile.integrated_lufs, 2), round(peak_dbtp, 2), round(range_lu(profile.momentary_lufs), 2), round(profile.duration_s, 6)
    )
