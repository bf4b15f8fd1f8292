"""One item of an imported feed as an episode, with notes on what could not be kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pipeline.feed import terms
from pipeline.feed.imported_keys import ITEM, Keys, item_keys
from pipeline.feed.reading import Element
from pipeline.feed.wording import line, plain, shortened, title
from pipeline.fields import seconds
from pipeline.model import Chapter, EpisodeInfo, Person
from pipeline.sound_model import Soundbite
from pipeline.text import hms

NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)  # of an episode without a date in the feed
LONGEST = {"title": 255, "summary": 500, "description": 4000}  # the limits of pipeline/config/loader.py
KNOWN = frozenset(
    "title link description guid pubDate enclosure content:encoded dc:date itunes:title itunes:summary itunes:subtitle itunes:duration "
    "itunes:episode itunes:season itunes:episodeType itunes:explicit itunes:image itunes:author itunes:block podcast:season "
    "podcast:episode podcast:person podcast:transcript podcast:chapters podcast:soundbite psc:chapters dc:creator "
    "podcast:alternateEnclosure comments media:content media:thumbnail googleplay:explicit googleplay:image googleplay:description".split()
).union(ITEM)

# What `pipeline/feed/rss_item.py` adds to every description, as `html_to_text` reads it
_GENERATED = (
    "Lire la transcription ({link})",
    "Read the transcript ({link})",
    "Sous-titres en anglais : traduction automatique.",
    "English captions: machine translation.",
)
# RSS treats a GUID as a URL unless isPermaLink is false; podcastparser (gPodder) then resolves it against the feed's URL
_HALF_LINK = 'GUID “{}” is not a URL and lacks isPermaLink="false": a few players (gPodder) changed it, and will show the episode as new'


@dataclass(frozen=True)
class Linked:
    """A file that an item links to: an enclosure, a transcript. `bytes` is the declared length, 0 when there is none."""

    url: str
    type: str = ""
    bytes: int = 0
    language: str = ""


@dataclass(frozen=True)
class Item:
    """An episode from a feed item. The GUID in `info` is the feed's text unchanged; the date is `NO_DATE` when there is none."""

    info: EpisodeInfo
    enclosure: Linked
    chapters: tuple[Chapter, ...] = ()
    chapters_url: str = ""  # URL of JSON chapters, used when there are no others
    transcripts: tuple[Linked, ...] = ()
    image: str = ""  # URL
    soundbites: tuple[Soundbite, ...] = ()
    feed: Keys = field(default_factory=dict)  # [feed] in its episode.toml
    notes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Context:
    """What all items of a feed share: relative URLs are resolved against `base`."""

    base: str
    people: dict[str, Person]
    explicit: bool
    by_causerie: bool  # such a feed repeats chapters and the transcript link in its descriptions


def enclosure(item: Element, base: str) -> Linked | None:
    """The item's audio: its first enclosure with a URL; None for an item that is not an episode."""
    for each in (*item.all("enclosure"), *item.all("media:content")):
        url = terms.address(each.attributes.get("url", ""), _base(item, base))
        kind = line(each.attributes.get("type", "")).lower()
        if url and (each.tag == "enclosure" or kind.startswith(("audio/", "video/"))):
            length = each.attributes.get("length", "") or each.attributes.get("fileSize", "")
            return Linked(url, kind, terms.whole(length, 999_999_999) or 0)
    return None


def identity(item: Element, sound: Linked) -> tuple[str, str]:
    """The GUID, character by character as in the feed, and a note when it is missing or ambiguous.

    Without a GUID, players use the URL of the enclosure, so subscribers already have that one.
    """
    own = next((each for each in item.all("guid") if each.text.strip()), None)
    if own is None:
        others = ", as in most players; some (gPodder) used its page’s, and will show the episode as new" if item.words("link") else ""
        return sound.url, f"has no GUID: the URL of its audio file becomes its GUID{others}"
    is_link = own.attributes.get("isPermaLink", "true").strip().lower() != "false"
    return own.text, _HALF_LINK.format(line(own.text)[:80]) if is_link and not terms.address(own.text) else ""


def read_item(item: Element, slug: str, guid: str, sound: Linked, context: Context) -> Item:
    """An item as the episode `slug`."""
    base = _base(item, context.base)
    name = title(item.words("title", "itunes:title")) or slug
    published, date_note = terms.moment(item.words("pubDate", "dc:date"))
    notes = [date_note]
    chapters, chapter_notes = _chapters(item, base)
    credits, credit_notes = terms.credits(item.all("podcast:person"), context.people)
    repeated = _repeated(item, chapters, base) if context.by_causerie else frozenset()
    summary, description, text_notes = texts(item, repeated, context.by_causerie)
    numbers = {key: _number(item, key, most, notes) for key, most in (("episode", 100_000), ("season", 10_000))}
    info = EpisodeInfo(
        slug=slug,
        title=shortened(name, LONGEST["title"]),
        summary=summary or shortened(name, LONGEST["title"]),
        published=published or NO_DATE,
        number=numbers["episode"],
        season=numbers["season"],
        kind=_kind(item, notes),
        description=description,
        explicit=_explicit(item, context.explicit, notes),
        credits=credits,
        guid=guid,
    )
    if len(name) > LONGEST["title"]:
        notes.append(f"title has {len(name)} characters: shortened to {LONGEST['title']}")
    if sum(1 for _ in item.all("enclosure")) > 1:
        notes.append("has several enclosures: the first is used")
    keys, key_notes = item_keys(item, base)
    read = Item(
        info,
        sound,
        chapters,
        _linked(item, "podcast:chapters", "url", base) if not chapters else "",
        _transcripts(item, base),
        _linked(item, "itunes:image", "href", base),
        _soundbites(item, notes),
        keys,
    )
    return replace(read, notes=tuple(filter(None, (*notes, *key_notes, *chapter_notes, *credit_notes, *text_notes))))


def texts(found: Element, repeated: frozenset[str] = frozenset(), by_causerie: bool = False) -> tuple[str, str, tuple[str, ...]]:
    """A summary (at most 500 characters), a description (at most 4000, empty when the summary holds everything), and notes.

    The longest text that fits is the description; the summary is a short text of the feed, else the start of the long one.
    """
    tags = ("content:encoded", "description", "itunes:summary", "itunes:subtitle", "googleplay:description")
    raw = {tag: found.words(tag) for tag in tags}
    once = {text: plain(text) for text in dict.fromkeys(raw.values())}  # hosts repeat one text in several tags
    read = {tag: once[text] for tag, text in raw.items()}
    notes = [f"text: {lost} is left out" for lost in dict.fromkeys(lost for each in read.values() for lost in each.lost)]
    kept = {tag: _without(each.text, repeated) for tag, each in read.items()}
    told = [kept["description"]] if by_causerie else kept.values()  # feeds of Causerie keep the two apart
    long = max(told, key=lambda text: (len(text) <= LONGEST["description"], len(text)))
    if not long:
        return "", "", tuple(notes)
    others = (line(kept[tag]) for tag in ("itunes:summary", "description", "itunes:subtitle") if kept[tag] != long)
    short = next((text for text in others if 0 < len(text) <= LONGEST["summary"]), "") or shortened(long.split("\n")[0], LONGEST["summary"])
    short = re.sub(r"(?<=[.!?…])\s*\[(?:…|\.{3})\]$", "", short)  # how WordPress ends an excerpt
    description = shortened(long, LONGEST["description"]) if long != short else ""
    all_kept = f"{_bare(description)} {_bare(short)}"
    for tag, text in kept.items():
        if text not in ("", short, description) and _bare(text) not in all_kept:
            start = shortened(line(text), 60)
            notes.append(f"{tag} ({len(text)} characters, “{start}”) is kept only in feeds/imported.xml")
    return short, description, tuple(notes)


def _without(text: str, repeated: frozenset[str]) -> str:
    return "\n\n".join(each for each in text.split("\n\n") if each not in repeated) if repeated else text


def _bare(text: str) -> str:
    """A text for comparison: without spaces, and without the marks that end an excerpt."""
    return "".join(text.casefold().split()).rstrip("…[].")


def _repeated(item: Element, chapters: tuple[Chapter, ...], base: str) -> frozenset[str]:
    """The paragraphs that Causerie generates in a description, and will generate again."""
    link = terms.address(item.words("link"), base)
    marks = (f"{hms(mark.start_s, always_hours=True)} {mark.title}" for mark in chapters)
    return frozenset((*map(line, marks), *(each.format(link=link) for each in _GENERATED)))


def _base(item: Element, base: str) -> str:
    own = item.attributes.get("xml:base", "")
    return terms.address(own, base) or base if own else base


def _linked(item: Element, tag: str, attribute: str, base: str) -> str:
    found = (terms.address(each.attributes.get(attribute, ""), base) for each in item.all(tag))
    return next(filter(None, found), "")


def _chapters(item: Element, base: str) -> tuple[tuple[Chapter, ...], tuple[str, ...]]:
    """Podlove's simple chapters."""
    listed = [each for group in item.all("psc:chapters") for each in group.all("psc:chapter")]
    rows = ((each.attributes.get("start", ""), each.attributes.get("title", ""), each.attributes.get("href", "")) for each in listed)
    kept, notes = terms.chapters(rows, base)
    pictures = sum(bool(each.attributes.get("image")) for each in listed)
    return kept, (*notes, *([f"chapter images ({pictures}) are left out"] if pictures else []))


def _transcripts(item: Element, base: str) -> tuple[Linked, ...]:
    found = []
    for each in item.all("podcast:transcript"):
        if url := terms.address(each.attributes.get("url", ""), base):
            found.append(Linked(url, line(each.attributes.get("type", "")).lower(), 0, line(each.attributes.get("language", ""))))
    return tuple(dict.fromkeys(found))


def _number(item: Element, key: str, most: int, notes: list[str]) -> int | None:
    text = item.words(f"itunes:{key}", f"podcast:{key}")
    number = terms.whole(text, most)
    if text and number is None:
        notes.append(f"{key} “{line(text)[:40]}” is not a whole number from 1: left out")
    return number


def _kind(item: Element, notes: list[str]) -> str:
    kind = line(item.words("itunes:episodeType")).lower() or "full"
    if kind not in ("full", "trailer", "bonus"):
        notes.append(f"itunes:episodeType “{kind[:40]}” is unknown: full is used")
        return "full"
    return kind


def _explicit(item: Element, default: bool, notes: list[str]) -> bool:
    text = item.words("itunes:explicit", "googleplay:explicit")
    said = terms.yes(text)
    if text and said is None:
        notes.append(f"itunes:explicit “{line(text)[:40]}” is unknown: the show's value is used, {str(default).lower()}")
    return default if said is None else said


def _soundbites(item: Element, notes: list[str]) -> tuple[Soundbite, ...]:
    """`podcast:soundbite`, with a note for each whose duration `episode.toml` does not allow."""
    kept = []
    for each in item.all("podcast:soundbite"):
        start_s, duration_s = (_seconds(each.attributes.get(key, "")) for key in ("startTime", "duration"))
        if start_s is None or duration_s is None or not 1 <= duration_s <= 600:
            notes.append(f"soundbite “{line(each.text)[:60]}” has no start, or no duration from 1 to 600 s: left out")
        else:
            kept.append(Soundbite(start_s, duration_s, shortened(title(each.text), 128)))
    return tuple(kept)


def _seconds(text: str) -> float | None:
    return seconds(text) if len(text) <= 20 else None
