"""What was computed from the content of files, kept until a file changes: digests, and other values.

Deleting `.causerie/digests.json` or `.causerie/looked.json` costs the computation and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pipeline.engine.files import read_json, sha256, write_atomic
from pipeline.model import CauserieError

T = TypeVar("T")
FileStamp = list[int]  # size in bytes, modification time in nanoseconds, inode


class _JsonCache:
    """A JSON object in one file, read at the start and written at the end of a run. A damaged file, or entry, counts as missing."""

    def __init__(self, path: Path, fields: tuple[type, ...]) -> None:
        """`fields` are the types of an entry, which is an array in JSON."""
        self.path = path
        self._changed = False
        self._entries: dict[str, Any] = {}  # Any: values that `json` read
        with suppress(CauserieError, OSError, RecursionError):  # the last: damage that nests a thousand brackets
            known = read_json(path)
            if isinstance(known, dict):
                self._entries = {key: entry for key, entry in known.items() if _has_fields(entry, fields)}

    def save(self) -> None:
        """Write the cache if it changed."""
        if self._changed:
            write_atomic(self.path, json.dumps(self._entries, ensure_ascii=False))
            self._changed = False

    def _set(self, key: str, *entry: Any) -> None:
        self._entries[key] = entry
        self._changed = True


class FileCache(_JsonCache):
    """Cached JSON values about a show's files, by a key that names the file and the kind of value."""

    def __init__(self, root: Path) -> None:
        super().__init__(root / ".causerie/looked.json", (list, str, object))

    def get_or_compute(self, path: str | Path, key: str, version: str, compute: Callable[[], T]) -> T:
        """The cached value under `key` for the file at `path`, or else the result of `compute`, which is then cached.

        A value is valid for one size, modification time and inode of the file, and for one `version` of the code that computes it.
        Exceptions of `compute` are raised and not cached; raises `FileNotFoundError` when there is no such file.
        """
        stat = os.stat(path)  # before computing: a file that changes meanwhile is read again the next time
        stamp: FileStamp = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        entry = self._entries.get(key)
        if entry is not None and entry[0] == stamp and entry[1] == version:
            value: T = entry[2]
            return value
        value = compute()
        self._set(key, stamp, version, value)
        return value

    def save(self) -> None:
        """Write the cache if it changed; ignored where the show is read-only."""
        with suppress(OSError):
            super().save()


class DigestCache(_JsonCache):
    """The digests of a show's files, valid for one size and modification time. Paths are relative to the show."""

    def __init__(self, root: Path) -> None:
        super().__init__(root / ".causerie/digests.json", (int, int, str))
        self._root = os.path.join(root, "")
        self._digests: dict[str, str | None] = {}  # of this run: a file that many steps read is checked once

    def digest(self, path: str, *, fresh: bool = False) -> str | None:
        """The SHA-256 of a file, or None when it does not exist; checked once a run unless `fresh`.

        A file that changes during a run may be recorded with its previous digest: the next run then detects the change.
        """
        if fresh or path not in self._digests:
            self._digests[path] = self._current_digest(path)
        return self._digests[path]

    def store(self, path: str, digest: str) -> None:
        """Store a digest that was computed elsewhere."""
        self._store(path, digest, os.stat(self._root + path))

    def _current_digest(self, path: str) -> str | None:
        full = path if path.startswith("/") else self._root + path
        try:
            stat = os.stat(full)
        except (FileNotFoundError, NotADirectoryError):
            return None
        known = self._entries.get(path)
        if known is not None and known[0] == stat.st_size and known[1] == stat.st_mtime_ns:
            digest: str = known[2]
            return digest
        return self._store(path, sha256(Path(full)), stat)

    def _store(self, path: str, digest: str, stat: os.stat_result) -> str:
        self._set(path, stat.st_size, stat.st_mtime_ns, digest)
        self._digests[path] = digest
        return digest


@cache
def source_signature(*packages: Path) -> str:
    """A version of the code in `packages`, folders of modules: the first 12 digits of the SHA-256 of their source."""
    files = (file for package in packages for file in sorted(package.glob("*.py")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _has_fields(entry: object, fields: tuple[type, ...]) -> bool:
    return isinstance(entry, list) and len(entry) == len(fields) and all(map(isinstance, entry, fields))
