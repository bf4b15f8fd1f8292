"""Checks the installation: packages, FFmpeg, the show's Whisper model, with the command that installs what is missing."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pipeline import catalog
from pipeline.errors import CauserieError


@dataclass(frozen=True)
class Finding:
    """The result of one check: `remedy` is a command or an instruction."""

    what: str
    state: str
    good: bool = True
    remedy: str = ""

    def __str__(self) -> str:
        return f"{'ok ' if self.good else 'NO '} {self.what}: {self.state}{f'; {self.remedy}' if self.remedy else ''}"


def examine(root: Path) -> list[Finding]:
    """Check the machine and the show in `root`; nothing is downloaded or changed."""
    packages = ("openai-whisper", "torch", "typst", "feedgen", "mutagen", "boto3")
    return [Finding("Python", platform.python_version()), _ffmpeg(), *map(_package, packages), _fast(), *_show(root)]


def _fast() -> Finding:
    """The optional, faster engine."""
    try:
        return Finding("faster-whisper", metadata.version("faster-whisper"))
    except metadata.PackageNotFoundError:
        return Finding("faster-whisper", "is not installed; transcription is slower without it", True, "pip install causerie[fast]")


def _package(name: str) -> Finding:
    try:
        return Finding(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "is not installed", False, f"pip install {name}")


def _ffmpeg() -> Finding:
    try:
        import imageio_ffmpeg

        return Finding("FFmpeg", f"{imageio_ffmpeg.get_ffmpeg_version()} from imageio-ffmpeg")
    except Exception as error:  # the remedy is the same whatever the error
        return Finding("FFmpeg", str(error), False, "pip install --force-reinstall imageio-ffmpeg")


def _show(root: Path) -> list[Finding]:
    if not (root / "show.toml").exists():
        return [Finding("show", "there is no show in this folder", True, "use --show DIR to check one")]
    try:
        show = catalog.load(root)
    except CauserieError:
        return [Finding("show", "has mistakes", False, "run causerie check")]
    return [Finding("show", f"“{show.info.title}”, {len(show.episodes)} episodes"), _model(root, show.speech.model)]


def _model(root: Path, model: str) -> Finding:
    """Whether the model is on this machine; Whisper downloads a named model on first use."""
    if model.endswith((".pt", "model.bin")):
        return Finding("model", f"{model}, on this disk")
    cached = sorted((Path.home() / ".cache/whisper").glob(f"{model}*.pt"))
    state = f"{model}, downloaded" if cached else f"{model}, not downloaded yet"
    return Finding("model", state, True, "" if cached else "the first causerie transcribe downloads it")
