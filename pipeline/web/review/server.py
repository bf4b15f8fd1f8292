"""The page for correcting a transcript, served to this machine only, and saving its file.

Any page open in the same browser can send requests to 127.0.0.1. Three things keep them out: the URL holds a secret that is new each
time; the Host header must name this server, which stops DNS rebinding; and no response can be read by, or framed in, another origin.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any  # of JSON values

from pipeline.engine import read_json, read_text, write_atomic
from pipeline.model import CauserieError
from pipeline.publish import content_type
from pipeline.templates import environment, folder, labels
from pipeline.transcript import add_check_off, scan_head
from pipeline.transcript.freeform import LineIndex, LineKeys, line_keys
from pipeline.web import PLAIN_TEXT, FileRequestHandler, bind_server, serve_until_interrupted
from pipeline.web.review.view_model import build_view_model

_ASSETS = ("review.js", "review.css")
_TEXT_KEYS = ("text", "digest")
_MAX_BODY_BYTES = 8 << 20  # a transcript of ten hours is under 1 MiB
_BOM = b"\xef\xbb\xbf"
_SELF_SOURCES = "; ".join(f"{what}-src 'self'" for what in ("script", "style", "media", "connect"))
_CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; {_SELF_SOURCES}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class ReviewSession:
    """One transcript to correct, and the files that belong to it."""

    root: Path
    slug: str
    title: str
    language: str
    people: tuple[str, ...]  # keys of the show's people
    save_lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def lines(self) -> ShowLines:
        """The lines of all the show's transcripts."""
        return ShowLines(self.root / "transcripts")

    @property
    def where(self) -> str:
        """The path of the transcript as displayed, relative to the show's folder."""
        return f"transcripts/{self.slug}.md"

    @property
    def text(self) -> Path:
        """The transcript file; a symbolic link is resolved, so that saving does not replace it by a copy."""
        return (self.root / self.where).resolve()

    @property
    def audio(self) -> Path:
        """The master, else the published MP3; both have the same timeline."""
        master = self.root / f".causerie/{self.slug}/master.flac"
        return master if master.is_file() else self.root / f"episodes/{self.slug}/{self.slug}.mp3"


class ShowLines:
    """The lines of a show's transcripts, indexed again only when one of the files has changed: the page asks at every pause in typing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[str, tuple[tuple[int, int], list[LineKeys]]] = {}  # name: size and modification time; keys
        self._index: LineIndex | None = None

    def index(self) -> LineIndex:
        """The index of the transcripts as they are on disk, without the new drafts beside them."""
        paths = {f"transcripts/{path.name}": path for path in sorted(self._folder.glob("*.md")) if not path.name.endswith(".draft.md")}
        stamps = {name: (stat.st_size, stat.st_mtime_ns) for name, path in paths.items() if (stat := path.stat())}
        if self._index is None or stamps != {name: stamp for name, (stamp, _) in self._keys.items()}:
            self._keys = {name: (stamp, self._line_keys(name, paths[name], stamp)) for name, stamp in stamps.items()}
            index = LineIndex(lambda name: _read_leniently(paths[name]))
            for name, (_, keys) in self._keys.items():
                index.add(name, keys)
            self._index = index  # when it is complete: requests run in threads
        return self._index

    def _line_keys(self, name: str, path: Path, stamp: tuple[int, int]) -> list[LineKeys]:
        known = self._keys.get(name)
        return known[1] if known and known[0] == stamp else line_keys(_read_leniently(path))


def _read_leniently(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


class EditConflict(Exception):
    """The file on disk has changed since the page loaded it."""


def open_session(root: Path, slug: str, title: str, language: str, people: tuple[str, ...]) -> ReviewSession:
    """The review session of an episode. Raises `CauserieError` when its transcript or its audio is missing, or cannot be read."""
    session = ReviewSession(root, slug, title, language, people)
    if not session.text.is_file():
        raise CauserieError("there is no transcript yet", session.where, f"run causerie draft {slug} first, or causerie import-text")
    read_text(session.text, session.where)  # so that an unreadable transcript is reported before the server starts
    if not session.audio.is_file():
        raise CauserieError("its audio has not been built yet", f"episodes/{slug}", f"run causerie normalise {slug} first")
    return session


def serve_review(session: ReviewSession, *, port: int = 0, on_ready: Callable[[str], None] = lambda address: None) -> None:
    """Serve the page until interrupted; `on_ready` is called with its URL. Port 0 picks a free port."""
    server, address = make_review_server(session, port)
    with server:
        on_ready(address)
        serve_until_interrupted(server)


def make_review_server(session: ReviewSession, port: int = 0) -> tuple[ThreadingHTTPServer, str]:
    """A server that is bound and not yet running, and the page's URL with its secret."""

    class Handler(_ReviewHandler):
        """The handler of this server."""

    Handler.session, Handler.secret = session, secrets.token_urlsafe(24)
    server = bind_server(Handler, "127.0.0.1", port)
    Handler.host = f"127.0.0.1:{server.server_port}"
    return server, f"http://{Handler.host}/{Handler.secret}/"


def load_state(session: ReviewSession) -> dict[str, Any]:
    """The text on disk in two parts, front matter and speech, its digest, and the annotations that the page shows next to it."""
    content = session.text.read_bytes()
    text = decode_text(content)
    head, body = split_head(text)
    return {"head": head, "text": body, "digest": digest(content), **annotate(session, text)}


def split_head(text: str) -> tuple[str, str]:
    """The front matter with its fences and the empty lines after it, and the rest; no front matter when it is not closed."""
    lines = text.split("\n")
    first, _ = scan_head(text)
    if not first or lines[first - 1].rstrip() != "+++" or first < 2:
        return "", text
    while first < len(lines) - 1 and not lines[first].strip():
        first += 1
    return "\n".join(lines[:first]) + "\n", "\n".join(lines[first:])


def annotate(session: ReviewSession, text: str) -> dict[str, Any]:
    """The annotations that the page shows next to `text`: word times, doubts, mistakes, remarks."""
    words, doubts = (session.root / f"transcripts/{session.slug}.{name}.json" for name in ("words", "doubts"))
    words_data, doubts_data = (read_json(path) if path.is_file() else None for path in (words, doubts))
    return build_view_model(
        text, words_data, doubts_data, where=session.where, texts=session.lines.index(), people=session.people, language=session.language
    )


def decode_text(content: bytes) -> str:
    """The text of a file as the page holds it: without byte order mark, with LF line ends."""
    return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def encode_text(text: str, replaced: bytes) -> bytes:
    """The page's text as UTF-8, with the byte order mark and the line ends of the file it replaces."""
    has_crlf = b"\r\n" in replaced and b"\n" not in replaced.replace(b"\r\n", b"")
    return _BOM * replaced.startswith(_BOM) + text.replace("\n", "\r\n" if has_crlf else "\n").encode("utf-8")


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content, which detects changes by others."""
    return hashlib.sha256(content).hexdigest()


def save_text(session: ReviewSession, text: str, known_digest: str) -> str:
    """Replace the file whose digest is `known_digest` by `text`, atomically; returns the new digest.

    Raises `EditConflict` when the file has another digest by now.
    """
    path = session.text
    with session.save_lock:
        current = path.read_bytes() if path.is_file() else b""
        if digest(current) != known_digest:
            raise EditConflict
        replacement = encode_text(text, current)
        if replacement != current:
            mode = path.stat().st_mode
            write_atomic(path, replacement)
            path.chmod(mode)  # keep the permissions that the user gave the file
    return digest(replacement)


def render_page(session: ReviewSession) -> str:
    """The HTML of the page; its script loads the text."""
    words, language = labels("review", session.language), "fr" if session.language.startswith("fr") else "en"
    return environment("review").get_template("review.html.j2").render(desk=session, words=words, language=language)


class _ReviewHandler(FileRequestHandler):
    """Requests of the page, below a URL that holds the secret."""

    session: ReviewSession
    secret: str
    host: str
    default_headers = _HEADERS

    def do_GET(self) -> None:
        """Send the page, its script and style sheet, the audio or the text."""
        self._respond(with_body=True)

    def do_HEAD(self) -> None:
        """Send the headers of GET."""
        self._respond(with_body=False)

    def do_POST(self) -> None:
        """Send the annotations of a text that is being typed, or the text with somebody's check-off."""
        name, value = self._read_json({"beside": _TEXT_KEYS, "reviewed": ("text", "day", "by")})
        if name == "beside":
            self._send_result(lambda: annotate(self.session, value["text"]))
        elif name == "reviewed":
            self._send_result(
                lambda: dict(zip(("head", "text"), split_head(add_check_off(value["text"], value["day"], value["by"])), strict=True))
            )

    def do_PUT(self) -> None:
        """Save the text."""
        name, value = self._read_json({"text": _TEXT_KEYS})
        if name:
            self._send_result(lambda: {"digest": save_text(self.session, value["text"], value["digest"])})

    def _respond(self, *, with_body: bool) -> None:
        name = self._requested_name()
        if name == "":
            self.send_body(HTTPStatus.OK, content_type("index.html"), render_page(self.session).encode(), with_body=with_body)
        elif name in _ASSETS:
            self.send_file(folder("review") / name, content_type(name), with_body=with_body)
        elif name == "audio":
            self.send_file(self.session.audio, content_type(self.session.audio.name), with_body=with_body)
        elif name == "text":
            self._send_result(lambda: load_state(self.session), with_body=with_body)
        elif name is not None:
            self._refuse(HTTPStatus.NOT_FOUND, with_body=with_body)

    def _requested_name(self) -> str | None:
        """The requested name, after the secret; None when the request was refused."""
        _, secret, name = (*self.path.split("?")[0].split("/", 2), "")[:3]
        if self.headers.get("Host") != self.host or self.headers.get("Origin", f"http://{self.host}") != f"http://{self.host}":
            self._refuse(HTTPStatus.FORBIDDEN)
        elif not secrets.compare_digest(secret.encode(), self.secret.encode()):
            self._refuse(HTTPStatus.NOT_FOUND)
        else:
            return name
        return None

    def _read_json(self, keys_by_name: Mapping[str, Sequence[str]]) -> tuple[str, Mapping[str, str]]:
        """The requested name, and the JSON object sent to it, whose keys are strings; an empty name when the request was refused."""
        self.close_connection = True  # unread bytes must not be parsed as the next request
        name, length = self._requested_name(), self.headers.get("Content-Length", "")
        if name is None:
            return "", {}
        if name not in keys_by_name:
            self._refuse(HTTPStatus.NOT_FOUND)
            return "", {}
        if not (length.isascii() and length.isdecimal() and len(length) < 9) or int(length) > _MAX_BODY_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return "", {}
        try:
            value = json.loads(self.rfile.read(int(length)))
        except ValueError:
            value = None
        if isinstance(value, dict) and all(isinstance(value.get(key), str) for key in keys_by_name[name]):
            return name, value
        self._refuse(HTTPStatus.BAD_REQUEST)
        return "", {}

    def _refuse(self, status: HTTPStatus, *, with_body: bool = True) -> None:
        self.close_connection = True
        self.send_body(status, PLAIN_TEXT, f"{status.value}: {status.phrase}\n".encode(), with_body=with_body)

    def _send_result(self, compute: Callable[[], Mapping[str, Any]], *, with_body: bool = True) -> None:
        """Send the result of `compute` as JSON, or an error message for the page."""
        words = labels("review", self.session.language)
        try:
            status, value = HTTPStatus.OK, compute()
        except EditConflict:
            status, value = HTTPStatus.CONFLICT, {"problem": words["changed"].format(where=self.session.where)}
        except CauserieError as error:
            status, value = HTTPStatus.INTERNAL_SERVER_ERROR, {"problem": str(error)}
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            status, value = HTTPStatus.INTERNAL_SERVER_ERROR, {"problem": words["failed"].format(where=self.session.where, reason=reason)}
        body = json.dumps(value).encode()
        self.send_body(status, "application/json", body, with_body=with_body)
