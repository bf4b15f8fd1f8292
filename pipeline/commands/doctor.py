"""Checks the installation: packages, FFmpeg, the show's Whisper model, with the command that installs what is missing."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pipeline.config import load_config
from pipeline.model import CauserieError


@dataclass(frozen=True)
class HealthCheck:
    """The result of one check: `remedy` is a command or an instruction."""

    subject: str
    state: str
    is_ok: bool = True
    remedy: str = ""

    def __str__(self) -> str:
        return f"{'ok ' if self.is_ok else 'NO '} {self.subject}: {self.state}{f'; {self.remedy}' if self.remedy else ''}"


def diagnose(root: Path) -> list[HealthCheck]:
    """Check the machine and the show in `root`; nothing is downloaded or changed."""
    packages = ("openai-whisper", "torch", "typst", "feedgen", "mutagen", "boto3")
    return [
        HealthCheck("Python", platform.python_version()),
        _check_ffmpeg(),
        *map(_check_package, packages),
        _check_faster_whisper(),
        *_check_show(root),
    ]


def _check_faster_whisper() -> HealthCheck:
    """The optional, faster engine."""
    try:
        return HealthCheck("faster-whisper", metadata.version("faster-whisper"))
    except metadata.PackageNotFoundError:
        return HealthCheck("faster-whisper", "is not installed; transcription is slower without it", True, "pip install causerie[fast]")


def _check_package(name: str) -> HealthCheck:
    try:
        return HealthCheck(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return HealthCheck(name, "is not installed", False, f"pip install {name}")


def _check_ffmpeg() -> HealthCheck:
    try:
        import imageio_ffmpeg

        return HealthCheck("FFmpeg", f"{imageio_ffmpeg.get_ffmpeg_version()} from imageio-ffmpeg")
    except Exception as error:  # the remedy is the same whatever the error
        return HealthCheck("FFmpeg", str(error), False, "pip install --force-reinstall imageio-ffmpeg")


def _check_show(root: Path) -> list[HealthCheck]:
    if not (root / "show.toml").exists():
        return [HealthCheck("show", "there is no show in this folder", True, "use --show DIR to check one")]
    try:
        show = load_config(root)
    except CauserieError:
        return [HealthCheck("show", "has mistakes", False, "run causerie check")]
    return [HealthCheck("show", f"“{show.info.title}”, {len(show.episodes)} episodes"), _check_model(root, show.speech.model)]


def _check_model(root: Path, model: str) -> HealthCheck:
    """Whether the model is on this machine; Whisper downloads a named model on first use."""
    if model.endswith((".pt", "model.bin")):
        return HealthCheck("model", f"{model}, on this disk")
    cached = sorted((Path.home() / ".cache/whisper").glob(f"{model}*.pt"))
    state = f"{model}, downloaded" if cached else f"{model}, not downloaded yet"
    return HealthCheck("model", state, True, "" if cached else "the first causerie transcribe downloads it")
