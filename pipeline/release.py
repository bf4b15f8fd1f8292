"""What an episode publishes: each file's address below the show's, its size, digest and type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

from pipeline.errors import CauserieError
from pipeline.files import read_json, sha256, write_json
from pipeline.model import Episode, Show
from pipeline.pictures import HASH_DIGITS, chapter_image_key, image_size, in_file, sized
from pipeline.text import slugify, speaks

SERIES_RELEASE = ".causerie/show/guides.json"  # of the guide made from `in_series`
COVER_PX = (1400, 3000)  # Apple's podcast requirements

# by role, else by extension; explicit, because what a system's own table says depends on the system
TYPES = {
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

# by the first word of a role; guides keep a name people can share
_KEYS = {
    "audio": "{slug}/{slug}-{hash}{extension}",
    "m4a": "{slug}/{slug}-{hash}{extension}",
    "light": "{slug}/{slug}-{hash}{extension}",
    "transcript": "{slug}/transcript-{hash}{extension}",
    "chapters": "{slug}/chapters-{hash}{extension}",
    "chapter": "chapter-{hash}{extension}",  # its picture
    "guide": "guides/{name}",
    "cover": "cover-{hash}{extension}",
    "card": "{slug}/card-{hash}{extension}",
    "image": "{name}-{hash}{extension}",
}


@dataclass(frozen=True)
class PublishedFile:
    """A file as listeners get it."""

    role: str  # a key of `made()` in `pipeline/plan.py`, or "cover"
    key: str  # its address, below the show's
    source: str  # where it is in the show
    bytes: int
    sha256: str
    type: str
    width_px: int = 0  # of an image
    height_px: int = 0


@dataclass(frozen=True)
class Release:
    """Every published file of an episode; `slug` is empty and `duration_s` 0 for the show's cover."""

    slug: str
    duration_s: float
    files: tuple[PublishedFile, ...]

    def file(self, role: str) -> PublishedFile:
        """The file in that role; `KeyError` when there is none."""
        for file in self.files:
            if file.role == role:
                return file
        raise KeyError(role)


def release_episode(*, release: Path, slug: str, sources: Mapping[str, str], **files: Path) -> None:
    """Write what an episode publishes: `files` by role, and where each is in the show by `sources`. Raises as `check_cover` does."""
    published = tuple(
        _picture(role, path, slug, sources[role])
        if role == "cover" or role.startswith("chapter_")
        else _published(role, path, slug, sources[role])
        for role, path in files.items()
    )
    write_release(release, Release(slug, _duration_s(files["audio"], sources["audio"]), published))


def release_cover(cover: Path, images: tuple[Path, ...] = (), *, release: Path, source: str, sources: tuple[str, ...] = ()) -> None:
    """Write what the show publishes of its cover and of its other pictures, whose places are `sources`. Raises as `check_cover` does."""
    others = (_picture("image", path, "", place) for path, place in zip(images, sources, strict=True))
    write_release(release, Release("", 0.0, (_picture("cover", cover, "", source), *others)))


def release_series(*, release: Path, sources: Mapping[str, str], **files: Path) -> None:
    """Write what the show publishes beside its episodes: the guide of the series. `files` by role, and where each is by `sources`."""
    write_release(release, Release("", 0.0, tuple(_published(role, path, "", sources[role]) for role, path in files.items())))


def check_cover(cover: Path, name: str = "") -> str:
    """The extension of a cover's real type; a `CauserieError` with its `name` unless directories accept it."""
    name = name or str(cover)
    extension, width_px, height_px = sized(in_file(cover), name)
    if width_px != height_px or not COVER_PX[0] <= width_px <= COVER_PX[1]:
        wanted = f"make it square, {COVER_PX[0]} to {COVER_PX[1]} pixels a side, 3000 at best"
        raise CauserieError(f"is {width_px} × {height_px} pixels; directories refuse it as a cover", name, wanted)
    return extension


def write_release(path: Path, release: Release) -> None:
    """Write a release whole."""
    files = [{key: value for key, value in asdict(file).items() if value != 0 or key == "bytes"} for file in release.files]
    write_json(path, {"version": 1, "slug": release.slug, "duration_s": release.duration_s, "files": files})


def read_release(path: Path) -> Release:
    """The release in a file."""
    value = read_json(path)
    return Release(value["slug"], value["duration_s"], tuple(PublishedFile(**file) for file in value["files"]))


def _picture(role: str, path: Path, slug: str, source: str) -> PublishedFile:
    """An image as it is published: its extension is its real type's, which `.jpeg` or a renamed file is not."""
    if role == "cover":
        check_cover(path, source)
    data = path.read_bytes()
    extension, width_px, height_px = image_size(data, source)
    file = _published(role, path, slug, source, extension)
    key = chapter_image_key(slug, data, source) if role.startswith("chapter_") else f"{slug}/{file.key}" if slug else file.key
    return replace(file, key=key, width_px=width_px, height_px=height_px)


def _published(role: str, path: Path, slug: str, source: str, extension: str = "") -> PublishedFile:
    name = PurePosixPath(source).name if role.startswith("guide") else slugify(PurePosixPath(source).stem) or "image"
    extension = extension or PurePosixPath(source).suffix.lower()
    digest = sha256(path)
    key = _KEYS[role.partition("_")[0]].format(slug=slug, hash=digest[:HASH_DIGITS], extension=extension, name=name)
    return PublishedFile(role, key, source, path.stat().st_size, digest, TYPES.get(role) or TYPES[extension])


def _duration_s(audio: Path, source: str) -> float:
    """How long the MP3 lasts, to the millisecond."""
    from mutagen import MutagenError
    from mutagen.mp3 import MP3

    try:
        return round(MP3(audio).info.length, 3)
    except MutagenError as error:
        raise CauserieError("is not a readable MP3 file", source, "delete it and build again") from error


def in_series(show: Show, episodes: tuple[Episode, ...]) -> tuple[Episode, ...]:
    """The episodes that the guide of the series is about: those in the show's language, whatever the country."""
    return tuple(episode for episode in episodes if speaks(episode.info.language or show.info.language, show.info.language[:2]))
