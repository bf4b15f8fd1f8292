"""The questions of a first draft: those the episode asks, then templates that quote it, then templates without a quote.

Templates insert text only between quotation marks, so that gender, number and elision cannot go wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.guide.document import ITEM, TEXT, GuideLine
from pipeline.guide.labels import FAMILIES, fill, load_labels, question_templates
from pipeline.guide.question_rules import is_choice, is_open, question_fault
from pipeline.guide.quotes import Excerpt
from pipeline.guide.ranking import Candidate, count_phrases, is_claim, voice_kind
from pipeline.transcript import is_placeholder_name

EPISODE_QUESTION_WORDS_MIN = 8
TemplateInserts = dict[str, tuple[tuple[str, str], ...]]  # a template's `about` value -> the (voice, quote) pairs it may insert
QUESTIONS_PER_FAMILY = {"understand": 2, "relate": 1, "debate": 2, "imagine": 1, "act": 1}


def episode_questions(all_sentences: Iterable[Excerpt], language: str = "fr") -> tuple[Excerpt, ...]:
    """Return the questions asked in the episode that a group can answer too, except those of fiction and archives.

    Self-contained questions come first, then the narrator's before others', later ones before earlier ones (narrators sum up at the
    end). Questions in which a guest says « tu » or « vous » are skipped: they address another guest, a narrator's the listener.
    """
    words = question_templates(language)["words"]
    candidates = [
        one
        for one in all_sentences
        if is_question(one)
        and len(one.text.split()) >= EPISODE_QUESTION_WORDS_MIN
        and is_open(one.text, language)
        and voice_kind(one.turn.voice.role) in ("recit", "usagers")
        and not count_phrases(one.text, words["greetings"])
        and not (voice_kind(one.turn.voice.role) == "usagers" and count_phrases(one.text, words["you"]))
    ]
    priorities = {one.start_index: count_phrases(one.text, words["pointing"]) or is_choice(one.text, language) for one in candidates}
    return tuple(
        sorted(candidates, key=lambda one: (priorities[one.start_index], voice_kind(one.turn.voice.role) != "recit", -one.start_index))
    )


def draft_questions(
    from_episode: tuple[Excerpt, ...], chosen_clips: list[Candidate], language: str, skip: int
) -> dict[str, tuple[GuideLine, ...]]:
    """Draft questions by family. A quote is used once per guide; the framing question (`from_episode[0]`) is not repeated."""
    inserts = _template_inserts(from_episode, chosen_clips, language)
    used: set[str] = set()
    found = {}
    for family in ("debate", "relate", "understand", "imagine", "act"):  # the order in which families take quotes: debates need them most
        lines: list[GuideLine] = []
        for text, follow_up, quote in question_proposals(family, inserts, language, skip):
            has_room = len(lines) < 2 * QUESTIONS_PER_FAMILY[family]
            if family == "debate" and quote and lines:
                continue  # one quoted question to take sides on, then a plain one that lets sceptics speak
            if has_room and strip_full_stop(quote) not in used and not any(line.text == follow_up for line in lines):
                used |= {strip_full_stop(quote)} - {""}
                lines += [GuideLine(TEXT, text), GuideLine(ITEM, follow_up)]
        found[family] = tuple(lines)
    return {family: found[family] for family in FAMILIES}


def question_proposals(family: str, inserts: TemplateInserts, language: str, skip: int = 0) -> tuple[tuple[str, str, str], ...]:
    """Return a family's proposals `(text, follow-up, quote)`: those with a quote, then the others, rotated by `skip`.

    Questions that break a rule (`question_rules.question_fault`) are dropped.
    """
    with_quote: list[tuple[str, str, str]] = []
    without_quote: list[tuple[str, str, str]] = []
    for model in question_templates(language)[family]:
        about = model.get("about", "")
        for voice, quote in inserts.get(about, ()) if about else (("", ""),):
            text = fill(model["text"], voice=voice, quote=quote)
            if not question_fault(text, language):
                (with_quote if about else without_quote).append((text, model["follow_up"], quote))
    start = skip % len(without_quote) if without_quote else 0
    return (*with_quote, *without_quote[start:], *without_quote[:start])


def speaker_label(excerpt: Excerpt, language: str) -> str:
    """Return the voice's label or name; for a voice without a name, the words for “the episode”."""
    voice = excerpt.turn.voice
    return voice.label or ("" if is_placeholder_name(voice.name) else voice.name) or load_labels(language)["draft"]["episode"]


def is_question(excerpt: Excerpt) -> bool:
    """Whether the excerpt ends as a question."""
    return excerpt.text.rstrip(' \u00a0\u202f»”"').endswith("?")


def strip_full_stop(text: str) -> str:
    """Return a sentence without its final full stop, for use inside another sentence."""
    return text.rstrip(" ").removesuffix(".") if not text.endswith("..") else text


def _template_inserts(from_episode: tuple[Excerpt, ...], chosen_clips: list[Candidate], language: str) -> TemplateInserts:
    """Return what templates may insert. Statements are claims to debate; the narrator's only when there are no others."""
    statements_said = (one for one in chosen_clips if one.kind != "fiction" and not is_question(one.passage))
    ranked = sorted(statements_said, key=lambda one: (not is_claim(one.passage, language), -one.score))
    posed = tuple(("", one.text) for one in from_episode[1:] if is_choice(one.text, language))
    arguable = [one for one in ranked if is_claim(one.passage, language)]
    statements = [one for one in arguable if one.kind != "recit"] or ([] if posed else arguable)
    return {
        "question": tuple((speaker_label(one, language), one.text) for one in from_episode[1:]),
        "posed": posed,
        "quote": tuple(("", strip_full_stop(one.passage.text)) for one in ranked),
        "statement": tuple(("", one.passage.text) for one in statements),
        "fiction": (("", ""),) * any(one.kind == "fiction" for one in chosen_clips),
    }
