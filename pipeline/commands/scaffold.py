"""Creates a show, or an episode from its recordings. Existing files are never overwritten."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pipeline.audio import (
    AudioStream,
    ChannelFindings,
    MediaInfo,
    describe_findings,
    inspect_channels,
    probe_file,
    probe_fully,
    suggested_channel,
)
from pipeline.config import RESERVED_SLUGS, read_config
from pipeline.engine import write_atomic
from pipeline.model import CauserieError, ShowInfo, format_clock, is_slug, slugify
from pipeline.templates import folder as templates_folder

_TEMPLATES = templates_folder("init")
MAX_INSPECTED_S = 600.0  # of each recording: its channels do not change places
_PLACEHOLDER_KEYS = ("title", "description", "author", "website")
PLACEHOLDER_SUMMARY = {"fr": "Résumé à écrire : une ou deux phrases.", "en": "Summary to write: one or two sentences."}


def placeholder_fields(info: ShowInfo) -> Iterator[str]:
    """The keys of `show.toml` that still have the placeholder of `causerie init`."""
    for path in sorted(_TEMPLATES.glob("show.*.toml")):
        template = tomllib.loads(path.read_text(encoding="utf-8"))
        yield from (key for key in _PLACEHOLDER_KEYS if getattr(info, key) == template[key])


def has_own_website(info: ShowInfo) -> bool:
    """Whether `website` was filled in: GUIDs are made from it, so two shows must not share it."""
    return "website" not in placeholder_fields(info)


def create_show(folder: Path, language: str) -> str:
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


def create_episode(root: Path, slug: str, recordings: Sequence[Path], *, at: datetime) -> str:
    """Create `episodes/<slug>/` with the recordings, after probing each; returns their properties, as lines to print."""
    show, problems = read_config(root)
    if show is None:
        raise problems[0]
    folder = root / "episodes" / slug
    if slug in RESERVED_SLUGS:
        raise CauserieError("is a reserved name", slug, f"try {slug}-1")
    if not is_slug(slug):
        raise CauserieError("cannot name an episode's page and files", slug, f"try {slugify(slug) or 'my-first-episode'}")
    if (folder / "episode.toml").exists():
        raise CauserieError("exists already", str(folder / "episode.toml"), "choose another slug, or edit that file")
    probes = {recording: probe_file(recording) for recording in recordings}
    names = _file_names(recordings, slug)
    found = {recording: _inspect(recording, probed) for recording, probed in probes.items()}
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for recording, name in names.items():
            _copy_in(recording, folder / name)
        number = max((episode.info.number or 0 for episode in show.episodes), default=0) + 1
        files = {names[recording]: probed.audio_streams for recording, probed in probes.items()}
        channels = {names[recording]: suggested_channel(each) for recording, each in found.items()}
        write_atomic(folder / "episode.toml", episode_toml(slug, number, at, show.info.language, files, channels))
    except BaseException:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)  # a folder without episode.toml is no episode
        raise
    lines = _recording_lines(names, probes, found)
    return "\n".join([f"Created {folder / 'episode.toml'}:", *lines, f"Fill it in, then run: causerie build --show {root} {slug}"])


def episode_toml(
    slug: str,
    number: int,
    at: datetime,
    language: str,
    files: Mapping[str, Sequence[AudioStream]],
    channels: Mapping[str, str] | None = None,
) -> str:
    """The text of a new `episode.toml`.

    `at` is the publication date, to the minute, `files` the recordings with their audio streams, `channels` the one that alone holds the
    voice, where there is one.
    """
    lines = [
        f"title = {_toml_string(slug_title(slug))}",
        f"number = {number}",
        f"published = {at.replace(second=0, microsecond=0).isoformat()}",
        f"summary = {_toml_string(PLACEHOLDER_SUMMARY.get(language[:2], PLACEHOLDER_SUMMARY['en']))}",
    ]
    for file, streams in files.items():
        lines += ["", "[[recordings]]", f"file = {_toml_string(file)}"]
        if channel := (channels or {}).get(file):
            lines.append(f"channel = {channel if channel.isdecimal() else _toml_string(channel)}  # the only one that holds a voice")
        if len(streams) > 1:
            lines.append(f"stream = 1  # of {len(streams)}: {', '.join(map(str, streams))}")
    if len(files) > 1:
        lines += ["", '# One speaker per track? Name them under each file, with a key of [people] in show.toml: voice = "camille"']
    return "\n".join(lines) + "\n"


def slug_title(slug: str) -> str:
    """The title that a new episode has until a person gives it one."""
    return slug.lstrip("0123456789-").replace("-", " ").capitalize() or slug


def _file_names(recordings: Sequence[Path], slug: str) -> Mapping[Path, str]:
    """The file name of each recording in the episode's folder; raises `CauserieError` when two would be the same."""
    if duplicate := next((path for path in recordings if recordings.count(path) > 1), None):
        raise CauserieError("is given twice", str(duplicate), "give each recording once")
    names = {path: f"raw-{_text_name(path)}" if path.stem == slug else _text_name(path) for path in recordings}
    if len(set(names.values())) < len(recordings):
        raise CauserieError("two recordings have the same name", ", ".join(map(str, recordings)), "rename one of them")
    return names


def _text_name(path: Path) -> str:
    """The name of a file as text: bytes that are not UTF-8, as old disks and archives have them, are taken for Latin letters."""
    name = os.fsencode(path.name)
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(char if char.isprintable() else "_" for char in name.decode("latin-1"))


def _copy_in(recording: Path, target: Path) -> None:
    """Copy a recording atomically, unless it is there already; raises `CauserieError` when another file has its name."""
    if target.exists():
        if os.path.samefile(recording, target):
            return
        raise CauserieError("exists already", str(target), "rename the recording, or remove that file")
    temporary = target.with_name(f".{target.name}.part")
    shutil.copyfile(recording, temporary)
    os.replace(temporary, target)


def _inspect(recording: Path, probed: MediaInfo) -> ChannelFindings:
    """What the channels of a recording hold; nothing when its first stream cannot be decoded, of which the build gives the reason."""
    try:
        return inspect_channels(recording, probed.audio_streams[0], max_s=MAX_INSPECTED_S)
    except CauserieError:
        return ChannelFindings()


def _recording_lines(names: Mapping[Path, str], probes: Mapping[Path, MediaInfo], found: Mapping[Path, ChannelFindings]) -> list[str]:
    """A line for each recording: duration, sample rate, channels, codec, and what is to be known of it."""
    return [
        f"  {names[path]}: {_duration(path, probed)}, {probed.sample_rate_hz} Hz, "
        f"{'mono' if probed.channels == 1 else 'stereo' if probed.channels == 2 else f'{probed.channels} channels'}, {probed.codec}"
        + "".join(f"; {remark}" for remark in (*probed.doubts, *describe_findings(found[path])))
        for path, probed in probes.items()
    ]


def _duration(path: Path, probed: MediaInfo) -> str:
    """The duration of a recording; one that does not declare it is decoded to its end."""
    duration_s = probed.duration_s
    if duration_s is None:
        try:
            duration_s = probe_fully(path).duration_s
        except CauserieError:  # the build gives the reason
            return "unknown duration"
    return format_clock(duration_s) if duration_s else "unknown duration"


def _toml_string(text: str) -> str:
    """The text as a TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char >= " " and char != "\x7f" else f"\\u{ord(char):04x}" for char in escaped) + '"'
