"""Request bodies that are read from an open file as they go: a large file costs no memory, and progress counts what really left."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import CauserieError
from pipeline.publish.tree import PublicFile

_BLOCK_BYTES = 1 << 20
_SENT_BYTES = 1 << 16  # at once: a socket gives up when a block has not left within its timeout, as a large one has not on a slow line


class Body:
    """`length` bytes of an open file from `start`, with what botocore and http.client ask of a stream.

    It reads with `pread`, so several threads share one file and none can see a mixture of an old and a new one.
    `moved` hears bytes only while `sending`: of a body whose `sha256` is not known botocore reads all before, to sign it. The MD5 is
    taken the first time that all of it is read.
    """

    def __init__(self, handle: int, start: int, length: int, moved: Callable[[int], None], sha256: str = "") -> None:
        self._handle, self._start, self._length, self._moved, self.sha256 = handle, start, length, moved, sha256
        self._at = self._told = self._digested = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.sending = False

    def __len__(self) -> int:
        return self._length

    def read(self, count: int = -1) -> bytes:
        """The next `count` bytes, or all that are left; while sending, a block however few are asked for.

        urllib3 asks for 16 KiB at a time and passes on what it gets: each time a system call, and a wait for the interpreter's lock.
        """
        left = self._length - self._at
        count = max(count, _SENT_BYTES) if self.sending and count and count > 0 else count
        block = os.pread(self._handle, left if count is None or count < 0 else min(count, left), self._start + self._at)
        self._digest(block)
        self._at += len(block)
        self._tell()
        return block

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in it; going back says that some bytes were sent in vain."""
        self._at = max(0, min(offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence], self._length))
        self._tell()
        return self._at

    def tell(self) -> int:
        """Where the next byte is read from."""
        return self._at

    def md5(self) -> bytes:
        """The MD5 of all of it: as it was read to be signed or sent, else it is read now."""
        if self._digested != self._length:
            self.sending = False
            self.seek(0)
            while self.read(_BLOCK_BYTES):
                pass
            self.seek(0)
        return self._md5.digest()

    def _digest(self, block: bytes) -> None:
        """Take a block into the MD5 when it follows what is in it already; from the start, anew, unless that was all."""
        if self._at == 0 and self._digested != self._length:
            self._digested, self._md5 = 0, hashlib.md5(usedforsecurity=False)
        if self._at == self._digested:
            self._md5.update(block)
            self._digested += len(block)

    def _tell(self) -> None:
        if self.sending and self._at != self._told:
            self._moved(self._at - self._told)
            self._told = self._at


@contextmanager
def opened(file: PublicFile, digest: Callable[[Path], str]) -> Iterator[int]:
    """An open handle on a file to send, whose SHA-256 `digest` gives.

    Raises `CauserieError` when the file is not, before or after, what was compared: it would be kept for a year under a wrong name.
    """
    handle = os.open(file.source, os.O_RDONLY)
    try:
        before = os.fstat(handle)
        if digest(file.source) != file.sha256:
            raise changed(file)
        yield handle
        after = os.fstat(handle)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise changed(file)
    finally:
        os.close(handle)


def changed(file: PublicFile) -> CauserieError:
    """What is said of a file that was written to while it was being sent."""
    return CauserieError("changed while it was being published", str(file.source), "build again, then publish")


def etag(parts: list[bytes]) -> str:
    """The ETag that S3 gives to content of these part digests, without quotes: MD5, or the MD5 of MD5s and their number."""
    if len(parts) == 1:
        return parts[0].hex()
    return f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"
