"""Repairs of the XML that hosts break: a wrong encoding, undeclared prefixes, lone `&` and `<`. Bytes in, bytes and notes out."""

from __future__ import annotations

import codecs
import re
from html.entities import html5

# The namespace of each prefix that feeds use, for feeds that forget to declare it
NAMESPACES = {
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "psc": "http://podlove.org/simple-chapters",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "atom": "http://www.w3.org/2005/Atom",
    "media": "http://search.yahoo.com/mrss/",
    "googleplay": "http://www.google.com/schemas/play-podcasts/1.0",
    "rawvoice": "http://www.rawvoice.com/rawvoiceRssModule/",
}
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
_REPAIRED = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<(?![A-Za-z_/!?])|&(?:#(\d{1,7});|#[xX]([0-9A-Fa-f]{1,6});|([A-Za-z][A-Za-z0-9]{0,31});)?",
    re.S,
)
_NAMESPACE_SPACES = re.compile(rb"""(\sxmlns:[\w.-]{1,60}\s*=\s*)("[^"<>]{0,300}"|'[^'<>]{0,300}')""")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DECLARED_ENCODING = re.compile(rb"(\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"'])([A-Za-z0-9._-]{1,40})")
_NOT_MARKUP = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)", re.S)
_TAG = re.compile(rb"</?([A-Za-z_][\w.-]{0,60}:)?[A-Za-z_](?:[^<>\"']|\"[^\"]{0,20000}\"|'[^']{0,20000}')*+>", re.S)
_ATTRIBUTE_PREFIX = re.compile(rb"\s([A-Za-z_][\w.-]{0,60}):[\w.-]{1,60}\s*=")
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")
_C1_BYTES = re.compile(rb"[\x80-\x9f]")  # letters and quotes in Windows-1252, control characters in Latin-1
_ASCII_SUPERSETS = {"ascii", "utf-8", "cp1252", "iso8859-1", "iso8859-15", "utf-16", "utf-16-le", "utf-16-be"}


def repair_encoding(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The feed in the encoding that its bytes are in, and a note when that is not the declared one.

    Bytes that are valid UTF-8 are UTF-8, whatever is declared; others of a feed that says UTF-8 are read as Windows-1252, which holds
    Latin-1. Encodings that are no superset of ASCII, and those of other scripts, are left to the parser.
    """
    if b"\0" in data[:4]:
        return data, ()
    declared = _DECLARED_ENCODING.match(data.removeprefix(codecs.BOM_UTF8))
    name = codecs.lookup(declared[2].decode()).name if declared else "utf-8"
    if name not in _ASCII_SUPERSETS or data.isascii() and name != "utf-16":
        return data, ()
    said = declared[2].decode() if declared else "UTF-8"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if name in ("cp1252", "iso8859-15") or (name == "iso8859-1" and not _C1_BYTES.search(data)):
            return data, ()
        text = data.decode("utf-8-sig", _MIXED) if name != "iso8859-1" else data.decode("cp1252", "replace")
        line = data.count(b"\n", 0, error.start) + 1
        lost = text.count("\ufffd")
        told = f"; {lost} bytes are no character and became “\ufffd”" if lost else ""
        note = f"the feed says it is {said} and is not (line {line}): read as Windows-1252, check its accents{told}"
    else:
        if name == "utf-8":
            return data, ()
        note = f"the feed says it is {said} and is UTF-8: read as UTF-8, check its accents"
    return _DECLARED_ENCODING.sub(rb"\1UTF-8", text.encode(), count=1), (note,)


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """An error handler of codecs: the bytes that are no UTF-8 as Windows-1252."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_MIXED = "causerie-windows-1252"
codecs.register_error(_MIXED, _as_windows_1252)


def declare_prefixes(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The feed with its undeclared prefixes declared at its root, and a note that names them."""
    if b"\0" in data[:4]:
        return data, ()
    markup = _NOT_MARKUP.sub(b"", data)
    tags = list(_TAG.finditer(markup))
    root = next((found for found in _TAG.finditer(data) if found[0][1:4].lower() in (b"rss", b"rdf")), None)
    if root is None:
        return data, ()
    used = dict.fromkeys(found[1][:-1] for found in tags if found[1])
    for found in tags:
        if b":" in found[0]:
            used |= dict.fromkeys(_ATTRIBUTE_PREFIX.findall(_QUOTED.sub(b'""', found[0])))
    declared = set(re.findall(rb"xmlns:([\w.-]+)\s*=", root[0])) | {b"xml", b"xmlns"}
    missing = [prefix.decode("ascii", "replace") for prefix in used if prefix not in declared]
    if not missing:
        return data, ()
    names = "".join(f' xmlns:{prefix}="{NAMESPACES.get(prefix.lower(), f"urn:undeclared:{prefix}")}"' for prefix in missing)
    end = root.start() + 1 + len(re.match(rb"[\w:.-]+", root[0][1:])[0])  # type: ignore[index]  # a tag begins with its name
    note = f"the feed uses {', '.join(f'{prefix}:' for prefix in missing)} without declaring it: read as usual, check those texts"
    return data[:end] + names.encode() + data[end:], (note,)


def repair_text(data: bytes) -> bytes:
    """Remove leading spaces, control characters, spaces in namespaces; escape lone `&` and `<`, replace HTML entities, except in CDATA."""
    data = _NAMESPACE_SPACES.sub(lambda found: found[1] + re.sub(rb"\s+", b"", found[2]), _CONTROL.sub(b"", data.lstrip()))
    return _REPAIRED.sub(_repair, data)


def _repair(match: re.Match[bytes]) -> bytes:
    if match[0] == b"<":
        return b"&lt;"
    if not match[0].startswith(b"&"):
        return match[0]
    decimal, hexadecimal, entity = match.groups()
    if decimal or hexadecimal:
        return match[0] if _is_xml_character(int(decimal) if decimal else int(hexadecimal, 16)) else b""
    name = (entity or b"").decode()
    if name in _XML_ENTITIES:
        return match[0]
    characters = html5.get(f"{name};") if name else None
    return "".join(f"&#{ord(char)};" for char in characters).encode() if characters else b"&amp;" + match[0][1:]


def _is_xml_character(code: int) -> bool:
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
