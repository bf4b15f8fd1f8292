"""The transcript as the page prints it: chapter headings, section labels, turns with an anchor and a speaker in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from pipeline.model import Chapter, TimedTranscript, Turn, Voice
from pipeline.text import typographic
from pipeline.transcript.timed import link_s


@dataclass(frozen=True)
class Piece:
    """A stretch of one turn: words said, or one sound such as `[musique]`."""

    text: str
    is_sound: bool


@dataclass(frozen=True)
class Passage:
    """One turn on the page, with the headings that come before it."""

    anchor: str  # "t88", "t88-2" for the second turn of that second; "" when the turn has no place
    start_s: float | None
    speaker: str  # "" for a sound
    role: str  # only where it changes
    section: str  # only where it changes, and no heading says it
    headings: tuple[Chapter, ...]
    pieces: tuple[Piece, ...]
    insert: bool


def passages(timed: TimedTranscript, chapters: tuple[Chapter, ...], people: Mapping[str, str], narrator: str) -> tuple[Passage, ...]:
    """Every turn in order. `people` gives names by key; `narrator` is said when nothing names the narrator.

    A speaker's long label is printed once, then the short name (Acas, *Making podcasts accessible*).
    """
    waiting, used, met = list(chapters), set[str](), set[Voice]()
    role, section, found = "", "", []
    for turn in timed.turns:
        if not turn.words:
            continue
        speaker = "" if _is_sound(turn) else _speaker(turn.voice, people, narrator, turn.voice in met)
        headings = _due(waiting, turn.start_s)
        told = {section.casefold(), *(heading.title.casefold() for heading in headings)}  # a chapter is often named after its section
        found.append(
            Passage(
                anchor=_anchor(link_s(turn), used),
                start_s=link_s(turn),
                speaker=typographic(speaker, timed.language),
                role="" if turn.voice.role == role or not turn.voice.name else turn.voice.role,
                section="" if turn.section.casefold() in told else typographic(turn.section, timed.language),
                headings=headings,
                pieces=_pieces(turn, timed.language),
                insert=turn.insert,
            )
        )
        if not _is_sound(turn):
            met.add(turn.voice)
            role = turn.voice.role
        section = turn.section
    return tuple(found)


def _is_sound(turn: Turn) -> bool:
    return all(word.is_sound for word in turn.words)


def _speaker(voice: Voice, people: Mapping[str, str], narrator: str, met: bool) -> str:
    """The name printed before a turn: the longest one known the first time, the short one after that."""
    full = voice.label or people.get(voice.person, "")
    return (voice.name or full or narrator) if met else (full or voice.name or narrator)


def _anchor(start_s: float | None, used: set[str]) -> str:
    """An id nobody else on the page has, from the second the turn starts in."""
    if start_s is None:
        return ""
    wanted = base = f"t{int(start_s)}"
    count = 1
    while wanted in used:
        count += 1
        wanted = f"{base}-{count}"
    used.add(wanted)
    return wanted


def _due(waiting: list[Chapter], start_s: float | None) -> tuple[Chapter, ...]:
    """The chapters that have begun by then, taken off the list."""
    due = []
    while start_s is not None and waiting and waiting[0].start_s <= start_s:
        due.append(waiting.pop(0))
    return tuple(due[-1:])  # a chapter without a word in it would be a heading over nothing


def _pieces(turn: Turn, language: str) -> tuple[Piece, ...]:
    """The turn cut where speech and sounds meet; most have no sound, and need no look at each word."""
    if "[" not in turn.text:
        return (Piece(typographic(turn.text, language), False),)
    runs = groupby(turn.words, key=lambda word: word.is_sound)
    return tuple(Piece(typographic(" ".join(word.text for word in run), language), is_sound) for is_sound, run in runs)
