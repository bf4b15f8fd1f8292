"""An imported feed as a show: pure functions. `toml_writer` formats it, `importer` downloads and writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipeline.config import RESERVED_SLUGS
from pipeline.feed import episode_guid, podcast_guid
from pipeline.feed.imports import field_parsers
from pipeline.feed.imports.channel import cover_url, parse_show_info, self_link_url
from pipeline.feed.imports.html_text import clean_title, single_line
from pipeline.feed.imports.item import (
    NO_DATE,
    ImportContext,
    ImportedItem,
    LinkedFile,
    find_enclosure,
    item_guid,
    parse_item,
)
from pipeline.feed.imports.losses import Kept, kept_values, loss_notes
from pipeline.feed.imports.namespace_tags import FeedKeys, channel_feed_keys, read_season_names
from pipeline.feed.imports.xml_reader import Element, parse_channel
from pipeline.model import CauserieError, Credit, Person, ShowInfo, slugify


@dataclass(frozen=True)
class ImportNote:
    """A note for the user; `where` is an episode's slug, or "show"."""

    where: str
    text: str


@dataclass(frozen=True)
class ImportedShow:
    """A show read from its feed, the oldest episode first. `info.guid` is the feed's podcast:guid, or derived from `feed_url`."""

    info: ShowInfo
    people: tuple[Person, ...]
    items: tuple[ImportedItem, ...]
    image: str = ""  # URL of the cover
    feed_url: str = ""
    feed: FeedKeys = field(default_factory=dict)  # [feed] of show.toml
    seasons: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[ImportNote, ...] = ()


def convert_feed(data: bytes, source: str, feed_url: str = "", website: str = "", resolved_url: str = "") -> ImportedShow:
    """The show in a feed's bytes; `source` names it in errors, `feed_url` is the subscribers' URL, empty for a file.

    `website` is where the show will be published, empty when unknown. `resolved_url` is the URL after redirects: relative URLs are
    resolved against it (RFC 3986, 5.1.3).

    Raises `CauserieError` when it is not an RSS feed, or has no episode. Every other defect becomes a note.
    """
    root, repairs = parse_channel(data, source)
    feed_url = feed_url or self_link_url(root)
    base = (
        field_parsers.normalise_url(root.attributes.get("xml:base", ""))
        or resolved_url
        or feed_url
        or field_parsers.normalise_url(root.find_text("link"))
    )
    person_elements = [(each, base) for parent in (root, *root.find_all("item")) for each in parent.find_all("podcast:person")]
    people, people_notes = field_parsers.parse_people(person_elements)
    info, notes = parse_show_info(root, base, feed_url, website)
    context = ImportContext(base, people, info.explicit, single_line(root.find_text("generator")) == "Causerie")
    elements, items, item_notes = _convert_items(root, info, context, source)
    credits, items, credit_notes = _split_credits(root, people, items)
    items = _drop_duplicate_numbers(items, info)
    keys, key_notes = channel_feed_keys(root, base)
    show_notes = [ImportNote("show", text) for text in (*repairs, *people_notes, *notes, *key_notes, *credit_notes)]
    episode_notes = [ImportNote(item.info.slug, text) for item in items for text in item.notes]
    seasons = read_season_names(root.find_all("item"))
    show = ImportedShow(replace(info, credits=credits), tuple(people.values()), items, cover_url(root, base), feed_url, keys, seasons)
    losses = _losses(root, show, elements, base)
    return replace(show, notes=tuple(dict.fromkeys((*show_notes, *item_notes, *losses, *episode_notes))))


def assign_slugs(titles_and_guids: Iterable[tuple[str, str]]) -> list[str]:
    """A slug for each (title, GUID), in that order: readable, unique, not reserved by Causerie."""
    taken: dict[str, int] = dict.fromkeys(RESERVED_SLUGS, 0)
    return [field_parsers.unique_name(_base_slug(name, guid), taken) for name, guid in titles_and_guids]


def _base_slug(name: str, guid: str) -> str:
    slug = slugify(name)
    if len(slug) > 60 and "-" in slug[:60]:
        slug = slug[:60].rpartition("-")[0]
    return slug or f"episode-{hashlib.sha256(guid.encode()).hexdigest()[:8]}"


def _convert_items(
    root: Element, info: ShowInfo, context: ImportContext, source: str
) -> tuple[list[Element], tuple[ImportedItem, ...], list[ImportNote]]:
    """Every item with audio, oldest first, with its slug and a GUID of its own: its element, and the episode."""
    notes: list[ImportNote] = []
    rows: list[tuple[Element, LinkedFile, str, str]] = []
    seen: dict[str, LinkedFile] = {}
    for item in root.find_all("item"):
        name = clean_title(item.find_text("title", "itunes:title"))
        audio = find_enclosure(item, context.base)
        if audio is None:
            notes.append(ImportNote("show", f"“{name[:80]}” has no audio: not an episode, left out"))
            continue
        guid, note = item_guid(item, audio)
        if seen.get(guid) == audio:
            notes.append(ImportNote("show", f"“{name[:80]}” appears twice with the same GUID and audio: imported once"))
            continue
        if guid in seen:
            note = f"has the GUID of another episode, “{guid[:80]}”, so players hid one of them: it gets a new GUID, and will appear as new"
            guid = episode_guid(info.guid or podcast_guid("causerie"), f"{guid} {audio.url} {len(rows)}")
        seen[guid] = audio
        rows.append((item, audio, guid, note))
    if not rows:
        raise CauserieError("has no episode with audio", source, "give the URL that podcast players subscribe to")
    rows.reverse()  # feeds list the newest first; the stable sort keeps that order where dates are equal
    rows.sort(key=lambda row: field_parsers.parse_date(row[0].find_text("pubDate", "dc:date"))[0] or NO_DATE)
    slugs = assign_slugs((clean_title(item.find_text("title", "itunes:title")), guid) for item, _, guid, _ in rows)
    items = []
    for slug, (item, audio, guid, note) in zip(slugs, rows, strict=True):
        parsed = parse_item(item, slug, guid, audio, context)
        items.append(replace(parsed, notes=(note, *parsed.notes)) if note else parsed)
    return [element for element, *_ in rows], tuple(items), notes


def _split_credits(
    root: Element, people: dict[str, Person], items: tuple[ImportedItem, ...]
) -> tuple[tuple[Credit, ...], tuple[ImportedItem, ...], list[str]]:
    """The show's credits, and the items with credits of their own.

    In a feed an episode's people replace the show's; in `show.toml` they are added. So the show keeps the credits that every episode
    with people has too; its other credits go to the episodes without people.
    """
    show_credits, notes = field_parsers.parse_credits(root.find_all("podcast:person"), people)
    credited_sets = [set(item.info.credits) for item in items if item.info.credits]
    common = tuple(credit for credit in show_credits if all(credit in credits_of_item for credits_of_item in credited_sets))
    rest = tuple(credit for credit in show_credits if credit not in common)
    moved_notes = [f"{credit.person.name} ({credit.role}) is not in every episode: credited only where they appear" for credit in rest]
    own_credits = (tuple(credit for credit in (item.info.credits or rest) if credit not in common) for item in items)
    credited = tuple(
        replace(item, info=replace(item.info, credits=item_credits)) for item, item_credits in zip(items, own_credits, strict=True)
    )
    return common, credited, [*notes, *moved_notes]


def _drop_duplicate_numbers(items: tuple[ImportedItem, ...], info: ShowInfo) -> tuple[ImportedItem, ...]:
    """The items without duplicate numbers in a season, which the configuration refuses; a note for serial episodes without one."""
    numbered: list[ImportedItem] = []
    full = {(item.info.season, item.info.number): item.info.slug for item in reversed(items) if item.info.kind == "full"}
    # a bonus may carry the number of the episode it belongs to, which keeps it
    seen = {(season, number): slug for (season, number), slug in full.items() if number is not None}
    for item in items:
        episode, note = item.info, ""
        if episode.number is not None and episode.kind != "trailer":
            first_slug = seen.setdefault((episode.season, episode.number), episode.slug)
            if first_slug != episode.slug:
                note = f"has the same number as {first_slug}, {episode.number}: left out, set its own in its episode.toml"
                episode = replace(episode, number=None)
        if episode.number is None and info.kind == "serial" and episode.kind == "full":
            note = f"{note}; " if note else ""
            note += "has no number in a serial show: set one in its episode.toml before you build"
        numbered.append(replace(item, info=episode, notes=(*item.notes, note)) if note else item)
    return tuple(numbered)


def _losses(root: Element, show: ImportedShow, elements: Iterable[Element], base: str) -> list[ImportNote]:
    """A note for each kind of element that the show does not hold; `elements` are those of its items."""
    info = show.info
    links = [text for person in show.people for text in (person.name, person.url, person.image)]
    channel = [info.title, info.author, info.email, info.cover_alt, info.language, show.image, show.feed_url, root.find_text("link")]
    kept_by_item = {id(element): _item_values(element, item, show, links, base) for element, item in zip(elements, show.items, strict=True)}
    return [ImportNote("show", text) for text in loss_notes(root, kept_values((*channel, *links), base), kept_by_item)]


def _item_values(element: Element, item: ImportedItem, show: ImportedShow, links: list[str], base: str) -> Kept:
    """The values of an episode that come of one of several elements."""
    info = item.info
    numbers = [str(number) for number in (info.number, info.season) if number is not None]
    dates = [text for text in (each.text for each in element.find_all("dc:date")) if field_parsers.parse_date(text)[0] == info.published]
    files = [each.url for each in item.transcripts]
    values = [
        *files,
        info.title,
        show.info.author,
        item.image,
        item.chapters_url,
        item.enclosure.url,
        show.seasons.get(info.season or 0, ""),
    ]
    return kept_values((*values, str(item.feed.get("number_label", "")), *numbers, *dates, *links), base)
