"""The rules of directories: what a rule is, what it checks, and its findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.feed.rules.feed_reader import Entry, Feed, Tag
from pipeline.model import ImageHeader

ERROR, ADVICE = "error", "advice"
SHOW, EPISODE, EPISODES = "show", "episode", "episodes"  # scopes of a rule, besides the kinds of file in `FileReference`
FILES = ("cover", "audio", "alternate", "transcript", "chapters")
ADDRESS = "address"  # scope: the server's response for the feed and each of its files, with --online only


class Rule(NamedTuple):
    """A row of the table. `check` returns the problem in a few words, empty when there is none.

    Its arguments depend on `scope`: the feed (show); an item and the feed (episode); the feed, returning pairs of item and problem
    (episodes); a reference and its file (one of FILES); a reference and its HTTP response (address).
    """

    pack: str  # Apple, Spotify, Podcast Index, PSP-1, Amazon
    name: str  # unique in all packs
    level: str  # an error makes directories refuse the feed or a part of it; advice does not
    scope: str
    source: str  # the document and its section
    check: Callable[..., str | Iterable[tuple[Entry, str]]]
    remedy: str


@dataclass(frozen=True)
class Finding:
    """One violation of a rule."""

    level: str
    pack: str
    rule: str
    source: str
    where: str
    problem: str
    remedy: str


class FileReference(NamedTuple):
    """A reference to a file in the feed: its kind, URL, tag and item (None for the channel)."""

    kind: str  # one of FILES, or "feed" for the feed's own URL
    url: str
    tag: Tag
    item: Entry | None


@dataclass(frozen=True)
class AudioProperties:
    """The header and tags of an audio file."""

    type: str  # audio/mpeg, audio/mp4, audio/ogg…
    duration_s: float
    kbps: int = 0
    rate_hz: int = 0
    channels: int = 0
    constant: bool = True  # CBR
    has_info: bool = True  # MP3: a Xing or Info frame, which gives players the length
    id3: tuple[int, int] | None = None  # (2, 3)
    title: str = ""  # TIT2


@dataclass(frozen=True)
class LocalFile:
    """The properties of a local file; `error` says why its content does not conform to its media type."""

    bytes: int
    sha256: str = ""  # from release.json
    image: ImageHeader | None = None
    audio: AudioProperties | None = None
    error: str = ""


@dataclass(frozen=True)
class HttpProbe:
    """A server's response to HEAD, and for audio to a request for its first two bytes. Header names are in lower case."""

    status: int  # 0 without a response
    headers: Mapping[str, str]
    range_status: int = 0
    content_range: str = ""


def channel_or_item(value: Feed | Entry) -> Entry:
    """The channel of a feed; an item as it is."""
    return value.channel if isinstance(value, Feed) else value


def missing(name: str, attribute: str = "") -> Callable[..., str]:
    """A check that the channel or an item has a non-empty tag (or attribute)."""

    def check(value: Feed | Entry, *_: object) -> str:
        entry = channel_or_item(value)
        return "" if (entry.attribute(name, attribute) if attribute else entry.text(name)) else f"has no {name}"

    return check


def not_one_of(name: str, *values: str) -> Callable[..., str]:
    """A check that the text of a tag, if present, is exactly one of `values`."""

    def check(value: Feed | Entry, *_: object) -> str:
        entry = channel_or_item(value)
        for tag in entry.find_all(name):
            if tag.text.strip() not in values:
                return f"has {name} “{tag.text.strip()[:40]}”"
        return ""

    return check


def too_long(name: str, characters: int) -> Callable[..., str]:
    """A check of the length of a tag's text, in characters."""

    def check(value: Feed | Entry, *_: object) -> str:
        entry = channel_or_item(value)
        for tag in entry.find_all(name):
            if len(tag.text) > characters:
                return f"has {name} of {len(tag.text)} characters, the limit is {characters}"
        return ""

    return check


def too_many_bytes(name: str, limit_bytes: int) -> Callable[..., str]:
    """A check of the length of a tag's text, in bytes of UTF-8."""

    def check(value: Feed | Entry, *_: object) -> str:
        entry = channel_or_item(value)
        for tag in entry.find_all(name):
            if len(tag.text) * 4 > limit_bytes and (size := len(tag.text.encode())) > limit_bytes:
                return f"has {name} of {size} bytes, the limit is {limit_bytes}: accented letters count double"
        return ""

    return check
