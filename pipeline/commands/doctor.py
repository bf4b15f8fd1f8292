"""Checks the installation: packages, FFmpeg, the show's Whisper model, with the command that installs what is missing."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pipeline.config import load_config
from pipeline.model import CauserieError, SpeechSettings


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
    packages = ("faster-whisper", "openai-whisper", "torch", "typst", "feedgen", "mutagen", "boto3")
    return [
        HealthCheck("Python", platform.python_version()),
        _check_ffmpeg(),
        *map(_check_package, packages),
        *_check_show(root),
    ]


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
    return [HealthCheck("show", f"“{show.info.title}”, {len(show.episodes)} episodes"), _check_model(root, show.speech)]


def _check_model(root: Path, speech: SpeechSettings) -> HealthCheck:
    """Whether the model is on this machine and whole, and where it is."""
    from pipeline.speech import describe_model

    model = str(root / speech.model) if speech.model.endswith((".pt", ".bin")) else speech.model
    try:
        state = describe_model(model, speech.engine)
    except CauserieError as error:
        return HealthCheck("model", f"{speech.model}: {error.message}", False, error.hint)
    if state:
        return HealthCheck("model", state)
    return HealthCheck("model", f"{speech.model} is not on this machine yet", True, "the first causerie transcribe brings it")
