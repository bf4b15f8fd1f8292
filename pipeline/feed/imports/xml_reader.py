"""Parse an imported feed: XML without a DTD, repaired where hosts commonly break it, tags under their usual prefixes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html.entities import html5
from typing import TYPE_CHECKING

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
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
_AMPERSAND = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?:#\d{1,7};|#[xX][0-9A-Fa-f]{1,6};|([A-Za-z][A-Za-z0-9]{0,31});)?", re.S)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
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
    name = _prefixed_name(str(root.tag))
    if name != "rss":
        kind = {"atom:feed": "an Atom feed", "html": "a web page", "feed": "an Atom feed"}.get(
            name.lower(), f"<{terminal_safe(name)[:40]}>"
        )
        raise CauserieError(f"is {kind}, not an RSS feed", where, "give the URL that podcast players subscribe to")
    channel_element = next((child for child in root if isinstance(child.tag, str) and _prefixed_name(child.tag) == "channel"), None)
    if channel_element is None:
        raise CauserieError("has no channel", where, "give the URL that podcast players subscribe to")
    return _to_element(channel_element), notes


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
    """The root element, after repairs if necessary, and a note about them."""
    from lxml.etree import XMLSyntaxError

    try:
        return _parse_xml(data), ()
    except XMLSyntaxError as error:
        first_error = error
    repaired = _repair_xml(data)
    try:
        root = _parse_xml(repaired)
    except XMLSyntaxError as error:
        message = f"is not well-formed XML ({terminal_safe(str(error.msg))[:120]})"
        raise CauserieError(message, where, "the download may be incomplete: try again, or ask the host to fix that line") from error
    line = f"line {first_error.lineno}" if first_error.lineno else "its beginning"
    repairs = "lone &, HTML entities and control characters were repaired, check those texts"
    return root, (f"the feed is not well-formed XML ({line}); {repairs}",)


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


def _repair_xml(data: bytes) -> bytes:
    """Remove leading spaces and control characters, escape lone `&`, replace HTML entities; CDATA is unchanged."""

    def repair(match: re.Match[bytes]) -> bytes:
        name = (match[1] or b"").decode()
        if not match[0].startswith(b"&") or match[0].startswith(b"&#") or name in _XML_ENTITIES:
            return match[0]
        characters = html5.get(f"{name};") if name else None
        return "".join(f"&#{ord(char)};" for char in characters).encode() if characters else b"&amp;" + match[0][1:]

    return _AMPERSAND.sub(repair, _CONTROL.sub(b"", data.lstrip()))


def _to_element(node: _Element) -> Element:
    tag = _prefixed_name(str(node.tag), node.prefix or "")
    if tag in _MARKUP_TAGS and len(node):
        from lxml.etree import tostring

        inner = (node.text or "") + "".join(tostring(child, encoding="unicode") for child in node)
        return Element(tag, inner)
    attributes = {_attribute_name(key): value for key, value in node.attrib.items()}
    return Element(tag, node.text or "", attributes, tuple(_to_element(child) for child in node if isinstance(child.tag, str)))


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
