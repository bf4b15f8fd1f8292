"""`serve --watch`: serve the tree as it would be published now, and rebuild it whenever a hand-written file changes."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path

from pipeline.commands import make, open_show
from pipeline.console import Console
from pipeline.errors import CauserieError, Problems
from pipeline.fields import is_local
from pipeline.plan import due, plan, work
from pipeline.publish.headers import content_type
from pipeline.publish.tree import COVER_RELEASE, released, shell
from pipeline.release import read_release
from pipeline.serve import PLAIN, Tree, bound, find, url

FOLDER = ".causerie/preview"
LIVE = "/causerie-live"  # the path of the server-sent events; no page can have that name
_LOOK_EVERY_S = 0.5
_KEEP_ALIVE_S = 15.0
_LISTENING = f'\nnew EventSource("{LIVE}").onmessage = () => location.reload();\n'.encode()

Seen = dict[str, tuple[int, int]]  # path -> modification time in nanoseconds, size in bytes


class News:
    """Notifies every open page that the tree has changed."""

    def __init__(self) -> None:
        self.number = 0
        self._turn = threading.Condition()

    def tell(self) -> None:
        """Announce a change."""
        with self._turn:
            self.number += 1
            self._turn.notify_all()

    def wait(self, known: int, seconds: float) -> int:
        """Wait for a version other than `known`, at most `seconds`; returns the current version."""
        with self._turn:
            self._turn.wait_for(lambda: self.number != known, seconds)
            return self.number


class Live(Tree):
    """A tree whose pages reload on changes, through their own script, so that their Content-Security-Policy stays as published."""

    news: News
    always = {}  # no CORS: other origins must not read what is not published yet
    alone: bool  # whether only this machine may connect

    def _answer(self, *, with_body: bool) -> None:
        """Send a file, the script that listens for changes, or the events; refuse other host names (DNS rebinding)."""
        if self.alone and not _is_here(self.headers.get("Host", "")):
            return self.send_body(HTTPStatus.FORBIDDEN, PLAIN, b"403: use localhost, or start it with --host\n", with_body=with_body)
        if self.path == LIVE and with_body:
            return self._tell()
        script = find(self.base, self.path)
        if script == self.base / "page.js":
            return self.send_body(HTTPStatus.OK, content_type("page.js"), script.read_bytes() + _LISTENING, with_body=with_body)
        super()._answer(with_body=with_body)

    def _tell(self) -> None:
        """Send an event for each change until the page is closed (HTML, server-sent events)."""
        self.head(HTTPStatus.OK, {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "Connection": "close"})
        known = self.news.number
        try:
            while True:
                self.wfile.write(b": here\n\n")
                latest = self.news.wait(known, _KEEP_ALIVE_S)
                if latest != known:
                    self.wfile.write(b"data: changed\n\n")
                known = latest
        except OSError:
            self.close_connection = True  # the page was closed


def live_server(folder: Path, news: News, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """A server of that folder, bound and not yet running, whose pages reload on changes."""

    class Handler(Live):
        """The handler of this server."""

    Handler.base, Handler.news, Handler.alone = folder.resolve(), news, is_local(url(host, port))
    return bound(Handler, host, port)


def watch(root: Path, *, host: str, port: int, now: Callable[[], datetime], say: Callable[[str], None]) -> None:
    """Build and serve, and rebuild on each change, until interrupted. An error is reported once; the last good pages stay up."""
    folder, news = root / FOLDER, News()
    folder.mkdir(parents=True, exist_ok=True)
    built, wrong = attempt(root, now())
    with live_server(folder, news, host, port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        if wrong:
            say(wrong)
        say(f"{url(host, server.server_port)}  (rebuilds on each change; Ctrl-C to stop)")
        seen = look(root, built)
        try:
            while True:
                time.sleep(_LOOK_EVERY_S)
                changed = look(root, built)
                if changed == seen or changed != _after_a_moment(root, built):  # an editor may still be writing
                    continue
                known, (made, wrong) = wrong, attempt(root, now())
                if wrong and wrong != known:
                    say(wrong)
                if not wrong:
                    seen, built = changed, made
                    news.tell()
        except KeyboardInterrupt:
            server.shutdown()


def attempt(root: Path, at: datetime) -> tuple[frozenset[str], str]:
    """Build what is out of date and update the preview folder; returns the built files, and an error message or ""."""
    try:
        make(root, "build", (), at=at, console=Console())
        show = open_show(root)
        shown = due(show, at)
        releases = [read_release(root / work(episode.slug, "release.json")) for episode in shown]
        wanted = (*released(releases, read_release(root / COVER_RELEASE)), *shell(show, shown))
        lay_out(root, root / FOLDER, {key: source for key, source, _, _ in wanted})
        return frozenset(path for step in plan(show, at) if not step.drafts for path in step.writes.values()), ""
    except Problems as problems:
        return frozenset(), "\n".join(map(str, problems.problems))
    except (CauserieError, OSError) as error:
        return frozenset(), str(error)


def lay_out(root: Path, folder: Path, sources: dict[str, str]) -> None:
    """Make `folder` hold exactly those files, by key: copy those that changed, delete all others."""
    for key, source in sources.items():
        place, made = folder / key, root / source
        if not place.exists() or not _same(place, made):
            place.parent.mkdir(parents=True, exist_ok=True)
            beside = place.with_name(f".{place.name}")
            shutil.copy2(made, beside)
            os.replace(beside, place)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder).as_posix() not in sources:
            path.unlink()


def look(root: Path, built: Collection[str]) -> Seen:
    """The modification time and size of every file of the show that is not built."""
    found: Seen = {}
    for folder, names, files in os.walk(root):
        names[:] = _theirs(root, Path(folder), names)
        for name in files:
            path = Path(folder, name)
            key = path.relative_to(root).as_posix()
            if not name.startswith(".") and key not in built:
                with suppress(OSError):  # a dangling link, or a file that an editor removed meanwhile
                    stat = path.stat()
                    found[key] = (stat.st_mtime_ns, stat.st_size)
    return found


def _theirs(root: Path, folder: Path, names: Iterable[str]) -> list[str]:
    """The folders to scan: no hidden ones, and at the show's root none that only Causerie writes to."""
    ours = {"site", "public", "feeds", "kept", "node_modules"} if folder == root else set()
    return [name for name in names if not name.startswith(".") and name not in ours]


def _is_here(host: str) -> bool:
    """Whether a Host header names this machine."""
    try:
        return is_local(f"http://{host}/")
    except ValueError:  # an unclosed bracket
        return False


def _after_a_moment(root: Path, built: Collection[str]) -> Seen:
    time.sleep(_LOOK_EVERY_S / 2)
    return look(root, built)


def _same(one: Path, other: Path) -> bool:
    """Whether size and modification time are equal; `shutil.copy2` keeps the time, and a rebuilt file has another."""
    first, second = one.stat(), other.stat()
    return (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns)
