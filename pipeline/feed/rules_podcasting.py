"""The rules of the Podcasting 2.0 namespace, for the channel and each episode: what Podcast Index and its apps read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import UUID

from pipeline.directories import MEDIUMS, TRANSCRIPTS
from pipeline.feed.parsed import Entry, Feed, Tag
from pipeline.feed.rule import ADVICE, EPISODE, ERROR, SHOW, Rule, channel_or_item, not_among
from pipeline.feed.rules_show import is_local, moment, web_address
from pipeline.roles import TAXONOMY

_DOCS = "podcast-namespace, docs/tags"
_ROLES = frozenset(role.lower() for group in TAXONOMY.values() for role in group)
_GROUPS = frozenset(group.lower() for group in TAXONOMY)
_ADDRESSES = ("url", "href", "img", "uri", "feedUrl", "accountUrl")
_ONCE = ("podcast:guid", "podcast:locked", "podcast:medium", "podcast:license", "podcast:chapters", "podcast:season", "podcast:episode")
_LONGEST = (
    *((f"podcast:{name}", "", 128) for name in ("person", "license", "funding", "location", "trailer", "soundbite")),
    ("podcast:txt", "", 4000),
    ("podcast:season", "name", 128),
    ("podcast:episode", "display", 32),
    ("podcast:alternateEnclosure", "title", 32),
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SHOW_AND_EPISODE = (("show", SHOW), ("item", EPISODE))


def _tags(value: Feed | Entry) -> Iterator[Tag]:
    """Every tag of the namespace, and its children."""
    for name, tags in channel_or_item(value).tags.items():
        if name.startswith("podcast:"):
            for tag in tags:
                yield tag
                yield from tag.children


def _each(name: str, breaks: Callable[[Tag], str]) -> Callable[..., str]:
    """A check of every tag of a name."""

    def test(value: Feed | Entry, *_: object) -> str:
        for tag in channel_or_item(value).all(name):
            if problem := breaks(tag):
                return problem
        return ""

    return test


def _insecure(value: Feed | Entry, *_: object) -> str:
    for tag in _tags(value):
        for attribute, address in tag.attributes.items():
            if address.startswith("http://") and attribute in _ADDRESSES and not is_local(address):
                return f"has a URL without https in {tag.name}: {address[:80]}"
    return ""


def _twice(value: Feed | Entry, *_: object) -> str:
    found = [name for name in _ONCE if len(channel_or_item(value).all(name)) > 1]
    return f"has {found[0]} more than once" if found else ""


def _guid(feed: Feed) -> str:
    text = feed.channel.text("podcast:guid")
    try:
        return (
            "" if not text or (UUID(text).version == 5 and text == str(UUID(text))) else f"has podcast:guid {text}, which is not a UUIDv5"
        )
    except ValueError:
        return f"has podcast:guid “{text[:40]}”, which is not a UUID"


def _truncated(value: Feed | Entry, *_: object) -> str:
    entry = channel_or_item(value)
    for name, attribute, longest in _LONGEST:
        for tag in entry.tags.get(name, ()):
            if (size := len(tag.get(attribute) if attribute else tag.text)) > longest:
                return f"has {attribute or 'a text'} of {size} characters in {name}, the limit is {longest}"
    return ""


def _person(tag: Tag) -> str:
    return "" if tag.text.strip() else "credits a person without a name"


def _role(tag: Tag) -> str:
    role, group = tag.get("role").lower() or "host", tag.get("group").lower() or "cast"
    if role not in _ROLES:
        return f"credits “{tag.text.strip()[:40]}” as {role[:40]}, which is not a role of the taxonomy"
    return "" if group in _GROUPS else f"credits “{tag.text.strip()[:40]}” in {group[:40]}, which is not a group of the taxonomy"


def _license(tag: Tag) -> str:
    text = tag.text.strip()
    own = " " in text and web_address(tag.get("url"))  # a licence in its own words, at that URL
    return f"has the licence “{text[:40]}”" if not text or text != text.lower() and not own else ""


def _image(tag: Tag) -> str:
    return "" if web_address(tag.get("href")) else "has podcast:image without a URL"


def _funding(tag: Tag) -> str:
    return "" if web_address(tag.get("url")) else "has podcast:funding without a URL"


def _location(tag: Tag) -> str:
    return "" if tag.text.strip() else "has podcast:location without a name"


def _trailer(tag: Tag) -> str:
    whole = web_address(tag.get("url")) and moment(tag.get("pubdate")) and tag.text.strip()
    return "" if whole else "has podcast:trailer without a URL, RFC 2822 date or title"


def _social(tag: Tag) -> str:
    protocol = tag.get("protocol")
    return "" if protocol == "disabled" or (protocol and tag.get("uri")) else "has podcast:socialInteract without protocol or uri"


def _transcript(tag: Tag) -> str:
    return "" if tag.get("url") and tag.get("type") else "has podcast:transcript without url or type"


def _transcript_type(tag: Tag) -> str:
    kind = tag.get("type")
    return f"has a transcript of type “{kind[:40]}”" if kind and kind not in TRANSCRIPTS else ""


def _transcript_rel(tag: Tag) -> str:
    return f"has a transcript with rel “{tag.get('rel')[:20]}”" if tag.get("rel") not in ("", "captions") else ""


def _chapters(tag: Tag) -> str:
    return "" if tag.get("url") and tag.get("type") else "has podcast:chapters without url or type"


def _chapters_type(tag: Tag) -> str:
    kind = tag.get("type")
    return f"has chapters of type “{kind[:40]}”" if kind and kind != "application/json+chapters" else ""


def _season(tag: Tag) -> str:
    return "" if re.fullmatch(r"\d{1,9}", tag.text.strip()) else f"has podcast:season “{tag.text.strip()[:20]}”"


def _episode(tag: Tag) -> str:
    return "" if _NUMBER.fullmatch(tag.text.strip()) else f"has podcast:episode “{tag.text.strip()[:20]}”"


def _soundbite(tag: Tag) -> str:
    whole = all(_NUMBER.fullmatch(tag.get(name)) for name in ("startTime", "duration"))
    return "" if whole else "has podcast:soundbite without startTime or duration in seconds"


def _soundbite_length(tag: Tag) -> str:
    length = tag.get("duration")
    return f"has a soundbite of {length} s" if _NUMBER.fullmatch(length) and not 15 <= float(length) <= 120 else ""


def _alternate(tag: Tag) -> str:
    sources = [child for child in tag.children if child.name == "podcast:source" and child.get("uri")]
    return "" if tag.get("type") and sources else "has podcast:alternateEnclosure without a type or source"


def _document(tag: str) -> str:
    """The document of a tag: `alternateEnclosure` in `alternate-enclosure.md`; rules for all tags are in the README."""
    kebab = re.sub(r"([A-Z])", r"-\1", tag).lower()
    return f"podcast-namespace, {tag}.md" if tag == "README" else f"{_DOCS}/{kebab}.md"


def _both(name: str, level: str, tag: str, breaks: Callable[..., str], remedy: str) -> tuple[Rule, ...]:
    """The same rule for the channel and for items."""
    source = _document(tag)
    return tuple(Rule("Podcast Index", f"{place}-{name}", level, looks_at, source, breaks, remedy) for place, looks_at in _SHOW_AND_EPISODE)


def _show(name: str, level: str, tag: str, breaks: Callable[..., str], remedy: str) -> Rule:
    return Rule("Podcast Index", name, level, SHOW, _document(tag), breaks, remedy)


def _item(name: str, level: str, tag: str, breaks: Callable[[Tag], str], remedy: str) -> Rule:
    return Rule("Podcast Index", name, level, EPISODE, _document(tag), _each(f"podcast:{tag}", breaks), remedy)


RULES = (
    *_both("https", ERROR, "README", _insecure, "write https"),
    *_both("podcast-once", ERROR, "README", _twice, "keep one"),
    *_both("person", ERROR, "person", _each("podcast:person", _person), "add the name"),
    *_both("person-role", ADVICE, "person", _each("podcast:person", _role), "use a role of the taxonomy: apps read any other as Host"),
    *_both("license", ADVICE, "license", _each("podcast:license", _license), "write its identifier in lower case, like cc-by-4.0"),
    *_both("podcast-image", ERROR, "image", _each("podcast:image", _image), "give href"),
    *_both("funding", ERROR, "funding", _each("podcast:funding", _funding), "give url"),
    *_both("location", ERROR, "location", _each("podcast:location", _location), "name the place"),
    *_both("long-text", ADVICE, "README", _truncated, "shorten it: apps cut what is longer"),
    *_both("social", ERROR, "socialInteract", _each("podcast:socialInteract", _social), 'give both, or protocol="disabled"'),
    _show("guid-form", ERROR, "guid", _guid, "use the UUIDv5 of the feed’s first URL, which the ledger keeps"),
    _show("locked-value", ERROR, "locked", not_among("podcast:locked", "yes", "no"), "write yes or no"),
    _show("medium-value", ERROR, "medium", not_among("podcast:medium", *MEDIUMS), "write podcast, audiobook, music…"),
    _show("trailer-tag", ERROR, "trailer", _each("podcast:trailer", _trailer), "give url, pubdate and a title"),
    _item("transcript", ERROR, "transcript", _transcript, "give both"),
    _item("transcript-type", ERROR, "transcript", _transcript_type, "use text/vtt, application/x-subrip, application/json or text/html"),
    _item("transcript-rel", ERROR, "transcript", _transcript_rel, "write captions, or leave it out"),
    _item("chapters", ERROR, "chapters", _chapters, "give both"),
    Rule(
        "Podcast Index",
        "chapters-type",
        ADVICE,
        EPISODE,
        f"{_DOCS}/chapters.md",
        _each("podcast:chapters", _chapters_type),
        "write application/json+chapters",
    ),
    _item("season", ERROR, "season", _season, "give a whole number"),
    _item("episode", ERROR, "episode", _episode, "give a number"),
    _item("soundbite", ERROR, "soundbite", _soundbite, "give both"),
    _item("soundbite-length", ADVICE, "soundbite", _soundbite_length, "keep it between 15 and 120 seconds"),
    _item("alternate", ERROR, "alternateEnclosure", _alternate, "give both"),
)
