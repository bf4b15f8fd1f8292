"""`doubts`: the passages a person should listen to first, ranked by how much of them is probably wrong, with the reasons.

How sure the recogniser was hardly warns when it is alone: a wrong sentence that is well made is said with assurance. So signals are
added up (a logistic regression). Their weights were fitted by `benchmarks/doubts.py` on the sample show said by other voices and
damaged; it also says how much each one brings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from pipeline.files import read_json, write_json
from pipeline.glossary import NO_TERMS, corrected, near, plain_parts
from pipeline.model import Glossary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHOWN = 0.2  # of the audio, at most: an hour's episode must not ask for an hour
LEAST_SCORE = 0.15  # a passage that is probably right to six words in seven is not worth a person's ear
_PAUSE_S = 0.6  # parts passages
_LONGEST_S, _SHORTEST_S = 5.0, 1.5  # of a passage: longer ones caught fewer wrong words in the same time, shorter ones no more
_SENTENCE_END = (".", "!", "?", "…")
_CLOSING = ' »”")]\u00a0\u202f'
_UNDER_SPEECH_DB = 20.0  # a word this much weaker than the episode's words is said by nobody
_OUT_OF_TIME = math.log(2.5)  # a letter two and a half times as long or as short as the episode's
_SAID_AGAIN = 3  # words in a row
_NEAR_TERM = 1.0  # on the score's own scale; the sample show has too few names to fit it
_TELLING = 0.5  # what a signal must add beyond its usual to be given as a reason


@dataclass(frozen=True)
class Signals:
    """What is odd about a passage; 0 is nothing, and 1 a great deal."""

    weakest: float  # improbability of its least probable word
    weak: float  # of its words, on average
    quartile: float  # of the word at the lower quarter
    segment: float  # minus the mean log probability of the recogniser's segment
    no_speech: float  # the recogniser's own belief that nobody speaks
    repetition: float  # share of its words in three that were said before
    rate: float  # letters a second against the episode's own, as a logarithm
    out_of_time: float  # share of words too long or too short for their letters
    no_voice: float  # share of its words said where it is silent


@dataclass(frozen=True)
class Passage:
    """Some words in a row: `words` are those of `words.json`, `segments` the figures of the segment each is in."""

    words: tuple[Mapping[str, Any], ...]
    segments: tuple[Mapping[str, Any], ...]

    @property
    def start_s(self) -> float:
        """When its first word begins."""
        return self.words[0]["start_s"]

    @property
    def end_s(self) -> float:
        """When its last word ends."""
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


def doubts(words: Path, levels: Path, *, doubts: Path, glossary: Glossary = NO_TERMS) -> None:
    """Write to `doubts` what to listen to first; `levels` are the master's profiles. See docs/formats.md."""
    from pipeline.audio.profile import load

    write_json(doubts, doubts_value(read_json(words), load(levels, "master").levels_db, glossary))


def doubts_value(heard: dict[str, Any], levels_db: NDArray[np.float32] | None, glossary: Glossary = NO_TERMS) -> dict[str, Any]:
    """The doubts about `heard`, the content of `words.json`, as JSON values: the worst passage first.

    `levels_db` are the levels of the master, 20 a second; without them nothing is said of words where nobody speaks.
    """
    fair, corrections = corrected(heard, glossary)
    found = passages(fair)
    ranked = []
    for passage, signals in zip(found, signals_of(found, levels_db), strict=True):
        terms = near(passage.words, glossary)
        score = chance_wrong(signals, _NEAR_TERM * bool(terms))
        ranked.append((score, passage, [*reasons(signals), *(["glossary"] if terms else [])]))
    ranked.sort(key=lambda each: (-each[0], each[1].start_s))
    shown, total_s = [], 0.0
    for score, passage, why in ranked:
        total_s += passage.end_s - passage.start_s
        if score < LEAST_SCORE or total_s > SHOWN * heard["duration_s"]:
            break
        shown.append(_value(passage, score, why))
    return {
        "version": 1,
        "duration_s": heard["duration_s"],
        "doubtful_s": round(sum(each["end_s"] - each["start_s"] for each in shown), 3),
        "passages": shown,
        "corrections": [each.to_value() for each in corrections],
    }


def summary(value: Mapping[str, Any], language: str) -> str:
    """The content of `doubts.json` in a few words: « 9 passages, 2 min 10 sur 8 min 06 »."""
    count, link = len(value["passages"]), "sur" if language.startswith("fr") else "of"
    return f"{count} passage{'s' if count > 1 else ''}, {_minutes(value['doubtful_s'])} {link} {_minutes(value['duration_s'])}"


def passages(heard: Mapping[str, Any]) -> list[Passage]:
    """The words of `words.json` in passages of a sentence or so: cut at full stops, pauses, and where they grow too long."""
    pairs = [(word, segment) for segment in heard["segments"] for word in segment["words"]]
    groups: list[list[tuple[Any, Any]]] = []
    for pair in pairs:
        if not groups or _parted(groups[-1], pair[0]):
            groups.append([])
        groups[-1].append(pair)
    return [Passage(tuple(word for word, _ in group), tuple(segment for _, segment in group)) for group in groups]


def signals_of(found: Sequence[Passage], levels_db: NDArray[np.float32] | None) -> list[Signals]:
    """The signals of each passage of an episode, measured against the episode itself."""
    letters_s = [median(map(_letter_s, passage.words)) for passage in found]
    usual_s = median(letters_s) if letters_s else 0.07
    speech_db = _speech_db(found, levels_db)
    said: set[tuple[str, ...]] = set()
    return [
        _signals(passage, _again(passage, said), letter_s / usual_s, usual_s, _silent(passage, levels_db, speech_db))
        for passage, letter_s in zip(found, letters_s, strict=True)
    ]


def chance_wrong(signals: Signals, more: float = 0.0) -> float:
    """The share of a passage's words that is probably wrong, 0 to 1; `more` is added before the logistic function."""
    total = _BIAS + more + sum(weight * getattr(signals, name) for name, (weight, _, _) in WEIGHTS.items())
    return 1 / (1 + math.exp(-total))


def reasons(signals: Signals) -> list[str]:
    """What makes the passage doubtful, the most telling first."""
    told: dict[str, float] = {}
    for name, (weight, usual, reason) in WEIGHTS.items():
        told[reason] = told.get(reason, 0.0) + weight * (getattr(signals, name) - usual)
    return sorted((reason for reason, amount in told.items() if amount > _TELLING), key=lambda reason: -told[reason])


def _parted(group: Sequence[tuple[Any, Any]], word: Mapping[str, Any]) -> bool:
    """Whether a new passage begins with this word."""
    last, length_s = group[-1][0], group[-1][0]["end_s"] - group[0][0]["start_s"]
    if word["end_s"] - group[0][0]["start_s"] > _LONGEST_S:
        return True
    ended = last["text"].rstrip(_CLOSING).endswith(_SENTENCE_END)
    return word["start_s"] - last["end_s"] > _PAUSE_S or (ended and length_s >= _SHORTEST_S)


def _signals(passage: Passage, again: float, pace: float, usual_s: float, silent: float) -> Signals:
    doubt = sorted((1 - word["probability"] for word in passage.words), reverse=True)
    lengths = [abs(math.log(_letter_s(word) / usual_s)) for word in passage.words]
    return Signals(
        weakest=doubt[0],
        weak=fmean(doubt),
        quartile=doubt[len(doubt) // 4],
        segment=min(1.0, fmean(-segment["average_log_probability"] for segment in passage.segments)),
        no_speech=fmean(segment["no_speech_probability"] for segment in passage.segments),
        repetition=again,
        rate=min(1.0, abs(math.log(pace))),
        out_of_time=fmean(length > _OUT_OF_TIME for length in lengths),
        no_voice=silent,
    )


def _letter_s(word: Mapping[str, Any]) -> float:
    """How long a letter of a word lasts; words have a pause's worth of an extra letter, and are never without length."""
    return max(0.01, word["end_s"] - word["start_s"]) / (1 + sum(char.isalnum() for char in word["text"]))


def _again(passage: Passage, said: set[tuple[str, ...]]) -> float:
    """The share of runs of words that were said before; those of the passage are added to what was said."""
    parts = plain_parts([word["text"] for word in passage.words])
    runs = [tuple(parts[i : i + _SAID_AGAIN]) for i in range(len(parts) - _SAID_AGAIN + 1)]
    again = 0
    for run in runs:
        again += run in said
        said.add(run)
    return again / len(runs) if runs else 0.0


def _speech_db(found: Sequence[Passage], levels_db: NDArray[np.float32] | None) -> float:
    """How loud the episode's words are."""
    if levels_db is None:
        return 0.0
    levels = [_level_db(word, levels_db) for passage in found for word in passage.words]
    return median(levels) if levels else 0.0


def _silent(passage: Passage, levels_db: NDArray[np.float32] | None, speech_db: float) -> float:
    """The share of words said where there is nothing to hear."""
    if levels_db is None:
        return 0.0
    return fmean(_level_db(word, levels_db) < speech_db - _UNDER_SPEECH_DB for word in passage.words)


def _level_db(word: Mapping[str, Any], levels_db: NDArray[np.float32]) -> float:
    """The highest level while it is said."""
    first = min(int(word["start_s"] * 20), len(levels_db) - 1)
    return float(levels_db[first : max(first + 1, int(word["end_s"] * 20) + 1)].max(initial=-120.0))


def _value(passage: Passage, score: float, why: list[str]) -> dict[str, Any]:
    return {
        "start_s": round(passage.start_s, 3),
        "end_s": round(passage.end_s, 3),
        "text": " ".join(word["text"] for word in passage.words),
        "score": round(score, 3),
        "reasons": why,
    }


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02}"


SIGNALS = tuple(field.name for field in fields(Signals))
