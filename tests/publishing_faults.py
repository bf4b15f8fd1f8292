"""What can go wrong while publishing, each as one try that ends published or not published, with everything looked at afterwards.

The tests try each once or twice, `benchmarks/faults.py` as often as it is told.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from faulty_proxy import Broken, Fault, Proxy, Request, after, answer, chance, drop, flipped, late, when, without
from publishing import AT, SECRET, build, s3_client, show

from pipeline.errors import CauserieError
from pipeline.model import S3Settings, Show
from pipeline.publish.run import publish
from pipeline.publish.tree import PublicFile, public_tree

KEY_ID = "AKIAEXAMPLE"
PUT: Callable[[Request], bool] = lambda request: request.method == "PUT"  # noqa: E731
SIGNED: Callable[[Request], bool] = lambda request: request.signed  # noqa: E731


def _ends(*endings: str) -> Callable[[Request], bool]:
    return lambda request: request.method == "PUT" and request.path.split("?")[0].endswith(endings)


def _stale(request: Request) -> Broken | None:
    """A cache before the bucket that never learns of anything new."""
    return Broken(404) if not request.signed and request.method in {"GET", "HEAD"} else None


FAULTS: dict[str, Callable[[int], Fault]] = {  # by name: the fault of one try
    "one request in five answers 503": lambda seed: chance(0.2, answer(503, "SlowDown"), seed),
    "one request in five answers 500": lambda seed: chance(0.2, answer(500, "InternalError"), seed),
    "every request answers 503": lambda seed: answer(503, "SlowDown"),
    "connections dropped before": lambda seed: chance(0.2, drop("before"), seed),
    "connections dropped in mid-body": lambda seed: chance(0.2, drop("half"), seed),
    "answers lost": lambda seed: chance(0.2, drop("after"), seed),
    "the answer to the feed lost": lambda seed: when(_ends("feed.xml"), chance(0.7, drop("after"), seed)),
    "two seconds of latency": lambda seed: chance(0.1, late(2.0), seed),
    "a wrong clock": lambda seed: when(SIGNED, answer(403, "RequestTimeTooSkewed")),
    "credentials that expire half way": lambda seed: after(seed % 30, SIGNED, answer(400, "ExpiredToken")),
    "a full bucket": lambda seed: after(seed % 12, PUT, answer(507, "QuotaExceeded")),
    "access denied on one key": lambda seed: when(
        _ends((".mp3", ".vtt", ".pdf", "index.html", "feed.xml")[seed % 5]), answer(403, "AccessDenied")
    ),
    "a server that ignores conditions": lambda seed: without("if-match", "if-none-match"),
    "a bit flipped on the way to a server that checks nothing": lambda seed: when(PUT, chance(0.2, flipped(), seed)),
    "a public address that serves what was there before": lambda seed: _stale,
}
MUST_FAIL = {"every request answers 503", "a wrong clock", "access denied on one key", "a public address that serves what was there before"}
MUST_PUBLISH = {"two seconds of latency", "a server that ignores conditions"}


@contextmanager
def no_waiting() -> Iterator[None]:
    """boto3 tries again without a pause: what is tried here is whether it does, not how long."""
    import botocore.endpoint

    from pipeline.publish import s3_conditions

    before, settle = botocore.endpoint.time, s3_conditions.SETTLE_S
    botocore.endpoint.time = SimpleNamespace(sleep=lambda seconds: None, time=time.time, monotonic=time.monotonic)
    s3_conditions.SETTLE_S = 0.05
    try:
        yield
    finally:
        botocore.endpoint.time, s3_conditions.SETTLE_S = before, settle


def credentials() -> dict[str, str]:
    """An environment with credentials of its own and nobody else's."""
    nobody = {"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_CONFIG_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
    return {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, **nobody}


def there(proxy: Proxy, bucket: str, *slugs: str) -> Show:
    """A show whose bucket is reached through the proxy."""
    return show(*slugs, s3=S3Settings(bucket, "serie", proxy.url, "us-east-1", "path", acl="public-read"))


def send(root: Path, some: Show, proxy: Proxy, bucket: str) -> Any:
    """Publish, looking from outside through the proxy too."""
    return publish(some, some.episodes, root, at=AT, public_url=f"{proxy.url}/{bucket}/serie/")


def one_try(name: str, seed: int, proxy: Proxy, root: Path) -> str:
    """Publish an episode, then another under a fault, then without; "published", or the sentence it ended with."""
    bucket = f"b{abs(hash((name, seed))) % 10**12}"
    client = s3_client(proxy.server)
    client.create_bucket(Bucket=bucket)
    proxy.fault = lambda request: None
    send(build(root, "un"), there(proxy, bucket, "un"), proxy, bucket)
    old = tree(root, there(proxy, bucket, "un"))
    build(root, "un", "deux", titles="Nouveau", audio=b"autre son")
    both = there(proxy, bucket, "un", "deux")
    proxy.fault = FAULTS[name](seed)
    outcome = ended(lambda: send(root, both, proxy, bucket))
    proxy.fault = lambda request: None
    looked_at(client, bucket, old, tree(root, both), outcome)
    assert ended(lambda: send(root, both, proxy, bucket)) == "published"
    looked_at(client, bucket, old, tree(root, both), "published")
    return outcome


def ended(do: Callable[[], Any]) -> str:
    """How it ended: "published", or one clear sentence without a secret in it."""
    try:
        do()
    except CauserieError as error:
        said = str(error)
        assert SECRET not in said and KEY_ID not in said and "Traceback" not in said, said
        assert ": " in said and "; " in said, said  # where, what, and what to do
        return said
    return "published"


def tree(root: Path, some: Show) -> tuple[PublicFile, ...]:
    """What a published show consists of, as it is built now."""
    return public_tree(some, some.episodes, root)


def looked_at(client: Any, bucket: str, old: tuple[PublicFile, ...], new: tuple[PublicFile, ...], outcome: str) -> None:
    """Hold the bucket to its word: the feed is the old one or the new one, whole, and all that its publication names is there."""
    import hashlib

    def content(key: str) -> bytes:
        return client.get_object(Bucket=bucket, Key=f"serie/{key}")["Body"].read()  # type: ignore[no-any-return]

    feed = hashlib.sha256(content("feed.xml")).hexdigest()
    assert feed in {old[-1].sha256, new[-1].sha256}
    assert outcome != "published" or feed == new[-1].sha256
    lasting = [file for file in (new if feed == new[-1].sha256 else old) if "immutable" in file.cache_control]
    for file in lasting:
        assert hashlib.sha256(content(file.key)).hexdigest() == file.sha256, file.key
        assert not client.head_object(Bucket=bucket, Key=f"serie/{file.key}").get("ContentEncoding")


def two_at_once(seed: int, proxy: Proxy, root: Path) -> list[str]:
    """Two copies of a show publish an episode each at the same moment: how both ended. Neither may lose what the other published."""
    bucket, dice = f"deux{seed}", random.Random(seed)
    client = s3_client(proxy.server)
    client.create_bucket(Bucket=bucket)
    proxy.fault = without("if-match", "if-none-match") if seed % 2 else lambda request: None
    send(build(root / "0", "un"), there(proxy, bucket, "un"), proxy, bucket)
    outcomes = ["", ""]

    def work(number: int, slug: str, wait_s: float) -> None:
        time.sleep(wait_s)
        copy = build(root / slug, "un", slug)
        outcomes[number] = ended(lambda: send(copy, there(proxy, bucket, "un", slug), proxy, bucket))

    threads = [threading.Thread(target=work, args=(i, slug, dice.random() * 0.4)) for i, slug in enumerate(("deux", "trois"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    feed = client.get_object(Bucket=bucket, Key="serie/feed.xml")["Body"].read()
    built = [(root / slug / "feeds/feed.xml").read_bytes() for slug in ("deux", "trois")]
    assert outcomes.count("published") == 1, outcomes  # each began from the first feed, so only one can follow it
    assert feed == built[outcomes.index("published")]
    return outcomes


_CHILD = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from faulty_proxy import Proxy
from publishing_faults import send, there
proxy = Proxy("", {url!r})
send(Path({root!r}), there(proxy, {bucket!r}, "un", "deux"), proxy, {bucket!r})
"""


def killed(seed: int, proxy: Proxy, root: Path) -> str:
    """A publication in a process of its own, killed after some number of requests; the next one must go through without a question."""
    bucket, dice = f"tue{seed}", random.Random(seed)
    client = s3_client(proxy.server)
    client.create_bucket(Bucket=bucket)
    proxy.fault = lambda request: None
    send(build(root, "un"), there(proxy, bucket, "un"), proxy, bucket)
    old = tree(root, there(proxy, bucket, "un"))
    build(root, "un", "deux", titles="Nouveau", audio=b"autre son")
    both, paths = there(proxy, bucket, "un", "deux"), [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
    code = _CHILD.format(paths=paths, url=proxy.url, root=str(root), bucket=bucket)
    child = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **credentials()}, stderr=subprocess.DEVNULL)
    last, seen = dice.randint(1, 50), len(proxy.log)
    while child.poll() is None and len(proxy.log) - seen < last:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    looked_at(client, bucket, old, tree(root, both), "killed")
    assert ended(lambda: send(root, both, proxy, bucket)) == "published"
    looked_at(client, bucket, old, tree(root, both), "published")
    return f"killed after {last} requests" if child.returncode else "published"
