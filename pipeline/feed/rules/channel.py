"""The rules for a feed's channel."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urlsplit

from pipeline.feed.rules.feed_reader import Feed
from pipeline.feed.rules.rule import ADVICE, ERROR, SHOW, Rule, missing, not_one_of, too_long, too_many_bytes
from pipeline.model import CATEGORIES, LANGUAGES, suggest

DESCRIPTION_BYTES = 4000
MAX_INDEXED_BYTES = 25_000_000
_GUIDE = "A Podcaster’s Guide to RSS (Apple, in podcast-namespace: itunes_reference.md)"
SHOW_TAGS, EPISODE_TAGS = f"{_GUIDE}, Show tags", f"{_GUIDE}, Episode tags"
HOSTING = "Technical updates for hosting providers (podcasters.apple.com/4115)"
PSP = "PSP-1 (Podcast-Standards-Project/PSP-1-Podcast-RSS-Specification)"
SPOTIFY = "Requirements of a feed (Spotify, content-ops.atspotify.com, article 360050808931)"
_MAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")
_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(:\d{2})? ([+-]\d{4}|GMT|UT|[ECMP][SD]T)")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SINGLE_TAGS = ("title", "link", "description", "language", "copyright", "lastBuildDate", "itunes:image", "itunes:explicit", "itunes:type")


@lru_cache(1 << 15)
def parse_rfc2822_date(text: str) -> datetime | None:
    """An RFC 2822 date with the right day of the week; None for anything else."""
    if not _DATE.fullmatch(text):
        return None
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo and _DAYS[found.weekday()] == text[:3] else None


def is_http_url(text: str) -> bool:
    """Whether a text is an absolute http or https URL."""
    return text.startswith(("https://", "http://")) and len(text) > len("https://")


def _no_itunes_namespace(feed: Feed) -> str:
    return "" if "itunes" in feed.namespaces else "does not declare the itunes namespace, so Apple ignores those tags"


def _missing_namespaces(feed: Feed) -> str:
    required = {"podcast", "atom"} | ({"content"} if any("content:encoded" in item.tags for item in feed.items) else set())
    missing_prefixes = sorted(required - feed.namespaces)
    return f"does not declare the namespace {missing_prefixes[0]}" if missing_prefixes else ""


def _unknown_language(feed: Feed) -> str:
    language = feed.channel.text("language")
    if not language:
        return "has no language"
    is_well_formed = re.fullmatch("[a-z]{2}(-[A-Za-z]{2,8})?", language)
    return "" if is_well_formed and language[:2] in LANGUAGES else f"has the language “{language[:20]}”, which is not an ISO 639 code"


def _unknown_category(feed: Feed) -> str:
    for tag in feed.channel.find_all("itunes:category"):
        name = tag.get("text")
        if name not in CATEGORIES:
            return f"has the category “{name[:60]}”, which is not in Apple’s list ({suggest(name, CATEGORIES)})"
        for child in tag.children:
            if child.name == "itunes:category" and child.get("text") not in CATEGORIES[name]:
                return f"has the subcategory “{child.get('text')[:60]}”, which is not in {name}"
    return ""


def _bad_block_value(feed: Feed) -> str:
    for entry in (feed.channel, *feed.items):
        for name in ("itunes:block", "itunes:complete"):
            if name in entry.tags and entry.text(name) != "Yes":
                return f"has {name} “{entry.text(name)[:20]}”, but only Yes has an effect"
    return ""


def _bad_new_feed_url(feed: Feed) -> str:
    return (
        ""
        if all(is_http_url(tag.text.strip()) for tag in feed.channel.find_all("itunes:new-feed-url"))
        else "has no URL in itunes:new-feed-url"
    )


def _copyright_with_mark(feed: Feed) -> str:
    text = feed.channel.text("copyright")
    return f"has the copyright “{text[:60]}”" if re.search(r"©|\(c\)|copyright|\b(19|20)\d\d\b", text, re.IGNORECASE) else ""


def _bad_self_link(feed: Feed) -> str:
    for tag in feed.channel.find_all("atom:link"):
        if tag.get("rel") == "self":
            if not is_http_url(tag.get("href")):
                return "has a self link without a URL"
            return "" if tag.get("type") == "application/rss+xml" else "has a self link that is not of type application/rss+xml"
    return "has no atom:link to itself"


def _bad_hub(feed: Feed) -> str:
    hubs = [tag.get("href") for tag in feed.channel.find_all("atom:link") if tag.get("rel") == "hub"]
    return "" if all(map(is_http_url, hubs)) else "has a WebSub hub link without a URL"


def _bad_build_date(feed: Feed) -> str:
    text = feed.channel.text("lastBuildDate")
    return f"has lastBuildDate “{text[:40]}”, which is not an RFC 2822 date" if text and not parse_rfc2822_date(text) else ""


def _outdated_build_date(feed: Feed) -> str:
    if not (built := parse_rfc2822_date(feed.channel.text("lastBuildDate"))):
        return "has no lastBuildDate" if feed.items and not feed.channel.text("lastBuildDate") else ""
    newest = max((date for item in feed.items if (date := parse_rfc2822_date(item.text("pubDate")))), default=built)
    return "has a lastBuildDate older than its newest episode" if built < newest else ""


def _no_audio_episode(feed: Feed) -> str:
    return "" if any(item.find_all("enclosure") for item in feed.items) else "has no episode with audio"


def _local_website(feed: Feed) -> str:
    link = feed.channel.text("link")
    return f"has the link {link[:60]}, which works only on this computer" if is_local_url(link) else ""


def is_local_url(url: str) -> bool:
    """Whether a URL points to this computer."""
    try:
        return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False


def _too_large(feed: Feed) -> str:
    return f"has {feed.bytes / 1e6:.0f} MB, but Podcast Index reads at most 25" if feed.bytes > MAX_INDEXED_BYTES else ""


def _no_owner_email(feed: Feed) -> str:
    return "" if _owner_emails(feed) else "has no itunes:owner with an email address"


def _bad_owner_email(feed: Feed) -> str:
    bad = [mail for mail in _owner_emails(feed) if not _MAIL.fullmatch(mail)]
    return f"has the owner’s email “{bad[0][:40]}”, which is not a valid address" if bad else ""


def _owner_emails(feed: Feed) -> list[str]:
    return [child.text.strip() for tag in feed.channel.find_all("itunes:owner") for child in tag.children if child.name == "itunes:email"]


def _repeated_tags(feed: Feed) -> str:
    repeated = [name for name in _SINGLE_TAGS if len(feed.channel.find_all(name)) > 1]
    return f"has {repeated[0]} more than once" if repeated else ""


RULES = (
    Rule(
        "Apple",
        "itunes-namespace",
        ERROR,
        SHOW,
        f"{HOSTING}, RSS feed",
        _no_itunes_namespace,
        "declare xmlns:itunes on rss exactly as Apple’s guide does",
    ),
    Rule("Apple", "show-title", ERROR, SHOW, SHOW_TAGS, missing("title"), "give title in show.toml"),
    Rule("Apple", "show-title-length", ADVICE, SHOW, f"{HOSTING}, RSS feed", too_long("title", 255), "shorten title in show.toml"),
    Rule("Apple", "show-description", ERROR, SHOW, SHOW_TAGS, missing("description"), "give description in show.toml"),
    Rule(
        "Apple",
        "show-description-bytes",
        ERROR,
        SHOW,
        SHOW_TAGS,
        too_many_bytes("description", DESCRIPTION_BYTES),
        "shorten description in show.toml",
    ),
    Rule("Apple", "show-image", ERROR, SHOW, SHOW_TAGS, missing("itunes:image", "href"), "give cover in show.toml"),
    Rule("Apple", "show-language", ERROR, SHOW, SHOW_TAGS, _unknown_language, "give language in show.toml, like fr or fr-ca"),
    Rule("Apple", "show-category", ERROR, SHOW, SHOW_TAGS, missing("itunes:category", "text"), "give categories in show.toml"),
    Rule(
        "Apple",
        "category-known",
        ERROR,
        SHOW,
        f"{SHOW_TAGS}, Apple Podcasts categories",
        _unknown_category,
        "spell it as Apple’s list does",
    ),
    Rule("Apple", "show-explicit", ERROR, SHOW, SHOW_TAGS, missing("itunes:explicit"), "give explicit in show.toml"),
    Rule("Apple", "show-explicit-value", ERROR, SHOW, SHOW_TAGS, not_one_of("itunes:explicit", "true", "false"), "write true or false"),
    Rule("Apple", "show-type", ERROR, SHOW, SHOW_TAGS, not_one_of("itunes:type", "episodic", "serial"), "write episodic or serial"),
    Rule("Apple", "show-once", ERROR, SHOW, SHOW_TAGS, _repeated_tags, "keep one"),
    Rule("Apple", "block-value", ADVICE, SHOW, SHOW_TAGS, _bad_block_value, "write Yes, or leave it out"),
    Rule("Apple", "new-feed-url", ERROR, SHOW, SHOW_TAGS, _bad_new_feed_url, "write the full new URL, starting with https://"),
    Rule(
        "Apple",
        "public-address",
        ADVICE,
        SHOW,
        "Podcast requirements (podcasters.apple.com/support/823)",
        _local_website,
        "give website in show.toml",
    ),
    Rule("Spotify", "show-author", ERROR, SHOW, SPOTIFY, missing("itunes:author"), "give author in show.toml"),
    Rule("Spotify", "an-episode", ERROR, SHOW, SPOTIFY, _no_audio_episode, "publish an episode, or a trailer"),
    Rule(
        "Podcast Index",
        "feed-size",
        ADVICE,
        SHOW,
        "Podcastindex-org/aggregator, aggrivate.js, maxContentLength",
        _too_large,
        "leave older episodes out",
    ),
    Rule("Podcast Index", "websub-hub", ERROR, SHOW, "WebSub (W3C), 4 Discovery", _bad_hub, "write the hub’s full URL, or leave it out"),
    Rule("PSP-1", "namespaces", ERROR, SHOW, f"{PSP}, Required RSS Namespace Declarations", _missing_namespaces, "declare it on rss"),
    Rule(
        "PSP-1", "self-link", ERROR, SHOW, f"{PSP}, atom:link", _bad_self_link, "link to the feed’s own URL, with type application/rss+xml"
    ),
    Rule("PSP-1", "show-link", ERROR, SHOW, f"{PSP}, link", missing("link"), "give website in show.toml"),
    Rule(
        "PSP-1",
        "copyright-holder",
        ADVICE,
        SHOW,
        f"{PSP}, copyright",
        _copyright_with_mark,
        "write the holder only, without ©, the word copyright or a year",
    ),
    Rule("PSP-1", "show-locked", ADVICE, SHOW, f"{PSP}, podcast:locked", missing("podcast:locked"), "add podcast:locked, yes or no"),
    Rule("PSP-1", "show-guid", ADVICE, SHOW, f"{PSP}, podcast:guid", missing("podcast:guid"), "add podcast:guid, and never change it"),
    Rule(
        "PSP-1",
        "build-date-form",
        ERROR,
        SHOW,
        "RSS 2.0, lastBuildDate (rssboard.org)",
        _bad_build_date,
        "write it like Thu, 15 Jan 2026 19:00:00 +0000",
    ),
    Rule(
        "PSP-1",
        "build-date",
        ADVICE,
        SHOW,
        "RSS 2.0, lastBuildDate (rssboard.org)",
        _outdated_build_date,
        "give the newest episode’s date, or a later one",
    ),
    Rule(
        "Amazon",
        "owner-mail",
        ADVICE,
        SHOW,
        "Adding your email address to your RSS feed (Spotify for Creators); hosts say the same of Amazon",
        _no_owner_email,
        "set owner = true under [feed] while you claim the show there: the code is sent to your email, which is public meanwhile",
    ),
    Rule("Amazon", "owner-mail-form", ERROR, SHOW, f"{SHOW_TAGS}, itunes:owner", _bad_owner_email, "write an address whose mail you read"),
)
