"""The release of an episode or of the show: each published file's key below the show's address, its size, digest and media type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.audio import reject_torn_image
from pipeline.engine import read_json, sha256, write_json
from pipeline.model import HASH_DIGITS, CauserieError, Episode, Show, chapter_image_key, check_cover, image_size, language_matches, slugify

SERIES_RELEASE = ".causerie/show/guides.json"  # of the guide made from `series_episodes`

# By role, else by extension. Written out because `mimetypes` reads tables that differ from system to system.
MEDIA_TYPES = {
    "chapters": "application/json+chapters",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".opus": "audio/ogg",
    ".vtt": "text/vtt",
    ".srt": "application/x-subrip",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".csv": "text/csv; charset=utf-8",
    ".zip": "application/zip",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}

# By the first word of a role. Guides keep a name without a digest, which people can share.
_KEY_PATTERNS = {
    "audio": "{slug}/{slug}-{hash}{extension}",
    "m4a": "{slug}/{slug}-{hash}{extension}",
    "light": "{slug}/{slug}-{hash}{extension}",
    "transcript": "{slug}/transcript-{hash}{extension}",
    "chapters": "{slug}/chapters-{hash}{extension}",
    "chapter": "chapter-{hash}{extension}",  # a chapter's image
    "guide": "guides/{name}",
    "cover": "cover-{hash}{extension}",
    "card": "{slug}/card-{hash}{extension}",
    "image": "{name}-{hash}{extension}",
}


@dataclass(frozen=True)
class ReleaseFile:
    """One file of a release."""

    role: str  # what the file is for, "audio" for example: the name under which `pipeline/plan.py` lists it, or "cover"
    key: str  # its path below the show's address
    source: str  # its path in the show's folder
    bytes: int
    sha256: str
    type: str
    width_px: int = 0  # images only
    height_px: int = 0


@dataclass(frozen=True)
class Release:
    """Every published file of an episode; `slug` is empty and `duration_s` 0 for the show's cover."""

    slug: str
    duration_s: float
    files: tuple[ReleaseFile, ...]

    def file(self, role: str) -> ReleaseFile:
        """Return the file in that role. Raises `KeyError` when there is none."""
        for file in self.files:
            if file.role == role:
                return file
        raise KeyError(role)


def release_episode(*, release: Path, slug: str, sources: Mapping[str, str], **files: Path) -> None:
    """Write the release of an episode.

    `files` are its files by role, `sources` their paths in the show's folder by role. Raises like `check_cover`.
    """
    published = tuple(
        _image_file(role, path, slug, sources[role])
        if role == "cover" or role.startswith("chapter_")
        else _release_file(role, path, slug, sources[role])
        for role, path in files.items()
    )
    write_release(release, Release(slug, _duration_s(files["audio"], sources["audio"]), published))


def release_cover(cover: Path, images: tuple[Path, ...] = (), *, release: Path, source: str, sources: tuple[str, ...] = ()) -> None:
    """Write the release of the show's cover and other images.

    `source` and `sources` are their paths in the show's folder. Raises like `check_cover`.
    """
    others = (_image_file("image", path, "", source_path) for path, source_path in zip(images, sources, strict=True))
    write_release(release, Release("", 0.0, (_image_file("cover", cover, "", source), *others)))


def release_series(*, release: Path, sources: Mapping[str, str], **files: Path) -> None:
    """Write the release of the series guide: `files` by role, `sources` their paths in the show's folder by role."""
    write_release(release, Release("", 0.0, tuple(_release_file(role, path, "", sources[role]) for role, path in files.items())))


def write_release(path: Path, release: Release) -> None:
    """Write a release as JSON, replacing the file in one step. Image sizes of 0 are left out."""
    files = [{key: value for key, value in asdict(file).items() if value != 0 or key == "bytes"} for file in release.files]
    write_json(path, {"version": 1, "slug": release.slug, "duration_s": release.duration_s, "files": files})


def read_release(path: Path) -> Release:
    """Read a release from its JSON file. Raises `CauserieError`, `KeyError` or `TypeError` when the file is damaged."""
    value = read_json(path)
    return Release(value["slug"], value["duration_s"], tuple(ReleaseFile(**file) for file in value["files"]))


def _image_file(role: str, path: Path, slug: str, source: str) -> ReleaseFile:
    """Describe a published image. Its extension comes from its content, so `.jpeg` and renamed files get the right one."""
    if role == "cover":
        check_cover(path, source)
        reject_torn_image(path, source)
    data = path.read_bytes()
    extension, width_px, height_px = image_size(data, source)
    file = _release_file(role, path, slug, source, extension)
    key = chapter_image_key(slug, data, source) if role.startswith("chapter_") else f"{slug}/{file.key}" if slug else file.key
    return replace(file, key=key, width_px=width_px, height_px=height_px)


def _release_file(role: str, path: Path, slug: str, source: str, extension: str = "") -> ReleaseFile:
    name = PurePosixPath(source).name if role.startswith("guide") else slugify(PurePosixPath(source).stem) or "image"
    extension = extension or PurePosixPath(source).suffix.lower()
    digest = sha256(path)
    key = _KEY_PATTERNS[role.partition("_")[0]].format(slug=slug, hash=digest[:HASH_DIGITS], extension=extension, name=name)
    return ReleaseFile(role, key, source, path.stat().st_size, digest, MEDIA_TYPES.get(role) or MEDIA_TYPES[extension])


def _duration_s(audio: Path, source: str) -> float:
    """Duration of the MP3 in seconds, rounded to the millisecond."""
    from mutagen import MutagenError
    from mutagen.mp3 import MP3

    try:
        info: Any = MP3(audio).info  # type: ignore[no-untyped-call]  # Any: mutagen's classes are not annotated
        return round(float(info.length), 3)
    except MutagenError as error:
        raise CauserieError("is not a readable MP3 file", source, "delete it and build again") from error


def series_episodes(show: Show, episodes: tuple[Episode, ...]) -> tuple[Episode, ...]:
    """Return the episodes that the series guide covers: those in the show's language, whatever the region (`fr-CA` matches `fr`)."""
    return tuple(episode for episode in episodes if language_matches(episode.info.language or show.info.language, show.info.language[:2]))
