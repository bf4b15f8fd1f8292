"""Merge variants of a name in a free-form transcript: « Nadia Cherif », « Nadia », « N. C. ». No input or output."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from pipeline.transcript.freeform.labels import fold_name

_INITIALS = re.compile(r"(?:[A-ZÀ-ÞŒŸ]\.?[ -]?){2,4}")
GENDERED_TITLES = {"m": ("m", "monsieur", "mr"), "f": ("mme", "mlle", "madame", "mademoiselle")}
TITLES = frozenset((*GENDERED_TITLES["m"], *GENDERED_TITLES["f"], "dr", "docteur", "docteure", "pr", "professeur", "professeure", "maitre"))


def merge_variants(
    spellings: Mapping[str, str], other_names: Collection[str], dialogue_pairs: Collection[frozenset[str]], excluded: Collection[str]
) -> dict[str, str]:
    """Map each folded name to the full name it stands for. `spellings` maps folded names of voices to their spelling.

    Two names of a pair in `dialogue_pairs` answer each other, so they are two people. Names in `excluded` are never merged, nor is a
    short form that fits two people. Initials may also stand for one of `other_names`, people who are not named in full as voices.
    """
    groups: dict[str, list[str]] = {}
    for folded in sorted(spellings, key=lambda each: (_is_initials(spellings[each]), -len(_name_words(spellings[each])), -len(each))):
        matches = [
            full for full, forms in groups.items() if any(_is_short_form(spellings[folded], spellings.get(form, full)) for form in forms)
        ]
        matches = [
            full for full in matches if folded not in excluded and not _are_different_people(folded, groups[full], dialogue_pairs, excluded)
        ]
        if not matches and _is_initials(spellings[folded]):
            full_names = {fold_name(name): name for name in other_names if _is_short_form(spellings[folded], name)}
            if len(full_names) == 1:
                groups.setdefault(full_names.popitem()[1], []).append(folded)
                continue
        if len(matches) == 1:
            groups[matches[0]].append(folded)
        else:
            groups[spellings[folded]] = [folded]
    return {
        form: _fullest_form(full, forms, spellings)
        for full, forms in groups.items()
        for form in forms
        if len(forms) > 1 or full != spellings[form]
    }


def _are_different_people(
    folded: str, forms: Collection[str], dialogue_pairs: Collection[frozenset[str]], excluded: Collection[str]
) -> bool:
    return any(frozenset((folded, form)) in dialogue_pairs or form in excluded for form in forms)


def _fullest_form(full: str, forms: Collection[str], spellings: Mapping[str, str]) -> str:
    """Return the longest form without initials."""
    candidates = [full, *(spellings[form] for form in forms)]
    return max(candidates, key=lambda name: (re.search(r"\b[A-ZÀ-ÞŒŸ]\.?(?:[ -]|$)", name) is None, len(name)))


def _is_initials(name: str) -> bool:
    return _INITIALS.fullmatch(name) is not None


def _name_words(name: str) -> list[str]:
    """Return the words of a name without its title, compounds as one word: « Marie » is no short form of « Jean-Marie »."""
    folded = [fold_name(word).replace(" ", "-") for word in name.split()]
    return [word for word in folded if word not in TITLES] if len(folded) > 1 else folded


def _title_gender(name: str) -> str:
    first = fold_name(name).split(" ")[0]
    return next((gender for gender, titles in GENDERED_TITLES.items() if first in titles), "")


def _is_short_form(short: str, full: str) -> bool:
    """Whether a name is a short form of another: « N. C. », « Nadia », « Nadia C. » of « Nadia Cherif »; « Cherif » of « Mme Cherif »."""
    short_words, full_words = _name_words(short), _name_words(full)
    if _is_initials(short):
        letters = re.findall(r"\w", fold_name(short))
        return len(letters) > 1 and letters in ([word[0] for word in full_words], [word[0] for word in fold_name(full).split(" ")])
    if (
        not short_words
        or not full_words
        or (short_words != full_words and (_title_gender(short) or _title_gender(full)))
        or {_title_gender(short), _title_gender(full)} == set(GENDERED_TITLES)
    ):
        return False
    starts = all(
        short_word == word or (place and len(short_word) == 1 and word.startswith(short_word))
        for place, (short_word, word) in enumerate(zip(short_words, full_words, strict=False))
    )
    return (len(short_words) <= len(full_words) and starts) or (
        len(short_words) < len(full_words) and full_words[-len(short_words) :] == short_words
    )
