"""The transaction: its phases, what is checked, and what is left undone after a failure."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.model.errors import CauserieError
from pipeline.publish import transaction
from pipeline.publish.public_tree import ASSETS, FEED, FEEDS, INDEX, MEDIA, PAGES, TEXTS, PublicFile
from pipeline.publish.target import ignore_progress
from pipeline.publish.transaction import SAMPLE_SIZE, WORKERS, TransactionHooks, files_to_check, phases, run_transaction
from pipeline.publish.upload_plan import RemoteFile, UploadPlan

OTHER_FEED = "feeds/leger/feed.xml"


def file(key: str, rank: int = MEDIA, content: bytes = b"sons") -> PublicFile:
    return PublicFile(key, Path(key), len(content), hashlib.sha256(content).hexdigest(), "as/it-is", "", rank)


AUDIO, TEXT, STYLE, PAGE, HOME = (
    file("a.mp3"),
    file("t.vtt", TEXTS),
    file("s.css", ASSETS),
    file("un/index.html", PAGES),
    file("index.html", INDEX),
)
OTHER, MAIN = file(OTHER_FEED, FEEDS), file("feed.xml", FEED)
EVERY = (AUDIO, TEXT, STYLE, PAGE, HOME, OTHER, MAIN)


def plan_of(
    *uploads: PublicFile, unchanged: Iterable[PublicFile] = (), headers: Iterable[PublicFile] = (), verified: Iterable[str] = ()
) -> UploadPlan:
    return UploadPlan(uploads, tuple(unchanged), tuple(headers), (), verified=frozenset(verified))


def there(content: bytes) -> RemoteFile:
    return RemoteFile(len(content), hashlib.sha256(content).hexdigest())


class Recorder:
    """A target in memory that records what it is asked, in order."""

    name = "s3://balado"

    def __init__(self, **current: RemoteFile) -> None:
        self.log: list[str] = []
        self.current = {"feed.xml": current["feed"]} if "feed" in current else {}
        self.before_put: Callable[[PublicFile], None] = lambda file: None

    def prepare(self) -> None:
        self.log.append("prepare")

    @contextmanager
    def lock(self) -> Iterator[None]:
        self.log.append("lock")
        try:
            yield
        finally:
            self.log.append("unlock")

    def stat(self, key: str) -> RemoteFile | None:
        return self.current.get(key)

    def put(self, file: PublicFile, on_progress: Callable[[int], None] = ignore_progress) -> None:
        self.before_put(file)
        self.log.append(f"put {file.key}")
        on_progress(file.bytes)

    def put_headers(self, file: PublicFile) -> None:
        self.log.append(f"headers {file.key}")

    def put_feed(self, file: PublicFile, expected: RemoteFile | None) -> str:
        self.log.append(f"feed {file.key} over {expected.sha256[:4] if expected else None}")
        return "written without a condition"

    def list(self, keys: Collection[str]) -> dict[str, RemoteFile]:
        raise AssertionError("a transaction does not list")

    def read(self, key: str) -> bytes:
        raise AssertionError("a transaction does not read")

    def delete(self, keys: Collection[str], owned: Collection[str] = ()) -> tuple[str, ...]:
        raise AssertionError("a transaction does not delete")

    def close(self) -> None:
        raise AssertionError("a transaction does not close its target")


def run(plan: UploadPlan, target: Recorder, remote: dict[str, RemoteFile] | None = None, **hooks: Any) -> tuple[str, ...]:
    def check(files: Iterable[PublicFile]) -> tuple[str, ...]:
        target.log.append(f"check {' '.join(file.key for file in files)}")
        return ("a cache still serves older pages", "")

    every: dict[str, Any] = {"check": check, "begin": lambda: target.log.append("begin"), **hooks}
    return run_transaction(plan, target, remote or {}, TransactionHooks(**every))


def test_everything_is_sent_and_checked_before_what_refers_to_it() -> None:
    target, before = Recorder(feed=there(b"avant")), {"feed.xml": there(b"avant")}
    advice = run(plan_of(*reversed(EVERY)), target, before)
    assert target.log == [
        "prepare",
        "put a.mp3",
        "put t.vtt",
        "put s.css",
        "check a.mp3 t.vtt s.css",
        "lock",
        "put un/index.html",
        "put index.html",
        "check un/index.html index.html",
        "begin",
        f"feed {OTHER_FEED} over None",
        f"feed feed.xml over {before['feed.xml'].sha256[:4]}",
        "unlock",
    ]
    assert advice == ("a cache still serves older pages", "written without a condition")  # each once


def test_phases_without_files_are_left_out() -> None:
    assert [(phase.action, phase.files) for phase in phases(plan_of(PAGE))] == [("send", (PAGE,)), ("check", (PAGE,)), ("begin", (PAGE,))]
    assert phases(plan_of()) == ()
    assert [phase.action for phase in phases(plan_of(MAIN))] == ["prepare", "lock", "begin", "feed"]


def test_only_headers_are_sent_again_where_only_they_differ() -> None:
    target, told = Recorder(), list[str]()
    advice = run(plan_of(AUDIO, headers=(STYLE, MAIN)), target, on_status=told.append)
    assert [line for line in target.log if line.startswith(("put", "headers", "feed"))] == [
        "put a.mp3",
        "headers s.css",
        "headers feed.xml",
    ]
    assert told == ["sent a.mp3 (4 bytes)", "corrected the headers of s.css", "wrote feed.xml"]
    assert advice == ("a cache still serves older pages",)


def test_the_bytes_sent_are_added_up() -> None:
    told = list[tuple[int, int]]()
    run(plan_of(AUDIO, TEXT, PAGE, headers=(STYLE,)), Recorder(), on_progress=lambda done, total: told.append((done, total)))
    assert told == [(4, 12), (8, 12), (12, 12)]


def test_nothing_needs_to_be_told() -> None:
    target = Recorder()
    run_transaction(plan_of(*EVERY), target, {}, TransactionHooks(lambda files: ()))
    assert target.log[-2:] == ["feed feed.xml over None", "unlock"]


@pytest.mark.parametrize(
    ("expected", "current"),
    [(b"avant", b"le sien"), (None, b"le sien")],
    ids=["replaced since", "written since"],
)
def test_a_feed_of_another_publisher_stops_before_the_pages(expected: bytes | None, current: bytes) -> None:
    target = Recorder(feed=there(current))
    with pytest.raises(CauserieError, match=r"s3://balado/feed\.xml: was replaced by another publisher.*; get the other publisher"):
        run(plan_of(*EVERY), target, {"feed.xml": there(expected)} if expected else {})
    assert target.log[-3:] == ["check a.mp3 t.vtt s.css", "lock", "unlock"]


@pytest.mark.parametrize(
    ("expected", "current"),
    [(b"avant", b"avant"), (b"avant", b"sons"), (b"avant", None), (None, None), (None, b"sons")],
    ids=["as listed", "ours already", "deleted since", "none yet", "ours, unlisted"],
)
def test_a_feed_that_nobody_else_wrote_is_replaced(expected: bytes | None, current: bytes | None) -> None:
    target = Recorder(**({"feed": there(current)} if current else {}))
    run(plan_of(*EVERY), target, {"feed.xml": there(expected)} if expected else {})
    assert target.log[-2].startswith("feed feed.xml")


def test_a_failed_check_leaves_the_feed_and_frees_the_lock() -> None:
    target = Recorder()

    def check(files: Iterable[PublicFile]) -> tuple[str, ...]:
        if PAGE in files:
            raise CauserieError("returns 403", "un/index.html")
        return ()

    with pytest.raises(CauserieError, match="403"):
        run(plan_of(*EVERY), target, check=check)
    assert target.log[-1] == "unlock"
    assert not [line for line in target.log if line.startswith(("feed", "begin"))]


def test_a_failed_upload_cancels_those_not_yet_started(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping, target, started = threading.Event(), Recorder(), list[str]()

    class Pool(ThreadPoolExecutor):  # the uploads under way end when the pool has been told to stop, not before
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            stopping.set()
            super().shutdown(wait=wait)

    def before_put(file: PublicFile) -> None:
        started.append(file.key)
        if file.key == "00.mp3":
            raise CauserieError("access is denied", file.key)
        assert stopping.wait(30)

    monkeypatch.setattr(transaction, "ThreadPoolExecutor", Pool)
    target.before_put = before_put
    with pytest.raises(CauserieError, match="access is denied"):
        run(plan_of(*(file(f"{number:02}.mp3") for number in range(4 * WORKERS))), target)
    assert len(started) <= WORKERS + 1  # one more may take the place of the one that failed
    assert not [line for line in target.log if not line.startswith("put")]


def verified_files(count: int) -> tuple[PublicFile, ...]:
    return tuple(file(f"{number:03}.mp3") for number in range(count))


def test_what_was_never_verified_is_checked_however_much_there_is() -> None:
    known, unknown = verified_files(100), tuple(file(f"new-{number}.mp3") for number in range(50))
    plan = plan_of(AUDIO, headers=(STYLE,), unchanged=(*known, *unknown), verified=(one.key for one in known))
    checked = files_to_check(plan)
    assert {AUDIO, STYLE, *unknown} < set(checked)
    assert len(set(checked) & set(known)) == SAMPLE_SIZE
    assert len(checked) == len(set(checked)) == 52 + SAMPLE_SIZE


def test_what_is_checked_is_in_the_order_of_upload() -> None:
    checked = files_to_check(plan_of(PAGE, MAIN, unchanged=(HOME, TEXT, OTHER), headers=(AUDIO,), verified=("index.html",)))
    assert checked == (AUDIO, TEXT, PAGE, HOME, OTHER, MAIN)


def test_few_verified_files_are_all_checked_again() -> None:
    known = verified_files(SAMPLE_SIZE)
    assert files_to_check(plan_of(unchanged=known, verified=(one.key for one in known))) == known


def test_the_sample_is_another_one_each_publication_and_reaches_every_file() -> None:
    known = verified_files(60)
    plans = [plan_of(file("a.mp3", content=str(n).encode()), unchanged=known, verified=[one.key for one in known]) for n in range(30)]
    samples = [frozenset(files_to_check(plan)) & frozenset(known) for plan in plans]
    assert len(set(samples)) == len(plans)
    assert frozenset().union(*samples) == frozenset(known)
    assert files_to_check(plans[0]) == files_to_check(plans[0])


def test_the_sample_depends_on_every_change_and_on_nothing_else() -> None:
    known = verified_files(60)
    plan = plan_of(AUDIO, TEXT, unchanged=known, verified=[one.key for one in known])
    other = replace(plan, uploads=(AUDIO, file("t.vtt", TEXTS, b"autre texte")))
    sample = set(files_to_check(plan)) & set(known)
    assert sample != set(files_to_check(other)) & set(known)
    assert sample == set(files_to_check(replace(plan, unchanged=known[::-1]))) & set(known)
