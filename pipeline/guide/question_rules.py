"""Rules for questions that a group can answer, checked on drafted and on hand-written questions alike.

Sources: common practice of facilitators' guides (open questions, one idea, experience before opinion, room for sceptics), and how
much listeners remember of a sentence read aloud once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.guide.document import Guide, family_questions
from pipeline.guide.labels import fold, load_labels, question_templates
from pipeline.guide.quotes import tokens
from pipeline.guide.ranking import count_phrases
from pipeline.model import suggest, terminal_safe

QUESTION_WORDS_MAX = 25
_QUOTED = re.compile(r"«[^»]*»|“[^”]*”")


def count_words(text: str) -> int:
    """Count the words; those joined by an apostrophe or a hyphen are one."""
    return len(re.findall(r"\w[\w’'-]*", text))


def is_open(text: str, language: str) -> bool:
    """Whether a question is open: an interrogative among its first three words, and no yes-or-no opening such as « Est-ce que… »."""
    words = question_templates(language)["words"]
    text_tokens = tokens(text)
    closed = any(text_tokens[: len(tokens(opening))] == tokens(opening) for opening in words["closed"])
    return not closed and (bool({*words["open"]} & set(text_tokens[:3])) or is_choice(text, language))


def is_choice(text: str, language: str) -> bool:
    """Whether a question asks to take sides: « Faut-il… ? »."""
    text_tokens = tokens(text)
    return any(text_tokens[: len(tokens(opening))] == tokens(opening) for opening in question_templates(language)["words"]["posed"])


def question_fault(text: str, language: str) -> str:
    """Return what is wrong with a question, as the end of a sentence; empty when nothing is."""
    if (words := count_words(text)) > QUESTION_WORDS_MAX:
        return f"has {words} words; write {QUESTION_WORDS_MAX} at most: it is read aloud once"
    sub_questions = [part for part in re.findall(r"[^.!?…]*\?", _QUOTED.sub("", text)) if tokens(part)]
    if len(sub_questions) > 1:
        return "asks two things; split it: a group answers only the second"
    closed = question_templates(language)["words"]["closed"]
    if any(tokens(part)[: len(tokens(opening))] == tokens(opening) for part in sub_questions for opening in closed):
        return "can be answered with yes or no; start with how, what or who"
    return ""


def guide_warnings(guide: Guide, language: str, summary: str = "") -> Iterator[tuple[int, str]]:
    """Yield (line, message) for each question to rewrite, and for each instruction whose meeting part is unknown."""
    yield from _question_warnings(guide, language, summary)
    parts = [fold(part) for part in load_labels(language)["parts"].values()]
    for line in guide.lines("words"):
        part, _, instruction = line.text.partition(":")
        if fold(part) not in parts or not instruction.strip():
            hint = suggest(fold(part), parts)
            yield (
                line.number,
                f"“{terminal_safe(part)[:60].strip()}” is not a part of the meeting, so its words are printed nowhere: {hint}",
            )


def _question_warnings(guide: Guide, language: str, summary: str) -> Iterator[tuple[int, str]]:
    words = question_templates(language)["words"]
    summary_tokens = set(tokens(summary))
    for family in ("understand", "relate", "debate", "imagine", "act"):
        for one in family_questions(guide, family):
            if problem := question_fault(one.text, language):
                yield one.number, f"the question {problem}"
            plain = set(tokens(_QUOTED.sub("", one.text))) - set(words["open"])
            if family == "understand" and len(plain) > 3 and plain <= summary_tokens:
                yield one.number, "the question is answered by the episode's summary; ask something else"
            action_details = sum(count_phrases(one.text, words[key]) > 0 for key in ("who", "when", "support"))
            if family == "act" and action_details < 2 and not count_phrases(one.text, words["nothing"]):
                yield one.number, "the question asks for action; say who, when, or with what support"
    if (debate_questions := family_questions(guide, "debate")) and not any(
        count_phrases(f"{one.text} {' '.join(one.follow_ups)}", words["sceptic"]) for one in debate_questions
    ):
        yield debate_questions[0].number, "no debate question gives sceptics a voice; ask what would be lost"
