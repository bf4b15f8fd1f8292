"""The published tree: every file that a bucket or a folder will hold, decided before anything is sent.

It contains only the episodes it is passed. Episodes dated in the future are not passed, so nothing of theirs, not even a file name,
is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.engine import sha256
from pipeline.model import CauserieError, Episode, Show, episode_keys, show_keys
from pipeline.publish.http_headers import cache_control, content_type
from pipeline.publish.release import SERIES_RELEASE, Release, ReleaseFile, read_release, series_episodes

# The order of upload: a file is sent before what refers to it, and the main feed last
MEDIA, TEXTS, ASSETS, PAGES, INDEX, FEEDS, FEED = range(7)
COVER_RELEASE = ".causerie/show/release.json"
FEED_KEY = "feed.xml"

_MEDIA_ROLES = {"audio", "m4a", "light"}


@dataclass(frozen=True)
class PublicFile:
    """One file to publish: `key` is its path below the show's address, `rank` its place in the order of upload."""

    key: str
    source: Path
    bytes: int
    sha256: str
    content_type: str
    cache_control: str
    rank: int


def collect_public_files(
    show: Show, episodes: tuple[Episode, ...], root: Path, digest: Callable[[Path], str] = sha256
) -> tuple[PublicFile, ...]:
    """Return every file to publish for the episodes that are due, in the order of upload.

    `digest` computes a file's SHA-256 and may use a cache. Raises `CauserieError` when something was not built, or when a file differs
    from what its release describes.
    """
    releases = [_load_release(root / f".causerie/{episode.slug}/release.json") for episode in episodes]
    cover = _load_release(root / COVER_RELEASE)
    if len(series_episodes(show, episodes)) > 1 and (root / SERIES_RELEASE).is_file():
        releases.append(_load_release(root / SERIES_RELEASE))
    ages = (show.publish.feed_max_age_s, show.publish.pages_max_age_s)
    entries = [*release_files(releases, cover), *site_files(show, episodes)]
    return in_upload_order(_public_file(root, key, source, rank, expected, digest, ages) for key, source, rank, expected in entries)


def release_files(releases: Iterable[Release], cover: Release) -> tuple[tuple[str, str, int, ReleaseFile | None], ...]:
    """Return (key, source, rank, entry of the release) of every file that a release names."""
    files = [file for release in (*releases, cover) for file in release.files]
    return tuple((file.key, file.source, rank_of(file.role), file) for file in files)


def feed_files(show: Show) -> tuple[tuple[str, str, int], ...]:
    """Return (key, source, rank) of each feed, the main one last."""
    others = ((other.key, f"feeds/{other.name}.xml", FEEDS) for other in show.feed.others)
    return (*others, (show.feed.key, "feeds/feed.xml", FEED))


def site_files(show: Show, episodes: tuple[Episode, ...]) -> tuple[tuple[str, str, int, ReleaseFile | None], ...]:
    """Return (key, source, rank, None) of the files that no release names: pages, styles, scripts and feeds."""
    key_maps = [episode_keys(episode.slug) for episode in episodes] + list(show_keys(show, episodes).values())
    pages = [(key, f"site/{key}", _page_rank(key), None) for keys in key_maps for key in keys.values()]
    return (*pages, *((*feed, None) for feed in feed_files(show)))


def _page_rank(key: str) -> int:
    """Return the upload rank of a site file: assets, then pages, then the index that links to them."""
    return INDEX if key == "index.html" else PAGES if key.endswith((".html", ".xml", ".txt")) else ASSETS


def rank_of(role: str) -> int:
    """Return the upload rank of a file of a release: audio, then texts, then guides and images."""
    if role in _MEDIA_ROLES:
        return MEDIA
    return TEXTS if role == "chapters" or role.startswith("transcript_") else ASSETS


def in_upload_order(files: Iterable[PublicFile]) -> tuple[PublicFile, ...]:
    """Sort files in the order of upload. Raises `CauserieError` when two different files have the same key."""
    by_key: dict[str, PublicFile] = {}
    for file in files:
        if by_key.setdefault(file.key, file).sha256 != file.sha256:
            raise CauserieError(f"two files are to be published as {file.key}", str(file.source), "build again")
    return tuple(sorted(by_key.values(), key=lambda file: (file.rank, file.key)))


def _public_file(
    root: Path, key: str, source: str, rank: int, expected: ReleaseFile | None, digest: Callable[[Path], str], ages: tuple[int, int]
) -> PublicFile:
    """Describe one file on disk; raise `CauserieError` when it differs from its release."""
    path = _require_built(root / source)
    if ".." in PurePosixPath(key).parts or key.startswith("/"):
        raise CauserieError(f"cannot be published as “{key}”", source, "delete .causerie and build again")
    found = (path.stat().st_size, digest(path))
    if expected is not None and found != (expected.bytes, expected.sha256):
        raise CauserieError("has changed since it was built for publication", source, "build again")
    return PublicFile(key, path, *found, content_type(key), cache_control(key, found[1], *ages), rank)


def _load_release(path: Path) -> Release:
    """Load a release. Raises `CauserieError` when it was not built or is damaged."""
    try:
        return read_release(_require_built(path))
    except (KeyError, TypeError) as error:
        raise CauserieError("is damaged", str(path), "delete it and build again") from error


def _require_built(path: Path) -> Path:
    """Return the path. Raises `CauserieError` when it is not a file."""
    if not path.is_file():
        raise CauserieError("has not been built", str(path), "run causerie build")
    return path
