"""HTTP for untrusted feeds: http and https only, every redirect checked, size and time limits."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from pipeline.errors import CauserieError
from pipeline.feed.addresses import resolved
from pipeline.feed.terms import address
from pipeline.text import printable

MOST_HOPS = 10
BLOCK_BYTES = 1 << 16
_AGENT = "Causerie (podcast import)"
_TELL = {401: "requires a password", 403: "is forbidden", 404: "is not found", 410: "was removed", 429: "is rate limited, try later"}


@dataclass(frozen=True)
class Limits:
    """Limits of a request: bytes, seconds without a byte, seconds in total, and whether private addresses are allowed."""

    most_bytes: int
    idle_s: float = 20.0
    whole_s: float = 300.0
    allow_private: bool = False


@dataclass(frozen=True)
class Answer:
    """The response at the last redirect; `chunks` yields the body as sent, once."""

    url: str
    status: int
    headers: Mapping[str, str]  # names in lower case
    blocks: Iterator[bytes]


class Cut(Exception):
    """The connection ended before the body was complete."""


class Fetched(NamedTuple):
    """A decompressed body, its media type, and its URL after redirects."""

    data: bytes
    type: str
    url: str


def fetched(url: str, limits: Limits) -> Fetched:
    """Fetch a body that fits in memory; raises `CauserieError` with the URL and the reason."""
    with asked(url, limits) as answer:
        if answer.status != 200:
            raise CauserieError(_refusal(answer.status), shown(url), "open it in a browser to see")
        packed = answer.headers.get("content-encoding", "identity").strip().lower()
        if packed not in ("", "identity", "gzip", "x-gzip", "deflate"):
            what = f"has the content encoding {printable(packed)[:20]}, which is not supported"
            raise CauserieError(what, shown(url), "download it with a browser")
        blocks = answer.blocks if packed in ("", "identity") else _unpacked(answer.blocks, url)
        parts, size = [], 0
        try:
            for block in blocks:
                size += len(block)
                if size > limits.most_bytes:
                    raise too_large(url, limits)
                parts.append(block)
        except Cut as error:
            raise CauserieError("was cut off during the download", shown(url), "try again") from error
        return Fetched(b"".join(parts), answer.headers.get("content-type", "").partition(";")[0].strip().lower(), answer.url)


@contextmanager
def asked(url: str, limits: Limits, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
    """The response after redirects, with the host of every hop checked; closed at the end, or when the total time is over.

    Raises `CauserieError` for an unusable URL, host or server; `chunks` raises `TruncatedBody` when the body ends too early.
    """
    at = url
    for _ in range(MOST_HOPS + 1):
        connection = _connection(at, limits)
        over = threading.Event()
        timer = threading.Timer(limits.whole_s, _hang_up, (connection.sock, over))
        timer.daemon = True
        timer.start()
        try:
            response = _response(connection, at, headers or {})
            target = response.headers.get("Location", "")
            if response.status in (301, 302, 303, 307, 308) and target:
                at = address(urljoin(at, target))
                if not at:
                    what = f"redirects to “{printable(target)[:100]}”, which is not http"
                    raise CauserieError(what, shown(url), "open it in a browser to see")
                continue
            named = {name.lower(): value for name, value in response.headers.items()}
            yield Answer(at, response.status, named, _blocks(response, at, limits, over))
            return
        finally:
            timer.cancel()
            connection.close()
    raise CauserieError(f"redirects more than {MOST_HOPS} times", shown(url), "open it in a browser to see")


def shown(url: str) -> str:
    """A URL for error messages, without its query, which may hold a secret."""
    return printable(url.partition("?")[0])[:200]


def _connection(url: str, limits: Limits) -> http.client.HTTPConnection:
    """A connection to the IP address that was checked; TLS verifies the host name."""
    clean = address(url)
    parts = urlsplit(clean)
    if not clean or not parts.hostname or "@" in parts.netloc:
        if "@" in parts.netloc:
            hint = "a password in a URL is not sent: download the file first"
            raise CauserieError("cannot be fetched", shown(parts.hostname or ""), hint)
        raise CauserieError("cannot be fetched", shown(url), "give an http or https address")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    number = resolved(parts.hostname, port, limits.allow_private)
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=limits.idle_s)
    try:
        sock = socket.create_connection((number, port), timeout=limits.idle_s)
        if secure:
            connection = http.client.HTTPSConnection(parts.hostname, port, timeout=limits.idle_s, context=_trusted())
            sock = _trusted().wrap_socket(sock, server_hostname=parts.hostname)
    except ssl.SSLError as error:
        what = f"has no valid certificate ({printable(str(error.reason))})"
        hint = "open it in a browser to see; for your own certificate authority, set the environment variable SSL_CERT_FILE=its.pem"
        raise CauserieError(what, shown(url), hint) from error
    except OSError as error:
        raise CauserieError(f"does not answer ({printable(str(error))})", shown(url), "try again later") from error
    connection.sock = sock
    return connection


def _response(connection: http.client.HTTPConnection, url: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    parts = urlsplit(address(url))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"User-Agent": _AGENT, "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close", **headers}
    try:
        connection.request("GET", target, headers=sent)
        return connection.getresponse()
    except (OSError, http.client.HTTPException, ValueError) as error:
        what = f"does not answer with valid HTTP ({type(error).__name__})"
        raise CauserieError(what, shown(url), "try again later") from error


def _blocks(response: http.client.HTTPResponse, url: str, limits: Limits, over: threading.Event) -> Iterator[bytes]:
    """The body as sent, up to the size limit; raises `TruncatedBody` when it is shorter than Content-Length."""
    said = response.headers.get("Content-Length", "")
    wanted = int(said) if said.isascii() and said.isdigit() and len(said) < 16 and not response.chunked else None
    if wanted is not None and wanted > limits.most_bytes:
        raise too_large(url, limits)
    size = 0
    while True:
        try:
            block = response.read1(BLOCK_BYTES)
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            if over.is_set():
                break
            raise Cut(str(error)) from error
        if not block:
            break
        size += len(block)
        if size > limits.most_bytes:
            raise too_large(url, limits)
        yield block
    if over.is_set():
        raise CauserieError(f"takes more than {limits.whole_s:.0f} s", shown(url), "try again later")
    if wanted is not None and size < wanted:
        raise Cut(f"{size} of {wanted} bytes")


def _unpacked(blocks: Iterator[bytes], url: str) -> Iterator[bytes]:
    """Decompress gzip or zlib chunk by chunk: a decompression bomb meets the size limit while it is small."""
    machine = zlib.decompressobj(47)
    try:
        for block in blocks:
            while block:
                yield machine.decompress(block, BLOCK_BYTES)
                block = machine.unconsumed_tail
        yield machine.flush()
    except zlib.error as error:
        raise CauserieError("is not valid gzip or deflate", shown(url), "open it in a browser to see") from error
    if not machine.eof:
        raise Cut("the compressed body ends too early")


def _hang_up(sock: socket.socket, over: threading.Event) -> None:
    """The total time is over: shut the socket, so that a slow server is not waited for."""
    over.set()
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def too_large(url: str, limits: Limits) -> CauserieError:
    """The error for a body beyond its size limit."""
    return CauserieError(f"is larger than {limits.most_bytes / 1e6:,.0f} MB", shown(url), "larger files of a feed are not downloaded")


def _refusal(status: int) -> str:
    return f"{_TELL.get(status, 'cannot be downloaded')} (HTTP status {status})"
