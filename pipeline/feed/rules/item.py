"""The rules for one episode of a feed."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from pipeline.feed.rules.channel import (
    DESCRIPTION_BYTES,
    EPISODE_TAGS,
    HOSTING,
    PSP,
    SPOTIFY,
    is_http_url,
    is_local_url,
    parse_rfc2822_date,
)
from pipeline.feed.rules.feed_reader import Entry, Feed
from pipeline.feed.rules.rule import ADVICE, EPISODE, ERROR, SHOW, Rule, channel_or_item, missing, not_one_of, too_long, too_many_bytes
from pipeline.model import ENCLOSURES

_CHAPTERS_AT_SPOTIFY = "Creating and managing chapters (Spotify for Creators)"
_CHAPTERS_AT_APPLE = "Chapters (podcasters.apple.com/support/5482)"
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")  # RFC 3986, section 2: the characters of a URL
_POSITIVE_INTEGER = re.compile(r"[1-9]\d{0,8}")
_ALLOWED_ELEMENTS = frozenset(("p", "ol", "ul", "li", "a", "b", "i", "strong", "em", "br"))
_HTML_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)[^<>]*>")
_NUMBERED_TITLE = re.compile(r"(?:épisode|episode|ep\.?|s\d+ ?[ex:])\s*#?\d+|#\d+", re.IGNORECASE)
_TIMESTAMP_LINE = re.compile(r"[\n>][ \t\u00a0]*\(?((?:\d{1,2}:)?\d{1,2}:[0-5]\d)\)?[\s:–-]+([^<\n]*)")
_NORMAL_TIME = re.compile(r"(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:\.\d{1,3})?)")  # RFC 2326, 3.6
_URL_ATTRIBUTES = (
    ("enclosure", "url"),
    ("itunes:image", "href"),
    ("podcast:transcript", "url"),
    ("podcast:chapters", "url"),
    ("atom:link", "href"),
)


def extension(url: str) -> str:
    """The extension of a URL's path, in lower case: `.mp3`."""
    try:
        return PurePosixPath(urlsplit(url).path).suffix.lower()
    except ValueError:
        return ""


def _several_enclosures(item: Entry, _: Feed) -> str:
    return f"has {len(item.find_all('enclosure'))} enclosures" if len(item.find_all("enclosure")) > 1 else ""


def _enclosure_type(item: Entry, _: Feed) -> str:
    for tag in item.find_all("enclosure"):
        kinds = ENCLOSURES.get(extension(tag.get("url")))
        if kinds is None:
            return f"has audio whose URL ends in “{extension(tag.get('url'))[:10]}”, which Apple does not play"
        if tag.get("type") not in kinds:
            return f"has audio of type “{tag.get('type')[:40]}”, but its URL ends in {extension(tag.get('url'))}"
    return ""


def _enclosure_length(item: Entry, _: Feed) -> str:
    bad = [tag.get("length") for tag in item.find_all("enclosure") if not re.fullmatch(r"[1-9]\d{0,14}", tag.get("length"))]
    return f"has audio of length “{bad[0][:20]}”" if bad else ""


def _ambiguous_permalink(item: Entry, _: Feed) -> str:
    guid = item.text("guid")
    is_unambiguous = item.attribute("guid", "isPermaLink").lower() == "false" or is_http_url(guid)
    return f'has the guid “{guid[:60]}”, which is not a URL, without isPermaLink="false"' if guid and not is_unambiguous else ""


def _outer_spaces(item: Entry, _: Feed) -> str:
    for name in ("title", "guid"):
        for tag in item.find_all(name):
            if tag.text != tag.text.strip():
                return f"has spaces around its {name}"
    return ""


def _date(item: Entry, _: Feed) -> str:
    text = item.text("pubDate")
    return (
        f"has pubDate “{text[:40]}”, which is not an RFC 2822 date with the right weekday" if text and not parse_rfc2822_date(text) else ""
    )


def _duration(item: Entry, _: Feed) -> str:
    text = item.text("itunes:duration")
    return f"has itunes:duration “{text[:20]}”" if text and not _POSITIVE_INTEGER.fullmatch(text) else ""


def _numbers(item: Entry, _: Feed) -> str:
    for name in ("itunes:episode", "itunes:season"):
        if name in item.tags and not _POSITIVE_INTEGER.fullmatch(item.text(name)):
            return f"has {name} “{item.text(name)[:20]}”"
    return ""


def _non_ascii_urls(value: Feed | Entry, *_: object) -> str:
    item = channel_or_item(value)
    for name, attribute in _URL_ATTRIBUTES:
        for tag in item.find_all(name):
            if not _URL_CHARACTERS.fullmatch(tag.get(attribute)):
                return f"has a URL with characters not allowed by RFC 3986 in {name}: {tag.get(attribute)[:80]}"
    return ""


def _insecure_urls(item: Entry, _: Feed) -> str:
    for name, attribute in _URL_ATTRIBUTES[:2]:
        for tag in item.find_all(name):
            if tag.get(attribute).startswith("http://") and not is_local_url(tag.get(attribute)):
                return f"has a URL without https in {name}: {tag.get(attribute)[:80]}"
    return ""


def _number_in_title(item: Entry, feed: Feed) -> str:
    title, show = item.text("title"), feed.channel.text("title")
    if _NUMBERED_TITLE.match(title):
        return f"has a number in its title, “{title[:60]}”"
    has_show_name = show and title.startswith(show) and title[len(show) :].lstrip()[:1] in tuple(":|#-–—")
    return f"has the show’s name in its title, “{title[:60]}”" if has_show_name else ""


def _disallowed_html(item: Entry, _: Feed) -> str:
    disallowed = {name.lower() for name in _HTML_TAG.findall(item.text("description"))} - _ALLOWED_ELEMENTS
    return f"has <{sorted(disallowed)[0]}> in its description" if disallowed else ""


@lru_cache(1)  # two rules use the same item
def _listed_chapters(description: str) -> list[tuple[int, str]]:
    """The chapters listed in a description: starts in seconds, and titles."""
    found = []
    for time, title in _TIMESTAMP_LINE.findall(f"\n{description}"):
        parts = [int(part) for part in time.split(":")]
        found.append((sum(part * 60**i for i, part in enumerate(reversed(parts))), title.strip()))
    return found


def _bad_chapter_list(item: Entry, _: Feed) -> str:
    starts_s = [start_s for start_s, _ in _listed_chapters(item.text("description"))]
    if starts_s and (starts_s[0] or len(starts_s) < 3 or any(after <= before for before, after in pairwise(starts_s))):
        return f"lists {len(starts_s)} chapters in its description, the first at {starts_s[0]} s"
    return ""


def _long_listed_titles(item: Entry, _: Feed) -> str:
    long = [title for _, title in _listed_chapters(item.text("description")) if len(title) >= 40]
    return f"lists the chapter “{long[0][:60]}”, of {len(long[0])} characters" if long else ""


def _chapters_disagree(item: Entry, _: Feed) -> str:
    listed_s = [start_s for start_s, _ in _listed_chapters(item.text("description"))]
    marks = [tag for chapters in item.find_all("psc:chapters") for tag in chapters.children]
    declared = [int(start_s) for tag in marks if (start_s := _parse_npt(tag.get("start"))) is not None]
    return (
        "lists chapters in its description that differ from psc:chapters"
        if listed_s and declared and sorted(declared) != sorted(listed_s)
        else ""
    )


def _bad_podlove_chapters(item: Entry, _: Feed) -> str:
    for chapters in item.find_all("psc:chapters"):
        marks = [tag for tag in chapters.children if tag.name == "psc:chapter"]
        starts_s = [start_s for tag in marks if (start_s := _parse_npt(tag.get("start"))) is not None]
        if not marks or len(starts_s) < len(marks) or not all(tag.get("title") for tag in marks):
            return "has psc:chapters without a chapter, or one without start and title"
        if any(after < before for before, after in pairwise(starts_s)):
            return "has psc:chapters out of order"
    return ""


def _parse_npt(text: str) -> float | None:
    """A Normal Play Time (RFC 2326, 3.6) in seconds; None when it is invalid."""
    match = _NORMAL_TIME.fullmatch(text)
    return int(match[1] or 0) * 3600 + int(match[2] or 0) * 60 + float(match[3]) if match else None


RULES = (
    Rule("Apple", "item-title", ERROR, EPISODE, EPISODE_TAGS, missing("title"), "give title in episode.toml"),
    Rule("Apple", "item-title-length", ADVICE, EPISODE, f"{HOSTING}, RSS feed", too_long("title", 255), "shorten title in episode.toml"),
    Rule(
        "Apple",
        "item-title-plain",
        ADVICE,
        EPISODE,
        f"{EPISODE_TAGS}, title",
        _number_in_title,
        "put them in itunes:episode and the show’s title only",
    ),
    Rule("Apple", "outer-spaces", ADVICE, EPISODE, f"{HOSTING}, RSS feed", _outer_spaces, "remove them"),
    Rule("Apple", "enclosure", ERROR, EPISODE, EPISODE_TAGS, missing("enclosure", "url"), "build the episode’s audio"),
    Rule(
        "Apple", "one-enclosure", ERROR, EPISODE, EPISODE_TAGS, _several_enclosures, "keep one; other forms are podcast:alternateEnclosure"
    ),
    Rule(
        "Apple",
        "enclosure-type",
        ERROR,
        EPISODE,
        f"{HOSTING}, Enclosure",
        _enclosure_type,
        "publish MP3 as audio/mpeg, AAC as .m4a and audio/x-m4a",
    ),
    Rule("Apple", "enclosure-length", ERROR, EPISODE, f"{HOSTING}, Enclosure", _enclosure_length, "give the file’s size in bytes"),
    Rule("Apple", "guid", ERROR, EPISODE, f"{HOSTING}, GUID", missing("guid"), "give it one that never changes"),
    Rule("Apple", "guid-permalink", ERROR, EPISODE, "RSS 2.0, guid (rssboard.org)", _ambiguous_permalink, 'add isPermaLink="false"'),
    Rule("Apple", "date-form", ERROR, EPISODE, f"{EPISODE_TAGS}, pubDate", _date, "write it like Thu, 15 Jan 2026 19:00:00 +0000"),
    Rule("Apple", "item-description", ADVICE, EPISODE, EPISODE_TAGS, missing("description"), "give summary or description in episode.toml"),
    Rule(
        "Apple",
        "item-description-bytes",
        ERROR,
        EPISODE,
        f"{EPISODE_TAGS}, description",
        too_many_bytes("description", DESCRIPTION_BYTES),
        "shorten description in episode.toml",
    ),
    Rule(
        "Apple",
        "item-description-html",
        ADVICE,
        EPISODE,
        f"{EPISODE_TAGS}, description",
        _disallowed_html,
        "use only p, ol, ul, li, a, b, i, strong, em and br",
    ),
    Rule("Apple", "duration", ADVICE, EPISODE, EPISODE_TAGS, missing("itunes:duration"), "add itunes:duration, in seconds"),
    Rule("Apple", "duration-form", ADVICE, EPISODE, f"{EPISODE_TAGS}, itunes:duration", _duration, "give whole seconds, at least 1"),
    Rule("Apple", "item-explicit", ADVICE, EPISODE, EPISODE_TAGS, missing("itunes:explicit"), "add itunes:explicit, true or false"),
    Rule(
        "Apple", "item-explicit-value", ERROR, EPISODE, EPISODE_TAGS, not_one_of("itunes:explicit", "true", "false"), "write true or false"
    ),
    Rule("Apple", "numbers", ERROR, EPISODE, f"{EPISODE_TAGS}, itunes:episode, itunes:season", _numbers, "give a whole number from 1"),
    Rule(
        "Apple",
        "episode-type",
        ERROR,
        EPISODE,
        f"{EPISODE_TAGS}, itunes:episodeType",
        not_one_of("itunes:episodeType", "full", "trailer", "bonus"),
        "write full, trailer or bonus",
    ),
    Rule(
        "Apple", "url-characters", ERROR, EPISODE, f"{HOSTING}, File names and URLs", _non_ascii_urls, "rename the file: a-z, 0-9, hyphens"
    ),
    Rule("Apple", "plain-http", ADVICE, EPISODE, "App Transport Security (developer.apple.com)", _insecure_urls, "serve it over https"),
    Rule(
        "Apple",
        "show-url-characters",
        ERROR,
        SHOW,
        f"{HOSTING}, File names and URLs",
        _non_ascii_urls,
        "rename the file: a-z, 0-9, hyphens",
    ),
    Rule(
        "Apple",
        "listed-chapters",
        ADVICE,
        EPISODE,
        _CHAPTERS_AT_APPLE,
        _bad_chapter_list,
        "list at least three, in order, the first at 00:00:00",
    ),
    Rule(
        "Apple", "chapters-agree", ADVICE, EPISODE, _CHAPTERS_AT_APPLE, _chapters_disagree, "make them the same: apps read one or the other"
    ),
    Rule("Spotify", "date", ERROR, EPISODE, SPOTIFY, missing("pubDate"), "give published in episode.toml"),
    Rule(
        "Spotify",
        "listed-chapter-titles",
        ADVICE,
        EPISODE,
        _CHAPTERS_AT_SPOTIFY,
        _long_listed_titles,
        "keep chapter titles below 40 characters",
    ),
    Rule(
        "Spotify",
        "podlove-chapters",
        ERROR,
        EPISODE,
        "Podlove Simple Chapters 1.2",
        _bad_podlove_chapters,
        "give each a start like 00:01:30.000 and a title, in order",
    ),
    Rule("PSP-1", "item-link", ADVICE, EPISODE, f"{PSP}, item: link", missing("link"), "link to the episode’s page"),
    Rule(
        "PSP-1",
        "item-transcript",
        ADVICE,
        EPISODE,
        f"{PSP}, podcast:transcript",
        missing("podcast:transcript", "url"),
        "build its transcript",
    ),
)
