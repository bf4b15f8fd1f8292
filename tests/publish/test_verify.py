"""Checking published files as a player would."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.model.errors import CauserieError, Problems
from pipeline.publish import verify as looking
from pipeline.publish.http_headers import IMMUTABLE, content_type
from pipeline.publish.public_tree import MEDIA, PAGES, TEXTS, PublicFile
from pipeline.publish.verify import HttpResponse, advice_of, group_problems, head_problems, range_problems, request, verify_files
from pipeline.web.server import make_server
from tests.support.publishing import put

SHORT = "public, max-age=300"
URL = "https://balado.example/un.mp3"
GOOD = {"content-type": "audio/mpeg", "content-length": "4", "access-control-allow-origin": "*"}


def file(key: str = "un-0123456789.mp3", rank: int = MEDIA, cache: str = IMMUTABLE, content: bytes = b"sons") -> PublicFile:
    return PublicFile(key, Path(key), len(content), hashlib.sha256(content).hexdigest(), content_type(key), cache, rank)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    put(tmp_path / "un-0123456789.mp3", b"sons")
    put(tmp_path / "un/index.html", b"page")
    put(tmp_path / "été.vtt", b"text")
    with make_server(tmp_path, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_good_host_passes_without_a_word(site: str) -> None:
    assert verify_files(site, [file(), file("un/index.html", PAGES, SHORT, b"page"), file("été.vtt", TEXTS, SHORT, b"text")]) == ()


def test_an_address_with_or_without_its_last_slash_is_the_same(site: str) -> None:
    assert verify_files(site.rstrip("/"), [file()]) == ()


def test_every_wrong_file_is_told_at_once(site: str) -> None:
    files = [file(), file("absent.mp3"), replace(file(), bytes=5), file("absent.vtt")]
    with pytest.raises(Problems) as caught:
        verify_files(site, files)
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 2
    assert said[0].startswith(f"{site}absent.mp3 and 1 more: returns 404 instead of 200")
    assert "has 4 bytes instead of 5" in said[1]


def test_only_http_is_looked_at(tmp_path: Path) -> None:
    for address in (f"file://{tmp_path}/", "ftp://x/", "", "javascript:alert(1)"):
        with pytest.raises(CauserieError, match="not an http address"):
            verify_files(address, [file()])


def test_a_host_that_does_not_answer_is_told() -> None:
    with pytest.raises(CauserieError, match="cannot be reached"):
        verify_files("http://127.0.0.1:9/", [file()])


@pytest.mark.parametrize(
    ("status", "changed", "said"),
    [
        (403, {}, "returns 403"),
        (0, {}, "cannot be reached"),
        (200, {"content-type": "binary/octet-stream"}, "has Content-Type binary/octet-stream instead of audio/mpeg"),
        (200, {"content-type": "a\x1b[31m"}, r"has Content-Type a\?\[31m"),
        (200, {"content-encoding": "aws-chunked"}, "Content-Encoding"),
        (200, {"content-length": "5"}, "has 5 bytes instead of 4"),
    ],
)
def test_what_breaks_a_player_is_a_problem(status: int, changed: dict[str, str], said: str) -> None:
    (problem,) = head_problems(file(), URL, HttpResponse(status, GOOD | changed))
    with pytest.raises(CauserieError, match=said):
        raise problem


def test_a_charset_or_capitals_do_not_make_another_type() -> None:
    assert head_problems(file(), URL, HttpResponse(200, GOOD | {"content-type": "Audio/MPEG; charset=binary"})) == ()


def test_a_page_that_a_cache_still_holds_is_advice_and_no_problem() -> None:
    page = file("index.html", PAGES, SHORT)
    head = HttpResponse(200, {"content-type": "text/html", "content-length": "3"})
    assert head_problems(page, URL, head) == ()
    assert "cache" in advice_of(page, head)[0]


def test_texts_that_other_sites_cannot_read_are_advice() -> None:
    text, head = file("t-0.vtt", TEXTS), HttpResponse(200, {"content-length": "4"})
    assert "Access-Control-Allow-Origin" in advice_of(text, head)[0]
    assert advice_of(text, HttpResponse(200, {"access-control-allow-origin": "*", "content-length": "4"})) == ()


@pytest.mark.parametrize(
    "answer", [HttpResponse(200, {}), HttpResponse(206, {}), HttpResponse(206, {"content-range": "bytes 0-1/99"}), HttpResponse(416, {})]
)
def test_a_host_without_ranges_is_a_problem(answer: HttpResponse) -> None:
    assert range_problems(file(), URL, answer)
    assert not range_problems(file(), URL, HttpResponse(206, {"content-range": "bytes 0-1/4"}))


def test_alike_problems_become_one() -> None:
    many = [CauserieError("answers 403", f"u{i}", "open it") for i in range(60)]
    assert [str(problem) for problem in group_problems([*many, CauserieError("x", "y")])] == [
        "u0 and 59 more: answers 403; open it",
        "y: x",
    ]


def test_a_stumble_is_asked_about_twice() -> None:
    answers = [503, 200]

    class Stumbling(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(answers.pop(0))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Stumbling) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert request(f"http://127.0.0.1:{server.server_port}/").status == 200
        server.shutdown()
    assert answers == []


def test_a_server_that_takes_a_request_and_says_nothing_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_TIMEOUT_S", 0.2)
    looking._connection_pool.cache_clear()
    try:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            answer = request(f"http://127.0.0.1:{silent.getsockname()[1]}/")
            silent.settimeout(0)
            silent.accept()
            with pytest.raises(BlockingIOError):
                silent.accept()
    finally:
        looking._connection_pool.cache_clear()
    assert (answer.status, answer.reason) == (0, "ReadTimeoutError")
