"""What a rule of a directory is, what it looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.feed.parsed import Entry, Feed, Tag
from pipeline.pictures import Image

ERROR, ADVICE = "error", "advice"
SHOW, EPISODE, EPISODES = "show", "episode", "episodes"  # what a rule looks at, beside the kinds of file in `Use`
FILES = ("cover", "audio", "alternate", "transcript", "chapters")
ADDRESS = "address"  # what a server answers, of the feed and of every file it names: only when it was asked


class Rule(NamedTuple):
    """A row of the table. `breaks` gives what is wrong in a few words, empty when nothing is.

    Its arguments depend on `looks_at`: the feed (show); an item and the feed (episode); the feed, giving pairs of item and words
    (episodes); a use and its file (one of FILES); a use and what its server said (address).
    """

    pack: str  # Apple, Spotify, Podcast Index, PSP-1, Amazon
    name: str  # unique in all packs
    level: str  # an error keeps the feed, or a part of it, out; advice does not
    looks_at: str
    source: str  # the document, and where in it
    breaks: Callable[..., str | Iterable[tuple[Entry, str]]]
    remedy: str


@dataclass(frozen=True)
class Finding:
    """What a rule found wrong, once."""

    level: str
    pack: str
    rule: str
    source: str
    where: str
    problem: str
    remedy: str


class Use(NamedTuple):
    """A file that the feed names: as what, where, and in which item (None for the channel)."""

    kind: str  # one of FILES, or "feed" for the feed's own address
    url: str
    tag: Tag
    item: Entry | None


@dataclass(frozen=True)
class Audio:
    """What an audio file's header and tags say."""

    type: str  # audio/mpeg, audio/mp4, audio/ogg…
    duration_s: float
    kbps: int = 0
    rate_hz: int = 0
    channels: int = 0
    constant: bool = True  # one bit rate from end to end
    has_info: bool = True  # MP3: a Xing or Info frame, from which players know the length
    id3: tuple[int, int] | None = None  # (2, 3)
    title: str = ""  # TIT2


@dataclass(frozen=True)
class File:
    """What is known of a local file; `damage` says why its content is not what its type promises."""

    bytes: int
    sha256: str = ""  # as its release recorded it
    image: Image | None = None
    audio: Audio | None = None
    damage: str = ""


@dataclass(frozen=True)
class Served:
    """What a server said of an address: to HEAD, and of sound to a request for its first two bytes. Header names are lower case."""

    status: int  # 0 when it said nothing
    headers: Mapping[str, str]
    range_status: int = 0
    content_range: str = ""


def channel_or_item(value: Feed | Entry) -> Entry:
    """The channel of a feed; an item as it is."""
    return value.channel if isinstance(value, Feed) else value


def missing(name: str, attribute: str = "") -> Callable[..., str]:
    """A test for a tag (or its attribute) that the channel or an item has to have, and has empty or not at all."""

    def breaks(value: Feed | Entry, *_: object) -> str:
        entry = channel_or_item(value)
        return "" if (entry.attribute(name, attribute) if attribute else entry.text(name)) else f"has no {name}"

    return breaks


def not_among(name: str, *values: str) -> Callable[..., str]:
    """A test for a tag whose text, when it is there, must be one of `values`, to the letter."""

    def breaks(value: Feed | Entry, *_: object) -> str:
        entry = channel_or_item(value)
        for tag in entry.all(name):
            if tag.text.strip() not in values:
                return f"has {name} “{tag.text.strip()[:40]}”"
        return ""

    return breaks


def longer(name: str, characters: int) -> Callable[..., str]:
    """A test for a tag whose text is too long, in characters."""

    def breaks(value: Feed | Entry, *_: object) -> str:
        entry = channel_or_item(value)
        for tag in entry.all(name):
            if len(tag.text) > characters:
                return f"has {name} of {len(tag.text)} characters, the limit is {characters}"
        return ""

    return breaks


def heavier(name: str, limit_bytes: int) -> Callable[..., str]:
    """The same in bytes of UTF-8."""

    def breaks(value: Feed | Entry, *_: object) -> str:
        entry = channel_or_item(value)
        for tag in entry.all(name):
            if len(tag.text) * 4 > limit_bytes and (size := len(tag.text.encode())) > limit_bytes:
                return f"has {name} of {size} bytes, the limit is {limit_bytes}: accents count double"
        return ""

    return breaks
