"""Podcast applications subscribed while a show is published again and again, over a line that breaks things: what they get must be whole.

    python benchmarks/subscribed.py [--publications 20] [--seed 1] [--endpoint http://127.0.0.1:7480 --log radosgw.log]

Needs the test requirements. Without --endpoint moto's server is started; a real one takes the credentials of AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, must let objects be public, and Ceph must take small parts (`rgw multipart min part size = 4096`). Two readers ask
for the feed all the time, on condition, and fetch what is new in it as applications do. --log is the request log of a Ceph gateway: what
a feed names must have been put before it. The first broken promise is told, and the exit status is then 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support import publishing  # noqa: E402
from tests.support.faulty_proxy import Fault, Proxy, answer, delay, drop, faulty_proxy, randomly  # noqa: E402
from tests.support.publishing_faults import FAULTS, credentials, fast_retries, has_secret  # noqa: E402

BUCKET = "subscribed"
TARGET = f"s3://{BUCKET}/serie"
TYPES = {
    ".mp3": "audio/mpeg",
    ".vtt": "text/vtt",
    ".srt": "application/x-subrip",
    ".json": "application/json+chapters",
    ".jpg": "image/jpeg",
    ".html": "text/html",
    ".xml": "application/rss+xml",
}
LINES: dict[str, Fault] = {  # what can be wrong with the line
    "nothing": lambda request: None,
    "503": randomly(0.2, answer(503, "SlowDown")),
    "dropped": randomly(0.15, drop("before")),
    "answers lost": randomly(0.2, drop("after")),
    "mid-body": randomly(0.2, drop("half")),
    "late": delay(0.15),
    "everything": FAULTS["a little of everything"](1),
}


@dataclass
class Subscription:
    """What applications may see: the feeds in the order they may come out, by digest; and what they saw that they must not."""

    site: str
    may_come: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    over: bool = False


class Reader(threading.Thread):
    """One application: asks for the feed on condition, fetches what is new in it, and now and then something it has already."""

    def __init__(self, subscription: Subscription, seed: int) -> None:
        super().__init__(daemon=True)
        self._of, self._dice = subscription, random.Random(seed)
        self._etag, self._place = "", -1
        self._named, self._had = list[str](), set[str]()
        self.feeds = list[str]()  # digests, as they came

    def run(self) -> None:
        """Poll until it is over."""
        while not self._of.over and not self._of.broken:
            try:
                self._poll()
            except Exception as error:
                self._of.broken.append(f"{type(error).__name__}: {error} in {self.feeds[-1:]}")
            time.sleep(0.05)

    def _poll(self) -> None:
        status, headers, body = get(f"{self._of.site}feed.xml", **({"If-None-Match": self._etag} if self._etag else {}))
        self._of.seen[f"feed {status}"] += 1
        if status == 200:
            assert headers["content-type"].startswith(TYPES[".xml"]) and headers["cache-control"] == "no-cache", headers
            self._take(body, headers["etag"])
        assert status in {200, 304}, f"the feed answers {status}"
        if self._named:
            self._fetch(self._dice.choice(self._named))

    def _take(self, body: bytes, etag: str) -> None:
        """A feed that is new to us."""
        import feedparser

        digest = hashlib.sha256(body).hexdigest()
        assert digest in self._of.may_come, f"a feed that nobody built: {len(body)} bytes"
        assert digest in self._of.may_come[max(0, self._place) :], "an older feed came back"
        self._place = self._of.may_come.index(digest, max(0, self._place))
        self._etag = etag
        self.feeds.append(digest)
        parsed = feedparser.parse(body)
        assert not parsed.bozo and parsed.entries, parsed.get("bozo_exception")
        for entry in parsed.entries:
            self._sound(entry.enclosures[0])
        self._named = named(body, self._of.site)
        for key in self._named:
            if key not in self._had or key.endswith(".html"):
                self._fetch(key)

    def _sound(self, enclosure: dict[str, str]) -> None:
        """Begin to play, as players do: two bytes of a range, and the length the feed promised."""
        key = enclosure["href"].removeprefix(self._of.site)
        if key not in self._had:
            status, headers, body = get(enclosure["href"], Range="bytes=0-1")
            assert (status, len(body), headers["content-range"]) == (206, 2, f"bytes 0-1/{enclosure['length']}"), (key, status, headers)
            assert enclosure["type"] == TYPES[".mp3"]
            self._of.seen["206"] += 1
            assert self._fetch(key) == int(enclosure["length"]), key

    def _fetch(self, key: str) -> int:
        """Fetch one address whole, and hold it to its type and to the digest in its name; its bytes."""
        status, headers, body = get(self._of.site + key)
        assert status == 200, f"{key} answers {status}"
        assert headers["content-type"].split(";")[0] == TYPES[Path(key).suffix], (key, headers)
        assert "content-encoding" not in headers and int(headers["content-length"]) == len(body), (key, headers)
        promised = re.search(r"-([0-9a-f]{10})\.", key)
        assert not promised or hashlib.sha256(body).hexdigest().startswith(promised[1]), f"{key} is not what its name promises"
        self._had.add(key)
        self._of.seen[Path(key).suffix] += 1
        return len(body)


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """What an address answers, with its headers in lower case."""
    about = {"Accept-Encoding": "identity", **headers}
    answer = connections().request("GET", url, headers=about, retries=False, decode_content=False)
    return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data


@cache
def connections() -> Any:
    """Connections that all readers share."""
    import urllib3

    return urllib3.PoolManager(maxsize=4, timeout=30)


def named(feed: bytes, site: str) -> list[str]:
    """Every key that a feed names."""
    return sorted(set(re.findall(f'{re.escape(site)}([^"<]+)', feed.decode())))


@dataclass
class Publisher:
    """Publishes a show that changes each time, over the line, in processes of their own of which some are killed."""

    root: Path
    proxy: Proxy
    subscription: Subscription
    dice: random.Random
    log: Path | None = None
    slugs: list[str] = field(default_factory=lambda: ["e1", "e2", "e3"])
    made: int = 0
    names: dict[str, frozenset[str]] = field(default_factory=dict)  # by a feed's digest: what it names
    tried: list[tuple[str, list[str]]] = field(default_factory=list)  # the digest of the feed, and what the request log told
    ends: Counter[str] = field(default_factory=Counter)

    def change(self) -> str:
        """A new episode, one withdrawn, all titles changed, now and then all sounds; the digest of the feed."""
        self.made += 1
        if self.dice.random() < 0.5:
            self.slugs.insert(0, f"e{self.made + 3}")
        if len(self.slugs) > 4 and self.dice.random() < 0.5:
            self.slugs.remove(self.dice.choice(self.slugs))
        sound = f"son {self.made // 6} ".encode() * 40_000  # sent in parts
        publishing.build(self.root, *self.slugs, audio=sound, titles=f"Version {self.made},")
        feed = (self.root / "feeds/feed.xml").read_bytes()
        digest = hashlib.sha256(feed).hexdigest()
        self.names[digest] = frozenset(named(feed, self.subscription.site))
        return digest

    def once(self, digest: str, line: str, *, kill: bool = False, prune: bool = False, back: bool = False) -> int:
        """One try, in a process of its own; its exit status: 0 when it was published, negative when it was killed."""
        place = self.log.stat().st_size if self.log else 0
        self.subscription.may_come.append(digest)
        self.proxy.fault = LINES[line]
        asked = {"root": str(self.root), "site": self.subscription.site, "endpoint": self.proxy.url, "slugs": self.slugs}
        asked |= {"number": len(self.subscription.may_come), "prune": prune, "back": back}
        out = (self.root / "said.txt").open("a+")
        child = subprocess.Popen([sys.executable, __file__, "--attempt", json.dumps(asked)], stdout=out, stderr=out)
        last = len(self.proxy.log) + self.dice.randint(3, 70)
        while kill and child.poll() is None and len(self.proxy.log) < last:
            time.sleep(0.002)
        if kill:
            child.send_signal(signal.SIGKILL)
        child.wait()
        time.sleep(0.3)  # what was under way when it was killed
        self.tried.append((digest, told_since(self.log, place)))
        said = (self.root / "said.txt").read_text().splitlines()
        how = {0: "published", -signal.SIGKILL: "killed"}.get(child.returncode) or re.sub(r"^.*?: (?=\w)|http\S+", "", said[-1])
        self.ends[f"{'back, ' if back else ''}{line}: {how}"] += 1
        return child.returncode


def told_since(log: Path | None, place: int) -> list[str]:
    """The requests that a gateway wrote down from a place in its log on."""
    if log is None:
        return []
    with log.open("rb") as stream:
        stream.seek(place)
        return [line.decode() for line in stream if b"beast:" in line]


def attempt(root: str, site: str, endpoint: str, slugs: list[str], number: int, prune: bool, back: bool) -> int:
    """Publish, or go back, in this process; 1 with one sentence when it is not published."""
    from pipeline.model.errors import CauserieError
    from pipeline.model.show import S3Settings
    from pipeline.publish.publisher import PublishCallbacks, publish, rollback

    publishing.SITE = site
    some = publishing.show(*slugs, s3=S3Settings(BUCKET, "serie", endpoint, "us-east-1", "path", acl="public-read"))
    about = {"at": publishing.AT + timedelta(hours=number), "hears": PublishCallbacks(print), "public_url": f"{endpoint}/{BUCKET}/serie/"}
    with fast_retries():
        try:
            rollback(some, Path(root), **about) if back else publish(some, some.episodes, Path(root), prune=prune, **about)
        except CauserieError as error:
            print(error)
            return 1
    return 0


def run(publisher: Publisher, publications: int) -> None:
    """Publish so many times, however many tries that takes; after the fourth of each seven they go back."""
    dice, published, before = publisher.dice, 0, ""
    while published < publications and len(publisher.tried) < 8 * publications and not publisher.subscription.broken:
        digest = publisher.change()
        for _ in range(4):
            line, kill = dice.choice(list(LINES)), dice.random() < 0.4
            if publisher.once(digest, line, kill=kill, prune=dice.random() < 0.3) == 0:
                published += 1
                break
            if dice.random() < 0.3:  # they change their mind before it is out
                digest = publisher.change()
        else:
            published += publisher.once(digest, "nothing") == 0
        if before and published % 7 == 4:
            publisher.once(before, "dropped", back=True)
        before = digest
        print(f"{published} published, {dict(publisher.subscription.seen)}", flush=True)
    time.sleep(1)
    publisher.once(digest, "nothing")


def order_problems(tried: list[tuple[str, list[str]]], names: dict[str, frozenset[str]]) -> list[str]:
    """What the gateway's request log tells against us: a feed put before what it names, something named deleted. Pure."""
    there, out, feeds, problems = set[str](), frozenset[str](), 0, list[str]()
    for digest, lines in tried:
        for line in lines:
            found = re.search(rf'"(PUT|POST|DELETE) /{BUCKET}/serie/([^ ?]+)(\?\S*)? HTTP/1.1" 2\d\d', line)
            method, key, query = found.groups(default="") if found else ("", "", "")
            if method == "DELETE" and not query:
                there.discard(key)
                problems += [f"{key} was deleted while the feed names it"] if key in out else []
            elif method == "PUT" and not query or method == "POST" and "uploadId" in query:
                there.add(key)
            if method == "PUT" and key == "feed.xml":
                out, feeds = names[digest], feeds + 1
                problems += [f"the feed was put before {missing}" for missing in sorted(out - there)]
    return problems or ([] if feeds else ["the log tells of no feed"])


def record_problems(publisher: Publisher, readers: list[Reader]) -> list[str]:
    """Whether the ledger tells what came out, in its order, and nothing that was written down or said tells a secret."""
    from pipeline.feed import ledger as ledgers
    from pipeline.publish import history

    told = [each.feed_sha256 for each in ledgers.load_ledger(publisher.root / "feeds/ledger.json").publications]
    public = hashlib.sha256(get(f"{publisher.subscription.site}feed.xml")[2]).hexdigest()
    problems = [] if told[-1:] == [public] else ["the ledger's last publication is not the feed that is out"]
    for reader in readers:
        left = iter(told)
        problems += [f"a feed came out that the ledger does not tell of: {feed}" for feed in reader.feeds if feed not in left]
    trees = history.load_trees(publisher.root / history.PUBLICATIONS, TARGET)
    problems += [f"publication {tree.number} was never confirmed" for tree in trees if not tree.committed]
    files = [path for path in publisher.root.rglob("*") if path.is_file()]
    return problems + [f"{path} tells a secret" for path in files if has_secret(path.read_bytes())]


def main() -> int:
    """Publish and read at the same time; tell what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--publications", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--endpoint", default="")
    parser.add_argument("--log", type=Path)
    parser.add_argument("--attempt", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.attempt:
        return attempt(**json.loads(asked.attempt))
    if not asked.endpoint:
        os.environ.update(credentials())
    with ExitStack() as stack:
        stack.enter_context(fast_retries())  # and moto takes small parts
        server = asked.endpoint or stack.enter_context(publishing.s3_server()).url
        emptied(server)
        proxy = stack.enter_context(faulty_proxy(server))
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        subscription = Subscription(f"{server}/{BUCKET}/serie/")
        publishing.SITE = subscription.site
        publisher = Publisher(root, proxy, subscription, random.Random(asked.seed), asked.log)
        first = publisher.change()
        publisher.once(first, "nothing")
        readers = [Reader(subscription, seed) for seed in range(2)]
        for reader in readers:
            reader.start()
        run(publisher, asked.publications)
        subscription.over = True
        for reader in readers:
            reader.join()
        problems = subscription.broken + (order_problems(publisher.tried, publisher.names) if asked.log else [])
        problems += record_problems(publisher, readers)
        for end, number in sorted(publisher.ends.items()):
            print(f"{number:4} × {end}")
        print(f"feeds seen: {[len(reader.feeds) for reader in readers]} of {len(subscription.may_come)} tries; {dict(subscription.seen)}")
        print("\n".join(problems[:20]) or "nothing was broken")
        if problems:
            print((root / "said.txt").read_text()[-3000:])
    return bool(problems)


def emptied(server: str) -> None:
    """A bucket with nothing in it."""
    import boto3

    client = boto3.client("s3", endpoint_url=server, region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for row in page.get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=row["Key"])


if __name__ == "__main__":
    sys.exit(main())
