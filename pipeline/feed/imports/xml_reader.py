"""Parse an imported feed: XML without a DTD, repaired where hosts commonly break it, tags under their usual prefixes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.feed.imports.xml_repair import declare_prefixes, repair_encoding, repair_text
from pipeline.model import CauserieError, terminal_safe

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_FEED_BYTES = 50_000_000

# By namespace in lower case: hosts use several spellings
_PREFIXES = {
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "https://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "https://podcastindex.org/namespace/1.0": "podcast",
    "http://podcastindex.org/namespace/1.0": "podcast",
    "https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md": "podcast",
    "http://podlove.org/simple-chapters": "psc",
    "http://podlove.org/simple-chapters/": "psc",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.w3.org/2005/atom": "atom",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.google.com/schemas/play-podcasts/1.0": "googleplay",
    "http://www.google.com/schemas/play-podcasts/1.0/play-podcasts.xsd": "googleplay",
    "http://www.rawvoice.com/rawvoicerssmodule/": "rawvoice",
    "http://www.w3.org/xml/1998/namespace": "xml",
}
_MARKUP_TAGS = {"description", "content:encoded", "itunes:summary"}  # some hosts put XHTML elements into them
_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.S)
_NON_ASCII_ENCODINGS = {"utf-7", "cp037", "cp500", "cp273", "cp424", "cp875", "cp1026", "cp1140"}  # in which “<!DOCTYPE” has other bytes


@dataclass(frozen=True)
class Element:
    """An element under its usual prefix, with its text unchanged. Attributes have no prefix, except `xml:base`."""

    tag: str
    text: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: tuple[Element, ...] = ()

    def find_all(self, tag: str) -> Iterator[Element]:
        """The children of that name."""
        return (child for child in self.children if child.tag == tag)

    def find(self, tag: str) -> Element | None:
        """The first child of that name that has text, attributes or children."""
        return next((child for child in self.find_all(tag) if child.text.strip() or child.attributes or child.children), None)

    def find_text(self, *tags: str) -> str:
        """The unchanged text of the first of these children that has any; empty when none has."""
        return next((child.text for tag in tags for child in self.find_all(tag) if child.text.strip()), "")


def parse_channel(data: bytes, where: str) -> tuple[Element, tuple[str, ...]]:
    """The channel of an RSS 2.0 feed, and a note when its XML was repaired.

    Raises `CauserieError` for anything else: a DTD (a feed needs none, and entity bombs are made of it), Atom, a web page, XML that is
    too broken to repair.
    """
    if len(data) > MAX_FEED_BYTES:
        raise CauserieError(f"is larger than {MAX_FEED_BYTES // 1_000_000} MB", where, "check that it is the URL of a podcast feed")
    _refuse_dtd(data, where)
    root, notes = _parse_root(data, where)
    default_notes = _drop_default_namespace(root)
    name = _prefixed_name(str(root.tag), root.prefix or "")
    if name != "rss":
        kinds = {"atom:feed": "an Atom feed", "feed": "an Atom feed", "html": "a web page", "rdf:rdf": "RSS 1.0, which has no enclosures"}
        kind = kinds.get(name.lower(), f"<{terminal_safe(name)[:40]}>")
        raise CauserieError(f"is {kind}, not an RSS feed", where, "give the URL that podcast players subscribe to")
    channel_element = next((child for child in root if isinstance(child.tag, str) and _prefixed_name(child.tag) == "channel"), None)
    if channel_element is None:
        raise CauserieError("has no channel", where, "give the URL that podcast players subscribe to")
    outside = dict.fromkeys(_prefixed_name(str(child.tag), child.prefix or "") for child in root if child is not channel_element)
    outside_notes = tuple(f"<{terminal_safe(tag)[:60]}> outside the channel: kept only in feeds/imported.xml" for tag in outside)
    return _to_element(channel_element), (*notes, *default_notes, *outside_notes)


def _drop_default_namespace(root: _Element) -> tuple[str, ...]:
    """Take the elements of RSS out of a namespace of their own, which some feeds declare and RSS 2.0 does not have; a note says so."""
    found = re.fullmatch(r"\{([^}]*)\}(?:rss|html|feed)", str(root.tag), re.I)
    channels = [str(child.tag) for child in root if isinstance(child.tag, str)]
    channel = next((re.fullmatch(r"\{([^}]*)\}channel", tag) for tag in channels if tag.endswith("}channel")), None)
    addresses = {each[1] for each in (found, channel) if each and each[1].lower() not in _PREFIXES}
    for node in root.iter():
        if isinstance(node.tag, str) and node.tag.startswith("{"):
            address, _, name = node.tag[1:].partition("}")
            node.tag = name if address in addresses else node.tag
    return tuple(f"the feed puts RSS into the namespace {terminal_safe(each)[:120]}: read as RSS 2.0" for each in sorted(addresses))


def _refuse_dtd(data: bytes, where: str) -> None:
    """Refuse a DTD before any parser sees it, also in UTF-16: the prolog is checked without its null bytes."""
    start = data[:100_000].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff").decode("latin-1")
    declared = re.match(r"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)", start)
    try:
        encoding = codecs.lookup(declared[1]).name if declared else "utf-8"
    except LookupError:
        encoding = "unknown"
    if encoding in _NON_ASCII_ENCODINGS or encoding == "unknown":
        what = f"declares the encoding {terminal_safe(declared[1]) if declared else '?'}, which is not supported"
        raise CauserieError(what, where, "ask the host for UTF-8")
    prolog = _PROLOG.match(start)
    rest = start[prolog.end() if prolog else 0 :]
    if rest.startswith("<!"):
        if re.match(r"<!doctype\s+html", rest, re.I):
            raise CauserieError("is a web page, not a feed", where, "give the URL that podcast players subscribe to")
        raise CauserieError(
            "has a document type (DTD), which can contain an entity bomb", where, "ask the host for a feed without <!DOCTYPE>"
        )
    if not rest.startswith("<"):
        raise CauserieError("is not XML", where, "give the URL that podcast players subscribe to")


def _parse_root(data: bytes, where: str) -> tuple[_Element, tuple[str, ...]]:
    """The root element, after repairs if necessary, and notes about them."""
    from lxml.etree import XMLSyntaxError

    data, notes = repair_encoding(data)
    try:
        return _parse_xml(data), notes
    except XMLSyntaxError as error:
        first_error = error
    data, prefix_notes = declare_prefixes(data)
    notes = (*notes, *prefix_notes)
    if prefix_notes:
        try:
            return _parse_xml(data), notes
        except XMLSyntaxError as error:
            first_error = error
    try:
        root = _parse_xml(repair_text(data))
    except XMLSyntaxError as error:
        message = f"is not well-formed XML ({terminal_safe(str(error.msg))[:120]})"
        raise CauserieError(message, where, "the download may be incomplete: try again, or ask the host to fix that line") from error
    line = f"line {first_error.lineno}" if first_error.lineno else "its beginning"
    repairs = "lone & and <, HTML entities and control characters were repaired, check those texts"
    return root, (*notes, f"the feed is not well-formed XML ({line}); {repairs}")


def _parse_xml(data: bytes) -> _Element:
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(data, parser)
    if root.getroottree().docinfo.internalDTD is not None:  # a second check, in case the first one missed it
        raise CauserieError(
            "has a document type (DTD), which can contain an entity bomb", "feed", "ask the host for a feed without <!DOCTYPE>"
        )
    return root


def _to_element(node: _Element) -> Element:
    tag = _prefixed_name(str(node.tag), node.prefix or "")
    if tag in _MARKUP_TAGS and len(node):
        from lxml.etree import tostring

        inner = (node.text or "") + "".join(tostring(child, encoding="unicode") for child in node)
        return Element(tag, inner)
    names = {key: _attribute_name(key) for key in node.attrib}
    attributes = {
        name if name == key or name not in node.attrib else _prefixed_name(key): node.attrib[key]  # `xlink:href` beside `href`
        for key, name in names.items()
    }
    text = (node.text or "") + "".join(child.tail or "" for child in node if (child.tail or "").strip())
    return Element(tag, text, attributes, tuple(_to_element(child) for child in node if isinstance(child.tag, str)))


@lru_cache(4096)
def _prefixed_name(tag: str, prefix: str = "") -> str:
    """`itunes:title` for lxml's `{http://…}title`; an unknown namespace keeps the feed's own prefix."""
    if not tag.startswith("{"):
        return tag
    address, _, name = tag[1:].partition("}")
    known = _PREFIXES.get(address.lower())
    return f"{known or prefix.lower() or 'other'}:{name}" if known or prefix not in _PREFIXES.values() else f"other:{name}"


@lru_cache(4096)
def _attribute_name(key: str) -> str:
    name = _prefixed_name(key)
    return name if name == "xml:base" else name.rpartition(":")[2]
