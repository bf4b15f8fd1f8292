"""The transcript as the page displays it: chapter headings, section labels, turns with an anchor and the speaker's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from pipeline.model import Chapter, TimedTranscript, Turn, Voice
from pipeline.text import typographic
from pipeline.transcript.timed import link_s


@dataclass(frozen=True)
class Piece:
    """A part of one turn: spoken words, or sounds such as `[musique]`."""

    text: str
    is_sound: bool


@dataclass(frozen=True)
class Passage:
    """One turn as displayed, with the headings before it."""

    anchor: str  # "t88", "t88-2" for the second turn of that second; "" when the turn has no time
    start_s: float | None
    speaker: str  # "" for a sound
    role: str  # only where it changes
    section: str  # only where it changes and no heading has the same text
    headings: tuple[Chapter, ...]
    pieces: tuple[Piece, ...]
    insert: bool


def passages(timed: TimedTranscript, chapters: tuple[Chapter, ...], people: Mapping[str, str], narrator: str) -> tuple[Passage, ...]:
    """Every turn in order. `people` gives names by key; `narrator` is the speaker of a turn without any name.

    A speaker's long label is displayed once, then the short name (Acas, *Making podcasts accessible*).
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
    """The name displayed before a turn: the longest one the first time, the short one after that."""
    full = voice.label or people.get(voice.person, "")
    return (voice.name or full or narrator) if met else (full or voice.name or narrator)


def _anchor(start_s: float | None, used: set[str]) -> str:
    """An id that is unique on the page, from the second in which the turn starts."""
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
    """Remove the chapters that have started by `start_s` from the list, and return the last of them."""
    due = []
    while start_s is not None and waiting and waiting[0].start_s <= start_s:
        due.append(waiting.pop(0))
    return tuple(due[-1:])  # an earlier one has no words: its heading would stand over nothing


def _pieces(turn: Turn, language: str) -> tuple[Piece, ...]:
    """The turn split where speech and sounds meet. Most turns have no sound, which is faster to test on the whole text."""
    if "[" not in turn.text:
        return (Piece(typographic(turn.text, language), False),)
    runs = groupby(turn.words, key=lambda word: word.is_sound)
    return tuple(Piece(typographic(" ".join(word.text for word in run), language), is_sound) for is_sound, run in runs)
