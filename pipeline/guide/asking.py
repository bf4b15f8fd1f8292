"""The questions of a first draft: those the episode asks, then templates that quote it, then templates without a quote.

Templates insert text only between quotation marks, so that gender, number and elision cannot go wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.guide.labels import FAMILIES, fill, labels, templates
from pipeline.guide.quotes import Passage
from pipeline.guide.rules import fault, is_open, is_posed
from pipeline.guide.score import Candidate, claims, kind, says
from pipeline.guide.text import ITEM, TEXT, Line

OWN_QUESTION_WORDS_MIN = 8
Material = dict[str, tuple[tuple[str, str], ...]]  # a template's `about` value -> the (voice, quote) pairs it may insert
PER_FAMILY = {"understand": 2, "relate": 1, "debate": 2, "imagine": 1, "act": 1}


def own_questions(every: Iterable[Passage], language: str = "fr") -> tuple[Passage, ...]:
    """Return the questions asked in the episode that a group can answer too, except those of fiction and archives.

    Self-contained questions come first, then the narrator's before others', later ones before earlier ones (narrators sum up at the
    end). Questions in which a guest says « tu » or « vous » are skipped: they address another guest, a narrator's the listener.
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
    """Draft questions by family. A quote is used once per guide; the framing question (`from_episode[0]`) is not repeated."""
    material = _material(own, kept, language)
    used: set[str] = set()
    found = {}
    for family in ("debate", "relate", "understand", "imagine", "act"):  # the order in which families take quotes: debates need them most
        lines: list[Line] = []
        for asked, follow_up, quote in question(family, material, language, skip):
            room = len(lines) < 2 * PER_FAMILY[family]
            if family == "debate" and quote and lines:
                continue  # one quoted question to take sides on, then a plain one that lets sceptics speak
            if room and bare(quote) not in used and not any(line.text == follow_up for line in lines):
                used |= {bare(quote)} - {""}
                lines += [Line(TEXT, asked), Line(ITEM, follow_up)]
        found[family] = tuple(lines)
    return {family: found[family] for family in FAMILIES}


def question(family: str, material: Material, language: str, skip: int = 0) -> tuple[tuple[str, str, str], ...]:
    """Return a family's proposals `(text, follow-up, quote)`: those with a quote, then the others, rotated by `skip`.

    Questions that break a rule (`question_rules.question_fault`) are dropped.
    """
    quoting: list[tuple[str, str, str]] = []
    plain: list[tuple[str, str, str]] = []
    for model in templates(language)[family]:
        about = model.get("about", "")
        for voice, quote in material.get(about, ()) if about else (("", ""),):
            asked = fill(model["text"], voice=voice, quote=quote)
            if not fault(asked, language):
                (quoting if about else plain).append((asked, model["follow_up"], quote))
    turned = skip % len(plain) if plain else 0
    return (*quoting, *plain[turned:], *plain[:turned])


def voice_of(passage: Passage, language: str) -> str:
    """Return the voice's label or name; for a voice without a name, the words for “the episode”."""
    voice = passage.turn.voice
    return voice.label or ("" if is_numbered(voice.name) else voice.name) or labels(language)["draft"]["episode"]


def is_numbered(name: str) -> bool:
    """Whether the name is only the number that a transcript gives an unnamed voice: « Voix 2 »."""
    first, _, rest = name.partition(" ")
    return first in ("Voix", "Voice") and rest.isdigit()


def asks(passage: Passage) -> bool:
    """Whether the excerpt ends as a question."""
    return passage.text.rstrip(' \u00a0\u202f»”"').endswith("?")


def bare(text: str) -> str:
    """Return a sentence without its final full stop, for use inside another sentence."""
    return text.rstrip(" ").removesuffix(".") if not text.endswith("..") else text


def _material(own: tuple[Passage, ...], kept: list[Candidate], language: str) -> Material:
    """Return what templates may insert. Statements are claims to debate; the narrator's only when there are no others."""
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
