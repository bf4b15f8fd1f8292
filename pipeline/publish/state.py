"""What is remembered between publications, under `.causerie/publish/`: it saves reading and asking, and is never the truth.

Lost or damaged, it costs one slower publication.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import CauserieError
from pipeline.files import read_json, sha256, write_json
from pipeline.publish.upload import RemoteFile

_Stat = tuple[int, int, int]  # bytes, and in ns when content and file last changed: the second cannot be set by hand


class Digests:
    """SHA-256 of files, remembered by size and times: an unchanged publication reads no media."""

    def __init__(self, memory: Path, root: Path) -> None:
        self._memory, self._root = memory, root
        self._known: dict[str, tuple[_Stat, str]] = {
            name: ((row[0], row[1], row[2]), row[3]) for name, row in _remembered(memory).items() if isinstance(row, list) and len(row) == 4
        }
        self._used: dict[str, tuple[_Stat, str]] = {}

    def of(self, path: Path) -> str:
        """The digest of a file, read only when it may have changed."""
        name, now = self._name(path), _stat(path)
        before = self._known.get(name)
        return self.learn(path, before[1] if before is not None and before[0] == now else sha256(path))

    def learn(self, path: Path, digest: str) -> str:
        """Remember the digest of a file whose content has just been read or written; returns it."""
        self._known[self._name(path)] = self._used[self._name(path)] = (_stat(path), digest)
        return digest

    def save(self) -> None:
        """Keep what was asked about this time; the rest is forgotten."""
        write_json(self._memory, {name: [*stat, digest] for name, (stat, digest) in sorted(self._used.items())})

    def _name(self, path: Path) -> str:
        return Path(os.path.relpath(path, self._root)).as_posix()


def load_manifest(path: Path, target: str) -> dict[str, RemoteFile]:
    """What we last put in `target`; empty when the file is missing, damaged, or tells of another target."""
    value = _remembered(path)
    if value.get("target") != target:
        return {}
    try:
        return {key: RemoteFile(row["bytes"], row["sha256"], _pair(row["headers"]), row["tag"]) for key, row in value["files"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def save_manifest(path: Path, target: str, files: dict[str, RemoteFile]) -> None:
    """Write it whole; it names only what is already public there."""
    write_json(path, {"version": 1, "target": target, "files": {key: asdict(files[key]) for key in sorted(files)}})


def _stat(path: Path) -> _Stat:
    stat = path.stat()
    return (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _pair(headers: Any) -> tuple[str, str] | None:
    return None if headers is None else (headers[0], headers[1])


def _remembered(path: Path) -> dict[str, Any]:
    """A JSON object in a file, or nothing."""
    try:
        value = read_json(path)
    except (CauserieError, OSError):
        return {}
    return value if isinstance(value, dict) else {}
