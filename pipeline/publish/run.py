"""Publish: send what is missing, look at it from outside, and only then write the feed.

Whatever fails before the feed leaves listeners with the previous publication, whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.errors import CauserieError
from pipeline.feed import ledger as ledgers
from pipeline.feed import noticed
from pipeline.model import Episode, Show
from pipeline.publish.folder import FolderTarget
from pipeline.publish.s3 import S3Target
from pipeline.publish.state import Digests
from pipeline.publish.target import Target
from pipeline.publish.tree import FEED, FEED_KEY, MEDIA, PAGES, PublicFile, public_tree
from pipeline.publish.upload import RemoteFile, UploadPlan, sentences, size, upload_plan
from pipeline.publish.verify import verify

MEMORY = ".causerie/publish"
LEDGER, FEED_FILE = "feeds/ledger.json", "feeds/feed.xml"
WORKERS = 4  # files on their way at once; each may be held in memory up to 64 MB


@dataclass(frozen=True)
class Publication:
    """What one publication did, or would do."""

    target: str
    sent: tuple[str, ...]  # keys, in the order they were sent, those with only new headers included
    bytes: int  # of content sent
    unchanged: int  # files
    deleted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # advice for the producer

    @property
    def nothing_changed(self) -> bool:
        """Whether the target already held all of it."""
        return not self.sent and not self.deleted


def publish(
    show: Show,
    episodes: tuple[Episode, ...],
    root: Path,
    *,
    at: datetime,
    dry_run: bool = False,
    prune: bool = False,
    take_over: bool = False,
    new_guids: bool = False,
    say: Callable[[str], None] = lambda line: None,
    tell: Callable[[str], None] = lambda line: None,
    public_url: str = "",
) -> Publication:
    """Publish the episodes that are due at `at`, to the folder or bucket that the show names.

    `public_url` is where the tree can be looked at from outside when that is not the show's website; `take_over` replaces a
    feed that the ledger does not know, `new_guids` gives subscribers what they have again, under another GUID.
    `say` hears what a person should read, `tell` each file as it goes.
    Raises `CauserieError`; subscribers then still have the previous publication.
    """
    digests = Digests(root / MEMORY / "digests.json", root)
    files = public_tree(show, episodes, root, digests.of)
    target, ledger = target_of(show, root), ledgers.load(root / LEDGER)
    remote = target.list({file.key for file in files})
    plan = upload_plan(files, remote)
    if not take_over:
        refuse_unknown_feed(ledger, target.name, remote.get(show.feed.key), plan, show.feed.key)
    given = given_by(root / FEED_FILE, at, target.name)
    before = ledger.known(target.name)
    left = () if prune else noticed.still_there(ledger, plan.orphans)
    if dry_run:
        for line in (*noticed.differences(before, given), *sentences(plan, target.name, prune=prune), *left):
            say(line)
        return _publication(target, plan)
    if not new_guids:
        noticed.refuse_new_identities(before, given)
    try:
        notes = carry_out(plan, target, remote, tell, _checker(show, target, public_url)) if plan.changes else ()
        _record(root / LEDGER, given)
        deleted = target.delete(plan.orphans) if prune else ()
    finally:
        target.close()
        digests.save()
    publication = _publication(target, plan, deleted, notes)
    for line in (*notes, *left, *(f"deleted {key}" for key in deleted)):
        say(line)
    say(_summary(publication))
    return publication


def target_of(show: Show, root: Path) -> Target:
    """The place the show is published to."""
    if show.publish.s3 is not None:
        return S3Target(show.publish.s3, root / MEMORY)
    return FolderTarget(root / show.publish.folder, show.info.website, root / MEMORY, name=show.publish.folder)


def target_name(show: Show) -> str:
    """What the ledger calls the place the show is published to."""
    s3 = show.publish.s3
    return show.publish.folder if s3 is None else f"s3://{s3.bucket}/{s3.prefix}".rstrip("/")


def refuse_unknown_feed(ledger: ledgers.Ledger, target: str, there: RemoteFile | None, plan: UploadPlan, key: str = FEED_KEY) -> None:
    """Refuse to replace a feed that this ledger never gave: somebody has published from another copy of the show. Pure.

    The condition on the feed itself only guards the minutes of one upload; this guards the weeks between two.
    """
    given = {publication.feed_sha256 for publication in ledger.publications if publication.target == target}
    replaced = any(file.key == key for file in plan.uploads)
    if there is not None and given and replaced and there.sha256 not in given:
        raise CauserieError(
            "the feed there was published from another copy of this show",
            f"{target}/{key}",
            f"fetch {LEDGER} and the episodes from whoever published, then build and publish; or publish with --take-over",
        )


def carry_out(
    plan: UploadPlan,
    target: Target,
    remote: dict[str, RemoteFile],
    say: Callable[[str], None],
    check: Callable[[Iterable[PublicFile]], tuple[str, ...]],
) -> tuple[str, ...]:
    """Do what is planned, in an order that never names what is not there; returns advice.

    Files are looked at twice: before the pages that link to them are sent, and the pages before the feed.
    """
    every = sorted((*plan.changes, *plan.unchanged), key=lambda file: file.rank)
    stale = {file.key for file in plan.header_changes}
    notes: list[str] = []
    for rank in range(MEDIA, FEED):
        if rank == PAGES:
            notes += check(file for file in every if file.rank < PAGES)
        _send([file for file in plan.changes if file.rank == rank], stale, target, say)
    notes += check(file for file in every if PAGES <= file.rank < FEED)
    for feed in (file for file in plan.changes if file.rank == FEED):
        if feed.key in stale:
            target.put_headers(feed)
        else:
            notes.append(target.put_feed(feed, remote.get(feed.key)))
        say(f"wrote {feed.key}")
    return tuple(dict.fromkeys(note for note in notes if note))


def _send(files: list[PublicFile], stale: set[str], target: Target, say: Callable[[str], None]) -> None:
    """Send files of one rank, a few at a time; the first failure stops those that have not begun."""
    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = [(file, pool.submit(target.put_headers if file.key in stale else target.put, file)) for file in files]
        try:
            for file, job in jobs:
                job.result()
                say(f"corrected the headers of {file.key}" if file.key in stale else f"sent {file.key} ({size(file.bytes)})")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _checker(show: Show, target: Target, public_url: str) -> Callable[[Iterable[PublicFile]], tuple[str, ...]]:
    """How published files are looked at: over HTTP for a bucket, by reading for a folder."""
    base_url = public_url or (show.info.website if show.publish.s3 is not None else "")
    return (lambda files: verify(base_url, files)) if base_url else (lambda files: _read_back(target, files))


def _read_back(target: Target, files: Iterable[PublicFile]) -> tuple[str, ...]:
    """Hold what the target lists to what was sent: sizes and digests."""
    wanted = {file.key: file for file in files}
    there = target.list(wanted)
    for key, file in wanted.items():
        if key not in there or (there[key].bytes, there[key].sha256) != (file.bytes, file.sha256):
            raise CauserieError("is not what was just published", f"{target.name}/{key}", "publish again")
    return ()


def _publication(target: Target, plan: UploadPlan, deleted: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Publication:
    return Publication(target.name, tuple(file.key for file in plan.changes), plan.bytes, len(plan.unchanged), deleted, notes)


def _summary(done: Publication) -> str:
    """One line for the end."""
    deleted = f", {len(done.deleted)} deleted" if done.deleted else ""
    if done.nothing_changed:
        return f"nothing to send: {done.target} already holds all of it"
    return f"published to {done.target}: {len(done.sent)} sent ({size(done.bytes)}), {done.unchanged} unchanged{deleted}"


def given_by(path: Path, at: datetime, target: str) -> ledgers.Publication:
    """What a feed gives subscribers; `CauserieError` when it cannot be read."""
    from xml.etree.ElementTree import ParseError

    try:
        return ledgers.publication(path.read_bytes(), at=at, target=target)
    except (ParseError, KeyError, ValueError) as error:
        raise CauserieError("is not a readable feed", str(path), "delete it and build again") from error


def _record(path: Path, given: ledgers.Publication) -> None:
    """Write in the ledger what subscribers have been given, unless it says so already."""
    before = ledgers.load(path)  # again: an episode may have got its GUID while files were on their way
    after = ledgers.record(before, given)
    if after != before:
        ledgers.save(path, after)
