"""Decodes a recording for Whisper: mono at 16 kHz, in blocks, so that three hours take no more memory than one minute."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio import input_arguments, open_process

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE_HZ = 16_000  # the sample rate Whisper was trained on
_BLOCK_S = 10
_SAMPLE_BYTES = 4


def decode_blocks(recording: Path) -> Generator[NDArray[np.float32], None, None]:
    """The samples of `recording`, −1 to 1, in blocks of 10 s; closing the iterator stops FFmpeg."""
    import numpy as np

    with open_process([*input_arguments(recording), "-map", "0:a:0", "-ac", "1", "-ar", str(RATE_HZ), "-f", "f32le", "-"]) as process:
        while block := process.read(_BLOCK_S * RATE_HZ * _SAMPLE_BYTES):
            yield np.frombuffer(block, "<f4")


def decode(recording: Path) -> NDArray[np.float32]:
    """All the samples of a short recording."""
    import numpy as np

    return np.concatenate([np.zeros(0, np.float32), *decode_blocks(recording)])
