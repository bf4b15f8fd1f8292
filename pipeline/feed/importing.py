"""An imported feed as a show: pure functions. `toml_writer` formats it, `importer` downloads and writes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipeline.catalog import RESERVED
from pipeline.errors import CauserieError
from pipeline.feed import terms
from pipeline.feed.channels import image, own_address, show_info
from pipeline.feed.imported_item import KNOWN, NO_DATE, Context, Item, Linked, enclosure, identity, read_item
from pipeline.feed.imported_keys import SHOW, Keys, season_names, show_keys
from pipeline.feed.ledger import episode_guid, podcast_guid
from pipeline.feed.reading import Element, channel
from pipeline.feed.wording import line, title
from pipeline.model import Credit, Person, ShowInfo
from pipeline.text import slugify

_KNOWN = frozenset(
    "title link description language copyright generator docs ttl lastBuildDate pubDate image item webMaster managingEditor atom:link "
    "itunes:title itunes:author itunes:summary itunes:subtitle itunes:category itunes:explicit itunes:image itunes:type itunes:owner "
    "itunes:block itunes:complete itunes:new-feed-url itunes:keywords podcast:guid podcast:locked podcast:medium podcast:license "
    "podcast:person podcast:image dc:creator content:encoded".split()
).union(SHOW)


@dataclass(frozen=True)
class Note:
    """A note for the user; `where` is an episode's slug, or "show"."""

    where: str
    text: str


@dataclass(frozen=True)
class Imported:
    """A show read from its feed, the oldest episode first. `info.guid` is the feed's podcast:guid, or derived from `feed_url`."""

    info: ShowInfo
    people: tuple[Person, ...]
    items: tuple[Item, ...]
    image: str = ""  # URL of the cover
    feed_url: str = ""
    feed: Keys = field(default_factory=dict)  # [feed] of show.toml
    seasons: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def imported(data: bytes, source: str, feed_url: str = "", website: str = "", found_at: str = "") -> Imported:
    """The show in a feed's bytes; `source` names it in errors, `feed_url` is the subscribers' URL, empty for a file.

    `website` is where the show will be published, empty when unknown. `found_at` is the URL after redirects: relative URLs are
    resolved against it (RFC 3986, 5.1.3).

    Raises `CauserieError` when it is not an RSS feed, or has no episode. Every other defect becomes a note.
    """
    root, mended = channel(data, source)
    feed_url = feed_url or own_address(root)
    base = terms.address(root.attributes.get("xml:base", "")) or found_at or feed_url or terms.address(root.words("link"))
    named = [(each, base) for holder in (root, *root.all("item")) for each in holder.all("podcast:person")]
    people, people_notes = terms.people(named)
    info, notes = show_info(root, base, feed_url, website)
    context = Context(base, people, info.explicit, line(root.words("generator")) == "Causerie")
    items, item_notes = _items(root, info, context, source)
    credits, items, credit_notes = _shared(root, people, items)
    items = _numbered(items, info)
    keys, key_notes = show_keys(root, base)
    of_show = [Note("show", text) for text in (*mended, *people_notes, *notes, *key_notes, *credit_notes)]
    of_items = [Note(item.info.slug, text) for item in items for text in item.notes]
    return Imported(
        replace(info, credits=credits),
        tuple(people.values()),
        items,
        image(root, base),
        feed_url,
        keys,
        season_names(root.all("item")),
        tuple(dict.fromkeys((*of_show, *item_notes, *_unknown(root), *of_items))),
    )


def slugs(found: Iterable[tuple[str, str]]) -> list[str]:
    """A slug for each (title, GUID), in that order: readable, unique, not reserved by Causerie."""
    taken: dict[str, int] = dict.fromkeys(RESERVED, 0)
    return [terms.alone(_slug(name, guid), taken) for name, guid in found]


def _slug(name: str, guid: str) -> str:
    slug = slugify(name)
    if len(slug) > 60 and "-" in slug[:60]:
        slug = slug[:60].rpartition("-")[0]
    return slug or f"episode-{hashlib.sha256(guid.encode()).hexdigest()[:8]}"


def _items(root: Element, info: ShowInfo, context: Context, source: str) -> tuple[tuple[Item, ...], list[Note]]:
    """Every item with audio, oldest first, with its slug and a GUID of its own."""
    notes: list[Note] = []
    rows: list[tuple[Element, Linked, str, str]] = []
    given: dict[str, Linked] = {}
    for item in root.all("item"):
        name = title(item.words("title", "itunes:title"))
        sound = enclosure(item, context.base)
        if sound is None:
            notes.append(Note("show", f"“{name[:80]}” has no audio: not an episode, left out"))
            continue
        guid, note = identity(item, sound)
        if given.get(guid) == sound:
            notes.append(Note("show", f"“{name[:80]}” appears twice with the same GUID and audio: imported once"))
            continue
        if guid in given:
            note = f"has the GUID of another episode, “{guid[:80]}”, so players hid one of them: it gets a new GUID, and will appear as new"
            guid = episode_guid(info.guid or podcast_guid("causerie"), f"{guid} {sound.url} {len(rows)}")
        given[guid] = sound
        rows.append((item, sound, guid, note))
    if not rows:
        raise CauserieError("has no episode with audio", source, "give the URL that podcast players subscribe to")
    rows.reverse()  # feeds list the newest first; the stable sort keeps that order where dates are equal
    rows.sort(key=lambda row: terms.moment(row[0].words("pubDate", "dc:date"))[0] or NO_DATE)
    named = slugs((title(item.words("title", "itunes:title")), guid) for item, _, guid, _ in rows)
    items = []
    for slug, (item, sound, guid, note) in zip(named, rows, strict=True):
        read = read_item(item, slug, guid, sound, context)
        items.append(replace(read, notes=(note, *read.notes)) if note else read)
    return tuple(items), notes


def _shared(root: Element, people: dict[str, Person], items: tuple[Item, ...]) -> tuple[tuple[Credit, ...], tuple[Item, ...], list[str]]:
    """The show's credits, and the items with credits of their own.

    In a feed an episode's people replace the show's; in `show.toml` they are added. So the show keeps the credits that every episode
    with people has too; its other credits go to the episodes without people.
    """
    found, notes = terms.credits(root.all("podcast:person"), people)
    naming = [set(item.info.credits) for item in items if item.info.credits]
    common = tuple(credit for credit in found if all(credit in named for named in naming))
    rest = tuple(credit for credit in found if credit not in common)
    told = [f"{credit.person.name} ({credit.role}) is not in every episode: credited only where they appear" for credit in rest]
    own = (tuple(credit for credit in (item.info.credits or rest) if credit not in common) for item in items)
    credited = tuple(replace(item, info=replace(item.info, credits=mine)) for item, mine in zip(items, own, strict=True))
    return common, credited, [*notes, *told]


def _numbered(items: tuple[Item, ...], info: ShowInfo) -> tuple[Item, ...]:
    """The items without duplicate numbers in a season, which the configuration refuses; a note for serial episodes without one."""
    kept: list[Item] = []
    seen: dict[tuple[int | None, int], str] = {}
    for item in items:
        episode, note = item.info, ""
        if episode.number is not None and episode.kind != "trailer":
            other = seen.setdefault((episode.season, episode.number), episode.slug)
            if other != episode.slug:
                note = f"has the same number as {other}, {episode.number}: left out, set its own in its episode.toml"
                episode = replace(episode, number=None)
        if episode.number is None and info.kind == "serial" and episode.kind == "full":
            note = f"{note}; " if note else ""
            note += "has no number in a serial show: set one in its episode.toml before you build"
        kept.append(replace(item, info=episode, notes=(*item.notes, note)) if note else item)
    return tuple(kept)


def _unknown(root: Element) -> list[Note]:
    """A note for each tag that the import does not read, with the number of times it occurs."""
    counts = Counter(child.tag for child in root.children if child.tag not in _KNOWN)
    counts.update(child.tag for item in root.all("item") for child in item.children if child.tag not in KNOWN)
    often = {tag: f"{number} time{'' if number == 1 else 's'}" for tag, number in sorted(counts.items())}
    return [Note("show", f"<{tag[:60]}>, {times}: kept only in feeds/imported.xml") for tag, times in often.items()]
