"""What may happen to a voice before it reaches Whisper, on mel power: mouth, microphone, tape, street, codec.

``Dice`` is all the chance there is: the same seed gives the same sounds. Levels are in dB relative to the mean power of
speech; spectra have shape (frames, 80).
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from tools.demo_model.features import FRAMES_PER_S, N_MELS, Spectrum, mel_centres_hz

TELEPHONE_HZ = (300.0, 3400.0)
NOISE_DB = (-42.0, -17.0)  # of tape and street
CRACKLE_DB = (3.0, 15.0)  # above the tape's hiss
TRACT = (0.93, 1.07)  # vocal tract lengths


def decibels(value: float) -> float:
    """The power factor of ``value`` dB."""
    return 10 ** (value / 10)


class Dice:
    """Two generators, seeded alike: ``rng`` for decisions, ``noise`` for arrays."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.noise = np.random.default_rng(seed)

    def uniform(self, low: float, high: float) -> float:
        """A number between the two."""
        return self.rng.uniform(low, high)

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def static(self, frames: int) -> NDArray[np.float64]:
        """Mel power of white noise, mean 1: the square of a Gaussian amplitude is exponential."""
        return self.noise.standard_exponential((frames, N_MELS))


def warped(power: Spectrum, dice: Dice) -> Spectrum:
    """The mel axis stretched or shrunk by up to 7 %: longer or shorter vocal tracts."""
    where = np.clip(np.arange(N_MELS) * dice.uniform(*TRACT), 0, N_MELS - 1.01)
    below = where.astype(int)
    share = (where - below).astype(np.float32)
    return power[:, below] * (1 - share) + power[:, below + 1] * share


def tilt(depth_db: float, dice: Dice) -> Spectrum:
    """A smooth random equaliser over the 80 bands, as power factors: three cosines of up to ``depth_db`` / 2 each."""
    axis = np.arange(N_MELS) / N_MELS
    waves = (dice.uniform(-depth_db, depth_db) * np.cos(np.pi * k * axis + dice.uniform(0, 2 * np.pi)) for k in (1, 2, 3))
    return (10 ** (sum(waves) / 20)).astype(np.float32)


def telephone_band(dice: Dice) -> Spectrum:
    """300 to 3400 Hz, give or take, falling by 24 to 48 dB an octave outside, as power factors."""
    low = TELEPHONE_HZ[0] * dice.uniform(0.75, 1.3)
    high = TELEPHONE_HZ[1] * dice.uniform(0.8, 1.2)
    centres = mel_centres_hz()
    octaves = np.maximum(np.log2(low / centres), np.log2(centres / high))
    return (10 ** (-np.maximum(0, octaves) * dice.uniform(2.4, 4.8))).astype(np.float32)


def tape(frames: int, dice: Dice) -> Spectrum:
    """Hiss, mostly in the telephone's band, and crackles that last a frame or two."""
    noise = dice.static(frames).astype(np.float32)
    noise *= decibels(dice.uniform(*NOISE_DB))
    crackles = dice.noise.random(frames) < dice.uniform(0, 0.12)
    noise[crackles] *= decibels(dice.uniform(*CRACKLE_DB))
    return noise * tilt(4, dice) * (telephone_band(dice) if dice.chance(0.7) else 1)


def street(frames: int, dice: Dice) -> Spectrum:
    """Traffic: low noise that swells and fades from one second to the next."""
    fall = (1 + mel_centres_hz() / 500) ** -dice.uniform(0.5, 2.5)
    knots = np.arange(0, frames + FRAMES_PER_S, FRAMES_PER_S)
    swell = np.interp(np.arange(frames), knots, dice.noise.uniform(0.2, 1.5, len(knots))) ** 2
    noise = dice.static(frames) * fall / fall.mean() * swell[:, None]
    return (noise * decibels(dice.uniform(*NOISE_DB))).astype(np.float32)


def lost_highs(power: Spectrum, dice: Dice) -> None:
    """Weaken the highest bands in place, as a codec may."""
    power[:, dice.rng.randint(58, N_MELS) :] *= decibels(dice.uniform(-50, -15))


def mask(mel: Spectrum, dice: Dice) -> None:
    """Hide two bands and a few moments in place (SpecAugment, Park et al. 2019)."""
    mean = mel.mean()
    for _ in range(2):
        band = dice.rng.randint(0, N_MELS - 8)
        mel[:, band : band + dice.rng.randint(1, 8)] = mean
    for _ in range(len(mel) // 600 + 1):
        moment = dice.rng.randint(0, len(mel) - 12)
        mel[moment : moment + dice.rng.randint(1, 10)] = mean
