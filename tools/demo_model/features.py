"""Whisper's own spectrogram, kept as power so that sounds can be mixed after it is made."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from whisper.audio import HOP_LENGTH, N_FFT, SAMPLE_RATE, mel_filters

N_MELS = 80
FRAMES_PER_S = SAMPLE_RATE // HOP_LENGTH  # 100 spectrogram frames a second
STATES_PER_S = FRAMES_PER_S // 2  # 50 encoder states: its second convolution has stride 2
FLOOR = 1e-10  # Whisper's smallest power

Spectrum = NDArray[np.float32]


@cache
def _window() -> torch.Tensor:
    return torch.hann_window(N_FFT)


def mel_power(samples: NDArray[np.float32]) -> Spectrum:
    """Mel power of mono 16 kHz ``samples``, shape (frames, 80): Whisper's log-mel spectrogram before the log."""
    audio = torch.as_tensor(np.ascontiguousarray(samples), dtype=torch.float32)
    stft = torch.stft(audio, N_FFT, HOP_LENGTH, window=_window(), return_complex=True)
    return (mel_filters("cpu", N_MELS) @ (stft[..., :-1].abs() ** 2)).T.numpy()


@cache
def mel_centres_hz() -> NDArray[np.float32]:
    """Where each mel band has its centre of mass, in hertz."""
    filters = mel_filters("cpu", N_MELS).numpy()
    bins = np.linspace(0, SAMPLE_RATE / 2, filters.shape[1])
    return (filters @ bins / filters.sum(axis=1)).astype(np.float32)
