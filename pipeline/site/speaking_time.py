"""The speaking time of each role and each voice, from the times of the words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.model import TimedTranscript, Turn, Word


@dataclass(frozen=True)
class SpeakingShare:
    """The speaking time of one voice or role, and its percentage of the total."""

    name: str
    seconds: float
    percent: float


@dataclass(frozen=True)
class SpeakingTime:
    """Speaking time by role and by voice, longest first. Empty when there are not two to compare."""

    roles: tuple[SpeakingShare, ...] = ()
    voices: tuple[SpeakingShare, ...] = ()


def compute_speaking_time(timed: TimedTranscript, people: Mapping[str, str], narrator: str) -> SpeakingTime:
    """Add up, turn by turn, the time from the first timed word to the last, without sounds; two voices at once count twice.

    `people` gives names by key; `narrator` is the name of a voice that has none.
    """
    roles: dict[str, float] = {}
    voices: dict[str, float] = {}
    for turn in timed.turns:
        spoken_s = _spoken_s(turn)
        if spoken_s > 0:
            name = turn.voice.name or turn.voice.label or people.get(turn.voice.person, "") or narrator
            voices[name] = voices.get(name, 0.0) + spoken_s
            roles[turn.voice.role] = roles.get(turn.voice.role, 0.0) + spoken_s
    return SpeakingTime(_speaking_shares(roles) if "" not in roles else (), _speaking_shares(voices))


def _spoken_s(turn: Turn) -> float:
    first, last = _first_time_span(turn.words), _first_time_span(reversed(turn.words))
    return max(0.0, last[1] - first[0]) if first and last else 0.0


def _first_time_span(words: Iterable[Word]) -> tuple[float, float] | None:
    """Start and end of the first word that has a time and is not a sound, in seconds."""
    times = ((word.start_s, word.end_s) for word in words if not word.is_sound)
    return next(((start_s, end_s) for start_s, end_s in times if start_s is not None and end_s is not None), None)


def _speaking_shares(seconds_by_name: Mapping[str, float]) -> tuple[SpeakingShare, ...]:
    """Each with its percentage of the total, longest first; empty when there is only one."""
    total_s = sum(seconds_by_name.values())
    shares = [SpeakingShare(name, seconds, 100 * seconds / total_s) for name, seconds in seconds_by_name.items()]
    return tuple(sorted(shares, key=lambda share: (-share.seconds, share.name))) if len(shares) > 1 else ()
