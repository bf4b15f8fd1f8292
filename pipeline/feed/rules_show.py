"""The rules for a feed's channel."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urlsplit

from pipeline.directories import CATEGORIES, LANGUAGES
from pipeline.feed.parsed import Feed
from pipeline.feed.rule import ADVICE, ERROR, SHOW, Rule, heavier, longer, missing, not_among
from pipeline.text import nearest

DESCRIPTION_BYTES = 4000
INDEX_BYTES = 25_000_000
_GUIDE = "A Podcaster’s Guide to RSS (Apple, in podcast-namespace: itunes_reference.md)"
SHOW_TAGS, EPISODE_TAGS = f"{_GUIDE}, Show tags", f"{_GUIDE}, Episode tags"
HOSTING = "Technical updates for hosting providers (podcasters.apple.com/4115)"
PSP = "PSP-1 (Podcast-Standards-Project/PSP-1-Podcast-RSS-Specification)"
SPOTIFY = "Requirements of a feed (Spotify, content-ops.atspotify.com, article 360050808931)"
_MAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")
_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(:\d{2})? ([+-]\d{4}|GMT|UT|[ECMP][SD]T)")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ONCE = ("title", "link", "description", "language", "copyright", "lastBuildDate", "itunes:image", "itunes:explicit", "itunes:type")


@lru_cache(1 << 15)
def moment(text: str) -> datetime | None:
    """An RFC 2822 date with the right day of the week; None for anything else."""
    if not _DATE.fullmatch(text):
        return None
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo and _DAYS[found.weekday()] == text[:3] else None


def web_address(text: str) -> bool:
    """Whether a text is an absolute http or https URL."""
    return text.startswith(("https://", "http://")) and len(text) > len("https://")


def _itunes(feed: Feed) -> str:
    return "" if "itunes" in feed.namespaces else "does not declare the itunes namespace, so Apple ignores those tags"


def _namespaces(feed: Feed) -> str:
    wanted = {"podcast", "atom"} | ({"content"} if any("content:encoded" in item.tags for item in feed.items) else set())
    lacking = sorted(wanted - feed.namespaces)
    return f"does not declare the namespace {lacking[0]}" if lacking else ""


def _language(feed: Feed) -> str:
    language = feed.channel.text("language")
    if not language:
        return "has no language"
    whole = re.fullmatch("[a-z]{2}(-[A-Za-z]{2,8})?", language)
    return "" if whole and language[:2] in LANGUAGES else f"has the language “{language[:20]}”, which is not an ISO 639 code"


def _category(feed: Feed) -> str:
    for tag in feed.channel.all("itunes:category"):
        name = tag.get("text")
        if name not in CATEGORIES:
            return f"has the category “{name[:60]}”, which is not in Apple’s list ({nearest(name, CATEGORIES)})"
        for child in tag.children:
            if child.name == "itunes:category" and child.get("text") not in CATEGORIES[name]:
                return f"has the subcategory “{child.get('text')[:60]}”, which is not in {name}"
    return ""


def _blocked(feed: Feed) -> str:
    for entry in (feed.channel, *feed.items):
        for name in ("itunes:block", "itunes:complete"):
            if name in entry.tags and entry.text(name) != "Yes":
                return f"has {name} “{entry.text(name)[:20]}”, but only Yes has an effect"
    return ""


def _moved(feed: Feed) -> str:
    return (
        "" if all(web_address(tag.text.strip()) for tag in feed.channel.all("itunes:new-feed-url")) else "has no URL in itunes:new-feed-url"
    )


def _copyright(feed: Feed) -> str:
    text = feed.channel.text("copyright")
    return f"has the copyright “{text[:60]}”" if re.search(r"©|\(c\)|copyright|\b(19|20)\d\d\b", text, re.IGNORECASE) else ""


def _self(feed: Feed) -> str:
    for tag in feed.channel.all("atom:link"):
        if tag.get("rel") == "self":
            if not web_address(tag.get("href")):
                return "has a self link without a URL"
            return "" if tag.get("type") == "application/rss+xml" else "has a self link that is not of type application/rss+xml"
    return "has no atom:link to itself"


def _hub(feed: Feed) -> str:
    hubs = [tag.get("href") for tag in feed.channel.all("atom:link") if tag.get("rel") == "hub"]
    return "" if all(map(web_address, hubs)) else "has a WebSub hub link without a URL"


def _build_date(feed: Feed) -> str:
    text = feed.channel.text("lastBuildDate")
    return f"has lastBuildDate “{text[:40]}”, which is not an RFC 2822 date" if text and not moment(text) else ""


def _build_date_old(feed: Feed) -> str:
    if not (built := moment(feed.channel.text("lastBuildDate"))):
        return "has no lastBuildDate" if feed.items and not feed.channel.text("lastBuildDate") else ""
    newest = max((date for item in feed.items if (date := moment(item.text("pubDate")))), default=built)
    return "has a lastBuildDate older than its newest episode" if built < newest else ""


def _no_episode(feed: Feed) -> str:
    return "" if any(item.all("enclosure") for item in feed.items) else "has no episode with audio"


def _here_only(feed: Feed) -> str:
    link = feed.channel.text("link")
    return f"has the link {link[:60]}, which works only on this computer" if is_local(link) else ""


def is_local(url: str) -> bool:
    """Whether a URL points to this computer."""
    try:
        return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False


def _large(feed: Feed) -> str:
    return f"has {feed.bytes / 1e6:.0f} MB, but Podcast Index reads at most 25" if feed.bytes > INDEX_BYTES else ""


def _owner(feed: Feed) -> str:
    return "" if _mails(feed) else "has no itunes:owner with an email address"


def _owner_mail(feed: Feed) -> str:
    bad = [mail for mail in _mails(feed) if not _MAIL.fullmatch(mail)]
    return f"has the owner’s email “{bad[0][:40]}”, which is not a valid address" if bad else ""


def _mails(feed: Feed) -> list[str]:
    return [child.text.strip() for tag in feed.channel.all("itunes:owner") for child in tag.children if child.name == "itunes:email"]


def _repeated(feed: Feed) -> str:
    twice = [name for name in _ONCE if len(feed.channel.all(name)) > 1]
    return f"has {twice[0]} more than once" if twice else ""


RULES = (
    Rule(
        "Apple",
        "itunes-namespace",
        ERROR,
        SHOW,
        f"{HOSTING}, RSS feed",
        _itunes,
        "declare xmlns:itunes on rss exactly as Apple’s guide does",
    ),
    Rule("Apple", "show-title", ERROR, SHOW, SHOW_TAGS, missing("title"), "give title in show.toml"),
    Rule("Apple", "show-title-length", ADVICE, SHOW, f"{HOSTING}, RSS feed", longer("title", 255), "shorten title in show.toml"),
    Rule("Apple", "show-description", ERROR, SHOW, SHOW_TAGS, missing("description"), "give description in show.toml"),
    Rule(
        "Apple",
        "show-description-bytes",
        ERROR,
        SHOW,
        SHOW_TAGS,
        heavier("description", DESCRIPTION_BYTES),
        "shorten description in show.toml",
    ),
    Rule("Apple", "show-image", ERROR, SHOW, SHOW_TAGS, missing("itunes:image", "href"), "give cover in show.toml"),
    Rule("Apple", "show-language", ERROR, SHOW, SHOW_TAGS, _language, "give language in show.toml, like fr or fr-ca"),
    Rule("Apple", "show-category", ERROR, SHOW, SHOW_TAGS, missing("itunes:category", "text"), "give categories in show.toml"),
    Rule("Apple", "category-known", ERROR, SHOW, f"{SHOW_TAGS}, Apple Podcasts categories", _category, "spell it as Apple’s list does"),
    Rule("Apple", "show-explicit", ERROR, SHOW, SHOW_TAGS, missing("itunes:explicit"), "give explicit in show.toml"),
    Rule("Apple", "show-explicit-value", ERROR, SHOW, SHOW_TAGS, not_among("itunes:explicit", "true", "false"), "write true or false"),
    Rule("Apple", "show-type", ERROR, SHOW, SHOW_TAGS, not_among("itunes:type", "episodic", "serial"), "write episodic or serial"),
    Rule("Apple", "show-once", ERROR, SHOW, SHOW_TAGS, _repeated, "keep one"),
    Rule("Apple", "block-value", ADVICE, SHOW, SHOW_TAGS, _blocked, "write Yes, or leave it out"),
    Rule("Apple", "new-feed-url", ERROR, SHOW, SHOW_TAGS, _moved, "write the full new URL, starting with https://"),
    Rule(
        "Apple",
        "public-address",
        ADVICE,
        SHOW,
        "Podcast requirements (podcasters.apple.com/support/823)",
        _here_only,
        "give website in show.toml",
    ),
    Rule("Spotify", "show-author", ERROR, SHOW, SPOTIFY, missing("itunes:author"), "give author in show.toml"),
    Rule("Spotify", "an-episode", ERROR, SHOW, SPOTIFY, _no_episode, "publish an episode, or a trailer"),
    Rule(
        "Podcast Index",
        "feed-size",
        ADVICE,
        SHOW,
        "Podcastindex-org/aggregator, aggrivate.js, maxContentLength",
        _large,
        "leave older episodes out",
    ),
    Rule("Podcast Index", "websub-hub", ERROR, SHOW, "WebSub (W3C), 4 Discovery", _hub, "write the hub’s full URL, or leave it out"),
    Rule("PSP-1", "namespaces", ERROR, SHOW, f"{PSP}, Required RSS Namespace Declarations", _namespaces, "declare it on rss"),
    Rule("PSP-1", "self-link", ERROR, SHOW, f"{PSP}, atom:link", _self, "link to the feed’s own URL, with type application/rss+xml"),
    Rule("PSP-1", "show-link", ERROR, SHOW, f"{PSP}, link", missing("link"), "give website in show.toml"),
    Rule(
        "PSP-1",
        "copyright-holder",
        ADVICE,
        SHOW,
        f"{PSP}, copyright",
        _copyright,
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
        _build_date,
        "write it like Thu, 15 Jan 2026 19:00:00 +0000",
    ),
    Rule(
        "PSP-1",
        "build-date",
        ADVICE,
        SHOW,
        "RSS 2.0, lastBuildDate (rssboard.org)",
        _build_date_old,
        "give the newest episode’s date, or a later one",
    ),
    Rule(
        "Amazon",
        "owner-mail",
        ADVICE,
        SHOW,
        "Adding your email address to your RSS feed (Spotify for Creators); hosts say the same of Amazon",
        _owner,
        "set owner = true under [feed] while you claim the show there: the code is sent to your email, which is public meanwhile",
    ),
    Rule("Amazon", "owner-mail-form", ERROR, SHOW, f"{SHOW_TAGS}, itunes:owner", _owner_mail, "write an address whose mail you read"),
)
