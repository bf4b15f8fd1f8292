"""A publication as a list of phases: every file is uploaded and checked from outside before anything refers to it.

Read `phases` first. After a failure listeners still get the previous publication complete: none of its files is overwritten or deleted.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from pipeline.model import CauserieError, format_bytes
from pipeline.publish.public_tree import ASSETS, FEED, FEEDS, INDEX, MEDIA, PAGES, TEXTS, PublicFile
from pipeline.publish.target import Target
from pipeline.publish.upload_plan import RemoteFile, UploadPlan

WORKERS = 8  # files sent at the same time
SAMPLE_SIZE = 20  # unchanged files that are checked again


@dataclass(frozen=True)
class Phase:
    """One action on some files.

    `prepare`: find out whether feeds can be written conditionally; `send` files; `check` them from outside; `lock`: make sure that no
    other publisher has written, or can from here on; `begin`: record the publication in the history; `feed`: write feeds conditionally.
    """

    action: Literal["prepare", "send", "check", "lock", "begin", "feed"]
    files: tuple[PublicFile, ...]


@dataclass(frozen=True)
class TransactionHooks:
    """What a transaction calls besides its target."""

    check: Callable[[Iterable[PublicFile]], tuple[str, ...]]  # from outside; returns advice, raises on what would break a player
    begin: Callable[[], None] = lambda: None  # record the publication before its feeds are written
    on_status: Callable[[str], None] = lambda line: None  # one line for each file that was sent
    on_progress: Callable[[int, int], None] = lambda done, total: None  # bytes sent, total


def phases(plan: UploadPlan) -> tuple[Phase, ...]:
    """Return the phases of the transaction in order; those without files are left out. Pure."""
    feeds = _with_rank(plan.changes, FEEDS, FEED)
    to_verify = files_to_check(plan)
    all_phases = (
        Phase("prepare", feeds),
        Phase("send", _with_rank(plan.changes, MEDIA)),
        Phase("send", _with_rank(plan.changes, TEXTS)),
        Phase("send", _with_rank(plan.changes, ASSETS)),
        Phase("check", _with_rank(to_verify, MEDIA, TEXTS, ASSETS)),
        Phase("lock", feeds),
        Phase("send", _with_rank(plan.changes, PAGES)),
        Phase("send", _with_rank(plan.changes, INDEX)),
        Phase("check", _with_rank(to_verify, PAGES, INDEX)),
        Phase("begin", plan.changes),
        Phase("feed", feeds),
    )
    return tuple(phase for phase in all_phases if phase.files)


def files_to_check(plan: UploadPlan) -> tuple[PublicFile, ...]:
    """Return the files to check from outside: those sent, those never checked, and a different sample of the rest each time. Pure."""
    new = [*plan.changes, *(file for file in plan.unchanged if file.key not in plan.verified)]
    seed = "".join(file.sha256 for file in plan.changes)
    rest = sorted((file for file in plan.unchanged if file.key in plan.verified), key=lambda file: _sample_order(seed, file.key))
    return tuple(sorted((*new, *rest[:SAMPLE_SIZE]), key=lambda file: (file.rank, file.key)))


def run_transaction(plan: UploadPlan, target: Target, remote: dict[str, RemoteFile], hooks: TransactionHooks) -> tuple[str, ...]:
    """Run the phases in order; return advice. Raises `CauserieError`; the feed is then unchanged."""
    header_only_keys, advice = {file.key for file in plan.header_changes}, list[str]()
    on_progress = _progress_counter(plan.bytes, hooks.on_progress)
    with ExitStack() as locks:
        for phase in phases(plan):
            if phase.action == "prepare":
                target.prepare()
            elif phase.action == "send":
                _send_files(phase.files, header_only_keys, target, hooks.on_status, on_progress)
            elif phase.action == "check":
                advice += hooks.check(phase.files)
            elif phase.action == "lock":
                locks.enter_context(target.lock())
                _refuse_concurrent(phase.files, target, remote)
            elif phase.action == "begin":
                hooks.begin()
            else:
                advice += [_write_feed(feed, header_only_keys, target, remote, hooks.on_status) for feed in phase.files]
    return tuple(dict.fromkeys(note for note in advice if note))


def _write_feed(
    feed: PublicFile, header_only_keys: set[str], target: Target, remote: dict[str, RemoteFile], on_status: Callable[[str], None]
) -> str:
    """Write one feed, if the target's is still the one listed at the start; return the target's note."""
    if feed.key in header_only_keys:
        target.put_headers(feed)
        note = ""
    else:
        note = target.put_feed(feed, remote.get(feed.key))
    on_status(f"wrote {feed.key}")
    return note


def _send_files(
    files: tuple[PublicFile, ...],
    header_only_keys: set[str],
    target: Target,
    on_status: Callable[[str], None],
    on_progress: Callable[[int], None],
) -> None:
    """Send the files of one phase, `WORKERS` at a time; the first failure cancels those not yet started."""
    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = [
            (file, pool.submit(target.put_headers, file) if file.key in header_only_keys else pool.submit(target.put, file, on_progress))
            for file in files
        ]
        try:
            for file, job in jobs:
                job.result()
                on_status(
                    f"corrected the headers of {file.key}"
                    if file.key in header_only_keys
                    else f"sent {file.key} ({format_bytes(file.bytes)})"
                )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _refuse_concurrent(feeds: tuple[PublicFile, ...], target: Target, remote: dict[str, RemoteFile]) -> None:
    """Raise `CauserieError` before pages are sent when another publisher has written a feed: their pages would be overwritten."""
    for feed in feeds:
        expected, current = remote.get(feed.key), target.stat(feed.key)
        if current is not None and current.sha256 != feed.sha256 and (expected is None or expected.sha256 != current.sha256):
            message = "was replaced by another publisher during this publication, so pages and feed were not sent"
            raise CauserieError(
                message, f"{target.name}/{feed.key}", "get the other publisher's version of the show's folder, build, and publish again"
            )


def _progress_counter(total: int, on_progress: Callable[[int, int], None]) -> Callable[[int], None]:
    """Return a thread-safe callback that adds up the bytes sent and reports the sum with the total."""
    lock, sent = threading.Lock(), [0]

    def add(count: int) -> None:
        with lock:
            sent[0] += count
            on_progress(sent[0], total)

    return add


def _with_rank(files: Iterable[PublicFile], *ranks: int) -> tuple[PublicFile, ...]:
    return tuple(file for file in files if file.rank in ranks)


def _sample_order(seed: str, key: str) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()
