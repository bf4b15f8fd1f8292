"""An imported show as the files of a workspace: TOML, ledger and manifest, as values that `staging` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TypedDict, TypeGuard
from urllib.parse import urlsplit

from pipeline.feed import Ledger, PublicationRecord, PublishedItem, adopt_guids, record_publication
from pipeline.feed.imports.converter import ImportedShow
from pipeline.feed.imports.html_text import single_line
from pipeline.feed.imports.item import NO_DATE, ImportedItem
from pipeline.feed.imports.namespace_tags import feed_toml_lines
from pipeline.model import Chapter, Credit, Person, find_role, format_clock, is_slug

_EXAMPLE = "2026-01-15T06:00:00+01:00"
_EXTENSION_BY_TYPE = {
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
    "audio/x-m4a": ".m4a",
    "audio/mp4": ".m4a",
    "audio/m4a": ".m4a",
    "audio/aac": ".aac",
}
_EXTENSION_BY_TYPE |= {"audio/ogg": ".ogg", "audio/opus": ".opus", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/flac": ".flac"}
_EXTENSION_BY_TYPE |= {"video/mp4": ".mp4", "video/x-m4v": ".m4v", "video/quicktime": ".mov", "video/webm": ".webm"}


class MediaRow(TypedDict):
    """An episode's audio file in `feeds/imported.json`; `bytes` is what the feed declares, 0 when it declares nothing."""

    slug: str
    file: str
    url: str
    bytes: int


class Manifest(TypedDict):
    """`feeds/imported.json`, without the notes."""

    version: int
    source: str
    feed_url: str
    feed_sha256: str
    media: list[MediaRow]


def audio_file_name(item: ImportedItem) -> str:
    """The name of the episode's audio file in its folder: `original` and a known extension, nothing else from the feed."""
    extension = PurePosixPath(urlsplit(item.enclosure.url).path).suffix.lower()
    known = set(_EXTENSION_BY_TYPE.values())
    return "original" + (extension if extension in known else _EXTENSION_BY_TYPE.get(item.enclosure.type, ".mp3"))


def initial_ledger(imported: ImportedShow) -> Ledger:
    """The first ledger of an imported show: every GUID of the feed, and the feed as the last publication."""
    guids = {item.info.slug: item.info.guid for item in imported.items}
    items = tuple(
        PublishedItem(item.info.guid, item.info.title, item.enclosure.url, item.enclosure.bytes) for item in reversed(imported.items)
    )
    newest = max(item.info.published for item in imported.items)
    publication = PublicationRecord(newest, imported.feed_url or "the imported feed", "", items, imported.info.guid)
    return record_publication(adopt_guids(Ledger(feed_url=imported.feed_url), imported.info.guid, guids), publication)


def format_show_toml(imported: ImportedShow, cover: str) -> str:
    """The text of `show.toml`; audio, speech and site settings keep their defaults."""
    info = imported.info
    values = {"author": info.author, "website": info.website, "language": info.language, "email": info.email}
    values |= {"copyright": info.copyright, "license": info.license}
    lines = [
        f"# Imported from {single_line(imported.feed_url) or 'a file'}; the feed is kept in feeds/imported.xml.",
        "",
        f"title = {toml_string(info.title)}",
        f"description = {toml_text(info.description)}",
        *(f"{key} = {toml_string(value)}" for key, value in values.items() if value),
        f"categories = [{', '.join(toml_string(' > '.join(names)) for names in info.categories)}]",
        f"type = {toml_string(info.kind)}",
        f"explicit = {_toml_boolean(info.explicit)}",
        f"cover = {toml_string(cover)}",
        *([f"cover_alt = {toml_string(info.cover_alt)}"] if info.cover_alt else []),
        *feed_toml_lines(imported.feed, toml_string),
        *(["", "[seasons]", *(f"{number} = {toml_string(name)}" for number, name in imported.seasons.items())] if imported.seasons else []),
    ]
    for person in imported.people:
        lines += ["", *_person_lines(person)]
    return "\n".join([*lines, *_credit_lines(info.credits)]) + "\n"


def format_episode_toml(item: ImportedItem, show_explicit: bool, chapters: tuple[Chapter, ...], cover: str) -> str:
    """The text of `episode.toml`. The audio is already mixed: only its loudness is adjusted, so that all times stay the same."""
    info = item.info
    is_dated = info.published != NO_DATE
    numbers = {"number": info.number, "season": info.season}
    lines = [
        f"title = {toml_string(info.title)}",
        *(f"{key} = {value}" for key, value in numbers.items() if value is not None),
        *([f"kind = {toml_string(info.kind)}"] if info.kind != "full" else []),
        f"published = {info.published.isoformat()}" if is_dated else f"# published = {_EXAMPLE}  # the feed has no date",
        f"summary = {toml_string(info.summary)}",
        *([f"description = {toml_text(info.description)}"] if info.description else []),
        *([f"explicit = {_toml_boolean(info.explicit)}"] if info.explicit != show_explicit else []),
        *([f"cover = {toml_string(cover)}"] if cover else []),
        'level = "off"  # already mixed',
        "trim_silence = false  # so that chapters and captions keep their times",
        "clean = { highpass = false }",
        "",
        "[[recordings]]",
        f"file = {toml_string(audio_file_name(item))}  # from {single_line(item.enclosure.url)}",
        *_chapter_lines(chapters),
    ]
    for soundbite in item.soundbites:
        lines += [
            "",
            "[[soundbites]]",
            f"start = {toml_string(format_toml_time(soundbite.start_s))}",
            f"duration = {soundbite.duration_s:g}",
        ]
        lines += [f"title = {toml_string(soundbite.title)}"] if soundbite.title else []
    return "\n".join([*lines, *feed_toml_lines(item.feed, toml_string), *_credit_lines(info.credits)]) + "\n"


def format_toml_time(time_s: float) -> str:
    """A time as written in `episode.toml`, `0:31` or `1:02:03.5`, to the millisecond."""
    seconds, milliseconds = divmod(round(time_s * 1000), 1000)
    return format_clock(seconds) + (f".{milliseconds:03}".rstrip("0") if milliseconds else "")


def toml_string(text: str) -> str:
    """A TOML basic string on one line."""
    return '"' + _escape_toml(text).replace('"', '\\"').replace("\n", "\\n") + '"'


def toml_text(text: str) -> str:
    """A multi-line TOML string, or a basic string for one short paragraph."""
    if "\n" not in text and len(text) < 100:
        return toml_string(text)
    return '"""\n' + _escape_toml(text).replace('"""', '\\"\\"\\"') + '\n"""'


def _escape_toml(text: str) -> str:
    return re.sub("[\x00-\x09\x0b-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", text.replace("\\", "\\\\"))


def import_manifest(imported: ImportedShow, source: str, sha256: str) -> Manifest:
    """The value of `feeds/imported.json`: the source of the show, and the URL and file of each episode's audio."""
    media: list[MediaRow] = []
    for item in imported.items:
        file = f"episodes/{item.info.slug}/{audio_file_name(item)}"
        media.append({"slug": item.info.slug, "file": file, "url": item.enclosure.url, "bytes": item.enclosure.bytes})
    return {"version": 1, "source": source, "feed_url": imported.feed_url, "feed_sha256": sha256, "media": media}


def are_media_rows(rows: object) -> TypeGuard[list[MediaRow]]:
    """Whether the `media` of `feeds/imported.json` are valid rows, each with a file in its own episode's folder."""
    return isinstance(rows, list) and all(map(_is_media_row, rows))


def _is_media_row(row: object) -> bool:
    """Whether a row of `feeds/imported.json` is valid, with a file in its own episode's folder."""
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("slug", "file", "url")):
        return False
    pattern = re.escape(f"episodes/{row['slug']}/original.")
    return is_slug(row["slug"]) and re.fullmatch(pattern + "[a-z0-9]{2,4}", row["file"]) is not None and isinstance(row.get("bytes"), int)


def _person_lines(person: Person) -> list[str]:
    values = {"name": person.name, "url": person.url, "image": person.image}
    return [f"[people.{person.key}]", *(f"{key} = {toml_string(value)}" for key, value in values.items() if value)]


def _credit_lines(credits: Iterable[Credit]) -> list[str]:
    roles: dict[str, list[str]] = {}
    for credit in credits:
        name = credit.role if find_role(credit.role)[1] == credit.group else f"{credit.role} ({credit.group})"
        roles.setdefault(name, []).append(credit.person.key)
    rows = [f"{_toml_key(name)} = {json.dumps(keys)}" for name, keys in roles.items()]
    return ["", "[credits]", *rows] if rows else []


def _chapter_lines(chapters: tuple[Chapter, ...]) -> list[str]:
    lines = []
    for chapter in chapters:
        lines += ["", "[[chapters]]", f"start = {toml_string(format_toml_time(chapter.start_s))}", f"title = {toml_string(chapter.title)}"]
        lines += [f"url = {toml_string(chapter.url)}"] if chapter.url else []
    return lines


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_string(name)


def _toml_boolean(value: bool) -> str:
    return str(value).lower()
