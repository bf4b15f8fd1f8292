"""The questions of a first draft: what the episode asks itself, then templates that quote it, then templates that need nothing.

A template only ever receives text between its own quotation marks, so that gender, number and elision cannot go wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.guide.labels import FAMILIES, fill, labels, templates
from pipeline.guide.quotes import Passage
from pipeline.guide.rules import fault, is_open, is_posed
from pipeline.guide.score import Candidate, claims, kind, says
from pipeline.guide.text import ITEM, TEXT, Line

OWN_QUESTION_WORDS_MIN = 8
Material = dict[str, tuple[tuple[str, str], ...]]  # what a template is about, to the (voice, quote) it may insert
PER_FAMILY = {"understand": 2, "relate": 1, "debate": 2, "imagine": 1, "act": 1}


def own_questions(every: Iterable[Passage], language: str = "fr") -> tuple[Passage, ...]:
    """What the episode asks that a room can answer too, scenes and archives left out.

    First what stands by itself, the narrator's before others', and from the end, where a narrator sums it up. A guest's « tu » and
    « vous » are the other guest's; a narrator's are the listener's.
    """
    words = templates(language)["words"]
    asked = [
        one
        for one in every
        if asks(one)
        and len(one.text.split()) >= OWN_QUESTION_WORDS_MIN
        and is_open(one.text, language)
        and kind(one.turn.voice.role) in ("recit", "usagers")
        and not says(one.text, words["greetings"])
        and not (kind(one.turn.voice.role) == "usagers" and says(one.text, words["you"]))
    ]
    points = {one.first: says(one.text, words["pointing"]) or is_posed(one.text, language) for one in asked}
    return tuple(sorted(asked, key=lambda one: (points[one.first], kind(one.turn.voice.role) != "recit", -one.first)))


def written(own: tuple[Passage, ...], kept: list[Candidate], language: str, skip: int) -> dict[str, tuple[Line, ...]]:
    """Questions by family; a text is inserted once in the whole guide, and the framing question (`own[0]`) is not asked again."""
    material = _material(own, kept, language)
    used: set[str] = set()
    found = {}
    for family in ("debate", "relate", "understand", "imagine", "act"):  # who chooses a quote first: a debate needs it most
        lines: list[Line] = []
        for asked, follow_up, quote in question(family, material, language, skip):
            room = len(lines) < 2 * PER_FAMILY[family]
            if family == "debate" and quote and lines:
                continue  # one side to take, then one question that lets the sceptic speak
            if room and bare(quote) not in used and not any(line.text == follow_up for line in lines):
                used |= {bare(quote)} - {""}
                lines += [Line(TEXT, asked), Line(ITEM, follow_up)]
        found[family] = tuple(lines)
    return {family: found[family] for family in FAMILIES}


def question(family: str, material: Material, language: str, skip: int = 0) -> tuple[tuple[str, str, str], ...]:
    """A family's proposals `(text, follow-up, text inserted)`: those that quote first, then the plain ones, `skip` of them passed over.

    A question that breaks a rule (`rules.fault`) is dropped.
    """
    quoting, plain = [], []
    for model in templates(language)[family]:
        about = model.get("about", "")
        for voice, quote in material.get(about, ()) if about else (("", ""),):
            asked = fill(model["text"], voice=voice, quote=quote)
            if not fault(asked, language):
                (quoting if about else plain).append((asked, model["follow_up"], quote))
    turned = skip % len(plain) if plain else 0
    return (*quoting, *plain[turned:], *plain[:turned])


def voice_of(passage: Passage, language: str) -> str:
    """Who is heard, as a person would say it: a number is no name, so an unnamed voice is the episode."""
    voice = passage.turn.voice
    return voice.label or ("" if is_numbered(voice.name) else voice.name) or labels(language)["draft"]["episode"]


def is_numbered(name: str) -> bool:
    """Whether a voice has only the number that the transcript gave it: « Voix 2 »."""
    first, _, rest = name.partition(" ")
    return first in ("Voix", "Voice") and rest.isdigit()


def asks(passage: Passage) -> bool:
    """Whether it ends as a question."""
    return passage.text.rstrip(' \u00a0\u202f»”"').endswith("?")


def bare(text: str) -> str:
    """A sentence as it stands inside another: no final full stop."""
    return text.rstrip(" ").removesuffix(".") if not text.endswith("..") else text


def _material(own: tuple[Passage, ...], kept: list[Candidate], language: str) -> Material:
    """What templates may insert: a statement is something to agree or disagree with, the narrator's only when there is nothing else."""
    said = (one for one in kept if one.kind != "fiction" and not asks(one.passage))
    lines = sorted(said, key=lambda one: (not claims(one.passage, language), -one.score))
    posed = tuple(("", one.text) for one in own[1:] if is_posed(one.text, language))
    arguable = [one for one in lines if claims(one.passage, language)]
    statements = [one for one in arguable if one.kind != "recit"] or ([] if posed else arguable)
    return {
        "question": tuple((voice_of(one, language), one.text) for one in own[1:]),
        "posed": posed,
        "quote": tuple(("", bare(one.passage.text)) for one in lines),
        "statement": tuple(("", one.passage.text) for one in statements),
        "fiction": (("", ""),) * any(one.kind == "fiction" for one in kept),
    }
