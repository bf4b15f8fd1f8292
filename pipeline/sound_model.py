"""The nouns of an episode's sound: what was recorded, how it is put together, what it must measure. Frozen values, no input or output.

Times are seconds; loudness is in LUFS, LU or dBTP, as the name says.
"""

from __future__ import annotations

from dataclasses import dataclass


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
