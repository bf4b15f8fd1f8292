"""Creates a show, or an episode from its recordings. Existing files are never overwritten."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pipeline import catalog
from pipeline.audio.probe import probe
from pipeline.audio.streams import Probe, Stream
from pipeline.errors import CauserieError
from pipeline.files import write_whole
from pipeline.model import ShowInfo
from pipeline.text import hms, is_slug, slugify

_TEMPLATES = Path(__file__).parent / "templates" / "init"
_ABOUT_THE_SHOW = ("title", "description", "author", "website")
SUMMARY_TO_WRITE = {"fr": "Résumé à écrire : une ou deux phrases.", "en": "Summary to write: one or two sentences."}


def still_to_write(info: ShowInfo) -> Iterator[str]:
    """The keys of `show.toml` that still have the placeholder of `causerie init`."""
    for path in sorted(_TEMPLATES.glob("show.*.toml")):
        first = tomllib.loads(path.read_text(encoding="utf-8"))
        yield from (key for key in _ABOUT_THE_SHOW if getattr(info, key) == first[key])


def has_address(info: ShowInfo) -> bool:
    """Whether `website` was filled in: GUIDs are made from it, so two shows must not share it."""
    return "website" not in still_to_write(info)


def new_show(folder: Path, language: str) -> str:
    """Create a show in `folder`, which must be empty or new; returns the next steps, as lines to print."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CauserieError("is not an empty folder", str(folder), "choose a new name; nothing was written")
    for name in ("episodes", "transcripts", "guides", "feeds"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_TEMPLATES / "cover.png", folder / "cover.png")
    shutil.copyfile(_TEMPLATES / "gitignore", folder / ".gitignore")
    shutil.copyfile(_TEMPLATES / f"show.{language}.toml", folder / "show.toml")
    return (
        f"Created a show in {folder}. Next:\n"
        f"  1. fill in {folder / 'show.toml'} and replace cover.png\n"
        f"  2. causerie new --show {folder} my-first-episode RECORDING\n"
        f"  3. causerie build --show {folder}"
    )


def new_episode(root: Path, slug: str, recordings: Sequence[Path], *, at: datetime) -> str:
    """Create `episodes/<slug>/` with the recordings, after probing each; returns their properties, as lines to print."""
    show, problems = catalog.read(root)
    if show is None:
        raise problems[0]
    folder = root / "episodes" / slug
    if slug in catalog.RESERVED:
        raise CauserieError("is a reserved name", slug, f"try {slug}-1")
    if not is_slug(slug):
        raise CauserieError("cannot name an episode's page and files", slug, f"try {slugify(slug) or 'my-first-episode'}")
    if (folder / "episode.toml").exists():
        raise CauserieError("exists already", str(folder / "episode.toml"), "choose another slug, or edit that file")
    found = {recording: probe(recording) for recording in recordings}
    names = _names(recordings, slug)
    folder.mkdir(parents=True, exist_ok=True)
    for recording, name in names.items():
        _bring(recording, folder / name)
    number = max((episode.info.number or 0 for episode in show.episodes), default=0) + 1
    files = {names[recording]: seen.audio for recording, seen in found.items()}
    write_whole(folder / "episode.toml", episode_toml(slug, number, at, show.info.language, files))
    return "\n".join([f"Created {folder / 'episode.toml'}:", *_seen(found), f"Fill it in, then run: causerie build --show {root} {slug}"])


def episode_toml(slug: str, number: int, at: datetime, language: str, files: Mapping[str, Sequence[Stream]]) -> str:
    """The text of a new `episode.toml`; `at` is the publication date, to the minute, `files` the recordings with their audio streams."""
    title = slug.lstrip("0123456789-").replace("-", " ").capitalize() or slug
    lines = [
        f"title = {_quoted(title)}",
        f"number = {number}",
        f"published = {at.replace(second=0, microsecond=0).isoformat()}",
        f"summary = {_quoted(SUMMARY_TO_WRITE.get(language[:2], SUMMARY_TO_WRITE['en']))}",
    ]
    for file, streams in files.items():
        lines += ["", "[[recordings]]", f"file = {_quoted(file)}"]
        if len(streams) > 1:
            lines.append(f"stream = 1  # of {len(streams)}: {', '.join(map(str, streams))}")
    if len(files) > 1:
        lines += ["", '# One speaker per track? Name them under each file, with a key of [people] in show.toml: voice = "camille"']
    return "\n".join(lines) + "\n"


def _names(recordings: Sequence[Path], slug: str) -> Mapping[Path, str]:
    """The file name of each recording in the episode's folder; raises `CauserieError` when two would be the same."""
    if twice := next((path for path in recordings if recordings.count(path) > 1), None):
        raise CauserieError("is given twice", str(twice), "give each recording once")
    names = {path: f"raw-{path.name}" if path.stem == slug else path.name for path in recordings}
    if len(set(names.values())) < len(recordings):
        raise CauserieError("two recordings have the same name", ", ".join(map(str, recordings)), "rename one of them")
    return names


def _bring(recording: Path, target: Path) -> None:
    """Copy a recording atomically, unless it is there already; raises `CauserieError` when another file has its name."""
    if target.exists():
        if os.path.samefile(recording, target):
            return
        raise CauserieError("exists already", str(target), "rename the recording, or remove that file")
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(recording, part)
    os.replace(part, target)


def _seen(found: Mapping[Path, Probe]) -> list[str]:
    """A line for each recording: duration, sample rate, channels, codec."""
    return [
        f"  {path.name}: {hms(seen.duration_s) if seen.duration_s else 'unknown duration'}, {seen.sample_rate_hz} Hz, "
        f"{'mono' if seen.channels == 1 else 'stereo' if seen.channels == 2 else f'{seen.channels} channels'}, {seen.codec}"
        for path, seen in found.items()
    ]


def _quoted(text: str) -> str:
    """The text as a TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char >= " " and char != "\x7f" else f"\\u{ord(char):04x}" for char in escaped) + '"'
