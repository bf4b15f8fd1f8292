"""A stranger's feed as a show: values in, values out. `pipeline/feed/workspace.py` writes it, `pipeline/bringing.py` does the rest."""

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
    """Something a person should know; `where` is an episode's slug, or "show"."""

    where: str
    text: str


@dataclass(frozen=True)
class Imported:
    """A show as its feed tells it, the oldest episode first. `info.guid` is the feed's own podcast:guid, or made from `feed_url`."""

    info: ShowInfo
    people: tuple[Person, ...]
    items: tuple[Item, ...]
    image: str = ""  # the cover's address
    feed_url: str = ""
    feed: Keys = field(default_factory=dict)  # what show.toml has under [feed]
    seasons: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def imported(data: bytes, source: str, feed_url: str = "", website: str = "", found_at: str = "") -> Imported:
    """The show in a feed's bytes; `source` names it in errors, `feed_url` is what subscribers have, empty for a file.

    `website` is where it will be published, empty when nobody said. `found_at` is where redirects led: relative addresses are
    completed from there (RFC 3986, 5.1.3).

    A `CauserieError` for what is no RSS feed, or holds no episode. Whatever else is wrong is a note.
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
    """A name for each (title, GUID), in that order: readable, unique, none of those Causerie uses itself."""
    taken: dict[str, int] = dict.fromkeys(RESERVED, 0)
    return [terms.alone(_slug(name, guid), taken) for name, guid in found]


def _slug(name: str, guid: str) -> str:
    slug = slugify(name)
    if len(slug) > 60 and "-" in slug[:60]:
        slug = slug[:60].rpartition("-")[0]
    return slug or f"episode-{hashlib.sha256(guid.encode()).hexdigest()[:8]}"


def _items(root: Element, info: ShowInfo, context: Context, source: str) -> tuple[tuple[Item, ...], list[Note]]:
    """Every item that has a sound, oldest first, with its slug and an identity of its own."""
    notes: list[Note] = []
    rows: list[tuple[Element, Linked, str, str]] = []
    given: dict[str, Linked] = {}
    for item in root.all("item"):
        name = title(item.words("title", "itunes:title"))
        sound = enclosure(item, context.base)
        if sound is None:
            notes.append(Note("show", f"“{name[:80]}” has no sound: it is no episode, and was left out"))
            continue
        guid, note = identity(item, sound)
        if given.get(guid) == sound:
            notes.append(Note("show", f"“{name[:80]}” is there twice, with one GUID and one sound: taken once"))
            continue
        if guid in given:
            note = f"had the GUID of another episode, “{guid[:80]}”, so players hid one of them: it has a new one, and will appear as new"
            guid = episode_guid(info.guid or podcast_guid("causerie"), f"{guid} {sound.url} {len(rows)}")
        given[guid] = sound
        rows.append((item, sound, guid, note))
    if not rows:
        raise CauserieError("has no episode with a sound", source, "give the address that podcast players subscribe to")
    rows.reverse()  # feeds have the newest first; a sort keeps that order where dates do not tell
    rows.sort(key=lambda row: terms.moment(row[0].words("pubDate", "dc:date"))[0] or NO_DATE)
    named = slugs((title(item.words("title", "itunes:title")), guid) for item, _, guid, _ in rows)
    items = []
    for slug, (item, sound, guid, note) in zip(named, rows, strict=True):
        read = read_item(item, slug, guid, sound, context)
        items.append(replace(read, notes=(note, *read.notes)) if note else read)
    return tuple(items), notes


def _shared(root: Element, people: dict[str, Person], items: tuple[Item, ...]) -> tuple[tuple[Credit, ...], tuple[Item, ...], list[str]]:
    """The show's credits and each episode's own.

    In a feed an episode's people replace the show's; in a show they are added to them. So the show keeps those whom every
    episode that names anybody names too; the others go to the episodes that name nobody.
    """
    found, notes = terms.credits(root.all("podcast:person"), people)
    naming = [set(item.info.credits) for item in items if item.info.credits]
    common = tuple(credit for credit in found if all(credit in named for named in naming))
    rest = tuple(credit for credit in found if credit not in common)
    told = [f"{credit.person.name} ({credit.role}) is not in every episode: credited in those only" for credit in rest]
    own = (tuple(credit for credit in (item.info.credits or rest) if credit not in common) for item in items)
    credited = tuple(replace(item, info=replace(item.info, credits=mine)) for item, mine in zip(items, own, strict=True))
    return common, credited, [*notes, *told]


def _numbered(items: tuple[Item, ...], info: ShowInfo) -> tuple[Item, ...]:
    """The items, no number twice in a season: `pipeline/catalog.py` refuses that, and a serial show's full episode without one."""
    kept: list[Item] = []
    seen: dict[tuple[int | None, int], str] = {}
    for item in items:
        episode, note = item.info, ""
        if episode.number is not None and episode.kind != "trailer":
            other = seen.setdefault((episode.season, episode.number), episode.slug)
            if other != episode.slug:
                note = f"has the number of {other}, {episode.number}: left out, give it its own"
                episode = replace(episode, number=None)
        if episode.number is None and info.kind == "serial" and episode.kind == "full":
            note = f"{note}; " if note else ""
            note += "has no number in a serial show: write one in its episode.toml, nothing can be built before"
        kept.append(replace(item, info=episode, notes=(*item.notes, note)) if note else item)
    return tuple(kept)


def _unknown(root: Element) -> list[Note]:
    """Each tag that nothing here reads, once, with how often it stands."""
    counts = Counter(child.tag for child in root.children if child.tag not in _KNOWN)
    counts.update(child.tag for item in root.all("item") for child in item.children if child.tag not in KNOWN)
    often = {tag: f"{number} time{'' if number == 1 else 's'}" for tag, number in sorted(counts.items())}
    return [Note("show", f"<{tag[:60]}>, {times}: kept only in feeds/imported.xml") for tag, times in often.items()]
