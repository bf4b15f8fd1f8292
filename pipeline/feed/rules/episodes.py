"""The rules across the episodes of a feed: uniqueness, numbering, trailers and bonuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.feed.rules.channel import EPISODE_TAGS, HOSTING, SHOW_TAGS
from pipeline.feed.rules.feed_reader import Entry, Feed
from pipeline.feed.rules.rule import ADVICE, EPISODES, ERROR, Rule


def _duplicates(feed: Feed, label: str, tag: str, attribute: str = "") -> Iterator[tuple[Entry, str]]:
    """Items whose value is already used by an earlier item."""
    seen: dict[str, Entry] = {}
    for item in feed.items:
        value = item.attribute(tag, attribute) if attribute else item.text(tag)
        if value and seen.setdefault(value, item) is not item:
            yield item, f"has the same {label} as “{seen[value].text('title')[:60]}”, line {seen[value].line}"


def _duplicate_numbers(feed: Feed) -> Iterator[tuple[Entry, str]]:
    seen: dict[tuple[str, str], Entry] = {}
    for item in feed.items:
        if (number := item.text("itunes:episode")) and is_full_episode(item):
            first = seen.setdefault((item.text("itunes:season"), number), item)
            if first is not item:
                yield item, f"has number {number}, like “{first.text('title')[:60]}” in the same season"


def _unnumbered(feed: Feed) -> Iterable[tuple[Entry, str]]:
    if feed.channel.text("itunes:type") != "serial":
        return ()
    return (
        (item, "has no itunes:episode in a serial show") for item in feed.items if is_full_episode(item) and not item.text("itunes:episode")
    )


def _orphan_bonuses(feed: Feed) -> Iterator[tuple[Entry, str]]:
    full = {(item.text("itunes:season"), item.text("itunes:episode")) for item in feed.items if is_full_episode(item)}
    for item in feed.items:
        number = item.text("itunes:episode")
        if number and item.text("itunes:episodeType") == "bonus" and (item.text("itunes:season"), number) not in full:
            yield item, f"is a bonus to episode {number}, which is not in the feed"


def _extra_trailers(feed: Feed) -> Iterator[tuple[Entry, str]]:
    seen: dict[str, Entry] = {}
    for item in feed.items:
        if item.text("itunes:episodeType") == "trailer" and not item.text("itunes:episode"):
            first = seen.setdefault(item.text("itunes:season"), item)
            if first is not item:
                yield item, f"is a second trailer of the same season or show, after “{first.text('title')[:60]}”"


def is_full_episode(item: Entry) -> bool:
    """Whether an item is a full episode, not a trailer or bonus."""
    return item.text("itunes:episodeType") in ("", "full")


RULES = (
    Rule("Apple", "serial-numbers", ERROR, EPISODES, f"{SHOW_TAGS}, itunes:type", _unnumbered, "give it a number in episode.toml"),
    Rule(
        "Apple",
        "guid-unique",
        ERROR,
        EPISODES,
        f"{HOSTING}, GUID",
        lambda feed: _duplicates(feed, "guid", "guid"),
        "give each its own, and never change it",
    ),
    Rule(
        "Apple",
        "enclosure-unique",
        ERROR,
        EPISODES,
        f"{HOSTING}, Enclosure",
        lambda feed: _duplicates(feed, "audio file", "enclosure", "url"),
        "give each episode its own file: Apple ignores the second",
    ),
    Rule(
        "Apple",
        "titles-unique",
        ADVICE,
        EPISODES,
        EPISODE_TAGS,
        lambda feed: _duplicates(feed, "title", "title"),
        "give each its own title",
    ),
    Rule("Apple", "numbers-unique", ADVICE, EPISODES, f"{EPISODE_TAGS}, itunes:episode", _duplicate_numbers, "give each its own number"),
    Rule(
        "Apple",
        "bonus-belongs",
        ADVICE,
        EPISODES,
        f"{EPISODE_TAGS}, itunes:episodeType",
        _orphan_bonuses,
        "give it that episode’s number, or none",
    ),
    Rule(
        "Apple",
        "one-trailer",
        ADVICE,
        EPISODES,
        f"{EPISODE_TAGS}, itunes:episodeType",
        _extra_trailers,
        "give it the season or number it announces",
    ),
)
