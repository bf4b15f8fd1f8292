"""`serve --watch`: which files it scans, the folder it serves, and how it notifies open pages."""

import http.client
import threading
import urllib.request

import pytest

from pipeline.commands.preview import EVENTS_PATH, ChangeBroadcaster, make_live_server, scan_files, sync_folder
from tests.support.publishing import names, put


def test_what_a_person_writes_is_looked_at_and_what_is_built_is_not(tmp_path):
    for name in (
        "show.toml",
        "transcripts/un.md",
        "transcripts/un.vtt",
        "templates/cast.html.j2",
        "site/index.html",
        ".causerie/x",
        "public/feed.xml",
    ):
        put(tmp_path / name, b"x")
    assert set(scan_files(tmp_path, {"transcripts/un.vtt"})) == {"show.toml", "transcripts/un.md", "templates/cast.html.j2"}


def test_a_link_to_nothing_stops_nothing(tmp_path):
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert scan_files(tmp_path, ()) == {}


def test_a_changed_file_is_seen(tmp_path):
    put(tmp_path / "show.toml", b"x")
    before = scan_files(tmp_path, ())
    put(tmp_path / "show.toml", b"xy")
    assert scan_files(tmp_path, ()) != before


def test_the_folder_holds_what_is_wanted_and_nothing_else(tmp_path):
    put(tmp_path / "site/index.html", b"1")
    put(tmp_path / "episodes/un/un.mp3", b"son")
    folder = tmp_path / ".causerie/preview"
    sync_folder(tmp_path, folder, {"index.html": "site/index.html", "un/un-a.mp3": "episodes/un/un.mp3"})
    put(tmp_path / "site/index.html", b"2")
    sync_folder(tmp_path, folder, {"index.html": "site/index.html"})
    assert names(folder) == {"index.html"} and (folder / "index.html").read_bytes() == b"2"


def test_open_pages_hear_that_something_changed(tmp_path):
    put(tmp_path / "page.js", b"ours")
    put(tmp_path / "404.html", "<p>Rien ici, même là.".encode())
    news = ChangeBroadcaster()
    with make_live_server(tmp_path, news) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}"
        with urllib.request.urlopen(home + "/page.js", timeout=10) as script:
            assert script.read().startswith(b"ours\nnew EventSource(")
            assert "Access-Control-Allow-Origin" not in script.headers  # other origins must not read what is not published yet
        head = urllib.request.Request(home + "/page.js", method="HEAD")
        with urllib.request.urlopen(head, timeout=10) as told:
            assert told.headers["Content-Length"] == script.headers["Content-Length"]
        with urllib.request.urlopen(home + EVENTS_PATH, timeout=10) as events:
            assert events.readline() == b": here\n"
            news.notify()
            assert b"data: changed\n" in (events.readline(), events.readline())
        server.shutdown()


@pytest.mark.parametrize(
    ("host", "name", "status"),
    [
        ("127.0.0.1", "localhost:1", 200),
        ("127.0.0.1", "[::1]:1", 200),
        ("127.0.0.1", "evil.example", 403),
        ("127.0.0.1", "[", 403),
        ("0.0.0.0", "atelier", 200),
    ],
)
def test_a_name_made_to_point_here_gets_nothing_unless_others_may_look(tmp_path, host, name, status):
    put(tmp_path / "index.html", b"pas encore")
    with make_live_server(tmp_path, ChangeBroadcaster(), host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.request("GET", "/", headers={"Host": name})
        answer = connection.getresponse()
        assert (answer.status, answer.read() == b"pas encore") == (status, status == 200)
        connection.close()
        server.shutdown()
