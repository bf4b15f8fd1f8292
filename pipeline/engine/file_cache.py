"""A cache of values computed from files, kept in `.causerie/looked.json`: a value is computed again only when its file changed.

Deleting the cache costs the computation and nothing else.
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

from pipeline.engine.files import read_json, write_atomic
from pipeline.model import CauserieError

T = TypeVar("T")
FileStamp = list[int]  # size in bytes, modification time in nanoseconds, inode


class FileCache:
    """Cached JSON values about a show's files, by a key that names the file and the kind of value."""

    def __init__(self, root: Path) -> None:
        self.path = root / ".causerie/looked.json"
        self._changed = False
        self._entries: dict[str, tuple[FileStamp, str, Any]] = {}  # Any: values that `json` read
        with suppress(CauserieError, OSError, ValueError, TypeError, AttributeError):  # a damaged cache counts as empty
            known = read_json(self.path)
            self._entries = {key: (mark, by, value) for key, (mark, by, value) in known.items()}

    def get_or_compute(self, path: str | Path, key: str, version: str, compute: Callable[[], T]) -> T:
        """The cached value under `key` for the file at `path`, or else the result of `compute`, which is then cached.

        A value is valid for one size, modification time and inode of the file, and for one `version` of the code that computes it.
        Exceptions of `compute` are raised and not cached; raises `FileNotFoundError` when there is no such file.
        """
        stat = os.stat(path)  # before computing: a file that changes meanwhile is read again the next time
        stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        entry = self._entries.get(key)
        if entry is not None and entry[0] == stamp and entry[1] == version:
            value: T = entry[2]
            return value
        value = compute()
        self._entries[key] = (stamp, version, value)
        self._changed = True
        return value

    def save(self) -> None:
        """Write the cache if it changed; ignored where the show is read-only."""
        if self._changed:
            with suppress(OSError):
                write_atomic(self.path, json.dumps(self._entries, ensure_ascii=False))
            self._changed = False


@cache
def source_signature(*packages: Path) -> str:
    """A version of the code in `packages`, folders of modules: the first 12 digits of the SHA-256 of their source."""
    files = (file for package in packages for file in sorted(package.glob("*.py")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
