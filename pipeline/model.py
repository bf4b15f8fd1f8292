"""The nouns of a podcast: frozen values, no input or output.

Times are seconds from the start of the *published* audio, as floats named `…_s`; levels are LUFS, LU or dBTP by name;
sizes are bytes; dates carry a time zone. Paths in values are text relative to the show's folder, with `/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.feed_model import ChannelOptions, ItemOptions
from pipeline.site_model import SiteSettings


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
class Clean:
    """What is taken out of a recording before anything else; each is on or off by its name."""

    highpass: bool = True  # rumble, handling, plosives: below 75 Hz, where no voice is
    hum: bool = False  # the mains, 50 or 60 Hz as found, and its harmonics
    noise: bool = False  # steady broadband noise
    deess: bool = False  # hissing s


@dataclass(frozen=True)
class Recording:
    """A raw recording, and which person speaks on it when each speaker has a track of their own."""

    file: str
    voice: str = ""  # key of a person, "" when the recording holds several voices
    stream: str = ""  # which of several audio streams: its number from 1, or its title or language; "" when there is one
    clean: Clean = Clean()


@dataclass(frozen=True)
class Part:
    """A stretch of the programme: a file, or (with no file) the recordings, which are its body."""

    name: str = ""
    file: str = ""
    stream: str = ""
    kind: str = "speech"  # speech is brought to the loudness of the body; music is kept a little under it
    start_s: float | None = None  # what to keep of it, in its own time; None: all of it, but for silence
    end_s: float | None = None
    gap_s: float = 0.0  # silence before it
    crossfade_s: float = 0.0  # how long it overlaps the part before, both fading
    fade_in_s: float = 0.0
    fade_out_s: float = 0.0
    gain_db: float = 0.0  # on top of what is found
    number: int = 0  # its place among [[parts]], from 1; 0 for what nobody wrote there


@dataclass(frozen=True)
class Bed:
    """Music under voice: as loud as it may be in pauses, lowered while somebody speaks."""

    file: str
    stream: str = ""
    under: str = ""  # name of the part it lies under; "" is the recordings
    start_s: float = 0.0  # from the start of that part
    end_s: float | None = None  # to its end, when None; repeated when it is shorter than that
    below_lu: float = 8.0  # how far under the programme's loudness between words
    duck_db: float = 12.0  # how much further under words
    fade_in_s: float = 2.0
    fade_out_s: float = 3.0


@dataclass(frozen=True)
class Soundbite:
    """A short passage to share, cut from the published sound."""

    start_s: float
    duration_s: float
    title: str = ""


@dataclass(frozen=True)
class Mix:
    """How raw recordings become the master: what `ingest` is told."""

    recordings: tuple[Recording, ...]
    parts: tuple[Part, ...] = (Part(),)
    beds: tuple[Bed, ...] = ()
    level: str = "gentle"  # off | gentle | strong: how voices are made even with each other
    trim_silence: bool = True  # head and tail only
    start_s: float = 0.0  # what to keep of the recordings, before silence is trimmed
    end_s: float | None = None

    @property
    def sounds(self) -> tuple[Recording | Part | Bed, ...]:
        """All that names a file, recordings first."""
        return (*self.recordings, *(part for part in self.parts if part.file), *self.beds)

    @property
    def files(self) -> tuple[str, ...]:
        """Every file it is made of, each once."""
        return tuple(dict.fromkeys(each.file for each in self.sounds))


@dataclass(frozen=True)
class Diarised:
    """Who speaks on a recording of several voices, as another program found it."""

    file: str  # RTTM
    recording: int  # which of the recordings, from 0
    name: str  # that recording's, without its ending
    speakers: tuple[tuple[str, str], ...] = ()  # the program's name for somebody, and the key of that person; "" is nobody of the show


@dataclass(frozen=True)
class AudioTargets:
    """What the published audio must measure."""

    loudness_lufs: float = -16.0  # integrated, ITU-R BS.1770; for mono, as heard on two loudspeakers
    ceiling_dbtp: float = -1.0  # true peak of the encoded file
    mp3_kbps: int = 128
    m4a_kbps: int = 0  # AAC; 0 makes none
    light_kbps: int = 24  # Opus, mono
    sample_rate_hz: int = 44_100
    channels: int = 2


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


@dataclass(frozen=True)
class Word:
    """A word as written, its punctuation attached, and where it is heard; no times when nothing matched it.

    A sound, `[musique]`, is one word with its brackets.
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
