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

from pipeline.engine import DigestCache, sha256
from pipeline.feed import PublicationRecord, describe_changes, load_ledger, refuse_changed_guids, withdrawn_files
from pipeline.model import CauserieError, Episode, Show
from pipeline.publish import history
from pipeline.publish.cdn_purge import purge
from pipeline.publish.folder import FolderTarget
from pipeline.publish.guards import refuse_lost_episodes, refuse_unknown_feed
from pipeline.publish.public_tree import FEEDS, PublicFile, collect_public_files
from pipeline.publish.publication_report import PublishReport, summary, write_report
from pipeline.publish.reconcile import LEDGER, items_at_target, items_in_feed, record_in_ledger, recover_interrupted
from pipeline.publish.target import Target
from pipeline.publish.transaction import TransactionHooks, run_transaction
from pipeline.publish.upload_plan import RemoteFile, UploadPlan, plan_summary, plan_table, plan_upload
from pipeline.publish.verify import Check, fetch_sha256, url_of, verify_files

STATE_FOLDER = ".causerie/publish"
FEED_FILE = "feeds/feed.xml"


@dataclass(frozen=True)
class PublishCallbacks:
    """What a publication reports: `on_message` lines for the user, `on_status` a line for each file, `on_progress` bytes sent and total."""

    on_message: Callable[[str], None] = lambda line: None
    on_status: Callable[[str], None] = lambda line: None
    on_progress: Callable[[int, int], None] = lambda done, total: None


@dataclass(frozen=True)
class _PublishJob:
    """One publication to run: which files to which target, and what its report needs."""

    show: Show
    root: Path
    at: datetime
    target: Target
    files: tuple[PublicFile, ...]
    feed_key: str  # key of the main feed
    record: PublicationRecord
    callbacks: PublishCallbacks
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
    callbacks: PublishCallbacks = PublishCallbacks(),
    public_url: str = "",
) -> PublishReport:
    """Publish the episodes that are due at `at`, to the folder or bucket that the show configures.

    `public_url` is the public address to check files at, when show.toml sets none. `take_over` replaces a feed that the ledger
    does not know. `new_guids` allows episodes to change their GUID: subscribers then download them again.
    Raises `CauserieError`; subscribers then still get the previous publication.
    """
    digests = DigestCache(root)
    files = collect_public_files(show, episodes, root, lambda path: digests.digest(os.path.relpath(path, root)) or "")
    target = target_of(show, root, lambda path: digests.digest(os.path.relpath(path, root), fresh=True) or "")
    record = items_in_feed(root / FEED_FILE, at, target.name)
    job = _PublishJob(show, root, at, target, files, show.feed.key, record, callbacks, base_url_of(show, public_url))
    try:
        if not dry_run:
            digests.save()
            recover_interrupted(root, target)
        trees, ledger = history.load_trees(root / history.PUBLICATIONS, target.name), load_ledger(root / LEDGER)
        remote = target.list({file.key for file in files})
        plan = plan_upload(files, remote, [tree.files for tree in trees[-show.publish.keep :]])
        if not take_over:
            refuse_unknown_feed(ledger, target.name, remote.get(show.feed.key), plan, show.feed.key, trees)
            if not trees and ledger.latest(target.name) is None and show.feed.key in plan.replaced:
                refuse_lost_episodes(items_at_target(target, show.feed.key, at), record, f"{target.name}/{show.feed.key}")
        previous = ledger.baseline(target.name)
        withdrawn = () if prune else withdrawn_files(ledger, plan.orphans)
        if dry_run:
            return _report_dry_run(job, previous, plan, prune, withdrawn)
        if not new_guids:
            refuse_changed_guids(previous, record)
        owned = history.sent_keys(root / history.PUBLICATIONS, target.name) if prune else frozenset()
        return _execute(job, previous, plan, remote, withdrawn, (lambda: target.delete(plan.orphans, owned)) if prune else tuple)
    finally:
        if not dry_run:
            target.close()


def rollback(
    show: Show,
    root: Path,
    *,
    at: datetime,
    number: int | None = None,
    dry_run: bool = False,
    callbacks: PublishCallbacks = PublishCallbacks(),
    public_url: str = "",
) -> PublishReport:
    """Restore the feeds and pages of publication `number`, or of the one before the current one.

    Media and texts are still at the target, under names that include their digest. Raises `CauserieError` when one is missing;
    nothing is then changed.
    """
    target, folder = target_of(show, root), root / history.PUBLICATIONS
    try:
        if not dry_run:
            recover_interrupted(root, target)
        trees = history.load_trees(folder, target.name)
        tree = history.select_rollback(trees, number)
        remote = target.list({file.key for file in tree.files})
        plan = plan_upload(tree.files, remote, [each.files for each in trees])
        _refuse_missing_files(plan, target, tree)
        record = items_in_feed(tree.feed.source if tree.feed else folder, at, target.name)
        ledger = load_ledger(root / LEDGER)
        refuse_unknown_feed(ledger, target.name, remote.get(tree.feed_key), plan, tree.feed_key, trees)
        job = _PublishJob(show, root, at, target, tree.files, tree.feed_key, record, callbacks, base_url_of(show, public_url), tree.number)
        withdrawn = withdrawn_files(ledger, plan.orphans)
        if dry_run:
            return _report_dry_run(job, ledger.baseline(target.name), plan, False, withdrawn)
        return _execute(job, ledger.baseline(target.name), plan, remote, withdrawn)
    finally:
        if not dry_run:
            target.close()


def set_up(show: Show, root: Path, *, public_read: bool, on_message: Callable[[str], None]) -> None:
    """Set up the target; `on_message` gets a sentence for each thing done."""
    from pipeline.publish.s3 import S3Target

    target = target_of(show, root)
    if isinstance(target, S3Target):
        for sentence in target.set_up(public_read):
            on_message(sentence)
        target.close()
    else:
        needs = "its web server must support byte ranges and send Access-Control-Allow-Origin: *"
        on_message(f"{target.name} is a folder: nothing to set up; {needs}")


def target_of(show: Show, root: Path, digest: Callable[[Path], str] = sha256) -> Target:
    """Return the target the show is published to; `digest` computes the SHA-256 of a file and may use a cache."""
    if show.publish.s3 is not None:
        from pipeline.publish.s3 import S3Target

        return S3Target(show.publish.s3, root / STATE_FOLDER, digest=digest)
    return FolderTarget(root / show.publish.folder, show.info.website, root / STATE_FOLDER, name=show.publish.folder)


def target_name(show: Show) -> str:
    """Return the name of the show's target in the ledger: `public`, `s3://bucket/prefix`."""
    s3 = show.publish.s3
    return show.publish.folder if s3 is None else f"s3://{s3.bucket}/{s3.prefix}".rstrip("/")


def base_url_of(show: Show, public_url: str = "") -> str:
    """Return the public address to check files at; empty for a folder without a configured address."""
    return public_url or show.publish.public_url or (show.info.website if show.publish.s3 is not None else "")


def _report_dry_run(
    job: _PublishJob, previous: PublicationRecord | None, plan: UploadPlan, prune: bool, withdrawn: tuple[str, ...]
) -> PublishReport:
    """Report what a publication would do."""
    for line in (
        *describe_changes(previous, job.record),
        *plan_table(plan),
        *plan_summary(plan, job.target.name, prune=prune),
        *withdrawn,
    ):
        job.callbacks.on_message(line)
    return _publish_report(job, previous, plan)


def _execute(
    job: _PublishJob,
    previous: PublicationRecord | None,
    plan: UploadPlan,
    remote: dict[str, RemoteFile],
    withdrawn: tuple[str, ...],
    prune: Callable[[], tuple[str, ...]] = tuple,
) -> PublishReport:
    """Run the transaction, record it, purge caches, and only then delete orphans when `prune` does."""
    started_s, folder, show = time.monotonic(), job.root / history.PUBLICATIONS, job.show
    tree = history.PublishedTree(history.next_number(folder), job.at, job.target.name, job.feed_key, job.files, job.back_to)
    notes: tuple[str, ...] = ()
    if plan.changes:
        hooks = TransactionHooks(
            lambda files: _check_files(job, files), lambda: history.begin(folder, tree), job.callbacks.on_status, job.callbacks.on_progress
        )
        notes = run_transaction(plan, job.target, remote, hooks)
        record_in_ledger(job.root / LEDGER, job.record)
        history.commit(folder, tree)
        mutable = [url_of(show.info.website, file.key) for file in plan.changes if history.is_mutable(file)]
        notes += (*purge(show.publish.purge, mutable, job.root), *_stale_feeds(job, plan))
    report = replace(
        _publish_report(job, previous, plan), deleted=prune(), notes=notes, number=tree.number, seconds=time.monotonic() - started_s
    )
    if plan.changes:
        history.trim(folder, job.target.name, show.publish.keep)
        sizes = {file.key: file.bytes for file in plan.uploads}
        write_report(folder, report, sizes, job.checks, show.info.title, show.info.language)
    for line in (*notes, *withdrawn, *(f"deleted {key}" for key in report.deleted), summary(report)):
        job.callbacks.on_message(line)
    return report


def _check_files(job: _PublishJob, files: Iterable[PublicFile]) -> tuple[str, ...]:
    """Check published files: over HTTP when a public address is known, else by listing the target."""
    if job.base_url:
        return verify_files(job.base_url, files, job.checks.append)
    wanted = {file.key: file for file in files}
    remote = job.target.list(wanted)
    for key, file in wanted.items():
        if key not in remote or (remote[key].bytes, remote[key].sha256) != (file.bytes, file.sha256):
            raise CauserieError("does not have the content that was just published", f"{job.target.name}/{key}", "publish again")
    return ()


def _stale_feeds(job: _PublishJob, plan: UploadPlan) -> tuple[str, ...]:
    """Return a note for each feed whose public address does not yet return what was written."""
    feeds = [file for file in plan.changes if file.rank >= FEEDS] if job.base_url else []
    stale = [file.key for file in feeds if fetch_sha256(url_of(job.base_url, file.key)) != file.sha256]
    return tuple(f"{key} is written, but its public address still returns something else: a cache in front of it is stale" for key in stale)


def _refuse_missing_files(plan: UploadPlan, target: Target, tree: history.PublishedTree) -> None:
    """Raise `CauserieError` when a file of the earlier publication is neither at the target nor kept here."""
    missing = [file.key for file in plan.uploads if not file.source.is_file()]
    if missing:
        others = f" and {len(missing) - 1} more files" if len(missing) > 1 else ""
        message = f"cannot roll back to publication {tree.number}: the target no longer has {missing[0]}{others}"
        raise CauserieError(message, target.name, "roll back to another publication, or build and publish")


def _publish_report(job: _PublishJob, previous: PublicationRecord | None, plan: UploadPlan) -> PublishReport:
    changes = describe_changes(previous, job.record)
    sent = tuple(file.key for file in plan.changes)
    return PublishReport(job.target.name, job.at.isoformat(), sent, plan.bytes, len(plan.unchanged), changes, job.back_to)
