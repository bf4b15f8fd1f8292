"""Suggestions of a language model for a draft: it chooses numbered sentences and writes questions; it never writes a quote.

Each item is checked separately; the program's own item replaces one that fails. A comment says where each item comes from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipeline.errors import CauserieError
from pipeline.guide.asking import PER_FAMILY, bare
from pipeline.guide.endpoint import JsonObject, ask
from pipeline.guide.labels import FAMILIES, fill, labels
from pipeline.guide.quotes import CLIP_MAX_S, Passage, Spoken, locate, tokens
from pipeline.guide.rules import count_words, fault
from pipeline.guide.text import ITEM, QUOTE, TEXT, Guide, Line, Section
from pipeline.model import GuideModel
from pipeline.text import printable, typographic

CLIPS_MIN, CLIPS_MAX, SENTENCES_MAX = 4, 6, 4
LIKE_ENOUGH = 90  # of 100: a typing error is corrected from the source; a paraphrase (79) or an invention (57) is refused
SENTENCES_SENT = 800  # about an hour and a half of speech
_QUOTED = re.compile(r"«\s*([^«»]*?)\s*»|“\s*([^“”]*?)\s*”")


def _object(**fields: object) -> JsonObject:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


_TEXT = {"type": "string"}
SCHEMA = _object(
    goal=_TEXT,
    clips={"type": "array", "items": _object(sentence_ids={"type": "array", "items": {"type": "integer"}}, intro=_TEXT)},
    questions={
        "type": "array",
        "items": _object(
            family={"type": "string", "enum": list(FAMILIES)}, text=_TEXT, about_sentence_id={"type": "integer"}, follow_up=_TEXT
        ),
    },
)


def suggested(guide: Guide, every: tuple[Passage, ...], model: GuideModel, language: str, kept: Path | None = None) -> tuple[Guide, str]:
    """Return the draft with the model's suggestions that pass the checks, and a sentence on the outcome."""
    words = labels(language)["origin"]
    answer, why = ask(model, messages(every, language), SCHEMA, kept)
    if answer is None:
        return guide, fill(words["failed"], model=printable(model.name), why=why)
    return merged(guide, answer, every, language), fill(words["answered"], model=printable(model.name))


def messages(every: tuple[Passage, ...], language: str) -> list[dict[str, str]]:
    """Return the messages of the request. The transcript is sent as JSON strings, so that no sentence can end its data."""
    said = [{"id": i, "voice": one.turn.voice.role, "text": one.text} for i, one in enumerate(every[:SENTENCES_SENT])]
    return [
        {"role": "system", "content": labels(language)["origin"]["prompt"]},
        {"role": "user", "content": json.dumps({"sentences": said}, ensure_ascii=False)},
    ]


def merged(guide: Guide, answer: JsonObject, every: tuple[Passage, ...], language: str) -> Guide:
    """Return the draft with the answer's items that pass the checks, and its own items for the rest."""
    words = labels(language)["origin"]
    spoken = tuple(word for one in every for word in one.spoken)
    ours = {section.key: tuple(replace(line, note=words["program"]) for line in section.lines) for section in guide.sections}
    theirs = {
        "goal": _goal(answer, spoken, ours.get("goal", ())),
        "clips": _clips(answer, every, spoken, ours.get("clips", ())),
        **_questions(answer, every, spoken, language, ours),
    }
    found = []
    for section in guide.sections:
        lines = theirs.get(section.key, section.lines)
        found.append(Section(section.key, tuple(_finished(line, words, language) for line in lines)))
    return replace(guide, sections=tuple(found))


def mended(text: object, spoken: tuple[Spoken, ...], words_max: int) -> str:
    """Return a model's line with its quotes corrected from the transcript; empty when it cannot be used."""
    line = " ".join(printable(text).split()) if isinstance(text, str) else ""
    if not tokens(line) or count_words(line) > words_max or "://" in line or "www." in line.casefold():
        return ""
    parts, at = list[str](), 0
    for match in _QUOTED.finditer(line):
        start, end = match.span(1 if match[1] is not None else 2)
        source = _source(line[start:end], spoken)
        if not source:
            return ""
        parts += [line[at:start], source if line[start:end].endswith(".") else bare(source)]
        at = end
    return "".join((*parts, line[at:]))


def _source(quote: str, spoken: tuple[Spoken, ...]) -> str:
    """Return the transcript's words for an exact or nearly exact quote; empty when there are none."""
    from rapidfuzz import fuzz

    try:
        return locate(quote, spoken, "").text
    except CauserieError:
        pass
    wanted = tokens(quote)
    text = [(token, i) for i, one in enumerate(spoken) for token in tokens(one.word.text)]
    if len(wanted) < 3 or len(text) < len(wanted):
        return ""
    said = " ".join(wanted)
    windows = (text[i : i + len(wanted)] for i in range(len(text) - len(wanted) + 1))
    score, window = max(
        ((fuzz.ratio(said, " ".join(token for token, _ in window)), window) for window in windows), key=lambda pair: pair[0]
    )
    return Passage(spoken[window[0][1] : window[-1][1] + 1], 0).text.rstrip(" ,;:") if score >= LIKE_ENOUGH else ""


def _goal(answer: JsonObject, spoken: tuple[Spoken, ...], ours: tuple[Line, ...]) -> tuple[Line, ...]:
    goal = mended(answer.get("goal"), spoken, 40)
    return (Line(TEXT, goal, note="model"), *ours[1:]) if goal and ours else ours


def _clips(answer: JsonObject, every: tuple[Passage, ...], spoken: tuple[Spoken, ...], ours: tuple[Line, ...]) -> tuple[Line, ...]:
    """Return the model's valid clips, then the program's up to `CLIPS_MIN`, without duplicates."""
    found: list[tuple[Line, Line]] = []
    for one in _list(answer, "clips"):
        text = mended(one.get("intro"), spoken, 25)
        passage = _run(one.get("sentence_ids"), every)
        if passage and text and len(found) < CLIPS_MAX:
            lines = "\n".join(" ".join(words.split()) for _, words in passage.lines())
            found.append((Line(TEXT, text, note="model"), Line(QUOTE, lines)))
    for intro, quote in zip(ours[::2], ours[1::2], strict=False):
        if len(found) < CLIPS_MIN and not any(_shared(quote.text, other.text) for _, other in found):
            found.append((intro, replace(quote, note="")))
    return tuple(line for pair in _apart(found) for line in pair)


def _apart(pairs: Iterable[tuple[Line, Line]]) -> list[tuple[Line, Line]]:
    kept: list[tuple[Line, Line]] = []
    for pair in pairs:
        if not any(_shared(pair[1].text, other.text) for _, other in kept):
            kept.append(pair)
    return kept


def _shared(a: str, b: str) -> bool:
    """Whether one quote contains the other."""
    a, b = (f" {' '.join(tokens(text))} " for text in (a, b))
    return a in b or b in a


def _run(ids: object, every: tuple[Passage, ...]) -> Passage | None:
    """Return the sentences with those ids as one excerpt, when they exist, are consecutive and are short enough for a clip."""
    if not (isinstance(ids, list) and 0 < len(ids) <= SENTENCES_MAX and all(type(one) is int for one in ids)):
        return None
    if ids != list(range(ids[0], ids[0] + len(ids))) or not 0 <= ids[0] <= ids[-1] < len(every):
        return None
    passage = Passage(tuple(word for i in ids for word in every[i].spoken), every[ids[0]].first)
    return passage if passage.duration_s <= CLIP_MAX_S else None


def _questions(
    answer: JsonObject, every: tuple[Passage, ...], spoken: tuple[Spoken, ...], language: str, ours: dict[str, tuple[Line, ...]]
) -> dict[str, tuple[Line, ...]]:
    """Return by family the model's questions that pass the rules, then the program's; one debate question stays the program's."""
    found: dict[str, list[Line]] = {family: [] for family in FAMILIES}
    for one in _list(answer, "questions"):
        family, about = one.get("family"), one.get("about_sentence_id")
        text, follow_up = (mended(one.get(key), spoken, 25) for key in ("text", "follow_up"))
        real = type(about) is int and 0 <= about < len(every)
        if family in found and real and text and follow_up and text.endswith(("?", "»", "”", ".")) and not fault(text, language):
            room = 2 * (PER_FAMILY[family] - (family == "debate"))
            found[family] += [Line(TEXT, text, note="model"), Line(ITEM, follow_up)] if len(found[family]) < room else []
    filled = {}
    for family, lines in found.items():
        own = ours.get(family, ())
        missing = 2 * PER_FAMILY[family] - len(lines)
        kept = own[-missing:] if missing else ()  # the last of a family has no quote and lets sceptics speak
        filled[family] = (*lines, *(replace(line, note=line.note if line.kind == TEXT else "") for line in kept))
    return filled


def _list(answer: JsonObject, key: str) -> list[JsonObject]:
    items = answer.get(key)
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _finished(line: Line, words: dict[str, str], language: str) -> Line:
    text = "\n".join(typographic(part, language) for part in line.text.split("\n"))
    note = words["model"] if line.note == "model" else line.note if line.kind == TEXT else ""
    return replace(line, text=text, note=note)
