"""The two Whisper implementations behind one interface: openai-whisper and faster-whisper take the same samples and return the same type.

    load_backend(engine, model) ─ Backend ─ transcribe(samples, language) ─ segments, in seconds from the first sample

`auto` selects the fastest one that is installed and can load the model: faster-whisper, then openai-whisper.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec

from pipeline.model import ENGINES, CauserieError, suggest
from pipeline.speech.backend import FASTER_WHISPER, OPENAI_WHISPER, Backend
from pipeline.speech.model_files import fetch_model

_MODULE_NAMES = {FASTER_WHISPER: "faster_whisper", OPENAI_WHISPER: "whisper"}


@lru_cache(maxsize=1)
def load_backend(engine: str, model: str, checkpoint: str = "", device: str = "auto") -> Backend:
    """The model, loaded once per process. `checkpoint` is a .pt file or a folder with model.bin; without one, `model` is a name.

    `CauserieError` when its files cannot be had or are damaged, and when the engine that reads them is not the one asked for.
    """
    engines = installed_backends(engine)
    files = fetch_model(checkpoint or model, engine=engines[0] if len(engines) == 1 else "auto")
    if files.engine not in engines:
        what = "a folder with model.bin" if files.engine == FASTER_WHISPER else "a single file"
        message = f"is {what}, which only {files.engine} reads"
        raise CauserieError(message, str(files.path), f'install {files.engine} and set engine = "{files.engine}"')
    if files.engine == FASTER_WHISPER:
        from pipeline.speech import faster_whisper_backend

        return faster_whisper_backend.load_model(files.path, device)
    from pipeline.speech import openai_whisper_backend

    return openai_whisper_backend.load_model(files.path, device)


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
