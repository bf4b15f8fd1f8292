"""Real weights for tests: Whisper base, from the packages of the extra `base`, which the extra `test` brings."""

from __future__ import annotations

from pathlib import Path

from pipeline.speech.model_files import fetch_model


def base_folder() -> Path:
    """The folder of Whisper base in CTranslate2's format."""
    return fetch_model("base", engine="faster-whisper").path
