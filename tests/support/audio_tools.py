"""Audio for tests: noise with the rhythm of speech, and files of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import soundfile

from pipeline.audio.ffmpeg import executable, file_url

RATE_HZ = 44_100


def speech_like_noise(seconds: float, level_db: float = -24.0, *, seed: int = 1, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Return low-pass noise in four syllables a second; `level_db` is its RMS level."""
    count = round(seconds * rate_hz)
    noise = np.convolve(np.random.default_rng(seed).standard_normal(count + 15), np.hanning(18)[1:-1], mode="valid")[:count]
    sound = noise * (0.15 + np.abs(np.sin(2 * np.pi * 2 * np.arange(count) / rate_hz)))
    return sound * (10 ** (level_db / 20) / np.sqrt(np.mean(sound**2)))


def silence(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Return digital silence."""
    return np.zeros(round(seconds * rate_hz))


def write(path: Path, *parts: np.ndarray, rate_hz: int = RATE_HZ, subtype: str = "PCM_24") -> Path:
    """Write the parts one after the other to a file; a part with two columns is stereo."""
    soundfile.write(path, np.concatenate(parts), rate_hz, subtype=subtype)
    return path


def convert(source: Path, target: Path, *options: str) -> Path:
    """Convert to the format that the extension of `target` names."""
    subprocess.run([executable(), "-v", "error", "-nostdin", "-y", "-i", file_url(source), *options, file_url(target)], check=True)
    return target


def read_samples(path: Path) -> tuple[np.ndarray, int]:
    """Read samples (shape: samples, channels) with libsndfile, independently of FFmpeg, which wrote them."""
    return soundfile.read(path, always_2d=True)


def rms_db(sound: np.ndarray) -> float:
    """Return the RMS level, dB full scale."""
    return float(10 * np.log10(np.mean(np.square(sound)) + 1e-20))


def lag_samples(a: np.ndarray, b: np.ndarray) -> int:
    """Return by how many samples `b` is later than `a`, from their cross-correlation."""
    size = len(a) + len(b)
    likeness = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)))
    shift = int(np.argmax(likeness))
    return shift if shift < size // 2 else shift - len(likeness)
