"""Find a quote in the transcript, word for word, and the audio to play around it.

Spaces, punctuation, apostrophes and case are ignored. Guides print the transcript's wording.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from pipeline.errors import CauserieError
from pipeline.model import TimedTranscript, Turn, Voice, Word
from pipeline.text import printable

CLIP_MIN_S, CLIP_MAX_S = 10.0, 45.0  # shorter ends before the group listens, longer is not a clip

_SPACES = " \u00a0\u202f"
_ENDS = re.compile(r"[.!?…][»\"”’)\]]*$")
_ABBREVIATION = re.compile(r"(?:\w|M(?:me|lle|gr|r|rs|s)?|Dr|Pr|St|n°)\.", re.IGNORECASE)


@dataclass(frozen=True)
class Spoken:
    """A spoken word and its turn."""

    word: Word
    turn: Turn
    place: int  # index of the turn in the transcript


@dataclass(frozen=True)
class Passage:
    """Consecutive spoken words, without sounds."""

    spoken: tuple[Spoken, ...]
    first: int  # index of its first word among all spoken words

    @property
    def text(self) -> str:
        """The text on one line, without quotation marks that also enclose other words."""
        return unwrapped(" ".join(one.word.text for one in self.spoken))

    @property
    def turn(self) -> Turn:
        """The turn it starts in."""
        return self.spoken[0].turn

    @property
    def last(self) -> int:
        """The index after its last word (exclusive)."""
        return self.first + len(self.spoken)

    def printed_s(self, duration_s: float) -> tuple[int, int] | None:
        """Return start and end, rounded outwards to whole seconds, as guides print them; None when it has no times."""
        if self.start_s is None or self.end_s is None:
            return None
        first = int(self.start_s)
        return first, min(int(self.end_s) + 1, max(int(duration_s), first + 1))

    @property
    def start_s(self) -> float | None:
        """When its first word starts; None when unknown."""
        return self.spoken[0].word.start_s

    @property
    def end_s(self) -> float | None:
        """When its last word ends; None when unknown."""
        return self.spoken[-1].word.end_s

    @property
    def duration_s(self) -> float:
        """Its duration; 0 when its start or end is unknown."""
        return 0.0 if self.start_s is None or self.end_s is None else self.end_s - self.start_s

    def lines(self) -> tuple[tuple[Voice, str], ...]:
        """Return (voice, text) for each turn."""
        runs = (list(run) for _, run in groupby(self.spoken, key=lambda one: one.place))
        return tuple((run[0].turn.voice, unwrapped(" ".join(one.word.text for one in run))) for run in runs)


def spoken_words(timed: TimedTranscript) -> tuple[Spoken, ...]:
    """Return all spoken words, in order."""
    return tuple(Spoken(word, turn, i) for i, turn in enumerate(timed.turns) for word in turn.words if not word.is_sound)


def unwrapped(text: str) -> str:
    """Return a sentence without the « or » of the insert around it: it will be printed in its own quotation marks."""
    opened, closed = text.count("«"), text.count("»")
    if text.startswith("«") and (opened > closed or (text.endswith("»") and opened == 1)):
        text, opened = text[1:].lstrip(_SPACES), opened - 1
    return text[:-1].rstrip(_SPACES) if text.endswith("»") and closed > opened else text


def tokens(text: str) -> list[str]:
    """Return the words of a text for comparison: letters and digits, case-folded."""
    return re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold())


def sentences(spoken: tuple[Spoken, ...]) -> tuple[Passage, ...]:
    """Split into sentences; none spans two turns."""
    return tuple(Passage(spoken[first:last], first) for first, last in _bounds(spoken))


def locate(quote: str, spoken: tuple[Spoken, ...], where: str) -> Passage:
    """Return the first occurrence of a quote. `CauserieError`, with the closest passage as a hint, when there is none."""
    flat = [(token, i) for i, one in enumerate(spoken) for token in tokens(one.word.text)]
    wanted = " ".join(tokens(quote))
    haystack = f" {' '.join(token for token, _ in flat)} "
    at = haystack.find(f" {wanted} ") if wanted else -1
    if at < 0:
        raise CauserieError(f"the quote “{_short(quote)}” is not in the transcript", where, _closest(wanted, spoken))
    start = haystack[:at].count(" ")
    first, last = flat[start][1], flat[start + wanted.count(" ")][1] + 1
    while last < len(spoken) and spoken[last].place == spoken[last - 1].place and not tokens(spoken[last].word.text):
        last += 1  # punctuation that French separates with a space
    return Passage(spoken[first:last], first)


def clip(passage: Passage, every: tuple[Passage, ...], spoken: tuple[Spoken, ...], others: tuple[Passage, ...] = ()) -> Passage:
    """Return the excerpt to play: the quote and sentences around it, up to `CLIP_MIN_S`, in the same section, without other quotes."""
    inside = [i for i, one in enumerate(every) if _overlap(one, passage)]
    grown, before, after = passage, inside[0] - 1, inside[-1] + 1
    while grown.duration_s < CLIP_MIN_S:
        sides = [i for i in (before, after) if 0 <= i < len(every) and _same(every[i].turn, passage.turn)]
        free = [i for i in sides if not any(_overlap(every[i], other) for other in others)]
        wider = [_span(spoken, min(grown.first, every[i].first), max(grown.last, every[i].last)) for i in free]
        if not wider or wider[0].duration_s > CLIP_MAX_S:
            break
        grown, before, after = wider[0], before - (free[0] == before), after + (free[0] == after)
    return grown


def played(quotes: Iterable[tuple[int, str]], timed: TimedTranscript, where: str) -> list[tuple[Passage, Passage]]:
    """Return the excerpt of each quote, given as (line in the file `location`, text), and the excerpt to play around it.

    `CauserieError` for a quote that is not in the transcript.
    """
    spoken = spoken_words(timed)
    every = sentences(spoken)
    said = [locate(text, spoken, f"{where}:{number}") for number, text in quotes]
    return [(quote, clip(quote, every, spoken, tuple(other for other in said if other != quote))) for quote in said]


def _overlap(a: Passage, b: Passage) -> bool:
    return a.first < b.last and b.first < a.last


def _span(spoken: tuple[Spoken, ...], first: int, last: int) -> Passage:
    return Passage(spoken[first:last], first)


def _same(a: Turn, b: Turn) -> bool:
    return (a.section, a.voice.role) == (b.section, b.voice.role)


def _bounds(spoken: tuple[Spoken, ...]) -> Iterator[tuple[int, int]]:
    start = 0
    for i, one in enumerate(spoken):
        following = spoken[i + 1] if i + 1 < len(spoken) else None
        turns = following is None or following.place != one.place
        closes = following is not None and not tokens(following.word.text)
        if turns or (_ENDS.search(one.word.text) and not closes and not _ABBREVIATION.fullmatch(one.word.text)):
            yield start, i + 1
            start = i + 1


def _closest(wanted: str, spoken: tuple[Spoken, ...]) -> str:
    """Return a hint with the sentence, or two consecutive ones, most similar to the quote."""
    from rapidfuzz import fuzz

    single = [one.text for one in sentences(spoken)]
    choices = single + [f"{a} {b}" for a, b in zip(single, single[1:], strict=False)]
    if not wanted or not choices:
        return "copy words from the transcript"
    best = max(choices, key=lambda text: fuzz.ratio(wanted, " ".join(tokens(text))))
    return f"the closest passage is “{_short(best, 240)}”: copy it, or choose another quote"


def _short(text: str, length: int = 80) -> str:
    one_line = printable(" ".join(text.split()))
    return one_line if len(one_line) <= length else one_line[: length - 1].rstrip() + "…"
