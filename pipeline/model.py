"""The nouns of a podcast: frozen values, no input or output.

Times are seconds from the start of the *published* audio, as floats named `…_s`; levels are LUFS, LU or dBTP by name;
sizes are bytes; dates carry a time zone. Paths in values are text relative to the show's folder, with `/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from pipeline.feed_model import ChannelOptions, ItemOptions
from pipeline.site_model import SiteSettings
from pipeline.sound_model import AudioTargets, Diarised, Mix, Soundbite


@dataclass(frozen=True)
class Person:
    """Somebody of the show, written once in `show.toml`; everything that names them points here."""

    key: str
    name: str
    url: str = ""
    image: str = ""  # https address of a portrait


@dataclass(frozen=True)
class Credit:
    """A person in a role of the Podcasting 2.0 taxonomy (`pipeline.roles`), in its English spelling."""

    person: Person
    role: str  # "Host"
    group: str  # "Cast"


@dataclass(frozen=True)
class Chapter:
    """A part of an episode: it runs to the next chapter's start, the last to the end of the audio."""

    start_s: float
    title: str
    url: str = ""
    image: str = ""  # a file of the show where a person wrote it; its https address in what is published


@dataclass(frozen=True)
class SpeechSettings:
    """Which Whisper model listens, and what it is told."""

    model: str = "small"  # a name an engine knows, or the path of a checkpoint: a .pt file, or a folder's model.bin
    language: str = "fr"  # ISO 639-1, or auto
    engine: str = "auto"  # openai-whisper | faster-whisper | auto: the fastest that can load the model
    translate: tuple[str, ...] = ()  # languages of a machine's captions: Whisper knows "en" only


@dataclass(frozen=True)
class Term:
    """A name as it is to be written, and the wrong spellings it is known to be heard as."""

    say: str
    heard: tuple[str, ...] = ()
    note: str = ""  # for people: who or what it is


@dataclass(frozen=True)
class Glossary:
    """Every term, those a person listed first, the show's people after them."""

    terms: tuple[Term, ...] = ()


@dataclass(frozen=True)
class EpisodeInfo:
    """What is said of an episode, as opposed to what is in it."""

    slug: str
    title: str
    summary: str  # one or two sentences
    published: datetime
    number: int | None = None
    season: int | None = None
    kind: str = "full"  # full | trailer | bonus
    spoken_title: str = ""  # as the narrator says it, when that differs
    description: str = ""  # paragraphs of plain text, separated by blank lines
    explicit: bool = False
    credits: tuple[Credit, ...] = ()  # the whole cast, hosts of the show included
    guid: str = ""  # from the ledger
    language: str = ""  # the show's, when empty


@dataclass(frozen=True)
class Episode:
    """One episode as its `episode.toml` gives it."""

    info: EpisodeInfo
    mix: Mix
    chapters: tuple[Chapter, ...] = ()  # by hand; empty when they are to be proposed
    soundbites: tuple[Soundbite, ...] = ()
    cover: str = ""
    feed: ItemOptions = ItemOptions()
    diarised: tuple[Diarised, ...] = ()
    tags: tuple[str, ...] = ()  # its themes: each has a page

    @property
    def slug(self) -> str:
        """The name of the episode's folder, files and page."""
        return self.info.slug


@dataclass(frozen=True)
class ShowInfo:
    """What is said of a show."""

    title: str
    description: str
    author: str
    website: str  # https address where the published tree is served, with a final slash
    language: str = "fr"
    email: str = ""  # who may move the feed; published in podcast:locked
    copyright: str = ""  # the holder only
    license: str = ""  # SPDX-like identifier of the Podcasting 2.0 list, lower case; else words of their own
    categories: tuple[tuple[str, ...], ...] = ()  # ("Society & Culture", "Documentary")
    kind: str = "episodic"  # episodic | serial
    explicit: bool = False
    cover_alt: str = ""
    status: str = ""  # what the series is: fiction, testimony… printed on guides and pages
    credits: tuple[Credit, ...] = ()
    guid: str = ""  # podcast:guid, from the ledger
    feed_key: str = "feed.xml"  # where pages say the feed is, below the website; empty when it is private

    def spoken_in(self, episode: EpisodeInfo) -> ShowInfo:
        """The same show, as it is told in the language of one of its episodes."""
        return replace(self, language=episode.language) if episode.language else self


@dataclass(frozen=True)
class GuideSettings:
    """What the producer says once for every guide."""

    contact: str = ""  # where team leads write
    format_min: int = 30  # length of the meeting the guide is laid out for


@dataclass(frozen=True)
class GuideModel:
    """A language model that may help to draft guides; none, unless a show names one."""

    endpoint: str = ""  # of an OpenAI-compatible API: http://127.0.0.1:11434/v1
    name: str = ""  # as the endpoint calls it
    timeout_s: float = 120.0


@dataclass(frozen=True)
class S3Settings:
    """A bucket. Credentials are never here: boto3 finds them in its own chain."""

    bucket: str
    prefix: str = ""
    endpoint_url: str = ""
    region: str = ""
    addressing_style: str = "auto"  # auto | path | virtual
    checksums: str = "when_required"  # when_required | when_supported
    acl: str = ""  # "" or public-read
    conditional_writes: str = "auto"  # auto: when a probe shows that they work | off: the lock object instead


@dataclass(frozen=True)
class PublishSettings:
    """Where the published tree goes."""

    folder: str = "public"
    s3: S3Settings | None = None  # instead of the folder
    public_url: str = ""  # where the tree is looked at from outside, when that is not the show's website
    keep: int = 10  # publications that can be gone back to
    feed_max_age_s: int = 0  # how long caches may keep feeds without asking
    pages_max_age_s: int = 300  # and pages, guides, style
    purge: tuple[str, ...] = ()  # what empties a cache: a command and its arguments, or one "METHOD address"; {url}, {urls}


@dataclass(frozen=True)
class Show:
    """A workspace: everything `show.toml` says, and its episodes in order of publication."""

    info: ShowInfo
    cover: str
    people: Mapping[str, Person] = field(default_factory=dict)
    audio: AudioTargets = AudioTargets()
    speech: SpeechSettings = SpeechSettings()
    glossary: Glossary = Glossary()
    whole: bool = True  # False when episodes were left out because they could not be read
    guide: GuideSettings = GuideSettings()
    guide_model: GuideModel = GuideModel()
    publish: PublishSettings = PublishSettings()
    feed: ChannelOptions = ChannelOptions()
    site: SiteSettings = SiteSettings()
    episodes: tuple[Episode, ...] = ()


@dataclass(frozen=True)
class Voice:
    """Who speaks, as one episode's transcript names them. `role` is a CSS-safe word in the show's language."""

    name: str  # "Nora", "Voix 1"; "" for the narrator
    role: str = ""  # récit | archive | micro-trottoir | fiction | entretien …
    person: str = ""  # key of a credited person
    label: str = ""  # as printed, when longer than the name


class Word(NamedTuple):
    """A word as written, its punctuation attached, and where it is heard; no times when nothing matched it.

    A sound, `[musique]`, is one word with its brackets. An hour has ten thousand words, and a tuple is made in a third of the time.
    """

    text: str
    start_s: float | None = None
    end_s: float | None = None
    probability: float = 1.0

    @property
    def is_sound(self) -> bool:
        """Whether this is a sound told in words, not something said; `[…]` is an ellipsis."""
        return self.text.startswith("[") and not self.text.startswith("[…]")


@dataclass(frozen=True)
class Turn:
    """One voice speaking without a change, or a sound between voices (then `voice.name` and role are empty)."""

    voice: Voice
    words: tuple[Word, ...]
    section: str = ""  # the label of the `##` it is in
    insert: bool = False  # inside « … »

    @property
    def text(self) -> str:
        """The turn as one line."""
        return " ".join(word.text for word in self.words)

    @property
    def start_s(self) -> float | None:
        """When its first placed word begins; None when no word was placed."""
        return next((word.start_s for word in self.words if word.start_s is not None), None)

    @property
    def end_s(self) -> float | None:
        """When its last placed word ends; None when no word was placed."""
        return next((word.end_s for word in reversed(self.words) if word.end_s is not None), None)


@dataclass(frozen=True)
class TimedTranscript:
    """The corrected text with its times: what captions, pages, guides and chapters are made from."""

    duration_s: float
    language: str
    turns: tuple[Turn, ...]
