"""Publish and roll back: list the target, compare, run the transaction, record the result.

The order of the records matters: `feeds/publications/` gets the publication before its feed is written and the ledger after it,
so that the next run recognises a publication that was killed in between.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from pipeline.errors import CauserieError
from pipeline.feed import ledger as ledgers
from pipeline.feed import noticed
from pipeline.files import sha256
from pipeline.model import Episode, Show
from pipeline.publish import history
from pipeline.publish.cache import purge
from pipeline.publish.folder import FolderTarget
from pipeline.publish.given import LEDGER, given_by, given_there, record, settle
from pipeline.publish.refusals import refuse_taking_away, refuse_unknown_feed
from pipeline.publish.report import Publication, summary, write_report
from pipeline.publish.s3 import S3Target
from pipeline.publish.target import Target
from pipeline.publish.transaction import Acts, carry_out
from pipeline.publish.tree import FEEDS, PublicFile, public_tree
from pipeline.publish.upload import RemoteFile, UploadPlan, sentences, table, upload_plan
from pipeline.publish.verify import Check, address_of, digest_of, verify
from pipeline.receipts import DigestCache

MEMORY = ".causerie/publish"
FEED_FILE = "feeds/feed.xml"


@dataclass(frozen=True)
class Hears:
    """What a publication reports: `on_message` lines for the user, `on_status` a line for each file, `on_progress` bytes sent and total."""

    say: Callable[[str], None] = lambda line: None
    tell: Callable[[str], None] = lambda line: None
    moved: Callable[[int, int], None] = lambda done, total: None


@dataclass(frozen=True)
class _Job:
    """One publication to run: which files to which target, and what its report needs."""

    show: Show
    root: Path
    at: datetime
    target: Target
    files: tuple[PublicFile, ...]
    feed_key: str  # key of the main feed
    given: ledgers.Publication
    hears: Hears
    base_url: str  # the public address to check files at; empty when only the target itself can be checked
    back_to: int = 0
    checks: list[Check] = field(default_factory=list)


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
    hears: Hears = Hears(),
    public_url: str = "",
) -> Publication:
    """Publish the episodes that are due at `at`, to the folder or bucket that the show configures.

    `public_url` is the public address to check files at, when show.toml sets none. `take_over` replaces a feed that the ledger
    does not know. `new_guids` allows episodes to change their GUID: subscribers then download them again.
    Raises `CauserieError`; subscribers then still get the previous publication.
    """
    digests = DigestCache(root)
    files = public_tree(show, episodes, root, lambda path: digests.digest(os.path.relpath(path, root)) or "")
    target = target_of(show, root, lambda path: digests.digest(os.path.relpath(path, root), fresh=True) or "")
    given = given_by(root / FEED_FILE, at, target.name)
    job = _Job(show, root, at, target, files, show.feed.key, given, hears, base_url_of(show, public_url))
    try:
        if not dry_run:
            digests.save()
            settle(root, target)
        kept, ledger = history.trees(root / history.PUBLICATIONS, target.name), ledgers.load(root / LEDGER)
        remote = target.list({file.key for file in files})
        plan = upload_plan(files, remote, [tree.files for tree in kept[-show.publish.keep :]])
        if not take_over:
            refuse_unknown_feed(ledger, target.name, remote.get(show.feed.key), plan, show.feed.key, kept)
            if not kept and ledger.last(target.name) is None and show.feed.key in plan.replaced:
                refuse_taking_away(given_there(target, show.feed.key, at), given, f"{target.name}/{show.feed.key}")
        before = ledger.known(target.name)
        left = () if prune else noticed.still_there(ledger, plan.orphans)
        if dry_run:
            return _foreseen(job, before, plan, prune, left)
        if not new_guids:
            noticed.refuse_new_identities(before, given)
        ours = history.ever_sent(root / history.PUBLICATIONS, target.name) if prune else frozenset()
        return _published(job, before, plan, remote, left, (lambda: target.delete(plan.orphans, ours)) if prune else tuple)
    finally:
        if not dry_run:
            target.close()


def rollback(
    show: Show, root: Path, *, at: datetime, number: int | None = None, dry_run: bool = False, hears: Hears = Hears(), public_url: str = ""
) -> Publication:
    """Restore the feeds and pages of publication `number`, or of the one before the current one.

    Media and texts are still at the target, under names that include their digest. Raises `CauserieError` when one is missing;
    nothing is then changed.
    """
    target, folder = target_of(show, root), root / history.PUBLICATIONS
    try:
        if not dry_run:
            settle(root, target)
        kept = history.trees(folder, target.name)
        tree = history.went_back_to(kept, number)
        remote = target.list({file.key for file in tree.files})
        plan = upload_plan(tree.files, remote, [each.files for each in kept])
        _refuse_lost(plan, target, tree)
        given = given_by(tree.feed.source if tree.feed else folder, at, target.name)
        ledger = ledgers.load(root / LEDGER)
        refuse_unknown_feed(ledger, target.name, remote.get(tree.feed_key), plan, tree.feed_key, kept)
        job = _Job(show, root, at, target, tree.files, tree.feed_key, given, hears, base_url_of(show, public_url), tree.number)
        left = noticed.still_there(ledger, plan.orphans)
        if dry_run:
            return _foreseen(job, ledger.known(target.name), plan, False, left)
        return _published(job, ledger.known(target.name), plan, remote, left)
    finally:
        if not dry_run:
            target.close()


def set_up(show: Show, root: Path, *, public_read: bool, say: Callable[[str], None]) -> None:
    """Set up the target; `on_message` gets a sentence for each thing done."""
    target = target_of(show, root)
    if isinstance(target, S3Target):
        for sentence in target.set_up(public_read):
            say(sentence)
        target.close()
    else:
        needs = "its web server must support byte ranges and send Access-Control-Allow-Origin: *"
        say(f"{target.name} is a folder: nothing to set up; {needs}")


def target_of(show: Show, root: Path, digest: Callable[[Path], str] = sha256) -> Target:
    """Return the target the show is published to; `digest` computes the SHA-256 of a file and may use a cache."""
    if show.publish.s3 is not None:
        return S3Target(show.publish.s3, root / MEMORY, digest=digest)
    return FolderTarget(root / show.publish.folder, show.info.website, root / MEMORY, name=show.publish.folder)


def target_name(show: Show) -> str:
    """Return the name of the show's target in the ledger: `public`, `s3://bucket/prefix`."""
    s3 = show.publish.s3
    return show.publish.folder if s3 is None else f"s3://{s3.bucket}/{s3.prefix}".rstrip("/")


def base_url_of(show: Show, public_url: str = "") -> str:
    """Return the public address to check files at; empty for a folder without a configured address."""
    return public_url or show.publish.public_url or (show.info.website if show.publish.s3 is not None else "")


def _foreseen(job: _Job, before: ledgers.Publication | None, plan: UploadPlan, prune: bool, left: tuple[str, ...]) -> Publication:
    """Report what a publication would do."""
    for line in (*noticed.differences(before, job.given), *table(plan), *sentences(plan, job.target.name, prune=prune), *left):
        job.hears.say(line)
    return _publication(job, before, plan)


def _published(
    job: _Job,
    before: ledgers.Publication | None,
    plan: UploadPlan,
    remote: dict[str, RemoteFile],
    left: tuple[str, ...],
    prune: Callable[[], tuple[str, ...]] = tuple,
) -> Publication:
    """Run the transaction, record it, purge caches, and only then delete orphans when `prune` does."""
    began, folder, show = time.monotonic(), job.root / history.PUBLICATIONS, job.show
    tree = history.Tree(history.next_number(folder), job.at, job.target.name, job.feed_key, job.files, job.back_to)
    notes: tuple[str, ...] = ()
    if plan.changes:
        acts = Acts(lambda files: _checked(job, files), lambda: history.promise(folder, tree), job.hears.tell, job.hears.moved)
        notes = carry_out(plan, job.target, remote, acts)
        record(job.root / LEDGER, job.given)
        history.confirm(folder, tree)
        mutable = [address_of(show.info.website, file.key) for file in plan.changes if history.is_kept(file)]
        notes += (*purge(show.publish.purge, mutable, job.root), *_stale_feeds(job, plan))
    done = replace(_publication(job, before, plan), deleted=prune(), notes=notes, number=tree.number, seconds=time.monotonic() - began)
    if plan.changes:
        history.trim(folder, job.target.name, show.publish.keep)
        sizes = {file.key: file.bytes for file in plan.uploads}
        write_report(folder, done, sizes, job.checks, show.info.title, show.info.language)
    for line in (*notes, *left, *(f"deleted {key}" for key in done.deleted), summary(done)):
        job.hears.say(line)
    return done


def _checked(job: _Job, files: Iterable[PublicFile]) -> tuple[str, ...]:
    """Check published files: over HTTP when a public address is known, else by listing the target."""
    if job.base_url:
        return verify(job.base_url, files, job.checks.append)
    wanted = {file.key: file for file in files}
    there = job.target.list(wanted)
    for key, file in wanted.items():
        if key not in there or (there[key].bytes, there[key].sha256) != (file.bytes, file.sha256):
            raise CauserieError("does not have the content that was just published", f"{job.target.name}/{key}", "publish again")
    return ()


def _stale_feeds(job: _Job, plan: UploadPlan) -> tuple[str, ...]:
    """Return a note for each feed whose public address does not yet return what was written."""
    feeds = [file for file in plan.changes if file.rank >= FEEDS] if job.base_url else []
    old = [file.key for file in feeds if digest_of(address_of(job.base_url, file.key)) != file.sha256]
    return tuple(f"{key} is written, but its public address still returns something else: a cache in front of it is stale" for key in old)


def _refuse_lost(plan: UploadPlan, target: Target, tree: history.Tree) -> None:
    """Raise `CauserieError` when a file of the earlier publication is neither at the target nor kept here."""
    lost = [file.key for file in plan.uploads if not file.source.is_file()]
    if lost:
        more = f" and {len(lost) - 1} more files" if len(lost) > 1 else ""
        said = f"cannot roll back to publication {tree.number}: the target no longer has {lost[0]}{more}"
        raise CauserieError(said, target.name, "roll back to another publication, or build and publish")


def _publication(job: _Job, before: ledgers.Publication | None, plan: UploadPlan) -> Publication:
    told = noticed.differences(before, job.given)
    sent = tuple(file.key for file in plan.changes)
    return Publication(job.target.name, job.at.isoformat(), sent, plan.bytes, len(plan.unchanged), told, job.back_to)
