"""Look at what was published from outside, as a player would: over HTTP, through the public address."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

from pipeline.errors import CauserieError, Problems
from pipeline.publish.headers import IMMUTABLE
from pipeline.publish.tree import MEDIA, TEXTS, PublicFile
from pipeline.text import printable

WORKERS = 8
TRIES = 6
WHOLE_BYTES = 20_000_000  # more than that is not fetched again only to be compared
_TIMEOUT_S = 20
_PAUSE_S = 0.2
ORIGIN = "https://player.example"  # any other site: web players fetch transcripts and chapters from theirs


@dataclass(frozen=True)
class Answer:
    """What a server said: status 0 when it said nothing, then `reason` tells why. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    sha256: str = ""  # of the body, when all of it was read


@dataclass(frozen=True)
class Check:
    """What one address answered: for the report of a publication. `ranges`, `cors` and `same` are None where they were not asked."""

    url: str
    status: int
    type: str
    bytes: str
    ranges: bool | None = None
    cors: bool | None = None
    same: bool | None = None  # its whole content has the digest of what was sent


def verify(base_url: str, files: Iterable[PublicFile], seen: Callable[[Check], None] = lambda check: None) -> tuple[str, ...]:
    """Check every file below `base_url`, and the whole content of a few; `seen` hears what each address answered.

    Returns advice, raises `Problems` for what would break a player.
    """
    if urlsplit(base_url).scheme not in {"http", "https"}:
        raise CauserieError("is not an http address", base_url, "correct website in show.toml")
    wanted = list(files)
    whole = to_read_whole(wanted)
    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(lambda file: _verified(base_url, file, file.key in whole), wanted))
    for check, _, _ in found:
        seen(check)
    problems = tuple(problem for _, problems, _ in found for problem in problems)
    if problems:
        raise Problems(grouped(problems))
    return tuple(dict.fromkeys(line for _, _, advice in found for line in advice))


def address_of(base_url: str, key: str) -> str:
    """The address of a published path."""
    return f"{base_url.rstrip('/')}/{quote(key)}"


def to_read_whole(files: Iterable[PublicFile]) -> frozenset[str]:
    """The keys whose content is fetched and compared: the smallest of each kind that carries its digest in its name. Pure."""
    smallest: dict[tuple[int, str], PublicFile] = {}
    for file in sorted(files, key=lambda file: (file.bytes, file.key)):
        if file.cache_control == IMMUTABLE and file.bytes <= WHOLE_BYTES:
            smallest.setdefault((file.rank, file.content_type), file)
    return frozenset(file.key for file in smallest.values())


def grouped(problems: Iterable[CauserieError]) -> tuple[CauserieError, ...]:
    """One problem for all the addresses that have the same: a closed bucket is one thing to mend, not sixty. Pure."""
    alike: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        alike.setdefault((problem.message, problem.hint), []).append(problem.where)
    return tuple(
        CauserieError(message, f"{urls[0]} and {len(urls) - 1} more" if len(urls) > 1 else urls[0], hint)
        for (message, hint), urls in alike.items()
    )


def problems_of(file: PublicFile, url: str, head: Answer) -> tuple[CauserieError, ...]:
    """What is wrong with the answer to HEAD. Pure."""
    if head.status != 200:
        said = f"answers {head.status} instead of 200" if head.status else f"cannot be reached ({head.reason})"
        return (CauserieError(said, url, "check website in show.toml, and that the bucket may be read by everybody"),)
    problems = []
    if _media_type(head.headers.get("content-type", "")) != _media_type(file.content_type):
        said = f"says Content-Type {printable(head.headers.get('content-type', 'nothing'))} instead of {file.content_type}"
        problems.append(CauserieError(said, url, "correct what stands before the bucket"))
    if head.headers.get("content-encoding", "identity") != "identity":
        problems.append(CauserieError("is sent with a Content-Encoding", url, "switch compression off in front of the bucket"))
    elif head.headers.get("content-length") != str(file.bytes) and file.cache_control == IMMUTABLE:
        said = printable(head.headers.get("content-length", "no"))
        problems.append(CauserieError(f"has {said} bytes instead of {file.bytes}", url, "empty the cache before the bucket"))
    return tuple(problems)


def advice_of(file: PublicFile, head: Answer) -> tuple[str, ...]:
    """What a producer should know, and that breaks no app."""
    lines = []
    if file.rank == TEXTS and not opens(head):
        lines.append("transcripts and chapters are sent without Access-Control-Allow-Origin: web players cannot show them")
    if file.cache_control != IMMUTABLE and head.headers.get("content-length") != str(file.bytes):
        lines.append("a cache still serves older pages; it should not keep them longer than five minutes")
    return tuple(lines)


def opens(head: Answer) -> bool:
    """Whether a page of another site may read what was answered. Pure."""
    return head.headers.get("access-control-allow-origin") in {"*", ORIGIN}


def range_problems(file: PublicFile, url: str, answer: Answer) -> tuple[CauserieError, ...]:
    """What is wrong with the answer to a request for the first two bytes. Pure."""
    if not answer.status:
        return (CauserieError(f"cannot be reached ({answer.reason})", url, "publish again"),)
    if answer.status == 206 and answer.headers.get("content-range", "").strip() == f"bytes 0-1/{file.bytes}":
        return ()
    return (CauserieError(f"answers {answer.status} to a request for a byte range", url, "serve it where players can jump in the audio"),)


def ask(url: str, method: str = "HEAD", **headers: str) -> Answer:
    """One request, tried again while the network or the server stumbles."""
    return _asked(url, method, headers)


def digest_of(url: str) -> str:
    """SHA-256 of what an address gives; empty when it cannot be fetched whole."""
    return _asked(url, "GET", {}, whole=True).sha256


def _verified(base_url: str, file: PublicFile, whole: bool) -> tuple[Check, tuple[CauserieError, ...], tuple[str, ...]]:
    """What was seen of one file, its problems and advice."""
    url = address_of(base_url, file.key)
    head = ask(url, Origin=ORIGIN)
    problems, ranges, same = problems_of(file, url, head), None, None
    if file.rank == MEDIA and not problems:
        problems = range_problems(file, url, ask(url, "GET", Range="bytes=0-1"))
        ranges = not problems
    if whole and not problems:
        same = digest_of(url) == file.sha256
        problems = () if same else (CauserieError("is not what was sent", url, "publish again, and empty the cache before the bucket"),)
    type_, length = (printable(head.headers.get(name, "")) for name in ("content-type", "content-length"))
    check = Check(url, head.status, type_, length, ranges, opens(head) if file.rank == TEXTS else None, same)
    return check, problems, () if problems else advice_of(file, head)


def _asked(url: str, method: str, headers: Mapping[str, str], whole: bool = False) -> Answer:
    """One request, again when its answer breaks off; a body is read when it is wanted `whole`, or short."""
    from urllib3.exceptions import HTTPError, ProtocolError

    about = {"User-Agent": "causerie", "Accept-Encoding": "identity", **headers}
    answer = Answer(0)
    for tried in range(TRIES):
        time.sleep(_PAUSE_S * tried)
        try:
            response = _connections(_proxy_for(url)).request(method, url, headers=about, preload_content=False)
        except (HTTPError, OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            answer = Answer(0, reason=type(reason).__name__)
            if not isinstance(reason, ProtocolError):  # a connection that broke off is worth another; who says nothing was waited for
                return answer
            continue
        try:
            digest = hashlib.sha256()
            if whole and response.status == 200:
                for block in response.stream(1 << 16, decode_content=False):
                    digest.update(block)
            elif method == "HEAD" or response.status == 206:
                response.read()  # a connection with nothing left on it is kept for the next request
            said = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, said, sha256=digest.hexdigest() if whole and response.status == 200 else "")
        except (HTTPError, OSError) as error:
            answer = Answer(0, reason=type(error).__name__)
        finally:
            response.close()
    return answer


@cache
def _connections(proxy: str) -> Any:
    """Connections kept between requests, through a proxy when there is one; a stumble is tried again, a silence is not."""
    import urllib3

    again = urllib3.Retry(
        total=TRIES - 1, connect=1, read=0, redirect=5, backoff_factor=0.2, status_forcelist={429, 500, 502, 503, 504},
        allowed_methods=None, raise_on_status=False, respect_retry_after_header=False,
    )  # fmt: skip
    about = {"retries": again, "timeout": urllib3.Timeout(_TIMEOUT_S), "maxsize": WORKERS}
    return urllib3.ProxyManager(proxy, **about) if proxy else urllib3.PoolManager(**about)


def _proxy_for(url: str) -> str:
    """The proxy that the environment names for an address, as `urllib` and boto3 find it."""
    parts = urlsplit(url)
    return "" if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme, "")


def _media_type(value: str) -> str:
    """`text/html` of `Text/HTML; charset=utf-8`."""
    return value.split(";")[0].strip().lower()
