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

_NAME_END = re.compile("[ />]")
_CONTROL_BYTES = bytes({*range(32)} - set(b"\t\n\r"))  # with lone surrogates, U+FFFE and U+FFFF: what XML 1.0, production 2, excludes


Node = str  # an element as XML, each child on a line of its own, indented by two spaces


@dataclass(frozen=True)
class TagSpec:
    """The allowed parents and attributes of a tag, and the maximum length of its text (0: no text, -1: unlimited)."""

    parents: tuple[str, ...]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    max_chars: int = 0
    start_templates: dict[tuple[str, ...], str] = field(default_factory=dict, compare=False)  # cache: start tags by attribute names


_CHANNEL_OR_ITEM = ("channel", "item")
_UNLIMITED = -1

# RSS 2.0; podcast-namespace, docs/tags (May 2026); podlove-simple-chapters 1.2; Apple's requirements for its own namespace.
# `images` is deprecated for `image`; `podping`, `value` and `liveItem` need a running service.
TAG_SPECS: dict[str, TagSpec] = {
    "title": TagSpec(("item",), max_chars=_UNLIMITED),
    "link": TagSpec(("item",), max_chars=_UNLIMITED),
    "description": TagSpec(("item",), max_chars=_UNLIMITED),
    "guid": TagSpec(("item",), optional=("isPermaLink",), max_chars=_UNLIMITED),
    "enclosure": TagSpec(("item",), ("url", "length", "type")),
    "pubDate": TagSpec(("item",), max_chars=31),
    "itunes:explicit": TagSpec(_CHANNEL_OR_ITEM, max_chars=5),
    "itunes:image": TagSpec(_CHANNEL_OR_ITEM, ("href",)),
    "itunes:block": TagSpec(_CHANNEL_OR_ITEM, max_chars=3),
    "itunes:duration": TagSpec(("item",), max_chars=10),
    "itunes:summary": TagSpec(_CHANNEL_OR_ITEM, max_chars=4000),
    "itunes:season": TagSpec(("item",), max_chars=10),
    "itunes:episode": TagSpec(("item",), max_chars=10),
    "itunes:episodeType": TagSpec(("item",), max_chars=7),
    "itunes:complete": TagSpec(("channel",), max_chars=3),
    "itunes:new-feed-url": TagSpec(("channel",), max_chars=_UNLIMITED),
    "itunes:owner": TagSpec(("channel",)),
    "itunes:name": TagSpec(("itunes:owner",), max_chars=255),
    "itunes:email": TagSpec(("itunes:owner",), max_chars=255),
    "podcast:guid": TagSpec(("channel",), max_chars=36),
    "podcast:locked": TagSpec(("channel",), optional=("owner",), max_chars=3),
    "podcast:medium": TagSpec(("channel",), max_chars=16),
    "podcast:funding": TagSpec(_CHANNEL_OR_ITEM, ("url",), max_chars=128),
    "podcast:location": TagSpec(_CHANNEL_OR_ITEM, optional=("rel", "geo", "osm", "country"), max_chars=128),
    "podcast:license": TagSpec(_CHANNEL_OR_ITEM, optional=("url",), max_chars=128),
    "podcast:image": TagSpec(_CHANNEL_OR_ITEM, ("href",), ("alt", "aspect-ratio", "width", "height", "type", "purpose")),
    "podcast:person": TagSpec(_CHANNEL_OR_ITEM, optional=("role", "group", "img", "href"), max_chars=128),
    "podcast:trailer": TagSpec(("channel",), ("url", "pubdate"), ("length", "type", "season"), max_chars=128),
    "podcast:updateFrequency": TagSpec(("channel",), optional=("rrule", "dtstart", "complete"), max_chars=128),
    "podcast:block": TagSpec(("channel",), optional=("id",), max_chars=3),
    "podcast:txt": TagSpec(_CHANNEL_OR_ITEM, optional=("purpose",), max_chars=4000),
    "podcast:socialInteract": TagSpec(_CHANNEL_OR_ITEM, ("protocol",), ("uri", "accountId", "accountUrl", "priority")),
    "podcast:podroll": TagSpec(("channel",)),
    "podcast:publisher": TagSpec(("channel",)),
    "podcast:remoteItem": TagSpec(
        ("channel", "podcast:podroll", "podcast:publisher"), ("feedGuid",), ("feedUrl", "itemGuid", "medium", "title")
    ),
    "podcast:season": TagSpec(("item",), optional=("name",), max_chars=10),
    "podcast:episode": TagSpec(("item",), optional=("display",), max_chars=10),
    "podcast:transcript": TagSpec(("item",), ("url", "type"), ("language", "rel")),
    "podcast:chapters": TagSpec(("item",), ("url", "type")),
    "podcast:soundbite": TagSpec(("item",), ("startTime", "duration"), max_chars=128),
    "podcast:contentLink": TagSpec(("item",), ("href",), max_chars=128),
    "podcast:alternateEnclosure": TagSpec(
        ("item",), ("type",), ("length", "bitrate", "height", "lang", "title", "rel", "codecs", "default")
    ),
    "podcast:source": TagSpec(("podcast:alternateEnclosure",), ("uri",), ("contentType",)),
    "podcast:integrity": TagSpec(("podcast:alternateEnclosure",), ("type", "value")),
    "psc:chapters": TagSpec(("item",), ("version",)),
    "psc:chapter": TagSpec(("psc:chapters",), ("start", "title"), ("href", "image")),
}
_CHILD_STARTS = {
    tag: tuple(f"<{name}{end}" for name, row in TAG_SPECS.items() if tag in row.parents for end in " >") for tag in TAG_SPECS
}  # starts of the allowed children


def node(tag: str, text: str = "", *children: Node, **attributes: str) -> Node:
    """An element: empty attributes are omitted, text is cut at its limit, `_` in an attribute name becomes `-`.

    Raises `ValueError` for what the row in `TAG_SPECS` does not allow. A long feed has 400,000 elements, so start tags are cached by
    attribute names.
    """
    spec = TAG_SPECS[tag]
    if "" in attributes.values():
        attributes = {name: value for name, value in attributes.items() if value}
    names, values = tuple(attributes), tuple(attributes.values())
    start = spec.start_templates.get(names) or _start_template(tag, spec, names)
    joined_values = "".join(values)
    if not joined_values.isprintable() or "&" in joined_values or '"' in joined_values or "<" in joined_values or ">" in joined_values:
        values = tuple(map(_escape_attribute, values))
    if text:
        if not spec.max_chars:
            raise ValueError(f"{tag} has no text, but got {text!r}")
        return f"{start % values}>{_escape_text(text[: spec.max_chars] if spec.max_chars > 0 else text)}</{tag}>"
    if not children:
        return f"{start % values}/>"
    for child in children:
        if not child.startswith(_CHILD_STARTS[tag]):
            raise ValueError(f"{tag} cannot contain {tag_name(child)}")
    inner_xml = "\n".join(children).replace("\n", "\n  ")  # the only line ends: those in text are escaped
    return f"{start % values}>\n  {inner_xml}\n</{tag}>"


def tag_name(node: Node) -> str:
    """The tag of an element."""
    return node[1 : _NAME_END.search(node, 1).start()]  # type: ignore[union-attr]  # always found


def _start_template(tag: str, spec: TagSpec, names: tuple[str, ...]) -> str:
    """The start tag with those attributes, with a placeholder for each value."""
    attribute_names = [name.replace("_", "-") for name in names]
    unknown, missing = {*attribute_names} - {*spec.required, *spec.optional}, {*spec.required} - {*attribute_names}
    if unknown or missing:
        raise ValueError(f"{tag}: attributes {sorted(unknown)} unknown, {sorted(missing)} missing")
    return spec.start_templates.setdefault(names, f"<{tag}" + "".join(f' {name}="%s"' for name in attribute_names))


def serialise_nodes(nodes: Iterable[Node], indent: str = "") -> bytes:
    """The elements in UTF-8, each line indented by `indent`; much faster than a tree."""
    return (indent + "\n".join(nodes).replace("\n", f"\n{indent}") + "\n").encode()


def _escape_text(text: str) -> str:
    """Escaped element text, without what XML forbids; line ends become character references, so that only layout has real ones."""
    is_printable = text.isprintable()
    text = text if is_printable else _remove_forbidden(text)
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text if is_printable else text.replace("\r", "&#13;").replace("\n", "&#10;")


def _escape_attribute(value: str) -> str:
    """An escaped attribute value: parsers would turn raw tabs and line ends into spaces."""
    return _escape_text(value).replace('"', "&quot;").replace("\t", "&#9;")


def _remove_forbidden(text: str) -> str:
    """The text without the characters that XML 1.0 forbids."""
    data = text.encode("utf-8", "ignore").translate(None, _CONTROL_BYTES)  # `ignore` drops lone surrogates
    return data.replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"").decode()


def xml_safe(value: Any) -> Any:  # the same type: `dataclasses.replace` cannot express it for any dataclass
    """The value without the characters that XML 1.0 forbids, recursively in strings, tuples and dataclasses."""
    if isinstance(value, str):
        return _remove_forbidden(value)
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
        for node in nodes:
            if self.level not in TAG_SPECS[tag_name(node)].parents:
                raise ValueError(f"{tag_name(node)} is not allowed in {self.level}")
            self._nodes.append(node)

    def extend_ns(self) -> dict[str, str]:
        """The namespaces to declare."""
        return NAMESPACES

    def _write(self, parent: _Element) -> None:
        from lxml.etree import fromstring

        declared = "".join(f' xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items())
        parent.extend(fromstring(f"<all{declared}>".encode() + serialise_nodes(self._nodes) + b"</all>"))


class ChannelExtension(_Extension):
    """The channel, except its items."""

    level = "channel"
    omit_build_date = False  # feedgen would set lastBuildDate from the clock

    def extend_rss(self, rss: _Element) -> _Element:
        """Add the nodes to feedgen's `rss` element."""
        channel = rss[0]
        if self.omit_build_date and (date := channel.find("lastBuildDate")) is not None:
            channel.remove(date)
        self._write(channel)
        return rss


class ItemExtension(_Extension):
    """One item of a feed."""

    level = "item"

    def extend_rss(self, item: _Element) -> _Element:
        """Add the nodes to feedgen's `item` element."""
        self._write(item)
        return item
