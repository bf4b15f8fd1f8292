"""What has to be sent: a comparison of what is here and what is there, by content. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.publish.headers import IMMUTABLE
from pipeline.publish.tree import PublicFile

ONE_PUT_BYTES = 64_000_000  # above this, in parts: below, one request instead of seven
PART_BYTES = 16_000_000


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
    orphans: tuple[str, ...]  # keys there that no publication that is kept names
    kept: tuple[str, ...] = ()  # keys there that only an earlier publication names
    replaced: frozenset[str] = frozenset()  # keys of uploads that are there with other content
    proven: frozenset[str] = frozenset()  # unchanged keys that were looked at from outside when they were published

    @property
    def changes(self) -> tuple[PublicFile, ...]:
        """Everything to send, the feed last."""
        return tuple(sorted((*self.uploads, *self.header_changes), key=lambda file: (file.rank, file.key)))

    @property
    def bytes(self) -> int:
        """How much content is sent, in bytes."""
        return sum(file.bytes for file in self.uploads)


def upload_plan(
    local: Iterable[PublicFile], remote: Mapping[str, RemoteFile], publications: Sequence[Iterable[PublicFile]] = ()
) -> UploadPlan:
    """Compare by content, then by headers; times of modification mean nothing after a clone, so nobody looks at them.

    `publications` are the files of those that can still be gone back to, oldest first: what they name is no orphan, unless its name is
    used again and again: of feeds, pages and guides a copy is kept here.
    """
    files = sorted(local, key=lambda file: (file.rank, file.key))
    same = [file for file in files if _same_content(file, remote.get(file.key))]
    stale = [file for file in same if remote[file.key].headers not in (None, (file.content_type, file.cache_control))]
    keys, named = {file.key for file in files}, {file.key for each in publications for file in each if file.cache_control == IMMUTABLE}
    last = {file.key: file.sha256 for file in publications[-1]} if publications else {}
    left = sorted(key for key in remote if key not in keys)
    unsent, other_headers = {file.key for file in same}, {file.key for file in stale}
    return UploadPlan(
        uploads=tuple(file for file in files if file.key not in unsent),
        unchanged=tuple(file for file in same if file.key not in other_headers),
        header_changes=tuple(stale),
        orphans=tuple(key for key in left if key not in named),
        kept=tuple(key for key in left if key in named),
        replaced=frozenset(file.key for file in files if file.key not in unsent and file.key in remote),
        proven=frozenset(file.key for file in same if last.get(file.key) == file.sha256),
    )


def table(plan: UploadPlan) -> tuple[str, ...]:
    """What is sent, why, how much, and in how many requests, one line a file under a heading, in the order it is done."""
    rows = [("what", "why", "bytes", "requests")]
    sent = {file.key for file in plan.uploads}
    for file in plan.changes:
        is_sent = file.key in sent
        why = "headers" if not is_sent else "changed" if file.key in plan.replaced else "new"
        rows.append((file.key, why, str(file.bytes if is_sent else 0), str(requests(file) if is_sent else 1)))
    if len(rows) == 1:
        return ()
    what, why, count, asked = (max(map(len, column)) for column in zip(*rows, strict=True))
    return tuple(f"{row[0]:<{what}}  {row[1]:<{why}}  {row[2]:>{count}}  {row[3]:>{asked}}" for row in rows)


def requests(file: PublicFile) -> int:
    """How many requests a bucket is asked to take a file."""
    return 1 if file.bytes <= ONE_PUT_BYTES else -(-file.bytes // PART_BYTES) + 3  # listed, begun, completed


def sentences(plan: UploadPlan, target: str, *, prune: bool = False) -> tuple[str, ...]:
    """What a plan leaves, deletes and comes to, for a person; `table` lists what it sends."""
    lines: list[str] = []
    if plan.orphans and prune:
        lines += [f"delete {key} if Causerie put it there" for key in plan.orphans]
    elif plan.orphans:
        lines.append(f"keep {_files(len(plan.orphans))} that nothing names any more (older copies of the feed may)")
    if plan.kept:
        lines.append(f"keep {_files(len(plan.kept))} for going back to an earlier publication")
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
