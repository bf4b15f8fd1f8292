"""Cuts to propose to a person: long pauses, fillers such as « euh », and starts that are said twice. Nothing here cuts anything.

Times are seconds of the master. A probability says how sure it is that the passage is what it is taken for, not whether to cut it: of
words, the lowest that the recogniser gave; of pauses, the share that is quiet. It is no measured rate.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipeline.model import RecognisedWord, Recognition

PAUSE, FILLER, REPEAT, BROKEN = "pause", "filler", "repeated start", "broken word"
LONG_PAUSE_S, KEPT_PAUSE_S = 1.5, 0.7  # a longer one is proposed, and so much of it stays
_QUIET_BELOW_SPEECH_DB = 20.0
_MIN_QUIET_SHARE = 0.8  # less is music, laughter or noise, which may be there on purpose
_MAX_REPEAT_WORDS = 4
_MIN_WORD_S = 0.05  # nobody says one in less: its time, or the word itself, is the recogniser's invention
_MAX_TIMES = 3  # people do say a word three times
_MAX_GAP_S = 1.5  # between the two times that a start is said
_FILLERS = {  # as Whisper writes them; a word that means something else in its language is in no list
    "": {"hm", "hmm", "mmh", "mhm"},
    "fr": {"euh", "heu", "euhm", "hum"},
    "en": {"um", "umm", "uh", "uhh", "uhm", "er", "erm"},
    "de": {"äh", "ähm", "öhm"},
    "es": {"eh", "em"},
}
_DOUBLED = {  # words that people double on purpose, or that grammar does: « nous nous sommes », "that that"
    "fr": {"nous", "vous", "non", "oui", "si", "très", "bien", "bon", "là", "vite", "allez", "tout", "trop", "jamais", "ah", "hein"},
    "en": {"that", "had", "very", "no", "yes", "yeah", "so", "bye", "really", "many", "much", "far", "never", "ha", "well"},
    "de": {"sehr", "ja", "nein", "die", "der", "das", "so", "viel"},
    "es": {"muy", "sí", "no", "ya", "nos"},
}  # fmt: skip
_SENTENCE_END = re.compile(r"[.!?][»”\"’')\]]*$")


@dataclass(frozen=True)
class CutProposal:
    """A passage that a person may want to cut."""

    start_s: float
    end_s: float
    kind: str  # PAUSE | FILLER | REPEAT | BROKEN
    said: str  # the words in it; "" for a pause
    before: str  # the words around it
    after: str
    probability: float

    @property
    def gained_s(self) -> float:
        """By how much the episode becomes shorter, before the cut is moved to the nearest silence."""
        return self.end_s - self.start_s


def propose_cuts(heard: Recognition, levels_db: Sequence[float], hops_per_s: int) -> tuple[CutProposal, ...]:
    """What could be cut from a recording, in order; none overlaps another. `levels_db` are the levels of its master, hop by hop."""
    words = [word for segment in heard["segments"] for word in segment["words"]]
    wordless = [(each["start_s"], each["end_s"]) for each in heard.get("wordless_voice", ())]
    language = heard["language"][:2]
    found = [
        *_fillers(words, language),
        *_repeats(words, language),
        *_broken_words(words),
        *_pauses(words, wordless, levels_db, hops_per_s),
    ]
    chosen: list[CutProposal] = []
    for each in sorted(found, key=lambda proposal: -proposal.gained_s):
        if all(each.end_s <= other.start_s or each.start_s >= other.end_s for other in chosen):
            chosen.append(each)
    return tuple(sorted(chosen, key=lambda proposal: proposal.start_s))


def _fillers(words: Sequence[RecognisedWord], language: str) -> Iterator[CutProposal]:
    fillers = _FILLERS[""] | _FILLERS.get(language, set())
    for index, word in enumerate(words):
        if _fold(word["text"]) in fillers:
            yield _of_words(FILLER, words, index, index + 1, word["end_s"])


def _repeats(words: Sequence[RecognisedWord], language: str) -> Iterator[CutProposal]:
    """Runs of words that are said again at once, without the end of a sentence between: all but the last time is to cut.

    What is there more than `_MAX_TIMES` times is a recogniser that runs in a circle over words it has not understood.
    """
    folded, index = [_fold(word["text"]) for word in words], 0
    while index < len(words):
        size = next((size for size in range(1, _MAX_REPEAT_WORDS + 1) if _is_said_again(words, folded, index, size)), 0)
        times = 1
        while size and folded[index : index + size] == folded[index + times * size : index + (times + 1) * size]:
            times += 1
        if size and times <= _MAX_TIMES and not (size == 1 and folded[index] in _DOUBLED.get(language, set())):
            for start in range(index, index + (times - 1) * size, size):
                if _is_said_again(words, folded, start, size):
                    yield _of_words(REPEAT, words, start, start + size, words[start + size]["start_s"], 2 * size)
        index += max(times * size, 1)


def _is_said_again(words: Sequence[RecognisedWord], folded: Sequence[str], index: int, size: int) -> bool:
    again = index + size
    if folded[index:again] != folded[again : again + size] or not all(folded[index:again]) or any(map(str.isdigit, folded[index:again])):
        return False
    is_near = words[again]["start_s"] - words[again - 1]["end_s"] <= _MAX_GAP_S
    is_spoken = all(word["end_s"] - word["start_s"] >= _MIN_WORD_S for word in words[index : again + size])
    return is_near and is_spoken and not any(_SENTENCE_END.search(word["text"]) for word in words[index:again])


def _broken_words(words: Sequence[RecognisedWord]) -> Iterator[CutProposal]:
    """A word that breaks off and is said again: « pro- programme »."""
    for index, (word, following) in enumerate(pairwise(words)):
        part = _fold(word["text"])
        breaks_off = word["text"].rstrip().endswith(("-", "–", "—")) and len(part) > 0
        if breaks_off and _fold(following["text"]).startswith(part) and following["start_s"] - word["end_s"] <= _MAX_GAP_S:
            yield _of_words(BROKEN, words, index, index + 1, following["start_s"], 2)


def _pauses(
    words: Sequence[RecognisedWord], wordless: Sequence[tuple[float, float]], levels_db: Sequence[float], hops_per_s: int
) -> Iterator[CutProposal]:
    """Long pauses between words in which nothing is heard, but for `KEPT_PAUSE_S`, half at each end."""
    spoken_db = [levels_db[hop] for word in words if (hop := int((word["start_s"] + word["end_s"]) / 2 * hops_per_s)) < len(levels_db)]
    quiet_db = median(spoken_db) - _QUIET_BELOW_SPEECH_DB if spoken_db else float("-inf")
    for index, (word, following) in enumerate(pairwise(words)):
        start_s, end_s = word["end_s"] + KEPT_PAUSE_S / 2, following["start_s"] - KEPT_PAUSE_S / 2
        has_voice = any(first_s < end_s and last_s > start_s for first_s, last_s in wordless)
        if following["start_s"] - word["end_s"] < LONG_PAUSE_S or has_voice:
            continue
        hops = levels_db[int(start_s * hops_per_s) : int(end_s * hops_per_s)]
        share = sum(level_db <= quiet_db for level_db in hops) / max(len(hops), 1)
        if share >= _MIN_QUIET_SHARE:
            yield CutProposal(start_s, end_s, PAUSE, "", _context(words[: index + 1][-3:]), _context(words[index + 1 : index + 4]), share)


def _of_words(kind: str, words: Sequence[RecognisedWord], first: int, end: int, end_s: float, count: int = 1) -> CutProposal:
    """The proposal to cut words `first` to `end`, up to `end_s`; `count` words from the first must have been recognised rightly."""
    probability = min(word["probability"] for word in words[first : first + count])
    before, after = _context(words[max(0, first - 3) : first]), _context(words[end : end + 3])
    return CutProposal(words[first]["start_s"], end_s, kind, _context(words[first:end]), before, after, probability)


def _context(words: Sequence[RecognisedWord]) -> str:
    return " ".join(word["text"] for word in words)


def _fold(text: str) -> str:
    return re.sub(r"[^\w’']", "", unicodedata.normalize("NFC", text).casefold().replace("'", "’")).strip("’_")
