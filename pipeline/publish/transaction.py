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

from pipeline.errors import CauserieError
from pipeline.publish.target import Target
from pipeline.publish.tree import ASSETS, FEED, FEEDS, INDEX, MEDIA, PAGES, TEXTS, PublicFile
from pipeline.publish.upload import RemoteFile, UploadPlan, size

WORKERS = 8  # files sent at the same time
SAMPLE = 20  # unchanged files that are checked again


@dataclass(frozen=True)
class Phase:
    """One action on some files.

    `prepare`: find out whether feeds can be written conditionally; `send` files; `check` them from outside; `lock`: make sure that no
    other publisher has written, or can from here on; `begin`: record the publication in the history; `feed`: write feeds conditionally.
    """

    does: Literal["prepare", "send", "check", "lock", "begin", "feed"]
    files: tuple[PublicFile, ...]


@dataclass(frozen=True)
class Acts:
    """What a transaction calls besides its target."""

    check: Callable[[Iterable[PublicFile]], tuple[str, ...]]  # from outside; returns advice, raises on what would break a player
    promise: Callable[[], None] = lambda: None  # record the publication before its feeds are written
    tell: Callable[[str], None] = lambda line: None  # one line for each file that was sent
    moved: Callable[[int, int], None] = lambda done, total: None  # bytes sent, total


def phases(plan: UploadPlan) -> tuple[Phase, ...]:
    """Return the phases of the transaction in order; those without files are left out. Pure."""
    feeds = _of(plan.changes, FEEDS, FEED)
    looked_at = to_check(plan)
    every = (
        Phase("prepare", feeds),
        Phase("send", _of(plan.changes, MEDIA)),
        Phase("send", _of(plan.changes, TEXTS)),
        Phase("send", _of(plan.changes, ASSETS)),
        Phase("check", _of(looked_at, MEDIA, TEXTS, ASSETS)),
        Phase("lock", feeds),
        Phase("send", _of(plan.changes, PAGES)),
        Phase("send", _of(plan.changes, INDEX)),
        Phase("check", _of(looked_at, PAGES, INDEX)),
        Phase("begin", plan.changes),
        Phase("feed", feeds),
    )
    return tuple(phase for phase in every if phase.files)


def to_check(plan: UploadPlan) -> tuple[PublicFile, ...]:
    """Return the files to check from outside: those sent, those never checked, and a different sample of the rest each time. Pure."""
    new = [*plan.changes, *(file for file in plan.unchanged if file.key not in plan.proven)]
    seed = "".join(file.sha256 for file in plan.changes)
    rest = sorted((file for file in plan.unchanged if file.key in plan.proven), key=lambda file: _drawn(seed, file.key))
    return tuple(sorted((*new, *rest[:SAMPLE]), key=lambda file: (file.rank, file.key)))


def carry_out(plan: UploadPlan, target: Target, remote: dict[str, RemoteFile], acts: Acts) -> tuple[str, ...]:
    """Run the phases in order; return advice. Raises `CauserieError`; the feed is then unchanged."""
    headers, notes = {file.key for file in plan.header_changes}, list[str]()
    moved = _counted(plan.bytes, acts.moved)
    with ExitStack() as held:
        for phase in phases(plan):
            if phase.does == "prepare":
                target.ready()
            elif phase.does == "send":
                _send(phase.files, headers, target, acts.tell, moved)
            elif phase.does == "check":
                notes += acts.check(phase.files)
            elif phase.does == "lock":
                held.enter_context(target.alone())
                _hold(phase.files, target, remote)
            elif phase.does == "begin":
                acts.promise()
            else:
                notes += [_write_feed(feed, headers, target, remote, acts.tell) for feed in phase.files]
    return tuple(dict.fromkeys(note for note in notes if note))


def _write_feed(feed: PublicFile, headers: set[str], target: Target, remote: dict[str, RemoteFile], tell: Callable[[str], None]) -> str:
    """Write one feed, if the target's is still the one listed at the start; return the target's note."""
    if feed.key in headers:
        target.put_headers(feed)
        note = ""
    else:
        note = target.put_feed(feed, remote.get(feed.key))
    tell(f"wrote {feed.key}")
    return note


def _send(
    files: tuple[PublicFile, ...], headers: set[str], target: Target, tell: Callable[[str], None], moved: Callable[[int], None]
) -> None:
    """Send the files of one phase, `WORKERS` at a time; the first failure cancels those not yet started."""
    with ThreadPoolExecutor(WORKERS) as pool:
        put = {True: target.put_headers, False: lambda file: target.put(file, moved)}
        jobs = [(file, pool.submit(put[file.key in headers], file)) for file in files]
        try:
            for file, job in jobs:
                job.result()
                tell(f"corrected the headers of {file.key}" if file.key in headers else f"sent {file.key} ({size(file.bytes)})")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _hold(feeds: tuple[PublicFile, ...], target: Target, remote: dict[str, RemoteFile]) -> None:
    """Raise `CauserieError` before pages are sent when another publisher has written a feed: their pages would be overwritten."""
    for feed in feeds:
        was, is_now = remote.get(feed.key), target.find(feed.key)
        if is_now is not None and is_now.sha256 != feed.sha256 and (was is None or was.sha256 != is_now.sha256):
            said = "was replaced by another publisher during this publication, so pages and feed were not sent"
            raise CauserieError(said, f"{target.name}/{feed.key}", "fetch their changes, build, and publish again")


def _counted(total: int, moved: Callable[[int, int], None]) -> Callable[[int], None]:
    """Return a thread-safe callback that adds up the bytes sent and reports the sum with the total."""
    lock, done = threading.Lock(), [0]

    def add(count: int) -> None:
        with lock:
            done[0] += count
            moved(done[0], total)

    return add


def _of(files: Iterable[PublicFile], *ranks: int) -> tuple[PublicFile, ...]:
    return tuple(file for file in files if file.rank in ranks)


def _drawn(seed: str, key: str) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()
