"""The data model of a podcast: frozen dataclasses, no input or output.

Times are seconds from the start of the *published* audio, as floats named `…_s`; levels are LUFS, LU or dBTP, as their
names say; sizes are bytes; datetimes have a time zone. Paths are text, relative to the show's folder, with `/`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.model.audio import AudioTargets, DiarisationSource, Mix, Soundbite
from pipeline.model.cuts import Cut
from pipeline.model.feed import ChannelOptions, ItemOptions
from pipeline.model.site import SiteSettings


@dataclass(frozen=True)
class Person:
    """A person of the show, defined once in `show.toml` and referred to by key."""

    key: str
    name: str
    url: str = ""
    image: str = ""  # https address of a portrait


@dataclass(frozen=True)
class Credit:
    """A person in a role of the Podcasting 2.0 taxonomy (`pipeline.model.show.roles`), in English."""

    person: Person
    role: str  # "Host"
    group: str  # "Cast"


@dataclass(frozen=True)
class Chapter:
    """A chapter of an episode: it lasts until the next one starts, the last one until the end of the audio."""

    start_s: float
    title: str
    url: str = ""
    image: str = ""  # in `episode.toml` a file of the show; in published chapters its https URL


ENGINES = ("auto", "faster-whisper", "openai-whisper")  # libraries that run a Whisper model
DEVICES = ("auto", "cpu", "cuda")  # what it runs on
MODEL_NAMES = (  # those that one of the two engines knows
    *("tiny", "tiny.en", "base", "base.en", "small", "small.en", "medium", "medium.en", "large", "large-v1", "large-v2", "large-v3"),
    *("turbo", "large-v3-turbo", "distil-small.en", "distil-medium.en", "distil-large-v2", "distil-large-v3", "distil-large-v3.5"),
)


@dataclass(frozen=True)
class SpeechSettings:
    """The Whisper model, and its options."""

    model: str = "small"  # a name the engine knows, or the path of a checkpoint: a .pt file, or the model.bin of a CTranslate2 folder
    language: str = "fr"  # ISO 639-1, or auto
    engine: str = "auto"  # openai-whisper | faster-whisper | auto: the fastest that can load the model
    translate: tuple[str, ...] = ()  # languages of machine-translated captions; Whisper supports only "en"
    device: str = "auto"  # cpu | cuda | auto: the GPU when there is one that works

    @property
    def checkpoint(self) -> str:
        """The path of the model's file, absolute or relative to the show, with `~` expanded; empty when the model is a name."""
        return os.path.expanduser(self.model) if self.model.endswith((".pt", ".bin")) else ""


@dataclass(frozen=True)
class Term:
    """A name or term in its right spelling, and the wrong spellings the recogniser is known to produce."""

    say: str
    heard: tuple[str, ...] = ()
    note: str = ""  # for people: who or what it is


@dataclass(frozen=True)
class Glossary:
    """Every term: those of `glossary.toml` first, then the show's people."""

    terms: tuple[Term, ...] = ()


@dataclass(frozen=True)
class EpisodeInfo:
    """The metadata of an episode."""

    slug: str
    title: str
    summary: str  # one or two sentences
    published: datetime
    number: int | None = None
    season: int | None = None
    kind: str = "full"  # full | trailer | bonus
    spoken_title: str = ""  # the title as the narrator speaks it, when it differs
    description: str = ""  # paragraphs of plain text, separated by blank lines
    explicit: bool = False
    credits: tuple[Credit, ...] = ()  # all credits, including the show's hosts
    guid: str = ""  # from the ledger
    language: str = ""  # the show's when empty


@dataclass(frozen=True)
class Episode:
    """One episode, as described by its `episode.toml`."""

    info: EpisodeInfo
    mix: Mix
    chapters: tuple[Chapter, ...] = ()  # from `episode.toml`; when empty, they are generated from the transcript
    soundbites: tuple[Soundbite, ...] = ()
    cover: str = ""
    feed: ItemOptions = ItemOptions()
    diarised: tuple[DiarisationSource, ...] = ()
    tags: tuple[str, ...] = ()  # its themes; each theme has a page
    cuts: tuple[Cut, ...] = ()  # in order of time

    @property
    def slug(self) -> str:
        """The name of the episode's folder, files and page."""
        return self.info.slug


@dataclass(frozen=True)
class ShowInfo:
    """The metadata of a show."""

    title: str
    description: str
    author: str
    website: str  # https URL of the published tree, with a final slash
    language: str = "fr"
    email: str = ""  # the owner, who may move the feed; published in podcast:locked
    copyright: str = ""  # the holder only
    license: str = ""  # identifier of the Podcasting 2.0 licence list, lower case; or free text
    categories: tuple[tuple[str, ...], ...] = ()  # ("Society & Culture", "Documentary")
    kind: str = "episodic"  # episodic | serial
    explicit: bool = False
    cover_alt: str = ""
    status: str = ""  # what the series is: fiction, testimony… printed on guides and pages
    credits: tuple[Credit, ...] = ()
    guid: str = ""  # podcast:guid, from the ledger
    feed_key: str = "feed.xml"  # path of the feed below the website, as linked from pages; empty when the feed is private

    def in_language_of(self, episode: EpisodeInfo) -> ShowInfo:
        """The show with the language of one of its episodes."""
        return replace(self, language=episode.language) if episode.language else self


@dataclass(frozen=True)
class GuideSettings:
    """Settings common to every discussion guide."""

    contact: str = ""  # where team leads send their questions
    format_min: int = 30  # duration of the meeting the guide is made for
    fonts: tuple[str, ...] = ()  # font files for the characters that the built-in one lacks, in PDFs and cards


@dataclass(frozen=True)
class GuideModel:
    """An optional language model that helps to draft guides; unused when `endpoint` is empty."""

    endpoint: str = ""  # base URL of an OpenAI-compatible API: http://127.0.0.1:11434/v1
    name: str = ""  # the model's name at the endpoint
    timeout_s: float = 120.0


@dataclass(frozen=True)
class S3Settings:
    """An S3 bucket. Credentials are never stored here: boto3 finds them in its own credential chain."""

    bucket: str
    prefix: str = ""
    endpoint_url: str = ""
    region: str = ""
    addressing_style: str = "auto"  # auto | path | virtual
    checksums: str = "when_required"  # when_required | when_supported
    acl: str = ""  # "" or public-read
    conditional_writes: str = "auto"  # auto: if a probe shows that the server supports them | off: use a lock object


@dataclass(frozen=True)
class PublishSettings:
    """Where and how the published tree is uploaded."""

    folder: str = "public"
    s3: S3Settings | None = None  # replaces the folder
    public_url: str = ""  # the URL used to verify the publication, when it is not the show's website
    keep: int = 10  # number of publications kept for rollback
    feed_max_age_s: int = 0  # Cache-Control max-age of feeds
    pages_max_age_s: int = 300  # Cache-Control max-age of pages, guides and style sheets
    require_corrected: bool = False  # refuse to publish a machine's text that nobody has checked
    purge: tuple[str, ...] = ()  # how to purge a CDN: a command and its arguments, or one "METHOD URL"; with {url}, {urls}


@dataclass(frozen=True)
class Show:
    """A show: everything in `show.toml`, and its episodes in order of publication."""

    info: ShowInfo
    cover: str
    people: Mapping[str, Person] = field(default_factory=dict)
    audio: AudioTargets = AudioTargets()
    speech: SpeechSettings = SpeechSettings()
    glossary: Glossary = Glossary()
    is_complete: bool = True  # False when episodes were skipped because of mistakes in their files
    guide: GuideSettings = GuideSettings()
    guide_model: GuideModel = GuideModel()
    publish: PublishSettings = PublishSettings()
    feed: ChannelOptions = ChannelOptions()
    site: SiteSettings = SiteSettings()
    episodes: tuple[Episode, ...] = ()
