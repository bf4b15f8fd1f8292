"""Chapters: those a person wrote, else those the transcript's sections suggest, as JSON chapters 1.2.

One file feeds all four places where players look: the JSON itself, `psc:chapters`, the description's lines, and the tags.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.errors import CauserieError
from pipeline.files import read_json, write_json
from pipeline.model import Chapter, TimedTranscript
from pipeline.pictures import chapter_image_key
from pipeline.text import hms
from pipeline.transcript.timed import read_timed

SHORTEST_S = 15
LONGEST_TITLE = 39  # characters: Spotify ignores a list that has a title of 40
_WORDS = {"fr": ("Ouverture", "Récit"), "en": ("Opening", "Narration")}


def chapters(
    timed: Path, images: tuple[Path, ...] = (), *, chapters: Path, by_hand: tuple[Chapter, ...], slug: str, website: str = ""
) -> None:
    """Write an episode's chapters: `by_hand` when there are any, else proposed from the sections of the transcript.

    `images` are the pictures of those of `by_hand` that have one, in that order; they are published below `website`.
    """
    transcript = read_timed(timed)
    addresses = iter(website + chapter_image_key(slug, path.read_bytes(), path.name) for path in images)
    pictured = tuple(replace(chapter, image=next(addresses)) if chapter.image else chapter for chapter in by_hand)
    found = checked(pictured, transcript, slug) if by_hand else proposed(transcript)
    write_json(chapters, to_value(found))


def read_chapters(path: Path) -> tuple[Chapter, ...]:
    """The chapters in a `chapters.json`."""
    return from_value(read_json(path))


def to_value(chapters: tuple[Chapter, ...]) -> dict[str, Any]:
    """Chapters as JSON chapters 1.2.0 (podcast-namespace, `chapters/jsonChapters.md`); starts to the millisecond."""
    return {"version": "1.2.0", "chapters": [_entry(chapter) for chapter in chapters]}


def from_value(value: dict[str, Any]) -> tuple[Chapter, ...]:
    """The inverse of `to_value`."""
    return tuple(Chapter(entry["startTime"], entry["title"], entry.get("url", ""), entry.get("img", "")) for entry in value["chapters"])


def checked(by_hand: tuple[Chapter, ...], transcript: TimedTranscript, slug: str) -> tuple[Chapter, ...]:
    """Hand-written chapters to the millisecond, the first at 0; `CauserieError` when the audio of episode `slug` cannot hold them."""
    where, hint = f"episodes/{slug}/episode.toml: chapters", "mend the chapter's start"
    found = tuple(replace(chapter, start_s=_milliseconds(chapter.start_s)) for chapter in by_hand)
    for before, after in pairwise(found):
        if after.start_s <= before.start_s:
            said = f"chapter “{after.title}” starts at {hms(after.start_s)}, not after “{before.title}”, at {hms(before.start_s)}"
            raise CauserieError(said, where, hint)
    if found[-1].start_s >= transcript.duration_s:
        said = f"chapter “{found[-1].title}” starts at {hms(found[-1].start_s)}, and the audio lasts {hms(transcript.duration_s)}"
        raise CauserieError(said, where, hint)
    return found if found[0].start_s == 0 else (Chapter(0, _words(transcript)[0]), *found)


def proposed(transcript: TimedTranscript) -> tuple[Chapter, ...]:
    """A chapter at each change of section, whole seconds, none shorter than `SHORTEST_S`, the first at 0.

    A section too short to be a chapter belongs to the one before it; at the beginning, to the one after it.
    """
    marks = _section_starts(transcript)
    ends = [start for start, _ in marks[1:]] + [transcript.duration_s]
    kept: list[Chapter] = []
    for (start_s, title), end_s in zip(marks, ends, strict=True):
        start_s = start_s if kept else 0
        if end_s - start_s < SHORTEST_S or (kept and kept[-1].title == title):
            continue
        kept.append(Chapter(start_s, title))
    return tuple(kept) or (Chapter(0, _words(transcript)[0]),)


def shortened(title: str, longest: int = LONGEST_TITLE) -> str:
    """A title of at most `longest` characters, cut after a word and marked «…» when it was longer."""
    title = re.sub(r"[ \t\r\n]+", " ", title).strip()  # not `split()`: French no-break spaces stay
    if len(title) <= longest:
        return title
    kept = title[:longest]  # one more than fits before the «…», so that a word that ends there is whole
    return (kept.rsplit(" ", 1)[0] if " " in kept else kept[:-1]).rstrip(" \u00a0\u202f,;:.-–—") + "…"


def _section_starts(transcript: TimedTranscript) -> list[tuple[int, str]]:
    """When each section begins, whole seconds, and its title; text outside sections is the opening, then the narration."""
    opening, narration = _words(transcript)
    marks = [(0, opening)]
    previous = ""
    for turn in transcript.turns:
        if turn.section == previous or turn.start_s is None:
            continue
        previous = turn.section
        title = shortened(turn.section) or narration
        marks.append((int(turn.start_s), title[0].upper() + title[1:]))
    return marks


def _words(transcript: TimedTranscript) -> tuple[str, str]:
    return _WORDS.get(transcript.language[:2], _WORDS["en"])


def _entry(chapter: Chapter) -> dict[str, Any]:
    entry = {"startTime": _milliseconds(chapter.start_s), "title": chapter.title, "url": chapter.url, "img": chapter.image}
    return {key: value for key, value in entry.items() if value != ""}


def _milliseconds(time_s: float) -> float:
    """Rounded to the millisecond, and a whole number when it is one: that is how it is written."""
    rounded = round(time_s, 3)
    return int(rounded) if rounded == int(rounded) else rounded
