"""Test support for publishing: a small show that looks built, and an S3 server that records its requests."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from pipeline.model.audio import Mix
from pipeline.model.show import Episode, EpisodeInfo, PublishSettings, S3Settings, Show, ShowInfo
from pipeline.model.urls import episode_keys, show_keys
from pipeline.publish.release import Release, ReleaseFile, read_release, write_release

AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SITE = "https://balado.example/serie/"
SECRET = "s3cr3t-do-not-print"
NAMESPACES = (
    'version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0"'
)
SOURCES_AND_KEYS = {  # role: source, key
    "audio": ("episodes/{slug}/{slug}.mp3", "{slug}/{slug}-{hash}.mp3"),
    "light": ("episodes/{slug}/{slug}.opus", "{slug}/{slug}-{hash}.opus"),
    "transcript_vtt": ("transcripts/{slug}.vtt", "{slug}/transcript-{hash}.vtt"),
    "transcript_srt": ("transcripts/{slug}.srt", "{slug}/transcript-{hash}.srt"),
    "chapters": ("feeds/{slug}.chapters.json", "{slug}/chapters-{hash}.json"),
    "guide_facilitator_pdf": ("guides/{slug}.facilitator.pdf", "guides/{slug}.facilitator.pdf"),
}


def episode(slug: str) -> Episode:
    """An episode without recordings."""
    return Episode(EpisodeInfo(slug, f"Titre de {slug}", "Résumé.", AT), Mix(()))


def show(*slugs: str, s3: S3Settings | None = None, folder: str = "public") -> Show:
    """A show with those episodes."""
    info = ShowInfo("Balado", "Une série.", "La maison", SITE)
    return Show(info, "cover.jpg", publish=PublishSettings(folder, s3), episodes=tuple(map(episode, slugs)))


def build(root: Path, *slugs: str, audio: bytes = b"son " * 2000, titles: str = "Titre") -> Path:
    """Write the files that a build of those episodes leaves in a show's folder."""
    for slug in slugs:
        contents = {role: f"{role} de {slug}, é".encode() for role in SOURCES_AND_KEYS} | {"audio": audio + slug.encode()}
        files = [file_of(root, slug, role, *SOURCES_AND_KEYS[role], contents[role]) for role in SOURCES_AND_KEYS]
        write_release(root / f".causerie/{slug}/release.json", Release(slug, 60.0, tuple(files)))
        for key in episode_keys(slug).values():
            put(root / "site" / key, f"<h1>{titles} {slug}</h1>".encode())
    cover = file_of(root, "", "cover", "cover.jpg", "cover-{hash}.jpg", b"image")
    write_release(root / ".causerie/show/release.json", Release("", 0.0, (cover,)))
    all_episodes = show(*slugs)
    for key in (key for keys in show_keys(all_episodes, all_episodes.episodes).values() for key in keys.values()):
        put(root / "site" / key, f"<h1>{', '.join(slugs)}</h1>".encode() if key == "index.html" else key.encode())
    items = "".join(_item(root, slug, f"{titles} {slug}") for slug in slugs)
    image = f'<itunes:image href="{SITE}{cover.key}"/>'
    put(root / "feeds/feed.xml", f"<rss {NAMESPACES}><channel><link>{SITE}</link>{image}{items}</channel></rss>".encode())
    return root


def put(path: Path, content: bytes) -> Path:
    """Write a file and its parent folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@cache
def s3_client(url: str, ca: str = "") -> Any:
    """An S3 client independent of the code under test; one for each server, as they are slow to create."""
    import boto3

    keys = {"aws_access_key_id": "TESTS", "aws_secret_access_key": "TESTS"}
    return boto3.session.Session().client("s3", endpoint_url=url, region_name="us-east-1", verify=ca or None, **keys)


class S3Server:
    """moto's S3 behind a WSGI app that records each request and can respond in its place."""

    def __init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app

        self._app = DomainDispatcherApplication(create_backend_app)
        self.requests: list[tuple[str, str]] = []  # (method, path)
        self.answer: Callable[[dict[str, Any]], int | None] = lambda environ: None  # a status to respond with, or None
        self.url = ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        status = self.answer(environ)
        if status is None:
            return self._app(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(f"{status} No", [("Content-Type", "application/xml"), ("Content-Length", "0")])
        return []

    def puts(self) -> list[str]:
        """The keys that were written with PUT, in order, without the bucket's name."""
        return [path.split("/", 2)[2] for method, path in self.requests if method == "PUT" and path.count("/") >= 2]


class _Quiet(WSGIRequestHandler):
    def log(self, *args: object) -> None:
        """Log nothing."""


@contextmanager
def s3_server(ssl_context: Any = None) -> Iterator[S3Server]:
    """A running S3 server without buckets."""
    from moto.core.models import DEFAULT_ACCOUNT_ID  # noqa: F401 - loads the backends once, before threads do

    app = S3Server()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, ssl_context=ssl_context)
    app.url = f"{'https' if ssl_context else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def file_of(root: Path, slug: str, role: str, source: str, key: str, content: bytes) -> ReleaseFile:
    """Write a file; return its entry in a release."""
    digest = hashlib.sha256(content).hexdigest()
    named = {"slug": slug, "hash": digest[:10]}
    path = put(root / source.format(**named), content)
    return ReleaseFile(role, key.format(**named), source.format(**named), path.stat().st_size, digest, "as/it-is")


def _item(root: Path, slug: str, title: str) -> str:
    """A feed item that refers to every file of its episode's release."""
    files = {file.role: file for file in read_release(root / f".causerie/{slug}/release.json").files}
    audio = files["audio"]
    texts = "".join(f'<podcast:transcript url="{SITE}{file.key}"/>' for role, file in files.items() if role.startswith("transcript_"))
    more = f'{texts}<podcast:chapters url="{SITE}{files["chapters"].key}"/><link>{SITE}{slug}/index.html</link>'
    enclosure = f'<enclosure url="{SITE}{audio.key}" length="{audio.bytes}" type="audio/mpeg"/>'
    return f"<item><title>{title}</title><guid>{slug}</guid>{enclosure}{more}</item>"
