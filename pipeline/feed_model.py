"""What only the feed says of a show and of its episodes: frozen values, no input or output."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class FeedTag:
    """One tag of `pipeline.feed.podcast_ext.TAGS`, as somebody asked for it."""

    tag: str
    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    inside: str = ""  # the tag around it, when it cannot stand alone


@dataclass(frozen=True)
class FeedImage:
    """A picture beside the cover: an https address would change under its readers, so it is a file of the show."""

    file: str
    alt: str = ""
    purpose: str = ""  # words of the namespace: artwork social canvas banner publisher circular poster


@dataclass(frozen=True)
class OtherFeed:
    """A feed of the same episodes beside the main one, with another sound, or of one season or one language only."""

    name: str  # a slug
    title: str = ""  # the show's, when empty
    audio: str = "audio"  # the role of the file it gives: audio, light, m4a
    season: int | None = None  # None: every season
    private: bool = False  # at an address nobody guesses, and in no directory
    moved_to: str = ""  # https address of the feed that replaces this one
    key: str = ""  # its path below the show's address, from the ledger
    guid: str = ""  # podcast:guid, from the ledger
    description: str = ""  # the show's, when empty
    language: str = ""  # every language, when empty


@dataclass(frozen=True)
class ChannelOptions:
    """What `[feed]`, `[seasons]` and `[[feeds]]` say in show.toml."""

    medium: str = "podcast"
    locked: bool = True
    owner: bool = False  # itunes:owner: the show's address, for services that mail a code to it
    hidden: bool = False  # itunes:block, podcast:block: directories do not list the show
    private: bool = False  # hidden, and at an address nobody guesses
    complete: bool = False  # no further episode
    moved_to: str = ""  # https address of the feed that replaces this one
    built: datetime | None = None  # lastBuildDate; that of the newest episode when None
    license_url: str = ""
    seasons: tuple[tuple[int, str], ...] = ()  # number and name
    tags: tuple[FeedTag, ...] = ()
    images: tuple[FeedImage, ...] = ()
    others: tuple[OtherFeed, ...] = ()
    key: str = "feed.xml"  # the feed's path below the show's address; from the ledger when private
    language: str = ""  # the main feed is of the episodes in that language only


@dataclass(frozen=True)
class ItemOptions:
    """What `[feed]` says in an episode.toml."""

    hidden: bool = False
    license: str = ""  # the show's, when empty
    license_url: str = ""
    number_label: str = ""  # «3 bis», shown instead of the number
    tags: tuple[FeedTag, ...] = ()
