"""Purging a cache in front of the bucket."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.publish.cdn_purge import purge, purge_commands, purge_requests

URLS = ("https://balado.example/feed.xml", "https://balado.example/un/index.html")


def test_a_line_becomes_a_request_for_each_address() -> None:
    assert purge_requests(("PURGE {url}",), URLS) == tuple(("PURGE", url) for url in URLS)
    assert purge_requests(("POST https://cdn.example/purge?u={url}",), URLS[:1]) == (
        ("POST", "https://cdn.example/purge?u=https%3A%2F%2Fbalado.example%2Ffeed.xml"),
    )


def test_a_command_runs_once_an_address_or_once_for_all() -> None:
    assert purge_commands(("curl", "-X", "PURGE", "{url}"), URLS) == tuple(("curl", "-X", "PURGE", url) for url in URLS)
    assert purge_commands(("./purge", "{urls}", "-v"), URLS) == (("./purge", *URLS, "-v"),)
    assert purge_commands(("./purge",), URLS) == (("./purge",),)
    assert purge_commands(("./purge",), ()) == ()


def test_no_shell_reads_an_address(tmp_path: Path) -> None:
    write = "import sys, pathlib; pathlib.Path('args').write_text(repr(sys.argv[1:]))"
    hostile = "https://balado.example/$(touch%20x);touch x"
    assert purge((sys.executable, "-c", write, "{url}"), (hostile,), tmp_path) == ()
    assert (tmp_path / "args").read_text() == repr([hostile])
    assert {path.name for path in tmp_path.iterdir()} == {"args"}


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ((sys.executable, "-c", "import sys; sys.exit('s3cr3t')"), "ended with exit status 1"),
        (("./pas-la",), "pas-la could not be run"),
        (("PURGE http://127.0.0.1:9/?u={url}&token=s3cr3t",), "127.0.0.1 cannot be reached"),
    ],
)
def test_a_cache_that_is_not_emptied_is_a_note_without_its_secrets(hook: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (note,) = purge(hook, URLS[:1], tmp_path)
    assert said in note and "s3cr3t" not in note


@pytest.fixture
def cdn() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Cdn(BaseHTTPRequestHandler):
        def do_PURGE(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Cdn) as server:
        threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_a_cache_is_asked_to_forget_what_changed(cdn: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = cdn
    assert purge(("PURGE {url}",), (f"{address}/feed.xml", f"{address}/index.html"), tmp_path) == ()
    assert asked == ["/feed.xml", "/index.html"]
