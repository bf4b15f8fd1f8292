"""Request bodies that are read from an open file while they are sent: no file is held in memory, and progress counts the bytes sent."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.model import CauserieError
from pipeline.publish import PublicFile

_BLOCK_BYTES = 1 << 20
_SEND_BYTES = 1 << 16  # per read while sending: a larger block can exceed the socket's timeout on a slow line


class FileBody:
    """A stream over `length` bytes of an open file from `start`, with the methods that botocore and http.client use.

    It reads with `pread`, so that several threads can share one file descriptor, and always read the file that was opened.
    `on_progress` gets byte counts only while `is_sending`: without a known `sha256`, botocore first reads the whole body to sign it.
    The MD5 is computed during the first complete read.
    """

    def __init__(self, fd: int, start: int, length: int, on_progress: Callable[[int], None], sha256: str = "") -> None:
        self._fd, self._start, self._length, self._on_progress, self.sha256 = fd, start, length, on_progress, sha256
        self._position = self._reported = self._hashed = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.is_sending = False

    def __len__(self) -> int:
        return self._length

    def read(self, count: int = -1) -> bytes:
        """Return the next `count` bytes, or all that remain; while sending, at least 64 KiB.

        urllib3 asks for 16 KiB at a time and sends whatever it gets: larger blocks save system calls and waits for the interpreter lock.
        """
        remaining = self._length - self._position
        count = max(count, _SEND_BYTES) if self.is_sending and count and count > 0 else count
        block = os.pread(self._fd, remaining if count is None or count < 0 else min(count, remaining), self._start + self._position)
        self._update_md5(block)
        self._position += len(block)
        self._report_progress()
        return block

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset. Moving back while sending reports a negative number of bytes: they are sent again."""
        self._position = max(
            0, min(offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence], self._length)
        )
        self._report_progress()
        return self._position

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self._position

    def md5(self) -> bytes:
        """Return the MD5 of the whole body, reading it now unless signing or sending already has."""
        if self._hashed != self._length:
            self.is_sending = False
            self.seek(0)
            while self.read(_BLOCK_BYTES):
                pass
            self.seek(0)
        return self._md5.digest()

    def _update_md5(self, block: bytes) -> None:
        """Add a block to the MD5 when it follows the bytes hashed so far. A read from the start resets it, unless it was complete."""
        if self._position == 0 and self._hashed != self._length:
            self._hashed, self._md5 = 0, hashlib.md5(usedforsecurity=False)
        if self._position == self._hashed:
            self._md5.update(block)
            self._hashed += len(block)

    def _report_progress(self) -> None:
        if self.is_sending and self._position != self._reported:
            self._on_progress(self._position - self._reported)
            self._reported = self._position


@contextmanager
def open_verified(file: PublicFile, digest: Callable[[Path], str]) -> Iterator[int]:
    """Open a file to send and yield its descriptor; `digest` computes a SHA-256.

    Raises `CauserieError` when the file differs from the one that was planned, before or after sending: caches would keep it for a
    year under a wrong name.
    """
    fd = os.open(file.source, os.O_RDONLY)
    try:
        before = os.fstat(fd)
        if digest(file.source) != file.sha256:
            raise changed_error(file)
        yield fd
        after = os.fstat(fd)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise changed_error(file)
    finally:
        os.close(fd)


def changed_error(file: PublicFile) -> CauserieError:
    """The error for a file that was modified while it was being sent."""
    return CauserieError("changed while it was being published", str(file.source), "build again, then publish")


def etag(md5s: list[bytes]) -> str:
    """Return the ETag, unquoted, that S3 gives to content whose parts have these MD5s: the MD5, or the MD5 of the MD5s and their number."""
    if len(md5s) == 1:
        return md5s[0].hex()
    return f"{hashlib.md5(b''.join(md5s), usedforsecurity=False).hexdigest()}-{len(md5s)}"
