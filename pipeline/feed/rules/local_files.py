"""The local files of a feed: which file each published URL refers to, and the properties of its content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.engine import FileCache, read_json, source_signature
from pipeline.feed.rules import text_formats
from pipeline.feed.rules.rule import AudioProperties, FileReference, LocalFile
from pipeline.model import ImageHeader, read_header

_MAX_TEXT_BYTES = 64 << 20
_SOURCES = (Path(__file__).parent, Path(__file__).parents[2] / "model")  # code whose changes invalidate cached properties


@dataclass(frozen=True)
class ReleasedFile:
    """A published file: its path in the show, and its SHA-256 in `release.json`."""

    path: str
    source: str  # relative to the show's folder
    sha256: str


def files_by_url(root: Path, website: str) -> dict[str, ReleasedFile]:
    """The local file of every published URL, from the show's `release.json` files; raises `CauserieError` when one is damaged."""
    files = {}
    for release in sorted(root.glob(".causerie/*/release.json")):
        for file in _files(read_json(release)):
            files[website + file["key"]] = ReleasedFile(os.path.join(root, file["source"]), file["source"], file["sha256"])
    return files


def inspect_files(uses: Iterable[FileReference], released: Mapping[str, ReleasedFile], cache: FileCache) -> dict[str, LocalFile]:
    """The properties of the referenced files, by URL; files that are not in the show are left out."""
    code_signature = source_signature(*_SOURCES)
    inspected: dict[str, LocalFile] = {}
    for use in uses:
        if use.url in inspected or not (file := released.get(use.url)):
            continue
        expected = _expected_kind(use)
        try:
            properties = cache.get_or_compute(
                file.path, f"{expected} {file.source}", code_signature, partial(_inspect_file, expected, Path(file.path))
            )
        except OSError:  # missing or unreadable
            continue
        inspected[use.url] = _to_local_file(file.sha256, properties)
    return inspected


def fingerprint(released: Mapping[str, ReleasedFile]) -> str:
    """A hexadecimal fingerprint that changes when a file, its URL or its released digest changes."""
    digest = hashlib.sha256()
    for url, file in released.items():
        try:
            status = os.stat(file.path)
            stat_fields = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
        except OSError:
            stat_fields = ""
        digest.update(f"{url}\0{file.sha256}\0{stat_fields}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _files(value: object) -> list[dict[str, str]]:
    """The files of a release; none when the value is not a release of Causerie's."""
    files = value.get("files", []) if isinstance(value, dict) else []
    wanted = ("key", "source", "sha256")
    return [file for file in files if isinstance(file, dict) and all(isinstance(file.get(name), str) for name in wanted)]


def _expected_kind(use: FileReference) -> str:
    """What a referenced file has to be: "cover", "audio", or the media type of a text."""
    if use.kind in ("cover", "audio", "alternate"):
        return "cover" if use.kind == "cover" else "audio"
    return "application/json+chapters" if use.kind == "chapters" else use.tag.get("type").partition(";")[0]


def _inspect_file(kind: str, path: Path) -> dict[str, Any]:
    """The fields of a `LocalFile` except its digest, as JSON values."""
    size = path.stat().st_size
    if kind == "cover":
        image = read_header(path)
        return {"bytes": size, "image": image and asdict(image)}
    if kind == "audio":
        audio = _read_audio(path)
        return {"bytes": size, "audio": audio and asdict(audio)}
    problem = f"has {size} bytes, too many for a text file" if size > _MAX_TEXT_BYTES else text_formats.first_error(kind, path.read_bytes())
    return {"bytes": size, "damage": problem}


def _to_local_file(sha256: str, properties: Mapping[str, Any]) -> LocalFile:
    image, audio = properties.get("image"), properties.get("audio")
    if audio:
        audio = AudioProperties(**{**audio, "id3": tuple(audio["id3"]) if audio["id3"] else None})
    return LocalFile(properties["bytes"], sha256, ImageHeader(**image) if image else None, audio, properties.get("damage", ""))


def _read_audio(path: Path) -> AudioProperties | None:
    """The properties mutagen reads; None when the file is not audio, or is damaged."""
    import mutagen
    from mutagen.mp3 import MP3

    try:
        audio = mutagen.File(path)
    except Exception:  # mutagen can raise anything on a damaged file
        return None
    if audio is None or not hasattr(audio.info, "length"):
        return None
    return _mp3_info(audio) if isinstance(audio, MP3) else AudioProperties(_audio_type(audio), audio.info.length)


def _mp3_info(audio: Any) -> AudioProperties:  # mutagen has no types
    from mutagen.mp3 import BitrateMode

    info, tags = audio.info, audio.tags
    has_info_frame = bool(info.encoder_info) or info.bitrate_mode != BitrateMode.UNKNOWN
    return AudioProperties(
        "audio/mpeg",
        info.length,
        round(info.bitrate / 1000),
        info.sample_rate,
        info.channels,
        info.bitrate_mode in (BitrateMode.CBR, BitrateMode.UNKNOWN),
        has_info_frame,
        tuple(tags.version[:2]) if tags is not None else None,
        str(tags.get("TIT2", "")) if tags is not None else "",
    )


def _audio_type(audio: Any) -> str:  # mutagen has no types
    mime: list[str] = [each for each in audio.mime if each.startswith(("audio/", "video/"))]
    if any("mp4" in each for each in mime):
        return "audio/mp4"
    return "audio/ogg" if any("ogg" in each for each in mime) else next(iter(mime), "")
