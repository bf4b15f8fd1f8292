"""Loudness (ITU-R BS.1770, EBU Tech 3342) and true peak of any audio file, from one pass over it."""

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
    """What a file measures; a mono file as it is heard, on two loudspeakers, 3 LU louder than one."""

    integrated_lufs: float
    true_peak_dbtp: float
    range_lu: float
    duration_s: float


def loudness_of(path: Path) -> Loudness:
    """The loudness of any audio file, decoded from end to end; `CauserieError` when it lasts under 0.4 s or holds only silence."""
    return loudness(path, heard(path))


def heard(path: Path, floor: float = math.inf, tell: Callable[[float], None] = lambda done_s: None) -> Profile:
    """The profile of a file as it is, with its true peak among `peaks`, and those of all blocks that exceed `floor` (1.0 is full scale).

    `tell` hears how many seconds are done.
    """
    from dataclasses import replace

    from pipeline.audio.hearing import hear
    from pipeline.audio.truepeak import TruePeaks

    found = probe(path)
    peaks = TruePeaks(found.sample_rate_hz, found.channels, floor)
    profile = hear(path, (), found.sample_rate_hz, found.channels, tell=tell, also=peaks.feed).profile
    return replace(profile, peaks=peaks.peaks())


def loudness(path: Path, profile: Profile) -> Loudness:
    """The figures of the profile of `path`, to 0.01; the duration is exact to the sample."""
    from pipeline.audio.profile import SHORTEST_S, SILENT_LUFS, range_lu

    if profile.duration_s < SHORTEST_S:
        said = f"lasts {profile.duration_s:.2f} s, too short to have a loudness"
        raise CauserieError(said, str(path), "give a recording of 0.4 s or more")
    if not profile.integrated_lufs > SILENT_LUFS:
        raise CauserieError("holds only silence", str(path), "check the microphone, or give another recording")
    peak_dbtp = 20 * math.log10(max(profile.peak, 1e-6))
    return Loudness(
        round(profile.integrated_lufs, 2), round(peak_dbtp, 2), round(range_lu(profile.momentary_lufs), 2), round(profile.duration_s, 6)
    )
