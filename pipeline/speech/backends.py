"""The two Whisper implementations behind one interface: openai-whisper and faster-whisper take the same samples and return the same type.

    load_backend(engine, model) ─ Backend ─ transcribe(samples, language, prompt) ─ segments, in seconds from the first sample

`auto` selects the fastest one that is installed and can load the model: faster-whisper, then openai-whisper.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.model import ENGINES, CauserieError, suggest
from pipeline.speech.backend import FASTER_WHISPER, OPENAI_WHISPER, Backend

if TYPE_CHECKING:
    pass

_MODULE_NAMES = {FASTER_WHISPER: "faster_whisper", OPENAI_WHISPER: "whisper"}
_WHERE = "show.toml: speech.model"


@lru_cache(maxsize=1)
def load_backend(engine: str, model: str, checkpoint: str = "", device: str = "auto") -> Backend:
    """The model, loaded once per process. `checkpoint` is a .pt file or a folder with model.bin; without one, `model` is a name.

    `CauserieError` when no installed engine can load it, with the reason of the last one tried.
    """
    failures: list[CauserieError] = []
    for each in installed_backends(engine):
        if _can_load(each, model, checkpoint):
            try:
                return _load_with(each, model, checkpoint, device)
            except CauserieError as error:
                failures.append(error)
    raise failures[-1] if failures else _no_backend_error(installed_backends(engine), model, checkpoint)


def installed_backends(engine: str) -> list[str]:
    """The installed engines to try, the fastest first. `CauserieError` when there is none."""
    if engine not in ENGINES:
        raise CauserieError(f"there is no engine called “{engine}”", "show.toml: speech.engine", suggest(engine, ENGINES))
    candidates = [each for each in (FASTER_WHISPER, OPENAI_WHISPER) if engine in ("auto", each)]
    if present := [each for each in candidates if find_spec(_MODULE_NAMES[each])]:
        return present
    raise CauserieError(
        f"{candidates[0]} is not installed", "show.toml: speech.engine", 'pip install "causerie[fast]", or set engine = "auto"'
    )


def is_ctranslate2(checkpoint: Path) -> bool:
    """Whether a path is a model in CTranslate2's format: the folder, or its `model.bin`."""
    return checkpoint.name == "model.bin" or checkpoint.is_dir()


def _can_load(engine: str, model: str, checkpoint: str) -> bool:
    """Whether an engine can load this kind of model."""
    if checkpoint:
        return is_ctranslate2(Path(checkpoint)) == (engine == FASTER_WHISPER)
    return model in _model_names(engine) or (engine == FASTER_WHISPER and "/" in model)  # a repository of the Hugging Face hub


def _no_backend_error(engines: list[str], model: str, checkpoint: str) -> CauserieError:
    """The error that explains why none of the engines can load the model."""
    if checkpoint:
        wanted, what = (
            (FASTER_WHISPER, "a folder with model.bin") if is_ctranslate2(Path(checkpoint)) else (OPENAI_WHISPER, "a single file")
        )
        return CauserieError(f"is {what}, which only {wanted} reads", checkpoint, f'install {wanted} and set engine = "{wanted}"')
    names = {name for each in engines for name in _model_names(each)}
    hint = f"{suggest(model, names)} (or give the path of a .pt checkpoint, or of a folder with model.bin)"
    return CauserieError(f"Whisper has no model called “{model}”", _WHERE, hint)


def _model_names(engine: str) -> list[str]:
    """The models an engine can download by name."""
    if engine == FASTER_WHISPER:
        from faster_whisper import available_models
    else:
        from whisper import available_models
    names: list[str] = available_models()
    return names


def _load_with(engine: str, model: str, checkpoint: str, device: str) -> Backend:
    """The model, loaded by one engine."""
    if engine == FASTER_WHISPER:
        from pipeline.speech import faster_whisper_backend

        return faster_whisper_backend.load_model(model, checkpoint, device)
    from pipeline.speech import openai_whisper_backend

    return openai_whisper_backend.load_model(model, checkpoint, device)
