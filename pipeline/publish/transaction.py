"""A publication as a list of phases: what is named is there before it is named, and has been seen from outside.

Read `phases` first. Whatever fails leaves listeners with the previous publication, whole: nothing it names is overwritten or deleted.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from pipeline.errors import CauserieError
from pipeline.publish.target import Target
from pipeline.publish.tree import ASSETS, FEED, FEEDS, INDEX, MEDIA, PAGES, TEXTS, PublicFile
from pipeline.publish.upload import RemoteFile, UploadPlan, size

WORKERS = 8  # files on their way at once
SAMPLE = 20  # files published before that are looked at again


@dataclass(frozen=True)
class Phase:
    """One thing to do with some files.

    `ready`: find out how feeds can be written safely; `send`; `check` from outside; `hold`: nobody else has published meanwhile, or does
    from here on; `promise`: write down what is about to be out; `feed`: write it, on condition.
    """

    does: str
    files: tuple[PublicFile, ...]


@dataclass(frozen=True)
class Acts:
    """What a transaction asks of the world besides its target."""

    check: Callable[[Iterable[PublicFile]], tuple[str, ...]]  # from outside; returns advice, raises what would break a player
    promise: Callable[[], None] = lambda: None  # write down what the feed is about to be
    tell: Callable[[str], None] = lambda line: None  # each file as it is done
    moved: Callable[[int, int], None] = lambda done, total: None  # bytes sent, of how many


def phases(plan: UploadPlan) -> tuple[Phase, ...]:
    """The transaction, in order; phases without files are left out. Pure."""
    feeds = _of(plan.changes, FEEDS, FEED)
    looked_at = to_check(plan)
    every = (
        Phase("ready", feeds),
        Phase("send", _of(plan.changes, MEDIA)),
        Phase("send", _of(plan.changes, TEXTS)),
        Phase("send", _of(plan.changes, ASSETS)),
        Phase("check", _of(looked_at, MEDIA, TEXTS, ASSETS)),
        Phase("hold", feeds),
        Phase("send", _of(plan.changes, PAGES)),
        Phase("send", _of(plan.changes, INDEX)),
        Phase("check", _of(looked_at, PAGES, INDEX)),
        Phase("promise", plan.changes),
        Phase("feed", feeds),
    )
    return tuple(phase for phase in every if phase.files)


def to_check(plan: UploadPlan) -> tuple[PublicFile, ...]:
    """What is looked at from outside: what is sent, what nobody has looked at yet, and a sample of the rest, another each time. Pure."""
    new = [*plan.changes, *(file for file in plan.unchanged if file.key not in plan.proven)]
    seed = "".join(file.sha256 for file in plan.changes)
    rest = sorted((file for file in plan.unchanged if file.key in plan.proven), key=lambda file: _drawn(seed, file.key))
    return tuple(sorted((*new, *rest[:SAMPLE]), key=lambda file: (file.rank, file.key)))


def carry_out(plan: UploadPlan, target: Target, remote: dict[str, RemoteFile], acts: Acts) -> tuple[str, ...]:
    """Do the phases, one after the other; returns advice. Raises `CauserieError`, and the feed is then as it was."""
    headers, notes = {file.key for file in plan.header_changes}, list[str]()
    moved = _counted(plan.bytes, acts.moved)
    with ExitStack() as held:
        for phase in phases(plan):
            if phase.does == "ready":
                target.ready()
            elif phase.does == "send":
                _send(phase.files, headers, target, acts.tell, moved)
            elif phase.does == "check":
                notes += acts.check(phase.files)
            elif phase.does == "hold":
                held.enter_context(target.alone())
                _hold(phase.files, target, remote)
            elif phase.does == "promise":
                acts.promise()
            else:
                notes += [_write_feed(feed, headers, target, remote, acts.tell) for feed in phase.files]
    return tuple(dict.fromkeys(note for note in notes if note))


def _write_feed(feed: PublicFile, headers: set[str], target: Target, remote: dict[str, RemoteFile], tell: Callable[[str], None]) -> str:
    """Write one feed, if it is still the one that was there at the start; what the target has to say of it."""
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
    """Send files of one kind, a few at a time; the first failure stops those that have not begun."""
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
    """Stop before the pages are sent when somebody has published since we looked: they would lose theirs to ours."""
    for feed in feeds:
        was, is_now = remote.get(feed.key), target.find(feed.key)
        if is_now is not None and is_now.sha256 != feed.sha256 and (was is None or was.sha256 != is_now.sha256):
            said = "somebody else has published meanwhile, the feed and the pages were left as they wrote them"
            raise CauserieError(said, f"{target.name}/{feed.key}", "fetch their work, build, and publish again")


def _counted(total: int, moved: Callable[[int, int], None]) -> Callable[[int], None]:
    """Add up what several threads send."""
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
