"""Options of the feed, from TOML: `[feed]`, `[seasons]` and `[[feeds]]` of show.toml, `[feed]` of episode.toml.

Most keys are tags of the Podcasting 2.0 namespace: each is a row of `TAG_KEYS`, which maps TOML keys to attributes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipeline.feed_model import ChannelOptions, FeedImage, FeedTag, ItemOptions, OtherFeed
from pipeline.fields import ADDRESS, LICENSE, file_in, language, license_name
from pipeline.text import is_slug, printable, slugify
from pipeline.toml import Table

MEDIA = ("podcast", "music", "video", "film", "audiobook", "newsletter", "blog", "publisher", "course", "mixed")
MEDIUMS = (*MEDIA, *(f"{one}L" for one in MEDIA[:-1]))  # podcast-namespace, docs/tags/medium.md
PURPOSES = ("artwork", "social", "canvas", "banner", "publisher", "circular", "poster")
_GEO = r"geo:-?\d{1,2}(\.\d+)?,-?\d{1,3}(\.\d+)?(,-?\d+(\.\d+)?)?(;[!-~]+)?"  # RFC 5870
_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_URL, _FEED_GUID = (ADDRESS, "https://example.org/page"), (_UUID, "917393e3-1b1e-5cef-ace4-edaa54e1f810")
_MOVED = (ADDRESS, "https://new.example.org/feed.xml")
_ANY = ("(?s).+", "some text")


@dataclass(frozen=True)
class Row:
    """The TOML keys of a tag, each with its attribute, a pattern and an example; `*` marks a required key."""

    tag: str
    keys: Mapping[str, tuple[str, tuple[str, str]]] = field(default_factory=dict)
    text: str = ""  # the key of the tag's text; "*text" when it is required
    longest: int = 128
    many: bool = True  # [[feed.funding]], or [feed.updates]
    inside: str = ""
    channel: bool = True  # allowed in show.toml
    item: bool = True  # allowed in episode.toml


_REMOTE = {"*guid": ("feedGuid", _FEED_GUID), "url": ("feedUrl", _URL), "title": ("title", _ANY)}

TAGS: dict[str, Row] = {
    "funding": Row("podcast:funding", {"*url": ("url", _URL)}, "*text"),
    "locations": Row(
        "podcast:location",
        {
            "rel": ("rel", ("subject|creator", "“subject” or “creator”")),
            "geo": ("geo", (_GEO, "geo:48.85,2.35")),
            "osm": ("osm", ("[NWR][0-9]+(#[0-9]+)?", "R7444")),
            "country": ("country", ("[A-Z]{2}", "FR")),
        },
        "*name",
    ),
    "notes": Row("podcast:txt", {"purpose": ("purpose", ("(?s).{1,128}", "verify, or ai-content"))}, "*text", 4000),
    "social": Row(
        "podcast:socialInteract",
        {
            "*protocol": ("protocol", ("[a-z0-9]+", "activitypub, or disabled")),
            "url": ("uri", _URL),
            "account": ("accountId", _ANY),
            "account_url": ("accountUrl", _URL),
            "priority": ("priority", ("[0-9]+", "1")),
        },
    ),
    "elsewhere": Row("podcast:contentLink", {"*url": ("href", _URL)}, "*text", channel=False),
    "updates": Row(
        "podcast:updateFrequency",
        {
            "rule": ("rrule", ("[A-Z]+=[A-Z0-9,;=+-]+", "FREQ=WEEKLY;BYDAY=TU")),
            "start": ("dtstart", (r"\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d))?", "2026-01-06")),
        },
        "*text",
        many=False,
        item=False,
    ),
    "podroll": Row("podcast:remoteItem", _REMOTE, inside="podcast:podroll", item=False),
    "publisher": Row("podcast:remoteItem", _REMOTE, many=False, inside="podcast:publisher", item=False),
}


def channel_options(table: Table, folder: Path, license: str, email: str) -> ChannelOptions:
    """The feed options of show.toml; `license` and `email` are its values of those keys."""
    told = table.table("feed")
    options = ChannelOptions(
        medium=told.choice("medium", "podcast", MEDIUMS),
        locked=told.flag("locked", True),
        owner=told.flag("owner", False),
        hidden=told.flag("hidden", False),
        private=told.flag("private", False),
        complete=told.flag("complete", False),
        moved_to=told.matching("moved_to", *_MOVED),
        built=told.moment("built") if "built" in told.values else None,
        license_url=_license_url(told, license),
        seasons=seasons(table.table("seasons")),
        tags=(*_tags(told, [name for name, row in TAGS.items() if row.channel]), *_blocked(told)),
        images=tuple(_image(each, folder) for each in told.tables("images")),
        others=other_feeds(table.tables("feeds")),
        language=language(told),
    )
    if options.owner and not email:
        told.problem("owner", "needs an email address to publish", "set email in show.toml, or remove this line")
    told.end()
    return options


def item_options(table: Table) -> ItemOptions:
    """The feed options of episode.toml."""
    told = table.table("feed")
    license = license_name(told)
    options = ItemOptions(
        hidden=told.flag("hidden", False),
        license=license,
        license_url=_license_url(told, license),
        number_label=told.text("number_label", "", 32),
        tags=_tags(told, [name for name, row in TAGS.items() if row.item]),
    )
    told.end()
    return options


def seasons(table: Table) -> tuple[tuple[int, str], ...]:
    """`[seasons]`: `1 = "Les guichets"`."""
    found = []
    for key in table.values:
        name = table.text(key, ..., 128)
        if not re.fullmatch("[1-9][0-9]{0,3}", key):
            table.problem(key, "is not a season number", 'write it like 1 = "Name of the season"')
        elif name:
            found.append((int(key), name))
    return tuple(sorted(found))


def other_feeds(tables: Iterable[Table]) -> tuple[OtherFeed, ...]:
    """`[[feeds]]`: feeds of one season, one language or another audio format, each at its own URL."""
    found: dict[str, OtherFeed] = {}
    for each in tables:
        name = each.text("name", ...)
        other = OtherFeed(
            name,
            each.text("title", "", 255),
            {"mp3": "audio"}.get(sound := each.choice("audio", "mp3", ("mp3", "m4a", "light")), sound),
            each.whole("season", None, 1, 10_000),
            each.flag("private", False),
            each.matching("moved_to", *_MOVED),
            description=each.text("description"),
            language=language(each),
        )
        if name and (not is_slug(name) or name == "feed"):
            each.problem("name", f"“{printable(name)}” is not a valid name of a feed", f"try {slugify(name) or 'light'}")
        elif name in found:
            each.problem("name", f"“{name}” is already the name of another feed", "give each feed its own name")
        elif name:
            found[name] = other
        each.end()
    return tuple(found.values())


def _tags(told: Table, names: Iterable[str]) -> tuple[FeedTag, ...]:
    tags = []
    for name in names:
        row = TAGS[name]
        tables = told.tables(name) if row.many else [told.table(name)] if name in told.values else []
        tags += [_tag(each, row) for each in tables]
    return tuple(tags)


def _tag(table: Table, row: Row) -> FeedTag:
    table.values = {key: str(value) if type(value) in (int, date) else value for key, value in table.values.items()}  # priority = 1
    attributes = []
    for key, (attribute, (pattern, example)) in row.keys.items():
        value = table.matching(key.lstrip("*"), pattern, example, ... if key.startswith("*") else "")
        attributes.append((attribute, value))
    text = table.text(row.text.lstrip("*"), ... if row.text.startswith("*") else "", row.longest) if row.text else ""
    given = tuple((name, value) for name, value in attributes if value)
    if row.tag == "podcast:socialInteract" and "disabled" not in dict(given).values() and "uri" not in dict(given):
        table.problem("url", "is missing", "give the URL of the post for comments, or protocol = “disabled”")
    table.end()
    medium = (("medium", "publisher"),) if row.inside == "podcast:publisher" else ()
    return FeedTag(row.tag, text, (*given, *medium), row.inside)


def _blocked(told: Table) -> tuple[FeedTag, ...]:
    """`not_on = ["amazon"]`: services, named as in podcast-namespace, that must not list the show."""
    services = told.texts("not_on")
    for name in services:
        if not re.fullmatch("[a-z0-9_-]{1,64}", name):
            told.problem("not_on", f"“{printable(name)[:40]}” is not a valid service name", "write it like “amazon”")
    return tuple(FeedTag("podcast:block", "yes", (("id", name),)) for name in services)


def _image(table: Table, folder: Path) -> FeedImage:
    purpose = table.text("purpose", "", 128)
    for word in purpose.split():
        if word not in PURPOSES:
            table.problem("purpose", f"“{printable(word)}” is not a purpose of an image", f"use {', '.join(PURPOSES)}")
    image = FeedImage(file_in(table, "file", folder, folder, required=True), table.text("alt", "", 255), purpose)
    table.end()
    return image


def _license_url(told: Table, license: str) -> str:
    """The URL of a licence; required unless it is an identifier (podcast-namespace, docs/tags/license.md)."""
    url = told.matching("license_url", ADDRESS, "https://example.org/licence")
    if license and not url and not re.fullmatch(LICENSE, license):
        told.problem(
            "license_url", "is missing", f"“{printable(license)[:40]}” is not an identifier like cc-by-4.0: give the URL of its text"
        )
    return url
