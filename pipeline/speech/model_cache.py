"""The folders in which the engines and this program keep models, and whether there is room in them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pipeline.model import CauserieError
from pipeline.speech.backend import OPENAI_WHISPER, WHERE

# Bytes of a model, rounded up: by half precision, the same for both engines.
_SIZES_BYTES = {"tiny": 80e6, "base": 150e6, "small": 490e6, "medium": 1.54e9, "large": 3.1e9, "turbo": 1.63e9, "distil-large": 1.52e9}


def cache_home() -> Path:
    """$XDG_CACHE_HOME, or ~/.cache (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def hub_home() -> Path:
    """Where the library of the Hugging Face hub keeps repositories."""
    home = Path(os.environ.get("HF_HOME") or cache_home() / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or home / "hub").expanduser()


def download_folder(engine: str) -> Path:
    """Where a model that an engine downloads is kept."""
    return cache_home() / "whisper" if engine == OPENAI_WHISPER else hub_home()


def expected_bytes(model: str) -> int:
    """About how large a model of this name is; 0 when its name does not tell."""
    names = sorted((name for name in _SIZES_BYTES if name in model), key=len)
    return int(_SIZES_BYTES[names[-1]]) if names else 0


def require_room(model: str, folder: Path, size_bytes: int) -> None:
    """`CauserieError` when a folder, which may not exist yet, cannot take a model of this size."""
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise not_kept(model, folder, f"{existing} cannot be written")
    if (free_bytes := shutil.disk_usage(existing).free) < size_bytes:
        reason = f"it needs {size_bytes / 1e6:.0f} MB, and {free_bytes / 1e6:.0f} MB are free"
        raise not_kept(model, folder, reason)


def not_kept(model: str, folder: Path, reason: str) -> CauserieError:
    """The error of a cache that cannot take a model."""
    hint = f"make room there, or set XDG_CACHE_HOME to a folder on another disk, then run causerie doctor --fetch {model}"
    return CauserieError(f"the Whisper model “{model}” cannot be kept in {folder} ({reason})", WHERE, hint)
