"""The local server, tested with independent HTTP clients."""

from __future__ import annotations

import http.client
import queue
import signal
import socket
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.errors import CauserieError
from pipeline.web.server import ByteRange, find_file, make_server, parse_range, serve_folder
from tests.support.processes import child_process
from tests.support.publishing import put

pytestmark = pytest.mark.slow

AUDIO = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    root = tmp_path_factory.mktemp("serve")
    put(root / "secret.txt", b"pas publie")
    base = root / "public"
    for name, content in {
        "index.html": "<p>été</p>".encode(),
        "un/index.html": b"un",
        "un/un-0123456789.mp3": AUDIO,
        "un/un-0123456789.opus": b"opus",
        "un/transcript-0123456789.vtt": b"WEBVTT\n",
        "un/transcript-0123456789.srt": b"1\n",
        "un/chapters-0123456789.json": b"{}",
        "guides/un.pdf": b"%PDF",
        "guides/guide d’été.pdf": b"%PDF",
        "été/index.html": b"chaud",
        "feed.xml": b"<rss/>",
        "empty.txt": b"",
        ".hidden": b"temporaire",
        "un/.part": b"temporaire",
    }.items():
        put(base / name, content)
    (base / "out.txt").symlink_to(root / "secret.txt")
    with make_server(base, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield "127.0.0.1", server.server_port
        server.shutdown()
        thread.join()


def ask(address: tuple[str, int], path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One request on its own connection; header names are in lower case."""
    connection = http.client.HTTPConnection(*address, timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


MP3 = "/un/un-0123456789.mp3"


def test_a_whole_file_says_how_long_it_is_and_that_it_can_be_had_in_parts(address: tuple[str, int]) -> None:
    status, headers, body = ask(address, MP3)
    assert (status, body, headers["content-length"], headers["accept-ranges"]) == (200, AUDIO, str(len(AUDIO)), "bytes")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-1", 0, 1),
        ("bytes=1000-", 1000, len(AUDIO) - 1),
        ("bytes=-5", len(AUDIO) - 5, len(AUDIO) - 1),
        ("bytes=9-999999", 9, len(AUDIO) - 1),
    ],
)
def test_a_part_is_206_with_its_place(address: tuple[str, int], asked: str, first: int, last: int) -> None:
    status, headers, body = ask(address, MP3, Range=asked)
    assert (status, headers["content-range"]) == (206, f"bytes {first}-{last}/{len(AUDIO)}")
    assert body == AUDIO[first : last + 1]


def test_a_part_beyond_the_end_is_416_and_says_where_the_end_is(address: tuple[str, int]) -> None:
    status, headers, body = ask(address, MP3, Range="bytes=999999-")
    assert (status, headers["content-range"], body) == (416, f"bytes */{len(AUDIO)}", b"")


def test_head_of_a_part_says_the_same_and_sends_nothing(address: tuple[str, int]) -> None:
    status, headers, body = ask(address, MP3, "HEAD", Range="bytes=-500")
    assert (status, headers["content-range"], body) == (206, f"bytes 9740-10239/{len(AUDIO)}", b"")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=5-2", "bytes=-", "lines=1-2", "x"])
def test_what_is_not_one_range_gets_the_whole_file(address: tuple[str, int], asked: str) -> None:
    assert ask(address, MP3, Range=asked)[0] == 200


def test_head_says_the_same_and_sends_nothing(address: tuple[str, int]) -> None:
    status, headers, body = ask(address, MP3, "HEAD")
    assert (status, headers["content-length"], headers["content-type"], body) == (200, str(len(AUDIO)), "audio/mpeg", b"")


def test_an_unchanged_file_is_304(address: tuple[str, int]) -> None:
    tag = ask(address, "/feed.xml")[1]["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        status, headers, body = ask(address, "/feed.xml", If_None_Match=known)
        assert (status, headers["etag"], body) == (304, tag, b"")
    assert ask(address, "/feed.xml", If_None_Match='"x"')[0] == 200


def test_a_part_of_a_file_that_has_changed_is_the_whole_new_one(address: tuple[str, int]) -> None:
    tag = ask(address, MP3)[1]["etag"]
    assert ask(address, MP3, Range="bytes=0-1", If_Range=tag)[0] == 206
    for other in ('"before"', f"W/{tag}", "Sat, 01 Jan 2000 00:00:00 GMT"):
        assert ask(address, MP3, Range="bytes=0-1", If_Range=other)[0] == 200


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        (MP3, "audio/mpeg"),
        ("/un/un-0123456789.opus", "audio/ogg"),
        ("/un/transcript-0123456789.vtt", "text/vtt"),
        ("/un/transcript-0123456789.srt", "application/x-subrip"),
        ("/un/chapters-0123456789.json", "application/json+chapters"),
        ("/feed.xml", "application/rss+xml; charset=utf-8"),
        ("/guides/un.pdf", "application/pdf"),
        ("/", "text/html; charset=utf-8"),
    ],
)
def test_types_are_right_and_any_page_may_read(address: tuple[str, int], path: str, type_: str) -> None:
    status, headers, _ = ask(address, path)
    assert (status, headers["content-type"], headers["access-control-allow-origin"]) == (200, type_, "*")


def test_a_browser_may_ask_for_ranges_from_another_page(address: tuple[str, int]) -> None:
    status, headers, _ = ask(address, MP3, "OPTIONS", Origin="https://player.example", Access_Control_Request_Headers="range")
    assert (status, headers["access-control-allow-origin"]) == (204, "*")
    assert "Range" in headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/un/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "//etc/passwd",
        "/out.txt",  # a link out of the folder
        "/.hidden",
        "/un/.part",
        "/guides/",  # no listing
        "/guides",
        "/nothing",
        "/feed.xml%00.html",
        "/un/index.html/",
        f"/{'a' * 5000}",
        "/http://127.0.0.1/feed.xml",
    ],
)
def test_nothing_else_is_ever_served(address: tuple[str, int], path: str) -> None:
    status, _, body = ask(address, path)
    assert (status, b"publie" in body, b"temporaire" in body) == (404, False, False)


def test_an_episode_without_its_slash_is_sent_to_the_one_with(address: tuple[str, int]) -> None:
    status, headers, _ = ask(address, "/un")
    assert (status, headers["location"]) == (301, "/un/")
    assert ask(address, "//un")[1]["location"] == "/un/"  # never to a host named `un`


def test_writing_is_not_possible(address: tuple[str, int]) -> None:
    assert ask(address, "/feed.xml", "PUT")[0] == 501
    assert ask(address, "/feed.xml", "DELETE")[0] == 501


def test_an_empty_file_is_a_file(address: tuple[str, int]) -> None:
    assert ask(address, "/empty.txt")[::2] == (200, b"")
    assert ask(address, "/empty.txt", Range="bytes=0-")[0] == 416


def test_one_connection_serves_a_player_that_jumps(address: tuple[str, int]) -> None:
    connection = http.client.HTTPConnection(*address, timeout=10)
    for first in (5000, 0, 9000):
        connection.request("GET", MP3, headers={"Range": f"bytes={first}-{first + 9}"})
        assert connection.getresponse().read() == AUDIO[first : first + 10]
    for path, status in (("/nothing", 404), ("/", 200)):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read() != b"") == (status, True)
    connection.close()


@settings(max_examples=100)
@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 300))
def test_a_range_is_what_python_would_slice(first: int, last: int, size: int) -> None:
    content = bytes(size)
    if first < size and first <= last:
        part = parse_range(f"bytes={first}-{last}", size)
        assert part is not None and part.size == len(content[first : last + 1])
    if last:
        part = parse_range(f"bytes=-{last}", size)
        assert part is not None and (part.size, part.last) == (len(content[-last:]), size - 1)


def test_the_last_nothing_is_no_range() -> None:
    with pytest.raises(ValueError, match="no such bytes"):
        parse_range("bytes=-0", 10)
    assert parse_range("bytes=3-3", 10) == ByteRange(3, 3)


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_no_address_finds_a_file_outside_the_folder(tmp_path_factory: pytest.TempPathFactory, asked: str) -> None:
    base = tmp_path_factory.getbasetemp().resolve() / "inside"
    put(base / "a", b"")
    found = find_file(base, f"/{asked}")
    assert found is None or found.is_relative_to(base)


def test_ipv6_is_served_and_its_address_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    put(tmp_path / "index.html", b"six")
    monkeypatch.setattr("pipeline.web.server.serve_until_interrupted", lambda server: server.handle_request())
    heard: queue.Queue[str] = queue.Queue()
    thread = threading.Thread(target=serve_folder, args=(tmp_path,), kwargs={"host": "::1", "port": 0, "on_ready": heard.put}, daemon=True)
    thread.start()
    home = heard.get(timeout=10)
    assert home.startswith("http://[::1]:")
    with urllib.request.urlopen(home, timeout=10) as page:
        assert page.read() == b"six"


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1", "2001:db8::1"])
def test_a_host_that_is_not_this_machine_is_told_as_such(tmp_path: Path, host: str) -> None:
    with pytest.raises(CauserieError, match=rf"{host} is not an address of this machine.*--host"):
        make_server(tmp_path, host=host, port=0)


def test_names_with_accents_and_spaces_are_found(address: tuple[str, int]) -> None:
    assert ask(address, "/guides/guide%20d%E2%80%99%C3%A9t%C3%A9.pdf")[::2] == (200, b"%PDF")
    assert ask(address, "/%C3%A9t%C3%A9")[1]["location"] == "/%C3%A9t%C3%A9/"


def test_interrupted_it_stops_without_a_word(tmp_path: Path) -> None:
    put(tmp_path / "index.html", b"x")
    code = f"from pathlib import Path; from pipeline.web.server import serve_folder; serve_folder(Path({str(tmp_path)!r}), port=0, on_ready=lambda at: print(at, flush=True))"
    with child_process(sys.executable, "-c", code) as child:
        assert child.stdout is not None
        with urllib.request.urlopen(child.stdout.readline().strip(), timeout=10) as page:
            assert page.read() == b"x"
        child.send_signal(signal.SIGINT)
        assert (child.communicate(timeout=10), child.returncode) == (("", ""), 0)


def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with make_server(tmp_path, port=0) as server, pytest.raises(CauserieError, match=rf"{server.server_port}.*--port"):
        make_server(tmp_path, port=server.server_port)


def test_a_port_that_cannot_exist_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(CauserieError, match="--port"):
        make_server(tmp_path, port=70_000)


def test_nothing_to_serve_is_told(tmp_path: Path) -> None:
    with pytest.raises(CauserieError, match="causerie publish"):
        make_server(tmp_path / "public")
