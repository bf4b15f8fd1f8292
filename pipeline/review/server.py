"""The page where a transcript is corrected, served to this machine alone, and the file it saves.

Any web page that the same browser has open can send requests to 127.0.0.1. What keeps them out: the address holds a secret that is new
each time; the Host header must name this server, so that a name which points here (DNS rebinding) is refused; and no answer may be read
by, or framed in, another origin.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pipeline.errors import CauserieError
from pipeline.files import read_json, read_text, write_whole
from pipeline.publish.headers import content_type
from pipeline.review.view import view
from pipeline.serve import PLAIN, Files, bound, until_stopped

_TEMPLATES = Path(__file__).parent.parent / "templates" / "review"
_ASSETS = ("review.js", "review.css")
_MOST_BYTES = 8 << 20  # ten hours of speech are under one
_BOM = b"\xef\xbb\xbf"
_SELF = "; ".join(f"{what}-src 'self'" for what in ("script", "style", "media", "connect"))
_POLICY = f"default-src 'none'; {_SELF}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Desk:
    """One transcript to correct, and what lies beside it."""

    root: Path
    slug: str
    title: str
    language: str
    people: tuple[str, ...]  # keys of the show's people
    saving: threading.Lock = field(default_factory=threading.Lock)

    @property
    def where(self) -> str:
        """The text's name for a person."""
        return f"transcripts/{self.slug}.md"

    @property
    def text(self) -> Path:
        """The file that is corrected; a link is followed, so that saving does not put a copy in its place."""
        return (self.root / self.where).resolve()

    @property
    def audio(self) -> Path:
        """What the words were heard in, else what is published: both on the same timeline."""
        master = self.root / f".causerie/{self.slug}/master.flac"
        return master if master.is_file() else self.root / f"episodes/{self.slug}/{self.slug}.mp3"


class Changed(Exception):
    """The file on disk is not what the person began with."""


def desk(root: Path, slug: str, title: str, language: str, people: tuple[str, ...]) -> Desk:
    """The desk of an episode. `CauserieError` when its text or its sound is not there yet, or cannot be read."""
    found = Desk(root, slug, title, language, people)
    if not found.text.is_file():
        raise CauserieError("is not there yet", found.where, f"run causerie draft {slug} first, or import-text")
    read_text(found.text, found.where)  # so that a text that cannot be read is told here
    if not found.audio.is_file():
        raise CauserieError("its sound is not made yet", f"episodes/{slug}", f"run causerie normalise {slug} first")
    return found


def serve_review(found: Desk, *, port: int = 0, ready: Callable[[str], None] = lambda address: None) -> None:
    """Serve the page until interrupted; `ready` hears its address. Port 0 takes a free one."""
    server, address = make_review(found, port)
    with server:
        ready(address)
        until_stopped(server)


def make_review(found: Desk, port: int = 0) -> tuple[ThreadingHTTPServer, str]:
    """A server that is bound and not yet running, and the page's address with its secret."""
    secret = secrets.token_urlsafe(24)
    handler = type("Handler", (_Review,), {"desk": found, "secret": secret})
    server = bound(handler, "127.0.0.1", port)
    host = f"127.0.0.1:{server.server_port}"
    handler.host = host
    return server, f"http://{host}/{secret}/"


def opened(found: Desk) -> dict[str, Any]:
    """The text as it is on disk, its digest, and what the page shows beside it."""
    content = found.text.read_bytes()
    text = decoded(content)
    return {"text": text, "digest": digest(content), **shown(found, text)}


def shown(found: Desk, text: str) -> dict[str, Any]:
    """What the page shows beside `text`."""
    words, doubts = (found.root / f"transcripts/{found.slug}.{name}.json" for name in ("words", "doubts"))
    heard, doubted = (read_json(path) if path.is_file() else None for path in (words, doubts))
    others = {f"transcripts/{path.name}": path for path in sorted((found.root / "transcripts").glob("*.md"))}
    texts = {name: path.read_text(encoding="utf-8", errors="replace") for name, path in others.items() if not name.endswith(".draft.md")}
    return view(text, heard, doubted, where=found.where, others=texts, people=found.people, language=found.language)


def decoded(content: bytes) -> str:
    """A file's text as a page holds it: no byte order mark, and line ends as browsers write them."""
    return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def encoded(text: str, before: bytes) -> bytes:
    """A page's text as a file, with the byte order mark and the line ends of the file it replaces."""
    windows = b"\r\n" in before and b"\n" not in before.replace(b"\r\n", b"")
    return _BOM * before.startswith(_BOM) + text.replace("\n", "\r\n" if windows else "\n").encode("utf-8")


def digest(content: bytes) -> str:
    """What a file is known by until it is saved."""
    return hashlib.sha256(content).hexdigest()


def save(found: Desk, text: str, known: str) -> str:
    """Write `text` over the file whose digest is `known`, whole or not at all; the new digest. `Changed` when it is another file by now."""
    path = found.text
    with found.saving:
        before = path.read_bytes() if path.is_file() else b""
        if digest(before) != known:
            raise Changed
        after = encoded(text, before)
        if after != before:
            mode = path.stat().st_mode
            write_whole(path, after)
            path.chmod(mode)  # it is a person's file, and stays as open or closed as they made it
    return digest(after)


@cache
def labels(language: str) -> dict[str, Any]:
    """What the page says, French for `fr` and `fr-CA`, English for any other language."""
    name = "fr" if language.startswith("fr") else "en"
    return tomllib.loads((_TEMPLATES / f"labels.{name}.toml").read_text(encoding="utf-8"))


def page(found: Desk) -> str:
    """The page, before its script has asked for the text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    house = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    words, language = labels(found.language), "fr" if found.language.startswith("fr") else "en"
    return house.get_template("review.html.j2").render(desk=found, words=words, language=language)


class _Review(Files):
    """The page and what it asks for, below an address that holds the secret."""

    desk: Desk
    secret: str
    host: str
    always = _HEADERS

    def do_GET(self) -> None:
        """The page, its script and style, the sound, the text."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """What GET would say."""
        self._answer(with_body=False)

    def do_POST(self) -> None:
        """What stands beside a text that is being typed."""
        if (value := self._received("beside")) is not None:
            self._tried(lambda: shown(self.desk, value["text"]))

    def do_PUT(self) -> None:
        """Save the text."""
        if (value := self._received("text")) is not None:
            self._tried(lambda: {"digest": save(self.desk, value["text"], value["digest"])})

    def _answer(self, *, with_body: bool) -> None:
        name = self._asked()
        if name == "":
            self.send_body(HTTPStatus.OK, content_type("index.html"), page(self.desk).encode(), with_body=with_body)
        elif name in _ASSETS:
            self.send_file(_TEMPLATES / name, content_type(name), with_body=with_body)
        elif name == "audio":
            self.send_file(self.desk.audio, content_type(self.desk.audio.name), with_body=with_body)
        elif name == "text":
            self._tried(lambda: opened(self.desk), with_body=with_body)
        elif name is not None:
            self._refuse(HTTPStatus.NOT_FOUND, with_body=with_body)

    def _asked(self) -> str | None:
        """The name that is asked for, after the secret; None when the request was refused."""
        _, secret, name = (*self.path.split("?")[0].split("/", 2), "")[:3]
        if self.headers.get("Host") != self.host or self.headers.get("Origin", f"http://{self.host}") != f"http://{self.host}":
            self._refuse(HTTPStatus.FORBIDDEN)
        elif not secrets.compare_digest(secret.encode(), self.secret.encode()):
            self._refuse(HTTPStatus.NOT_FOUND)
        else:
            return name
        return None

    def _received(self, wanted: str) -> Mapping[str, str] | None:
        """The JSON object that was sent to `wanted`, `text` and `digest` in it being texts; None when the request was refused."""
        self.close_connection = True  # what is left unread must not be taken for the next request
        name, length = self._asked(), self.headers.get("Content-Length", "")
        if name is None:
            return None
        if name != wanted:
            return self._refuse(HTTPStatus.NOT_FOUND)
        if not (length.isascii() and length.isdecimal() and len(length) < 9) or int(length) > _MOST_BYTES:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            value = json.loads(self.rfile.read(int(length)))
        except ValueError:
            value = None
        if not isinstance(value, dict) or any(not isinstance(value.get(key), str) for key in ("text", "digest")):
            return self._refuse(HTTPStatus.BAD_REQUEST)
        return value

    def _refuse(self, status: HTTPStatus, *, with_body: bool = True) -> None:
        self.close_connection = True
        self.send_body(status, PLAIN, f"{status.value}: {status.phrase}\n".encode(), with_body=with_body)

    def _tried(self, make: Callable[[], Mapping[str, Any]], *, with_body: bool = True) -> None:
        """What `make` gives, or why it could not, as a sentence for the page."""
        said = labels(self.desk.language)
        try:
            status, value = HTTPStatus.OK, make()
        except Changed:
            status, value = HTTPStatus.CONFLICT, {"problem": said["changed"].format(where=self.desk.where)}
        except CauserieError as error:
            status, value = HTTPStatus.INTERNAL_SERVER_ERROR, {"problem": str(error)}
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            status, value = HTTPStatus.INTERNAL_SERVER_ERROR, {"problem": said["failed"].format(where=self.desk.where, reason=reason)}
        body = json.dumps(value).encode()
        self.send_body(status, "application/json", body, with_body=with_body)
