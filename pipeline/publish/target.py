"""The interface of a publishing target: a folder or a bucket."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Protocol

from pipeline.publish.public_tree import PublicFile
from pipeline.publish.upload_plan import RemoteFile


def ignore_progress(count: int) -> None:
    """The default `on_progress`: does nothing."""


class Target(Protocol):
    """A place that holds published files. Every method raises `CauserieError` for errors that a user can fix."""

    name: str  # in messages and in the ledger: `public`, `s3://bucket/prefix`

    def list(self, keys: Collection[str]) -> dict[str, RemoteFile]:
        """Every file it holds, by key; for those in `keys` with digest and headers."""

    def stat(self, key: str) -> RemoteFile | None:
        """One file as it is now, with its digest; None when there is none."""

    def prepare(self) -> None:
        """Find out, before anything is sent, whether the feed can be written conditionally."""

    def lock(self) -> AbstractContextManager[None]:
        """Lock out other publishers where the target has no conditional writes."""

    def put(self, file: PublicFile, on_progress: Callable[[int], None] = ignore_progress) -> None:
        """Write one file atomically; `on_progress` gets the number of bytes sent since its last call, negative when some are sent again."""

    def put_headers(self, file: PublicFile) -> None:
        """Correct the headers of a file that is already there."""

    def put_feed(self, file: PublicFile, expected: RemoteFile | None) -> str:
        """Write the feed if the current one is still `expected`; return a note for the user, usually empty."""

    def read(self, key: str) -> bytes:
        """The content of one file."""

    def delete(self, keys: Collection[str], owned: Collection[str] = ()) -> tuple[str, ...]:
        """Delete those of `keys` that Causerie wrote or that are in `owned`; return the deleted keys."""

    def close(self) -> None:
        """Save what is known about the target for the next publication."""
