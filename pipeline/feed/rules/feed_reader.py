"""Parse a feed into plain frozen values: tags under their usual prefixes, whatever prefixes the feed declares.

Feeds are untrusted. A document type is refused before it is parsed (entity expansion, local files), nothing is fetched, and items are
parsed one at a time, so that a feed of ten thousand items needs no tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

from pipeline.model import CauserieError

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_BYTES = 256 << 20  # protects the memory; no feed is that large
PREFIX_BY_NAMESPACE = {
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "https://podcastindex.org/namespace/1.0": "podcast",
    "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md": "podcast",  # equivalent, by its specification
    "http://podlove.org/simple-chapters": "psc",
    "http://www.w3.org/2005/Atom": "atom",
    "http://purl.org/rss/1.0/modules/content/": "content",
}
_REBUILD_HINT = "run causerie build to write it again"
_NO_ATTRIBUTES: dict[str, str] = {}


class Tag(NamedTuple):
    """One element: `itunes:image`, its text as written, its attributes, its children, its line in the feed."""

    name: str
    text: str
    attributes: dict[str, str]
    children: tuple[Tag, ...]
    line: int

    def get(self, attribute: str) -> str:
        """An attribute's value; empty when it is missing."""
        return self.attributes.get(attribute, "")


class Entry(NamedTuple):
    """The channel, or one item: its tags by name, in the order of the feed; `line` is where it begins."""

    tags: dict[str, tuple[Tag, ...]]
    line: int

    def find_all(self, name: str) -> tuple[Tag, ...]:
        """Every tag of that name."""
        return self.tags.get(name, ())

    def text(self, name: str) -> str:
        """The text of the first tag of that name, without outer spaces; empty when there is none."""
        found = self.tags.get(name)
        return found[0].text.strip() if found else ""

    def attribute(self, name: str, attribute: str) -> str:
        """An attribute of the first tag of that name; empty when there is none."""
        found = self.tags.get(name)
        return found[0].get(attribute) if found else ""


class Feed(NamedTuple):
    """A parsed feed."""

    channel: Entry
    items: tuple[Entry, ...]
    namespaces: frozenset[str]  # usual prefixes of the namespaces that the root declares
    bytes: int


def parse_feed(data: bytes, where: str = "feed.xml") -> Feed:
    """Parse `data`; raises `CauserieError` for `where` unless it is well-formed RSS 2.0 in UTF-8 without a DTD."""
    if len(data) > MAX_BYTES:
        raise CauserieError(f"is larger than {MAX_BYTES >> 20} MB", where, "no app reads such a feed: leave older episodes out")
    _check_prologue(data, where)
    from lxml import etree

    items: list[Entry] = []
    name_cache: dict[str, str] = {}
    root: _Element | None = None
    channel: _Element | None = None
    try:
        for event, element in _iterparse(data):
            if event == "start":
                root, channel = _update_ancestors(root, channel, element, where)
            elif element.getparent() is channel and element.tag == "item":
                items.append(_entry(element, name_cache))
                _release_memory(element)
    except etree.XMLSyntaxError as error:
        raise CauserieError(f"is not well-formed XML ({_first_line(error.msg)})", where, _REBUILD_HINT) from error
    if root is None or channel is None:
        raise CauserieError("has no channel, so it is not an RSS feed", where, _REBUILD_HINT)
    namespaces = frozenset(PREFIX_BY_NAMESPACE[address] for address in root.nsmap.values() if address in PREFIX_BY_NAMESPACE)
    return Feed(_entry(channel, name_cache), tuple(items), namespaces, len(data))


def _iterparse(data: bytes) -> Iterator[tuple[str, _Element]]:
    from lxml import etree

    return etree.iterparse(
        BytesIO(data),
        events=("start", "end"),
        tag=("rss", "channel", "item", "{*}feed", "{*}RDF"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _update_ancestors(root: _Element | None, channel: _Element | None, element: _Element, where: str) -> tuple[_Element, _Element | None]:
    """The root and the channel after the start of `element`."""
    if root is None:
        if element.tag != "rss" or element.getparent() is not None or element.get("version") != "2.0":
            raise CauserieError("is not RSS 2.0, the only format directories read", where, _REBUILD_HINT)
        return element, channel
    return root, element if channel is None and element.tag == "channel" and element.getparent() is root else channel


def _release_memory(element: _Element) -> None:
    """Free the memory of a parsed item."""
    element.clear()
    parent = element.getparent()
    while parent is not None and (previous := element.getprevious()) is not None and previous.tag == "item":
        parent.remove(previous)


def _entry(element: _Element, name_cache: dict[str, str]) -> Entry:
    tags: dict[str, list[Tag]] = {}
    for child in element.iterchildren("*"):
        if child.tag != "item":
            tag = _tag(child, name_cache)
            tags.setdefault(tag.name, []).append(tag)
    return Entry({name: tuple(found) for name, found in tags.items()}, element.sourceline or 0)


def _tag(element: _Element, name_cache: dict[str, str]) -> Tag:
    children = tuple([_tag(child, name_cache) for child in element.iterchildren("*")]) if len(element) else ()
    name, text = str(element.tag), element.text or ""
    attributes = dict(element.items()) if element.keys() else _NO_ATTRIBUTES
    return Tag(
        name_cache.get(name) or name_cache.setdefault(name, _prefixed_name(name)), text, attributes, children, element.sourceline or 0
    )


def _prefixed_name(tag: str) -> str:
    """`itunes:image` for lxml's `{http://…}image`; an unknown namespace keeps its URL."""
    address, brace, name = tag.rpartition("}")
    return f"{PREFIX_BY_NAMESPACE.get(address[1:], address[1:])}:{name}" if brace else name


class _RootStarted(Exception):
    """Raised at the start of the root element: the prologue is over."""


def _check_prologue(data: bytes, where: str) -> None:
    """Refuse a document type, and any encoding except UTF-8, before lxml parses anything."""
    parser = expat.ParserCreate()
    parser.XmlDeclHandler = lambda version, encoding, standalone: _check_encoding(encoding, where)
    parser.StartDoctypeDeclHandler = _raising_handler(
        CauserieError(
            "declares a document type, which can define entities; a feed needs none", where, f"remove the DOCTYPE, or {_REBUILD_HINT}"
        )
    )
    parser.StartElementHandler = _raising_handler(_RootStarted())
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        _check_encoding("UTF-16", where)
    try:
        parser.Parse(data[: 1 << 16], len(data) <= 1 << 16)
    except _RootStarted:
        return
    except expat.ExpatError as error:
        raise CauserieError(f"is not well-formed XML ({_first_line(str(error))})", where, _REBUILD_HINT) from error
    raise CauserieError("does not start with a feed: no root element in the first 64 KB", where, _REBUILD_HINT)


def _raising_handler(error: Exception) -> Callable[..., None]:
    def handler(*_: object) -> None:
        raise error

    return handler


def _check_encoding(encoding: str | None, where: str) -> None:
    if encoding and encoding.upper() not in ("UTF-8", "US-ASCII"):
        raise CauserieError("is not in UTF-8, which directories require", where, _REBUILD_HINT)


def _first_line(message: str) -> str:
    return message.split("\n")[0][:120]
