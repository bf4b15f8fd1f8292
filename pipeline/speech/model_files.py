"""Where the files of a Whisper model are: looked for on this machine first, then in the packages of the extra `base`, then on the hub.

    find_model(model) ─ what is on this machine, whole ──────┐
    fetch_model(model) ─ joined from packages, or downloaded ┴─ ModelFiles ─ load_backend
    check_fetchable(model) ─ what would be wrong, without writing anything or asking the network

A model is a path (a .pt file of openai-whisper, a folder or its model.bin in CTranslate2's format), or a name that the engines know, or a
repository of the Hugging Face hub. Nothing half-written is ever taken for a model.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.model import CauserieError, suggest
from pipeline.speech.backend import FASTER_WHISPER, OPENAI_WHISPER, WHERE
from pipeline.speech.model_cache import cache_home, download_folder, expected_bytes, require_room
from pipeline.speech.model_format import checkpoint_problem, folder_problem, is_ctranslate2
from pipeline.speech.model_hub import download, hub_snapshots, is_half_downloaded
from pipeline.speech.model_packages import are_installed, check_parts, is_joined, join_parts, joined_folder

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
        return _at_path(Path(os.path.expanduser(model)))
    _reject_unknown_name(model, engine)
    return next(_local_files(model, engine), None)


def check_fetchable(model: str, engine: str = "auto") -> str:
    """What `fetch_model` would do for a model that `find_model` did not find, as far as this machine can tell, in a few words.

    `CauserieError` for damaged packages, for a download that stopped half-way, and for want of room.
    """
    if is_packaged(model, engine):
        check_parts()
        return "base, 145 MB, from its two packages, to be joined at the first use"
    if damaged := damaged_copy(model, engine):
        raise damaged
    require_room(model, download_folder(_downloading_engine(engine)), expected_bytes(model))
    return f"{model} is not on this machine yet: the first causerie transcribe downloads it, or causerie doctor --fetch {model}"


def fetch_model(model: str, *, engine: str = "auto") -> ModelFiles:
    """The files of a model, brought here when they are not: from the packages that hold `base`, or else from the hub.

    `CauserieError` when they cannot be had, with the reason and what to do.
    """
    if found := find_model(model, engine=engine):
        return found
    if is_packaged(model, engine):
        return _measured(model, join_parts(), "from its two packages")
    chosen = _downloading_engine(engine)
    path = download(model, chosen, REPOSITORIES.get(model, model))
    if problem := folder_problem(path) if chosen == FASTER_WHISPER else checkpoint_problem(path):
        hint = "give a model in CTranslate2's format, whose folder has a model.bin" if model not in REPOSITORIES else f"delete {path}"
        raise CauserieError(f"what was downloaded as “{model}” {problem}", WHERE, hint)
    server = "the Hugging Face hub" if chosen == FASTER_WHISPER else "openai-whisper's server"
    return _measured(model, path, f"downloaded from {server}")


def is_path(model: str) -> bool:
    """Whether a model is given by a path, and not by a name or a repository of the hub."""
    if model in REPOSITORIES:
        return False  # a folder that happens to be called so is given as ./base
    return model.endswith((".pt", ".bin")) or model.startswith(("/", "~", "./", "../")) or os.path.isdir(model)


def is_packaged(model: str, engine: str) -> bool:
    """Whether packages on this machine hold the model, for an engine that may be used."""
    return model == "base" and engine != OPENAI_WHISPER and are_installed()


def damaged_copy(model: str, engine: str) -> CauserieError | None:
    """The error of a model in a cache of the engines that is cut or incomplete, as a download that stopped leaves it; None without one."""
    if engine != OPENAI_WHISPER:
        repository = REPOSITORIES.get(model, model)
        for problem in filter(None, map(folder_problem, hub_snapshots(repository))):
            return _not_whole(model, "the Hugging Face hub", problem)
        if is_half_downloaded(repository):
            return _not_whole(model, "the Hugging Face hub", "is half downloaded")
        if model == "base" and joined_folder().is_dir():
            return _not_whole(model, "causerie", "is damaged")
    checkpoint = _openai_file(model)
    if engine != FASTER_WHISPER and checkpoint.is_file() and (problem := checkpoint_problem(checkpoint)):
        return _not_whole(model, "openai-whisper", problem)
    return None


def _not_whole(model: str, cache: str, problem: str) -> CauserieError:
    message = f"the copy of the Whisper model “{model}” in the cache of {cache} {problem}"
    return CauserieError(message, WHERE, f"run causerie doctor --fetch {model}, with a network")


def _downloading_engine(engine: str) -> str:
    return OPENAI_WHISPER if engine == OPENAI_WHISPER else FASTER_WHISPER


def _at_path(path: Path) -> ModelFiles:
    mends = 'or set model = "base" and run causerie doctor --fetch base'
    folder = path.parent if path.name == "model.bin" else path
    given = folder if is_ctranslate2(path) else path
    if not os.path.exists(given):
        raise CauserieError(f"there is no model at {given}", WHERE, f"put it there or correct the path, {mends}")
    if not is_ctranslate2(path):
        if problem := checkpoint_problem(path):
            raise CauserieError(f"{path} {problem}", WHERE, f"copy the file again, {mends}")
        return _measured(path.name, path, "on this disk")
    if problem := folder_problem(folder):
        hint = f"copy the folder again, with model.bin, config.json, tokenizer.json and its vocabulary, {mends}"
        raise CauserieError(f"the model in {folder} {problem}", WHERE, hint)
    return _measured(folder.name, folder, "on this disk")


def _local_files(model: str, engine: str) -> Iterator[ModelFiles]:
    """What is here and whole, the fast engine's first; a damaged copy in a cache is passed over: it can be fetched again."""
    if engine != OPENAI_WHISPER:
        for folder in hub_snapshots(REPOSITORIES.get(model, model)):
            if not folder_problem(folder):
                yield _measured(model, folder, "from the cache of the Hugging Face hub")
        if model == "base" and is_joined():
            yield _measured(model, joined_folder(), "from its two packages")
    checkpoint = _openai_file(model)
    needs_fast = engine == FASTER_WHISPER or is_packaged(model, engine)
    if model in OPENAI_NAMES and not needs_fast and checkpoint.is_file() and not checkpoint_problem(checkpoint):
        yield _measured(model, checkpoint, "from the cache of openai-whisper")


def _openai_file(model: str) -> Path:
    """Where openai-whisper keeps a model of this name."""
    return cache_home() / "whisper" / _OPENAI_FILES.get(model, f"{model.replace('/', '-')}.pt")


def _reject_unknown_name(model: str, engine: str) -> None:
    names = OPENAI_NAMES if engine == OPENAI_WHISPER else tuple(REPOSITORIES)
    if model in names or (engine != OPENAI_WHISPER and model.count("/") == 1):
        return
    if model in REPOSITORIES:
        raise CauserieError(f"openai-whisper has no model called “{model}”", WHERE, 'set engine = "auto", which takes faster-whisper')
    hint = f"{suggest(model.lower(), names)} (or give the path of a .pt checkpoint, or of a folder with model.bin)"
    raise CauserieError(f"Whisper has no model called “{model}”", WHERE, hint)


def _measured(name: str, path: Path, source: str) -> ModelFiles:
    file = path / "model.bin" if path.is_dir() else path
    return ModelFiles(name, path, source, file.stat().st_size)
