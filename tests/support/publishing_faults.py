"""Faults while publishing: each run ends published or not, and the state of the target is checked afterwards.

The tests run each fault once or twice, `benchmarks/faults.py` as often as requested.
"""

from __future__ import annotations

import hashlib
import logging
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

from pipeline.model.errors import CauserieError
from pipeline.model.show import S3Settings, Show
from pipeline.publish.public_tree import PublicFile, collect_public_files
from pipeline.publish.publisher import STATE_FOLDER, PublishCallbacks, publish
from tests.support.faulty_proxy import (
    Breakage,
    Fault,
    Proxy,
    Request,
    after_count,
    answer,
    delay,
    drop,
    flip_bit,
    randomly,
    stale_cache,
    strip_headers,
    when,
)
from tests.support.publishing import AT, SECRET, SITE, build, s3_client, show

KEY_ID, TOKEN = "AKIAEXAMPLE", "t0k3n-do-not-print"
SOUND = b"autre son " * 30_000  # sent in three parts
MOMENTS = 200  # file operations of the second publication into a folder
REQUESTS = 65  # about the number of requests of the second publication
is_put: Callable[[Request], bool] = lambda request: request.method == "PUT"  # noqa: E731
is_signed: Callable[[Request], bool] = lambda request: request.signed  # noqa: E731


def _is_put_ending(*endings: str) -> Callable[[Request], bool]:
    return lambda request: request.method == "PUT" and request.path.split("?")[0].endswith(endings)


def _hide_new(request: Request) -> Breakage | None:
    """A cache in front of the bucket that never sees new files."""
    return Breakage(404) if not request.signed and request.method in {"GET", "HEAD"} else None


def _mixed_faults(seed: int) -> Fault:
    """A few faults of every kind in one publication."""
    kinds = (answer(503, "SlowDown"), answer(500, "InternalError"), drop("before"), drop("after"), drop("half"), when(is_put, flip_bit()))
    each = [randomly(0.05, fault, seed * 10 + number) for number, fault in enumerate(kinds)]
    return lambda request: next((broken for fault in each if (broken := fault(request))), None)


FAULTS: dict[str, Callable[[int], Fault]] = {  # by name: the fault of one try
    "one request in five answers 503": lambda seed: randomly(0.2, answer(503, "SlowDown"), seed),
    "one request in five answers 500": lambda seed: randomly(0.2, answer(500, "InternalError"), seed),
    "every request answers 503": lambda seed: answer(503, "SlowDown"),
    "connections dropped before an answer": lambda seed: randomly(0.2, drop("before"), seed),
    "connections dropped while sending": lambda seed: when(is_put, randomly(0.2, drop("sending"), seed)),
    "answers dropped in mid-body": lambda seed: randomly(0.2, drop("half"), seed),
    "answers lost": lambda seed: randomly(0.2, drop("after"), seed),
    "the answer to the feed lost": lambda seed: when(_is_put_ending("feed.xml"), randomly(0.9, drop("after"), seed)),
    "two seconds of latency": lambda seed: delay(2.0),
    "a wrong clock": lambda seed: when(is_signed, answer(403, "RequestTimeTooSkewed")),
    "credentials that expire half way": lambda seed: after_count(seed % 30, is_signed, answer(400, "ExpiredToken")),
    "a full bucket": lambda seed: after_count(seed % 12, is_put, answer(507, "QuotaExceeded")),
    "access denied on one key": lambda seed: when(
        _is_put_ending((".mp3", ".vtt", ".pdf", "index.html", "feed.xml")[seed % 5]), answer(403, "AccessDenied")
    ),
    "a server that ignores conditions": lambda seed: strip_headers("if-match", "if-none-match"),
    "a bit flipped on the way to a server that checks nothing": lambda seed: when(is_put, randomly(0.2, flip_bit(), seed)),
    "a little of everything": _mixed_faults,
    "a public address that learns of nothing new": lambda seed: _hide_new,
    "a public address that keeps what it has shown": lambda seed: when(lambda request: not request.signed, stale_cache()),
}
MUST_FAIL = {"every request answers 503", "a wrong clock", "access denied on one key", "a public address that learns of nothing new"}
MUST_PUBLISH = {
    "two seconds of latency",
    "the answer to the feed lost",
    "a server that ignores conditions",
    "a public address that keeps what it has shown",
}


@contextmanager
def fast_retries() -> Iterator[None]:
    """Let boto3 retry without pauses, and send small files in parts: the tests are about what happens, not how long it takes."""
    import botocore.endpoint
    import moto.s3.models

    from pipeline.publish.s3 import locking, target

    instant = SimpleNamespace(sleep=lambda seconds: None, time=time.time, monotonic=time.monotonic)
    patches = (
        (botocore.endpoint, "time", instant),
        (locking, "SETTLE_S", 0.05),
        (target, "ONE_PUT_BYTES", 200_000),
        (target, "PART_BYTES", 100_000),
        (moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", 1),
    )
    before = [getattr(module, name) for module, name, _ in patches]
    for module, name, value in patches:
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name, _), value in zip(patches, before, strict=True):
            setattr(module, name, value)


def credentials() -> dict[str, str]:
    """An environment with test credentials and no others."""
    nobody = {"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_CONFIG_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
    return {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN, **nobody}


def proxied_show(proxy: Proxy, bucket: str, *slugs: str) -> Show:
    """A show whose bucket is accessed through the proxy."""
    return show(*slugs, s3=S3Settings(bucket, "serie", proxy.url, "us-east-1", "path", acl="public-read"))


def send(root: Path, published_show: Show, proxy: Proxy, bucket: str) -> list[str]:
    """Publish, with checks from outside through the proxy too; return the messages. Messages and logs are kept in `messages.txt`."""
    messages: list[str] = []
    handler = logging.StreamHandler((root / "said.txt").open("a"))
    logging.getLogger().addHandler(handler)
    try:
        publish(
            published_show,
            published_show.episodes,
            root,
            at=AT,
            callbacks=PublishCallbacks(messages.append, messages.append),
            public_url=f"{proxy.url}/{bucket}/serie/",
        )
    finally:
        logging.getLogger().removeHandler(handler)
        handler.stream.write("\n".join(messages))
        handler.stream.close()
    return messages


def run_fault(name: str, seed: int, proxy: Proxy, root: Path) -> str:
    """Publish an episode, then another with a fault, then without; return "published" or the error of the run with the fault."""
    client, bucket, old, both = _publish_first(f"b{abs(hash((name, seed))) % 10**12}", proxy, root)
    proxy.fault = FAULTS[name](seed)
    if "keeps what it has shown" in name:
        for file in old:
            fetch(f"{proxy.url}/{bucket}/serie/{file.key}")
    outcome = outcome_of(lambda: send(root, both, proxy, bucket))
    proxy.fault = lambda request: None
    assert_consistent(proxy, bucket, old, public_files(root, both), outcome)
    assert outcome_of(lambda: send(root, both, proxy, bucket)) == "published"
    assert_consistent(proxy, bucket, old, public_files(root, both), "published")
    assert_no_secret(root, client, bucket)
    return outcome


def _publish_first(bucket: str, proxy: Proxy, root: Path) -> tuple[Any, str, tuple[PublicFile, ...], Show]:
    """Publish one episode to a new bucket and build a second: (client, bucket, published files, show with both)."""
    client = s3_client(proxy.server)
    client.create_bucket(Bucket=bucket)
    proxy.fault = lambda request: None
    send(build(root, "un"), proxied_show(proxy, bucket, "un"), proxy, bucket)
    old = public_files(root, proxied_show(proxy, bucket, "un"))
    build(root, "un", "deux", titles="Nouveau", audio=SOUND)
    return client, bucket, old, proxied_show(proxy, bucket, "un", "deux")


def outcome_of(do: Callable[[], Any]) -> str:
    """Return "published", or the error message, which must have a place and a hint, and no secret."""
    try:
        do()
    except CauserieError as error:
        message = str(error)
        assert not has_secret(message.encode()) and "Traceback" not in message, message
        assert ": " in message and "; " in message, message  # where, what, and what to do
        return message
    return "published"


def has_secret(content: bytes) -> bool:
    """Whether it contains a credential."""
    return any(secret.encode() in content for secret in (SECRET, KEY_ID, TOKEN))


def assert_no_secret(root: Path, client: Any, bucket: str) -> None:
    """Assert that no file, message, log or object contains a credential, and that no lock was left over."""
    for path in (path for path in root.rglob("*") if path.is_file()):
        assert not has_secret(path.read_bytes()), path
    for row in client.list_objects_v2(Bucket=bucket)["Contents"]:
        assert not has_secret(client.get_object(Bucket=bucket, Key=row["Key"])["Body"].read()), row["Key"]
        assert not row["Key"].endswith("causerie.lock")


def fetch(url: str) -> tuple[int, dict[str, str], bytes]:
    """Fetch a URL without credentials: status, headers in lower case, body."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {}, b""


def public_files(root: Path, built_show: Show) -> tuple[PublicFile, ...]:
    """The files of a published show, as built now."""
    return collect_public_files(built_show, built_show.episodes, root)


def assert_consistent(proxy: Proxy, bucket: str, old: tuple[PublicFile, ...], new: tuple[PublicFile, ...], outcome: str) -> None:
    """Assert that the feed is the complete old or new one, and that every file of its publication is there."""

    def content(key: str) -> bytes:
        status, headers, body = fetch(f"{proxy.server}/{bucket}/serie/{key}")
        assert (status, headers.get("content-encoding")) == (200, None), (status, key)
        return body

    feed = hashlib.sha256(content("feed.xml")).hexdigest()
    assert feed in {old[-1].sha256, new[-1].sha256}
    assert outcome != "published" or feed == new[-1].sha256
    published, known = (new if feed == new[-1].sha256 else old), {file.key: {file.sha256} for file in old}
    for file in new:
        known[file.key] = known.get(file.key, set()) | {file.sha256}
    for file in published:  # a page may already be the new one, when every file it refers to is there
        is_exact = "immutable" in file.cache_control or outcome == "published"
        assert hashlib.sha256(content(file.key)).hexdigest() in ({file.sha256} if is_exact else known[file.key]), file.key
    fetch_all_named(proxy, bucket)


def fetch_all_named(proxy: Proxy, bucket: str) -> bytes:
    """Fetch every URL of the published feed, as an app would, and check the length of enclosures; return the feed."""
    base = f"{proxy.server}/{bucket}/serie/"
    feed = fetch(f"{base}feed.xml")[2]
    for url in re.findall(f'{SITE}([^"<]+)', feed.decode()):
        status, headers, _ = fetch(base + url)
        assert (status, headers.get("content-encoding")) == (200, None), (url, status)
    for enclosure in ElementTree.fromstring(feed).iter("enclosure"):
        assert len(fetch(base + enclosure.attrib["url"].removeprefix(SITE))[2]) == int(enclosure.attrib["length"])
    return feed


def run_two_publishers(seed: int, proxy: Proxy, root: Path) -> list[str]:
    """Publish an episode each from two copies of a show at the same time; return both outcomes. Neither may overwrite the other's."""
    bucket, dice, slugs = f"deux{seed}", random.Random(seed), ("deux", "trois")
    client = s3_client(proxy.server)
    client.create_bucket(Bucket=bucket)
    proxy.fault = strip_headers("if-match", "if-none-match") if seed % 2 else lambda request: None
    send(build(root / "0", "un"), proxied_show(proxy, bucket, "un"), proxy, bucket)
    outcomes = ["", ""]
    for slug in slugs:
        build(shutil.copytree(root / "0", root / slug), "un", slug, audio=SOUND)

    def work(number: int, slug: str, wait_s: float) -> None:
        time.sleep(wait_s)
        outcomes[number] = outcome_of(lambda: send(root / slug, proxied_show(proxy, bucket, "un", slug), proxy, bucket))

    threads = [threading.Thread(target=work, args=(i, slug, dice.random() * 0.8)) for i, slug in enumerate(slugs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("published") == 1, outcomes  # both began from the first feed, so only one can replace it
    winner, loser = slugs if outcomes[0] == "published" else slugs[::-1]
    assert fetch_all_named(proxy, bucket) == (root / winner / "feeds/feed.xml").read_bytes()
    shutil.copytree(root / winner / "feeds", root / loser / "feeds", dirs_exist_ok=True)  # as the error message asks
    build(root / loser, "un", "deux", "trois", audio=SOUND)
    assert outcome_of(lambda: send(root / loser, proxied_show(proxy, bucket, "un", "deux", "trois"), proxy, bucket)) == "published"
    assert all(f"<guid>{slug}</guid>".encode() in fetch_all_named(proxy, bucket) for slug in ("un", *slugs))
    assert_no_secret(root, client, bucket)
    return outcomes


ROOT = Path(__file__).parents[2]
_CHILD = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from tests.support.faulty_proxy import Proxy
from tests.support.publishing_faults import fast_retries, proxied_show, send
proxy = Proxy("", {url!r})
with fast_retries():
    send(Path({root!r}), proxied_show(proxy, {bucket!r}, "un", "deux"), proxy, {bucket!r})
"""


def run_killed(seed: int, proxy: Proxy, root: Path) -> str:
    """Run a publication in its own process and kill it after some number of requests; the next one must succeed without options."""
    client, bucket, old, both = _publish_first(f"tue{seed}", proxy, root)
    dice, paths = random.Random(seed), [str(ROOT)]
    code = _CHILD.format(paths=paths, url=proxy.url, root=str(root), bucket=bucket)
    if seed % 2:  # the lock object is then used instead of conditional writes, and may be left over
        (root / STATE_FOLDER / "s3-conditions.json").unlink()
        proxy.fault = strip_headers("if-match", "if-none-match")
    with (root / "said.txt").open("a") as log:
        child = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **credentials()}, stdout=log, stderr=log)
    last, seen = dice.randint(1, REQUESTS), len(proxy.log)
    while child.poll() is None and len(proxy.log) - seen < last:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.returncode in {0, -signal.SIGKILL}, (root / "said.txt").read_text()
    assert_consistent(proxy, bucket, old, public_files(root, both), "killed")
    assert outcome_of(lambda: send(root, both, proxy, bucket)) == "published"
    assert_consistent(proxy, bucket, old, public_files(root, both), "published")
    assert_no_secret(root, client, bucket)
    return f"killed after {last} requests" if child.returncode else "published"


_FOLDER_CHILD = """
import os, signal, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from tests.support.publishing import AT, show
from pipeline.publish import publish
left, some = [{moments}], show("un", "deux")
def count(event, about):
    if event in {{"open", "os.mkdir", "os.rename", "os.remove", "os.chmod", "fcntl.flock"}}:
        left[0] -= 1
        left[0] or os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
publish(some, some.episodes, Path({root!r}), at=AT)
"""


def run_killed_into_folder(seed: int, proxy: Proxy, root: Path) -> str:
    """Run a publication into a folder and kill it before some file operation, while another process reads the folder."""
    build(root, "un")
    publish(show("un"), show("un").episodes, root, at=AT)
    build(root, "un", "deux", titles="Nouveau", audio=SOUND)
    feeds, paths = {(root / "public/feed.xml").read_bytes(), (root / "feeds/feed.xml").read_bytes()}, [str(ROOT)]
    moments = random.Random(seed).randint(1, MOMENTS)
    code = _FOLDER_CHILD.format(paths=paths, moments=moments, root=str(root))
    child = subprocess.Popen([sys.executable, "-c", code])
    while child.poll() is None:
        assert_folder_consistent(root / "public", feeds)
    assert child.returncode in {0, -signal.SIGKILL}
    assert_folder_consistent(root / "public", feeds)
    both = show("un", "deux")
    assert outcome_of(lambda: publish(both, both.episodes, root, at=AT)) == "published"
    assert_folder_consistent(root / "public", {(root / "feeds/feed.xml").read_bytes()})
    return f"killed after {moments} files" if child.returncode else "published"


def assert_folder_consistent(folder: Path, feeds: set[bytes]) -> None:
    """Assert that the feed is one of those, and that every file it refers to is there with the right length and digest."""
    feed = (folder / "feed.xml").read_bytes()
    assert feed in feeds
    for key in re.findall(f'{SITE}([^"<]+)', feed.decode()):
        content, named_digest = (folder / key).read_bytes(), re.search(r"-([0-9a-f]{10})\.", key)
        assert not named_digest or hashlib.sha256(content).hexdigest().startswith(named_digest[1]), key
    for enclosure in ElementTree.fromstring(feed).iter("enclosure"):
        assert (folder / enclosure.attrib["url"].removeprefix(SITE)).stat().st_size == int(enclosure.attrib["length"])
