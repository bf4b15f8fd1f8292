"""Brings a model to this machine before it is needed, and says how far it is: `causerie doctor --fetch`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from pipeline.model import CauserieError
from pipeline.speech.backend import FASTER_WHISPER, OPENAI_WHISPER
from pipeline.speech.backends import only_engine
from pipeline.speech.model_cache import cache_home, download_folder, expected_bytes
from pipeline.speech.model_files import fetch_model, find_model
from pipeline.speech.model_hub import quiet_library

_LOOK_EVERY_S = 0.5
BytesCallback = Callable[[int, int], None]  # written so far, expected in all (0: unknown)


def bring_model(name: str, engine: str, root: Path, on_bytes: BytesCallback = lambda done, total: None) -> str:
    """Fetch a model by name, or look at one by its path, relative to `root`; returns a sentence of what came from where, and how large.

    `CauserieError` as `fetch_model`; its place is the option, `--fetch`, for a name that nobody has.
    """
    only = only_engine(engine)
    path = os.path.join(root, os.path.expanduser(name))
    model = path if os.path.exists(path) and "/" in name else name
    try:
        here = find_model(model, engine=only)
    except CauserieError as error:
        raise CauserieError(error.message, "--fetch", error.hint) from error
    if here:
        return f"{here} (it was here already)"
    quiet_library()
    folder = download_folder(OPENAI_WHISPER if only == OPENAI_WHISPER else FASTER_WHISPER)
    try:
        with _watched((folder, cache_home() / "causerie"), expected_bytes(name), on_bytes):
            return str(fetch_model(model, engine=only))
    except CauserieError as error:
        raise CauserieError(error.message, "", error.hint) from error


@contextmanager
def _watched(folders: tuple[Path, ...], total_bytes: int, on_bytes: BytesCallback) -> Iterator[None]:
    """Meanwhile, report how much the folders grow: each library counts in its own way, and the disk says it for all."""
    done, before = Event(), _size_bytes(folders)

    def watch() -> None:
        while not done.wait(_LOOK_EVERY_S):
            on_bytes(max(0, _size_bytes(folders) - before), total_bytes)

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _size_bytes(folders: tuple[Path, ...]) -> int:
    """The bytes of all files below the folders; those that go meanwhile are not counted."""
    total = 0
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                try:
                    total += os.lstat(os.path.join(place, name)).st_size
                except OSError:
                    pass
    return total
