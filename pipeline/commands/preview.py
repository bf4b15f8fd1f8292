"""`serve --watch`: serve the tree as it would be published now, and rebuild it whenever a hand-written file changes."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path

from pipeline.commands.build import build_show
from pipeline.commands.console import Console
from pipeline.commands.workspace import load_show
from pipeline.config import is_loopback
from pipeline.model import CauserieError, Problems
from pipeline.plan import due_episodes, plan_steps, work_path
from pipeline.publish import COVER_RELEASE, content_type, read_release, release_files, site_files
from pipeline.web import PLAIN_TEXT, StaticHandler, bind_server, find_file, server_url

PREVIEW_FOLDER = ".causerie/preview"
EVENTS_PATH = "/causerie-live"  # the path of the server-sent events; no page can have that name
_GENERATED_FOLDERS = {"site", "public", "feeds", "kept", "node_modules"}  # at the show's root: written by programs only
_QUIET_MS = 250  # an editor may still be writing: a rebuild waits until nothing has changed for that long
_RETRY_S = 5.0  # between attempts after an error, which may end without an edit: another command that holds the lock, a full disk
_KEEPALIVE_INTERVAL_S = 15.0
_RELOAD_SCRIPT = f'\nnew EventSource("{EVENTS_PATH}").onmessage = () => location.reload();\n'.encode()


class ChangeBroadcaster:
    """Notifies every open page that the tree has changed."""

    def __init__(self) -> None:
        self.version = 0
        self._condition = threading.Condition()

    def notify(self) -> None:
        """Announce a change."""
        with self._condition:
            self.version += 1
            self._condition.notify_all()

    def wait(self, known: int, timeout_s: float) -> int:
        """Wait for a version other than `known`, at most `timeout_s`; returns the current version."""
        with self._condition:
            self._condition.wait_for(lambda: self.version != known, timeout_s)
            return self.version


class LiveReloadHandler(StaticHandler):
    """A tree whose pages reload on changes, through their own script, so that their Content-Security-Policy stays as published."""

    changes: ChangeBroadcaster
    default_headers = {}  # no CORS: other origins must not read what is not published yet
    is_local_only: bool  # whether only this machine may connect

    def _respond(self, *, with_body: bool) -> None:
        """Send a file, the script that listens for changes, or the events; refuse other host names (DNS rebinding)."""
        if self.is_local_only and not _is_local_host(self.headers.get("Host", "")):
            return self.send_body(HTTPStatus.FORBIDDEN, PLAIN_TEXT, b"403: use localhost, or start it with --host\n", with_body=with_body)
        if self.path == EVENTS_PATH and with_body:
            return self._send_events()
        script = find_file(self.base, self.path)
        if script == self.base / "page.js":
            return self.send_body(HTTPStatus.OK, content_type("page.js"), script.read_bytes() + _RELOAD_SCRIPT, with_body=with_body)
        super()._respond(with_body=with_body)

    def _send_events(self) -> None:
        """Send an event for each change until the page is closed (HTML, server-sent events)."""
        self.send_head(HTTPStatus.OK, {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "Connection": "close"})
        known = self.changes.version
        try:
            while True:
                self.wfile.write(b": here\n\n")
                latest = self.changes.wait(known, _KEEPALIVE_INTERVAL_S)
                if latest != known:
                    self.wfile.write(b"data: changed\n\n")
                known = latest
        except OSError:
            self.close_connection = True  # the page was closed


def make_live_server(folder: Path, changes: ChangeBroadcaster, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """A server of that folder, bound and not yet running, whose pages reload on changes."""

    class Handler(LiveReloadHandler):
        """The handler of this server."""

    Handler.base, Handler.changes, Handler.is_local_only = folder.resolve(), changes, is_loopback(server_url(host, port))
    return bind_server(Handler, host, port)


def watch(root: Path, *, host: str, port: int, now: Callable[[], datetime], on_message: Callable[[str], None]) -> None:
    """Build and serve, and rebuild on each change, until interrupted. An error is reported once; the last good pages stay up."""
    folder, changes, built = root / PREVIEW_FOLDER, ChangeBroadcaster(), frozenset[str]()
    folder.mkdir(parents=True, exist_ok=True)
    edits = watch_edits(root, lambda path: is_edit(root, path, built))
    next(edits)  # from here on every edit is noticed, also one during a build
    built, problem = rebuild(root, now())
    with make_live_server(folder, changes, host, port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        if problem:
            on_message(problem)
        on_message(f"{server_url(host, server.server_port)}  (rebuilds on each change; Ctrl-C to stop)")
        tried_s = time.monotonic()
        try:
            for is_edited in edits:
                if not is_edited and not (problem and time.monotonic() > tried_s + _RETRY_S):
                    continue
                reported, (new_built, problem) = problem, rebuild(root, now())
                tried_s = time.monotonic()
                if problem and problem != reported:
                    on_message(problem)
                if not problem:
                    built = new_built
                    changes.notify()
        except KeyboardInterrupt:
            server.shutdown()


def watch_edits(root: Path, is_relevant: Callable[[str], bool]) -> Iterator[bool]:
    """Watch a folder and those below it: True when relevant files have changed and no more do, else False; each `_QUIET_MS`.

    Watching starts with the first item, which is False. What changes while the caller is busy is reported afterwards, and `is_relevant` is
    called then. Raises `CauserieError` when the operating system cannot watch them, as when there are more folders than it allows.
    """
    from watchfiles import Change
    from watchfiles import watch as watch_files

    def is_counted(change: Change, path: str) -> bool:
        is_listing = change is Change.modified and Path(path).is_dir()  # of a folder whose files are reported themselves
        return not is_listing and is_relevant(path)

    batches = watch_files(root, watch_filter=is_counted, rust_timeout=_QUIET_MS, yield_on_timeout=True)
    is_pending = False
    try:
        for batch in batches:
            if batch:
                is_pending = True
            else:
                yield is_pending
                is_pending = False
    except (OSError, RuntimeError) as error:  # the library's own errors are RuntimeErrors
        raise CauserieError(
            f"cannot be watched: {error}", str(root), "set WATCHFILES_FORCE_POLLING=1 to have each file looked at"
        ) from error


def is_edit(root: Path, path: str, built: Collection[str]) -> bool:
    """Whether a change of that file is somebody's edit: it is not hidden, not built, and not in a folder that only Causerie writes to."""
    parts = Path(path).relative_to(root).parts
    is_hidden = any(part.startswith(".") for part in parts)
    return bool(parts) and not is_hidden and parts[0] not in _GENERATED_FOLDERS and "/".join(parts) not in built


def rebuild(root: Path, at: datetime) -> tuple[frozenset[str], str]:
    """Build what is out of date and update the preview folder; returns the built files, and an error message or ""."""
    try:
        build_show(root, "build", (), at=at, console=Console())
        show = load_show(root)
        shown = due_episodes(show, at)
        releases = [read_release(root / work_path(episode.slug, "release.json")) for episode in shown]
        files = (*release_files(releases, read_release(root / COVER_RELEASE)), *site_files(show, shown))
        sync_folder(root, root / PREVIEW_FOLDER, {key: source for key, source, _, _ in files})
        return frozenset(path for step in plan_steps(show, at) if not step.is_draft for path in step.writes.values()), ""
    except Problems as problems:
        return frozenset(), "\n".join(map(str, problems.problems))
    except (CauserieError, OSError) as error:
        return frozenset(), str(error)


def sync_folder(root: Path, folder: Path, sources: dict[str, str]) -> None:
    """Make `folder` hold exactly those files, by key: copy those that changed, delete all others."""
    for key, source in sources.items():
        target, built = folder / key, root / source
        if not target.exists() or not _is_same_copy(target, built):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}")
            shutil.copy2(built, temporary)
            os.replace(temporary, target)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder).as_posix() not in sources:
            path.unlink()


def _is_local_host(host: str) -> bool:
    """Whether a Host header names this machine."""
    try:
        return is_loopback(f"http://{host}/")
    except ValueError:  # an unclosed bracket
        return False


def _is_same_copy(one: Path, other: Path) -> bool:
    """Whether size and modification time are equal; `shutil.copy2` keeps the time, and a rebuilt file has another."""
    first, second = one.stat(), other.stat()
    return (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns)
