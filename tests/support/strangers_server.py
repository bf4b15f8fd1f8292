"""A web server on 127.0.0.1 that misbehaves on demand: redirects, truncated bodies, decompression bombs, endless bodies."""

from __future__ import annotations

import gzip
import http.server
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Handler = http.server.BaseHTTPRequestHandler
Page = Callable[[Handler], None]


@contextmanager
def serving(pages: dict[str, Page | bytes], tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Serve `pages` by path, over TLS if a context is given; yields the base URL and the list of requests: (path, Range)."""
    asked: list[tuple[str, str]] = []

    class Answers(Handler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Range", "")))
            page = pages.get(self.path.partition("?")[0])
            try:
                body(self, page) if isinstance(page, bytes) else page(self) if page else body(self, b"no", status=404)
            except (BrokenPipeError, ConnectionResetError):
                pass

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https://localhost' if tls else 'http://127.0.0.1'}:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def body(handler: Handler, content: bytes, *, status: int = 200, length: int | None = None, **headers: str) -> None:
    """A response; `length` sets a wrong Content-Length."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)
    handler.close_connection = True


def moved(to: str) -> Page:
    """A redirect."""
    return lambda handler: body(handler, b"", status=302, Location=to)


def endless(pause_s: float = 0.0) -> Page:
    """An endless body without Content-Length."""

    def page(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * (1 if pause_s else 65_536))
            handler.wfile.flush()
            time.sleep(pause_s)

    return page


def bomb(handler: Handler) -> None:
    """Twenty megabytes of zeros, compressed to twenty kilobytes."""
    body(handler, gzip.compress(bytes(20_000_000), 6), Content_Encoding="gzip")


def ranges(content: bytes, cut_at: int, *, tag: str = '"one"') -> Page:
    """A file with byte ranges; the first response is truncated after `cut_at` bytes."""

    def page(handler: Handler) -> None:
        wanted = handler.headers.get("Range", "")
        if wanted and handler.headers.get("If-Range") == tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            place = f"bytes {start}-{len(content) - 1}/{len(content)}"
            body(handler, content[start:], status=206, Content_Range=place, ETag=tag, Content_Type="audio/mpeg")
        else:
            body(handler, content[:cut_at], length=len(content), ETag=tag, Content_Type="audio/mpeg")

    return page
