"""Check published files from outside, as a player would: over HTTP, through the public address."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

from pipeline.errors import CauserieError, Problems
from pipeline.publish.headers import IMMUTABLE
from pipeline.publish.tree import MEDIA, TEXTS, PublicFile
from pipeline.text import printable

if TYPE_CHECKING:
    from urllib3 import PoolManager

WORKERS = 8
TRIES = 6
WHOLE_BYTES = 20_000_000  # larger files are not downloaded to be compared
_TIMEOUT_S = 20
_PAUSE_S = 0.2
ORIGIN = "https://player.example"  # any other site: web players fetch transcripts and chapters from theirs


@dataclass(frozen=True)
class Answer:
    """A server's response. `status` is 0 when there was none, and `reason` then says why. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    sha256: str = ""  # of the body, when it was read completely


@dataclass(frozen=True)
class Check:
    """The result of checking one URL. Its fields are keys of the JSON report; `ranges`, `cors` and `same` are None when not checked."""

    url: str
    status: int
    type: str
    bytes: str
    ranges: bool | None = None
    cors: bool | None = None
    same: bool | None = None  # whether its content has the digest of what was sent


def verify(base_url: str, files: Iterable[PublicFile], seen: Callable[[Check], None] = lambda check: None) -> tuple[str, ...]:
    """Check every file below `base_url`, and the content of a few; `on_check` gets the result of each. Returns advice.

    Raises `Problems` for what would break a player, `CauserieError` when `base_url` is not an HTTP address.
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
    """Return the URL of a published path."""
    return f"{base_url.rstrip('/')}/{quote(key)}"


def to_read_whole(files: Iterable[PublicFile]) -> frozenset[str]:
    """Return the keys whose content is downloaded and compared: of each media type the smallest immutable file. Pure."""
    smallest: dict[tuple[int, str], PublicFile] = {}
    for file in sorted(files, key=lambda file: (file.bytes, file.key)):
        if file.cache_control == IMMUTABLE and file.bytes <= WHOLE_BYTES:
            smallest.setdefault((file.rank, file.content_type), file)
    return frozenset(file.key for file in smallest.values())


def grouped(problems: Iterable[CauserieError]) -> tuple[CauserieError, ...]:
    """Merge problems that differ only in their URL: a private bucket is one thing to fix, not sixty. Pure."""
    alike: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        alike.setdefault((problem.message, problem.hint), []).append(problem.where)
    return tuple(
        CauserieError(message, f"{urls[0]} and {len(urls) - 1} more" if len(urls) > 1 else urls[0], hint)
        for (message, hint), urls in alike.items()
    )


def problems_of(file: PublicFile, url: str, head: Answer) -> tuple[CauserieError, ...]:
    """Return what is wrong with the response to a HEAD request. Pure."""
    if head.status != 200:
        said = f"returns {head.status} instead of 200" if head.status else f"cannot be reached ({head.reason})"
        return (CauserieError(said, url, "check website in show.toml, and that everyone may read the bucket"),)
    problems = []
    if _media_type(head.headers.get("content-type", "")) != _media_type(file.content_type):
        said = f"has Content-Type {printable(head.headers.get('content-type', 'nothing'))} instead of {file.content_type}"
        problems.append(CauserieError(said, url, "correct the server or cache in front of the bucket"))
    if head.headers.get("content-encoding", "identity") != "identity":
        problems.append(CauserieError("is sent with a Content-Encoding", url, "turn off compression in front of the bucket"))
    elif head.headers.get("content-length") != str(file.bytes) and file.cache_control == IMMUTABLE:
        said = printable(head.headers.get("content-length", "no"))
        problems.append(CauserieError(f"has {said} bytes instead of {file.bytes}", url, "purge the cache in front of the bucket"))
    return tuple(problems)


def advice_of(file: PublicFile, head: Answer) -> tuple[str, ...]:
    """Return advice for the producer on what does not break players. Pure."""
    lines = []
    if file.rank == TEXTS and not opens(head):
        lines.append("transcripts and chapters are sent without Access-Control-Allow-Origin: web players cannot show them")
    if file.cache_control != IMMUTABLE and head.headers.get("content-length") != str(file.bytes):
        lines.append("a cache still serves older pages: it should keep them for at most five minutes")
    return tuple(lines)


def opens(head: Answer) -> bool:
    """Whether CORS lets other sites read the response. Pure."""
    return head.headers.get("access-control-allow-origin") in {"*", ORIGIN}


def range_problems(file: PublicFile, url: str, answer: Answer) -> tuple[CauserieError, ...]:
    """Return what is wrong with the response to a request for the first two bytes. Pure."""
    if not answer.status:
        return (CauserieError(f"cannot be reached ({answer.reason})", url, "publish again"),)
    if answer.status == 206 and answer.headers.get("content-range", "").strip() == f"bytes 0-1/{file.bytes}":
        return ()
    hint = "use a server with byte ranges: players need them to seek"
    return (CauserieError(f"returns {answer.status} for a byte range instead of 206", url, hint),)


def ask(url: str, method: str = "HEAD", **headers: str) -> Answer:
    """Send one request, retried on network and server errors."""
    return _asked(url, method, headers)


def digest_of(url: str) -> str:
    """Download a URL and return its SHA-256; empty when it cannot be downloaded completely."""
    return _asked(url, "GET", {}, whole=True).sha256


def _verified(base_url: str, file: PublicFile, whole: bool) -> tuple[Check, tuple[CauserieError, ...], tuple[str, ...]]:
    """Check one file; return the result, its problems and advice."""
    url = address_of(base_url, file.key)
    head = ask(url, Origin=ORIGIN)
    problems, ranges, same = problems_of(file, url, head), None, None
    if file.rank == MEDIA and not problems:
        problems = range_problems(file, url, ask(url, "GET", Range="bytes=0-1"))
        ranges = not problems
    if whole and not problems:
        same = digest_of(url) == file.sha256
        hint = "publish again, and purge the cache in front of the bucket"
        problems = () if same else (CauserieError("has other content than was sent", url, hint),)
    type_, length = (printable(head.headers.get(name, "")) for name in ("content-type", "content-length"))
    check = Check(url, head.status, type_, length, ranges, opens(head) if file.rank == TEXTS else None, same)
    return check, problems, () if problems else advice_of(file, head)


def _asked(url: str, method: str, headers: Mapping[str, str], whole: bool = False) -> Answer:
    """Send one request, again when its response breaks off. The body is read for `read_body`, or when it is short."""
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
            if not isinstance(reason, ProtocolError):  # retry a broken connection, not a timeout
                return answer
            continue
        try:
            digest = hashlib.sha256()
            if whole and response.status == 200:
                for block in response.stream(1 << 16, decode_content=False):
                    digest.update(block)
            elif method == "HEAD" or response.status == 206:
                response.read()  # a connection whose response was read completely is reused
            said = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, said, sha256=digest.hexdigest() if whole and response.status == 200 else "")
        except (HTTPError, OSError) as error:
            answer = Answer(0, reason=type(error).__name__)
        finally:
            response.close()
    return answer


@cache
def _connections(proxy: str) -> PoolManager:
    """Return a pool that keeps connections, through `proxy` unless empty; server errors are retried, timeouts are not."""
    import urllib3

    again = urllib3.Retry(
        total=TRIES - 1, connect=1, read=0, redirect=5, backoff_factor=0.2, status_forcelist={429, 500, 502, 503, 504},
        allowed_methods=None, raise_on_status=False, respect_retry_after_header=False,
    )  # fmt: skip
    timeout = urllib3.Timeout(_TIMEOUT_S)
    if proxy:
        return urllib3.ProxyManager(proxy, retries=again, timeout=timeout, maxsize=WORKERS)
    return urllib3.PoolManager(retries=again, timeout=timeout, maxsize=WORKERS)


def _proxy_for(url: str) -> str:
    """Return the proxy that the environment sets for a URL, found like `urllib` and boto3 do; empty for none."""
    parts = urlsplit(url)
    return "" if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme, "")


def _media_type(value: str) -> str:
    """Return the media type of a Content-Type: `text/html` for `Text/HTML; charset=utf-8`."""
    return value.split(";")[0].strip().lower()
