"""The quotes of a guide as audio clips in a zip file, for rooms without a network."""

from __future__ import annotations

import re
import tempfile
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.audio.clips import name_clip
from pipeline.audio.encode import cut
from pipeline.files import read_text
from pipeline.guide.labels import labels
from pipeline.guide.quotes import Passage, played
from pipeline.guide.text import Guide, parse
from pipeline.guide.text import clips as quotes
from pipeline.model import TimedTranscript
from pipeline.text import hms, printable, typographic
from pipeline.transcript.timed import read_timed

BEFORE_S, AFTER_S = 0.15, 0.25  # speech recognition places word starts late and word ends early
TITLE_WORDS = 8
_NAME_LETTERS = 40
_DATE = (1980, 1, 1, 0, 0, 0)  # the first a zip can hold: its bytes are the same each time


@dataclass(frozen=True)
class Clip:
    """A quote of the guide, and the audio to play for it."""

    number: int
    quote: str
    voices: str  # names of the speakers
    start_s: float | None  # of the clip, with padding; None when the words have no times
    end_s: float | None
    printed_s: tuple[int, int] | None = None  # start and end as printed in the guide

    @property
    def file(self) -> str:
        """The file name, `01 0m31 Nora.mp3`: digits, ASCII letters, spaces and hyphens, which every system accepts."""
        spelt = self.voices.translate({ord("œ"): "oe", ord("Œ"): "Oe", ord("æ"): "ae", ord("Æ"): "Ae", ord("’"): " "})
        plain = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
        who = " ".join(re.sub(r"[^A-Za-z0-9-]+", " ", plain).split())[:_NAME_LETTERS].strip()
        *hours, minutes, seconds = hms(self.printed_s[0] if self.printed_s else self.start_s or 0.0).split(":")
        at = f"{hours[0]}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}"
        return " ".join(part for part in (f"{self.number:02}", at, who) if part) + ".mp3"


def guide_clips(
    master: Path,
    levels: Path,
    report: Path,
    text: Path,
    timed: Path,
    *,
    clips: Path,
    slug: str,
    kbps: int,
    show: str = "",
    episode: str = "",
) -> None:
    """Write a zip with an MP3 clip for each quote of a guide, and a text file that lists them. `show` and `episode` are titles.

    `CauserieError` for a quote that is not in the transcript.
    """
    where, transcript = f"guides/{slug}.md", read_timed(timed)
    found = passages(parse(read_text(text, where), where), transcript, where)
    with tempfile.TemporaryDirectory(dir=clips.parent, prefix=".clips.") as folder, zipfile.ZipFile(clips, "w") as archive:
        for one in found:
            if one.start_s is not None and one.end_s is not None:
                mp3 = Path(folder) / "clip.mp3"
                cut(master, levels, report, clip=mp3, start_s=one.start_s, end_s=one.end_s, kbps=kbps)
                name_clip(mp3, _first_words(one.quote), show, episode)
                _put(archive, one.file, mp3.read_bytes())
        name = labels(transcript.language)["zip"]["list"]
        _put(archive, name, listed(found, transcript.language, episode).encode())


def passages(guide: Guide, timed: TimedTranscript, where: str) -> tuple[Clip, ...]:
    """Return the clip to play for each quote, to the word, over the times printed in the guide. `location` names the guide in errors."""
    found = played(((line.number, line.text) for _, line in quotes(guide)), timed, where)
    return tuple(
        Clip(number, said.text, _voices(said, timed.language), *_span(around, timed.duration_s), around.printed_s(timed.duration_s))
        for number, (said, around) in enumerate(found, 1)
    )


def listed(found: tuple[Clip, ...], language: str, episode: str = "") -> str:
    """Return the list of clips: their times in the episode, their speakers, their quotes."""
    words = labels(language)["zip"]
    rows = [f"{printable(episode)} — {words['title']}" if episode else words["title"]]
    for one in found:
        times = "–".join(map(hms, one.printed_s)) if one.printed_s else words["nowhere"]
        quote = words["quote"].format(printable(one.quote))
        rows += ["", f"{one.number:02}  {times}  {printable(one.voices)}", typographic(f"    {quote}", language)]
    return "\n".join(rows) + "\n"


def _voices(passage: Passage, language: str) -> str:
    """Return the names of its speakers, each once."""
    narrator = labels(language)["page"]["narrator"]
    return ", ".join(dict.fromkeys(voice.label or voice.name or narrator for voice, _ in passage.lines()))


def _span(passage: Passage, duration_s: float) -> tuple[float | None, float | None]:
    """Return start and end of the cut, padded around the words; (None, None) when they have no times."""
    if passage.start_s is None or passage.end_s is None:
        return None, None
    return max(0.0, passage.start_s - BEFORE_S), min(duration_s, passage.end_s + AFTER_S)


def _first_words(quote: str) -> str:
    words = quote.split()
    return " ".join(words[:TITLE_WORDS]) + ("…" if len(words) > TITLE_WORDS else "")


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a file, uncompressed (MP3 does not compress), with mode 644 and a fixed date."""
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system, entry.external_attr = 3, 0o100644 << 16  # Unix, whatever the system
    archive.writestr(entry, data)
