"""The published tree on this machine, as a careful host would serve it: byte ranges, types, validators, CORS.

Python's own `http.server` knows no ranges, without which a player cannot jump in the audio.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from errno import EADDRNOTAVAIL
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET6, gaierror
from typing import BinaryIO
from urllib.parse import unquote

from pipeline.errors import CauserieError
from pipeline.publish.headers import REVALIDATE, content_type

PLAIN = "text/plain; charset=utf-8"

_BLOCK_BYTES = 1 << 16
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Span:
    """Bytes `first` to `last`, both included, of a file."""

    first: int
    last: int

    @property
    def bytes(self) -> int:
        """How many."""
        return self.last - self.first + 1


def make_server(folder: Path, host: str = "127.0.0.1", port: int = 8000) -> ThreadingHTTPServer:
    """A server that is bound and not yet running; port 0 takes a free one. `CauserieError` when it cannot be bound."""
    base = folder.resolve()
    if not base.is_dir():
        raise CauserieError("there is nothing to serve", str(folder), "run causerie publish first")
    return bound(type("Handler", (Tree,), {"base": base}), host, port)


def bound(handler: type[BaseHTTPRequestHandler], host: str, port: int) -> ThreadingHTTPServer:
    """A server of that handler on a name or an address, bound and not yet running. `CauserieError` when it cannot be had."""
    kind = _ServerV6 if ":" in host else _Server
    try:
        return kind((host, port), handler)
    except (OSError, OverflowError) as error:
        if isinstance(error, gaierror) or getattr(error, "errno", 0) == EADDRNOTAVAIL:
            hint = "leave --host out, or give 127.0.0.1, ::1, or 0.0.0.0 for every address it has"
            raise CauserieError(f"{host} is no address of this machine ({error})", hint=hint) from error
        raise CauserieError(f"port {port} on {host} cannot be used ({error})", hint="choose another with --port") from error


def url(host: str, port: int) -> str:
    """Where a browser finds it (RFC 3986, 3.2.2: an IPv6 address stands in brackets)."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def until_stopped(server: ThreadingHTTPServer) -> None:
    """Answer until interrupted."""
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass  # this is how one stops it


def serve(folder: Path, *, port: int = 8000, host: str = "127.0.0.1", ready: Callable[[str], None] = lambda address: None) -> None:
    """Serve `folder` until interrupted; `ready` hears its address once it answers."""
    with make_server(folder, host, port) as server:
        ready(url(host, server.server_port))
        until_stopped(server)


def find(base: Path, target: str) -> Path | None:
    """The file a request asks for; None when there is none, it is hidden, or it lies outside `base`.

    A folder is its `index.html`; it is never listed.
    """
    name = unquote(_path(target))
    parts = [part for part in name.split("/") if part]
    if "\0" in name or "\\" in name or any(part.startswith(".") for part in parts):
        return None
    path = base.joinpath(*parts)
    path = path / "index.html" if name.endswith("/") else path
    try:
        return path if path.is_file() and path.resolve().is_relative_to(base) else None
    except (OSError, ValueError):  # names no file can have: too long, not encodable
        return None


def span(header: str, size: int) -> Span | None:
    """The bytes a Range header asks for, of a file of `size` bytes (RFC 9110, section 14).

    None when the whole file is to be sent: no header, several ranges, or something unreadable. Raises `ValueError` when
    the range holds nothing of the file (416).
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None
    asked = Span(int(first), min(int(last), size - 1) if last else size - 1) if first else Span(max(size - int(last), 0), size - 1)
    if asked.bytes <= 0:
        raise ValueError(f"no such bytes: {header}")
    return asked


class _Server(ThreadingHTTPServer):
    """One thread a connection; a browser that leaves in the middle of an answer is no error."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that broke."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _ServerV6(_Server):
    address_family = AF_INET6


class Files(BaseHTTPRequestHandler):
    """What sends a file, whole or in part, on a connection that is kept; who may ask for which is its children's to say."""

    protocol_version = "HTTP/1.1"  # players keep their connection while they jump about
    server_version, sys_version = "causerie", ""
    timeout = 60
    always: Mapping[str, str] = {}  # headers of every answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is the user's."""

    def send_file(self, path: Path, type_: str, *, with_body: bool) -> None:
        """One file: whole, in part, or the news that it has not changed."""
        with path.open("rb") as stream:
            stat = path.stat()
            tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
            about = {"ETag": tag, "Cache-Control": REVALIDATE, "Last-Modified": formatdate(stat.st_mtime, usegmt=True)}
            if _matches(self.headers.get("If-None-Match", ""), tag):
                return self.head(HTTPStatus.NOT_MODIFIED, about)
            about |= {"Content-Type": type_, "Accept-Ranges": "bytes"}
            wanted = self.headers.get("Range", "") if self.headers.get("If-Range", tag) == tag else ""
            try:
                part = span(wanted, stat.st_size)
            except ValueError:
                sorry = {"Content-Range": f"bytes */{stat.st_size}", "Content-Length": "0"}
                return self.head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, sorry)
            if part is None:
                self.head(HTTPStatus.OK, {**about, "Content-Length": str(stat.st_size)})
                part = Span(0, stat.st_size - 1)
            else:
                where = f"bytes {part.first}-{part.last}/{stat.st_size}"
                self.head(HTTPStatus.PARTIAL_CONTENT, {**about, "Content-Range": where, "Content-Length": str(part.bytes)})
            if with_body:
                self._copy(stream, part)

    def send_body(self, status: HTTPStatus, type_: str, body: bytes, *, with_body: bool = True) -> None:
        """An answer that is no file."""
        self.head(status, {"Content-Type": type_, "Content-Length": str(len(body))})
        if with_body:
            self.wfile.write(body)

    def head(self, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        """Status and headers."""
        self.send_response(status)
        for name, value in {**self.always, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _copy(self, stream: BinaryIO, part: Span) -> None:
        """Send those bytes; a listener who leaves is no error."""
        stream.seek(part.first)
        left = part.bytes
        try:
            while left > 0 and (block := stream.read(min(left, _BLOCK_BYTES))):
                self.wfile.write(block)
                left -= len(block)
        except OSError:
            left = 1
        self.close_connection = self.close_connection or left > 0  # what was promised cannot be kept on this connection


class Tree(Files):
    """GET and HEAD of files below `base`, which any page may read."""

    base: Path
    always = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Content-Length, Content-Range, ETag"}

    def do_GET(self) -> None:
        """Send a file, or a part of it."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Send what GET would say, without the file."""
        self._answer(with_body=False)

    def do_OPTIONS(self) -> None:
        """Tell a browser that any page may read from here."""
        allowed = {"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS", "Access-Control-Allow-Headers": "Range, If-None-Match"}
        self.head(HTTPStatus.NO_CONTENT, allowed)

    def _answer(self, *, with_body: bool) -> None:
        path = find(self.base, self.path)
        if path is None:
            return self._redirect_or_404(with_body)
        self.send_file(path, content_type(path.relative_to(self.base).as_posix()), with_body=with_body)

    def _redirect_or_404(self, with_body: bool) -> None:
        """`/episode` is `/episode/`, or nothing."""
        name = _path(self.path)
        folder = f"/{name.strip('/')}/"
        if not name.endswith("/") and find(self.base, folder) is not None:
            return self.head(HTTPStatus.MOVED_PERMANENTLY, {"Location": folder, "Content-Length": "0"})
        if page := find(self.base, "/404.html"):
            return self.send_body(HTTPStatus.NOT_FOUND, content_type("404.html"), page.read_bytes(), with_body=with_body)
        self.send_body(HTTPStatus.NOT_FOUND, PLAIN, b"404: there is no such page here\n", with_body=with_body)


def _path(target: str) -> str:
    """A request's path, still quoted, without its query; `urlsplit` would refuse some that browsers send."""
    return target.split("#")[0].split("?")[0]


def _matches(header: str, tag: str) -> bool:
    """Whether If-None-Match names this version (weak comparison, RFC 9110 section 13.1.2)."""
    return header.strip() == "*" or tag in {item.strip().removeprefix("W/") for item in header.split(",")}
