"""A stranger's feed as a show: pure, values in and values out. `pipeline/feed/workspace.py` writes it, `pipeline/bringing.py` does the rest."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.catalog import RESERVED
from pipeline.errors import CauserieError
from pipeline.feed import terms
from pipeline.feed.items import KNOWN, NO_DATE, Context, Item, Linked, enclosure, identity, read_item, texts
from pipeline.feed.ledger import episode_guid, podcast_guid
from pipeline.feed.reading import Element, channel
from pipeline.feed.wording import line, shortened, title
from pipeline.model import Credit, Person, ShowInfo
from pipeline.text import slugify

_KNOWN = frozenset(
    "title link description language copyright generator docs ttl lastBuildDate pubDate image item webMaster managingEditor atom:link "
    "itunes:title itunes:author itunes:summary itunes:subtitle itunes:category itunes:explicit itunes:image itunes:type itunes:owner "
    "itunes:block itunes:complete itunes:new-feed-url itunes:keywords podcast:guid podcast:locked podcast:medium podcast:license "
    "podcast:person podcast:image dc:creator content:encoded".split()
)


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
    notes: tuple[Note, ...] = ()


def imported(data: bytes, source: str, feed_url: str = "") -> Imported:
    """The show in a feed's bytes; `source` names it in errors, `feed_url` is where it was fetched, empty for a file.

    A `CauserieError` for what is no RSS feed, or holds no episode. Whatever else is wrong is a note.
    """
    root, mended = channel(data, source)
    feed_url = feed_url or _own_address(root)
    base = terms.address(root.attributes.get("xml:base", "")) or feed_url or terms.address(root.words("link"))
    named = [(each, base) for holder in (root, *root.all("item")) for each in holder.all("podcast:person")]
    people, people_notes = terms.people(named)
    info, notes = _info(root, base, feed_url)
    context = Context(base, people, info.explicit, line(root.words("generator")) == "Causerie")
    items, item_notes = _items(root, info, context, source)
    credits, items, credit_notes = _shared(root, people, items)
    items = _numbered(items, info)
    of_show = [Note("show", text) for text in (*mended, *people_notes, *notes, *credit_notes)]
    of_items = [Note(item.info.slug, text) for item in items for text in item.notes]
    return Imported(
        replace(info, credits=credits),
        tuple(people.values()),
        items,
        _image(root, base),
        feed_url,
        tuple(dict.fromkeys((*of_show, *item_notes, *_unknown(root), *of_items))),
    )


def slugs(found: Iterable[tuple[str, str]]) -> list[str]:
    """A name for each (title, GUID), in that order: readable, unique, none of those Causerie uses itself."""
    taken: dict[str, int] = {name: 0 for name in RESERVED}
    return [terms.alone(_slug(name, guid), taken) for name, guid in found]


def _slug(name: str, guid: str) -> str:
    slug = slugify(name)
    if len(slug) > 60 and "-" in slug[:60]:
        slug = slug[:60].rpartition("-")[0]
    return slug or f"episode-{hashlib.sha256(guid.encode()).hexdigest()[:8]}"


def _info(root: Element, base: str, feed_url: str) -> tuple[ShowInfo, list[str]]:
    notes: list[str] = []
    name = title(root.words("title", "itunes:title"))
    if not name:
        notes.append("the feed has no title: write the show's in show.toml")
        name = "Titre à écrire"
    summary, description, text_notes = texts(root)
    author = title(root.words("itunes:author", "dc:creator", "managingEditor"))
    if not author:
        notes.append("the feed names no author: the show's title stands for it in show.toml")
    categories, category_notes = terms.categories(root.all("itunes:category"))
    if not categories:
        notes.append("categories: none that directories know: write at least one in show.toml, nothing can be built before")
    info = ShowInfo(
        title=shortened(name, 255),
        description=description or summary or name,
        author=shortened(author or name, 255),
        website=_website(root, base, notes),
        language=_language(root, notes),
        email=_email(root),
        copyright=_copyright(root, notes),
        license=_license(root, notes),
        categories=categories,
        kind=_kind(root, notes),
        explicit=_explicit(root, notes),
        cover_alt=_alt(root),
        guid=_guid(root, feed_url, notes),
    )
    return info, [*notes, *text_notes, *category_notes, *_told(root, feed_url, info)]


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
    return common, tuple(replace(item, info=replace(item.info, credits=mine)) for item, mine in zip(items, own, strict=True)), [*notes, *told]


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
    return [Note("show", f"<{tag[:60]}>, {number} time{'' if number == 1 else 's'}: kept only in feeds/imported.xml") for tag, number in sorted(counts.items())]


def _told(root: Element, feed_url: str, info: ShowInfo) -> list[str]:
    """What the feed says of itself that a person has to know."""
    moved = terms.address(root.words("itunes:new-feed-url"))
    told = []
    if moved and moved != feed_url:
        told.append(f"the feed says that it moved to {moved}: import that one if it is not the same")
    if terms.yes(root.words("itunes:block")):
        told.append("the show was hidden from directories (itunes:block): Causerie does not say so")
    if terms.yes(root.words("itunes:complete")):
        told.append("the show was said to be complete (itunes:complete): Causerie does not say so")
    if info.email:
        told.append(f"email: {info.email} will stand in the feed (podcast:locked), where anybody can read it")
    return told


def _own_address(root: Element) -> str:
    links = (each for each in root.all("atom:link") if each.attributes.get("rel") == "self")
    return next(filter(None, (terms.address(each.attributes.get("href", "")) for each in links)), "")


def _guid(root: Element, feed_url: str, notes: list[str]) -> str:
    own = line(root.words("podcast:guid"))
    if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", own):
        return own
    if own:
        notes.append(f"its podcast:guid is no UUID, “{own[:60]}”: left out")
    if not feed_url:
        notes.append("the feed has no podcast:guid and does not say its address: one is made from the new address at the first build")
        return ""
    notes.append(f"the feed has no podcast:guid: made from its address, {feed_url}")
    return podcast_guid(feed_url)


def _website(root: Element, base: str, notes: list[str]) -> str:
    own = terms.address(root.words("link"), base)
    found = re.sub(r"^http:", "https:", re.sub(r"[?#\"].*", "", own))
    if not found:
        found = f"https://podcast.example.org/{slugify(title(root.words('title')))[:60].strip('-') or 'show'}/"
    found = found if found.endswith("/") else f"{found}/"
    notes.append(f"website: {found} is a guess: write in show.toml where you will publish, and have the old feed redirect to its feed.xml")
    return found


def _language(root: Element, notes: list[str]) -> str:
    text = line(root.words("language")).replace("_", "-")
    found = re.match(r"([a-z]{2})(?:-([a-z]{2})\b)?(?![a-z])", text, re.I)
    if not found:
        notes.append(f"language: {f'“{text[:40]}” is unknown' if text else 'the feed does not say it'}: fr is assumed, see show.toml")
        return "fr"
    return found[1].lower() + (f"-{found[2]}" if found[2] else "")


def _email(root: Element) -> str:
    owners = [each.words("itunes:email") for each in root.all("itunes:owner")]
    said = (each.attributes.get("owner", "") for each in root.all("podcast:locked"))
    found = (line(text) for text in (*said, *owners))
    return next((text for text in found if re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", text)), "")


def _copyright(root: Element, notes: list[str]) -> str:
    text = title(root.words("copyright"))
    holder = re.sub(r"(?i)\bcopyright\b|©|℗|\(c\)|&copy;|\b(?:19|20)\d\d(?:\s*[-–]\s*(?:(?:19|20)\d\d|present))?", "", text)
    holder = line(holder).strip(" ,.;:-–—/")
    if holder != text:
        notes.append(f"copyright: “{text[:80]}” is “{holder[:80]}”, the holder alone, as directories want it")
    return shortened(holder, 255)


def _license(root: Element, notes: list[str]) -> str:
    text = line(root.words("podcast:license")).lower()
    if len(text) > 128:
        notes.append("license: has more than 128 characters: cut")
    return text[:128].strip()


def _kind(root: Element, notes: list[str]) -> str:
    kind = line(root.words("itunes:type")).lower() or "episodic"
    if kind not in ("episodic", "serial"):
        notes.append(f"type: “{kind[:40]}” is unknown: episodic")
        return "episodic"
    return kind


def _explicit(root: Element, notes: list[str]) -> bool:
    text = root.words("itunes:explicit")
    if text and terms.yes(text) is None:
        notes.append(f"explicit: “{line(text)[:40]}” is neither true nor false: false")
    return bool(terms.yes(text))


def _alt(root: Element) -> str:
    return shortened(next((line(each.attributes["alt"]) for each in root.all("podcast:image") if each.attributes.get("alt")), ""), 255)


def _image(root: Element, base: str) -> str:
    links = [each.attributes.get("href", "") for each in root.all("itunes:image")]
    links += [each.words("url") for each in root.all("image")]
    return next(filter(None, (terms.address(link, base) for link in links)), "")
