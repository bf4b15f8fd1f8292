"""Feed options of a show and its episodes: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class FeedTag:
    """A configured tag, one of `TAG_SPECS` in `pipeline.feed.namespaces`."""

    tag: str
    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    inside: str = ""  # the parent tag, when it cannot stand in the channel or item


@dataclass(frozen=True)
class FeedImage:
    """An image besides the cover. It is a file of the show, since the content of a URL could change."""

    file: str
    alt: str = ""
    purpose: str = ""  # podcast-namespace, docs/tags/image.md: artwork social canvas banner publisher circular poster


@dataclass(frozen=True)
class FeedVariant:
    """A feed of the show: the main one, or one with another audio format, or of one season or language only."""

    name: str  # a slug
    title: str = ""  # the show's, when empty
    audio: str = "audio"  # role of its audio file: audio, light, m4a
    season: int | None = None  # None: every season
    private: bool = False  # at an unguessable URL, and in no directory
    moved_to: str = ""  # https URL of the feed that replaces this one
    key: str = ""  # its path below the website, from the ledger
    guid: str = ""  # podcast:guid, from the ledger
    description: str = ""  # the show's, when empty
    language: str = ""  # every language, when empty


@dataclass(frozen=True)
class ChannelOptions:
    """`[feed]`, `[seasons]` and `[[feeds]]` of show.toml."""

    medium: str = "podcast"
    locked: bool = True
    owner: bool = False  # itunes:owner: the show's email, to which directories send a code
    hidden: bool = False  # itunes:block, podcast:block: directories do not list the show
    private: bool = False  # hidden, and at an unguessable URL
    complete: bool = False  # no further episode
    moved_to: str = ""  # https URL of the feed that replaces this one
    built: datetime | None = None  # lastBuildDate; the newest episode's date when None
    license_url: str = ""
    seasons: tuple[tuple[int, str], ...] = ()  # number and name
    tags: tuple[FeedTag, ...] = ()
    images: tuple[FeedImage, ...] = ()
    others: tuple[FeedVariant, ...] = ()
    key: str = "feed.xml"  # the feed's path below the website; from the ledger when private
    language: str = ""  # limits the main feed to episodes in that language


@dataclass(frozen=True)
class ItemOptions:
    """`[feed]` of an episode.toml."""

    hidden: bool = False
    license: str = ""  # the show's, when empty
    license_url: str = ""
    number_label: str = ""  # «3 bis», shown instead of the number
    tags: tuple[FeedTag, ...] = ()
