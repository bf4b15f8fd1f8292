"""What feedgen lacks: the Podcasting 2.0 namespace, Podlove chapters, and Apple's current tags.

Each tag is a row of `TAG_SPECS`; `node` builds one and checks it against its row. `ChannelExtension` and `ItemExtension` are registered
with feedgen and write the nodes that were added.
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
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",  # feedgen declares it too, but refuses true and false
}

_ENDS = re.compile("[ />]")
_CONTROLS = bytes({*range(32)} - set(b"\t\n\r"))  # with lone surrogates, U+FFFE and U+FFFF: what XML 1.0, production 2, excludes


Node = str  # an element as XML, each child on a line of its own, indented by two spaces


@dataclass(frozen=True)
class Tag:
    """The allowed parents and attributes of a tag, and the maximum length of its text (0: no text, -1: unlimited)."""

    parents: tuple[str, ...]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    longest: int = 0
    starts: dict[tuple[str, ...], str] = field(default_factory=dict, compare=False)  # cache: start tags by attribute names


_BOTH = ("channel", "item")
_ANY = -1

# RSS 2.0; podcast-namespace, docs/tags (May 2026); podlove-simple-chapters 1.2; Apple's requirements for its own namespace.
# `images` is deprecated for `image`; `podping`, `value` and `liveItem` need a running service.
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
_HELD = {
    tag: tuple(f"<{name}{end}" for name, row in TAGS.items() if tag in row.parents for end in " >") for tag in TAGS
}  # starts of the allowed children


def node(tag: str, text: str = "", *children: Node, **attributes: str) -> Node:
    """An element: empty attributes are omitted, text is cut at its limit, `_` in an attribute name becomes `-`.

    Raises `ValueError` for what the row in `TAG_SPECS` does not allow. A long feed has 400,000 elements, so start tags are cached by
    attribute names.
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
            raise ValueError(f"{tag} has no text, but got {text!r}")
        return f"{start % values}>{_text(text[: row.longest] if row.longest > 0 else text)}</{tag}>"
    if not children:
        return f"{start % values}/>"
    for child in children:
        if not child.startswith(_HELD[tag]):
            raise ValueError(f"{tag} cannot contain {name_of(child)}")
    inside = "\n".join(children).replace("\n", "\n  ")  # the only line ends: those in text are escaped
    return f"{start % values}>\n  {inside}\n</{tag}>"


def name_of(node: Node) -> str:
    """The tag of an element."""
    return node[1 : _ENDS.search(node, 1).start()]  # type: ignore[union-attr]  # always found


def _start(tag: str, row: Tag, names: tuple[str, ...]) -> str:
    """The start tag with those attributes, with a placeholder for each value."""
    written = [name.replace("_", "-") for name in names]
    unknown, missing = {*written} - {*row.required, *row.optional}, {*row.required} - {*written}
    if unknown or missing:
        raise ValueError(f"{tag}: attributes {sorted(unknown)} unknown, {sorted(missing)} missing")
    return row.starts.setdefault(names, f"<{tag}" + "".join(f' {name}="%s"' for name in written))


def markup(nodes: Iterable[Node], indent: str = "") -> bytes:
    """The elements in UTF-8, each line indented by `indent`; much faster than a tree."""
    return (indent + "\n".join(nodes).replace("\n", f"\n{indent}") + "\n").encode()


def _text(text: str) -> str:
    """Escaped element text, without what XML forbids; line ends become character references, so that only layout has real ones."""
    known = text.isprintable()
    text = text if known else _allowed(text)
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text if known else text.replace("\r", "&#13;").replace("\n", "&#10;")


def _quoted(value: str) -> str:
    """An escaped attribute value: parsers would turn raw tabs and line ends into spaces."""
    return _text(value).replace('"', "&quot;").replace("\t", "&#9;")


def _allowed(text: str) -> str:
    """The text without the characters that XML 1.0 forbids."""
    data = text.encode("utf-8", "ignore").translate(None, _CONTROLS)  # `ignore` drops lone surrogates
    return data.replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"").decode()


def xml_safe(value: Any) -> Any:  # the same type: `dataclasses.replace` cannot express it for any dataclass
    """The value without the characters that XML 1.0 forbids, recursively in strings, tuples and dataclasses."""
    if isinstance(value, str):
        return _allowed(value)
    if isinstance(value, tuple):
        return tuple(map(xml_safe, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: xml_safe(getattr(value, field.name)) for field in fields(value)})
    return value


class _Extension:
    """feedgen's extension protocol: one instance for the feed, and one for each entry."""

    level: ClassVar[str]

    def __init__(self) -> None:
        self._nodes: list[Node] = []

    def add(self, *nodes: Node) -> None:
        """Add nodes, in this order, after those of feedgen; raises `ValueError` for one that is not allowed here."""
        for one in nodes:
            if self.level not in TAGS[name_of(one)].parents:
                raise ValueError(f"{name_of(one)} is not allowed in {self.level}")
            self._nodes.append(one)

    def extend_ns(self) -> dict[str, str]:
        """The namespaces to declare."""
        return NAMESPACES

    def _write(self, parent: _Element) -> None:
        from lxml.etree import fromstring

        declared = "".join(f' xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items())
        parent.extend(fromstring(f"<all{declared}>".encode() + markup(self._nodes) + b"</all>"))


class Channel(_Extension):
    """The channel, except its items."""

    level = "channel"
    undated = False  # feedgen would set lastBuildDate from the clock

    def extend_rss(self, rss: _Element) -> _Element:
        """Add the nodes to feedgen's `rss` element."""
        channel = rss[0]
        if self.undated and (date := channel.find("lastBuildDate")) is not None:
            channel.remove(date)
        self._write(channel)
        return rss


class Item(_Extension):
    """One item of a feed."""

    level = "item"

    def extend_rss(self, item: _Element) -> _Element:
        """Add the nodes to feedgen's `item` element."""
        self._write(item)
        return item
