"""The step `mark_doubts`: the words to listen to first, by phrase, the worst first, with the reasons.

Which words are doubted was fitted on recordings of people (docs/decisions/0025): their probability, and that of their neighbours. What
a word does not show, a repetition or a voice that is not there, is a matter of the phrase, and doubts it as a whole: several signals are
combined by a logistic regression, whose weights were fitted on synthetic voices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

from pipeline.engine import read_json, write_json
from pipeline.model import (
    NO_TERMS,
    DoubtfulPassage,
    Doubts,
    Glossary,
    RecognisedSegment,
    RecognisedWord,
    Recognition,
    apply_glossary,
    find_near_terms,
    fold_words,
    join_words,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_SHARE = 0.2  # of each stretch of audio at most: an hour's episode must not need an hour of listening
_STRETCH_S = 600.0  # the budget is spread: the worst ten minutes do not use up what the others need
_CERTAIN_SCORE = 0.9  # shown whatever the budget
_MIN_LOGPROB = -1.0  # of a segment; below, Whisper itself holds it for improbable, and it is shown whatever the budget
_MIN_WORD_SCORE = 0.28  # of the words above it about half are wrong, and they are two in five of the wrong ones
_WORD_BIAS, _WORD_WEIGHTS = -4.14, (4.9, 0.6, 2.1)  # improbability of the word, of the one before, and of the one after
MIN_SCORE = 0.15  # below it, six words in seven are probably right, and listening is not worth the time
_PAUSE_S = 0.6  # separates phrases
_MAX_PHRASE_S, _MIN_PHRASE_S = 5.0, 1.5  # longer phrases caught fewer wrong words in the same listening time; shorter ones caught no more
_SENTENCE_END = (".", "!", "?", "…")
_CLOSING_MARKS = ' »”")]\u00a0\u202f'
_SILENCE_BELOW_SPEECH_DB = 20.0  # a word this far below the median word of the episode counts as silence
_ODD_DURATION_LOG_RATIO = math.log(2.5)  # letters 2.5 times longer or shorter than the episode's median
_REPEAT_WORDS = 3  # length of the word sequences compared
_NEAR_TERM_SCORE = 0.5  # of a word that is nearly a name of the glossary; not fitted
_NEAR_TERM_LOGIT = 1.0  # in logits; not fitted
_MIN_REASON_LOGIT = 0.5  # logits a signal must add above its usual value to be reported as a reason


@dataclass(frozen=True)
class Signals:
    """The features of a phrase that predict errors, each from 0 (normal) to 1."""

    weakest: float  # 1 − probability of its least probable word
    weak: float  # 1 − probability, mean over its words
    quartile: float  # 1 − probability, at the lower quartile of its words
    segment: float  # minus the mean log probability of the recogniser's segments
    no_speech: float  # the recogniser's own probability that there is no speech
    repetition: float  # share of its sequences of three words that occurred before
    rate: float  # absolute logarithm of its speaking rate over the episode's
    out_of_time: float  # share of words too long or too short for their number of letters
    no_voice: float  # share of its words where the audio is silent


@dataclass(frozen=True)
class Phrase:
    """Consecutive words of `words.json`, and for each the segment it is in."""

    words: tuple[RecognisedWord, ...]
    segments: tuple[RecognisedSegment, ...]

    @property
    def start_s(self) -> float:
        """The start of its first word."""
        return self.words[0]["start_s"]

    @property
    def end_s(self) -> float:
        """The end of its last word."""
        return max(self.words[-1]["end_s"], self.start_s)


_BIAS = -4.25
WEIGHTS = {  # signal: weight, usual value, reason
    "weakest": (0.15, 0.28, "unsure words"),
    "weak": (7.5, 0.08, "unsure words"),
    "quartile": (3.9, 0.11, "unsure words"),
    "segment": (5.6, 0.16, "unsure words"),
    "no_speech": (2.0, 0.0, "no voice"),
    "repetition": (1.7, 0.05, "repetition"),
    "rate": (0.2, 0.26, "odd rate"),
    "out_of_time": (2.05, 0.3, "odd rate"),
    "no_voice": (1.06, 0.04, "no voice"),
}


def mark_doubts(words: Path, levels: Path, *, doubts: Path, glossary: Glossary = NO_TERMS) -> None:
    """Write to `mark_doubts` the passages to listen to first; `levels` are the master's level profiles. See docs/formats.md."""
    from pipeline.audio import load_profile

    write_json(doubts, find_doubts(read_json(words), load_profile(levels, "master").levels_db, glossary))


def find_doubts(recognition: Recognition, levels_db: NDArray[np.float32] | None, glossary: Glossary = NO_TERMS) -> Doubts:
    """The content of `mark_doubts.json` for that of `words.json`: the worst passage first.

    `levels_db` are the levels of the master, 20 a second; without them, words in silence are not detected.
    """
    fixed, corrections = apply_glossary(recognition, glossary)
    phrases = split_phrases(fixed)
    scores = iter(word_scores([word for phrase in phrases for word in phrase.words]))
    doubted = []
    for phrase, signals in zip(phrases, measure_signals(phrases, levels_db), strict=True):
        wrong = [next(scores) for _ in phrase.words]
        terms = find_near_terms(phrase.words, glossary)
        score = error_probability(signals, _NEAR_TERM_LOGIT * bool(terms))
        for index, _ in terms:
            wrong[index] = max(wrong[index], _NEAR_TERM_SCORE)
        doubted += _doubt(phrase, wrong, score, [*doubt_reasons(signals), *(["glossary"] if terms else [])])
    shown = _within_budget(sorted(doubted, key=lambda each: (-each.value["score"], each.value["start_s"])))
    return {
        "version": 1,
        "duration_s": recognition["duration_s"],
        "doubtful_s": round(sum(each.length_s for each in shown), 3),
        "found": len(doubted),
        "passages": [each.value for each in shown],
        "corrections": [each.to_value() for each in corrections],
    }


def word_scores(words: Sequence[RecognisedWord]) -> list[float]:
    """For each word of a recording, the estimated probability that it is wrong."""
    improbable = [0.0, *(1 - word["probability"] for word in words), 0.0]
    own, before, after = _WORD_WEIGHTS
    logits = (
        _WORD_BIAS + own * mine + before * last + after * following
        for last, mine, following in zip(improbable, improbable[1:], improbable[2:], strict=False)
    )
    return [1 / (1 + math.exp(-logit)) for logit in logits]


@dataclass(frozen=True)
class _Doubt:
    """A passage to listen to, and whether it is shown whatever the budget."""

    value: DoubtfulPassage
    is_certain: bool

    @property
    def length_s(self) -> float:
        """How long listening to it takes, in seconds."""
        return self.value["end_s"] - self.value["start_s"]


def _doubt(phrase: Phrase, wrong: Sequence[float], score: float, causes: list[str]) -> list[_Doubt]:
    """The doubt about a phrase: about its doubtful words, or about the whole, when that has other reasons; none when it has none."""
    improbable = any(segment["average_log_probability"] < _MIN_LOGPROB for segment in phrase.segments)
    is_whole = improbable or (score >= MIN_SCORE and causes[:1] not in ([], ["unsure words"]))
    marked = [index for index, each in enumerate(wrong) if each >= _MIN_WORD_SCORE]
    if not is_whole and not marked:
        return []
    highest = max([score, *(wrong[index] for index in marked)])
    value = _phrase_value(phrase, range(len(wrong)) if is_whole else marked, highest, causes or ["unsure words"])
    return [_Doubt(value, improbable or highest >= _CERTAIN_SCORE)]


def _within_budget(ranked: Sequence[_Doubt]) -> list[_Doubt]:
    """The doubts, the worst first, that are certain or fit into their stretch of the recording's share of listening."""
    spent_s: dict[int, float] = {}
    shown = []
    for doubt in ranked:
        stretch = int(doubt.value["start_s"] / _STRETCH_S)
        if doubt.is_certain or spent_s.get(stretch, 0.0) + doubt.length_s <= MAX_SHARE * _STRETCH_S:
            spent_s[stretch] = spent_s.get(stretch, 0.0) + doubt.length_s
            shown.append(doubt)
    return shown


def summary(value: Doubts, language: str) -> str:
    """The content of `mark_doubts.json` in a few words: « 9 passages, 2 min 10 sur 8 min 06 »."""
    french, count, found = language.startswith("fr"), len(value["passages"]), value.get("found", 0)
    link = "sur" if french else "of"
    of_all = f" {link} {found}" if found > count else ""
    passages = f"{count} passage{'s' if count > 1 else ''}{of_all}"
    return f"{passages}, {_format_minutes(value['doubtful_s'])} {link} {_format_minutes(value['duration_s'])}"


def split_phrases(recognition: Recognition) -> list[Phrase]:
    """The words of `words.json` split into phrases of about a sentence: at full stops, at pauses, and at a maximum length."""
    pairs = [(word, segment) for segment in recognition["segments"] for word in segment["words"]]
    groups: list[list[tuple[RecognisedWord, RecognisedSegment]]] = []
    for pair in pairs:
        if not groups or _starts_phrase(groups[-1], pair[0]):
            groups.append([])
        groups[-1].append(pair)
    return [Phrase(tuple(word for word, _ in group), tuple(segment for _, segment in group)) for group in groups]


def measure_signals(phrases: Sequence[Phrase], levels_db: NDArray[np.float32] | None) -> list[Signals]:
    """The signals of each phrase of an episode, relative to the rest of the episode."""
    letters_s = [median(map(_letter_duration_s, phrase.words)) for phrase in phrases]
    usual_s = median(letters_s) if letters_s else 0.07
    speech_db = _median_speech_db(phrases, levels_db)
    seen: set[tuple[str, ...]] = set()
    return [
        _phrase_signals(passage, _repeated_share(passage, seen), letter_s / usual_s, usual_s, _silent_share(passage, levels_db, speech_db))
        for passage, letter_s in zip(phrases, letters_s, strict=True)
    ]


def error_probability(signals: Signals, extra_logit: float = 0.0) -> float:
    """The estimated share of wrong words in a phrase, 0 to 1; `extra_logit` is added before the logistic function."""
    total: float = _BIAS + extra_logit + sum(weight * getattr(signals, name) for name, (weight, _, _) in WEIGHTS.items())
    return 1 / (1 + math.exp(-total))


def doubt_reasons(signals: Signals) -> list[str]:
    """Why a phrase is doubtful, the strongest reason first."""
    totals: dict[str, float] = {}
    for name, (weight, usual, reason) in WEIGHTS.items():
        totals[reason] = totals.get(reason, 0.0) + weight * (getattr(signals, name) - usual)
    return sorted((reason for reason, amount in totals.items() if amount > _MIN_REASON_LOGIT), key=lambda reason: -totals[reason])


def _starts_phrase(group: Sequence[tuple[RecognisedWord, RecognisedSegment]], word: RecognisedWord) -> bool:
    """Whether a new phrase begins with this word."""
    last, length_s = group[-1][0], group[-1][0]["end_s"] - group[0][0]["start_s"]
    if word["end_s"] - group[0][0]["start_s"] > _MAX_PHRASE_S:
        return True
    ended = last["text"].rstrip(_CLOSING_MARKS).endswith(_SENTENCE_END)
    return word["start_s"] - last["end_s"] > _PAUSE_S or (ended and length_s >= _MIN_PHRASE_S)


def _phrase_signals(phrase: Phrase, repetition: float, rate_ratio: float, usual_s: float, silent_share: float) -> Signals:
    improbabilities = sorted((1 - word["probability"] for word in phrase.words), reverse=True)
    lengths = [abs(math.log(_letter_duration_s(word) / usual_s)) for word in phrase.words]
    return Signals(
        weakest=improbabilities[0],
        weak=fmean(improbabilities),
        quartile=improbabilities[len(improbabilities) // 4],
        segment=min(1.0, fmean(-segment["average_log_probability"] for segment in phrase.segments)),
        no_speech=fmean(segment["no_speech_probability"] for segment in phrase.segments),
        repetition=repetition,
        rate=min(1.0, abs(math.log(rate_ratio))),
        out_of_time=fmean(length > _ODD_DURATION_LOG_RATIO for length in lengths),
        no_voice=silent_share,
    )


def _letter_duration_s(word: RecognisedWord) -> float:
    """The seconds per letter of a word; the pause around it counts as one letter, and its length is at least 10 ms."""
    return max(0.01, word["end_s"] - word["start_s"]) / (1 + sum(char.isalnum() for char in word["text"]))


def _repeated_share(phrase: Phrase, seen: set[tuple[str, ...]]) -> float:
    """The share of a phrase's word sequences that are in `seen`; the phrase's own are added to it."""
    parts = fold_words([word["text"] for word in phrase.words])
    runs = [tuple(parts[i : i + _REPEAT_WORDS]) for i in range(len(parts) - _REPEAT_WORDS + 1)]
    repeats = 0
    for run in runs:
        repeats += run in seen
        seen.add(run)
    return repeats / len(runs) if runs else 0.0


def _median_speech_db(phrases: Sequence[Phrase], levels_db: NDArray[np.float32] | None) -> float:
    """The median level of the episode's words, in dB."""
    if levels_db is None:
        return 0.0
    levels = [_level_db(word, levels_db) for phrase in phrases for word in phrase.words]
    return median(levels) if levels else 0.0


def _silent_share(phrase: Phrase, levels_db: NDArray[np.float32] | None, speech_db: float) -> float:
    """The share of words whose level is that of silence."""
    if levels_db is None:
        return 0.0
    return fmean(_level_db(word, levels_db) < speech_db - _SILENCE_BELOW_SPEECH_DB for word in phrase.words)


def _level_db(word: RecognisedWord, levels_db: NDArray[np.float32]) -> float:
    """The highest level during a word, in dB."""
    first = min(int(word["start_s"] * 20), len(levels_db) - 1)
    return float(levels_db[first : max(first + 1, int(word["end_s"] * 20) + 1)].max(initial=-120.0))


def _phrase_value(phrase: Phrase, marked: Sequence[int], score: float, causes: list[str]) -> DoubtfulPassage:
    """The marked words of a phrase, runs of them joined by an ellipsis."""
    words = [phrase.words[index] for index in marked]
    runs = [[index for _, index in run] for _, run in groupby(enumerate(marked), key=lambda place: place[1] - place[0])]
    return {
        "start_s": round(words[0]["start_s"], 3),
        "end_s": round(max(words[-1]["end_s"], words[0]["start_s"]), 3),
        "text": " … ".join(join_words(phrase.words[index]["text"] for index in run) for run in runs),
        "score": round(score, 3),
        "reasons": causes,
    }


def _format_minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02}"


SIGNALS = tuple(field.name for field in fields(Signals))
