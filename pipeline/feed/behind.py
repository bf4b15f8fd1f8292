"""The files behind a feed: which local file each published address is, and what its first bytes say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.feed.contents import damage
from pipeline.feed.rule import Audio, File, Use
from pipeline.files import read_json
from pipeline.pictures import HEADER_BYTES, image

_TEXT_BYTES = 64 << 20


@dataclass(frozen=True)
class Local:
    """Where a published file is in the show, and the digest it was released with."""

    path: Path
    sha256: str


def addresses(root: Path, website: str) -> dict[str, Local]:
    """The local file of every published address, from the releases of a show; `CauserieError` when one is damaged."""
    found = {}
    for release in sorted(root.glob(".causerie/*/release.json")):
        for file in _files(read_json(release)):
            found[website + file["key"]] = Local(root / file["source"], file["sha256"])
    return found


def look(uses: Iterable[Use], local: Mapping[str, Local]) -> dict[str, File]:
    """What is known of the files in use, by address; those that are not in the show are left out."""
    found: dict[str, File] = {}
    for use in uses:
        if use.url not in found and (one := local.get(use.url)) and one.path.is_file():
            found[use.url] = _file(use, one)
    return found


def _files(value: Any) -> list[dict[str, str]]:
    """The files of a release; none when it is no release of ours."""
    files = value.get("files", []) if isinstance(value, dict) else []
    wanted = ("key", "source", "sha256")
    return [file for file in files if isinstance(file, dict) and all(isinstance(file.get(name), str) for name in wanted)]


def _file(use: Use, local: Local) -> File:
    size = local.path.stat().st_size
    if use.kind == "cover":
        with local.path.open("rb") as stream:
            return File(size, local.sha256, image=image(stream.read(HEADER_BYTES)))
    if use.kind in ("audio", "alternate"):
        return File(size, local.sha256, audio=_audio(local.path))
    kind = "application/json+chapters" if use.kind == "chapters" else use.tag.get("type").partition(";")[0]
    wrong = f"has {size} bytes, too many for a text" if size > _TEXT_BYTES else damage(kind, local.path.read_bytes())
    return File(size, local.sha256, damage=wrong)


def _audio(path: Path) -> Audio | None:
    """What mutagen reads in an audio file; None when it is none, or is damaged."""
    import mutagen
    from mutagen.mp3 import MP3

    try:
        found = mutagen.File(path)
    except Exception:  # a damaged file can trip a reader of thirty formats anywhere
        return None
    if found is None or not hasattr(found.info, "length"):
        return None
    return _mp3(found) if isinstance(found, MP3) else Audio(_kind(found), found.info.length)


def _mp3(found: Any) -> Audio:
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


def _kind(found: Any) -> str:
    mime = [each for each in found.mime if each.startswith(("audio/", "video/"))]
    if any("mp4" in each for each in mime):
        return "audio/mp4"
    return "audio/ogg" if any("ogg" in each for each in mime) else next(iter(mime), "")
