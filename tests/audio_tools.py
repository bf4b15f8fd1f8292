"""Sounds for the tests: noise that comes and goes like speech, and files of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import soundfile

from pipeline.audio.ffmpeg import address, executable

RATE_HZ = 44_100


def speech(seconds: float, level_db: float = -24.0, *, seed: int = 1, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Low-pass noise in four syllables a second; `level_db` is its RMS."""
    count = round(seconds * rate_hz)
    noise = np.convolve(np.random.default_rng(seed).standard_normal(count + 15), np.hanning(18)[1:-1], mode="valid")[:count]
    sound = noise * (0.15 + np.abs(np.sin(2 * np.pi * 2 * np.arange(count) / rate_hz)))
    return sound * (10 ** (level_db / 20) / np.sqrt(np.mean(sound**2)))


def silence(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Nothing at all."""
    return np.zeros(round(seconds * rate_hz))


def write(path: Path, *parts: np.ndarray, rate_hz: int = RATE_HZ, subtype: str = "PCM_24") -> Path:
    """The parts one after the other in a file; a part of two columns is stereo."""
    soundfile.write(path, np.concatenate(parts), rate_hz, subtype=subtype)
    return path


def convert(source: Path, target: Path, *options: str) -> Path:
    """The same sound in another format, by name."""
    subprocess.run([executable(), "-v", "error", "-nostdin", "-y", "-i", address(source), *options, address(target)], check=True)
    return target


def decoded(path: Path) -> tuple[np.ndarray, int]:
    """Samples, one row an instant, by libsndfile: another reader than the one that wrote them."""
    return soundfile.read(path, always_2d=True)


def rms_db(sound: np.ndarray) -> float:
    """Level of a piece of sound."""
    return float(10 * np.log10(np.mean(np.square(sound)) + 1e-20))


def lag(a: np.ndarray, b: np.ndarray) -> int:
    """By how many samples `b` comes later than `a`."""
    size = len(a) + len(b)
    likeness = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)))
    shift = int(np.argmax(likeness))
    return shift if shift < size // 2 else shift - len(likeness)
