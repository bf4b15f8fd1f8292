"""Reads ``script.toml``: who says what, in what order, and where the music goes."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.sample_show.synth import Manner

SCRIPT = Path(__file__).with_name("script.toml")
PAUSE_S = 0.3


@dataclass(frozen=True)
class Voice:
    """A speaker: key in the script, name to show, way of speaking, level in dB relative to the narrator."""

    key: str
    label: str
    manner: Manner
    gain_db: float


@dataclass(frozen=True)
class Line:
    """One sentence, by the voice of that key, and the silence after it in seconds."""

    voice: str
    section: str
    text: str
    pause_s: float


@dataclass(frozen=True)
class Cue:
    """A piece of music lasting ``seconds``, of which ``overlap_s`` lie under the line after (head) or before (tail)."""

    seconds: float
    overlap_s: float
    seed: int


@dataclass(frozen=True)
class Episode:
    """An episode's lines, with the music at its head and tail where it has some."""

    slug: str
    title: str
    lines: tuple[Line, ...]
    head: Cue | None
    tail: Cue | None


@dataclass(frozen=True)
class Script:
    """The whole show."""

    title: str
    voices: dict[str, Voice]
    episodes: tuple[Episode, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every line of every episode, in order."""
        return tuple(line for episode in self.episodes for line in episode.lines)


def load(path: Path = SCRIPT) -> Script:
    """The script in ``path``; raises KeyError where something it needs is missing."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    voices = {key: _voice(key, table) for key, table in data["voices"].items()}
    return Script(data["title"], voices, tuple(_episode(table) for table in data["episodes"]))


def _voice(key: str, table: dict) -> Voice:
    manner = Manner(table["timbre"], speed=table.get("speed", 1.0), semitones=table.get("semitones", 0.0), tract=table.get("tract", 1.0))
    return Voice(key, table["label"], manner, table["gain_db"])


def _episode(table: dict) -> Episode:
    entries = table["lines"]
    spoken = [entry for entry in entries if entry.get("kind") != "music"]
    lines = tuple(Line(e["voice"], e["section"], e["text"], e.get("pause_s", PAUSE_S)) for e in spoken)
    cues = [Cue(e["seconds"], e.get("under_s", e.get("over_s", 0.0)), e["seed"]) for e in entries if e not in spoken]
    head, tail = cues if cues else (None, None)
    return Episode(table["slug"], table["title"], lines, head, tail)
