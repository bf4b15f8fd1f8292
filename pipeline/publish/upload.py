"""What has to be sent: a comparison of what is here and what is there, by content. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.publish.tree import FEED, PublicFile


@dataclass(frozen=True)
class RemoteFile:
    """A file as a target holds it. `sha256` is empty when nobody knows it; `headers` is None where none are kept.

    `headers` are (Content-Type, Cache-Control); `tag` is the target's own mark of a version (S3: the ETag, quoted).
    """

    bytes: int
    sha256: str
    headers: tuple[str, str] | None = None
    tag: str = ""


@dataclass(frozen=True)
class UploadPlan:
    """What a publication does, each part in the order it is done."""

    uploads: tuple[PublicFile, ...]
    unchanged: tuple[PublicFile, ...]
    header_changes: tuple[PublicFile, ...]  # same content, other headers
    orphans: tuple[str, ...]  # keys there that nothing names any more

    @property
    def changes(self) -> tuple[PublicFile, ...]:
        """Everything to send, the feed last."""
        return tuple(sorted((*self.uploads, *self.header_changes), key=lambda file: (file.rank, file.key)))

    @property
    def bytes(self) -> int:
        """How much content is sent, in bytes."""
        return sum(file.bytes for file in self.uploads)


def upload_plan(local: Iterable[PublicFile], remote: Mapping[str, RemoteFile]) -> UploadPlan:
    """Compare by content, then by headers; times of modification mean nothing after a clone, so nobody looks at them."""
    files = sorted(local, key=lambda file: (file.rank, file.key))
    same = [file for file in files if _same_content(file, remote.get(file.key))]
    stale = [file for file in same if remote[file.key].headers not in (None, (file.content_type, file.cache_control))]
    keys = {file.key for file in files}
    return UploadPlan(
        uploads=tuple(file for file in files if file not in same),
        unchanged=tuple(file for file in same if file not in stale),
        header_changes=tuple(stale),
        orphans=tuple(sorted(key for key in remote if key not in keys)),
    )


def sentences(plan: UploadPlan, target: str, *, prune: bool = False) -> tuple[str, ...]:
    """The plan for a person, before or instead of doing it."""
    lines = [f"send {file.key} ({size(file.bytes)})" for file in plan.uploads if file.rank < FEED]
    lines += [f"correct the headers of {file.key}" for file in plan.header_changes if file.rank < FEED]
    lines += [f"write {file.key}, last" for file in plan.changes if file.rank == FEED]
    if plan.orphans and prune:
        lines += [f"delete {key} if Causerie put it there" for key in plan.orphans]
    elif plan.orphans:
        lines.append(f"keep {_files(len(plan.orphans))} that nothing names any more (older copies of the feed may)")
    if not plan.changes:
        return (*lines, f"nothing to send: {target} already holds all of it")
    return (*lines, f"in all {_files(len(plan.changes))}, {size(plan.bytes)}, to {target}; {len(plan.unchanged)} unchanged")


def size(count: int) -> str:
    """A number of bytes as people say it, in powers of ten: `840 bytes`, `12.3 kB`, `9.0 MB`."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} bytes"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _same_content(file: PublicFile, there: RemoteFile | None) -> bool:
    """Whether the target holds this very content; an unknown digest counts as different."""
    return there is not None and (there.bytes, there.sha256) == (file.bytes, file.sha256)
