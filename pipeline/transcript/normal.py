"""What is compared when a corrected text is laid over what Whisper heard: sounds of words, not their spelling."""

from __future__ import annotations

import re
import unicodedata

_UNIT_WORDS = """
    zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf
"""
_UNITS = _UNIT_WORDS.split()
_TENS = {2: "vingt", 3: "trente", 4: "quarante", 5: "cinquante", 6: "soixante", 8: "quatre-vingt"}
_THOUSANDS = re.compile(r"(?<=\d)[\u00a0\u202f](?=\d{3}\b)")
_PART = re.compile(r"\d+|[^\W\d_]+")
_LONGEST_NUMBER = 4  # digits


def tokens(word: str, language: str) -> tuple[str, ...]:
    """The comparable parts of a printed word: lower case, no accent, cut at apostrophes and hyphens, numbers in French words.

    « d’Orvalle, » gives `d`, `orvalle`; « 1978 » gives `mille`, `neuf`, `cent`, `soixante`, `dix`, `huit`. A sound gives nothing.
    """
    if word.startswith("["):
        return ()
    spelt = _THOUSANDS.sub("", word.lower()).replace("œ", "oe").replace("æ", "ae")
    plain = "".join(char for char in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(char))
    return tuple(token for part in _PART.findall(plain) for token in _number(part, language))


def french_number(value: int) -> str:
    """0 to 9999 in French words, without plural marks nor « et »'s hyphens: 81 is `quatre-vingt-un`, 71 `soixante et onze`."""
    if value >= 1000:
        head = "" if value < 2000 else f"{french_number(value // 1000)} "
        return f"{head}mille {_unless_zero(value % 1000)}".strip()
    if value >= 100:
        head = "" if value < 200 else f"{french_number(value // 100)} "
        return f"{head}cent {_unless_zero(value % 100)}".strip()
    return _below_hundred(value)


def _below_hundred(value: int) -> str:
    if value < 20:
        return _UNITS[value]
    tens = value // 10 if value // 10 in _TENS else value // 10 - 1  # 70 is sixty-ten, 90 is eighty-ten
    rest = value - tens * 10
    if not rest:
        return _TENS[tens]
    link = " et " if rest in (1, 11) and tens != 8 else "-"
    return f"{_TENS[tens]}{link}{_UNITS[rest]}"


def _unless_zero(value: int) -> str:
    return french_number(value) if value else ""


def _number(part: str, language: str) -> tuple[str, ...]:
    """A number as it is said in French; anything else as it is, less a plural that digits never show."""
    if not part.isdecimal() or len(part) > _LONGEST_NUMBER or not language.startswith("fr"):
        return ("cent",) if part == "cents" else ("vingt",) if part == "vingts" else (part,)
    return tuple(re.split(r"[ -]", french_number(int(part))))
