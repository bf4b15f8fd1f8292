"""How long each role and each voice speaks, from the times of the words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.guide.asking import is_numbered
from pipeline.model import TimedTranscript, Turn, Word


@dataclass(frozen=True)
class Share:
    """How long somebody speaks, and how much that is of all that is said."""

    name: str
    seconds: float
    percent: float


@dataclass(frozen=True)
class Speaking:
    """Speaking time by role and by voice, longest first. Empty where there is nothing to compare."""

    roles: tuple[Share, ...] = ()
    voices: tuple[Share, ...] = ()


def speaking(timed: TimedTranscript, people: Mapping[str, str], narrator: str) -> Speaking:
    """From the first placed word of each turn to its last, sounds left out; two voices at once count twice.

    `people` gives names by key; `narrator` is said when nothing names the narrator.
    """
    roles: dict[str, float] = {}
    voices: dict[str, float] = {}
    for turn in timed.turns:
        spoken_s = _spoken_s(turn)
        if spoken_s > 0:
            name = turn.voice.name or turn.voice.label or people.get(turn.voice.person, "") or narrator
            if turn.insert and is_numbered(name) and turn.section:
                name = f"{name} ({turn.section})"  # each section counts its unnamed voices anew: « Voix 1 » of the next is somebody else
            voices[name] = voices.get(name, 0.0) + spoken_s
            roles[turn.voice.role] = roles.get(turn.voice.role, 0.0) + spoken_s
    return Speaking(_shares(roles) if "" not in roles else (), _shares(voices))


def _spoken_s(turn: Turn) -> float:
    first, last = _placed(turn.words), _placed(reversed(turn.words))
    return max(0.0, last.end_s - first.start_s) if first and last else 0.0


def _placed(words: Iterable[Word]) -> Word | None:
    """The first word of them that is said and was found."""
    return next((word for word in words if word.start_s is not None and word.end_s is not None and not word.is_sound), None)


def _shares(times: Mapping[str, float]) -> tuple[Share, ...]:
    """Each with its part of the whole; nothing when there is only one to tell of."""
    whole = sum(times.values())
    shares = [Share(name, seconds, 100 * seconds / whole) for name, seconds in times.items()]
    return tuple(sorted(shares, key=lambda share: (-share.seconds, share.name))) if len(shares) > 1 else ()
