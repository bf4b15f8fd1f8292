"""What was heard and is not in the text, and what is in the text and was not heard. Pure.

Words that were only recognised wrong are neither: a passage counts when one side has several words more than the other between two places
where both certainly agree, or when both have many words and none of them in common.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.model import Recognition, VoiceSpan, join_words
from pipeline.transcript.align import recognised_tokens
from pipeline.transcript.certainty import Match, TimedToken
from pipeline.transcript.document import Transcript
from pipeline.transcript.matching import match_tokens
from pipeline.transcript.normalisation import word_tokens
from pipeline.transcript.turns import build_turns

_MIN_WORDS = 5
_MIN_EXCESS_LETTERS = 20  # more than the other side has: about five words
_MIN_FOREIGN_LETTERS = 60  # on both sides: more than a recogniser gets wrong at once
_MIN_HEARD_S = 1.5
_MAX_STRAY_TOKENS = 2  # that agree by chance inside a passage
_MIN_COMPARED_WORDS = 30  # a shorter text is not judged as a whole
_MIN_AGREEMENT, _MIN_CERTAIN = 0.5, 0.4  # shares of the letters of a text: a hearing with half of its words wrong still has more

_Places = Callable[[Match], range]  # of a match, on one side


@dataclass(frozen=True)
class HeardPassage:
    """Words that were heard and are not in the text."""

    start_s: float
    end_s: float
    text: str
    words: int


@dataclass(frozen=True)
class WrittenPassage:
    """Words of the text that were not heard; `near_s` is when the words before them were spoken."""

    near_s: float
    text: str
    words: int


@dataclass(frozen=True)
class Comparison:
    """A text beside what was heard: passages, the longest first, and how far the two agree, as shares of the letters of the text."""

    heard: tuple[HeardPassage, ...] = ()
    written: tuple[WrittenPassage, ...] = ()
    voices: tuple[tuple[float, float], ...] = ()  # start and end of voices without words, in seconds, where the text has none either
    words: int = 0
    agreement: float = 1.0
    certain: float = 1.0

    @property
    def is_other_recording(self) -> bool:
        """Whether most words of the text were not heard at all: the recording was replaced, or the text is of another one."""
        return self.words >= _MIN_COMPARED_WORDS and self.agreement < _MIN_AGREEMENT and self.certain < _MIN_CERTAIN


def compare_with_heard(transcript: Transcript, recognition: Recognition) -> Comparison:
    """Compare a text with the content of `words.json`."""
    language, duration_s = recognition["language"], recognition["duration_s"]
    words = [word.text for each in build_turns(transcript, language) for word in each.turn.words if not word.is_sound]
    spoken = [word["text"] for segment in recognition["segments"] for word in segment["words"]]
    written, written_words = _tokens(words, language)
    heard, heard_words = recognised_tokens(recognition), _tokens(spoken, language)[1]
    matches = match_tokens(written, heard, language, (0.0, duration_s))
    found_heard: list[HeardPassage] = []
    found_written: list[WrittenPassage] = []
    voices = list(recognition.get("wordless_voice") or ())
    for before, after, inner in _holes(matches, len(written), len(heard)):
        new_written = _unmatched(range(before.last, after.first), inner, lambda match: range(match.first, match.last))
        new_heard = _unmatched(range(before.heard_last, after.heard_first), inner, lambda match: range(match.heard_first, match.heard_last))
        letters = sum(len(written[i]) for i in new_written), sum(len(heard[j].text) for j in new_heard)
        span_s = _span_s(before, after, heard, duration_s)
        explained = [voice for voice in voices if new_written and span_s[0] <= (voice["start_s"] + voice["end_s"]) / 2 <= span_s[1]]
        is_foreign = min(letters) >= _MIN_FOREIGN_LETTERS
        if (letters[1] - letters[0] >= _MIN_EXCESS_LETTERS or is_foreign) and (run := _core(new_heard)):
            found_heard += _heard_passage(run, heard, heard_words, spoken)
        if (letters[0] - letters[1] >= _MIN_EXCESS_LETTERS or is_foreign) and not explained and (run := _core(new_written)):
            found_written += _written_passage(run, written_words, words, span_s[0])
        voices = [voice for voice in voices if voice not in explained]
    total = sum(map(len, written)) or 1
    agreeing = [(sum(map(len, written[match.first : match.last])) / total, match.certain) for match in matches]
    return Comparison(
        tuple(sorted(found_heard, key=lambda passage: passage.start_s - passage.end_s)),
        tuple(sorted(found_written, key=lambda passage: -passage.words)),
        tuple((voice["start_s"], voice["end_s"]) for voice in voices),
        len(words),
        round(sum(share for share, _ in agreeing), 3),
        round(sum(share for share, is_certain in agreeing if is_certain), 3),
    )


def voice_spans(recognition: Recognition) -> tuple[tuple[float, float], ...]:
    """The voices without words of `words.json`, as start and end in seconds; none in a file without them."""
    spans: list[VoiceSpan] = recognition.get("wordless_voice") or []
    return tuple((span["start_s"], span["end_s"]) for span in spans)


def _tokens(words: Sequence[str], language: str) -> tuple[list[str], list[int]]:
    """The tokens of words, and for each the index of its word."""
    parts = [word_tokens(word, language) for word in words]
    return [token for part in parts for token in part], [index for index, part in enumerate(parts) for _ in part]


def _holes(matches: Sequence[Match], written: int, heard: int) -> Iterator[tuple[Match, Match, list[Match]]]:
    """The places between certain matches: the match before, the one after, and the uncertain ones between them."""
    ends = [Match(0, 0, 0, 0, 0.0), *(match for match in matches if match.certain), Match(written, written, heard, heard, 0.0)]
    rest = deque(match for match in matches if not match.certain)
    for before, after in pairwise(ends):
        inner: list[Match] = []
        while rest and rest[0].first < after.first:
            inner.append(rest.popleft())
        if after.first > before.last or after.heard_first > before.heard_last:
            yield before, after, inner


def _unmatched(places: range, inner: Sequence[Match], own: _Places) -> list[int]:
    """The places that no uncertain match covers."""
    covered = {place for match in inner for place in own(match)}
    return [place for place in places if place not in covered]


def _core(places: Sequence[int]) -> list[int]:
    """The longest run of places, across a few that agree by chance."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place - runs[-1][-1] <= _MAX_STRAY_TOKENS + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return max(runs, key=len, default=[])


def _span_s(before: Match, after: Match, heard: Sequence[TimedToken], duration_s: float) -> tuple[float, float]:
    """The time between two matches."""
    start_s = heard[before.heard_last - 1].end_s if before.heard_last else 0.0
    return start_s, heard[after.heard_first].start_s if after.heard_first < len(heard) else duration_s


def _heard_passage(run: list[int], heard: Sequence[TimedToken], indices: Sequence[int], spoken: Sequence[str]) -> list[HeardPassage]:
    first, last = indices[run[0]], indices[run[-1]]
    start_s, end_s = heard[run[0]].start_s, heard[run[-1]].end_s
    if last - first + 1 < _MIN_WORDS or end_s - start_s < _MIN_HEARD_S:
        return []
    return [HeardPassage(round(start_s, 3), round(end_s, 3), join_words(spoken[first : last + 1]), last - first + 1)]


def _written_passage(run: list[int], indices: Sequence[int], words: Sequence[str], near_s: float) -> list[WrittenPassage]:
    first, last = indices[run[0]], indices[run[-1]]
    if last - first + 1 < _MIN_WORDS:
        return []
    return [WrittenPassage(round(near_s, 3), join_words(words[first : last + 1]), last - first + 1)]
