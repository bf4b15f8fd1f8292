"""What feedgen lacks: the Podcasting 2.0 namespace, Podlove's chapters, and Apple's tags as they are written today.

Each tag is a row of `TAGS`; `node` makes one and holds it to its row. Registered on a feed, `Channel` and `Item` write what was `add`ed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from lxml.etree import _Element

NAMESPACES = {
    "podcast": "https://podcastindex.org/namespace/1.0",
    "psc": "http://podlove.org/simple-chapters",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",  # feedgen declares it too; it refuses true and false
}

_ENDS = re.compile("[ />]")
_CONTROLS = bytes({*range(32)} - set(b"\t\n\r"))  # with lone surrogates, U+FFFE and U+FFFF: all but XML 1.0's production 2


Node = str  # one element as XML, the elements in it each on a line of its own, two spaces further in


@dataclass(frozen=True)
class Tag:
    """Where a tag may stand, its attributes, and how many characters its text may have (0: no text, -1: any number)."""

    parents: tuple[str, ...]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    longest: int = 0
    starts: dict[tuple[str, ...], str] = field(default_factory=dict, compare=False)  # how it begins, by the attributes it was given


_BOTH = ("channel", "item")
_ANY = -1

# RSS 2.0; podcast-namespace, docs/tags (May 2026); podlove-simple-chapters 1.2; Apple's requirements for its own namespace.
# `images`, deprecated, is left out for `image`; `podping`, `value` and `liveItem` need a service behind the feed.
TAGS: dict[str, Tag] = {
    "title": Tag(("item",), longest=_ANY),
    "link": Tag(("item",), longest=_ANY),
    "description": Tag(("item",), longest=_ANY),
    "guid": Tag(("item",), optional=("isPermaLink",), longest=_ANY),
    "enclosure": Tag(("item",), ("url", "length", "type")),
    "pubDate": Tag(("item",), longest=31),
    "itunes:explicit": Tag(_BOTH, longest=5),
    "itunes:image": Tag(_BOTH, ("href",)),
    "itunes:block": Tag(_BOTH, longest=3),
    "itunes:duration": Tag(("item",), longest=10),
    "itunes:summary": Tag(_BOTH, longest=4000),
    "itunes:season": Tag(("item",), longest=10),
    "itunes:episode": Tag(("item",), longest=10),
    "itunes:episodeType": Tag(("item",), longest=7),
    "itunes:complete": Tag(("channel",), longest=3),
    "itunes:new-feed-url": Tag(("channel",), longest=_ANY),
    "itunes:owner": Tag(("channel",)),
    "itunes:name": Tag(("itunes:owner",), longest=255),
    "itunes:email": Tag(("itunes:owner",), longest=255),
    "podcast:guid": Tag(("channel",), longest=36),
    "podcast:locked": Tag(("channel",), optional=("owner",), longest=3),
    "podcast:medium": Tag(("channel",), longest=16),
    "podcast:funding": Tag(_BOTH, ("url",), longest=128),
    "podcast:location": Tag(_BOTH, optional=("rel", "geo", "osm", "country"), longest=128),
    "podcast:license": Tag(_BOTH, optional=("url",), longest=128),
    "podcast:image": Tag(_BOTH, ("href",), ("alt", "aspect-ratio", "width", "height", "type", "purpose")),
    "podcast:person": Tag(_BOTH, optional=("role", "group", "img", "href"), longest=128),
    "podcast:trailer": Tag(("channel",), ("url", "pubdate"), ("length", "type", "season"), longest=128),
    "podcast:updateFrequency": Tag(("channel",), optional=("rrule", "dtstart", "complete"), longest=128),
    "podcast:block": Tag(("channel",), optional=("id",), longest=3),
    "podcast:txt": Tag(_BOTH, optional=("purpose",), longest=4000),
    "podcast:socialInteract": Tag(_BOTH, ("protocol",), ("uri", "accountId", "accountUrl", "priority")),
    "podcast:podroll": Tag(("channel",)),
    "podcast:publisher": Tag(("channel",)),
    "podcast:remoteItem": Tag(
        ("channel", "podcast:podroll", "podcast:publisher"), ("feedGuid",), ("feedUrl", "itemGuid", "medium", "title")
    ),
    "podcast:season": Tag(("item",), optional=("name",), longest=10),
    "podcast:episode": Tag(("item",), optional=("display",), longest=10),
    "podcast:transcript": Tag(("item",), ("url", "type"), ("language", "rel")),
    "podcast:chapters": Tag(("item",), ("url", "type")),
    "podcast:soundbite": Tag(("item",), ("startTime", "duration"), longest=128),
    "podcast:contentLink": Tag(("item",), ("href",), longest=128),
    "podcast:alternateEnclosure": Tag(("item",), ("type",), ("length", "bitrate", "height", "lang", "title", "rel", "codecs", "default")),
    "podcast:source": Tag(("podcast:alternateEnclosure",), ("uri",), ("contentType",)),
    "podcast:integrity": Tag(("podcast:alternateEnclosure",), ("type", "value")),
    "psc:chapters": Tag(("item",), ("version",)),
    "psc:chapter": Tag(("psc:chapters",), ("start", "title"), ("href", "image")),
}
_HELD = {tag: tuple(f"<{name}{end}" for name, row in TAGS.items() if tag in row.parents for end in " >") for tag in TAGS}  # how those begin


def node(tag: str, text: str = "", *children: Node, **attributes: str) -> Node:
    """An element of `TAGS`: empty attributes are left out, text beyond its limit is cut, `_` in a name stands for `-`.

    Raises `ValueError` for what the tag's row does not allow. It runs for each of 400,000 elements of a long feed: what can be known
    from the attributes' names alone is found once.
    """
    row = TAGS[tag]
    if "" in attributes.values():
        attributes = {name: value for name, value in attributes.items() if value}
    names, values = tuple(attributes), tuple(attributes.values())
    start = row.starts.get(names) or _start(tag, row, names)
    said = "".join(values)
    if not said.isprintable() or "&" in said or '"' in said or "<" in said or ">" in said:
        values = tuple(map(_quoted, values))
    if text:
        if not row.longest:
            raise ValueError(f"{tag} holds no text, and is given {text!r}")
        return f"{start % values}>{_text(text[: row.longest] if row.longest > 0 else text)}</{tag}>"
    if not children:
        return f"{start % values}/>"
    for child in children:
        if not child.startswith(_HELD[tag]):
            raise ValueError(f"{tag} cannot hold {name_of(child)}")
    inside = "\n".join(children).replace("\n", "\n  ")  # no other line ends: those in what people type are escaped
    return f"{start % values}>\n  {inside}\n</{tag}>"


def name_of(node: Node) -> str:
    """The tag of an element."""
    return node[1 : _ENDS.search(node, 1).start()]  # type: ignore[union-attr]


def _start(tag: str, row: Tag, names: tuple[str, ...]) -> str:
    """How an element with those attributes begins, with a place for each value."""
    written = [name.replace("_", "-") for name in names]
    unknown, missing = {*written} - {*row.required, *row.optional}, {*row.required} - {*written}
    if unknown or missing:
        raise ValueError(f"{tag} cannot be written so: attributes {sorted(unknown)} unknown, {sorted(missing)} missing")
    return row.starts.setdefault(names, f"<{tag}" + "".join(f' {name}="%s"' for name in written))


def markup(nodes: Iterable[Node], indent: str = "") -> bytes:
    """The elements in UTF-8, each line after `indent`; much quicker than a tree."""
    return (indent + "\n".join(nodes).replace("\n", f"\n{indent}") + "\n").encode()


def _text(text: str) -> str:
    """Text between tags, without what XML forbids; a line end is written as a number, so that only layout has others."""
    known = text.isprintable()
    text = text if known else _allowed(text)
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text if known else text.replace("\r", "&#13;").replace("\n", "&#10;")


def _quoted(value: str) -> str:
    """The value of an attribute, where a reader would make spaces of tabs and line ends."""
    return _text(value).replace('"', "&quot;").replace("\t", "&#9;")


def _allowed(text: str) -> str:
    """The text without the characters that XML 1.0 forbids."""
    data = text.encode("utf-8", "ignore").translate(None, _CONTROLS)  # lone surrogates are what it ignores
    return data.replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"").decode()


def xml_safe(value: Any) -> Any:
    """The value without the characters that XML 1.0 forbids, in text, tuples and dataclasses, however deep."""
    if isinstance(value, str):
        return _allowed(value)
    if isinstance(value, tuple):
        return tuple(map(xml_safe, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: xml_safe(getattr(value, field.name)) for field in fields(value)})
    return value


class _Extension:
    """feedgen's protocol: it makes one of these for the feed and one for each entry, and asks them to write themselves."""

    level: ClassVar[str]

    def __init__(self) -> None:
        self._nodes: list[Node] = []

    def add(self, *nodes: Node) -> None:
        """Write these too, in this order, after what feedgen writes."""
        for one in nodes:
            if self.level not in TAGS[name_of(one)].parents:
                raise ValueError(f"{name_of(one)} does not belong in {self.level}")
            self._nodes.append(one)

    def extend_ns(self) -> dict[str, str]:
        """The namespaces to declare."""
        return NAMESPACES

    def _write(self, parent: _Element) -> None:
        from lxml.etree import fromstring

        declared = "".join(f' xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items())
        parent.extend(fromstring(f"<all{declared}>".encode() + markup(self._nodes) + b"</all>"))


class Channel(_Extension):
    """The part of a feed that stands before its items."""

    level = "channel"
    undated = False  # feedgen dates a feed with the clock when nobody does

    def extend_rss(self, rss: _Element) -> _Element:
        """Add to the `rss` element that feedgen has begun."""
        channel = rss[0]
        if self.undated and (date := channel.find("lastBuildDate")) is not None:
            channel.remove(date)
        self._write(channel)
        return rss


class Item(_Extension):
    """One item of a feed."""

    level = "item"

    def extend_rss(self, item: _Element) -> _Element:
        """Add to the `item` element that feedgen has begun."""
        self._write(item)
        return item
