"""Whether there is a GPU that an engine can use, and what is said when there is none or when it does not work."""

from __future__ import annotations

import sys

from pipeline.model import CauserieError
from pipeline.speech.backend import FASTER_WHISPER

WHERE = "show.toml: speech.device"


def require_gpu(engine: str) -> None:
    """`CauserieError` when the engine sees no GPU. Imports the engine's library, and loads no model."""
    if not gpu_count(engine):
        raise CauserieError(f"asks for CUDA, and {engine} finds no GPU here", WHERE, 'set device = "auto"')


def gpu_count(engine: str) -> int:
    """How many GPUs an engine can use, as far as its library knows before it computes."""
    if engine == FASTER_WHISPER:
        from ctranslate2 import get_cuda_device_count

        return int(get_cuda_device_count())
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def report_broken_gpu(device: str, error: Exception) -> None:
    """Say that the GPU does not work and the processor is used; `CauserieError` when the GPU was asked for."""
    reason = " ".join(str(error).split())[:200]
    if device == "cuda":
        raise CauserieError(f"asks for CUDA, which does not work ({reason})", WHERE, 'repair the driver, or set device = "cpu"') from error
    print(f"CUDA does not work ({reason}): Whisper runs on the processor", file=sys.stderr)
