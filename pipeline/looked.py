"""What was once found out about files, kept in `.causerie/looked.json`: found out again only when a file is another one.

As with receipts, deleting it costs the looking and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import CauserieError
from pipeline.files import read_json, write_whole

Mark = list[int]  # size in bytes, modification time in nanoseconds, inode


class Looked:
    """What is known of a show's files, by a key that names the file and what was looked for. What is known are JSON values."""

    def __init__(self, root: Path) -> None:
        self.path = root / ".causerie/looked.json"
        self._changed = False
        self._known: dict[str, tuple[Mark, str, Any]] = {}
        with suppress(CauserieError, OSError, ValueError, TypeError, AttributeError):  # only a cache: a damaged one is empty
            known = read_json(self.path)
            self._known = {key: (mark, by, value) for key, (mark, by, value) in known.items()}

    def at(self, path: str | Path, key: str, by: str, look: Callable[[], Any]) -> Any:
        """What `look` finds in the file at `path`, unless that is known. `by` names those who look: others may find something else.

        Raises what `look` does, which is not kept; `FileNotFoundError` when there is no such file.
        """
        found = os.stat(path)  # before looking: a file that changes meanwhile is looked at again
        mark = [found.st_size, found.st_mtime_ns, found.st_ino]
        known = self._known.get(key)
        if known is not None and known[0] == mark and known[1] == by:
            return known[2]
        value = look()
        self._known[key] = (mark, by, value)
        self._changed = True
        return value

    def save(self) -> None:
        """Keep what was learnt, where the show can be written to."""
        if self._changed:
            with suppress(OSError):
                write_whole(self.path, json.dumps(self._known, ensure_ascii=False))
            self._changed = False


@cache
def signature(files: tuple[str, ...]) -> str:
    """Who looks, as a few digits of their source: `files` are the `__file__` of modules. Another source, another look."""
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()[:12]
