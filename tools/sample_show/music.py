"""Music made of sines: chords that breathe, an arpeggio over them, a fade at each end."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

ROOTS_HZ = (98.0, 110.0, 130.8, 146.8, 164.8)
CHORDS = ((0, 4, 7, 12), (0, 3, 7, 10), (0, 5, 7, 12), (0, 7, 12, 16))  # semitones above the root
PROGRESSION = (0, 5, -3, 7)  # roots of a piece's bars, in semitones
MELODY = (0, 3, 4, 7, 9, 12)

Audio = NDArray[np.float32]


def _pitch(root_hz: float, semitones: float) -> float:
    return root_hz * 2 ** (semitones / 12)


def pad(seconds: float, rate: int, root_hz: float, chord: tuple[int, ...]) -> Audio:
    """A held chord of slightly detuned partials, each swelling at its own pace."""
    time = np.arange(round(seconds * rate)) / rate
    sound = np.zeros(len(time))
    for voice, semitones in enumerate(chord):
        frequency = _pitch(root_hz, semitones)
        for harmonic in (1, 2, 3):
            detune = 1 + 0.0008 * voice
            swell = 1 + 0.4 * np.sin(2 * np.pi * (0.3 + 0.2 * voice) * time + harmonic)
            sound += np.sin(2 * np.pi * frequency * harmonic * detune * time + voice) / harmonic**1.5 * swell
    return sound.astype(np.float32)


def pluck(seconds: float, rate: int, frequency_hz: float) -> Audio:
    """A short note that dies away, with a soft attack."""
    time = np.arange(round(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * frequency_hz * time) + 0.3 * np.sin(4 * np.pi * frequency_hz * time)
    return (tone * np.exp(-6 * time) * np.minimum(1, time / 0.008)).astype(np.float32)


def arpeggio(seconds: float, rate: int, root_hz: float, notes: tuple[int, ...], beat_s: float) -> Audio:
    """Plucked ``notes`` (semitones above the root) in turn, one every ``beat_s``, each ringing three beats."""
    total = round(seconds * rate)
    sound = np.zeros(total, np.float32)
    for index in range(int(seconds / beat_s)):
        note = pluck(3 * beat_s, rate, _pitch(root_hz, notes[index % len(notes)]))
        first = round(index * beat_s * rate)
        sound[first : first + len(note)] += note[: total - first]
    return sound


def faded(sound: Audio, rate: int, head_s: float, tail_s: float) -> Audio:
    """A copy that rises from silence and falls back to it along a quarter of a sine."""
    out = sound.copy()
    for seconds, window in ((head_s, slice(None)), (tail_s, slice(None, None, -1))):
        count = min(len(out) // 2, round(seconds * rate))
        ramp = np.sin(np.linspace(0, np.pi / 2, count)).astype(np.float32)
        out[window][:count] *= ramp
    return out


def piece(seconds: float, rate: int, seed: int) -> Audio:
    """``seconds`` of calm music at ``rate`` Hz, mono, peak 1, the same for the same seed."""
    rng = random.Random(seed)
    root, chord = rng.choice(ROOTS_HZ), rng.choice(CHORDS)
    bar_s = rng.uniform(1.8, 3.0)
    beat_s = rng.uniform(0.2, 0.5)
    with_melody = rng.random() < 0.75
    notes = tuple(rng.choice(MELODY) for _ in range(8))
    total = round(seconds * rate)
    sound = np.zeros(total + rate, np.float32)
    for bar, first in enumerate(range(0, total, round(bar_s * rate))):
        here = _pitch(root, PROGRESSION[bar % len(PROGRESSION)])
        part = pad(bar_s + 0.25, rate, here, chord)
        if with_melody:
            part += 2 * arpeggio(bar_s + 0.25, rate, 2 * here, notes, beat_s)
        part = faded(part, rate, 0.25, 0.25)[: len(sound) - first]
        sound[first : first + len(part)] += part
    sound = faded(sound[:total], rate, min(0.5, seconds / 4), min(1.5, seconds / 3))
    return sound / np.abs(sound).max()
