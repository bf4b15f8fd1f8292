"""HTML or plain text from a feed as plain paragraphs, with notes on what plain text cannot hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

LONGEST_HTML = 200_000  # characters; far more than players show of an episode

_BLOCKS = frozenset("p div br li ul ol h1 h2 h3 h4 h5 h6 blockquote pre table tr section article header footer hr dl dt dd figure".split())
_PLACES = frozenset("img iframe audio video embed object source".split())
_SILENT = frozenset("script style template".split())
_IS_HTML = re.compile(r"<(?:/?[a-zA-Z][^<>]*>|!--)|&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]+);", re.S)
# no `<` outside quotes, and a bounded length: matching stays linear for any input
_REST = r"""(?P<rest>(?:[^<>"']|"[^"]{0,4000}"|'[^']{0,4000}'){0,4000}+)"""
_TAG = re.compile(rf"<!--.*?(?:-->|\Z)|<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*){_REST}>", re.S)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]")  # Unicode's Cc and Cs, and bidirectional overrides

_UNEVEN = re.compile(f"{_UNPRINTABLE.pattern[:-1]}\t\n\r]|  ")


@dataclass(frozen=True)
class Plain:
    """Paragraphs separated by blank lines, and what was dropped. Bold text and headings become plain text."""

    text: str
    lost: tuple[str, ...] = ()


def clean(text: str) -> str:
    """The text without control characters, lone surrogates and bidirectional overrides, which a TOML value must not hold."""
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))


def line(text: str) -> str:
    """The text on one line, with single spaces; no-break spaces of French stay."""
    if _UNEVEN.search(text):
        text = re.sub(r"[ \n]+", " ", clean(text))
    return text.strip()


def title(text: str) -> str:
    """A title on one line, without the HTML entities and inline tags that some hosts leave in it."""
    return line(unescape(re.sub(r"</?(?:b|i|em|strong|span|u)\b[^<>]{0,200}>", "", text)))


def shortened(text: str, most: int) -> str:
    """At most `max_chars` characters; a longer text is cut after a word and ends with «…»."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    space = max(kept.rfind(" "), kept.rfind("\n"))
    return (kept[:space] if space > most // 2 else kept).rstrip(" \n\u00a0\u202f,;:.-–—") + "…"


def plain(text: str) -> Plain:
    """HTML or plain text as paragraphs: one for each block, list item and line; the URL of a link follows its text."""
    cut = (f"everything after {LONGEST_HTML:,} characters",) if len(text) > LONGEST_HTML else ()
    text = text[:LONGEST_HTML]
    if not _IS_HTML.search(text):
        return Plain("\n\n".join(filter(None, map(line, re.split(r"\r\n|\r|\n", text)))), cut)
    reading = _Reading()
    at = 0
    for found in _TAG.finditer(text):
        _words(reading, text[at : found.start()])
        _tag(reading, (found["name"] or "").lower(), bool(found["end"]), found["rest"] or "")
        at = found.end()
    _words(reading, text[at:])
    _end_block(reading)
    return Plain("\n\n".join(reading.paragraphs), (*dict.fromkeys(reading.lost), *cut))


@dataclass
class _Reading:
    """The state of the conversion. `link` is the URL of the open link, and the number of words before it."""

    paragraphs: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    link: tuple[str, int] | None = None
    silent: str = ""  # the open script or style element


def _words(reading: _Reading, text: str) -> None:
    if text and not reading.silent:
        reading.words.append(unescape(text))


def _tag(reading: _Reading, name: str, is_end: bool, rest: str) -> None:
    """Handle a tag: blocks end paragraphs, links are remembered, embedded media are noted as dropped."""
    if reading.silent:
        reading.silent = "" if is_end and name == reading.silent else reading.silent
    elif name in _BLOCKS:
        _end_block(reading)
        if name == "li" and not is_end:
            reading.words.append("• ")
    elif name == "a":
        _end_link(reading)
        reading.link = None if is_end else (_attribute(rest, "href"), len(reading.words))
    elif is_end:
        return
    elif name in _SILENT:
        reading.silent = name
        reading.lost.append(f"a <{name}>")
    elif name in _PLACES:
        reading.lost.append(f"an image or player, {_attribute(rest, 'src') or _attribute(rest, 'data') or name}"[:300])


def _end_block(reading: _Reading) -> None:
    """End the current paragraph."""
    _end_link(reading)
    words = line("".join(reading.words))
    if words and words != "•":
        reading.paragraphs.append(words)
    reading.words = []


def _end_link(reading: _Reading) -> None:
    """Write «text (https://url)», or the URL alone when it is the text."""
    if reading.link is None:
        return
    (address, start), reading.link = reading.link, None
    words = line("".join(reading.words[start:]))
    if not re.match(r"(?:https?|mailto):", address, re.I):
        if address and not address.startswith("#"):
            reading.lost.append(f"a link, {address[:300]}")
    elif re.sub(r"^https?://", "", words).rstrip("/") != re.sub(r"^(https?://|mailto:)", "", address).rstrip("/"):
        reading.words.append(f" ({address})" if words else address)


def _attribute(rest: str, name: str) -> str:
    found = re.search(rf"""(?:^|[\s"'/]){name}\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", rest, re.I)
    return line(unescape(next(filter(None, found.groups()), ""))) if found else ""
