"""The values that describe an episode's audio: its recordings, their arrangement, the targets of the published files. Frozen, no I/O.

Times are seconds; loudness is in LUFS, LU or dBTP, as the name says.
"""

from __future__ import annotations

from dataclasses import dataclass

AS_IT_IS = "as it is"


@dataclass(frozen=True)
class CleanupOptions:
    """What is removed from a recording before any other processing; each step is on or off."""

    highpass: bool = True  # rumble, handling noise, plosives: below 75 Hz, lower than any voice
    hum: bool = False  # mains hum, 50 or 60 Hz as detected, and its harmonics
    noise: bool = False  # steady broadband noise
    deess: bool = False  # sibilance


@dataclass(frozen=True)
class Recording:
    """A raw recording, and the person who speaks on it when each speaker has a separate track."""

    file: str
    voice: str = ""  # key of a person; "" when the recording holds several voices
    stream: str = ""  # audio stream: its number from 1, its title or its language; "" when there is only one
    clean: CleanupOptions = CleanupOptions()
    channel: str = ""  # "left", "right", "mono", or its number from 1; "" takes them all
    accept: str = ""  # AS_IT_IS takes a torn file as it is read


@dataclass(frozen=True)
class Part:
    """A part of the programme: a file, or (without a file) the recordings, which are its body."""

    name: str = ""
    file: str = ""
    stream: str = ""
    kind: str = "speech"  # "speech" is brought to the loudness of the body, "music" slightly below it
    start_s: float | None = None  # range to keep, in its own time; None: all of it, except silence
    end_s: float | None = None
    gap_s: float = 0.0  # silence before it
    crossfade_s: float = 0.0  # overlap with the previous part, both fading
    fade_in_s: float = 0.0
    fade_out_s: float = 0.0
    gain_db: float = 0.0  # added to the automatic gain
    number: int = 0  # position in [[parts]], from 1; 0 when it is not listed there


@dataclass(frozen=True)
class Bed:
    """Music under voices: louder in pauses, ducked under speech."""

    file: str
    stream: str = ""
    under: str = ""  # name of the part it plays under; "" is the recordings
    start_s: float = 0.0  # relative to the start of that part
    end_s: float | None = None  # None: the end of that part; a shorter bed is looped
    below_lu: float = 8.0  # below programme loudness, between words
    duck_db: float = 12.0  # additional attenuation under words
    fade_in_s: float = 2.0
    fade_out_s: float = 3.0


@dataclass(frozen=True)
class Soundbite:
    """A short passage to share, cut from the published audio."""

    start_s: float
    duration_s: float
    title: str = ""


@dataclass(frozen=True)
class Mix:
    """How raw recordings become the master: the settings of `ingest_recordings`."""

    recordings: tuple[Recording, ...]
    parts: tuple[Part, ...] = (Part(),)
    beds: tuple[Bed, ...] = ()
    level: str = "gentle"  # off | gentle | strong: how much voices are levelled
    trim_silence: bool = True  # head and tail only
    start_s: float = 0.0  # range of the recordings to keep, before silence is trimmed
    end_s: float | None = None

    @property
    def sources(self) -> tuple[Recording | Part | Bed, ...]:
        """Everything that names a file, recordings first."""
        return (*self.recordings, *(part for part in self.parts if part.file), *self.beds)

    @property
    def files(self) -> tuple[str, ...]:
        """Every file used, each once."""
        return tuple(dict.fromkeys(each.file for each in self.sources))


@dataclass(frozen=True)
class DiarisationSource:
    """A diarisation by another program: who speaks when on a recording of several voices."""

    file: str  # RTTM
    recording: int  # index of the recording, from 0
    name: str  # file name of that recording, without its extension
    speakers: tuple[tuple[str, str], ...] = ()  # the program's speaker label and the key of the person; "" is no person of the show


@dataclass(frozen=True)
class AudioTargets:
    """Loudness and format of the published audio."""

    loudness_lufs: float = -16.0  # integrated, ITU-R BS.1770; mono as played on two loudspeakers
    ceiling_dbtp: float = -1.0  # true peak of the encoded file
    mp3_kbps: int = 128
    m4a_kbps: int = 0  # AAC; 0 disables it
    light_kbps: int = 24  # Opus, mono
    sample_rate_hz: int = 44_100
    channels: int = 2
