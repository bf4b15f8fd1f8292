"""Rank sentences worth replaying, by topic words, clusters of them, and words of argument.

Sources: Luhn, "The Automatic Creation of Literature Abstracts" (1958), for clusters; Carbonell and Goldstein, "The Use of MMR"
(1998), for variety. No method is good enough to print unread: the result is a ranked list for a person to choose from.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from pipeline.guide.labels import known, templates
from pipeline.guide.quotes import CLIP_MAX_S, Passage, tokens

QUOTAS = {"recit": 3, "archive": 2, "usagers": 2, "fiction": 2}
WORDS_MIN, WORDS_MAX = 8, 48
CLAIM_WORDS = (6, 24)  # words a group can remember while it takes sides: (min, max)
FICTION_MIN_S = 20.0  # a scene needs its situation, not a single line
_LUHN_GAP = 4  # insignificant words allowed inside a cluster
_REPEATS = 0.6  # weight of the similarity to sentences already chosen (1 - lambda in MMR)


@dataclass(frozen=True)
class Elsewhere:
    """Word statistics of the other episodes, against which this episode's own topics stand out."""

    episodes: int = 0
    heard: Mapping[str, int] = field(default_factory=dict)  # stem -> number of episodes that contain it
    lines: frozenset[tuple[str, ...]] = frozenset()  # sentences, as `tokens`


@dataclass(frozen=True)
class Topic:
    """What an episode is about, and what all episodes of the show have in common."""

    language: str
    about: str = ""  # title and summary
    series: str = ""  # title of the show
    names: tuple[str, ...] = ()  # people and voices
    elsewhere: Elsewhere = Elsewhere()


@dataclass(frozen=True)
class Candidate:
    """An excerpt, its score, and its distinct significant stems."""

    passage: Passage
    score: float
    stems: frozenset[str]

    @property
    def kind(self) -> str:
        """The kind of its voice, a key of `QUOTA_BY_KIND`."""
        return kind(self.passage.turn.voice.role)


def kind(role: str) -> str:
    """Return the kind of voice for a role as the show names it; an unknown role is an interviewee (`usagers`)."""
    plain = unicodedata.normalize("NFKD", role.casefold()).encode("ascii", "ignore").decode()
    if plain in ("", "recit", "narration", "narrator", "story"):
        return "recit"
    return "fiction" if plain.startswith(("fiction", "drama")) else "archive" if plain.startswith("archive") else "usagers"


def elsewhere(others: Iterable[tuple[Passage, ...]], language: str) -> Elsewhere:
    """Build the background from other episodes, each given as its sentences."""
    stems, others = _stemmer(language), list(others)
    heard = Counter(stem for sentences in others for stem in {stem for one in sentences for stem in stems(one.text)})
    lines = frozenset(tuple(tokens(one.text)) for sentences in others for one in sentences)
    return Elsewhere(len(others), heard, lines)


def claims(one: Passage, language: str) -> bool:
    """Whether it is a claim to agree or disagree with: it says how things are or should be, and needs no context."""
    words, said = templates(language)["words"], tokens(one.text)
    spaced = f" {' '.join(said)} "
    if not CLAIM_WORDS[0] <= len(one.text.split()) <= CLAIM_WORDS[1] or one.text.rstrip(" »”").endswith("?"):
        return False
    for phrase in words["impersonal"]:
        spaced = spaced.replace(f" {' '.join(tokens(phrase))} ", " · ")
    leans = spaced.split()[0] in {*words["openings"], *words["links"]} - {"on"} or says(spaced, words["pronouns"])
    names = any(word[:1].isupper() or word[:1].isdigit() for word in re.findall(r"\w+", one.text)[1:] if word not in ("I", "Moi"))
    return says(one.text, words["claims"]) > 0 and not leans and not names


def says(text: str, phrases: Iterable[str]) -> int:
    """Count the phrases that occur in a text as whole words."""
    said = f" {' '.join(tokens(text))} "
    return sum(f" {' '.join(tokens(phrase))} " in said for phrase in phrases)


def rank(every: tuple[Passage, ...], topic: Topic) -> tuple[Candidate, ...]:
    """Return the sentences outside fiction and the scenes of fiction, best first, without boilerplate."""
    said = Counter(tuple(tokens(one.text)) for one in every)
    kept = [one for one in every if tokens(one.text) and not _boilerplate(one, said, topic)]
    stems = _stemmer(topic.language)
    weight = _weights([stems(one.text) for one in kept], topic)
    plain = [_scored(one, weight, topic) for one in kept if kind(one.turn.voice.role) != "fiction"]
    scenes = [_scored(one, weight, topic) for one in scenes_of(tuple(kept))]
    return tuple(sorted([*plain, *scenes], key=lambda one: (-one.score, one.passage.first)))


def choose(ranked: Iterable[Candidate], count: int, quotas: dict[str, int], before: tuple[Candidate, ...] = ()) -> tuple[Candidate, ...]:
    """Choose up to `count` candidates within the quota of each kind, each unlike those in `already_chosen` and the others (MMR)."""
    chosen = list(before)
    left = [one for one in ranked if not any(_overlap(one, other) for other in before)]
    while left and len(chosen) < len(before) + count:
        full = {kind for kind, quota in quotas.items() if sum(one.kind == kind for one in chosen[len(before) :]) >= quota}
        left = [one for one in left if one.kind not in full and not (len(chosen) > len(before) and _overlap(one, chosen[-1]))]
        if left:
            chosen.append(max(left, key=lambda one: (_novel(one, chosen), -one.passage.first)))
            left.remove(chosen[-1])
    return tuple(chosen[len(before) :])


def scenes_of(every: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """Return scenes of fiction of at most `CLIP_MAX_S`, each from the start of a turn; a short one only if it is the first."""
    found: list[Passage] = []
    for i, first in enumerate(every):
        if kind(first.turn.voice.role) != "fiction" or (i and every[i - 1].turn is first.turn):
            continue
        scene = first
        for other in every[i + 1 :]:
            wider = Passage((*scene.spoken, *other.spoken), first.first)
            if other.first != scene.last or kind(other.turn.voice.role) != "fiction" or wider.duration_s > CLIP_MAX_S:
                break
            scene = wider
        if scene.duration_s >= FICTION_MIN_S or not found:
            found.append(scene)
    return tuple(found)


def _scored(one: Passage, weight: dict[str, float], topic: Topic) -> Candidate:
    stems = _stemmer(topic.language)(one.text)
    words = templates(topic.language)["words"]
    cues = 0.8 * min(says(one.text, words["cues"]), 2)
    score = sum(weight.get(stem, 0.0) for stem in dict.fromkeys(stems)) / math.sqrt(8 + len(stems)) + 0.3 * _luhn(stems, weight) + cues
    score *= 0.4 if says(one.text, words["greetings"]) else 1.0
    score *= 0.5 if says(one.text, words["scenery"]) else 1.0
    score *= 1.5 if claims(one, topic.language) else 1.0
    score *= 0.7 if says(one.text, filter(tokens, topic.names)) else 1.0
    score *= 0.7 if tokens(one.text)[0] in words["openings"] else 1.0
    long_scene = kind(one.turn.voice.role) == "fiction"
    score *= 0.5 if not long_scene and not WORDS_MIN <= len(one.text.split()) <= WORDS_MAX else 1.0
    return Candidate(one, score * (0.6 if one.text.rstrip(" »”").endswith("?") else 1.0), frozenset(stems) & weight.keys())


def _weights(texts: list[list[str]], topic: Topic) -> dict[str, float]:
    """Return each significant stem's weight: the square root of its count, doubled if in title or summary, times its idf."""
    stems = _stemmer(topic.language)
    ignored = _stop_stems(topic.language) | set(stems(topic.series))
    about = set(stems(topic.about))
    counts = Counter(stem for text in texts for stem in text if stem not in ignored and not stem.isdigit())
    return {stem: math.sqrt(count) * (2 if stem in about else 1) * _idf(stem, topic.elsewhere) for stem, count in counts.items()}


def _idf(stem: str, others: Elsewhere) -> float:
    """Return a stem's inverse document frequency: 1 when no other episode has it, near 0 when all do (Spärck Jones, 1972)."""
    episodes = others.episodes + 1
    return math.log((1 + episodes) / (1 + others.heard.get(stem, 0))) / math.log(1 + episodes)


def _luhn(stems: list[str], weight: dict[str, float]) -> float:
    """Return the score of the best cluster: its significant words squared, over its length."""
    places = [i for i, stem in enumerate(stems) if weight.get(stem, 0.0) > 1.0]
    best, start = 0.0, 0
    for i in range(len(places)):
        if i and places[i] - places[i - 1] > _LUHN_GAP:
            start = i
        best = max(best, (i - start + 1) ** 2 / (places[i] - places[start] + 1))
    return best


def _boilerplate(one: Passage, said: Counter[tuple[str, ...]], topic: Topic) -> bool:
    """Whether it names the show, or occurs twice, here or in another episode: a jingle."""
    words, title = tokens(one.text), tokens(topic.series)
    named = bool(title and f" {' '.join(title)} " in f" {' '.join(words)} ")
    return named or said[tuple(words)] > 1 or tuple(words) in topic.elsewhere.lines


def _novel(one: Candidate, chosen: list[Candidate]) -> float:
    alike = max((_likeness(one.stems, other.stems) for other in chosen), default=0.0)
    return one.score * (1 - _REPEATS * alike)


def _likeness(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / math.sqrt(len(a) * len(b)) if a and b else 0.0


def _overlap(a: Candidate, b: Candidate) -> bool:
    return a.passage.first < b.passage.last and b.passage.first < a.passage.last


@cache
def _stemmer(language: str) -> Callable[[str], list[str]]:
    """Return a function from a text to its stems, in order."""
    import snowballstemmer

    stemmer = snowballstemmer.stemmer(templates(language)["words"]["stemmer"])
    return lambda text: stemmer.stemWords(tokens(text))


@cache
def _stop_stems(language: str) -> frozenset[str]:
    from stop_words import get_stop_words

    words = [*get_stop_words(known(language)), *templates(language)["words"]["clitics"]]
    return frozenset(stem for word in words for stem in _stemmer(language)(word))
