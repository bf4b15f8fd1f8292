"""A lock between processes: `flock` on a file or a folder, which the system releases when the process that holds it ends."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.model import CauserieError

_LOCK_FILE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC  # not O_TRUNC: whatever stands there keeps its content


@contextmanager
def exclusive_lock(path: Path, when_held: CauserieError, *, lock_file: bool = True, required: bool = True) -> Iterator[None]:
    """Hold the lock of `path` for the block; raises `when_held` at once when another process, or another block, holds it.

    `path` is a lock file: created when missing, left behind afterwards, never truncated; a link in its place raises `CauserieError`.
    With `lock_file=False` it is an existing file or folder, opened for reading only. Some network file systems have no locks: there
    the block raises `OSError`, or with `required=False` runs without one.
    """
    descriptor = _open_lock_file(path) if lock_file else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise when_held from error
        except OSError:
            if required:
                raise
        yield
    finally:
        os.close(descriptor)


def _open_lock_file(path: Path) -> int:
    try:
        return os.open(path, _LOCK_FILE, 0o666)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise CauserieError("is a link, where a lock file should be", str(path), "delete the link") from error
