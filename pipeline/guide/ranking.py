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

from pipeline.guide.labels import question_templates, supported_language
from pipeline.guide.quotes import CLIP_MAX_S, Excerpt, tokens
from pipeline.model import Voice

QUOTA_BY_KIND = {"recit": 3, "archive": 2, "usagers": 2, "fiction": 2}
WORDS_MIN, WORDS_MAX = 8, 48
CLAIM_WORDS_RANGE = (6, 24)  # words a group can remember while it takes sides: (min, max)
FICTION_CLIP_MIN_S = 20.0  # a scene needs its situation, not a single line
_CUE_WEIGHT = 0.8  # of a word of argument or of a turning point
_FIGURE_WEIGHT = 1.0  # of a share or a measure: what a team remembers and doubts
_LUHN_GAP_MAX = 4  # insignificant words allowed inside a cluster
_REDUNDANCY_PENALTY = 0.6  # weight of the similarity to sentences already chosen (1 - lambda in MMR)


@dataclass(frozen=True)
class Background:
    """Word statistics of the other episodes, against which this episode's own topics stand out."""

    episodes: int = 0
    document_frequency: Mapping[str, int] = field(default_factory=dict)  # stem -> number of episodes that contain it
    sentences: frozenset[tuple[str, ...]] = frozenset()  # sentences, as `tokens`


@dataclass(frozen=True)
class Topic:
    """What an episode is about, and what all episodes of the show have in common."""

    language: str
    description: str = ""  # title and summary
    series: str = ""  # title of the show
    names: tuple[str, ...] = ()  # people and voices
    background: Background = Background()


@dataclass(frozen=True)
class Candidate:
    """An excerpt, its score, and its distinct significant stems."""

    passage: Excerpt
    score: float
    stems: frozenset[str]

    @property
    def kind(self) -> str:
        """The kind of its voice, a key of `QUOTA_BY_KIND`."""
        return voice_kind(self.passage.turn.voice)


def voice_kind(voice: Voice) -> str:
    """Return the kind of a voice by its role as the show names it; an unknown role, or a name without one, is a guest (`usagers`)."""
    role = voice.role or voice.name
    plain = unicodedata.normalize("NFKD", role.casefold()).encode("ascii", "ignore").decode()
    if plain in ("", "recit", "narration", "narrator", "story"):
        return "recit"
    return "fiction" if plain.startswith(("fiction", "drama")) else "archive" if plain.startswith("archive") else "usagers"


def build_background(others: Iterable[tuple[Excerpt, ...]], language: str) -> Background:
    """Build the background from other episodes, each given as its sentences."""
    stems, others = _stemmer(language), list(others)
    document_frequency = Counter(stem for sentences in others for stem in {stem for one in sentences for stem in stems(one.text)})
    lines = frozenset(tuple(tokens(one.text)) for sentences in others for one in sentences)
    return Background(len(others), document_frequency, lines)


def is_claim(excerpt: Excerpt, language: str) -> bool:
    """Whether it is a claim to agree or disagree with: it says how things are or should be, and needs no context."""
    words, text_tokens = question_templates(language)["words"], tokens(excerpt.text)
    spaced = f" {' '.join(text_tokens)} "
    if not CLAIM_WORDS_RANGE[0] <= len(excerpt.text.split()) <= CLAIM_WORDS_RANGE[1] or excerpt.text.rstrip(" »”").endswith("?"):
        return False
    for phrase in words["impersonal"]:
        spaced = spaced.replace(f" {' '.join(tokens(phrase))} ", " · ")
    needs_context = spaced.split()[0] in {*words["openings"], *words["links"]} - {"on"} or count_phrases(spaced, words["pronouns"])
    has_proper_noun = any(
        word[:1].isupper() or word[:1].isdigit() for word in re.findall(r"\w+", excerpt.text)[1:] if word not in ("I", "Moi")
    )
    is_memory = text_tokens[0] in words["persons"] and not count_phrases(excerpt.text, words["opinions"])
    is_polite = count_phrases(excerpt.text, words["greetings"]) > 0
    is_for_nobody_else = needs_context or has_proper_noun or is_memory or is_polite
    return count_phrases(excerpt.text, words["claims"]) > 0 and not is_for_nobody_else


def count_phrases(text: str, phrases: Iterable[str]) -> int:
    """Count the phrases that occur in a text as whole words."""
    spaced = f" {' '.join(tokens(text))} "
    return sum(f" {' '.join(tokens(phrase))} " in spaced for phrase in phrases)


def rank(all_sentences: tuple[Excerpt, ...], topic: Topic) -> tuple[Candidate, ...]:
    """Return the sentences outside fiction and the scenes of fiction, best first, without boilerplate."""
    counts = Counter(tuple(tokens(one.text)) for one in all_sentences)
    kept_sentences = [one for one in all_sentences if tokens(one.text) and not _is_boilerplate(one, counts, topic)]
    stems = _stemmer(topic.language)
    weight = _stem_weights([stems(one.text) for one in kept_sentences], topic)
    plain = [_score(one, weight, topic) for one in kept_sentences if voice_kind(one.turn.voice) != "fiction"]
    scenes = [_score(one, weight, topic) for one in fiction_scenes(tuple(kept_sentences))]
    return tuple(sorted([*plain, *scenes], key=lambda one: (-one.score, one.passage.start_index)))


def choose(
    ranked: Iterable[Candidate], count: int, quotas: dict[str, int], already_chosen: tuple[Candidate, ...] = ()
) -> tuple[Candidate, ...]:
    """Choose up to `count` candidates within the quota of each kind, each unlike those in `already_chosen` and the others (MMR)."""
    chosen = list(already_chosen)
    remaining = [one for one in ranked if not any(_overlap(one, other) for other in already_chosen)]
    while remaining and len(chosen) < len(already_chosen) + count:
        full = {kind for kind, quota in quotas.items() if sum(one.kind == kind for one in chosen[len(already_chosen) :]) >= quota}
        remaining = [
            one for one in remaining if one.kind not in full and not (len(chosen) > len(already_chosen) and _overlap(one, chosen[-1]))
        ]
        if remaining:
            chosen.append(max(remaining, key=lambda one: (_mmr_score(one, chosen), -one.passage.start_index)))
            remaining.remove(chosen[-1])
    return tuple(chosen[len(already_chosen) :])


def fiction_scenes(all_sentences: tuple[Excerpt, ...]) -> tuple[Excerpt, ...]:
    """Return scenes of fiction of at most `CLIP_MAX_S`, each from the start of a turn; a short one only if it is the first."""
    found: list[Excerpt] = []
    for i, first in enumerate(all_sentences):
        if voice_kind(first.turn.voice) != "fiction" or (i and all_sentences[i - 1].turn is first.turn):
            continue
        scene = first
        for other in all_sentences[i + 1 :]:
            wider = Excerpt((*scene.words, *other.words), first.start_index)
            if other.start_index != scene.end_index or voice_kind(other.turn.voice) != "fiction" or wider.duration_s > CLIP_MAX_S:
                break
            scene = wider
        if scene.duration_s >= FICTION_CLIP_MIN_S or not found:
            found.append(scene)
    return tuple(found)


def _score(excerpt: Excerpt, weight: dict[str, float], topic: Topic) -> Candidate:
    stems = _stemmer(topic.language)(excerpt.text)
    words = question_templates(topic.language)["words"]
    cues = _CUE_WEIGHT * min(count_phrases(excerpt.text, words["cues"]), 2)
    cues += _CUE_WEIGHT * min(count_phrases(excerpt.text, words["turns"]), 2)
    cues += _FIGURE_WEIGHT * _count_figures(excerpt.text, words["figures"])
    score = (
        sum(weight.get(stem, 0.0) for stem in dict.fromkeys(stems)) / math.sqrt(8 + len(stems)) + 0.3 * _luhn_score(stems, weight) + cues
    )
    score *= 0.4 if count_phrases(excerpt.text, words["greetings"]) else 1.0
    score *= 0.5 if count_phrases(excerpt.text, words["scenery"]) else 1.0
    score *= 1.5 if is_claim(excerpt, topic.language) else 1.0
    score *= 0.7 if count_phrases(excerpt.text, filter(tokens, topic.names)) else 1.0
    score *= 0.7 if tokens(excerpt.text)[0] in words["openings"] else 1.0
    is_fiction = voice_kind(excerpt.turn.voice) == "fiction"
    score *= 0.5 if not is_fiction and not WORDS_MIN <= len(excerpt.text.split()) <= WORDS_MAX else 1.0
    return Candidate(excerpt, score * (0.6 if excerpt.text.rstrip(" »”").endswith("?") else 1.0), frozenset(stems) & weight.keys())


def _count_figures(text: str, phrases: Iterable[str]) -> int:
    """Count the figures that compare, at most two: « 60 % … 21 % ». A year or a number of a street is none."""
    measured = len(re.findall(r"\d[\d .,\u00a0\u202f]*%", text))
    return min(measured + count_phrases(text, (phrase for phrase in phrases if tokens(phrase))), 2)


def _stem_weights(texts: list[list[str]], topic: Topic) -> dict[str, float]:
    """Return each significant stem's weight: the square root of its count, doubled if in title or summary, times its idf."""
    stems = _stemmer(topic.language)
    ignored = _stop_stems(topic.language) | set(stems(topic.series))
    about = set(stems(topic.description))
    counts = Counter(stem for text in texts for stem in text if stem not in ignored and not stem.isdigit())
    return {
        stem: math.sqrt(count) * (2 if stem in about else 1) * _inverse_document_frequency(stem, topic.background)
        for stem, count in counts.items()
    }


def _inverse_document_frequency(stem: str, others: Background) -> float:
    """Return a stem's inverse document frequency: 1 when no other episode has it, near 0 when all do (Spärck Jones, 1972)."""
    episodes = others.episodes + 1
    return math.log((1 + episodes) / (1 + others.document_frequency.get(stem, 0))) / math.log(1 + episodes)


def _luhn_score(stems: list[str], weight: dict[str, float]) -> float:
    """Return the score of the best cluster: its significant words squared, over its length."""
    positions = [i for i, stem in enumerate(stems) if weight.get(stem, 0.0) > 1.0]
    best, start = 0.0, 0
    for i in range(len(positions)):
        if i and positions[i] - positions[i - 1] > _LUHN_GAP_MAX:
            start = i
        best = max(best, (i - start + 1) ** 2 / (positions[i] - positions[start] + 1))
    return best


def _is_boilerplate(excerpt: Excerpt, counts: Counter[tuple[str, ...]], topic: Topic) -> bool:
    """Whether it names the show, or occurs twice, here or in another episode: a jingle."""
    words, title = tokens(excerpt.text), tokens(topic.series)
    names_show = bool(title and f" {' '.join(title)} " in f" {' '.join(words)} ")
    return names_show or counts[tuple(words)] > 1 or tuple(words) in topic.background.sentences


def _mmr_score(one: Candidate, chosen: list[Candidate]) -> float:
    redundancy = max((_cosine_similarity(one.stems, other.stems) for other in chosen), default=0.0)
    return one.score * (1 - _REDUNDANCY_PENALTY * redundancy)


def _cosine_similarity(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / math.sqrt(len(a) * len(b)) if a and b else 0.0


def _overlap(a: Candidate, b: Candidate) -> bool:
    return a.passage.start_index < b.passage.end_index and b.passage.start_index < a.passage.end_index


@cache
def _stemmer(language: str) -> Callable[[str], list[str]]:
    """Return a function from a text to its stems, in order."""
    import snowballstemmer

    stemmer = snowballstemmer.stemmer(question_templates(language)["words"]["stemmer"])
    return lambda text: stemmer.stemWords(tokens(text))


@cache
def _stop_stems(language: str) -> frozenset[str]:
    from stop_words import get_stop_words

    words = [*get_stop_words(supported_language(language)), *question_templates(language)["words"]["clitics"]]
    return frozenset(stem for word in words for stem in _stemmer(language)(word))
