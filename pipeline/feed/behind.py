"""The local files of a feed: which file each published URL refers to, and the properties of its content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline import pictures
from pipeline.feed import contents
from pipeline.feed.rule import Audio, File, Use
from pipeline.files import read_json
from pipeline.looked import Looked, signature

_TEXT_BYTES = 64 << 20
_SOURCES = (__file__, contents.__file__, pictures.__file__)


@dataclass(frozen=True)
class Local:
    """A published file: its path in the show, and its SHA-256 in `release.json`."""

    path: str
    source: str  # relative to the show's folder
    sha256: str


def addresses(root: Path, website: str) -> dict[str, Local]:
    """The local file of every published URL, from the show's `release.json` files; raises `CauserieError` when one is damaged."""
    found = {}
    for release in sorted(root.glob(".causerie/*/release.json")):
        for file in _files(read_json(release)):
            found[website + file["key"]] = Local(os.path.join(root, file["source"]), file["source"], file["sha256"])
    return found


def look(uses: Iterable[Use], local: Mapping[str, Local], looked: Looked) -> dict[str, File]:
    """The properties of the referenced files, by URL; files that are not in the show are left out."""
    by = signature(_SOURCES)
    found: dict[str, File] = {}
    for use in uses:
        if use.url in found or not (one := local.get(use.url)):
            continue
        kind = _kind_of(use)
        try:
            said = looked.at(one.path, f"{kind} {one.source}", by, partial(_said, kind, Path(one.path)))
        except OSError:  # missing or unreadable
            continue
        found[use.url] = _file(one.sha256, said)
    return found


def state(local: Mapping[str, Local]) -> str:
    """A hexadecimal fingerprint that changes when a file, its URL or its released digest changes."""
    digest = hashlib.sha256()
    for url, one in local.items():
        try:
            found = os.stat(one.path)
            mark = f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
        except OSError:
            mark = ""
        digest.update(f"{url}\0{one.sha256}\0{mark}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _files(value: object) -> list[dict[str, str]]:
    """The files of a release; none when the value is not a release of Causerie's."""
    files = value.get("files", []) if isinstance(value, dict) else []
    wanted = ("key", "source", "sha256")
    return [file for file in files if isinstance(file, dict) and all(isinstance(file.get(name), str) for name in wanted)]


def _kind_of(use: Use) -> str:
    """What a referenced file has to be: "cover", "audio", or the media type of a text."""
    if use.kind in ("cover", "audio", "alternate"):
        return "cover" if use.kind == "cover" else "audio"
    return "application/json+chapters" if use.kind == "chapters" else use.tag.get("type").partition(";")[0]


def _said(kind: str, path: Path) -> dict[str, Any]:
    """The fields of a `LocalFile` except its digest, as JSON values."""
    size = path.stat().st_size
    if kind == "cover":
        picture = pictures.in_file(path)
        return {"bytes": size, "image": picture and asdict(picture)}
    if kind == "audio":
        sound = _audio(path)
        return {"bytes": size, "audio": sound and asdict(sound)}
    wrong = f"has {size} bytes, too many for a text file" if size > _TEXT_BYTES else contents.damage(kind, path.read_bytes())
    return {"bytes": size, "damage": wrong}


def _file(sha256: str, said: Mapping[str, Any]) -> File:
    picture, sound = said.get("image"), said.get("audio")
    if sound:
        sound = Audio(**{**sound, "id3": tuple(sound["id3"]) if sound["id3"] else None})
    return File(said["bytes"], sha256, pictures.Image(**picture) if picture else None, sound, said.get("damage", ""))


def _audio(path: Path) -> Audio | None:
    """The properties mutagen reads; None when the file is not audio, or is damaged."""
    import mutagen
    from mutagen.mp3 import MP3

    try:
        found = mutagen.File(path)
    except Exception:  # mutagen can raise anything on a damaged file
        return None
    if found is None or not hasattr(found.info, "length"):
        return None
    return _mp3(found) if isinstance(found, MP3) else Audio(_kind(found), found.info.length)


def _mp3(found: Any) -> Audio:  # mutagen has no types
    from mutagen.mp3 import BitrateMode

    info, tags = found.info, found.tags
    has_info = bool(info.encoder_info) or info.bitrate_mode != BitrateMode.UNKNOWN
    return Audio(
        "audio/mpeg",
        info.length,
        round(info.bitrate / 1000),
        info.sample_rate,
        info.channels,
        info.bitrate_mode in (BitrateMode.CBR, BitrateMode.UNKNOWN),
        has_info,
        tuple(tags.version[:2]) if tags is not None else None,
        str(tags.get("TIT2", "")) if tags is not None else "",
    )


def _kind(found: Any) -> str:  # mutagen has no types
    mime: list[str] = [each for each in found.mime if each.startswith(("audio/", "video/"))]
    if any("mp4" in each for each in mime):
        return "audio/mp4"
    return "audio/ogg" if any("ogg" in each for each in mime) else next(iter(mime), "")
