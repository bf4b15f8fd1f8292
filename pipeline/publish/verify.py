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

from pipeline.model import CauserieError, Problems, terminal_safe
from pipeline.publish.http_headers import IMMUTABLE
from pipeline.publish.public_tree import MEDIA, TEXTS, PublicFile

if TYPE_CHECKING:
    from urllib3 import PoolManager

WORKERS = 8
TRIES = 6
COMPARE_MAX_BYTES = 20_000_000  # larger files are not downloaded to be compared
_TIMEOUT_S = 20
_PAUSE_S = 0.2
PLAYER_ORIGIN = "https://player.example"  # any other site: web players fetch transcripts and chapters from theirs


@dataclass(frozen=True)
class HttpResponse:
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


def verify_files(base_url: str, files: Iterable[PublicFile], on_check: Callable[[Check], None] = lambda check: None) -> tuple[str, ...]:
    """Check every file below `base_url`, and the content of a few; `on_check` gets the result of each. Returns advice.

    Raises `Problems` for what would break a player, `CauserieError` when `base_url` is not an HTTP address.
    """
    if urlsplit(base_url).scheme not in {"http", "https"}:
        raise CauserieError("is not an http address", base_url, "correct website in show.toml")
    wanted = list(files)
    compared = files_to_compare(wanted)
    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(lambda file: _verify_file(base_url, file, file.key in compared), wanted))
    for check, _, _ in results:
        on_check(check)
    problems = tuple(problem for _, problems, _ in results for problem in problems)
    if problems:
        raise Problems(group_problems(problems))
    return tuple(dict.fromkeys(line for _, _, advice in results for line in advice))


def url_of(base_url: str, key: str) -> str:
    """Return the URL of a published path."""
    return f"{base_url.rstrip('/')}/{quote(key)}"


def files_to_compare(files: Iterable[PublicFile]) -> frozenset[str]:
    """Return the keys whose content is downloaded and compared: of each media type the smallest immutable file. Pure."""
    smallest: dict[tuple[int, str], PublicFile] = {}
    for file in sorted(files, key=lambda file: (file.bytes, file.key)):
        if file.cache_control == IMMUTABLE and file.bytes <= COMPARE_MAX_BYTES:
            smallest.setdefault((file.rank, file.content_type), file)
    return frozenset(file.key for file in smallest.values())


def group_problems(problems: Iterable[CauserieError]) -> tuple[CauserieError, ...]:
    """Merge problems that differ only in their URL: a private bucket is one thing to fix, not sixty. Pure."""
    urls_by_problem: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        urls_by_problem.setdefault((problem.message, problem.hint), []).append(problem.where)
    return tuple(
        CauserieError(message, f"{urls[0]} and {len(urls) - 1} more" if len(urls) > 1 else urls[0], hint)
        for (message, hint), urls in urls_by_problem.items()
    )


def head_problems(file: PublicFile, url: str, head: HttpResponse) -> tuple[CauserieError, ...]:
    """Return what is wrong with the response to a HEAD request. Pure."""
    if head.status != 200:
        detail = f"returns {head.status} instead of 200" if head.status else f"cannot be reached ({head.reason})"
        return (CauserieError(detail, url, "check website in show.toml, and that everyone may read the bucket"),)
    problems = []
    if _media_type(head.headers.get("content-type", "")) != _media_type(file.content_type):
        detail = f"has Content-Type {terminal_safe(head.headers.get('content-type', 'nothing'))} instead of {file.content_type}"
        problems.append(CauserieError(detail, url, "correct the server or cache in front of the bucket"))
    if head.headers.get("content-encoding", "identity") != "identity":
        problems.append(CauserieError("is sent with a Content-Encoding", url, "turn off compression in front of the bucket"))
    elif head.headers.get("content-length") != str(file.bytes) and file.cache_control == IMMUTABLE:
        detail = terminal_safe(head.headers.get("content-length", "no"))
        problems.append(CauserieError(f"has {detail} bytes instead of {file.bytes}", url, "purge the cache in front of the bucket"))
    return tuple(problems)


def advice_of(file: PublicFile, head: HttpResponse) -> tuple[str, ...]:
    """Return advice for the producer on what does not break players. Pure."""
    lines = []
    if file.rank == TEXTS and not allows_cors(head):
        lines.append("transcripts and chapters are sent without Access-Control-Allow-Origin: web players cannot show them")
    if file.cache_control != IMMUTABLE and head.headers.get("content-length") != str(file.bytes):
        lines.append("a cache still serves older pages: it should keep them for at most five minutes")
    return tuple(lines)


def allows_cors(head: HttpResponse) -> bool:
    """Whether CORS lets other sites read the response. Pure."""
    return head.headers.get("access-control-allow-origin") in {"*", PLAYER_ORIGIN}


def range_problems(file: PublicFile, url: str, response: HttpResponse) -> tuple[CauserieError, ...]:
    """Return what is wrong with the response to a request for the first two bytes. Pure."""
    if not response.status:
        return (CauserieError(f"cannot be reached ({response.reason})", url, "publish again"),)
    if response.status == 206 and response.headers.get("content-range", "").strip() == f"bytes 0-1/{file.bytes}":
        return ()
    hint = "use a server with byte ranges: players need them to seek"
    return (CauserieError(f"returns {response.status} for a byte range instead of 206", url, hint),)


def request(url: str, method: str = "HEAD", **headers: str) -> HttpResponse:
    """Send one request, retried on network and server errors."""
    return _send_request(url, method, headers)


def fetch_sha256(url: str) -> str:
    """Download a URL and return its SHA-256; empty when it cannot be downloaded completely."""
    return _send_request(url, "GET", {}, read_body=True).sha256


def _verify_file(base_url: str, file: PublicFile, compare_content: bool) -> tuple[Check, tuple[CauserieError, ...], tuple[str, ...]]:
    """Check one file; return the result, its problems and advice."""
    url = url_of(base_url, file.key)
    head = request(url, Origin=PLAYER_ORIGIN)
    problems, ranges, same = head_problems(file, url, head), None, None
    if file.rank == MEDIA and not problems:
        problems = range_problems(file, url, request(url, "GET", Range="bytes=0-1"))
        ranges = not problems
    if compare_content and not problems:
        same = fetch_sha256(url) == file.sha256
        hint = "publish again, and purge the cache in front of the bucket"
        problems = () if same else (CauserieError("has other content than was sent", url, hint),)
    type_, length = (terminal_safe(head.headers.get(name, "")) for name in ("content-type", "content-length"))
    check = Check(url, head.status, type_, length, ranges, allows_cors(head) if file.rank == TEXTS else None, same)
    return check, problems, () if problems else advice_of(file, head)


def _send_request(url: str, method: str, headers: Mapping[str, str], read_body: bool = False) -> HttpResponse:
    """Send one request, again when its response breaks off. The body is read for `read_body`, or when it is short."""
    from urllib3.exceptions import HTTPError, ProtocolError

    request_headers = {"User-Agent": "causerie", "Accept-Encoding": "identity", **headers}
    result = HttpResponse(0)
    for attempt in range(TRIES):
        time.sleep(_PAUSE_S * attempt)
        try:
            response = _connection_pool(_proxy_for(url)).request(method, url, headers=request_headers, preload_content=False)
        except (HTTPError, OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            result = HttpResponse(0, reason=type(reason).__name__)
            if not isinstance(reason, ProtocolError):  # retry a broken connection, not a timeout
                return result
            continue
        try:
            digest = hashlib.sha256()
            if read_body and response.status == 200:
                for block in response.stream(1 << 16, decode_content=False):
                    digest.update(block)
            elif method == "HEAD" or response.status == 206:
                response.read()  # a connection whose response was read completely is reused
            response_headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpResponse(
                response.status, response_headers, sha256=digest.hexdigest() if read_body and response.status == 200 else ""
            )
        except (HTTPError, OSError) as error:
            result = HttpResponse(0, reason=type(error).__name__)
        finally:
            response.close()
    return result


@cache
def _connection_pool(proxy: str) -> PoolManager:
    """Return a pool that keeps connections, through `proxy` unless empty; server errors are retried, timeouts are not."""
    import urllib3

    retry = urllib3.Retry(
        total=TRIES - 1, connect=1, read=0, redirect=5, backoff_factor=0.2, status_forcelist={429, 500, 502, 503, 504},
        allowed_methods=None, raise_on_status=False, respect_retry_after_header=False,
    )  # fmt: skip
    timeout = urllib3.Timeout(_TIMEOUT_S)
    if proxy:
        return urllib3.ProxyManager(proxy, retries=retry, timeout=timeout, maxsize=WORKERS)
    return urllib3.PoolManager(retries=retry, timeout=timeout, maxsize=WORKERS)


def _proxy_for(url: str) -> str:
    """Return the proxy that the environment sets for a URL, found like `urllib` and boto3 do; empty for none."""
    parts = urlsplit(url)
    return "" if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme, "")


def _media_type(value: str) -> str:
    """Return the media type of a Content-Type: `text/html` for `Text/HTML; charset=utf-8`."""
    return value.split(";")[0].strip().lower()
