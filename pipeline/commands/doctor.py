"""Checks the installation: packages, FFmpeg, the show's Whisper model, with the command that installs what is missing; brings a model."""

from __future__ import annotations

import platform
from collections.abc import Callable
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


def fetch_named_model(root: Path, name: str, on_bytes: Callable[[int, int], None] = lambda done, total: None) -> str:
    """Bring a model to this machine, for the engine of the show in `root` if there is one; returns what came, from where and how large.

    `on_bytes` receives the bytes written and those expected, 0 when unknown. `CauserieError` when the model cannot be had, at `--fetch` for
    a name that nobody has.
    """
    from pipeline.speech import bring_model

    try:
        engine = load_config(root).speech.engine
    except CauserieError:  # no show here, or one with mistakes: `check` reports them
        engine = "auto"
    return bring_model(name, engine, root, on_bytes)


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
    """Whether the model is on this machine and whole, and where it is; the sentence of a problem is that of `check` and `draft`."""
    from pipeline.speech import inspect_model

    try:
        return HealthCheck("model", inspect_model(speech, root))
    except CauserieError as error:
        return HealthCheck(error.where, error.message, False, error.hint)
