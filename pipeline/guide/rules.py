"""Rules for questions that a group can answer, checked on drafted and on hand-written questions alike.

Sources: common practice of facilitators' guides (open questions, one idea, experience before opinion, room for sceptics), and how
much listeners remember of a sentence read aloud once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.guide.labels import fold, labels, templates
from pipeline.guide.quotes import tokens
from pipeline.guide.score import says
from pipeline.guide.text import Guide, questions
from pipeline.text import nearest, printable

QUESTION_WORDS_MAX = 25
_QUOTED = re.compile(r"«[^»]*»|“[^”]*”")


def count_words(text: str) -> int:
    """Count the words; those joined by an apostrophe or a hyphen are one."""
    return len(re.findall(r"\w[\w’'-]*", text))


def is_open(text: str, language: str) -> bool:
    """Whether a question is open: an interrogative among its first three words, and no yes-or-no opening such as « Est-ce que… »."""
    words = templates(language)["words"]
    said = tokens(text)
    closed = any(said[: len(tokens(way))] == tokens(way) for way in words["closed"])
    return not closed and (bool({*words["open"]} & set(said[:3])) or is_posed(text, language))


def is_posed(text: str, language: str) -> bool:
    """Whether a question asks to take sides: « Faut-il… ? »."""
    said = tokens(text)
    return any(said[: len(tokens(way))] == tokens(way) for way in templates(language)["words"]["posed"])


def fault(text: str, language: str) -> str:
    """Return what is wrong with a question, as the end of a sentence; empty when nothing is."""
    if (words := count_words(text)) > QUESTION_WORDS_MAX:
        return f"has {words} words; write {QUESTION_WORDS_MAX} at most: it is read aloud once"
    asked = [part for part in re.findall(r"[^.!?…]*\?", _QUOTED.sub("", text)) if tokens(part)]
    if len(asked) > 1:
        return "asks two things; split it: a group answers only the second"
    closed = templates(language)["words"]["closed"]
    if any(tokens(part)[: len(tokens(way))] == tokens(way) for part in asked for way in closed):
        return "can be answered with yes or no; start with how, what or who"
    return ""


def advice(guide: Guide, language: str, summary: str = "") -> Iterator[tuple[int, str]]:
    """Yield (line, message) for each question to rewrite, and for each instruction whose meeting part is unknown."""
    yield from _questions(guide, language, summary)
    parts = [fold(part) for part in labels(language)["parts"].values()]
    for line in guide.lines("words"):
        part, _, said = line.text.partition(":")
        if fold(part) not in parts or not said.strip():
            known = nearest(fold(part), parts)
            yield line.number, f"“{printable(part)[:60].strip()}” is not a part of the meeting, so its words are printed nowhere: {known}"


def _questions(guide: Guide, language: str, summary: str) -> Iterator[tuple[int, str]]:
    words = templates(language)["words"]
    known = set(tokens(summary))
    for family in ("understand", "relate", "debate", "imagine", "act"):
        for one in questions(guide, family):
            if wrong := fault(one.text, language):
                yield one.number, f"the question {wrong}"
            plain = set(tokens(_QUOTED.sub("", one.text))) - set(words["open"])
            if family == "understand" and len(plain) > 3 and plain <= known:
                yield one.number, "the question is answered by the episode's summary; ask something else"
            asks = sum(says(one.text, words[key]) > 0 for key in ("who", "when", "support"))
            if family == "act" and asks < 2 and not says(one.text, words["nothing"]):
                yield one.number, "the question asks for action; say who, when, or with what support"
    if (asked := questions(guide, "debate")) and not any(says(f"{one.text} {' '.join(one.follow_ups)}", words["sceptic"]) for one in asked):
        yield asked[0].number, "no debate question gives sceptics a voice; ask what would be lost"
