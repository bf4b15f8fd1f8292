"""The speaking time of each role and each voice, from the times of the words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.guide.asking import is_numbered
from pipeline.model import TimedTranscript, Turn, Word


@dataclass(frozen=True)
class Share:
    """The speaking time of one voice or role, and its percentage of the total."""

    name: str
    seconds: float
    percent: float


@dataclass(frozen=True)
class Speaking:
    """Speaking time by role and by voice, longest first. Empty when there are not two to compare."""

    roles: tuple[Share, ...] = ()
    voices: tuple[Share, ...] = ()


def speaking(timed: TimedTranscript, people: Mapping[str, str], narrator: str) -> Speaking:
    """Add up, turn by turn, the time from the first timed word to the last, without sounds; two voices at once count twice.

    `people` gives names by key; `narrator` is the name of a voice that has none.
    """
    roles: dict[str, float] = {}
    voices: dict[str, float] = {}
    for turn in timed.turns:
        spoken_s = _spoken_s(turn)
        if spoken_s > 0:
            name = turn.voice.name or turn.voice.label or people.get(turn.voice.person, "") or narrator
            if turn.insert and is_numbered(name) and turn.section:
                # sections number their unnamed voices separately: « Voix 1 » of another section is another person
                name = f"{name} ({turn.section})"
            voices[name] = voices.get(name, 0.0) + spoken_s
            roles[turn.voice.role] = roles.get(turn.voice.role, 0.0) + spoken_s
    return Speaking(_shares(roles) if "" not in roles else (), _shares(voices))


def _spoken_s(turn: Turn) -> float:
    first, last = _placed(turn.words), _placed(reversed(turn.words))
    return max(0.0, last[1] - first[0]) if first and last else 0.0


def _placed(words: Iterable[Word]) -> tuple[float, float] | None:
    """Start and end of the first word that has a time and is not a sound, in seconds."""
    times = ((word.start_s, word.end_s) for word in words if not word.is_sound)
    return next(((start_s, end_s) for start_s, end_s in times if start_s is not None and end_s is not None), None)


def _shares(times: Mapping[str, float]) -> tuple[Share, ...]:
    """Each with its percentage of the total, longest first; empty when there is only one."""
    whole = sum(times.values())
    shares = [Share(name, seconds, 100 * seconds / whole) for name, seconds in times.items()]
    return tuple(sorted(shares, key=lambda share: (-share.seconds, share.name))) if len(shares) > 1 else ()
