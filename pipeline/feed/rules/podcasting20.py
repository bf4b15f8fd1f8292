"""The rules of the Podcasting 2.0 namespace, for the channel and each episode: what Podcast Index and its apps read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import UUID

from pipeline.feed.rules.channel import is_http_url, is_local_url, parse_rfc2822_date
from pipeline.feed.rules.feed_reader import Entry, Feed, Tag
from pipeline.feed.rules.rule import ADVICE, EPISODE, ERROR, SHOW, Rule, channel_or_item, not_one_of
from pipeline.model import MEDIUMS, TAXONOMY, TRANSCRIPTS

_DOCS = "podcast-namespace, docs/tags"
_ROLES = frozenset(role.lower() for group in TAXONOMY.values() for role in group)
_GROUPS = frozenset(group.lower() for group in TAXONOMY)
_URL_ATTRIBUTES = ("url", "href", "img", "uri", "feedUrl", "accountUrl")
_ONCE = ("podcast:guid", "podcast:locked", "podcast:medium", "podcast:license", "podcast:chapters", "podcast:season", "podcast:episode")
_MAX_CHARS = (
    *((f"podcast:{name}", "", 128) for name in ("person", "license", "funding", "location", "trailer", "soundbite")),
    ("podcast:txt", "", 4000),
    ("podcast:season", "name", 128),
    ("podcast:episode", "display", 32),
    ("podcast:alternateEnclosure", "title", 32),
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SCOPES = (("show", SHOW), ("item", EPISODE))


def _tags(value: Feed | Entry) -> Iterator[Tag]:
    """Every tag of the namespace, and its children."""
    for name, tags in channel_or_item(value).tags.items():
        if name.startswith("podcast:"):
            for tag in tags:
                yield tag
                yield from tag.children


def _for_each_tag(name: str, check: Callable[[Tag], str]) -> Callable[..., str]:
    """A check of every tag of a name."""

    def check_all(value: Feed | Entry, *_: object) -> str:
        for tag in channel_or_item(value).find_all(name):
            if problem := check(tag):
                return problem
        return ""

    return check_all


def _insecure_urls(value: Feed | Entry, *_: object) -> str:
    for tag in _tags(value):
        for attribute, address in tag.attributes.items():
            if address.startswith("http://") and attribute in _URL_ATTRIBUTES and not is_local_url(address):
                return f"has a URL without https in {tag.name}: {address[:80]}"
    return ""


def _repeated_tags(value: Feed | Entry, *_: object) -> str:
    found = [name for name in _ONCE if len(channel_or_item(value).find_all(name)) > 1]
    return f"has {found[0]} more than once" if found else ""


def _guid(feed: Feed) -> str:
    text = feed.channel.text("podcast:guid")
    try:
        return (
            "" if not text or (UUID(text).version == 5 and text == str(UUID(text))) else f"has podcast:guid {text}, which is not a UUIDv5"
        )
    except ValueError:
        return f"has podcast:guid “{text[:40]}”, which is not a UUID"


def _too_long_texts(value: Feed | Entry, *_: object) -> str:
    entry = channel_or_item(value)
    for name, attribute, max_chars in _MAX_CHARS:
        for tag in entry.tags.get(name, ()):
            if (size := len(tag.get(attribute) if attribute else tag.text)) > max_chars:
                return f"has {attribute or 'a text'} of {size} characters in {name}, the limit is {max_chars}"
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
    is_own_wording = " " in text and is_http_url(tag.get("url"))  # a licence in its own words, at that URL
    return f"has the licence “{text[:40]}”" if not text or text != text.lower() and not is_own_wording else ""


def _image(tag: Tag) -> str:
    return "" if is_http_url(tag.get("href")) else "has podcast:image without a URL"


def _funding(tag: Tag) -> str:
    return "" if is_http_url(tag.get("url")) else "has podcast:funding without a URL"


def _location(tag: Tag) -> str:
    return "" if tag.text.strip() else "has podcast:location without a name"


def _trailer(tag: Tag) -> str:
    is_complete = is_http_url(tag.get("url")) and parse_rfc2822_date(tag.get("pubdate")) and tag.text.strip()
    return "" if is_complete else "has podcast:trailer without a URL, RFC 2822 date or title"


def _social_interact(tag: Tag) -> str:
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
    is_complete = all(_NUMBER.fullmatch(tag.get(name)) for name in ("startTime", "duration"))
    return "" if is_complete else "has podcast:soundbite without startTime or duration in seconds"


def _soundbite_length(tag: Tag) -> str:
    length = tag.get("duration")
    return f"has a soundbite of {length} s" if _NUMBER.fullmatch(length) and not 15 <= float(length) <= 120 else ""


def _alternate_enclosure(tag: Tag) -> str:
    sources = [child for child in tag.children if child.name == "podcast:source" and child.get("uri")]
    return "" if tag.get("type") and sources else "has podcast:alternateEnclosure without a type or source"


def _document_path(tag: str) -> str:
    """The document of a tag: `alternateEnclosure` in `alternate-enclosure.md`; rules for all tags are in the README."""
    kebab = re.sub(r"([A-Z])", r"-\1", tag).lower()
    return f"podcast-namespace, {tag}.md" if tag == "README" else f"{_DOCS}/{kebab}.md"


def _channel_and_item_rules(name: str, level: str, tag: str, check: Callable[..., str], remedy: str) -> tuple[Rule, ...]:
    """The same rule for the channel and for items."""
    source = _document_path(tag)
    return tuple(Rule("Podcast Index", f"{prefix}-{name}", level, scope, source, check, remedy) for prefix, scope in _SCOPES)


def _channel_rule(name: str, level: str, tag: str, check: Callable[..., str], remedy: str) -> Rule:
    return Rule("Podcast Index", name, level, SHOW, _document_path(tag), check, remedy)


def _item_rule(name: str, level: str, tag: str, check: Callable[[Tag], str], remedy: str) -> Rule:
    return Rule("Podcast Index", name, level, EPISODE, _document_path(tag), _for_each_tag(f"podcast:{tag}", check), remedy)


RULES = (
    *_channel_and_item_rules("https", ERROR, "README", _insecure_urls, "write https"),
    *_channel_and_item_rules("podcast-once", ERROR, "README", _repeated_tags, "keep one"),
    *_channel_and_item_rules("person", ERROR, "person", _for_each_tag("podcast:person", _person), "add the name"),
    *_channel_and_item_rules(
        "person-role", ADVICE, "person", _for_each_tag("podcast:person", _role), "use a role of the taxonomy: apps read any other as Host"
    ),
    *_channel_and_item_rules(
        "license", ADVICE, "license", _for_each_tag("podcast:license", _license), "write its identifier in lower case, like cc-by-4.0"
    ),
    *_channel_and_item_rules("podcast-image", ERROR, "image", _for_each_tag("podcast:image", _image), "give href"),
    *_channel_and_item_rules("funding", ERROR, "funding", _for_each_tag("podcast:funding", _funding), "give url"),
    *_channel_and_item_rules("location", ERROR, "location", _for_each_tag("podcast:location", _location), "name the place"),
    *_channel_and_item_rules("long-text", ADVICE, "README", _too_long_texts, "shorten it: apps cut what is longer"),
    *_channel_and_item_rules(
        "social", ERROR, "socialInteract", _for_each_tag("podcast:socialInteract", _social_interact), 'give both, or protocol="disabled"'
    ),
    _channel_rule("guid-form", ERROR, "guid", _guid, "use the UUIDv5 of the feed’s first URL, which the ledger keeps"),
    _channel_rule("locked-value", ERROR, "locked", not_one_of("podcast:locked", "yes", "no"), "write yes or no"),
    _channel_rule("medium-value", ERROR, "medium", not_one_of("podcast:medium", *MEDIUMS), "write podcast, audiobook, music…"),
    _channel_rule("trailer-tag", ERROR, "trailer", _for_each_tag("podcast:trailer", _trailer), "give url, pubdate and a title"),
    _item_rule("transcript", ERROR, "transcript", _transcript, "give both"),
    _item_rule(
        "transcript-type", ERROR, "transcript", _transcript_type, "use text/vtt, application/x-subrip, application/json or text/html"
    ),
    _item_rule("transcript-rel", ERROR, "transcript", _transcript_rel, "write captions, or leave it out"),
    _item_rule("chapters", ERROR, "chapters", _chapters, "give both"),
    Rule(
        "Podcast Index",
        "chapters-type",
        ADVICE,
        EPISODE,
        f"{_DOCS}/chapters.md",
        _for_each_tag("podcast:chapters", _chapters_type),
        "write application/json+chapters",
    ),
    _item_rule("season", ERROR, "season", _season, "give a whole number"),
    _item_rule("episode", ERROR, "episode", _episode, "give a number"),
    _item_rule("soundbite", ERROR, "soundbite", _soundbite, "give both"),
    _item_rule("soundbite-length", ADVICE, "soundbite", _soundbite_length, "keep it between 15 and 120 seconds"),
    _item_rule("alternate", ERROR, "alternateEnclosure", _alternate_enclosure, "give both"),
)
