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

from pipeline.feed.imports.field_parsers import normalise_url
from pipeline.feed.imports.host_policy import resolve_host
from pipeline.model import CauserieError, terminal_safe

MAX_REDIRECTS = 10
CHUNK_BYTES = 1 << 16
_USER_AGENT = "Causerie (podcast import)"
_STATUS_MESSAGES = {
    401: "requires a password",
    403: "is forbidden",
    404: "is not found",
    410: "was removed",
    429: "is rate limited, try later",
}


@dataclass(frozen=True)
class FetchLimits:
    """Limits of a request: bytes, seconds without a byte, seconds in total, and whether private addresses are allowed."""

    max_bytes: int
    idle_timeout_s: float = 20.0
    total_timeout_s: float = 300.0
    allow_private: bool = False


@dataclass(frozen=True)
class FetchResponse:
    """The response at the last redirect; `chunks` yields the body as sent, once."""

    url: str
    status: int
    headers: Mapping[str, str]  # names in lower case
    chunks: Iterator[bytes]


class TruncatedBody(Exception):
    """The connection ended before the body was complete."""


class FetchedBody(NamedTuple):
    """A decompressed body, its media type, and its URL after redirects."""

    data: bytes
    type: str
    url: str


def fetch(url: str, limits: FetchLimits) -> FetchedBody:
    """Fetch a body that fits in memory; raises `CauserieError` with the URL and the reason."""
    with open_url(url, limits) as response:
        if response.status != 200:
            raise CauserieError(_status_message(response.status), redact_url(url), "open it in a browser to see")
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            what = f"has the content encoding {terminal_safe(encoding)[:20]}, which is not supported"
            raise CauserieError(what, redact_url(url), "download it with a browser")
        chunks = response.chunks if encoding in ("", "identity") else _decompress(response.chunks, url)
        parts, size = [], 0
        try:
            for chunk in chunks:
                size += len(chunk)
                if size > limits.max_bytes:
                    raise too_large_error(url, limits)
                parts.append(chunk)
        except TruncatedBody as error:
            raise CauserieError("was cut off during the download", redact_url(url), "try again") from error
        return FetchedBody(b"".join(parts), response.headers.get("content-type", "").partition(";")[0].strip().lower(), response.url)


@contextmanager
def open_url(url: str, limits: FetchLimits, headers: Mapping[str, str] | None = None) -> Iterator[FetchResponse]:
    """The response after redirects, with the host of every hop checked; closed at the end, or when the total time is over.

    Raises `CauserieError` for an unusable URL, host or server; `chunks` raises `TruncatedBody` when the body ends too early.
    """
    current_url = url
    for _ in range(MAX_REDIRECTS + 1):
        connection = _connect(current_url, limits)
        timed_out = threading.Event()
        timer = threading.Timer(limits.total_timeout_s, _abort, (connection.sock, timed_out))
        timer.daemon = True
        timer.start()
        try:
            response = _send_request(connection, current_url, headers or {})
            target = response.headers.get("Location", "")
            if response.status in (301, 302, 303, 307, 308) and target:
                current_url = normalise_url(urljoin(current_url, target))
                if not current_url:
                    message = f"redirects to “{terminal_safe(target)[:100]}”, which is not http"
                    raise CauserieError(message, redact_url(url), "open it in a browser to see")
                continue
            response_headers = {name.lower(): value for name, value in response.headers.items()}
            yield FetchResponse(current_url, response.status, response_headers, _iter_body(response, current_url, limits, timed_out))
            return
        finally:
            timer.cancel()
            connection.close()
    raise CauserieError(f"redirects more than {MAX_REDIRECTS} times", redact_url(url), "open it in a browser to see")


def redact_url(url: str) -> str:
    """A URL for error messages, without its query, which may hold a secret."""
    return terminal_safe(url.partition("?")[0])[:200]


def _connect(url: str, limits: FetchLimits) -> http.client.HTTPConnection:
    """A connection to the IP address that was checked; TLS verifies the host name."""
    normalised = normalise_url(url)
    parts = urlsplit(normalised)
    if not normalised or not parts.hostname or "@" in parts.netloc:
        if "@" in parts.netloc:
            hint = "a password in a URL is not sent: download the file first"
            raise CauserieError("cannot be fetched", redact_url(parts.hostname or ""), hint)
        raise CauserieError("cannot be fetched", redact_url(url), "give an http or https address")
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    ip = resolve_host(parts.hostname, port, limits.allow_private)
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=limits.idle_timeout_s)
    try:
        sock = socket.create_connection((ip, port), timeout=limits.idle_timeout_s)
        if is_tls:
            connection = http.client.HTTPSConnection(parts.hostname, port, timeout=limits.idle_timeout_s, context=_tls_context())
            sock = _tls_context().wrap_socket(sock, server_hostname=parts.hostname)
    except ssl.SSLError as error:
        message = f"has no valid certificate ({terminal_safe(str(error.reason))})"
        hint = "open it in a browser to see; for your own certificate authority, set the environment variable SSL_CERT_FILE=its.pem"
        raise CauserieError(message, redact_url(url), hint) from error
    except OSError as error:
        raise CauserieError(f"does not answer ({terminal_safe(str(error))})", redact_url(url), "try again later") from error
    connection.sock = sock
    return connection


def _send_request(connection: http.client.HTTPConnection, url: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    parts = urlsplit(normalise_url(url))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request_headers = {"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close", **headers}
    try:
        connection.request("GET", target, headers=request_headers)
        return connection.getresponse()
    except (OSError, http.client.HTTPException, ValueError) as error:
        message = f"does not answer with valid HTTP ({type(error).__name__})"
        raise CauserieError(message, redact_url(url), "try again later") from error


def _iter_body(response: http.client.HTTPResponse, url: str, limits: FetchLimits, timed_out: threading.Event) -> Iterator[bytes]:
    """The body as sent, up to the size limit; raises `TruncatedBody` when it is shorter than Content-Length."""
    content_length = response.headers.get("Content-Length", "")
    expected_bytes = (
        int(content_length)
        if content_length.isascii() and content_length.isdigit() and len(content_length) < 16 and not response.chunked
        else None
    )
    if expected_bytes is not None and expected_bytes > limits.max_bytes:
        raise too_large_error(url, limits)
    size = 0
    while True:
        try:
            chunk = response.read1(CHUNK_BYTES)
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            if timed_out.is_set():
                break
            raise TruncatedBody(str(error)) from error
        if not chunk:
            break
        size += len(chunk)
        if size > limits.max_bytes:
            raise too_large_error(url, limits)
        yield chunk
    if timed_out.is_set():
        raise CauserieError(f"takes more than {limits.total_timeout_s:.0f} s", redact_url(url), "try again later")
    if expected_bytes is not None and size < expected_bytes:
        raise TruncatedBody(f"{size} of {expected_bytes} bytes")


def _decompress(chunks: Iterator[bytes], url: str) -> Iterator[bytes]:
    """Decompress gzip or zlib chunk by chunk: a decompression bomb meets the size limit while it is small."""
    decompressor = zlib.decompressobj(47)
    try:
        for chunk in chunks:
            while chunk:
                yield decompressor.decompress(chunk, CHUNK_BYTES)
                chunk = decompressor.unconsumed_tail
        yield decompressor.flush()
    except zlib.error as error:
        raise CauserieError("is not valid gzip or deflate", redact_url(url), "open it in a browser to see") from error
    if not decompressor.eof:
        raise TruncatedBody("the compressed body ends too early")


def _abort(sock: socket.socket, timed_out: threading.Event) -> None:
    """The total time is over: shut the socket, so that a slow server is not waited for."""
    timed_out.set()
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def too_large_error(url: str, limits: FetchLimits) -> CauserieError:
    """The error for a body beyond its size limit."""
    return CauserieError(f"is larger than {limits.max_bytes / 1e6:,.0f} MB", redact_url(url), "larger files of a feed are not downloaded")


def _status_message(status: int) -> str:
    return f"{_STATUS_MESSAGES.get(status, 'cannot be downloaded')} (HTTP status {status})"
