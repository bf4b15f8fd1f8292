"""Find the credits in what is said: « un podcast écrit par Anne Petit et mixé par Léa Roy ». No input or output."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.transcript.freeform.labels import NAME, CreditLine, split_names

_VERBS = {
    "[ée]crite?s?": "écriture",
    "r[ée]alis[ée]e?s?": "réalisation",
    "produite?s?": "production",
    "lue?s?": "narration",
    "mix[ée]e?s?": "mixage",
    "mont[ée]e?s?": "montage",
    "mise? en (?:ondes|son)": "réalisation",
    "enregistr[ée]e?s?": "prise de son",
    "compos[ée]e?s?": "musique",
    "pr[ée]sent[ée]e?s?": "présentation",
    "anim[ée]e?s?": "présentation",
    "interpr[ée]t[ée]e?s?": "interprétation",
    "illustr[ée]e?s?": "illustration",
    "written": "écriture",
    "produced": "production",
    "directed": "réalisation",
    "mixed": "mixage",
    "hosted": "présentation",
}
_NOUNS = {
    "musiques?(?: originales?)?": "musique",
    "montage": "montage",
    "mixage": "mixage",
    "prise de son": "prise de son",
    "production(?: sonore)?": "production",
    "r[ée]alisation": "réalisation",
    "textes?": "texte",
    "voix": "voix",
}
_PERSON = rf"(?:{NAME.pattern}|[A-ZÀ-ÞŒŸ][\w’'-]+)"
_PEOPLE = rf"{_PERSON}(?:(?:, | et | and | & |, et ){_PERSON})*"
_ANY_VERB = "|".join(_VERBS)
_BY = re.compile(rf"(?i:\b(?P<roles>(?:{_ANY_VERB})(?:(?:, | et | and |, et )(?:{_ANY_VERB}))*) (?:par|by)) (?P<who>{_PEOPLE})")
_OF = re.compile(rf"(?i:\b(?P<role>{'|'.join(_NOUNS)})) (?:de |d[’']|: |signée? (?:de |par )?)(?P<who>{_PEOPLE})")
_HOUSE = re.compile(
    r"(?i:\b(?:une production|un podcast|une s[ée]rie|une [ée]mission)(?: sonore)? (?:de |d[’']|du |des |propos[ée]e? par )?)"
    rf"(?P<who>{_PEOPLE})"
)
_VOICES = re.compile(rf"(?i:\bavec (?:les voix de |la voix de |la participation de )?)(?P<who>{_PEOPLE})")
_STARTS = re.compile(
    r"(?i:c[’']était|vous (?:venez d[’'][ée]couter|avez (?:entendu|[ée]cout[ée]))|(?:un|une) (?:podcast|s[ée]rie|[ée]mission|production)|"
    r"ce podcast|cet [ée]pisode|this was)\b"
    rf"|(?i:(?:{_ANY_VERB})(?:(?:, | et )(?:{_ANY_VERB}))* par )"
)


def announces_credits(text: str) -> bool:
    """Whether a sentence begins as spoken credits do: « C’était… », « Un podcast de… »."""
    return _STARTS.match(text) is not None


def find_spoken_credits(text: str) -> Iterator[CreditLine]:
    """Yield the credits of a sentence of the closing, one for each role; names without a capital are nobody's."""
    for found in _BY.finditer(text):
        for pattern, role in _VERBS.items():
            if re.search(rf"(?i:\b(?:{pattern})\b)", found["roles"]):
                yield _credit(role, found["who"])
    for found in _OF.finditer(text):
        role = next(role for pattern, role in _NOUNS.items() if re.fullmatch(f"(?i:{pattern})", found["role"]))
        yield _credit(role, found["who"])
    for found in _HOUSE.finditer(text):
        yield _credit("production", found["who"])
    if (cast := _VOICES.search(text)) and "voix" not in cast[0].lower() and all(NAME.fullmatch(name) for name in split_names(cast["who"])):
        yield CreditLine("cast", "avec", cast["who"].strip(" ."))


def _credit(role: str, who: str) -> CreditLine:
    kind = "production" if role == "production" else "cast" if role in ("voix", "interprétation") else "other"
    return CreditLine(kind, role, who.strip(" ."))
