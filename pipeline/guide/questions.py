"""The questions of a first draft: those the episode asks, then templates that quote it, then templates without a quote.

Templates insert text only between quotation marks, so that gender, number and elision cannot go wrong.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.guide.document import ITEM, TEXT, GuideLine
from pipeline.guide.labels import FAMILIES, fill, load_labels, question_templates
from pipeline.guide.question_rules import is_choice, is_open, question_fault
from pipeline.guide.quotes import Excerpt
from pipeline.guide.ranking import Candidate, count_phrases, is_claim, voice_kind
from pipeline.transcript import is_placeholder_name

EPISODE_QUESTION_WORDS_MIN = 8
TemplateInserts = dict[str, tuple[tuple[str, str], ...]]  # a template's `about` value -> the (voice, quote) pairs it may insert
QUESTIONS_PER_FAMILY = {"understand": 2, "relate": 1, "debate": 2, "imagine": 1, "act": 1}


@dataclass(frozen=True)
class _Posed:
    """A question of the episode, and whether the series announces it as its own: « Notre question pour demain : … »."""

    question: Excerpt
    is_announced: bool


def episode_questions(all_sentences: Iterable[Excerpt], language: str = "fr") -> tuple[Excerpt, ...]:
    """Return the questions asked in the episode that a group can answer too, except those of fiction and archives.

    Those that the series announces as its own come first, then self-contained ones, then the narrator's before others', later ones
    before earlier ones (narrators sum up at the end). A question that another voice goes on to answer is not offered, nor one in which
    a guest says « tu » or « vous »: they address another guest, a narrator's the listener.
    """
    words = question_templates(language)["words"]
    candidates = [each for each in _posed_questions(tuple(all_sentences), language) if each.is_announced or _suits(each.question, language)]

    def priority(each: _Posed) -> tuple[object, ...]:
        text = each.question.text
        needs_context = count_phrases(text, words["pointing"]) or is_choice(text, language)
        return (not each.is_announced, needs_context, voice_kind(each.question.turn.voice) != "recit", -each.question.start_index)

    return tuple(each.question for each in sorted(candidates, key=priority))


def question_text(question: Excerpt) -> str:
    """Return a question as a sentence of its own: a capital, and a question mark where only its announcement said that it is one."""
    text = strip_full_stop(question.text)
    return f"{text[:1].upper()}{text[1:]}{'' if is_question(question) else '?'}"


def _posed_questions(sentences: Sequence[Excerpt], language: str) -> Iterator[_Posed]:
    """Yield the questions of the narration and of the people in it that nobody else answers."""
    words = question_templates(language)["words"]
    is_announcing = False
    for one, following in zip(sentences, [*sentences[1:], None], strict=False):
        says_so = count_phrases(one.text, words["announce"]) > 0
        tail = _after_colon(one) if says_so else None
        if voice_kind(one.turn.voice) in ("recit", "usagers"):
            if tail and (is_question(one) or is_open(tail.text, language)):
                yield _Posed(tail, is_announced=True)
            elif is_question(one) and (is_announcing or says_so or not _is_answered(one, following)):
                yield _Posed(one, is_announced=is_announcing or says_so)
        is_announcing = (says_so and not is_question(one)) or (is_announcing and is_question(one))  # « … deux questions. …? …? »


def _after_colon(sentence: Excerpt) -> Excerpt | None:
    """Return what a sentence says after its last colon; None when it has none."""
    places = [i for i, one in enumerate(sentence.words[:-1], 1) if one.word.text.rstrip("\u00a0\u202f ").endswith(":")]
    return Excerpt(sentence.words[places[-1] :], sentence.start_index + places[-1]) if places else None


def _is_answered(question: Excerpt, following: Excerpt | None) -> bool:
    """Whether somebody else speaks next, in the same passage or as a person who was asked."""
    if following is None or following.turn.voice.name == question.turn.voice.name:
        return False
    return following.turn.section == question.turn.section or voice_kind(following.turn.voice) == "usagers"


def _suits(question: Excerpt, language: str) -> bool:
    """Whether a group can answer a question that the episode asks in passing."""
    words = question_templates(language)["words"]
    return (
        len(question.text.split()) >= EPISODE_QUESTION_WORDS_MIN
        and is_open(question.text, language)
        and not count_phrases(question.text, words["greetings"])
        and not (voice_kind(question.turn.voice) == "usagers" and count_phrases(question.text, words["you"]))
    )


def draft_questions(
    from_episode: tuple[Excerpt, ...], chosen_clips: list[Candidate], topics: Sequence[str], language: str, skip: int
) -> dict[str, tuple[GuideLine, ...]]:
    """Draft questions by family. A quote is used once per guide; the framing question (`from_episode[0]`) is not repeated.

    `topics` are things the episode comes back to; the families take them in turn.
    """
    inserts = _template_inserts(from_episode, chosen_clips, language)
    used: set[str] = set()
    found = {}
    in_turn = ("debate", "relate", "understand", "imagine", "act")  # the order in which families take quotes: debates need them most
    for number, family in enumerate(in_turn):
        lines: list[GuideLine] = []
        turned = deque(("", each) for each in _capitalised(topics))
        turned.rotate(-number)
        for text, follow_up, quote in question_proposals(family, {**inserts, "topic": tuple(turned)}, language, skip):
            has_room = len(lines) < 2 * QUESTIONS_PER_FAMILY[family]
            if family == "debate" and quote and lines:
                continue  # one quoted question to take sides on, then a plain one that lets sceptics speak
            if has_room and strip_full_stop(quote) not in used and not any(line.text == follow_up for line in lines):
                used |= {strip_full_stop(quote)} - {""}
                lines += [GuideLine(TEXT, text), GuideLine(ITEM, follow_up)]
        found[family] = tuple(lines)
    return {family: found[family] for family in FAMILIES}


def question_proposals(family: str, inserts: TemplateInserts, language: str, skip: int = 0) -> tuple[tuple[str, str, str], ...]:
    """Return a family's proposals `(text, follow-up, quote)`: those with a quote, on a topic, and for any episode; the last two rotated.

    They are rotated by `skip`. A topic is no quote: it may come back in another family. Questions that break a rule
    (`question_rules.question_fault`) are dropped.
    """
    with_quote: list[tuple[str, str, str]] = []
    on_topic: list[tuple[str, str, str]] = []
    for_any: list[tuple[str, str, str]] = []
    for model in question_templates(language)[family]:
        about = model.get("about", "")
        if about == "topic":
            topics = inserts.get(about, ())
            pairs = topics[len(on_topic) % max(len(topics), 1) :][:1]
        else:
            pairs = inserts.get(about, ()) if about else (("", ""),)
        for voice, quote in pairs:
            text = fill(model["text"], voice=voice, quote=quote)
            if not question_fault(text, language):
                if about == "topic":
                    on_topic.append((text, model["follow_up"], ""))
                else:
                    (with_quote if about else for_any).append((text, model["follow_up"], quote))
    return (*with_quote, *_rotated(on_topic, skip), *_rotated(for_any, skip))


def _rotated(proposals: Sequence[tuple[str, str, str]], skip: int) -> tuple[tuple[str, str, str], ...]:
    start = skip % len(proposals) if proposals else 0
    return (*proposals[start:], *proposals[:start])


def _capitalised(phrases: Iterable[str]) -> list[str]:
    """Return phrases that open a question."""
    return [f"{each[:1].upper()}{each[1:]}" for each in phrases]


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
    posed = tuple(("", question_text(one)) for one in from_episode[1:] if is_choice(one.text, language))
    arguable = [one for one in ranked if is_claim(one.passage, language)]
    statements = [one for one in arguable if one.kind != "recit"] or ([] if posed else arguable)
    return {
        "question": tuple((speaker_label(one, language), question_text(one)) for one in from_episode[1:]),
        "posed": posed,
        "quote": tuple(("", strip_full_stop(one.passage.text)) for one in ranked),
        "statement": tuple(("", one.passage.text) for one in statements),
        "fiction": (("", ""),) * any(one.kind == "fiction" for one in chosen_clips),
    }
