"""An imported show as the files of a workspace: TOML, ledger and manifest, as values that `staging` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TypedDict, TypeGuard
from urllib.parse import urlsplit

from pipeline.feed.imported_item import NO_DATE, Item
from pipeline.feed.imported_keys import toml_lines
from pipeline.feed.importing import Imported
from pipeline.feed.ledger import Given, Ledger, Publication, adopt, record
from pipeline.feed.wording import line
from pipeline.model import Chapter, Credit, Person
from pipeline.roles import find_role
from pipeline.text import hms, is_slug

_EXAMPLE = "2026-01-15T06:00:00+01:00"
_SOUNDS = {"audio/mpeg": ".mp3", "audio/mp3": ".mp3", "audio/x-m4a": ".m4a", "audio/mp4": ".m4a", "audio/m4a": ".m4a", "audio/aac": ".aac"}
_SOUNDS |= {"audio/ogg": ".ogg", "audio/opus": ".opus", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/flac": ".flac"}
_SOUNDS |= {"video/mp4": ".mp4", "video/x-m4v": ".m4v", "video/quicktime": ".mov", "video/webm": ".webm"}


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


def sound_name(item: Item) -> str:
    """The name of the episode's audio file in its folder: `original` and a known extension, nothing else from the feed."""
    extension = PurePosixPath(urlsplit(item.enclosure.url).path).suffix.lower()
    known = set(_SOUNDS.values())
    return "original" + (extension if extension in known else _SOUNDS.get(item.enclosure.type, ".mp3"))


def ledger_of(found: Imported) -> Ledger:
    """The first ledger of an imported show: every GUID of the feed, and the feed as the last publication."""
    guids = {item.info.slug: item.info.guid for item in found.items}
    given = tuple(Given(item.info.guid, item.info.title, item.enclosure.url, item.enclosure.bytes) for item in reversed(found.items))
    newest = max(item.info.published for item in found.items)
    before = Publication(newest, found.feed_url or "the imported feed", "", given, found.info.guid)
    return record(adopt(Ledger(feed_url=found.feed_url), found.info.guid, guids), before)


def show_toml(found: Imported, cover: str) -> str:
    """The text of `show.toml`; audio, speech and site settings keep their defaults."""
    info = found.info
    values = {"author": info.author, "website": info.website, "language": info.language, "email": info.email}
    values |= {"copyright": info.copyright, "license": info.license}
    lines = [
        f"# Imported from {line(found.feed_url) or 'a file'}; the feed is kept in feeds/imported.xml.",
        "",
        f"title = {quoted(info.title)}",
        f"description = {paragraphs(info.description)}",
        *(f"{key} = {quoted(value)}" for key, value in values.items() if value),
        f"categories = [{', '.join(quoted(' > '.join(names)) for names in info.categories)}]",
        f"type = {quoted(info.kind)}",
        f"explicit = {_flag(info.explicit)}",
        f"cover = {quoted(cover)}",
        *([f"cover_alt = {quoted(info.cover_alt)}"] if info.cover_alt else []),
        *toml_lines(found.feed, quoted),
        *(["", "[seasons]", *(f"{number} = {quoted(name)}" for number, name in found.seasons.items())] if found.seasons else []),
    ]
    for person in found.people:
        lines += ["", *_person(person)]
    return "\n".join([*lines, *_credits(info.credits)]) + "\n"


def episode_toml(item: Item, show_explicit: bool, chapters: tuple[Chapter, ...], cover: str) -> str:
    """The text of `episode.toml`. The audio is already mixed: only its loudness is adjusted, so that all times stay the same."""
    info = item.info
    is_dated = info.published != NO_DATE
    numbers = {"number": info.number, "season": info.season}
    lines = [
        f"title = {quoted(info.title)}",
        *(f"{key} = {value}" for key, value in numbers.items() if value is not None),
        *([f"kind = {quoted(info.kind)}"] if info.kind != "full" else []),
        f"published = {info.published.isoformat()}" if is_dated else f"# published = {_EXAMPLE}  # the feed has no date",
        f"summary = {quoted(info.summary)}",
        *([f"description = {paragraphs(info.description)}"] if info.description else []),
        *([f"explicit = {_flag(info.explicit)}"] if info.explicit != show_explicit else []),
        *([f"cover = {quoted(cover)}"] if cover else []),
        'level = "off"  # already mixed',
        "trim_silence = false  # so that chapters and captions keep their times",
        "clean = { highpass = false }",
        "",
        "[[recordings]]",
        f"file = {quoted(sound_name(item))}  # from {line(item.enclosure.url)}",
        *_chapters(chapters),
    ]
    for bite in item.soundbites:
        lines += ["", "[[soundbites]]", f"start = {quoted(clock(bite.start_s))}", f"duration = {bite.duration_s:g}"]
        lines += [f"title = {quoted(bite.title)}"] if bite.title else []
    return "\n".join([*lines, *toml_lines(item.feed, quoted), *_credits(info.credits)]) + "\n"


def clock(time_s: float) -> str:
    """A time as written in `episode.toml`, `0:31` or `1:02:03.5`, to the millisecond."""
    whole, thousandths = divmod(round(time_s * 1000), 1000)
    return hms(whole) + (f".{thousandths:03}".rstrip("0") if thousandths else "")


def quoted(text: str) -> str:
    """A TOML basic string on one line."""
    return '"' + _escaped(text).replace('"', '\\"').replace("\n", "\\n") + '"'


def paragraphs(text: str) -> str:
    """A multi-line TOML string, or a basic string for one short paragraph."""
    if "\n" not in text and len(text) < 100:
        return quoted(text)
    return '"""\n' + _escaped(text).replace('"""', '\\"\\"\\"') + '\n"""'


def _escaped(text: str) -> str:
    return re.sub("[\x00-\x09\x0b-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", text.replace("\\", "\\\\"))


def manifest(found: Imported, source: str, sha256: str) -> Manifest:
    """The value of `feeds/imported.json`: the source of the show, and the URL and file of each episode's audio."""
    media: list[MediaRow] = []
    for item in found.items:
        file = f"episodes/{item.info.slug}/{sound_name(item)}"
        media.append({"slug": item.info.slug, "file": file, "url": item.enclosure.url, "bytes": item.enclosure.bytes})
    return {"version": 1, "source": source, "feed_url": found.feed_url, "feed_sha256": sha256, "media": media}


def are_sounds(rows: object) -> TypeGuard[list[MediaRow]]:
    """Whether the `media` of `feeds/imported.json` are valid rows, each with a file in its own episode's folder."""
    return isinstance(rows, list) and all(map(_is_sound, rows))


def _is_sound(row: object) -> bool:
    """Whether a row of `feeds/imported.json` is valid, with a file in its own episode's folder."""
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("slug", "file", "url")):
        return False
    place = re.escape(f"episodes/{row['slug']}/original.")
    return is_slug(row["slug"]) and re.fullmatch(place + "[a-z0-9]{2,4}", row["file"]) is not None and isinstance(row.get("bytes"), int)


def _person(person: Person) -> list[str]:
    values = {"name": person.name, "url": person.url, "image": person.image}
    return [f"[people.{person.key}]", *(f"{key} = {quoted(value)}" for key, value in values.items() if value)]


def _credits(credits: Iterable[Credit]) -> list[str]:
    roles: dict[str, list[str]] = {}
    for credit in credits:
        name = credit.role if find_role(credit.role)[1] == credit.group else f"{credit.role} ({credit.group})"
        roles.setdefault(name, []).append(credit.person.key)
    rows = [f"{_key(name)} = {json.dumps(keys)}" for name, keys in roles.items()]
    return ["", "[credits]", *rows] if rows else []


def _chapters(chapters: tuple[Chapter, ...]) -> list[str]:
    lines = []
    for chapter in chapters:
        lines += ["", "[[chapters]]", f"start = {quoted(clock(chapter.start_s))}", f"title = {quoted(chapter.title)}"]
        lines += [f"url = {quoted(chapter.url)}"] if chapter.url else []
    return lines


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def _flag(value: bool) -> str:
    return str(value).lower()
