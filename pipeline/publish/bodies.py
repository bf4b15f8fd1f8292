"""Request bodies that are read from an open file as they go: a large file costs no memory, and progress counts what really left."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.errors import CauserieError
from pipeline.publish.tree import PublicFile

_BLOCK_BYTES = 1 << 20
_SENT_BYTES = 1 << 16  # at once: a socket gives up when a block has not left within its timeout, as a large one has not on a slow line


class Body:
    """`length` bytes of an open file from `start`, with what botocore and http.client ask of a stream.

    It reads with `pread`, so several threads share one file and none can see a mixture of an old and a new one.
    `moved` hears bytes only while `sending`: botocore reads every body once before, to sign it.
    """

    def __init__(self, handle: int, start: int, length: int, moved: Callable[[int], None]) -> None:
        self._handle, self._start, self._length, self._moved = handle, start, length, moved
        self._at = self._told = 0
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

    def _tell(self) -> None:
        if self.sending and self._at != self._told:
            self._moved(self._at - self._told)
            self._told = self._at


@contextmanager
def opened(file: PublicFile, part_bytes: int) -> Iterator[tuple[int, list[bytes]]]:
    """An open handle on a file to send, and the MD5 of each part of it.

    Raises `CauserieError` when the file is not, before or after, what was compared: it would be kept for a year under a wrong name.
    """
    handle = os.open(file.source, os.O_RDONLY)
    try:
        before = os.fstat(handle)
        digest, parts = _digests(handle, part_bytes)
        if digest != file.sha256:
            raise changed(file)
        yield handle, parts
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


def _digests(handle: int, part_bytes: int) -> tuple[str, list[bytes]]:
    """SHA-256 of a file's content, and MD5 of each of its parts, reading it once; an empty file has one part."""
    whole, parts, at = hashlib.sha256(), [hashlib.md5(usedforsecurity=False)], 0
    while block := os.pread(handle, min(_BLOCK_BYTES, part_bytes - at % part_bytes), at):
        if at and at % part_bytes == 0:
            parts.append(hashlib.md5(usedforsecurity=False))
        whole.update(block)
        parts[-1].update(block)
        at += len(block)
    return whole.hexdigest(), [part.digest() for part in parts]
