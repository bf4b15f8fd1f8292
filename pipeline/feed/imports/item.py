"""One item of an imported feed as an episode, with notes on what could not be kept."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pipeline.config import DESCRIPTION_CHARS, parse_time
from pipeline.feed.imports import field_parsers
from pipeline.feed.imports.html_text import clean_title, html_to_text, single_line, truncate
from pipeline.feed.imports.namespace_tags import FeedKeys, item_feed_keys
from pipeline.feed.imports.xml_reader import Element
from pipeline.model import Chapter, EpisodeInfo, Person, Soundbite, format_clock

NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)  # of an episode without a date in the feed
MAX_CHARS = {"title": 255, "summary": 500, "description": DESCRIPTION_CHARS}  # the limits of pipeline/config/loader.py
_DOCUMENT_TYPES = frozenset("application/pdf application/epub+zip application/zip application/msword application/json".split())

# What `pipeline/feed/rss_item.py` adds to every description, as `html_to_text` reads it
_GENERATED_LINES = (
    "Lire la transcription ({link})",
    "Read the transcript ({link})",
    "Sous-titres en anglais : traduction automatique.",
    "English captions: machine translation.",
)
# RSS treats a GUID as a URL unless isPermaLink is false; podcastparser (gPodder) then resolves it against the feed's URL
_AMBIGUOUS_GUID = (
    'GUID “{}” is not a URL and lacks isPermaLink="false": a few players (gPodder) changed it, and will show the episode as new'
)


@dataclass(frozen=True)
class LinkedFile:
    """A file that an item links to: an enclosure, a transcript. `bytes` is the declared length, 0 when there is none."""

    url: str
    type: str = ""
    bytes: int = 0
    language: str = ""


@dataclass(frozen=True)
class ImportedItem:
    """An episode from a feed item. The GUID in `info` is the feed's text unchanged; the date is `NO_DATE` when there is none."""

    info: EpisodeInfo
    enclosure: LinkedFile
    chapters: tuple[Chapter, ...] = ()
    chapters_url: str = ""  # URL of JSON chapters, used when there are no others
    transcripts: tuple[LinkedFile, ...] = ()
    image: str = ""  # URL
    soundbites: tuple[Soundbite, ...] = ()
    feed: FeedKeys = field(default_factory=dict)  # [feed] in its episode.toml
    notes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class ImportContext:
    """What all items of a feed share: relative URLs are resolved against `base`."""

    base: str
    people: dict[str, Person]
    explicit: bool
    is_from_causerie: bool  # such a feed repeats chapters and the transcript link in its descriptions


def find_enclosure(item: Element, base: str) -> LinkedFile | None:
    """The item's sound: the first of its enclosures that is audio, else video, else of no known type; None for an item that has none."""
    for tag in ("enclosure", "media:content"):
        found = [(rank, each) for each in _linked_media(item, tag, base) if (rank := _sound_rank(each)) is not None]
        if tag == "media:content":
            found = [(rank, each) for rank, each in found if each.type.startswith(("audio/", "video/"))]
        if found:
            return min(found, key=lambda ranked: ranked[0])[1]
    return None


def _linked_media(item: Element, tag: str, base: str) -> list[LinkedFile]:
    """The files of an item's `enclosure` or `media:content`, in the order of the feed, without those that have no valid URL."""
    files = []
    for each in item.find_all(tag):
        length = each.attributes.get("length", "") or each.attributes.get("fileSize", "")
        url = field_parsers.normalise_url(each.attributes.get("url", ""), _base_url(item, base))
        kind = single_line(each.attributes.get("type", "")).lower()
        files.append(LinkedFile(url, kind, field_parsers.parse_int(length, 999_999_999) or 0))
    return [each for each in files if each.url]


def _sound_rank(file: LinkedFile) -> int | None:
    """How likely a file is the episode's sound, 0 first; None for a picture or a document. The extension speaks where the type does not."""
    by_name = mimetypes.guess_type(urlsplit(file.url).path)[0] or ""
    for rank, kind in enumerate((file.type, by_name)):
        if kind.startswith("audio/") or kind == "application/ogg":
            return 2 * rank
        if kind.startswith("video/"):
            return 2 * rank + 1
    is_other = (kind.startswith(("image/", "text/")) or kind in _DOCUMENT_TYPES for kind in (file.type, by_name))
    return None if any(is_other) else 4


def _enclosure_notes(item: Element, chosen: LinkedFile, base: str) -> list[str]:
    """Which of several enclosures is the episode's sound, and the others; an enclosure without a valid URL."""
    files = _linked_media(item, "enclosure", base)
    others = [f"{each.url[:200]} ({each.type or 'no type'})" for each in files if each != chosen]
    notes = [f"has several enclosures: its sound is {chosen.url[:200]}, left out: {', '.join(others)}"] if others else []
    invalid = sum(1 for _ in item.find_all("enclosure")) - len(files)
    return notes + ([f"<enclosure> without a valid URL, {invalid} of them: left out"] if invalid else [])


def item_guid(item: Element, enclosure: LinkedFile) -> tuple[str, str]:
    """The GUID, character by character as in the feed, and a note when it is missing or ambiguous.

    Without a GUID, players use the URL of the enclosure, so subscribers already have that one.
    """
    guid = next((each for each in item.find_all("guid") if each.text.strip()), None)
    if guid is None:
        gpodder_note = (
            ", as in most players; some (gPodder) used its page’s, and will show the episode as new" if item.find_text("link") else ""
        )
        return enclosure.url, f"has no GUID: the URL of its audio file becomes its GUID{gpodder_note}"
    is_permalink = guid.attributes.get("isPermaLink", "true").strip().lower() != "false"
    return guid.text, _AMBIGUOUS_GUID.format(single_line(guid.text)[:80]) if is_permalink and not field_parsers.normalise_url(
        guid.text
    ) else ""


def parse_item(item: Element, slug: str, guid: str, enclosure: LinkedFile, context: ImportContext) -> ImportedItem:
    """An item as the episode `slug`."""
    base = _base_url(item, context.base)
    full_title = clean_title(item.find_text("title", "itunes:title")) or slug
    published, date_note = field_parsers.parse_date(item.find_text("pubDate", "dc:date"))
    notes = [date_note]
    chapters, chapter_notes = _podlove_chapters(item, base)
    credits, credit_notes = field_parsers.parse_credits(item.find_all("podcast:person"), context.people)
    generated = _generated_paragraphs(item, chapters, base) if context.is_from_causerie else frozenset()
    summary, description, text_notes = summary_and_description(item, generated, context.is_from_causerie)
    numbers = {key: _number(item, key, most, notes) for key, most in (("episode", 100_000), ("season", 10_000))}
    info = EpisodeInfo(
        slug=slug,
        title=truncate(full_title, MAX_CHARS["title"]),
        summary=summary or truncate(full_title, MAX_CHARS["title"]),
        published=published or NO_DATE,
        number=numbers["episode"],
        season=numbers["season"],
        kind=_kind(item, notes),
        description=description,
        explicit=_explicit(item, context.explicit, notes),
        credits=credits,
        guid=guid,
    )
    if len(full_title) > MAX_CHARS["title"]:
        notes.append(f"title has {len(full_title)} characters: shortened to {MAX_CHARS['title']}")
    notes += _enclosure_notes(item, enclosure, context.base)
    transcripts = _transcripts(item, base)
    if len(transcripts) > 1:
        notes.append(f"has {len(transcripts)} transcripts, of which one is kept: {', '.join(each.url[:200] for each in transcripts)}")
    keys, key_notes = item_feed_keys(item, base)
    parsed = ImportedItem(
        info,
        enclosure,
        chapters,
        _linked_url(item, "podcast:chapters", "url", base) if not chapters else "",
        transcripts,
        _linked_url(item, "itunes:image", "href", base),
        _soundbites(item, notes),
        keys,
    )
    return replace(parsed, notes=tuple(filter(None, (*notes, *key_notes, *chapter_notes, *credit_notes, *text_notes))))


def summary_and_description(
    element: Element, generated: frozenset[str] = frozenset(), is_from_causerie: bool = False, max_chars: int = DESCRIPTION_CHARS
) -> tuple[str, str, tuple[str, ...]]:
    """A summary (at most 500 characters), a description (at most `max_chars`, empty when the summary holds everything), and notes.

    The longest text that fits is the description; the summary is a short text of the feed, else the start of the long one.
    """
    tags = ("content:encoded", "description", "itunes:summary", "itunes:subtitle", "googleplay:description")
    raw = {tag: element.find_text(tag) for tag in tags}
    converted = {text: html_to_text(text) for text in dict.fromkeys(raw.values())}  # hosts repeat one text in several tags
    by_tag = {tag: converted[text] for tag, text in raw.items()}
    notes = [f"text: {lost} is left out" for lost in dict.fromkeys(lost for each in by_tag.values() for lost in each.dropped)]
    text_by_tag = {tag: _drop_paragraphs(each.text, generated) for tag, each in by_tag.items()}
    candidates = [text_by_tag["description"]] if is_from_causerie else text_by_tag.values()  # feeds of Causerie keep the two apart
    long = max(candidates, key=lambda text: (0 < len(text) <= max_chars, len(text)))
    if not long:
        return "", "", tuple(notes)
    others = (single_line(text_by_tag[tag]) for tag in ("itunes:summary", "description", "itunes:subtitle") if text_by_tag[tag] != long)
    short = next((text for text in others if 0 < len(text) <= MAX_CHARS["summary"]), "") or truncate(
        long.split("\n")[0], MAX_CHARS["summary"]
    )
    short = re.sub(r"(?<=[.!?…])\s*\[(?:…|\.{3})\]$", "", short)  # how WordPress ends an excerpt
    description = truncate(long, max_chars) if long != short else ""
    if len(long) > max_chars:
        notes.append(f"text: {len(long)} characters are shortened to {max_chars}: the whole text is kept only in feeds/imported.xml")
    kept_text = f"{_comparable(description)} {_comparable(short)}"
    for tag, text in text_by_tag.items():
        if text not in ("", short, description) and _comparable(text) not in kept_text:
            start = truncate(single_line(text), 60)
            notes.append(f"{tag} ({len(text)} characters, “{start}”) is kept only in feeds/imported.xml")
    return short, description, tuple(notes)


def _drop_paragraphs(text: str, dropped: frozenset[str]) -> str:
    return "\n\n".join(each for each in text.split("\n\n") if each not in dropped) if dropped else text


def _comparable(text: str) -> str:
    """A text for comparison: without spaces, and without the marks that end an excerpt."""
    return "".join(text.casefold().split()).rstrip("…[].")


def _generated_paragraphs(item: Element, chapters: tuple[Chapter, ...], base: str) -> frozenset[str]:
    """The paragraphs that Causerie generates in a description, and will generate again."""
    link = field_parsers.normalise_url(item.find_text("link"), base)
    lines = (f"{format_clock(mark.start_s, always_hours=True)} {mark.title}" for mark in chapters)
    return frozenset((*map(single_line, lines), *(each.format(link=link) for each in _GENERATED_LINES)))


def _base_url(item: Element, base: str) -> str:
    declared = item.attributes.get("xml:base", "")
    return field_parsers.normalise_url(declared, base) or base if declared else base


def _linked_url(item: Element, tag: str, attribute: str, base: str) -> str:
    urls = (field_parsers.normalise_url(each.attributes.get(attribute, ""), base) for each in item.find_all(tag))
    return next(filter(None, urls), "")


def _podlove_chapters(item: Element, base: str) -> tuple[tuple[Chapter, ...], tuple[str, ...]]:
    """Podlove's simple chapters."""
    listed = [each for group in item.find_all("psc:chapters") for each in group.find_all("psc:chapter")]
    rows = ((each.attributes.get("start", ""), each.attributes.get("title", ""), each.attributes.get("href", "")) for each in listed)
    kept, notes = field_parsers.parse_chapters(rows, base)
    pictures = sum(bool(each.attributes.get("image")) for each in listed)
    return kept, (*notes, *([f"chapter images ({pictures}) are left out"] if pictures else []))


def _transcripts(item: Element, base: str) -> tuple[LinkedFile, ...]:
    transcripts = []
    for each in item.find_all("podcast:transcript"):
        if url := field_parsers.normalise_url(each.attributes.get("url", ""), base):
            transcripts.append(
                LinkedFile(url, single_line(each.attributes.get("type", "")).lower(), 0, single_line(each.attributes.get("language", "")))
            )
    return tuple(dict.fromkeys(transcripts))


def _number(item: Element, key: str, maximum: int, notes: list[str]) -> int | None:
    text = item.find_text(f"itunes:{key}", f"podcast:{key}")
    number = field_parsers.parse_int(text, maximum)
    if text and number is None:
        notes.append(f"{key} “{single_line(text)[:40]}” is not a whole number from 1: left out")
    return number


def _kind(item: Element, notes: list[str]) -> str:
    kind = single_line(item.find_text("itunes:episodeType")).lower() or "full"
    if kind not in ("full", "trailer", "bonus"):
        notes.append(f"itunes:episodeType “{kind[:40]}” is unknown: full is used")
        return "full"
    return kind


def _explicit(item: Element, default: bool, notes: list[str]) -> bool:
    text = item.find_text("itunes:explicit", "googleplay:explicit")
    value = field_parsers.parse_bool(text)
    if text and value is None:
        notes.append(f"itunes:explicit “{single_line(text)[:40]}” is unknown: the show's value is used, {str(default).lower()}")
    return default if value is None else value


def _soundbites(item: Element, notes: list[str]) -> tuple[Soundbite, ...]:
    """`podcast:soundbite`, with a note for each whose duration `episode.toml` does not allow."""
    kept = []
    for each in item.find_all("podcast:soundbite"):
        start_s, duration_s = (_parse_seconds(each.attributes.get(key, "")) for key in ("startTime", "duration"))
        if start_s is None or duration_s is None or not 1 <= duration_s <= 600:
            notes.append(f"soundbite “{single_line(each.text)[:60]}” has no start, or no duration from 1 to 600 s: left out")
        else:
            kept.append(Soundbite(start_s, duration_s, truncate(clean_title(each.text), 128)))
    return tuple(kept)


def _parse_seconds(text: str) -> float | None:
    return parse_time(text) if len(text) <= 20 else None
