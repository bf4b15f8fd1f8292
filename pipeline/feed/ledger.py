"""`feeds/ledger.json`: the GUIDs of the show and its episodes, and what each publication contained.

It belongs in version control and is never rebuilt: for a player, an episode with another GUID is another episode.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.engine import read_json, write_json
from pipeline.model import CauserieError, terminal_safe

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_GUID_NAMESPACE = "ead4c236-bf58-58c6-a2c6-a6b28d128cb6"  # podcast-namespace, docs/tags/guid.md
_PODCAST_NAMESPACE_URL = "https://podcastindex.org/namespace/1.0"


@dataclass(frozen=True)
class PublishedItem:
    """An episode as published. `text_sha256` covers the whole item except its audio: texts, credits, links."""

    guid: str
    title: str
    url: str  # of the enclosure
    bytes: int
    text_sha256: str = ""


@dataclass(frozen=True)
class PublicationRecord:
    """The contents of one publication, newest episode first."""

    at: datetime
    target: str  # "public", "s3://bucket/prefix"
    feed_sha256: str
    episodes: tuple[PublishedItem, ...]
    podcast: str = ""  # its podcast:guid
    show_sha256: str = ""  # of the channel without its items and dates


@dataclass(frozen=True)
class Ledger:
    """GUIDs by slug, and publications, oldest first."""

    guid: str = ""  # podcast:guid
    feed_url: str = ""  # the URL that the GUID was derived from, for the record
    episodes: Mapping[str, str] = field(default_factory=dict)
    publications: tuple[PublicationRecord, ...] = ()
    feeds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by name: `guid`, and `key`, the path below the website

    def latest(self, target: str) -> PublicationRecord | None:
        """The latest publication to `target`."""
        return next((publication for publication in reversed(self.publications) if publication.target == target), None)

    def baseline(self, target: str) -> PublicationRecord | None:
        """What subscribers have: the latest publication to `target`, else the latest to any target (a moved or imported show)."""
        return self.latest(target) or (self.publications[-1] if self.publications else None)


def podcast_guid(feed_url: str) -> str:
    """The podcast:guid of a feed: UUIDv5 of its URL without scheme and trailing slashes (podcast-namespace, docs/tags/guid.md)."""
    return episode_guid(_GUID_NAMESPACE, re.sub(r"^[a-z][a-z0-9+.-]*://", "", feed_url, flags=re.IGNORECASE).rstrip("/"))


def episode_guid(podcast: str, slug: str) -> str:
    """The GUID of a new episode: UUIDv5 of its slug in the namespace of the podcast:guid."""
    import uuid

    return str(uuid.uuid5(uuid.UUID(podcast), slug))


def assign_guids(ledger: Ledger, feed_url: str, slugs: Iterable[str]) -> Ledger:
    """The ledger with a GUID for the show and for each episode; existing GUIDs never change."""
    if not ledger.guid:
        ledger = replace(ledger, guid=podcast_guid(feed_url), feed_url=feed_url)
    added = {slug: episode_guid(ledger.guid, slug) for slug in slugs if slug not in ledger.episodes}
    return replace(ledger, episodes={**ledger.episodes, **added})


def assign_feed_keys(ledger: Ledger, website: str, private_by_name: Mapping[str, bool], make_token: Callable[[], str]) -> Ledger:
    """The ledger with a path and a GUID for each feed in `private_by_name`; a private feed gets an unguessable path.

    `feed` is the main feed: it has an entry only when it is private. `make_token` returns unguessable text. A feed that changes
    between private and public gets a new path; its GUID stays.
    """
    feeds = dict(ledger.feeds)
    for name, private in private_by_name.items():
        entry = feeds.get(name, {})
        public_key = f"feeds/{name}/feed.xml"
        key = entry.get("key", public_key if not private else "")
        if not key or private == (key == public_key):
            key = f"feeds/{make_token()}/feed.xml" if private else public_key
        guid = ledger.guid if name == "feed" else entry.get("guid") or podcast_guid(website + key)
        feeds[name] = {"guid": guid, "key": key}
    return replace(ledger, feeds=feeds)


def adopt_guids(ledger: Ledger, guid: str, episodes: Mapping[str, str]) -> Ledger:
    """The ledger with the GUIDs of an imported show; raises `CauserieError` when one contradicts a GUID in the ledger."""
    if guid and ledger.guid not in ("", guid):
        raise CauserieError(f"the show's podcast:guid is already {ledger.guid}, not {guid}", "feeds/ledger.json")
    if guid and not _is_uuid(guid):
        raise CauserieError(f"podcast:guid {guid!r} is not a UUID", "feeds/ledger.json", "leave it out to get a new one")
    owners = {existing: slug for slug, existing in ledger.episodes.items()}
    for slug, guid_to_adopt in episodes.items():
        if ledger.episodes.get(slug, guid_to_adopt) != guid_to_adopt or owners.setdefault(guid_to_adopt, slug) != slug:
            raise CauserieError(
                f"episode {slug} cannot have the GUID {guid_to_adopt}: one of them is already assigned", "feeds/ledger.json"
            )
    return replace(ledger, guid=guid or ledger.guid, episodes={**ledger.episodes, **episodes})


def read_publication(feed: bytes, *, at: datetime, target: str) -> PublicationRecord:
    """The record of a publication, read from the published feed of Causerie."""
    from xml.etree import ElementTree

    channel = ElementTree.fromstring(feed).find("channel")
    if channel is None:
        raise ValueError("no channel")
    podcast = channel.findtext(f"{{{_PODCAST_NAMESPACE_URL}}}guid", "")
    episodes = tuple(map(_published_item, channel.iterfind("item")))
    for tag in [*channel.iterfind("item"), *channel.iterfind("pubDate"), *channel.iterfind("lastBuildDate")]:
        channel.remove(tag)
    return PublicationRecord(at, target, hashlib.sha256(feed).hexdigest(), episodes, podcast, _digest(channel))


def record_publication(ledger: Ledger, publication: PublicationRecord) -> Ledger:
    """The ledger with one more publication; unchanged when it equals the latest to its target."""
    last = ledger.latest(publication.target)
    if last is not None and replace(last, at=publication.at) == publication:
        return ledger
    # Only the latest publication to a target is compared with the next: older ones keep their date and digest, not their episodes.
    earlier = (replace(old, episodes=()) if old.target == publication.target else old for old in ledger.publications)
    return replace(ledger, publications=(*earlier, publication))


def load_ledger(path: Path) -> Ledger:
    """The ledger in a file, empty when there is no file; raises `CauserieError` when it is damaged, and never overwrites it."""
    if not path.exists():
        return Ledger()
    try:
        value = read_json(path)
        ledger = ledger_from_json(value)
    except (CauserieError, KeyError, TypeError, ValueError, AttributeError) as error:
        hint = "it holds the GUIDs of published episodes: restore it from version control"
        raise CauserieError("is damaged", str(path), hint) from error
    _reject_duplicates(path, ledger)
    return ledger


def _reject_duplicates(path: Path, ledger: Ledger) -> None:
    """Raise `CauserieError` when a key is written twice, as after a merge, or when two episodes have one GUID: players would hide one."""
    text = path.read_text("utf-8")
    if key := _duplicate_key(text):
        lines = [
            text.count("\n", 0, found.start()) + 1 for found in re.finditer(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:", text)
        ]
        where = f"{path}: line {lines[1]}" if len(lines) == 2 else str(path)
        hint = "keep the one whose GUID the published feed has, and remove the other"
        raise CauserieError(f"has “{terminal_safe(key)[:80]}” twice", where, hint)
    owners: dict[str, str] = {}
    for slug, guid in ledger.episodes.items():
        if owners.setdefault(guid, slug) != slug:
            slugs = f"{terminal_safe(owners[guid])} and {terminal_safe(slug)}"
            message = f"gives {slugs} the same GUID, {terminal_safe(guid)[:80]}, so players would hide one"
            raise CauserieError(message, str(path), "remove the line of the episode that is gone, or that was never published")


def _duplicate_key(text: str) -> str:
    """The first key that a JSON object holds twice, of which readers keep one in silence; empty when there is none."""
    duplicates: list[str] = []

    def find(pairs: list[tuple[str, object]]) -> None:
        counts = Counter(key for key, _ in pairs)
        duplicates.extend(key for key, count in counts.items() if count > 1)

    json.loads(text, object_pairs_hook=find)
    return next(iter(duplicates), "")


def save_ledger(path: Path, ledger: Ledger) -> None:
    """Write the ledger atomically."""
    write_json(path, ledger_to_json(ledger))


def ledger_to_json(ledger: Ledger) -> dict[str, object]:
    """The ledger as JSON values."""
    return {
        "version": 1,
        "podcast": {"guid": ledger.guid, "feed_url": ledger.feed_url},
        "episodes": dict(ledger.episodes),
        **({"feeds": {name: dict(feed) for name, feed in ledger.feeds.items()}} if ledger.feeds else {}),
        "publications": [{**asdict(publication), "at": publication.at.isoformat()} for publication in ledger.publications],
    }


def ledger_from_json(value: dict[str, Any]) -> Ledger:  # as `json` types what it reads
    """The inverse of `ledger_to_json`; raises `ValueError` or `KeyError` for anything else."""
    podcast, episodes = value["podcast"], value["episodes"]
    is_valid = all(isinstance(guid, str) and guid for guid in episodes.values()) and (not podcast["guid"] or _is_uuid(podcast["guid"]))
    if value["version"] != 1 or not is_valid:
        raise ValueError("not a ledger")
    feeds = {name: {"guid": feed["guid"], "key": feed["key"]} for name, feed in value.get("feeds", {}).items()}
    return Ledger(**podcast, episodes=episodes, publications=tuple(map(_publication_from_json, value["publications"])), feeds=feeds)


def _publication_from_json(value: dict[str, Any]) -> PublicationRecord:  # as `json` types what it reads
    items = tuple(PublishedItem(**episode) for episode in value["episodes"])
    return PublicationRecord(**{**value, "at": datetime.fromisoformat(value["at"]), "episodes": items})


def _published_item(item: Element) -> PublishedItem:
    """The item's digest excludes its audio files: a new file is not a new text."""
    enclosure = item.find("enclosure")
    if enclosure is None:
        raise CauserieError("has an episode without audio", "feed.xml")
    url, length = enclosure.attrib["url"], int(enclosure.attrib["length"])
    for file in (enclosure, *item.iterfind(f"{{{_PODCAST_NAMESPACE_URL}}}alternateEnclosure")):
        item.remove(file)
    return PublishedItem(item.findtext("guid", ""), item.findtext("title", ""), url, length, _digest(item))


def _digest(element: Element) -> str:
    """SHA-256 of the canonical XML, so that layout does not matter."""
    from xml.etree import ElementTree

    text = ElementTree.canonicalize(ElementTree.tostring(element, encoding="unicode"), strip_text=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _is_uuid(text: str) -> bool:
    import uuid

    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False
