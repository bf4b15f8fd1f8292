"""How alike two words look or sound: what a misrecognised word must have in common with the written one to lend it its time. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

_AGREEMENT = 0.7  # of letters or of sounds: « Orval » for « Orvalle », « la tente » for « l'attente »
_MIN_LETTERS = 3  # two shorter words are alike by chance; they agree only when they sound the same

# Spelling to sound, applied in order to letters without accents. A capital is a sound that no rule after it changes.
_FRENCH = (
    (r"(.)\1+", r"\1"),
    (r"ph", "f"),
    (r"ch|sh", "X"),
    (r"gn", "N"),
    (r"qu?|c(?![eiy])|k", "K"),
    (r"c|s+|z|(?<=[aeiouy])t(?=ion)", "S"),
    (r"ge(?=[ao])|g(?=[eiy])|j", "J"),
    (r"gu(?=[eiy])|g", "G"),
    (r"h", ""),
    (r"eau|au", "O"),
    (r"oi", "WA"),
    (r"ou", "U"),
    (r"[aeiy]i?[nm](?![aeiouynmAOU])|[ou]in|[ou][nm](?![aeiouynmAOU])", "V"),
    (r"e[rz]$|e[tS]t?$|ai[tS]?$|aient$|ent$", "E"),
    (r"(?<=.)[Stdxpzb]+$", ""),
    (r"[ae]i|e(?!$)|E", "E"),
    (r"e$", ""),
    (r"y", "i"),
    (r"x", "KS"),
    (r"w", "V"),
)
_ENGLISH = (
    (r"(.)\1+", r"\1"),
    (r"ph|gh(?=t)", "f"),
    (r"gh|^k(?=n)|^w(?=r)|b$", ""),
    (r"ch|sh|ti(?=on)", "X"),
    (r"ck|q|c(?![eiy])|k", "K"),
    (r"c|s|z", "S"),
    (r"dg|g(?=[eiy])|j", "J"),
    (r"th", "T"),
    (r"x", "KS"),
    (r"h", ""),
    (r"[aeiouy]+$", ""),
    (r"[aeiouy]+", "A"),
)
_RULES: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    language: tuple((re.compile(old), new) for old, new in rules) for language, rules in (("fr", _FRENCH), ("en", _ENGLISH))
}


@lru_cache(maxsize=65_536)
def sound_key(letters: str, language: str) -> str:
    """A rough phonetic key of a word in lower case without accents: words that sound alike have similar keys."""
    key = letters
    for pattern, new in _RULES.get(language[:2], _RULES["en"]):
        key = pattern.sub(new, key)
    return key


@lru_cache(maxsize=262_144)
def agreement(written: str, heard: str, language: str) -> float:
    """How far two words agree, from `_AGREEMENT` to 1; 0 when neither their letters nor their sounds do."""
    if written == heard:
        return 1.0
    from rapidfuzz.distance import Indel

    keys = sound_key(written, language), sound_key(heard, language)
    if keys[0] == keys[1] and keys[0]:
        return 1.0
    if min(len(written), len(heard)) < _MIN_LETTERS:
        return 0.0
    best = max(Indel.normalized_similarity(written, heard), Indel.normalized_similarity(*keys) if min(map(len, keys)) > 1 else 0.0)
    return best if best >= _AGREEMENT else 0.0
