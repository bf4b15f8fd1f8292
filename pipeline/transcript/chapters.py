"""The step `write_chapters`: hand-written chapters, else chapters proposed from sections and topics, as JSON chapters 1.2.

One file feeds the four places where players read chapters: the JSON itself, `psc:chapters`, the lines of the description, and the tags.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NotRequired, TypedDict

from pipeline.engine import read_json, write_json
from pipeline.model import CauserieError, Chapter, Removal, TimedTranscript, chapter_image_key, format_clock, published, removals_from_json
from pipeline.templates import labels
from pipeline.transcript.edited import drop_removed
from pipeline.transcript.timed_json import read_timed
from pipeline.transcript.topics import Titles, topic_starts

MIN_CHAPTER_S = 15
_TOPIC_S = 420  # the length of a chapter that is a topic: nine in an hour
_MIN_TOPIC_S = 150
_MAX_CHAPTERS = 12  # in an hour
_LONG_EPISODE_S = 1800  # a shorter one keeps all its sections
MAX_TITLE_CHARS = 39  # characters: Spotify ignores a list that has a title of 40


class ChapterEntry(TypedDict):
    """A chapter of JSON chapters 1.2.0."""

    startTime: float
    title: str
    url: NotRequired[str]
    img: NotRequired[str]


class ChaptersFile(TypedDict):
    """The content of a JSON chapters 1.2.0 file."""

    version: str
    proposed: NotRequired[bool]  # ours: a machine chose them by their topics
    chapters: list[ChapterEntry]


def write_chapters(
    timed: Path,
    images: tuple[Path, ...] = (),
    edits: Path | None = None,
    *,
    chapters: Path,
    by_hand: tuple[Chapter, ...],
    slug: str,
    website: str = "",
) -> None:
    """Write an episode's chapters: `by_hand` when there are any, else proposed from the sections of the transcript.

    `images` are the image files of the chapters of `by_hand` that have one, in that order; they are published under `website`.
    `edits`, where the episode has cuts, moves them to published time.
    """
    removals = removals_from_json(read_json(edits)) if edits else ()
    transcript = drop_removed(read_timed(timed), removals)  # no title is made of words that were cut
    image_urls = iter(website + chapter_image_key(slug, path.read_bytes(), path.name) for path in images)
    with_images = tuple(replace(chapter, image=next(image_urls)) if chapter.image else chapter for chapter in by_hand)
    found = validate_chapters(with_images, transcript, slug) if by_hand else propose_chapters(transcript)
    is_proposed = not by_hand and has_topics(found, transcript)
    left = publish_chapters(found, removals, transcript.duration_s) if removals else found
    write_json(chapters, chapters_to_json(left, is_proposed=is_proposed))


def publish_chapters(chapters: tuple[Chapter, ...], removals: Sequence[Removal], duration_s: float) -> tuple[Chapter, ...]:
    """The chapters in published time; those of which nothing is left, to the millisecond, are left out. `duration_s` is the master's."""
    starts = [_round_ms(published(chapter.start_s, removals)) for chapter in chapters]
    ends = [*starts[1:], _round_ms(published(duration_s, removals))]
    return tuple(replace(each, start_s=start) for each, start, end in zip(chapters, starts, ends, strict=True) if end > start)


def read_chapters(path: Path) -> tuple[Chapter, ...]:
    """The chapters of a JSON chapters file."""
    return chapters_from_json(read_json(path))


def are_proposed(path: Path) -> bool:
    """Whether a machine chose the chapters of a JSON chapters file by their topics."""
    return bool(read_json(path).get("proposed"))


def chapters_to_json(chapters: tuple[Chapter, ...], *, is_proposed: bool = False) -> ChaptersFile:
    """Chapters as JSON chapters 1.2.0 (podcast-namespace, `chapters/jsonChapters.md`); starts to the millisecond.

    `is_proposed` adds a key that the format does not have, which its readers ignore.
    """
    value: ChaptersFile = {"version": "1.2.0", "chapters": [_chapter_entry(chapter) for chapter in chapters]}
    if is_proposed:
        value["proposed"] = True
    return value


def chapters_from_json(value: ChaptersFile) -> tuple[Chapter, ...]:
    """The inverse of `chapters_to_json`."""
    return tuple(Chapter(entry["startTime"], entry["title"], entry.get("url", ""), entry.get("img", "")) for entry in value["chapters"])


def validate_chapters(by_hand: tuple[Chapter, ...], transcript: TimedTranscript, slug: str) -> tuple[Chapter, ...]:
    """Hand-written chapters to the millisecond, the first at 0.

    `CauserieError` when they are not in order, or begin after the end of the audio; `slug` names the episode in it.
    """
    where, hint = f"episodes/{slug}/episode.toml: chapters", "correct the chapter's start"
    found = tuple(replace(chapter, start_s=_round_ms(chapter.start_s)) for chapter in by_hand)
    for before, after in pairwise(found):
        if after.start_s <= before.start_s:
            start, previous = format_clock(after.start_s), format_clock(before.start_s)
            message = f"chapter “{after.title}” starts at {start}, not after “{before.title}”, at {previous}"
            raise CauserieError(message, where, hint)
    if found[-1].start_s >= transcript.duration_s:
        start, end = format_clock(found[-1].start_s), format_clock(transcript.duration_s)
        message = f"chapter “{found[-1].title}” starts at {start}, but the audio ends at {end}"
        raise CauserieError(message, where, hint)
    return found if found[0].start_s == 0 else (Chapter(0, _default_titles(transcript)[0]), *found)


def propose_chapters(transcript: TimedTranscript) -> tuple[Chapter, ...]:
    """A chapter at each change of section, in whole seconds, none shorter than `MIN_CHAPTER_S`, the first at 0.

    A section that is too short joins the chapter before it; at the beginning, the one after it. A long one is divided by topic: an hour
    without sections has about nine chapters. A title that another chapter has, and those of topics, come from the words.
    """
    sections = _section_chapters(transcript)
    marks: list[tuple[float, str]] = []  # start, title; an empty one is to be found
    for chapter, end_s in zip(sections, [*(each.start_s for each in sections[1:]), transcript.duration_s], strict=True):
        topics = _topic_starts(transcript, chapter.start_s, end_s)
        is_named = chapter.title not in _default_titles(transcript) or not topics
        marks += [(chapter.start_s, chapter.title if is_named else ""), *((start_s, "") for start_s in topics)]
    return _titled(transcript, _limited(marks, transcript.duration_s))


def has_topics(found: tuple[Chapter, ...], transcript: TimedTranscript) -> bool:
    """Whether some of the proposed chapters are no sections of the text, but the machine's choice."""
    starts_s = {chapter.start_s for chapter in _section_chapters(transcript)}
    return any(chapter.start_s not in starts_s for chapter in found)


def truncate_title(title: str, max_chars: int = MAX_TITLE_CHARS) -> str:
    """A title of at most `max_chars` characters; a longer one is cut after a word, and ends with «…»."""
    title = re.sub(r"[ \t\r\n]+", " ", title).strip()  # not `split()`: French no-break spaces stay
    if len(title) <= max_chars:
        return title
    kept = title[:max_chars]  # one character more than fits before the «…», so that a word that ends there is kept
    return (kept.rsplit(" ", 1)[0] if " " in kept else kept[:-1]).rstrip(" \u00a0\u202f,;:.-–—") + "…"


def _section_chapters(transcript: TimedTranscript) -> tuple[Chapter, ...]:
    """A chapter for each section that is long enough."""
    marks = _section_starts(transcript)
    ends = [start for start, _ in marks[1:]] + [transcript.duration_s]
    kept: list[Chapter] = []
    for (start_s, title), end_s in zip(marks, ends, strict=True):
        start_s = start_s if kept else 0
        if end_s - start_s < MIN_CHAPTER_S or (kept and kept[-1].title == title):
            continue
        kept.append(Chapter(start_s, title))
    return tuple(kept) or (Chapter(0, _default_titles(transcript)[0]),)


def _topic_starts(transcript: TimedTranscript, start_s: float, end_s: float) -> tuple[int, ...]:
    """The starts of the topics in a long section, in whole seconds, without the first; none in a short one."""
    count = round((end_s - start_s) / _TOPIC_S)
    return tuple(int(each) for each in topic_starts(transcript, start_s, end_s, count, _MIN_TOPIC_S)) if count > 1 else ()


def _limited(marks: list[tuple[float, str]], duration_s: float) -> list[tuple[float, str]]:
    """At most `_MAX_CHAPTERS` marks in an hour: the shortest chapters of a long episode join those before them."""
    most = max(_MAX_CHAPTERS, round(_MAX_CHAPTERS * duration_s / 3600))
    kept = list(marks)
    while len(kept) > most and duration_s >= _LONG_EPISODE_S:
        ends = [*(start_s for start_s, _ in kept[1:]), duration_s]
        del kept[min(range(1, len(kept)), key=lambda index: ends[index] - kept[index][0])]
    return kept


def _titled(transcript: TimedTranscript, marks: Sequence[tuple[float, str]]) -> tuple[Chapter, ...]:
    """The chapters, those without a title and those with that of an earlier one titled from their words."""
    named = [title for title in dict.fromkeys(title for _, title in marks) if title]
    titles = Titles(transcript, [start_s for start_s, _ in marks], named)
    opening, narration = _default_titles(transcript)
    chapters: list[Chapter] = []
    for index, (start_s, title) in enumerate(marks):
        is_free = title and all(chapter.title != title for chapter in chapters)
        fallback = title or (narration if index else opening)
        chapters.append(Chapter(start_s, title if is_free else titles.title(index, MAX_TITLE_CHARS) or fallback))
    return tuple(chapters)


def _section_starts(transcript: TimedTranscript) -> list[tuple[int, str]]:
    """The start of each section in whole seconds, and its title; text outside sections is titled opening at first, then narration."""
    opening, narration = _default_titles(transcript)
    marks = [(0, opening)]
    previous = ""
    for turn in transcript.turns:
        if turn.section == previous or turn.start_s is None:
            continue
        previous = turn.section
        title = truncate_title(turn.section) or narration
        marks.append((int(turn.start_s), title[0].upper() + title[1:]))
    return marks


def _default_titles(transcript: TimedTranscript) -> tuple[str, str]:
    words = labels("transcript", transcript.language)
    return words["opening"], words["narration"]


def _chapter_entry(chapter: Chapter) -> ChapterEntry:
    entry: ChapterEntry = {"startTime": _round_ms(chapter.start_s), "title": chapter.title}
    if chapter.url:
        entry["url"] = chapter.url
    if chapter.image:
        entry["img"] = chapter.image
    return entry


def _round_ms(time_s: float) -> float:
    """Rounded to the millisecond; an int when it is whole, so that JSON has no `.0`."""
    rounded = round(time_s, 3)
    return int(rounded) if rounded == int(rounded) else rounded
