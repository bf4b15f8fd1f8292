"""What a feed names, fetched from a network nobody trusts: http and https only, redirects looked at hop by hop, sizes and times held."""

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
_TELL = {401: "asks for a password", 403: "is forbidden", 404: "is not there", 410: "is gone", 429: "has had too many requests, try later"}


@dataclass(frozen=True)
class Limits:
    """How much, how long, and where: `idle_s` without a byte, `whole_s` in all."""

    most_bytes: int
    idle_s: float = 20.0
    whole_s: float = 300.0
    allow_private: bool = False


@dataclass(frozen=True)
class Answer:
    """What a server answered at the last hop; `blocks` gives the body, as sent, once."""

    url: str
    status: int
    headers: Mapping[str, str]  # names in lower case
    blocks: Iterator[bytes]


class Cut(Exception):
    """The connection ended before the body did."""


class Fetched(NamedTuple):
    """A body, unpacked, its type, and where it was in the end."""

    data: bytes
    type: str
    url: str


def fetched(url: str, limits: Limits) -> Fetched:
    """A body that fits in memory; a `CauserieError` names the address and what is wrong."""
    with asked(url, limits) as answer:
        if answer.status != 200:
            raise CauserieError(_refusal(answer.status), shown(url), "open it in a browser to see")
        packed = answer.headers.get("content-encoding", "identity").strip().lower()
        if packed not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise CauserieError(f"comes packed as {printable(packed)[:20]}, which is not read", shown(url), "fetch it with a browser")
        blocks = answer.blocks if packed in ("", "identity") else _unpacked(answer.blocks, url)
        parts, size = [], 0
        try:
            for block in blocks:
                size += len(block)
                if size > limits.most_bytes:
                    raise too_large(url, limits)
                parts.append(block)
        except Cut as error:
            raise CauserieError("was cut on the way", shown(url), "try again") from error
        return Fetched(b"".join(parts), answer.headers.get("content-type", "").partition(";")[0].strip().lower(), answer.url)


@contextmanager
def asked(url: str, limits: Limits, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
    """The answer at the end of the redirects, each hop's host looked up and judged; closed at the end, or when its time is over.

    `CauserieError` for an address, a host or a server that is no use; `Cut` from `blocks` when the body ends too early.
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
                    what = f"leads to “{printable(target)[:100]}”, which is not http"
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
    """An address as errors name it: what may be a secret in it, its query, is not repeated."""
    return printable(url.partition("?")[0])[:200]


def _connection(url: str, limits: Limits) -> http.client.HTTPConnection:
    """Connected to the very address that was judged; TLS is checked against the name."""
    clean = address(url)
    parts = urlsplit(clean)
    if not clean or not parts.hostname or "@" in parts.netloc:
        if "@" in parts.netloc:
            hint = "a password in an address is not sent: download the file first"
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
        hint = "open it in a browser to see; an authority of your own is named by SSL_CERT_FILE=its.pem in the environment"
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
        what = f"does not answer as a web server does ({type(error).__name__})"
        raise CauserieError(what, shown(url), "try again later") from error


def _blocks(response: http.client.HTTPResponse, url: str, limits: Limits, over: threading.Event) -> Iterator[bytes]:
    """The body as sent, no longer than it may be whatever its head says; `Cut` when it is shorter than its head says."""
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
    """gzip or zlib, a block at a time: a bomb is met while it is small."""
    machine = zlib.decompressobj(47)
    try:
        for block in blocks:
            while block:
                yield machine.decompress(block, BLOCK_BYTES)
                block = machine.unconsumed_tail
        yield machine.flush()
    except zlib.error as error:
        raise CauserieError("is packed wrongly", shown(url), "open it in a browser to see") from error
    if not machine.eof:
        raise Cut("the packed body ends too early")


def _hang_up(sock: socket.socket, over: threading.Event) -> None:
    """Time is over: whatever the other side still drips is not waited for."""
    over.set()
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def too_large(url: str, limits: Limits) -> CauserieError:
    """What to raise for a body that goes on beyond its limit."""
    return CauserieError(f"is larger than {limits.most_bytes / 1e6:,.0f} MB", shown(url), "that is more than is ever taken from a feed")


def _refusal(status: int) -> str:
    return f"{_TELL.get(status, 'cannot be had')} (the server says {status})"
