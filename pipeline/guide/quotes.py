"""Find a quote in the transcript, word for word, and the audio to play around it.

Spaces, punctuation, apostrophes and case are ignored. Guides print the transcript's wording.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from pipeline.model import CauserieError, TimedTranscript, Turn, Voice, Word, join_words, terminal_safe

CLIP_MIN_S, CLIP_MAX_S = 10.0, 45.0  # shorter ends before the group listens, longer is not a clip

_SOUND = re.compile(r"\[[^\[\]]*\]")
_SPACES = " \u00a0\u202f"
_ENDS = re.compile(r"[.!?…][»\"”’)\]]*$")
_ABBREVIATION = re.compile(r"(?:\w|M(?:me|lle|gr|r|rs|s)?|Dr|Pr|St|n°)\.", re.IGNORECASE)


@dataclass(frozen=True)
class SpokenWord:
    """A spoken word and its turn."""

    word: Word
    turn: Turn
    turn_index: int  # index of the turn in the transcript


@dataclass(frozen=True)
class Excerpt:
    """Consecutive spoken words, without sounds."""

    words: tuple[SpokenWord, ...]
    start_index: int  # index of its first word among all spoken words

    @property
    def text(self) -> str:
        """The text on one line, without quotation marks that also enclose other words."""
        return strip_insert_quotes(join_words(one.word.text for one in self.words))

    @property
    def turn(self) -> Turn:
        """The turn it starts in."""
        return self.words[0].turn

    @property
    def end_index(self) -> int:
        """The index after its last word (exclusive)."""
        return self.start_index + len(self.words)

    def displayed_s(self, duration_s: float) -> tuple[int, int] | None:
        """Return start and end, rounded outwards to whole seconds, as guides print them; None when it has no times."""
        if self.start_s is None or self.end_s is None:
            return None
        first = int(self.start_s)
        return first, min(int(self.end_s) + 1, max(int(duration_s), first + 1))

    @property
    def start_s(self) -> float | None:
        """When its first word starts; None when unknown."""
        return self.words[0].word.start_s

    @property
    def end_s(self) -> float | None:
        """When its last word ends; None when unknown."""
        return self.words[-1].word.end_s

    @property
    def starts_estimated(self) -> bool:
        """Whether the time of its first word is estimated: the clip may begin a few words early or late."""
        return self.words[0].word.estimated

    @property
    def duration_s(self) -> float:
        """Its duration; 0 when its start or end is unknown."""
        return 0.0 if self.start_s is None or self.end_s is None else self.end_s - self.start_s

    def voice_lines(self) -> tuple[tuple[Voice, str], ...]:
        """Return (voice, text) for each turn."""
        runs = (list(run) for _, run in groupby(self.words, key=lambda one: one.turn_index))
        return tuple((run[0].turn.voice, strip_insert_quotes(join_words(one.word.text for one in run))) for run in runs)


def spoken_words(timed: TimedTranscript) -> tuple[SpokenWord, ...]:
    """Return all spoken words, in order."""
    return tuple(SpokenWord(word, turn, i) for i, turn in enumerate(timed.turns) for word in turn.words if not word.is_sound)


def strip_insert_quotes(text: str) -> str:
    """Return a sentence without the « or » of the insert around it: it will be printed in its own quotation marks."""
    opened, closed = text.count("«"), text.count("»")
    if text.startswith("«") and (opened > closed or (text.endswith("»") and opened == 1)):
        text, opened = text[1:].lstrip(_SPACES), opened - 1
    return text[:-1].rstrip(_SPACES) if text.endswith("»") and closed > opened else text


def tokens(text: str) -> list[str]:
    """Return the words of a text for comparison: letters and digits, case-folded."""
    return re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold())


def split_sentences(spoken: tuple[SpokenWord, ...]) -> tuple[Excerpt, ...]:
    """Split into sentences; none spans two turns."""
    return tuple(Excerpt(spoken[first:last], first) for first, last in _sentence_bounds(spoken))


def without_doubts(sentences: Iterable[Excerpt], doubtful: Sequence[tuple[float, float]]) -> tuple[Excerpt, ...]:
    """Return the sentences that are sure: none that overlaps a doubtful passage (start, end, in seconds), or that has no times."""
    if not doubtful:
        return tuple(sentences)
    starts, ends = [start_s for start_s, _ in sorted(doubtful)], list(accumulate((end_s for _, end_s in sorted(doubtful)), max))

    def is_sure(one: Excerpt) -> bool:
        if one.start_s is None or one.end_s is None:
            return False
        before = bisect_left(starts, one.end_s)  # the passages that start before its end
        return not before or ends[before - 1] <= one.start_s

    return tuple(one for one in sentences if is_sure(one))


def locate(quote: str, spoken: tuple[SpokenWord, ...], location: str) -> Excerpt:
    """Return the first occurrence of a quote. `CauserieError`, with the closest passage as a hint, when there is none."""
    indexed_tokens = [(token, i) for i, one in enumerate(spoken) for token in tokens(one.word.text)]
    wanted = " ".join(tokens(quote))
    haystack = f" {' '.join(token for token, _ in indexed_tokens)} "
    offset = haystack.find(f" {wanted} ") if wanted else -1
    if offset < 0:
        raise CauserieError(f"the quote “{_truncate(quote)}” is not in the transcript", location, _closest_hint(wanted, spoken))
    start = haystack[:offset].count(" ")
    first, last = indexed_tokens[start][1], indexed_tokens[start + wanted.count(" ")][1] + 1
    while last < len(spoken) and spoken[last].turn_index == spoken[last - 1].turn_index and not tokens(spoken[last].word.text):
        last += 1  # punctuation that French separates with a space
    return Excerpt(spoken[first:last], first)


def refuse_cut_quotes(quotes: Iterable[tuple[int, str]], timed: TimedTranscript, uncut: TimedTranscript, location: str) -> None:
    """Raise `CauserieError` for the first quote, (line, text), that is in `uncut`, and not, or not all, in what is published."""
    left, all_words = spoken_words(timed), spoken_words(uncut)
    for number, text in quotes:
        if _is_found(text, all_words) and not _is_found(text, left):
            message = f"the quote “{_truncate(text)}” is cut from this episode, or part of it is"
            raise CauserieError(message, f"{location}:{number}", "remove the quote, or correct cuts in episode.toml")


def _is_found(quote: str, spoken: tuple[SpokenWord, ...]) -> bool:
    return are_all_spoken([quote], [" ".join(one.word.text for one in spoken)])


def are_all_spoken(quotes: Iterable[str], paragraphs: Iterable[str]) -> bool:
    """Whether every quote is in the text of a transcript's paragraphs: quick, and when it says no, `locate` has the last word."""
    haystack = f" {' '.join(tokens(_SOUND.sub(' ', ' '.join(paragraphs))))} "
    return all(wanted and f" {wanted} " in haystack for wanted in (" ".join(tokens(quote)) for quote in quotes))


def expand_to_clip(
    quote: Excerpt, all_sentences: tuple[Excerpt, ...], spoken: tuple[SpokenWord, ...], others: tuple[Excerpt, ...] = ()
) -> Excerpt:
    """Return the excerpt to play: the quote and sentences around it, up to `CLIP_MIN_S`, in the same section, without other quotes."""
    inside = [i for i, one in enumerate(all_sentences) if _overlap(one, quote)]
    expanded, before, after = quote, inside[0] - 1, inside[-1] + 1
    while expanded.duration_s < CLIP_MIN_S:
        sides = [i for i in (before, after) if 0 <= i < len(all_sentences) and _is_same_section(all_sentences[i].turn, quote.turn)]
        free_sides = [i for i in sides if not any(_overlap(all_sentences[i], other) for other in others)]
        wider = [
            _excerpt(spoken, min(expanded.start_index, all_sentences[i].start_index), max(expanded.end_index, all_sentences[i].end_index))
            for i in free_sides
        ]
        if not wider or wider[0].duration_s > CLIP_MAX_S:
            break
        expanded, before, after = wider[0], before - (free_sides[0] == before), after + (free_sides[0] == after)
    return expanded


def locate_clips(quotes: Iterable[tuple[int, str]], timed: TimedTranscript, location: str) -> list[tuple[Excerpt, Excerpt]]:
    """Return the excerpt of each quote, given as (line in the file `location`, text), and the excerpt to play around it.

    `CauserieError` for a quote that is not in the transcript.
    """
    spoken = spoken_words(timed)
    all_sentences = split_sentences(spoken)
    located = [locate(text, spoken, f"{location}:{number}") for number, text in quotes]
    return [(quote, expand_to_clip(quote, all_sentences, spoken, tuple(other for other in located if other != quote))) for quote in located]


def _overlap(a: Excerpt, b: Excerpt) -> bool:
    return a.start_index < b.end_index and b.start_index < a.end_index


def _excerpt(spoken: tuple[SpokenWord, ...], first: int, last: int) -> Excerpt:
    return Excerpt(spoken[first:last], first)


def _is_same_section(a: Turn, b: Turn) -> bool:
    return (a.section, a.voice.role) == (b.section, b.voice.role)


def _sentence_bounds(spoken: tuple[SpokenWord, ...]) -> Iterator[tuple[int, int]]:
    start = 0
    for i, one in enumerate(spoken):
        following = spoken[i + 1] if i + 1 < len(spoken) else None
        ends_turn = following is None or following.turn_index != one.turn_index
        followed_by_mark = following is not None and not tokens(following.word.text)
        if ends_turn or (_ENDS.search(one.word.text) and not followed_by_mark and not _ABBREVIATION.fullmatch(one.word.text)):
            yield start, i + 1
            start = i + 1


def _closest_hint(wanted: str, spoken: tuple[SpokenWord, ...]) -> str:
    """Return a hint with the sentence, or two consecutive ones, most similar to the quote."""
    from rapidfuzz import fuzz

    single = [one.text for one in split_sentences(spoken)]
    choices = single + [f"{a} {b}" for a, b in zip(single, single[1:], strict=False)]
    if not wanted or not choices:
        return "copy words from the transcript"
    best = max(choices, key=lambda text: fuzz.ratio(wanted, " ".join(tokens(text))))
    return f"the closest passage is “{_truncate(best, 240)}”: copy it, or choose another quote"


def _truncate(text: str, length: int = 80) -> str:
    one_line = terminal_safe(" ".join(text.split()))
    return one_line if len(one_line) <= length else one_line[: length - 1].rstrip() + "…"
