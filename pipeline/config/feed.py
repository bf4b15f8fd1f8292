"""Options of the feed, from TOML: `[feed]`, `[seasons]` and `[[feeds]]` of show.toml, `[feed]` of episode.toml.

Most keys are tags of the Podcasting 2.0 namespace: each is a row of `TAG_KEYS`, which maps TOML keys to attributes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipeline.config.fields import LICENSE_ID, URL, read_file, read_language, read_license
from pipeline.config.table import Table
from pipeline.model import ChannelOptions, FeedImage, FeedTag, FeedVariant, ItemOptions, is_slug, slugify, terminal_safe

SINGLE_MEDIUMS = ("podcast", "music", "video", "film", "audiobook", "newsletter", "blog", "publisher", "course", "mixed")
MEDIUMS = (*SINGLE_MEDIUMS, *(f"{one}L" for one in SINGLE_MEDIUMS[:-1]))  # podcast-namespace, docs/tags/medium.md
IMAGE_PURPOSES = ("artwork", "social", "canvas", "banner", "publisher", "circular", "poster")
_GEO = r"geo:-?\d{1,2}(\.\d+)?,-?\d{1,3}(\.\d+)?(,-?\d+(\.\d+)?)?(;[!-~]+)?"  # RFC 5870
_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_URL, _FEED_GUID = (URL, "https://example.org/page"), (_UUID, "917393e3-1b1e-5cef-ace4-edaa54e1f810")
_NEW_FEED_URL = (URL, "https://new.example.org/feed.xml")
_ANY_TEXT = ("(?s).+", "some text")


@dataclass(frozen=True)
class TagKeys:
    """The TOML keys of a tag, each with its attribute, a pattern and an example; `*` marks a required key."""

    tag: str
    keys: Mapping[str, tuple[str, tuple[str, str]]] = field(default_factory=dict)
    text: str = ""  # the key of the tag's text; "*text" when it is required
    max_chars: int = 128
    is_repeatable: bool = True  # [[feed.funding]], or [feed.updates]
    parent: str = ""
    in_channel: bool = True  # allowed in show.toml
    in_item: bool = True  # allowed in episode.toml


_REMOTE_ITEM_KEYS = {"*guid": ("feedGuid", _FEED_GUID), "url": ("feedUrl", _URL), "title": ("title", _ANY_TEXT)}

TAG_KEYS: dict[str, TagKeys] = {
    "funding": TagKeys("podcast:funding", {"*url": ("url", _URL)}, "*text"),
    "locations": TagKeys(
        "podcast:location",
        {
            "rel": ("rel", ("subject|creator", "“subject” or “creator”")),
            "geo": ("geo", (_GEO, "geo:48.85,2.35")),
            "osm": ("osm", ("[NWR][0-9]+(#[0-9]+)?", "R7444")),
            "country": ("country", ("[A-Z]{2}", "FR")),
        },
        "*name",
    ),
    "notes": TagKeys("podcast:txt", {"purpose": ("purpose", ("(?s).{1,128}", "verify, or ai-content"))}, "*text", 4000),
    "social": TagKeys(
        "podcast:socialInteract",
        {
            "*protocol": ("protocol", ("[a-z0-9]+", "activitypub, or disabled")),
            "url": ("uri", _URL),
            "account": ("accountId", _ANY_TEXT),
            "account_url": ("accountUrl", _URL),
            "priority": ("priority", ("[0-9]+", "1")),
        },
    ),
    "elsewhere": TagKeys("podcast:contentLink", {"*url": ("href", _URL)}, "*text", in_channel=False),
    "updates": TagKeys(
        "podcast:updateFrequency",
        {
            "rule": ("rrule", ("[A-Z]+=[A-Z0-9,;=+-]+", "FREQ=WEEKLY;BYDAY=TU")),
            "start": ("dtstart", (r"\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d))?", "2026-01-06")),
        },
        "*text",
        is_repeatable=False,
        in_item=False,
    ),
    "podroll": TagKeys("podcast:remoteItem", _REMOTE_ITEM_KEYS, parent="podcast:podroll", in_item=False),
    "publisher": TagKeys("podcast:remoteItem", _REMOTE_ITEM_KEYS, is_repeatable=False, parent="podcast:publisher", in_item=False),
}


def read_channel_options(table: Table, folder: Path, license: str, email: str) -> ChannelOptions:
    """The feed options of show.toml; `license` and `email` are its values of those keys."""
    feed_table = table.table("feed")
    options = ChannelOptions(
        medium=feed_table.choice("medium", "podcast", MEDIUMS),
        locked=feed_table.boolean("locked", True),
        owner=feed_table.boolean("owner", False),
        hidden=feed_table.boolean("hidden", False),
        private=feed_table.boolean("private", False),
        complete=feed_table.boolean("complete", False),
        moved_to=feed_table.matching("moved_to", *_NEW_FEED_URL),
        built=feed_table.timestamp("built") if "built" in feed_table.values else None,
        license_url=_read_license_url(feed_table, license),
        seasons=read_seasons(table.table("seasons")),
        tags=(*_read_tags(feed_table, [name for name, row in TAG_KEYS.items() if row.in_channel]), *_blocked_services(feed_table)),
        images=tuple(_read_image(each, folder) for each in feed_table.tables("images")),
        others=read_feed_variants(table.tables("feeds")),
        language=read_language(feed_table),
    )
    if options.owner and not email:
        feed_table.add_problem("owner", "needs an email address to publish", "set email in show.toml, or remove this line")
    feed_table.reject_unknown()
    return options


def read_item_options(table: Table) -> ItemOptions:
    """The feed options of episode.toml."""
    feed_table = table.table("feed")
    license = read_license(feed_table)
    options = ItemOptions(
        hidden=feed_table.boolean("hidden", False),
        license=license,
        license_url=_read_license_url(feed_table, license),
        number_label=feed_table.string("number_label", "", 32),
        tags=_read_tags(feed_table, [name for name, row in TAG_KEYS.items() if row.in_item]),
    )
    feed_table.reject_unknown()
    return options


def read_seasons(table: Table) -> tuple[tuple[int, str], ...]:
    """`[seasons]`: `1 = "Les guichets"`."""
    numbered = []
    for key in table.values:
        name = table.string(key, ..., 128)
        if not re.fullmatch("[1-9][0-9]{0,3}", key):
            table.add_problem(key, "is not a season number", 'write it like 1 = "Name of the season"')
        elif name:
            numbered.append((int(key), name))
    return tuple(sorted(numbered))


def read_feed_variants(tables: Iterable[Table]) -> tuple[FeedVariant, ...]:
    """`[[feeds]]`: feeds of one season, one language or another audio format, each at its own URL."""
    variants: dict[str, FeedVariant] = {}
    for table in tables:
        name = table.string("name", ...)
        variant = FeedVariant(
            name,
            table.string("title", "", 255),
            {"mp3": "audio"}.get(sound := table.choice("audio", "mp3", ("mp3", "m4a", "light")), sound),
            table.integer("season", None, 1, 10_000),
            table.boolean("private", False),
            table.matching("moved_to", *_NEW_FEED_URL),
            description=table.string("description"),
            language=read_language(table),
        )
        if name and (not is_slug(name) or name == "feed"):
            table.add_problem("name", f"“{terminal_safe(name)}” is not a valid name of a feed", f"try {slugify(name) or 'light'}")
        elif name in variants:
            table.add_problem("name", f"“{name}” is already the name of another feed", "give each feed its own name")
        elif name:
            variants[name] = variant
        table.reject_unknown()
    return tuple(variants.values())


def _read_tags(table: Table, names: Iterable[str]) -> tuple[FeedTag, ...]:
    tags = []
    for name in names:
        row = TAG_KEYS[name]
        tables = table.tables(name) if row.is_repeatable else [table.table(name)] if name in table.values else []
        tags += [_read_tag(each, row) for each in tables]
    return tuple(tags)


def _read_tag(table: Table, row: TagKeys) -> FeedTag:
    table.values = {key: str(value) if type(value) in (int, date) else value for key, value in table.values.items()}  # priority = 1
    attributes = []
    for key, (attribute, (pattern, example)) in row.keys.items():
        value = table.matching(key.lstrip("*"), pattern, example, ... if key.startswith("*") else "")
        attributes.append((attribute, value))
    text = table.string(row.text.lstrip("*"), ... if row.text.startswith("*") else "", row.max_chars) if row.text else ""
    present = tuple((name, value) for name, value in attributes if value)
    if row.tag == "podcast:socialInteract" and "disabled" not in dict(present).values() and "uri" not in dict(present):
        table.add_problem("url", "is missing", "give the URL of the post for comments, or protocol = “disabled”")
    table.reject_unknown()
    medium = (("medium", "publisher"),) if row.parent == "podcast:publisher" else ()
    return FeedTag(row.tag, text, (*present, *medium), row.parent)


def _blocked_services(table: Table) -> tuple[FeedTag, ...]:
    """`not_on = ["amazon"]`: services, named as in podcast-namespace, that must not list the show."""
    services = table.strings("not_on")
    for name in services:
        if not re.fullmatch("[a-z0-9_-]{1,64}", name):
            table.add_problem("not_on", f"“{terminal_safe(name)[:40]}” is not a valid service name", "write it like “amazon”")
    return tuple(FeedTag("podcast:block", "yes", (("id", name),)) for name in services)


def _read_image(table: Table, folder: Path) -> FeedImage:
    purpose = table.string("purpose", "", 128)
    for word in purpose.split():
        if word not in IMAGE_PURPOSES:
            table.add_problem("purpose", f"“{terminal_safe(word)}” is not a purpose of an image", f"use {', '.join(IMAGE_PURPOSES)}")
    image = FeedImage(read_file(table, "file", folder, folder, required=True), table.string("alt", "", 255), purpose)
    table.reject_unknown()
    return image


def _read_license_url(table: Table, license: str) -> str:
    """The URL of a licence; required unless it is an identifier (podcast-namespace, docs/tags/license.md)."""
    url = table.matching("license_url", URL, "https://example.org/licence")
    if license and not url and not re.fullmatch(LICENSE_ID, license):
        table.add_problem(
            "license_url", "is missing", f"“{terminal_safe(license)[:40]}” is not an identifier like cc-by-4.0: give the URL of its text"
        )
    return url
