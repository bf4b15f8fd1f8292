"""The upload plan: what to send, from a comparison by content of local and remote files. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.model import format_bytes, pluralise
from pipeline.publish.http_headers import IMMUTABLE
from pipeline.publish.public_tree import PublicFile

ONE_PUT_BYTES = 64_000_000  # larger files are sent in parts; up to here one request instead of seven
PART_BYTES = 16_000_000


@dataclass(frozen=True)
class RemoteFile:
    """A file at a target. `sha256` is empty when unknown; `headers` is None where the target keeps none.

    `headers` are (Content-Type, Cache-Control); `tag` is the target's own version identifier (S3: the quoted ETag).
    """

    bytes: int
    sha256: str
    headers: tuple[str, str] | None = None
    tag: str = ""


@dataclass(frozen=True)
class UploadPlan:
    """What a publication sends and leaves, each part in the order of upload."""

    uploads: tuple[PublicFile, ...]
    unchanged: tuple[PublicFile, ...]
    header_changes: tuple[PublicFile, ...]  # same content, other headers
    orphans: tuple[str, ...]  # remote keys that no publication in the history names
    kept: tuple[str, ...] = ()  # remote keys that only an earlier publication names
    replaced: frozenset[str] = frozenset()  # keys of uploads that replace other content
    verified: frozenset[str] = frozenset()  # unchanged keys that were checked from outside when they were published

    @property
    def changes(self) -> tuple[PublicFile, ...]:
        """Every file to send or correct, the main feed last."""
        return tuple(sorted((*self.uploads, *self.header_changes), key=lambda file: (file.rank, file.key)))

    @property
    def bytes(self) -> int:
        """The size of the content to send, in bytes."""
        return sum(file.bytes for file in self.uploads)


def plan_upload(
    local: Iterable[PublicFile], remote: Mapping[str, RemoteFile], publications: Sequence[Iterable[PublicFile]] = ()
) -> UploadPlan:
    """Compare by content, then by headers; modification times are ignored, as they mean nothing after a clone.

    `publications` are the files of the publications that a rollback can restore, oldest first. Immutable files that they name are not
    orphans; of mutable ones (feeds, pages, guides) the history keeps a copy.
    """
    files = sorted(local, key=lambda file: (file.rank, file.key))
    matching = [file for file in files if _same_content(file, remote.get(file.key))]
    stale = [file for file in matching if remote[file.key].headers not in (None, (file.content_type, file.cache_control))]
    keys, named = {file.key for file in files}, {file.key for each in publications for file in each if file.cache_control == IMMUTABLE}
    last_published = {file.key: file.sha256 for file in publications[-1]} if publications else {}
    others = sorted(key for key in remote if key not in keys)
    matching_keys, stale_keys = {file.key for file in matching}, {file.key for file in stale}
    return UploadPlan(
        uploads=tuple(file for file in files if file.key not in matching_keys),
        unchanged=tuple(file for file in matching if file.key not in stale_keys),
        header_changes=tuple(stale),
        orphans=tuple(key for key in others if key not in named),
        kept=tuple(key for key in others if key in named),
        replaced=frozenset(file.key for file in files if file.key not in matching_keys and file.key in remote),
        verified=frozenset(file.key for file in matching if last_published.get(file.key) == file.sha256),
    )


def plan_table(plan: UploadPlan) -> tuple[str, ...]:
    """Return a table of what is sent, why, how many bytes and in how many requests: a heading, then a line for each file in order."""
    rows = [("what", "why", "bytes", "requests")]
    sent = {file.key for file in plan.uploads}
    for file in plan.changes:
        is_sent = file.key in sent
        why = "headers" if not is_sent else "changed" if file.key in plan.replaced else "new"
        rows.append((file.key, why, str(file.bytes if is_sent else 0), str(request_count(file) if is_sent else 1)))
    if len(rows) == 1:
        return ()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return tuple(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}" for row in rows)


def request_count(file: PublicFile) -> int:
    """Return the number of requests it takes to send a file to a bucket."""
    return 1 if file.bytes <= ONE_PUT_BYTES else -(-file.bytes // PART_BYTES) + 3  # list, create, complete


def plan_summary(plan: UploadPlan, target: str, *, prune: bool = False) -> tuple[str, ...]:
    """Return sentences on what a plan keeps and deletes, and its total; `plan_table` lists what it sends."""
    lines: list[str] = []
    if plan.orphans and prune:
        lines += [f"delete {key} if Causerie wrote it" for key in plan.orphans]
    elif plan.orphans:
        lines.append(f"keep {pluralise(len(plan.orphans), 'file')} no longer referenced (older copies of the feed may still use them)")
    if plan.kept:
        lines.append(f"keep {pluralise(len(plan.kept), 'file')} for rollbacks")
    if not plan.changes:
        return (*lines, f"nothing to send: {target} is up to date")
    return (
        *lines,
        f"total: {pluralise(len(plan.changes), 'file')}, {format_bytes(plan.bytes)}, to {target}; {len(plan.unchanged)} unchanged",
    )


def _same_content(file: PublicFile, remote: RemoteFile | None) -> bool:
    """Whether the target has the same content; an unknown digest counts as different."""
    return remote is not None and (remote.bytes, remote.sha256) == (file.bytes, file.sha256)
