"""The sound of a name in letters, to recognise it however it was spelt: « Père la Chèse » and « Père-Lachaise » have one key.

French spelling is read by rules, from the most particular to the most general. Voiced and voiceless consonants share a letter, as
recognisers confuse them. English names go through Metaphone (Philips, 1990); other languages have no key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.model.text import language_matches

_MIN_SOUNDS = {"fr": 4, "en": 3}  # Metaphone writes no vowels; shorter keys fit ordinary words
_MIN_ENGLISH_LETTERS = 0.6  # in common, of two spellings with one key: Metaphone also gives « kind » and « Kennedy » one
_NOT_FRENCH = re.compile(r"[^a-zàâäéèêëîïôöùûüç]")
_VOWEL = "aeiouyàâäéèêëîïôöùûü"
_NO_VOWEL = f"(?![{_VOWEL}n])"  # after a nasal vowel
_RULES = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("ç", "s"),
        (r"([b-df-hj-np-tv-xz])\1", r"\1"),
        (r"(?<=..)(?:e|es|ent|[dtpsxz]+)$", ""),  # silent at the end
        (r"(?<=..)[dtpsxz]+$", ""),
        ("sch|sh|ch", "C"),
        ("ph", "f"),
        ("th", "t"),
        ("qu|q", "k"),
        ("x", "ks"),
        ("gu(?=[eéèêëiy])", "G"),
        ("ge(?=[aouâô])|g(?=[eéèêëiy])", "j"),
        ("gn", "ni"),
        ("s?c(?=[eéèêëiy])", "s"),
        ("c", "k"),
        ("h", ""),
        ("w", "v"),
        ("eau|aux?|[ôö]", "o"),
        ("eu", "e"),
        ("ou|où", "u"),
        ("oi|oy", "ua"),
        (f"(?:ain|ein|aim|in|im|yn|ym|un|um){_NO_VOWEL}", "I"),
        (f"(?:an|am|en|em){_NO_VOWEL}", "A"),
        (f"(?:on|om){_NO_VOWEL}", "O"),
        ("(?<=[aeu])ill?(?=[aeou]|$)", "i"),
        ("ai|ei|ay|ey|[éèêë]", "E"),
        ("(?<=[^aeEiouAIO])e(?=[^aeEiouAIO][aeEiouAIO])", ""),  # « Lachaise » has the e of « Beauregard », which is not said
        ("e", "E"),
        ("[àâä]", "a"),
        ("[yîï]", "i"),
        ("[ùûü]", "u"),
        (r"(.)\1+", r"\1"),
    )
]
_VOICELESS = str.maketrans("bdgGvzj", "ptkkfsC")


def sound_key(parts: Iterable[str], language: str) -> str:
    """The sound of the parts of a name said one after the other.

    Empty where the language has no rules, where a part has no sound (a number), and where the whole is too short to tell names apart.
    """
    code = next((code for code in _MIN_SOUNDS if language_matches(language, code)), "")
    sounds = [_french(part) if code == "fr" else _english(part) for part in parts] if code else []
    key = "".join(sounds)
    return key if all(sounds) and len(key) >= _MIN_SOUNDS.get(code, 0) else ""


def sounds_alike(heard: str, name: str, language: str) -> bool:
    """Whether two spellings with the same key can be one name."""
    from rapidfuzz.distance import Indel

    return not language_matches(language, "en") or Indel.normalized_similarity(heard.lower(), name.lower()) >= _MIN_ENGLISH_LETTERS


def _french(word: str) -> str:
    sounds = _NOT_FRENCH.sub("", word.lower().replace("œ", "e").replace("æ", "é"))
    for pattern, sound in _RULES:
        sounds = pattern.sub(sound, sounds)
    return re.sub(r"(.)\1+", r"\1", sounds.translate(_VOICELESS))


def _english(word: str) -> str:
    import jellyfish

    return jellyfish.metaphone(word)
