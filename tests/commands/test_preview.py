"""`serve --watch`: which files it watches, the folder it serves, and how it notifies open pages."""

import http.client
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest

from pipeline.commands.preview import EVENTS_PATH, ChangeBroadcaster, is_edit, make_live_server, sync_folder, watch_edits
from pipeline.model import CauserieError
from tests.support.processes import child_process
from tests.support.publishing import names, put

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("show.toml", True),
        ("transcripts/un.md", True),
        ("templates/cast.html.j2", True),
        ("episodes/un/site/raw.wav", True),
        ("", False),
        ("transcripts/un.vtt", False),
        ("transcripts/.un.md.swp", False),
        ("site/index.html", False),
        (".causerie/x", False),
        ("episodes/.cache/x", False),
        ("public/feed.xml", False),
    ],
)
def test_what_a_person_writes_is_an_edit_and_what_is_built_is_not(tmp_path, path, expected):
    assert is_edit(tmp_path, str(tmp_path / path), {"transcripts/un.vtt"}) is expected


def changed_names(root, change):
    """The names for which `watch_edits` asks after `change`, until it says that something has changed."""
    asked = []
    edits = watch_edits(root, lambda path: asked.append(Path(path).name) or True)
    assert next(edits) is False
    change()
    assert any(islice(edits, 40))
    return asked


def test_a_change_is_seen_wherever_it_is_made_and_while_nobody_waits(tmp_path):
    put(tmp_path / "show.toml", b"x")
    assert "show.toml" in changed_names(tmp_path, lambda: put(tmp_path / "show.toml", b"xy"))
    assert changed_names(tmp_path, lambda: put(tmp_path / "articles/2026/new.md", b"x"))  # the new folder, or the file in it
    assert "new.md" in changed_names(tmp_path, (tmp_path / "articles/2026/new.md").unlink)
    assert "gone" in changed_names(tmp_path, lambda: (tmp_path / "gone").symlink_to("nowhere"))


def test_a_change_of_other_files_is_none(tmp_path):
    edits = watch_edits(tmp_path, lambda path: not path.endswith(".vtt"))
    next(edits)
    put(tmp_path / "un.vtt", b"x")
    assert list(islice(edits, 4)) == [False] * 4


def test_what_is_still_being_written_is_awaited(tmp_path):
    """Each time a change is seen, there is one more: they are one edit, reported after the last."""
    seen = []

    def goes_on(path):
        seen.append(path)
        if len(seen) < 4:
            put(tmp_path / f"{len(seen)}.wav", b"x")
        return True

    edits = watch_edits(tmp_path, goes_on)
    next(edits)
    put(tmp_path / "0.wav", b"x")
    while not next(edits):
        assert not seen
    assert len({Path(path).name for path in seen}) == 4


def test_a_folder_that_cannot_be_watched_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(CauserieError, match="cannot be watched"):
        next(watch_edits(tmp_path / "nowhere", bool))


def wait_for_page(url, text):
    """Fetch a page until it holds `text`, for a minute at most."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        with suppress(OSError), urllib.request.urlopen(url, timeout=10) as page:
            if text.encode() in page.read():
                return True
        time.sleep(0.1)
    return False


def test_an_edit_is_on_the_page_a_mistake_is_told_once_and_ctrl_c_ends_it(tmp_path):
    show, causerie = tmp_path / "show", [sys.executable, "-m", "cli"]
    subprocess.run([*causerie, "init", show], cwd=ROOT, check=True, capture_output=True)
    config = show / "show.toml"
    text = config.read_text()
    command = [*causerie, "serve", "--watch", "--port", "0", "--show", show]
    with child_process(*command, cwd=ROOT, stderr=subprocess.STDOUT) as serving:
        home = next(line for line in serving.stdout if line.startswith("http")).split()[0]
        config.write_text(text.replace("Titre de la série", "Premier titre"))
        assert wait_for_page(home, "Premier titre")
        config.write_text("title = ")
        assert next(line for line in serving.stdout if "show.toml" in line)
        assert wait_for_page(home, "Premier titre")
        config.write_text(text.replace("Titre de la série", "Second titre"))
        assert wait_for_page(home, "Second titre")
        serving.send_signal(signal.SIGINT)
        assert serving.wait(20) == 0
        assert "show.toml" not in serving.stdout.read()


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
