"""HTML or plain text from a feed as plain paragraphs, with notes on what plain text cannot hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

MAX_HTML_CHARS = 200_000  # characters; far more than players show of an episode

_BLOCK_ELEMENTS = frozenset(
    "p div br li ul ol h1 h2 h3 h4 h5 h6 blockquote pre table tr section article header footer hr dl dt dd figure".split()
)
_EMBEDDED_ELEMENTS = frozenset("img iframe audio video embed object source".split())
_SKIPPED_ELEMENTS = frozenset("script style template".split())
_IS_HTML = re.compile(r"<(?:/?[a-zA-Z][^<>]*>|!--)|&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]+);", re.S)
# no `<` outside quotes, and a bounded length: matching stays linear for any input
_ATTRIBUTES = r"""(?P<rest>(?:[^<>"']|"[^"]{0,4000}"|'[^']{0,4000}'){0,4000}+)"""
_TAG = re.compile(rf"<!--.*?(?:-->|\Z)|<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*){_ATTRIBUTES}>", re.S)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]")  # Unicode's Cc and Cs, and bidirectional overrides

_NEEDS_CLEANING = re.compile(f"{_UNPRINTABLE.pattern[:-1]}\t\n\r]|  ")


@dataclass(frozen=True)
class PlainText:
    """Paragraphs separated by blank lines, and what was dropped. Bold text and headings become plain text."""

    text: str
    dropped: tuple[str, ...] = ()


def remove_controls(text: str) -> str:
    """The text without control characters, lone surrogates and bidirectional overrides, which a TOML value must not hold."""
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))


def single_line(text: str) -> str:
    """The text on one line, with single spaces; no-break spaces of French stay."""
    if _NEEDS_CLEANING.search(text):
        text = re.sub(r"[ \n]+", " ", remove_controls(text))
    return text.strip()


def clean_title(text: str) -> str:
    """A title on one line, without the HTML entities and inline tags that some hosts leave in it."""
    return single_line(unescape(re.sub(r"</?(?:b|i|em|strong|span|u)\b[^<>]{0,200}>", "", text)))


def truncate(text: str, max_chars: int) -> str:
    """At most `max_chars` characters; a longer text is cut after a word and ends with «…»."""
    if len(text) <= max_chars:
        return text
    head = text[: max_chars - 1]
    space = max(head.rfind(" "), head.rfind("\n"))
    return (head[:space] if space > max_chars // 2 else head).rstrip(" \n\u00a0\u202f,;:.-–—") + "…"


def html_to_text(text: str) -> PlainText:
    """HTML or plain text as paragraphs: one for each block, list item and line; the URL of a link follows its text."""
    truncation = (f"everything after {MAX_HTML_CHARS:,} characters",) if len(text) > MAX_HTML_CHARS else ()
    text = text[:MAX_HTML_CHARS]
    if not _IS_HTML.search(text):
        return PlainText("\n\n".join(filter(None, map(single_line, re.split(r"\r\n|\r|\n", text)))), truncation)
    state = _HtmlState()
    at = 0
    for found in _TAG.finditer(text):
        _add_text(state, text[at : found.start()])
        _handle_tag(state, (found["name"] or "").lower(), bool(found["end"]), found["rest"] or "")
        at = found.end()
    _add_text(state, text[at:])
    _end_block(state)
    return PlainText("\n\n".join(state.paragraphs), (*dict.fromkeys(state.dropped), *truncation))


@dataclass
class _HtmlState:
    """The state of the conversion. `link` is the URL of the open link, and the number of words before it."""

    paragraphs: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    link: tuple[str, int] | None = None
    skipped_element: str = ""  # the open script or style element


def _add_text(state: _HtmlState, text: str) -> None:
    if text and not state.skipped_element:
        state.words.append(unescape(text))


def _handle_tag(state: _HtmlState, name: str, is_end: bool, attributes: str) -> None:
    """Handle a tag: blocks end paragraphs, links are remembered, embedded media are noted as dropped."""
    if state.skipped_element:
        state.skipped_element = "" if is_end and name == state.skipped_element else state.skipped_element
    elif name in _BLOCK_ELEMENTS:
        _end_block(state)
        if name == "li" and not is_end:
            state.words.append("• ")
    elif name == "a":
        _end_link(state)
        state.link = None if is_end else (_attribute_value(attributes, "href"), len(state.words))
    elif is_end:
        return
    elif name in _SKIPPED_ELEMENTS:
        state.skipped_element = name
        state.dropped.append(f"a <{name}>")
    elif name in _EMBEDDED_ELEMENTS:
        state.dropped.append(
            f"an image or player, {_attribute_value(attributes, 'src') or _attribute_value(attributes, 'data') or name}"[:300]
        )


def _end_block(state: _HtmlState) -> None:
    """End the current paragraph."""
    _end_link(state)
    words = single_line("".join(state.words))
    if words and words != "•":
        state.paragraphs.append(words)
    state.words = []


def _end_link(state: _HtmlState) -> None:
    """Write «text (https://url)», or the URL alone when it is the text."""
    if state.link is None:
        return
    (address, start), state.link = state.link, None
    words = single_line("".join(state.words[start:]))
    if not re.match(r"(?:https?|mailto):", address, re.I):
        if address and not address.startswith("#"):
            state.dropped.append(f"a link, {address[:300]}")
    elif re.sub(r"^https?://", "", words).rstrip("/") != re.sub(r"^(https?://|mailto:)", "", address).rstrip("/"):
        state.words.append(f" ({address})" if words else address)


def _attribute_value(attributes: str, name: str) -> str:
    found = re.search(rf"""(?:^|[\s"'/]){name}\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", attributes, re.I)
    return single_line(unescape(next(filter(None, found.groups()), ""))) if found else ""
