"""A host's HTML and loose text as our plain paragraphs; what has no place in plain text is told."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

LONGEST_HTML = 200_000  # characters; what players show of an episode is far below

_BLOCKS = frozenset("p div br li ul ol h1 h2 h3 h4 h5 h6 blockquote pre table tr section article header footer hr dl dt dd figure".split())
_PLACES = frozenset("img iframe audio video embed object source".split())
_SILENT = frozenset("script style template".split())
_LOOKS = frozenset("b strong i em u s h1 h2 h3 h4 h5 h6 blockquote table code pre".split())
_IS_HTML = re.compile(r"<(?:[a-zA-Z][^<>]*|/[a-zA-Z][^<>]*|!--.*?--)>|&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]+);", re.S)
_REORDERING = re.compile("[\u202a-\u202e]")


@dataclass(frozen=True)
class Plain:
    """Paragraphs separated by blank lines, what could not be kept of them, and whether they had a look (bold, headings)."""

    text: str
    lost: tuple[str, ...] = ()
    styled: bool = False


def clean(text: str) -> str:
    """The text without what no line of a TOML file of ours may hold: control characters, lone surrogates, marks that reorder."""
    text = _REORDERING.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    return "".join(char for char in text if char == "\n" or unicodedata.category(char) not in ("Cc", "Cs"))


def line(text: str) -> str:
    """One clean line; French no-break spaces stay."""
    return re.sub(r"[ \n]+", " ", clean(text)).strip()


def title(text: str) -> str:
    """One clean line of a title, in which hosts leave HTML entities and now and then a tag."""
    return line(unescape(re.sub(r"</?(?:b|i|em|strong|span|u)\b[^<>]{0,200}>", "", text)))


def shortened(text: str, most: int) -> str:
    """At most `most` characters, cut after a word and marked «…» when it was longer."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    space = max(kept.rfind(" "), kept.rfind("\n"))
    return (kept[:space] if space > most // 2 else kept).rstrip(" \n\u00a0\u202f,;:.-–—") + "…"


def plain(text: str) -> Plain:
    """HTML, or text as it is typed, as plain paragraphs: each block, list item and line is one; an address stays behind its link's words."""
    if not _IS_HTML.search(text):
        lines = (line(each) for each in clean(text[:LONGEST_HTML]).split("\n"))
        return Plain("\n\n".join(filter(None, lines)), _cut(text))
    reader = _Reader()
    reader.feed(text[:LONGEST_HTML])
    reader.close()
    reader.end_block()
    return Plain("\n\n".join(reader.paragraphs), (*dict.fromkeys(reader.lost), *_cut(text)), reader.styled)


def _cut(text: str) -> tuple[str, ...]:
    return (f"all after {LONGEST_HTML:,} characters",) if len(text) > LONGEST_HTML else ()


@dataclass
class _Reading:
    """What a reader has found so far."""

    paragraphs: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    styled: bool = False


class _Reader(HTMLParser, _Reading):
    """HTML to paragraphs."""

    def __init__(self) -> None:
        HTMLParser.__init__(self)
        _Reading.__init__(self)
        self._words: list[str] = []
        self._link: tuple[str, int] | None = None
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Blocks end paragraphs; links are remembered; what cannot be written is told."""
        values = dict(attrs)
        self.styled = self.styled or tag in _LOOKS
        if tag in _SILENT:
            self._silent += 1
            self.lost.append(f"a <{tag}>")
        elif tag in _PLACES:
            self.lost.append(line(f"a picture or player, {values.get('src') or values.get('data') or tag}")[:300])
        elif tag == "a":
            self._end_link()
            self._link = (line(values.get("href") or ""), len(self._words))
        if tag in _BLOCKS:
            self.end_block()
            if tag == "li":
                self._words.append("• ")

    def handle_endtag(self, tag: str) -> None:
        """The inverse."""
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "a":
            self._end_link()
        elif tag in _BLOCKS:
            self.end_block()

    def handle_data(self, data: str) -> None:
        """Words; nothing inside a script is one."""
        if not self._silent:
            self._words.append(data)

    def end_block(self) -> None:
        """What was gathered is a paragraph."""
        self._end_link()
        words = line("".join(self._words))
        if words and words != "•":
            self.paragraphs.append(words)
        self._words = []

    def _end_link(self) -> None:
        """«the words (https://address)», unless the words are the address."""
        if self._link is None:
            return
        address, start = self._link
        self._link = None
        words = line("".join(self._words[start:]))
        if not re.match(r"(?:https?|mailto):", address, re.I):
            if address and not address.startswith("#"):
                self.lost.append(f"a link, {address[:300]}")
        elif words.removeprefix("https://").removeprefix("http://").rstrip("/") != re.sub(r"^(https?://|mailto:)", "", address).rstrip("/"):
            self._words.append(f" ({address})" if words else address)
