"""Checking published files as a player would."""

from __future__ import annotations

import gzip
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from pipeline.model.errors import CauserieError, Problems
from pipeline.publish import verify as looking
from pipeline.publish.http_headers import IMMUTABLE, content_type
from pipeline.publish.public_tree import ASSETS, MEDIA, PAGES, TEXTS, PublicFile
from pipeline.publish.verify import (
    PLAYER_ORIGIN,
    TRIES,
    Check,
    HttpResponse,
    advice_of,
    allows_cors,
    fetch_sha256,
    files_to_compare,
    group_problems,
    head_problems,
    range_problems,
    request,
    url_of,
    verify_files,
)
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
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
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
        with pytest.raises(CauserieError) as caught:
            verify_files(address, [file()])
        assert (caught.value.message, caught.value.where, caught.value.hint) == (
            "is not an http address",
            address,
            "correct website in show.toml",
        )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_host_that_does_not_answer_is_told(scheme: str) -> None:
    with pytest.raises(Problems, match="cannot be reached"):
        verify_files(f"{scheme}://127.0.0.1:9/", [file()])


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


class Asked(NamedTuple):
    """A request as the server saw it; `port` is the client's, one for each connection. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    port: int


Answer = Callable[[BaseHTTPRequestHandler], None]


def reply(status: int = 200, content: bytes = b"", *, length: int | None = None, **headers: str) -> Answer:
    """A response; a `length` above that of the content makes it break off."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)
        handler.close_connection = length is not None

    return write


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """No response at all."""
    handler.close_connection = True


@contextmanager
def answering(*answers: Answer) -> Iterator[tuple[str, list[Asked]]]:
    """A server that gives the answers in turn, the last one for ever; yields its address and what it was asked."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked.append(Asked(self.command, self.path, headers, self.client_address[1]))
            answers[min(len(asked), len(answers)) - 1](self)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/un.mp3", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, in seconds; nobody waits for them."""
    made: list[float] = []
    monkeypatch.setattr(looking, "time", SimpleNamespace(sleep=made.append))
    monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(sleep=made.append, time=time.time))
    return made


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_stumble_is_asked_about_again(status: int, pauses: list[float]) -> None:
    with answering(reply(status), reply(status), reply(content_type="audio/mpeg")) as (url, asked):
        found = request(url)
    assert (found.status, found.headers["content-type"]) == (200, "audio/mpeg")
    assert [each.method for each in asked] == ["HEAD"] * 3


def test_a_server_that_keeps_stumbling_is_told_by_its_last_answer_and_sets_no_pause(pauses: list[float]) -> None:
    with answering(reply(503, Retry_After="3600")) as (url, asked):
        assert request(url, "GET").status == 503
    assert len(asked) == TRIES
    assert 0 < sum(pauses) < 30


@pytest.mark.parametrize("status", [403, 404, 416])
def test_a_plain_answer_is_not_asked_for_again(status: int, pauses: list[float]) -> None:
    with answering(reply(status, b"no")) as (url, asked):
        assert request(url).status == status
        assert request(url, "GET").status == status
    assert len(asked) == 2


CONTENT = bytes(range(256)) * 1000  # several blocks


def test_a_file_that_breaks_off_is_fetched_again_from_its_beginning(pauses: list[float]) -> None:
    with answering(reply(content=CONTENT[:100_000], length=len(CONTENT)), hang_up, reply(content=CONTENT)) as (url, asked):
        assert fetch_sha256(url) == hashlib.sha256(CONTENT).hexdigest()
    assert [(each.method, "range" in each.headers) for each in asked] == [("GET", False)] * 3
    assert pauses[0] == 0 < pauses[1] < pauses[2] < 1


def test_a_file_that_always_breaks_off_has_no_digest(pauses: list[float]) -> None:
    with answering(reply(content=CONTENT[:-1], length=len(CONTENT))) as (url, asked):
        assert fetch_sha256(url) == ""
    assert len(asked) == TRIES


@pytest.mark.parametrize(("answer", "reason"), [(hang_up, "ProtocolError"), (reply(206, b"s", length=2), "ProtocolError")])
def test_a_connection_that_always_breaks_is_told(answer: Answer, reason: str, pauses: list[float]) -> None:
    with answering(answer) as (url, asked):
        assert request(url, "GET") == HttpResponse(0, reason=reason)
    assert len(asked) == TRIES


def test_a_connection_that_breaks_once_is_no_problem(pauses: list[float]) -> None:
    with answering(hang_up, reply(206, b"so", Content_Range="bytes 0-1/4")) as (url, asked):
        assert request(url, "GET", Range="bytes=0-1").status == 206
    assert [each.headers["range"] for each in asked] == ["bytes=0-1"] * 2


def test_a_host_that_is_not_there_is_not_asked_for_ever(pauses: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    assert request(url) == HttpResponse(0, reason="NewConnectionError")
    assert len(pauses) <= 2


def test_what_is_no_address_is_told() -> None:
    assert request("http://[/").status == 0


def test_a_file_is_fetched_whole_and_as_it_was_sent() -> None:
    packed = gzip.compress(CONTENT)
    with answering(reply(content=packed, Content_Encoding="gzip")) as (url, asked):
        assert fetch_sha256(url) == hashlib.sha256(packed).hexdigest()
    assert (asked[0].headers["accept-encoding"], asked[0].headers["user-agent"]) == ("identity", "causerie")


@pytest.mark.parametrize("status", [404, 206])
def test_what_is_not_the_file_has_no_digest(status: int) -> None:
    with answering(reply(status, b"sons")) as (url, _):
        assert fetch_sha256(url) == ""


def test_a_digest_is_only_of_a_body_that_was_asked_for() -> None:
    with answering(reply(content=b"sons")) as (url, _):
        assert [request(url).sha256, request(url, "GET").sha256] == ["", ""]


def test_a_redirect_leads_to_the_file(pauses: list[float]) -> None:
    sent = reply(content=b"sons", Content_Type="audio/mpeg")
    moved = [reply(302, Location="/ailleurs/un.mp3"), reply(301, Location="../un.mp3"), reply(308, Location="/la.mp3")]
    with answering(*moved, sent) as (url, asked):
        assert request(url, Origin=PLAYER_ORIGIN).status == 200
    assert [each.path for each in asked] == ["/un.mp3", "/ailleurs/un.mp3", "/un.mp3", "/la.mp3"]
    assert {(each.method, each.headers["origin"]) for each in asked} == {("HEAD", PLAYER_ORIGIN)}


def test_five_redirects_are_followed_and_a_circle_is_left(pauses: list[float]) -> None:
    again = reply(302, Location="/un.mp3")
    with answering(*[again] * 5, reply()) as (url, _):
        assert request(url).status == 200
    with answering(again) as (url, asked):
        assert request(url) == HttpResponse(0, reason="ResponseError")
    assert len(asked) == 6


def only_for(origin: str) -> Answer:
    """A text that names the other site it may be read by, as some buckets do, when that site asks."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        allowed = {"Access-Control-Allow-Origin": origin} if handler.headers.get("Origin") == origin else {}
        reply(content=b"text", Content_Type="text/vtt; charset=utf-8", **allowed)(handler)

    return write


@pytest.mark.parametrize(("origin", "cors"), [(PLAYER_ORIGIN, True), ("https://balado.example", False)])
def test_a_text_is_asked_for_from_another_site(origin: str, cors: bool) -> None:
    checks: list[Check] = []
    with answering(only_for(origin)) as (url, _):
        advice = verify_files(url.removesuffix("un.mp3"), [file("t.vtt", TEXTS, SHORT, b"text")], checks.append)
    assert [check.cors for check in checks] == [cors]
    assert [line for line in advice if "Access-Control-Allow-Origin" in line] == list(advice)
    assert bool(advice) is not cors


@pytest.mark.parametrize(
    ("value", "allowed"), [("*", True), (PLAYER_ORIGIN, True), ("https://balado.example", False), ("null", False), ("", False)]
)
def test_other_sites_may_read_what_names_them_or_all(value: str, allowed: bool) -> None:
    assert allows_cors(HttpResponse(200, {"access-control-allow-origin": value})) is allowed
    assert not allows_cors(HttpResponse(200))


def test_each_file_is_told_with_what_was_found(site: str) -> None:
    checks: list[Check] = []
    files = [file(), file("un/index.html", PAGES, SHORT, b"page"), file("été.vtt", TEXTS, SHORT, b"text")]
    verify_files(site, files, checks.append)
    assert checks == [
        Check(f"{site}un-0123456789.mp3", 200, "audio/mpeg", "4", ranges=True, same=True),
        Check(f"{site}un/index.html", 200, "text/html; charset=utf-8", "4"),
        Check(f"{site}%C3%A9t%C3%A9.vtt", 200, "text/vtt", "4", cors=True),
    ]


def test_other_content_of_the_same_length_is_a_problem(site: str) -> None:
    checks: list[Check] = []
    with pytest.raises(Problems) as caught:
        verify_files(site, [file(content=b"tons")], checks.append)
    (problem,) = caught.value.problems
    assert str(problem) == (
        f"{site}un-0123456789.mp3: has other content than was sent; publish again, and purge the cache in front of the bucket"
    )
    assert [(check.ranges, check.same) for check in checks] == [(True, False)]


def test_a_host_that_sends_the_whole_file_for_a_range_is_told_and_its_content_left_alone() -> None:
    checks: list[Check] = []
    with (
        answering(reply(content=b"sons", Content_Type="audio/mpeg")) as (url, asked),
        pytest.raises(Problems, match=r"^http://\S+\.mp3: returns 200 for a byte range"),
    ):
        verify_files(url.removesuffix("un.mp3"), [file()], checks.append)
    assert [(check.ranges, check.same) for check in checks] == [(False, None)]
    assert [(each.method, each.headers.get("range")) for each in asked] == [("HEAD", None), ("GET", "bytes=0-1")]


def test_a_wrong_file_is_not_asked_for_its_ranges_and_gets_no_advice() -> None:
    checks: list[Check] = []
    with answering(reply(content=b"autre son", Content_Type="a\x7f/b")) as (url, asked), pytest.raises(Problems):
        verify_files(url.removesuffix("un.mp3"), [file()], checks.append)
    assert [(check.type, check.bytes, check.ranges, check.same) for check in checks] == [("a?/b", "9", None, None)]
    assert len(asked) == 1


def test_the_same_advice_is_given_once(site: str) -> None:
    pages = [file("un/index.html", PAGES, SHORT, b"longer page"), file("été.vtt", TEXTS, SHORT, b"longer text")]
    assert verify_files(site, pages) == ("a cache still serves older pages: it should keep them for at most five minutes",)


def test_one_connection_serves_for_all_that_is_asked_about_a_file() -> None:
    full, part = reply(content=b"sons", Content_Type="audio/mpeg"), reply(206, b"so", Content_Range="bytes 0-1/4")
    with answering(full, part, full) as (url, asked):
        assert verify_files(url.removesuffix("un.mp3"), [file()]) == ()
    assert [each.method for each in asked] == ["HEAD", "GET", "GET"]
    assert len({each.port for each in asked}) == 1


def test_the_smallest_immutable_file_of_each_kind_is_compared() -> None:
    def sized(key: str, size: int, rank: int = MEDIA, cache: str = IMMUTABLE) -> PublicFile:
        return replace(file(key, rank, cache), bytes=size)

    files = [
        sized("long.mp3", 900),
        sized("b.mp3", 700),
        sized("a.mp3", 700),
        sized("page.html", 5, PAGES, SHORT),
        sized("a.opus", 20_000_000),
        sized("a.m4a", 20_000_001),
        sized("t.vtt", 80, TEXTS),
        sized("copy.vtt", 90, ASSETS),
    ]
    assert files_to_compare(files) == {"a.mp3", "a.opus", "t.vtt", "copy.vtt"}


@pytest.mark.parametrize("base", ["https://balado.example/serie", "https://balado.example/serie/"])
def test_an_address_is_written_as_browsers_write_it(base: str) -> None:
    assert url_of(base, "été/a b.mp3") == "https://balado.example/serie/%C3%A9t%C3%A9/a%20b.mp3"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("content-type", f"{URL}: has Content-Type nothing instead of audio/mpeg; correct the server or cache in front of the bucket"),
        ("content-length", f"{URL}: has no bytes instead of 4; purge the cache in front of the bucket"),
    ],
)
def test_a_header_that_is_missing_is_a_problem(missing: str, said: str) -> None:
    (problem,) = head_problems(file(), URL, HttpResponse(200, {name: value for name, value in GOOD.items() if name != missing}))
    assert str(problem) == said


def test_each_problem_of_a_file_is_told_with_its_remedy() -> None:
    head = HttpResponse(200, GOOD | {"content-type": "text/html", "content-encoding": "gzip", "content-length": "3"})
    assert [str(problem) for problem in head_problems(file(), URL, head)] == [
        f"{URL}: has Content-Type text/html instead of audio/mpeg; correct the server or cache in front of the bucket",
        f"{URL}: is sent with a Content-Encoding; turn off compression in front of the bucket",
    ]
    assert head_problems(file(), URL, HttpResponse(200, GOOD | {"content-encoding": "identity"})) == ()


def test_a_range_that_cannot_be_fetched_is_told_with_its_reason() -> None:
    (problem,) = range_problems(file(), URL, HttpResponse(0, reason="ReadTimeoutError"))
    assert str(problem) == f"{URL}: cannot be reached (ReadTimeoutError); publish again"
    (other,) = range_problems(file(), URL, HttpResponse(200))
    assert str(other) == f"{URL}: returns 200 for a byte range instead of 206; use a server with byte ranges: players need them to seek"
    assert range_problems(file(), URL, HttpResponse(206, {"content-range": " bytes 0-1/4 "})) == ()


def test_an_unreachable_file_is_told_with_its_reason_and_remedy() -> None:
    (problem,) = head_problems(file(), URL, HttpResponse(0, reason="NewConnectionError"))
    assert (
        str(problem) == f"{URL}: cannot be reached (NewConnectionError); check website in show.toml, and that everyone may read the bucket"
    )


def test_problems_with_other_remedies_stay_apart() -> None:
    found = group_problems([CauserieError("no", "a", "open it"), CauserieError("no", "b", "buy it"), CauserieError("no", "c", "open it")])
    assert [str(problem) for problem in found] == ["a and 1 more: no; open it", "b: no; buy it"]


def test_only_texts_are_for_other_sites_and_only_what_changes_can_be_old() -> None:
    bare = HttpResponse(200, {"content-length": "3"})
    assert advice_of(file(), bare) == ()
    assert advice_of(file("t-0.vtt", TEXTS, IMMUTABLE), bare) == (
        "transcripts and chapters are sent without Access-Control-Allow-Origin: web players cannot show them",
    )
    assert advice_of(file("p.html", PAGES, SHORT), HttpResponse(200, {"content-length": "4"})) == ()


def test_the_proxy_of_the_environment_is_used_but_not_for_what_it_excepts(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(reply()) as (proxy, asked), answering(reply()) as (direct, asked_directly):
        monkeypatch.setenv("http_proxy", proxy.removesuffix("/un.mp3"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert request("http://balado.example/un.mp3").status == 200
        assert request(direct).status == 200
    assert [each.path for each in asked] == ["http://balado.example/un.mp3"]
    assert [each.path for each in asked_directly] == ["/un.mp3"]
