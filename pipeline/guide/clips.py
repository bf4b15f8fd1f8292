"""The passages of a guide as sound: a folder to put on the computer of the room, for when there is no network."""

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

BEFORE_S, AFTER_S = 0.15, 0.25  # a word begins before and ends after it is recognised
TITLE_WORDS = 8
_NAME_LETTERS = 40
_DATE = (1980, 1, 1, 0, 0, 0)  # the first a zip can hold: its bytes are the same each time


@dataclass(frozen=True)
class Clip:
    """A quote of the guide, and what is played of it."""

    number: int
    quote: str
    voices: str  # who is heard in the quote
    start_s: float | None  # of the sound, a breath before the words; None when nothing placed it
    end_s: float | None
    printed_s: tuple[int, int] | None = None  # the times that the guide prints

    @property
    def file(self) -> str:
        """Its name: digits, ASCII letters, spaces and hyphens, which every system takes; `01 0m31 Nora.mp3`."""
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
    """Write a zip of what a guide plays, an MP3 for each of its quotes, and a list of them. `show` and `episode` are titles.

    `CauserieError` for a quote that is not said.
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
    """What to play of each quote: as much as the guide prints times for, to the word. `where` names the guide in errors."""
    found = played(((line.number, line.text) for _, line in quotes(guide)), timed, where)
    return tuple(
        Clip(number, said.text, _voices(said, timed.language), *_span(around, timed.duration_s), around.printed_s(timed.duration_s))
        for number, (said, around) in enumerate(found, 1)
    )


def listed(found: tuple[Clip, ...], language: str, episode: str = "") -> str:
    """The list that lies beside the sounds: their times in the episode, who speaks, what is said."""
    words = labels(language)["zip"]
    rows = [f"{printable(episode)} — {words['title']}" if episode else words["title"]]
    for one in found:
        times = "–".join(map(hms, one.printed_s)) if one.printed_s else words["nowhere"]
        quote = words["quote"].format(printable(one.quote))
        rows += ["", f"{one.number:02}  {times}  {printable(one.voices)}", typographic(f"    {quote}", language)]
    return "\n".join(rows) + "\n"


def _voices(passage: Passage, language: str) -> str:
    """Everybody heard in it, each once."""
    narrator = labels(language)["page"]["narrator"]
    return ", ".join(dict.fromkeys(voice.label or voice.name or narrator for voice, _ in passage.lines()))


def _span(passage: Passage, duration_s: float) -> tuple[float | None, float | None]:
    """From where to where it is cut, a breath wider than its words."""
    if passage.start_s is None or passage.end_s is None:
        return None, None
    return max(0.0, passage.start_s - BEFORE_S), min(duration_s, passage.end_s + AFTER_S)


def _first_words(quote: str) -> str:
    words = quote.split()
    return " ".join(words[:TITLE_WORDS]) + ("…" if len(words) > TITLE_WORDS else "")


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a file that anybody may read; MP3 does not get smaller."""
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system, entry.external_attr = 3, 0o100644 << 16  # of Unix, wherever it is made
    archive.writestr(entry, data)
