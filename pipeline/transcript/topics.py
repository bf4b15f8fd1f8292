"""Where the topic of a long passage changes, and what a passage is about, in its own words. Pure; a proposal for a person to correct.

A change is looked for where the words before and after have little in common (Hearst, "TextTiling", 1997), after music, after a silence,
where a voice begins, and where somebody else asks a question. A title is the question that opens a passage, or the phrase that the
passage repeats and the rest of the episode does not.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise

from pipeline.model import SENTENCE_END, TimedTranscript, fold_words

_WINDOW_WORDS = 120  # compared on each side of a sentence: about two minutes, without stop words
_BIN_S = 20.0  # of which only the best boundary is considered
_MUSIC_S = 3.0  # a sound that lasts as long separates passages
_LONG_ANSWER_WORDS = 40  # a question after it may change the topic
_SILENCES_S = ((4.0, 1.0), (2.0, 0.5))  # a pause as long: what it adds to the score of a boundary
_MUSIC_SCORE, _VOICE_SCORE, _NARRATOR_SCORE, _QUESTION_SCORE = 1.5, 0.2, 0.2, 0.5
_UNEVEN_COST = 1.5  # of a passage twice as long as the mean, or of no length
_STEM_LETTERS = 6  # of which words of one family have the first in common, in the languages of Europe
_MAX_CONTENT_WORDS, _MAX_PHRASE_WORDS = 3, 6
_QUESTION_WITHIN_S = 45.0  # of the start of a passage, for its title
_MIN_QUESTION_WORDS = 4
_TOKEN = re.compile(r"\w+[’']|[\w-]*\w")
_LINKS = frozenset("de d’ du des la le les l’ à au aux en of the and for in del los las el der die das den dem von".split())
_ARTICLES_OF = {"fr": "le la les l’ un une", "en": "the a an", "es": "el la los las un una", "de": "der die das ein eine"}
_TIMES = frozenset(
    """heure heures an ans année années jour jours journée soir matin nuit semaine mois minute minutes seconde secondes moment
    hour hours year years day days evening morning night week weeks month months minute minutes time""".split()
)
_ARTICLES = frozenset("le la les l’ un une the a an el los las der die das ein eine".split())
_FILLER_WORDS = """
    alors donc voilà quoi oui non bien fait faire dit dire peu aussi comme ça cela quand même très toujours encore vraiment juste chose
    choses coup fois gens vais vient va aller veut peut faut trouve crois pense sais voir mettre premier première deux trois quatre cinq
    six dix bonjour merci right yes well just really like know think thing things going yeah okay people lot kind much
"""
_FILLERS = frozenset(_FILLER_WORDS.split())


@dataclass(frozen=True)
class _Sentence:
    """A sentence of one turn that has a time."""

    start_s: float
    texts: tuple[str, ...]  # its words, as printed
    is_question: bool
    boundary_score: float  # for a passage that begins here, apart from its words


def topic_starts(transcript: TimedTranscript, first_s: float, last_s: float, count: int, min_s: float) -> tuple[float, ...]:
    """The starts (s) of the best division of a passage into at most `count` topics, the passage's own start left out.

    Each topic lasts at least `min_s` seconds.
    """
    sentences = [each for each in _sentences(transcript) if first_s <= each.start_s < last_s]
    scores = [each.boundary_score + change for each, change in zip(sentences, _topic_changes(sentences, transcript.language), strict=True)]
    best_of_bin: dict[int, tuple[float, float]] = {}
    for each, score in zip(sentences, scores, strict=True):
        if first_s + min_s <= each.start_s <= last_s - min_s:
            place = int(each.start_s / _BIN_S)
            best_of_bin[place] = max(best_of_bin.get(place, (-math.inf, 0.0)), (score, each.start_s))
    places = sorted((start_s, score) for score, start_s in best_of_bin.values())
    return _best_division([(first_s, 0.0), *places, (last_s, 0.0)], count, min_s)


def characteristic_phrases(transcript: TimedTranscript) -> list[str]:
    """The things that an episode comes back to, with their article, the most characteristic first: « une chaise près du radiateur »."""
    articles = _ARTICLES_OF.get(transcript.language[:2], "").split()
    names = {_stem(token) for turn in transcript.turns for token in _TOKEN.findall(turn.voice.name)}
    found: dict[tuple[str, ...], str] = {}
    for phrase in Titles(transcript, [0.0]).phrases(0):
        article, *content = _TOKEN.findall(phrase)
        stems = tuple(_stem(token) for token in content if _is_content(token, transcript.language))
        is_name = any(token[0].isupper() for token in content) or {*stems} & names
        is_thing = article.lower() in articles and stems and not is_name and not {token.lower() for token in content} & _TIMES
        if is_thing and not any({*stems} & {*other} for other in found):
            found[stems] = phrase
    return [*found.values()]


class Titles:
    """Titles for the passages of an episode, each from its own words, none twice."""

    def __init__(self, transcript: TimedTranscript, starts_s: Sequence[float], used: Sequence[str] = ()) -> None:
        """`starts_s` are the starts of all passages, in order; `used` are titles that others have."""
        self._language = transcript.language
        self._used = {title.casefold() for title in used}
        bounds = [*starts_s, math.inf]
        sentences = [*_sentences(transcript)]
        self._passages = [[each for each in sentences if first <= each.start_s < last] for first, last in pairwise(bounds)]
        self._stems = [Counter(_stems(passage, self._language)) for passage in self._passages]
        self._frequency = Counter(stem for stems in self._stems for stem in stems)

    def title(self, index: int, max_chars: int) -> str:
        """A title for a passage of at most `max_chars` characters; empty when its words give none."""
        for title in (*self._opening_questions(index), *self.phrases(index)):
            if len(title) <= max_chars and title.casefold() not in self._used:
                self._used.add(title.casefold())
                return title[0].upper() + title[1:]
        return ""

    def _opening_questions(self, index: int) -> Iterator[str]:
        """The questions near the start of a passage."""
        passage = self._passages[index]
        for each in passage:
            if each.start_s - passage[0].start_s <= _QUESTION_WITHIN_S and each.is_question and len(each.texts) >= _MIN_QUESTION_WORDS:
                yield " ".join(each.texts).strip('«»“”"- \u00a0\u202f')

    def phrases(self, index: int) -> list[str]:
        """The phrases of a passage, the most characteristic first."""
        found: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for each in self._passages[index]:
            for phrase, article in _phrases(each.texts, self._language):
                found.setdefault(tuple(fold_words(phrase)), []).append((*article, *phrase))
        scored = sorted(found.items(), key=lambda item: (-self._phrase_score(index, item[1]), item[0]))
        return [_join(Counter(forms).most_common(1)[0][0]) for _, forms in scored if len(forms) > 1]

    def _phrase_score(self, index: int, forms: list[tuple[str, ...]]) -> float:
        """How often a phrase occurs, times how much more its words belong to this passage than to others; longer phrases say more."""
        stems = [stem for stem in map(_stem, forms[0]) if stem in self._stems[index]]
        if not stems:
            return 0.0
        weights = [self._stem_weight(index, stem) for stem in stems]
        return len(forms) * (sum(weights) / len(weights)) * (1 + 0.5 * min(len(stems) - 1, 2))

    def _stem_weight(self, index: int, stem: str) -> float:
        """How much of a stem is in this passage, times how few passages have it."""
        share = self._stems[index][stem] / sum(stems[stem] for stems in self._stems)
        return share * math.log(1 + len(self._passages) / self._frequency[stem])


def _sentences(transcript: TimedTranscript) -> Iterator[_Sentence]:
    """The sentences whose first word has a time, with what precedes them."""
    previous_end_s, previous_name, words_before, music_s = 0.0, "", 0, 0.0
    for turn in transcript.turns:
        is_question_turn = any("?" in word.text for word in turn.words)
        texts: list[str] = []
        start_s: float | None = None
        score, opens_turn, spoken = 0.0, True, 0
        for word in turn.words:
            if word.is_sound:
                music_s = max(music_s, (word.end_s or 0.0) - (word.start_s or 0.0))
                continue
            if not texts:
                start_s = word.start_s
                pause_s = (start_s or previous_end_s) - previous_end_s
                score = next((points for least_s, points in _SILENCES_S if pause_s >= least_s), 0.0)
                score += _MUSIC_SCORE * (music_s >= _MUSIC_S)
                if opens_turn and turn.voice.name != previous_name:
                    score += _VOICE_SCORE + _NARRATOR_SCORE * (not turn.voice.name)
                    score += _QUESTION_SCORE * (is_question_turn and words_before >= _LONG_ANSWER_WORDS)
            texts.append(word.text)
            previous_end_s, music_s, spoken = word.end_s or previous_end_s, 0.0, spoken + 1
            if SENTENCE_END.search(word.text):
                if start_s is not None:
                    yield _Sentence(start_s, tuple(texts), "?" in word.text, score)
                texts, opens_turn = [], False
        if texts and start_s is not None:
            yield _Sentence(start_s, tuple(texts), False, score)
        if spoken:
            previous_name, words_before = turn.voice.name, spoken


def _topic_changes(sentences: Sequence[_Sentence], language: str) -> list[float]:
    """How little the words before and after each sentence have in common, in standard deviations from the mean."""
    stems = [[*_stems((each,), language)] for each in sentences]
    flat = [stem for each in stems for stem in each]
    starts = [0, *accumulate(map(len, stems))]
    distances = [
        1 - _cosine(Counter(flat[max(0, place - _WINDOW_WORDS) : place]), Counter(flat[place : place + _WINDOW_WORDS]))
        for place in starts[:-1]
    ]
    if not distances:
        return []
    mean = sum(distances) / len(distances)
    deviation = math.sqrt(sum((each - mean) ** 2 for each in distances) / len(distances)) or 1.0
    return [(each - mean) / deviation for each in distances]


def _best_division(places: Sequence[tuple[float, float]], count: int, min_s: float) -> tuple[float, ...]:
    """The places (start, score) between the first and the last that divide a passage best into `count` parts, or fewer.

    By dynamic programming: for a number of parts, the division with the best scores and the most even lengths.
    """
    mean_s = (places[-1][0] - places[0][0]) / max(count, 1)
    best: list[dict[int, tuple[float, tuple[int, ...]]]] = [{0: (0.0, ())}]  # by number of parts: index of the last start: score, starts
    for _ in range(count):
        row: dict[int, tuple[float, tuple[int, ...]]] = {}
        for end in range(1, len(places)):
            options = [
                (total + places[end][1] - _UNEVEN_COST * ((places[end][0] - places[start][0]) / mean_s - 1) ** 2, (*starts, end))
                for start, (total, starts) in best[-1].items()
                if places[end][0] - places[start][0] >= min_s and start < end
            ]
            if options:
                row[end] = max(options)
        best.append(row)
    last = len(places) - 1
    parts = next((row[last][1] for row in reversed(best) if last in row), ())
    return tuple(places[index][0] for index in parts[:-1])


def _phrases(texts: Sequence[str], language: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The runs of words that could be a title, between punctuation marks; and the article before each, if any."""
    runs: list[list[str]] = [[]]
    for text in texts:
        runs[-1] += [token.replace("'", "’") for token in _TOKEN.findall(text)]
        if re.search(r"[,;:.!?…»”)\]][\s\u00a0\u202f]*$", text):
            runs.append([])
    for run in runs:
        are_content = [_is_content(token, language) for token in run]
        for start in range(len(run)):
            for end in range(start + 1, min(len(run), start + _MAX_PHRASE_WORDS) + 1):
                if not (are_content[start] and (are_content[end - 1] or run[end - 1].lower() in _LINKS)):
                    break
                if are_content[end - 1] and sum(are_content[start:end]) <= _MAX_CONTENT_WORDS:
                    article = (run[start - 1].lower(),) if start and run[start - 1].lower() in _ARTICLES else ()
                    yield tuple(run[start:end]), article


def _join(words: Sequence[str]) -> str:
    """The words of a phrase with spaces, none after an elision."""
    return " ".join(words).replace("’ ", "’")


def _stems(sentences: Sequence[_Sentence], language: str) -> Iterator[str]:
    return (_stem(token) for each in sentences for text in each.texts for token in _TOKEN.findall(text) if _is_content(token, language))


@cache
def _is_content(token: str, language: str) -> bool:
    """Whether a word may say what a passage is about."""
    word = token.lower()
    return len(word) > 2 and word[0].isalpha() and not word.endswith(("’", "'")) and word not in _stop_words(language[:2])


@cache
def _stem(token: str) -> str:
    return "".join(fold_words([token]))[:_STEM_LETTERS]


@cache
def _stop_words(language: str) -> frozenset[str]:
    """The words of a language that say nothing of a topic; for a language without a list, the fillers alone."""
    import stop_words

    try:
        return _FILLERS | frozenset(stop_words.get_stop_words(language))
    except stop_words.StopWordError:
        return _FILLERS


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    norm = math.sqrt(sum(count * count for count in one.values()) * sum(count * count for count in other.values()))
    return sum(count * other[stem] for stem, count in one.items()) / norm if norm else 0.0
