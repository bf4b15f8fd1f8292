"""Text normalisation for alignment: words are compared as they are spoken, not as they are spelt."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pipeline.model import separate_unspaced

_UNIT_WORDS = """
    zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf
"""
_UNITS = _UNIT_WORDS.split()
_TENS = {2: "vingt", 3: "trente", 4: "quarante", 5: "cinquante", 6: "soixante", 8: "quatre-vingt"}
_THOUSANDS = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))")
_PART = re.compile(r"\d+(?:,\d+)?(?:ers?|er|res?|nde?|e|eme)?(?![^\W\d_])|\d+|[^\W\d_]+|[%€&+°$]")
_ORDINAL = re.compile(r"(\d+)(ers?|res?|nde?|e|eme)")
_ROMAN = re.compile(r"(?=[IVX]{2}|[IVX](?:e|er|ème|re)\b)(X{0,3}(?:IX|IV|V?I{0,3}))(e|er|ème|re)?")
_SIGNS = {"%": ("pour", "cent"), "€": ("euros",), "&": ("et",), "+": ("plus",), "°": ("degres",), "$": ("dollars",)}
_UNIT_NAMES = {"h": "heures", "min": "minutes", "km": "kilometres", "kg": "kilos", "m": "metres", "s": "secondes"}
_EQUIVALENTS = {"cents": "cent", "vingts": "vingt", "heure": "heures", "minute": "minutes", "euro": "euros", "zeros": "zero"}
_MAX_NUMBER_DIGITS = 9  # digits


@lru_cache(maxsize=65_536)
def word_tokens(word: str, language: str) -> tuple[str, ...]:
    """The comparable parts of a printed word: lower case, no accent, cut at apostrophes and hyphens, numbers in French words.

    « d’Orvalle, » gives `d`, `orvalle`; « 1978 » gives `mille`, `neuf`, `cent`, `soixante`, `dix`, `huit`; « XXIe » what « 21e » gives.
    A sound gives nothing.
    """
    if word.startswith("["):
        return ()
    french = language.startswith("fr")
    if french and (roman := _ROMAN.fullmatch(word.strip(".,;:!?»« \u00a0\u202f"))):
        word = f"{_roman_value(roman[1])}{roman[2] or ''}"
    spelt = _THOUSANDS.sub("", separate_unspaced(word.lower())).replace("œ", "oe").replace("æ", "ae")
    plain = "".join(char for char in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(char))
    found: list[str] = []
    after_number = False
    for part in _PART.findall(plain):
        found.extend(_spoken_form(part, after_number) if french else (part,) * (part not in _SIGNS))
        after_number = part[0].isdecimal()
    return tuple(found)


def french_number(value: int) -> str:
    """0 to 999,999,999 in French words, without plural marks, « et » without hyphens: 81 is `quatre-vingt-un`, 71 `soixante et onze`."""
    if value >= 1_000_000:
        return f"{french_number(value // 1_000_000)} million{'s' * (value >= 2_000_000)} {_number_unless_zero(value % 1_000_000)}".strip()
    if value >= 1000:
        head = "" if value < 2000 else f"{french_number(value // 1000)} "
        return f"{head}mille {_number_unless_zero(value % 1000)}".strip()
    if value >= 100:
        head = "" if value < 200 else f"{french_number(value // 100)} "
        return f"{head}cent {_number_unless_zero(value % 100)}".strip()
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


def _number_unless_zero(value: int) -> str:
    return french_number(value) if value else ""


def _spoken_form(part: str, after_number: bool) -> tuple[str, ...]:
    """A part as it is spoken in French, without the plural marks that digits do not show."""
    if part in _SIGNS:
        return _SIGNS[part]
    if not part[0].isdecimal():
        return (_UNIT_NAMES[part],) if after_number and part in _UNIT_NAMES else (_EQUIVALENTS.get(part, part),)
    if ordinal := _ORDINAL.fullmatch(part):
        return _spoken_ordinal(int(ordinal[1]), ordinal[2]) if len(ordinal[1]) <= _MAX_NUMBER_DIGITS else (part,)
    whole, _, decimals = part.partition(",")
    return (*_spoken_digits(whole), *(("virgule", *_spoken_digits(decimals)) if decimals else ()))


def _spoken_digits(digits: str) -> tuple[str, ...]:
    """A whole number in French words; leading zeros are spoken one by one."""
    zeros = len(digits) - len(digits.lstrip("0"))
    rest = digits[zeros:]
    if len(rest) > _MAX_NUMBER_DIGITS:
        return (digits,)
    return ("zero",) * zeros + (tuple(re.split(r"[ -]", french_number(int(rest)))) if rest else ())


def _spoken_ordinal(value: int, ending: str) -> tuple[str, ...]:
    """The words of « 1er », « 1re », « 2e », « 21e »."""
    if value == 1:
        return ("premiere" if ending.startswith("re") else "premier",)
    if value == 2 and ending.startswith("nd"):
        return ("seconde" if ending == "nde" else "second",)
    *head, last = re.split(r"[ -]", french_number(value))
    stem = {"cinq": "cinqu", "neuf": "neuv"}.get(last, last.removesuffix("e"))
    return (*head, f"{stem}ieme")


def _roman_value(text: str) -> int:
    """The value of a Roman numeral up to 39, enough for centuries and kings."""
    values = [{"I": 1, "V": 5, "X": 10}[char] for char in text]
    return sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))
