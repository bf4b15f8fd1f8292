"""A local server of the published tree with byte ranges, media types, validators (ETag) and CORS, like a good web host.

Python's own `http.server` has no byte ranges, which a player needs to seek in the audio.
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
from socket import AF_INET6, gaierror, socket
from typing import BinaryIO
from urllib.parse import unquote

from pipeline.model import CauserieError
from pipeline.publish import REVALIDATE, content_type

PLAIN_TEXT = "text/plain; charset=utf-8"

_BLOCK_BYTES = 1 << 16
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class ByteRange:
    """Bytes `first` to `last`, both included, of a file."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.last - self.first + 1


def make_server(folder: Path, host: str = "127.0.0.1", port: int = 8000) -> ThreadingHTTPServer:
    """A server of `folder` that is bound and not yet running; port 0 picks a free port. Raises `CauserieError` when it cannot be bound."""
    base = folder.resolve()
    if not base.is_dir():
        raise CauserieError("nothing is published yet", str(folder), "run causerie publish first")

    class Handler(StaticHandler):
        """The handler of this server."""

    Handler.base = base
    return bind_server(Handler, host, port)


def bind_server(handler: type[BaseHTTPRequestHandler], host: str, port: int) -> ThreadingHTTPServer:
    """A server on a host name or an address, bound and not yet running. Raises `CauserieError` when it cannot be bound."""
    server_class = _ServerV6 if ":" in host else _Server
    try:
        return server_class((host, port), handler)
    except (OSError, OverflowError) as error:
        if isinstance(error, gaierror) or getattr(error, "errno", 0) == EADDRNOTAVAIL:
            hint = "leave --host out, or set it to 127.0.0.1, ::1, or 0.0.0.0 for all addresses of this machine"
            raise CauserieError(f"{host} is not an address of this machine ({error})", hint=hint) from error
        raise CauserieError(f"port {port} on {host} cannot be used ({error})", hint="choose another with --port") from error


def server_url(host: str, port: int) -> str:
    """The URL of a server; an IPv6 address is put in brackets (RFC 3986, 3.2.2)."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve_until_interrupted(server: ThreadingHTTPServer) -> None:
    """Serve requests until Ctrl-C."""
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass  # Ctrl-C is the normal way to stop it


def serve_folder(
    folder: Path, *, port: int = 8000, host: str = "127.0.0.1", on_ready: Callable[[str], None] = lambda address: None
) -> None:
    """Serve `folder` until interrupted; `on_ready` is called with its URL once it is bound."""
    with make_server(folder, host, port) as server:
        on_ready(server_url(host, server.server_port))
        serve_until_interrupted(server)


def find_file(base: Path, target: str) -> Path | None:
    """The requested file; None when it does not exist, is hidden, or lies outside `base`.

    A folder is served as its `index.html` and never listed.
    """
    name = unquote(_request_path(target))
    parts = [part for part in name.split("/") if part]
    if "\0" in name or "\\" in name or any(part.startswith(".") for part in parts):
        return None
    path = base.joinpath(*parts)
    path = path / "index.html" if name.endswith("/") else path
    try:
        return path if path.is_file() and path.resolve().is_relative_to(base) else None
    except (OSError, ValueError):  # impossible file names: too long, not encodable
        return None


def parse_range(header: str, size: int) -> ByteRange | None:
    """The range that a Range header requests of a file of `size` bytes (RFC 9110, section 14).

    None when the whole file is to be sent: no header, several ranges, or an invalid header. Raises `ValueError` when
    the range lies outside the file (status 416).
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None
    requested = (
        ByteRange(int(first), min(int(last), size - 1) if last else size - 1) if first else ByteRange(max(size - int(last), 0), size - 1)
    )
    if requested.size <= 0:
        raise ValueError(f"no such bytes: {header}")
    return requested


class _Server(ThreadingHTTPServer):
    """One thread per connection; a client that disconnects during a response is not an error."""

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Print errors, except broken connections."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _ServerV6(_Server):
    address_family = AF_INET6


class FileRequestHandler(BaseHTTPRequestHandler):
    """Sends files, whole or in part, over persistent connections; subclasses decide which request gets which file."""

    protocol_version = "HTTP/1.1"  # players keep their connection while they seek
    server_version, sys_version = "causerie", ""
    timeout = 60
    default_headers: Mapping[str, str] = {}  # headers of every response

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing for each request."""

    def send_file(self, path: Path, type_: str, *, with_body: bool) -> None:
        """Send a file: whole (200), in part (206), or only that it has not changed (304)."""
        with path.open("rb") as stream:
            stat = path.stat()
            tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
            headers = {"ETag": tag, "Cache-Control": REVALIDATE, "Last-Modified": formatdate(stat.st_mtime, usegmt=True)}
            if _matches_etag(self.headers.get("If-None-Match", ""), tag):
                return self.send_head(HTTPStatus.NOT_MODIFIED, headers)
            headers |= {"Content-Type": type_, "Accept-Ranges": "bytes"}
            range_header = self.headers.get("Range", "") if self.headers.get("If-Range", tag) == tag else ""
            try:
                part = parse_range(range_header, stat.st_size)
            except ValueError:
                error_headers = {"Content-Range": f"bytes */{stat.st_size}", "Content-Length": "0"}
                return self.send_head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, error_headers)
            if part is None:
                self.send_head(HTTPStatus.OK, {**headers, "Content-Length": str(stat.st_size)})
                part = ByteRange(0, stat.st_size - 1)
            else:
                where = f"bytes {part.first}-{part.last}/{stat.st_size}"
                self.send_head(HTTPStatus.PARTIAL_CONTENT, {**headers, "Content-Range": where, "Content-Length": str(part.size)})
            if with_body:
                self._send_range(stream, part)

    def send_body(self, status: HTTPStatus, type_: str, body: bytes, *, with_body: bool = True) -> None:
        """Send a response that is not a file."""
        self.send_head(status, {"Content-Type": type_, "Content-Length": str(len(body))})
        if with_body:
            self.wfile.write(body)

    def send_head(self, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        """Send status and headers."""
        self.send_response(status)
        for name, value in {**self.default_headers, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_range(self, stream: BinaryIO, part: ByteRange) -> None:
        """Send those bytes; a client that disconnects is not an error."""
        stream.seek(part.first)
        remaining = part.size
        try:
            while remaining > 0 and (block := stream.read(min(remaining, _BLOCK_BYTES))):
                self.wfile.write(block)
                remaining -= len(block)
        except OSError:
            remaining = 1
        self.close_connection = self.close_connection or remaining > 0  # after a short body the connection is out of step


class StaticHandler(FileRequestHandler):
    """GET and HEAD of files below `base`, which pages of any origin may read (CORS)."""

    base: Path
    default_headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Content-Length, Content-Range, ETag"}

    def do_GET(self) -> None:
        """Send a file or a part of it."""
        self._respond(with_body=True)

    def do_HEAD(self) -> None:
        """Send the headers of GET without the file."""
        self._respond(with_body=False)

    def do_OPTIONS(self) -> None:
        """Answer a CORS preflight: pages of any origin may read."""
        allowed = {"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS", "Access-Control-Allow-Headers": "Range, If-None-Match"}
        self.send_head(HTTPStatus.NO_CONTENT, allowed)

    def _respond(self, *, with_body: bool) -> None:
        path = find_file(self.base, self.path)
        if path is None:
            return self._redirect_or_404(with_body)
        self.send_file(path, content_type(path.relative_to(self.base).as_posix()), with_body=with_body)

    def _redirect_or_404(self, with_body: bool) -> None:
        """Redirect `/episode` to `/episode/` when that exists, else send 404."""
        name = _request_path(self.path)
        folder = f"/{name.strip('/')}/"
        if not name.endswith("/") and find_file(self.base, folder) is not None:
            return self.send_head(HTTPStatus.MOVED_PERMANENTLY, {"Location": folder, "Content-Length": "0"})
        if page := find_file(self.base, "/404.html"):
            return self.send_body(HTTPStatus.NOT_FOUND, content_type("404.html"), page.read_bytes(), with_body=with_body)
        self.send_body(HTTPStatus.NOT_FOUND, PLAIN_TEXT, b"404: there is no such page\n", with_body=with_body)


def _request_path(target: str) -> str:
    """The path of a request target, still percent-encoded, without query; `urlsplit` raises for some that browsers send."""
    return target.split("#")[0].split("?")[0]


def _matches_etag(header: str, tag: str) -> bool:
    """Whether If-None-Match lists this ETag (weak comparison, RFC 9110 section 13.1.2)."""
    return header.strip() == "*" or tag in {item.strip().removeprefix("W/") for item in header.split(",")}
