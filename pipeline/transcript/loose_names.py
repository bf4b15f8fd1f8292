"""Merge variants of a name in a free-form transcript: « Nadia Cherif », « Nadia », « N. C. ». No input or output."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from pipeline.transcript.loose_labels import fold

_INITIALS = re.compile(r"(?:[A-ZÀ-ÞŒŸ]\.?[ -]?){2,4}")
GENDERED = {"m": ("m", "monsieur", "mr"), "f": ("mme", "mlle", "madame", "mademoiselle")}
TITLES = frozenset((*GENDERED["m"], *GENDERED["f"], "dr", "docteur", "docteure", "pr", "professeur", "professeure", "maitre"))


def merged(
    spelt: Mapping[str, str], others: Collection[str], answering: Collection[frozenset[str]], apart: Collection[str]
) -> dict[str, str]:
    """Map each folded name to the full name it stands for. `spellings` maps folded names of voices to their spelling.

    Two names of a pair in `dialogue_pairs` answer each other, so they are two people. Names in `excluded` are never merged, nor is a
    short form that fits two people. Initials may also stand for one of `other_names`, people who are not named in full as voices.
    """
    groups: dict[str, list[str]] = {}
    for folded in sorted(spelt, key=lambda each: (_is_initials(spelt[each]), -len(_words(spelt[each])), -len(each))):
        fits = [full for full, forms in groups.items() if any(_is_short(spelt[folded], spelt.get(form, full)) for form in forms)]
        fits = [full for full in fits if folded not in apart and not _are_two(folded, groups[full], answering, apart)]
        if not fits and _is_initials(spelt[folded]):
            full_names = {fold(name): name for name in others if _is_short(spelt[folded], name)}
            if len(full_names) == 1:
                groups.setdefault(full_names.popitem()[1], []).append(folded)
                continue
        if len(fits) == 1:
            groups[fits[0]].append(folded)
        else:
            groups[spelt[folded]] = [folded]
    return {form: _best(full, forms, spelt) for full, forms in groups.items() for form in forms if len(forms) > 1 or full != spelt[form]}


def _are_two(folded: str, forms: Collection[str], answering: Collection[frozenset[str]], apart: Collection[str]) -> bool:
    return any(frozenset((folded, form)) in answering or form in apart for form in forms)


def _best(full: str, forms: Collection[str], spelt: Mapping[str, str]) -> str:
    """Return the longest form without initials."""
    written = [full, *(spelt[form] for form in forms)]
    return max(written, key=lambda name: (re.search(r"\b[A-ZÀ-ÞŒŸ]\.?(?:[ -]|$)", name) is None, len(name)))


def _is_initials(name: str) -> bool:
    return _INITIALS.fullmatch(name) is not None


def _words(name: str) -> list[str]:
    """Return the words of a name without its title, compounds as one word: « Marie » is no short form of « Jean-Marie »."""
    folded = [fold(word).replace(" ", "-") for word in name.split()]
    return [word for word in folded if word not in TITLES] if len(folded) > 1 else folded


def _title(name: str) -> str:
    first = fold(name).split(" ")[0]
    return next((gender for gender, titles in GENDERED.items() if first in titles), "")


def _is_short(short: str, full: str) -> bool:
    """Whether a name is a short form of another: « N. C. », « Nadia », « Nadia C. » of « Nadia Cherif »; « Cherif » of « Mme Cherif »."""
    few, many = _words(short), _words(full)
    if _is_initials(short):
        letters = re.findall(r"\w", fold(short))
        return len(letters) > 1 and letters in ([word[0] for word in many], [word[0] for word in fold(full).split(" ")])
    if not few or not many or (few != many and (_title(short) or _title(full))) or {_title(short), _title(full)} == set(GENDERED):
        return False
    starts = all(
        mine == word or (place and len(mine) == 1 and word.startswith(mine))
        for place, (mine, word) in enumerate(zip(few, many, strict=False))
    )
    return (len(few) <= len(many) and starts) or (len(few) < len(many) and many[-len(few) :] == few)
