"""Where a tree is published: what a folder and a bucket have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Protocol

from pipeline.publish.tree import PublicFile
from pipeline.publish.upload import RemoteFile


def nobody(count: int) -> None:
    """Hears how many bytes moved, and does nothing."""


class Target(Protocol):
    """A place that holds published files. Every method raises `CauserieError` for what a user can mend."""

    name: str  # for people, and for the ledger: `public`, `s3://bucket/prefix`

    def list(self, keys: Collection[str]) -> dict[str, RemoteFile]:
        """Everything it holds; of `keys`, also digest and headers."""

    def find(self, key: str) -> RemoteFile | None:
        """One file as it is now, with its digest; None when there is none."""

    def ready(self) -> None:
        """Find out, before anything is sent, how the feed can be written safely."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep other publishers out meanwhile, where the target itself would not refuse their feed or ours."""

    def put(self, file: PublicFile, moved: Callable[[int], None] = nobody) -> None:
        """Write one file, whole or not at all; `moved` hears how many more bytes are there, negative when some go again."""

    def put_headers(self, file: PublicFile) -> None:
        """Give a file that is already there its headers."""

    def put_feed(self, file: PublicFile, expected: RemoteFile | None) -> str:
        """Write the feed if what is there is still `expected`; returns a note for the user, mostly empty."""

    def read(self, key: str) -> bytes:
        """The content of one file."""

    def delete(self, keys: Collection[str], ours: Collection[str] = ()) -> tuple[str, ...]:
        """Delete those of `keys` that we remember putting there, or that are among `ours`; returns them."""

    def close(self) -> None:
        """Remember what is there for next time."""
