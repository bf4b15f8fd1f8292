"""A proxy in front of an S3 server that injects faults, at random or on chosen requests, and logs the requests in order.

`with faulty_proxy(server_url) as proxy: proxy.fault = chance(0.2, answer(503)); …` A fault is a function of the request that returns
what to do with it, or None to forward it.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "expect"}


Answer = tuple[int, dict[str, str], bytes]  # status, headers, body


@dataclass(frozen=True)
class Request:
    """One incoming request; the fault is chosen before its body is read."""

    method: str
    path: str  # with its query
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def signed(self) -> bool:
        return "authorization" in self.headers


@dataclass(frozen=True)
class Breakage:
    """What to do instead of forwarding a request unchanged."""

    status: int = 0  # respond with this, without the server
    code: str = ""  # with this S3 error code
    drop: str = ""  # "sending": after half of the request, "before" the server gets it, "after" its response, "half" of its response
    wait_s: float = 0.0
    change: Callable[[Request], Request] | None = None  # forward this instead
    body: bytes | None = None  # respond 200 with this
    cache: dict[tuple[str, ...], Answer] | None = None  # responses of a cache that never expires


Fault = Callable[[Request], Breakage | None]


def answer(status: int, code: str = "") -> Fault:
    return lambda request: Breakage(status, code)


def drop(when: str) -> Fault:
    return lambda request: Breakage(drop=when)


def delay(seconds: float) -> Fault:
    return lambda request: Breakage(wait_s=seconds)


def strip_headers(*names: str) -> Fault:
    """Remove headers, so that the server ignores conditions or checksums."""

    def change(request: Request) -> Request:
        kept = {name: value for name, value in request.headers.items() if name not in names}
        return Request(request.method, request.path, kept, request.body)

    return lambda request: Breakage(change=change)


def flip_bit() -> Fault:
    """Flip one bit of the body."""

    def change(request: Request) -> Request:
        body = bytes([request.body[0] ^ 1]) + request.body[1:] if request.body else b""
        return Request(request.method, request.path, request.headers, body)

    return lambda request: Breakage(change=change)


def stale_cache() -> Fault:
    """A cache that never expires."""
    cache: dict[tuple[str, ...], Answer] = {}
    return lambda request: Breakage(cache=cache)


def randomly(probability: float, fault: Fault, seed: int = 0) -> Fault:
    dice, lock = random.Random(seed), threading.Lock()

    def choose(request: Request) -> Breakage | None:
        with lock:
            return fault(request) if dice.random() < probability else None

    return choose


def when(wanted: Callable[[Request], bool], fault: Fault) -> Fault:
    return lambda request: fault(request) if wanted(request) else None


def after_count(count: int, wanted: Callable[[Request], bool], fault: Fault) -> Fault:
    """Let `count` matching requests pass, then apply the fault to every later one."""
    seen, lock = [0], threading.Lock()

    def choose(request: Request) -> Breakage | None:
        with lock:
            seen[0] += wanted(request)
            return fault(request) if wanted(request) and seen[0] > count else None

    return choose


@dataclass
class Proxy:
    """A running proxy: its current fault, and its log."""

    server: str
    url: str = ""
    fault: Fault = lambda request: None
    log: list[tuple[str, str, int]] = field(default_factory=list)  # method, path, status; 0 for a dropped connection

    def writes(self) -> list[str]:
        """The paths of objects written in one request, in order."""
        return [path for method, path, status in self.log if method == "PUT" and status == 200 and "?" not in path]


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing here: the proxy keeps its own log."""

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        request = Request(self.command, self.path, headers, b"")
        breakage = self.proxy.fault(request) or Breakage()
        request = replace(request, body=self.rfile.read(length // 2 if breakage.drop == "sending" else length))
        if breakage.wait_s:
            time.sleep(breakage.wait_s)
        if breakage.drop in {"before", "sending"}:
            return self._drop(request)
        if breakage.status or breakage.body is not None:
            error = f"<Error><Code>{breakage.code}</Code><Message>no</Message></Error>".encode() if breakage.code else b""
            return self._answer(request, breakage.status or 200, {}, error if breakage.body is None else breakage.body)
        answer = self._from_cache(request, breakage.cache) or self._forward(breakage.change(request) if breakage.change else request)
        if breakage.cache is not None:
            breakage.cache[_cache_key(request)] = answer
        if breakage.drop == "after":
            return self._drop(request)
        self._answer(request, *answer, half=breakage.drop == "half")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_OPTIONS = _handle

    def _from_cache(self, request: Request, cache: dict[tuple[str, ...], Answer] | None) -> Answer | None:
        return (cache or {}).get(_cache_key(request))

    def _forward(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.proxy.server).netloc, timeout=60)
        try:
            connection.request(request.method, request.path, request.body or None, request.headers)
            response = connection.getresponse()
            answer = response.status, dict(response.getheaders()), response.read()
            if answer[0] == 500 and "partNumber=" in request.path:  # moto fails on a part of a completed upload
                return 404, {}, b"<Error><Code>NoSuchUpload</Code></Error>"
            return answer
        finally:
            connection.close()

    def _answer(self, request: Request, status: int, headers: dict[str, str], body: bytes, half: bool = False) -> None:
        self.proxy.log.append((request.method, request.path, status))
        kept = {name: value for name, value in headers.items() if name.lower() not in {*HOP_BY_HOP, "server", "date"}}
        if request.method != "HEAD":
            kept = {name: value for name, value in kept.items() if name.lower() != "content-length"} | {"Content-Length": str(len(body))}
        try:
            self.send_response(status)
            for name, value in kept.items():
                self.send_header(name, value)
            self.end_headers()
            if request.method != "HEAD":
                self.wfile.write(body[: len(body) // 2] if half else body)
        except OSError:
            self.close_connection = True
        if half:
            self.close_connection = True

    def _drop(self, request: Request) -> None:
        self.proxy.log.append((request.method, request.path, 0))
        self.close_connection = True


def _cache_key(request: Request) -> tuple[str, ...]:
    return request.method, request.path, request.headers.get("range", "")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of clients that were killed."""


@contextmanager
def faulty_proxy(server: str) -> Iterator[Proxy]:
    """A running proxy in front of `server`, which forwards everything until it gets a fault."""
    proxy = Proxy(server)
    with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy})) as running:
        proxy.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=lambda: running.serve_forever(poll_interval=0.02), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            running.shutdown()
            thread.join()
