"""Where the files of a Whisper model are: looked for on this machine first, then in the packages of the extra `base`, then on the hub.

    find_model(model) ─ what is on this machine, whole ─┐
    fetch_model(model) ─ joined from packages, or downloaded ┴─ ModelFiles ─ load_backend

A model is a path (a .pt file of openai-whisper, a folder or its model.bin in CTranslate2's format), or a name that the engines know, or a
repository of the Hugging Face hub. Nothing half-written is ever taken for a model.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.model import CauserieError, suggest
from pipeline.speech.backend import FASTER_WHISPER, OPENAI_WHISPER
from pipeline.speech.model_cache import cache_home
from pipeline.speech.model_format import folder_problem, is_ctranslate2
from pipeline.speech.model_hub import download
from pipeline.speech.model_packages import are_installed, join_parts, joined_folder

WHERE = "show.toml: speech.model"
# The repositories of the names, as faster-whisper lists them; the names alone are openai-whisper's too.
_SIZES = ("tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium", "large-v1", "large-v2", "large-v3")
REPOSITORIES = {
    **{name: f"Systran/faster-whisper-{name}" for name in _SIZES},
    "large": "Systran/faster-whisper-large-v3",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}
OPENAI_NAMES = (*_SIZES, "large", "large-v3-turbo", "turbo")
_OPENAI_FILES = {"large": "large-v3.pt", "turbo": "large-v3-turbo.pt"}


@dataclass(frozen=True)
class ModelFiles:
    """A model on this machine: a .pt file or a folder, where it was found, and its size."""

    name: str
    path: Path
    source: str
    size_bytes: int

    @property
    def engine(self) -> str:
        """The engine that reads it."""
        return FASTER_WHISPER if is_ctranslate2(self.path) else OPENAI_WHISPER

    def __str__(self) -> str:
        return f"{self.name}, {self.size_bytes / 1e6:.0f} MB, {self.source}: {self.path}"


def find_model(model: str, *, engine: str = "auto") -> ModelFiles | None:
    """The files of a model on this machine, checked for being whole; None for a name whose files are not here.

    `CauserieError` for a path that is not there or is damaged, and for a name that nobody has.
    """
    if is_path(model):
        return _at_path(Path(model).expanduser())
    _reject_unknown_name(model, engine)
    return next(_local_files(model, engine), None)


def describe_model(model: str, engine: str = "auto") -> str:
    """What a model is, how large and from where, in one line; empty when it must be downloaded. `CauserieError` as `find_model`."""
    if found := find_model(model, engine=engine):
        return str(found)
    return "base, 145 MB, from its two packages, to be joined at the first use" if _is_packaged(model, engine) else ""


def fetch_model(model: str, *, engine: str = "auto") -> ModelFiles:
    """The files of a model, brought here when they are not: from the packages that hold `base`, or else from the hub.

    `CauserieError` when they cannot be had, with the reason and what to do.
    """
    if found := find_model(model, engine=engine):
        return found
    if _is_packaged(model, engine):
        return _measured(model, join_parts(), "from its two packages")
    chosen = OPENAI_WHISPER if engine == OPENAI_WHISPER else FASTER_WHISPER
    path = download(model, chosen, REPOSITORIES.get(model, model))
    if chosen == FASTER_WHISPER and (problem := folder_problem(path)):
        raise CauserieError(problem, str(path), "delete this folder, and let it be downloaded again")
    return _measured(model, path, "downloaded")


def is_path(model: str) -> bool:
    """Whether a model is given by a path, and not by a name or a repository of the hub."""
    if model in REPOSITORIES:
        return False  # a folder that happens to be called so is given as ./base
    return model.endswith((".pt", ".bin")) or model.startswith(("/", "~", "./", "../")) or Path(model).is_dir()


def _is_packaged(model: str, engine: str) -> bool:
    """Whether packages on this machine hold the model, for an engine that may be used."""
    return model == "base" and engine != OPENAI_WHISPER and are_installed()


def _at_path(path: Path) -> ModelFiles:
    if not path.exists():
        raise CauserieError("there is no model at this path", str(path), 'correct speech.model in show.toml, or give a name such as "base"')
    if not is_ctranslate2(path):
        return _measured(path.name, path, "on this disk")
    folder = path.parent if path.name == "model.bin" else path
    if problem := folder_problem(folder):
        raise CauserieError(
            problem, str(folder), "copy the model again: a folder with model.bin, config.json, tokenizer.json and its vocabulary"
        )
    return _measured(folder.name, folder, "on this disk")


def _local_files(model: str, engine: str) -> Iterator[ModelFiles]:
    """What is here and whole, the fast engine's first; a damaged copy in a cache is passed over: it can be fetched again."""
    if engine != OPENAI_WHISPER:
        for folder in _hub_snapshots(REPOSITORIES.get(model, model)):
            if not folder_problem(folder):
                yield _measured(model, folder, "from the cache of the Hugging Face hub")
        if model == "base" and not folder_problem(joined_folder()):
            yield _measured(model, joined_folder(), "from its two packages")
    checkpoint = cache_home() / "whisper" / _OPENAI_FILES.get(model, f"{model}.pt")
    needs_fast = engine == FASTER_WHISPER or _is_packaged(model, engine)
    if model in OPENAI_NAMES and not needs_fast and checkpoint.is_file():
        yield _measured(model, checkpoint, "from the cache of openai-whisper")


def _hub_snapshots(repository: str) -> list[Path]:
    """The folders in which the hub's library keeps a repository, the newest first."""
    home = Path(os.environ.get("HF_HOME") or cache_home() / "huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or home / "hub").expanduser()
    snapshots = (hub / f"models--{repository.replace('/', '--')}" / "snapshots").glob("*")
    return sorted((each for each in snapshots if each.is_dir()), key=lambda each: each.stat().st_mtime, reverse=True)


def _reject_unknown_name(model: str, engine: str) -> None:
    names = OPENAI_NAMES if engine == OPENAI_WHISPER else tuple(REPOSITORIES)
    if model in names or (engine != OPENAI_WHISPER and model.count("/") == 1):
        return
    hint = f"{suggest(model, names)} (or give the path of a .pt checkpoint, or of a folder with model.bin)"
    raise CauserieError(f"Whisper has no model called “{model}”", WHERE, hint)


def _measured(name: str, path: Path, source: str) -> ModelFiles:
    file = path / "model.bin" if path.is_dir() else path
    return ModelFiles(name, path, source, file.stat().st_size)
