"""The quotes of a guide as audio clips in a zip file, for rooms without a network."""

from __future__ import annotations

import re
import tempfile
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.audio import cut_clip, tag_clip
from pipeline.engine import read_text
from pipeline.guide.document import Guide, parse_guide
from pipeline.guide.document import clip_quotes as quotes
from pipeline.guide.labels import load_labels
from pipeline.guide.quotes import Excerpt, locate_clips, refuse_cut_quotes
from pipeline.model import TimedTranscript, apply_typography, format_clock, terminal_safe
from pipeline.transcript import read_timed

PADDING_BEFORE_S, PADDING_AFTER_S = 0.15, 0.25  # speech recognition places word starts late and word ends early
TITLE_WORDS_MAX = 8
_NAME_CHARS_MAX = 40
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the first a zip can hold: its bytes are the same each time


@dataclass(frozen=True)
class GuideClip:
    """A quote of the guide, and the audio to play for it."""

    number: int
    quote: str
    voices: str  # names of the speakers
    start_s: float | None  # of the clip, with padding; None when the words have no times
    end_s: float | None
    displayed_s: tuple[int, int] | None = None  # start and end as printed in the guide
    starts_estimated: bool = False

    @property
    def file_name(self) -> str:
        """The file name, `01 0m31 Nora.mp3`: digits, ASCII letters, spaces and hyphens, which every system accepts."""
        expanded = self.voices.translate({ord("œ"): "oe", ord("Œ"): "Oe", ord("æ"): "ae", ord("Æ"): "Ae", ord("’"): " "})
        plain = unicodedata.normalize("NFKD", expanded).encode("ascii", "ignore").decode()
        who = " ".join(re.sub(r"[^A-Za-z0-9-]+", " ", plain).split())[:_NAME_CHARS_MAX].strip()
        *hours, minutes, seconds = format_clock(self.displayed_s[0] if self.displayed_s else self.start_s or 0.0).split(":")
        at = f"{hours[0]}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}"
        return " ".join(part for part in (f"{self.number:02}", at, who) if part) + ".mp3"


def write_guide_clips(
    master: Path,
    levels: Path,
    report: Path,
    text: Path,
    timed: Path,
    uncut: Path | None = None,
    *,
    clips: Path,
    slug: str,
    kbps: int,
    show: str = "",
    episode: str = "",
) -> None:
    """Write a zip with an MP3 clip for each quote of a guide, and a text file that lists them. `show` and `episode` are titles.

    Where the episode has cuts, `master`, `levels` and `timed` are what is published, and `uncut` is all of the text. `CauserieError` for a
    quote that is not in the transcript, or cut.
    """
    location, transcript = f"guides/{slug}.md", read_timed(timed)
    guide = parse_guide(read_text(text, location), location)
    if uncut:
        refuse_cut_quotes(((line.number, line.text) for _, line in quotes(guide)), transcript, read_timed(uncut), location)
    found_clips = find_clips(guide, transcript, location)
    with tempfile.TemporaryDirectory(dir=clips.parent, prefix=".clips.") as folder, zipfile.ZipFile(clips, "w") as archive:
        for clip in found_clips:
            if clip.start_s is not None and clip.end_s is not None:
                mp3 = Path(folder) / "clip.mp3"
                cut_clip(master, levels, report, clip=mp3, start_s=clip.start_s, end_s=clip.end_s, kbps=kbps)
                tag_clip(mp3, _first_words(clip.quote), show, episode)
                _add_to_zip(archive, clip.file_name, mp3.read_bytes())
        name = load_labels(transcript.language)["zip"]["list"]
        _add_to_zip(archive, name, clip_list(found_clips, transcript.language, episode).encode())


def find_clips(guide: Guide, timed: TimedTranscript, location: str) -> tuple[GuideClip, ...]:
    """Return the clip to play for each quote, to the word, over the times printed in the guide. `location` names the guide in errors."""
    located = locate_clips(((line.number, line.text) for _, line in quotes(guide)), timed, location)
    return tuple(
        GuideClip(
            number,
            quote.text,
            _voice_names(quote, timed.language),
            *_padded_range_s(played, timed.duration_s),
            played.displayed_s(timed.duration_s),
            played.starts_estimated,
        )
        for number, (quote, played) in enumerate(located, 1)
    )


def clip_list(found_clips: tuple[GuideClip, ...], language: str, episode: str = "") -> str:
    """Return the list of clips: their times in the episode, their speakers, their quotes."""
    words = load_labels(language)["zip"]
    rows = [f"{terminal_safe(episode)} — {words['title']}" if episode else words["title"]]
    for clip in found_clips:
        times = "–".join(map(format_clock, clip.displayed_s)) if clip.displayed_s else words["nowhere"]
        if clip.displayed_s and clip.starts_estimated:
            times += f" ({words['estimated']})"
        quote = words["quote"].format(terminal_safe(clip.quote))
        rows += ["", f"{clip.number:02}  {times}  {terminal_safe(clip.voices)}", apply_typography(f"    {quote}", language)]
    return "\n".join(rows) + "\n"


def _voice_names(excerpt: Excerpt, language: str) -> str:
    """Return the names of its speakers, each once."""
    narrator = load_labels(language)["page"]["narrator"]
    return ", ".join(dict.fromkeys(voice.label or voice.name or narrator for voice, _ in excerpt.voice_lines()))


def _padded_range_s(excerpt: Excerpt, duration_s: float) -> tuple[float | None, float | None]:
    """Return start and end of the cut, padded around the words; (None, None) when they have no times."""
    if excerpt.start_s is None or excerpt.end_s is None:
        return None, None
    return max(0.0, excerpt.start_s - PADDING_BEFORE_S), min(duration_s, excerpt.end_s + PADDING_AFTER_S)


def _first_words(quote: str) -> str:
    words = quote.split()
    return " ".join(words[:TITLE_WORDS_MAX]) + ("…" if len(words) > TITLE_WORDS_MAX else "")


def _add_to_zip(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a file, uncompressed (MP3 does not compress), with mode 644 and a fixed date."""
    entry = zipfile.ZipInfo(name, _ZIP_DATE)
    entry.create_system, entry.external_attr = 3, 0o100644 << 16  # Unix, whatever the system
    archive.writestr(entry, data)
