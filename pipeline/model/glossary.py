"""`glossary.toml`: the spelling of a show's names and terms. They correct what a recogniser has written; it is not told them before.

    [[terms]]
    say = "Orvalle"
    heard = ["or val", "Orval"]

A correction is made only where it is safe without a dictionary: for a spelling listed in `heard`, and, when the recogniser wrote it as
a name (capitalised, and not at the start of a sentence), for the term's own letters with other accents, hyphens or capitals, and for
what sounds exactly like one term and no other: « Finion » becomes « Fignon », « Père la Chèse » « Père-Lachaise ». « aurore », the
dawn, is not changed into the name Aurore. A word that is only similar is not corrected: `find_near_terms` reports it as doubtful.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.model.show import Glossary
from pipeline.model.sound_keys import sound_key, sounds_alike
from pipeline.model.text import apply_typography, join_heard
from pipeline.model.transcript import CorrectionValue, RecognisedSegment, RecognisedWord, Recognition

MIN_LAST_NAME_LETTERS = 6  # shorter last names are too often ordinary words
MAX_TERM_CHARS = 80
_WORD_PART = re.compile(r"\d+|[^\W\d_]+")
SENTENCE_END = re.compile(r"[.!?…。！？][»”\")」』\]\s\u00a0\u202f]*$")
_NAME_JOINERS = frozenset("'’ʼ-‐‑.\u00a0\u202f ")  # allowed between the parts of one name


_MOST_PARTS = 5  # of what sounds like a name; a run of words said fast

NO_TERMS = Glossary()


@dataclass(frozen=True)
class Correction:
    """A spelling that was recognised, the one that replaces it, and its times (s)."""

    start_s: float
    end_s: float
    heard: str
    written: str

    def to_value(self) -> CorrectionValue:
        """Its JSON value."""
        return {"start_s": self.start_s, "end_s": self.end_s, "heard": self.heard, "written": self.written}


@dataclass(frozen=True)
class _WordPart:
    """The folded letters of a word between its apostrophes and hyphens, and their position: word index, first and last character."""

    folded: str
    word: int
    first: int
    last: int


def apply_glossary(recognition: Recognition, glossary: Glossary) -> tuple[Recognition, tuple[Correction, ...]]:
    """The content of `words.json` with its terms spelt as in the glossary, and every correction that was made.

    Punctuation, elisions and times are kept: « d’Or Val, » becomes « d’Orvalle, » from the start of the first word to the end of the
    last.
    """
    spellings = _spellings(glossary, recognition["language"])
    corrections: list[Correction] = []
    segments: list[RecognisedSegment] = []
    for segment in recognition["segments"]:
        words = _correct_words(segment["words"], spellings, corrections)
        segments.append({**segment, "words": words, "text": join_heard((word["text"] for word in words), recognition["language"])})
    return {**recognition, "segments": segments}, tuple(corrections)


def find_near_terms(words: Sequence[RecognisedWord], glossary: Glossary) -> tuple[tuple[int, str], ...]:
    """Where a capitalised word is similar to a one-word term: (index of the word, term).

    One letter may differ (optimal string alignment distance), two from nine letters on; terms under five letters are not compared.
    """
    from rapidfuzz.distance import OSA

    singles = {forms[0]: term.say for term in glossary.terms if len(forms := fold_name(term.say)) == 1 and len(forms[0]) >= 5}
    found = []
    for part in _split_parts([word["text"] for word in words]):
        if len(part.folded) < 4 or part.folded in singles or not words[part.word]["text"][part.first].isupper():
            continue
        for folded, say in singles.items():
            most = 2 if len(folded) >= 9 else 1
            if OSA.distance(part.folded, folded, score_cutoff=most) <= most:
                found.append((part.word, say))
                break
    return tuple(found)


def fold_words(texts: Sequence[str]) -> list[str]:
    """The parts of words, in lower case and without accents, to compare words regardless of spelling."""
    return [part.folded for part in _split_parts(texts)]


@dataclass(frozen=True)
class _Spellings:
    """What replaces a folded form, and whether everywhere or only in words written as names; and what replaces a sound, in names."""

    by_letters: Mapping[tuple[str, ...], tuple[str, bool]]
    by_sound: Mapping[str, str]
    sizes: tuple[int, ...]  # of the forms in parts of words, the longest first
    language: str


def _spellings(glossary: Glossary, language: str) -> _Spellings:
    own = {fold_name(term.say): (apply_typography(term.say, language), False) for term in reversed(glossary.terms)}
    heard = {fold_name(form): (apply_typography(term.say, language), True) for term in glossary.terms for form in term.heard}
    sounds: dict[str, set[str]] = {}
    for term in glossary.terms:
        sounds.setdefault(sound_key(_WORD_PART.findall(term.say), language), set()).add(apply_typography(term.say, language))
    by_sound = {key: written for key, (written, *others) in sounds.items() if key and not others}
    by_letters = own | heard
    return _Spellings(by_letters, by_sound, tuple(sorted({len(form) for form in by_letters}, reverse=True)), language)


def _correct_words(words: list[RecognisedWord], spellings: _Spellings, corrections: list[Correction]) -> list[RecognisedWord]:
    """The words of a segment, corrected, the longest matching form first; what is done is added to `corrections`."""
    texts = [word["text"] for word in words]
    parts = list(_split_parts(texts))
    done: list[RecognisedWord] = []
    index, copied = 0, 0  # the next part to examine, the number of words already copied
    while index < len(parts):
        found, written = _term_at(texts, parts, index, spellings)
        if not found:
            index += 1
            continue
        run = parts[index : index + found]
        index += found
        while index < len(parts) and parts[index].word == run[-1].word:
            index += 1  # « Orval-Orval »: one correction per word is enough
        done.extend(words[copied : run[0].word])
        copied = run[-1].word + 1
        done.extend(_replacement_words(words[run[0].word : copied], run, written, corrections))
    return [*done, *words[copied:]]


def _term_at(texts: Sequence[str], parts: Sequence[_WordPart], index: int, spellings: _Spellings) -> tuple[int, str]:
    """How many parts from `index` on are a term spelt wrong, and what replaces them; 0 when none are."""
    for size in spellings.sizes:
        run = parts[index : index + size]
        written, always = spellings.by_letters.get(tuple(part.folded for part in run), ("", False))
        if written and len(run) == size and _is_misspelling(texts, run, written, always=always):
            return size, written
    if not spellings.by_sound or not texts[parts[index].word][parts[index].first].isupper():
        return 0, ""  # « du Val » is no Duval
    for size in range(min(_MOST_PARTS, len(parts) - index), 0, -1):
        run = parts[index : index + size]
        if tuple(part.folded for part in run) in spellings.by_letters:
            return 0, ""  # a term of its own, spelt as it should be
        key = sound_key([texts[part.word][part.first : part.last] for part in run], spellings.language)
        written = spellings.by_sound.get(key, "")
        if written and sounds_alike(_text_between(texts, run[0], run[-1]), written, spellings.language):
            return (size, written) if _is_misspelling(texts, run, written, always=False) else (0, "")
    return 0, ""


def _is_misspelling(texts: Sequence[str], run: Sequence[_WordPart], written: str, *, always: bool) -> bool:
    """Whether these parts are a wrong spelling: whole words, only joiners between them, and not already spelt right."""
    first, last = run[0], run[-1]
    before, after = texts[first.word][: first.first], texts[last.word][last.last :]
    if before.endswith(("-", "‐", "‑")) or re.match(r"[-‐‑]\w", after) or not _is_joined(texts, run):
        return False
    spelt = _text_between(texts, first, last)
    return spelt != written and (always or _is_capitalised_name(texts, spelt, first))


def _is_joined(texts: Sequence[str], run: Sequence[_WordPart]) -> bool:
    """Whether only apostrophes, hyphens, points and spaces are between the parts: a comma separates two names."""
    for before, after in zip(run, run[1:], strict=False):
        if before.word == after.word:
            between = texts[before.word][before.last : after.first]
        else:
            between = texts[before.word][before.last :] + texts[after.word][: after.first]
            if SENTENCE_END.search(texts[before.word]) and len(before.folded) > 1:
                return False
        if not set(between) <= _NAME_JOINERS:
            return False
    return True


def _is_capitalised_name(texts: Sequence[str], spelt: str, first: _WordPart) -> bool:
    """Whether it has a capital letter other than that of the start of a sentence."""
    opens = first.word == 0 or SENTENCE_END.search(texts[first.word - 1]) is not None
    return any(char.isupper() for char in (spelt[1:] if opens and not first.first else spelt))


def _text_between(texts: Sequence[str], first: _WordPart, last: _WordPart) -> str:
    """The text from the start of one part to the end of another."""
    if first.word == last.word:
        return texts[first.word][first.first : last.last]
    return " ".join((texts[first.word][first.first :], *texts[first.word + 1 : last.word], texts[last.word][: last.last]))


def _replacement_words(
    words: Sequence[RecognisedWord], run: Sequence[_WordPart], written: str, corrections: list[Correction]
) -> Iterator[RecognisedWord]:
    """The words that replace `words`, with the characters around the name; several words share the time by their letters."""
    texts = {part.word: word["text"] for part, word in zip((run[0], run[-1]), (words[0], words[-1]), strict=True)}
    before, after = texts[run[0].word][: run[0].first], texts[run[-1].word][run[-1].last :]
    text = " ".join(word["text"] for word in words)
    start_s, end_s = words[0]["start_s"], words[-1]["end_s"]
    corrections.append(Correction(start_s, end_s, text[len(before) : len(text) - len(after)], written))
    pieces = f"{before}{written}{after}".split(" ")
    total, done = sum(map(len, pieces)), 0
    for piece in pieces:
        begin_s = start_s + (end_s - start_s) * done / total
        done += len(piece)
        stop_s = start_s + (end_s - start_s) * done / total
        probability = min(word["probability"] for word in words)
        yield {"text": piece, "start_s": round(begin_s, 3), "end_s": round(stop_s, 3), "probability": probability}


def _split_parts(texts: Sequence[str]) -> Iterator[_WordPart]:
    """Every part of every word."""
    for index, text in enumerate(texts):
        yield from (_WordPart(_fold_letters(found[0]), index, *found.span()) for found in _WORD_PART.finditer(text))


def fold_name(text: str) -> tuple[str, ...]:
    """The parts of a name in lower case, without accents: the same for its spelling variants."""
    return tuple(_fold_letters(part) for part in _WORD_PART.findall(text))


def _fold_letters(text: str) -> str:
    spelt = text.lower().replace("œ", "oe").replace("æ", "ae")
    return "".join(char for char in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(char))
