"""What happens to a voice between the mouth and the tape: level, telephone band, hiss, crackle, street, room.

Sounds are mono float32 arrays; levels are RMS in dBFS; every random sound comes from the generator given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt, sosfiltfilt

Audio = NDArray[np.float32]
TELEPHONE_HZ = (300.0, 3400.0)


def gain(decibels: float) -> float:
    """The amplitude factor of ``decibels``."""
    return 10 ** (decibels / 20)


def at_level(sound: Audio, level_db: float) -> Audio:
    """The same sound with that RMS level."""
    rms = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    return (sound * (gain(level_db) / max(rms, 1e-9))).astype(np.float32)


def band(sound: Audio, rate: int, low_hz: float | None, high_hz: float | None) -> Audio:
    """Only what lies between the two frequencies (either may be open), without moving anything in time."""
    edges = [edge for edge in (low_hz, high_hz) if edge is not None]
    kind = "bandpass" if len(edges) == 2 else "highpass" if high_hz is None else "lowpass"
    sections = butter(4, edges if len(edges) == 2 else edges[0], kind, fs=rate, output="sos")
    return sosfiltfilt(sections, sound).astype(np.float32)


def telephone(sound: Audio, rate: int) -> Audio:
    """An old reporter's line: 300 to 3400 Hz, slightly overdriven."""
    driven = np.tanh(1.5 * sound / max(1e-9, float(np.abs(sound).max())))
    return band(driven.astype(np.float32), rate, *TELEPHONE_HZ)


def tape(seconds: float, rate: int, level_db: float, noise: np.random.Generator) -> Audio:
    """Hiss at ``level_db`` with about seven crackles a second."""
    count = round(seconds * rate)
    hiss = at_level(noise.standard_normal(count).astype(np.float32), level_db)
    crackles = noise.random(count) < 7 / rate
    hiss[crackles] += (noise.standard_normal(int(crackles.sum())) * gain(level_db + 30)).astype(np.float32)
    return band(hiss, rate, 200.0, 4500.0)


def street(seconds: float, rate: int, level_db: float, noise: np.random.Generator) -> Audio:
    """Traffic: low noise that comes and goes over a few seconds."""
    count = round(seconds * rate)
    rumble = sosfilt(butter(1, 500.0, "lowpass", fs=rate, output="sos"), noise.standard_normal(count))
    marks_s = np.arange(int(seconds) + 2)
    passing = np.interp(np.arange(count) / rate, marks_s, 0.4 + noise.random(len(marks_s)))
    return at_level((rumble * passing).astype(np.float32), level_db)


def room(seconds: float, rate: int, level_db: float, noise: np.random.Generator) -> Audio:
    """The sound of a quiet room, for silences that are not digital zero."""
    count = round(seconds * rate)
    return at_level(band(noise.standard_normal(count).astype(np.float32), rate, None, 4000.0), level_db)
