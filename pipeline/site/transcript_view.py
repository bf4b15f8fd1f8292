"""The transcript as the page displays it: chapter headings, section labels, turns with an anchor and the speaker's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from pipeline.model import Chapter, TimedTranscript, Turn, Voice, apply_typography, join_words
from pipeline.transcript import link_time_s


@dataclass(frozen=True)
class TextRun:
    """A part of one turn: spoken words, or sounds such as `[musique]`."""

    text: str
    is_sound: bool


@dataclass(frozen=True)
class TurnView:
    """One turn as displayed, with the headings before it."""

    anchor: str  # "t88", "t88-2" for the second turn of that second; "" when the turn has no time
    start_s: float | None
    is_estimated: bool  # its start is estimated, and shown as « ≈ 1:05 »
    speaker: str  # "" for a sound
    role: str  # only where it changes
    section: str  # only where it changes and no heading has the same text
    headings: tuple[Chapter, ...]
    pieces: tuple[TextRun, ...]
    insert: bool


def turn_views(timed: TimedTranscript, chapters: tuple[Chapter, ...], people: Mapping[str, str], narrator: str) -> tuple[TurnView, ...]:
    """Every turn in order. `people` gives names by key; `narrator` is the speaker of a turn without any name.

    A speaker's long label is displayed once, then the short name (Acas, *Making podcasts accessible*).
    """
    pending_chapters, used_anchors, introduced = list(chapters), set[str](), set[Voice]()
    role, section, views = "", "", []
    for turn in timed.turns:
        if not turn.words:
            continue
        speaker = "" if _is_sound(turn) else _speaker(turn.voice, people, narrator, turn.voice in introduced)
        headings = _pop_started(pending_chapters, turn.start_s)
        displayed_titles = {
            section.casefold(),
            *(heading.title.casefold() for heading in headings),
        }  # a chapter is often named after its section
        views.append(
            TurnView(
                anchor=_unique_anchor(link_time_s(turn), used_anchors),
                start_s=link_time_s(turn),
                is_estimated=_starts_estimated(turn),
                speaker=apply_typography(speaker, timed.language),
                role="" if turn.voice.role == role or not turn.voice.name else turn.voice.role,
                section="" if turn.section.casefold() in displayed_titles else apply_typography(turn.section, timed.language),
                headings=headings,
                pieces=_text_runs(turn, timed.language),
                insert=turn.insert,
            )
        )
        if not _is_sound(turn):
            introduced.add(turn.voice)
            role = turn.voice.role
        section = turn.section
    return tuple(views)


def _starts_estimated(turn: Turn) -> bool:
    """Whether the time of the first word that has one is estimated."""
    return next((word.estimated for word in turn.words if word.start_s is not None), False)


def _is_sound(turn: Turn) -> bool:
    return all(word.is_sound for word in turn.words)


def _speaker(voice: Voice, people: Mapping[str, str], narrator: str, is_introduced: bool) -> str:
    """The name displayed before a turn: the longest one the first time, the short one after that."""
    full = voice.label or people.get(voice.person, "")
    return (voice.name or full or narrator) if is_introduced else (full or voice.name or narrator)


def _unique_anchor(start_s: float | None, used_anchors: set[str]) -> str:
    """An id that is unique on the page, from the second in which the turn starts."""
    if start_s is None:
        return ""
    anchor = base = f"t{int(start_s)}"
    count = 1
    while anchor in used_anchors:
        count += 1
        anchor = f"{base}-{count}"
    used_anchors.add(anchor)
    return anchor


def _pop_started(pending_chapters: list[Chapter], start_s: float | None) -> tuple[Chapter, ...]:
    """Remove the chapters that have started by `start_s` from the list, and return the last of them."""
    started = []
    while start_s is not None and pending_chapters and pending_chapters[0].start_s <= start_s:
        started.append(pending_chapters.pop(0))
    return tuple(started[-1:])  # an earlier one has no words: its heading would stand over nothing


def _text_runs(turn: Turn, language: str) -> tuple[TextRun, ...]:
    """The turn split where speech and sounds meet. Most turns have no sound, which is faster to test on the whole text."""
    if "[" not in turn.text:
        return (TextRun(apply_typography(turn.text, language), False),)
    runs = groupby(turn.words, key=lambda word: word.is_sound)
    return tuple(TextRun(apply_typography(join_words(word.text for word in run), language), is_sound) for is_sound, run in runs)
