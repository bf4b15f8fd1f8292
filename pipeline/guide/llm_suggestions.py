"""Suggestions of a language model for a draft: it chooses numbered sentences and writes questions; it never writes a quote.

Each item is checked separately; the program's own item replaces one that fails. A comment says where each item comes from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipeline.guide.document import ITEM, QUOTE, TEXT, Guide, GuideLine, GuideSection
from pipeline.guide.labels import FAMILIES, fill, load_labels
from pipeline.guide.llm_client import JsonObject, request_completion
from pipeline.guide.question_rules import count_words, question_fault
from pipeline.guide.questions import QUESTIONS_PER_FAMILY, strip_full_stop
from pipeline.guide.quotes import CLIP_MAX_S, Excerpt, SpokenWord, locate, tokens
from pipeline.model import CauserieError, GuideModel, apply_typography, terminal_safe

CLIPS_MIN, CLIPS_MAX, SENTENCES_MAX = 4, 6, 4
QUOTE_SIMILARITY_MIN = 90  # of 100: a typing error is corrected from the source; a paraphrase (79) or an invention (57) is refused
SENTENCES_SENT_MAX = 800  # about an hour and a half of speech
_QUOTED = re.compile(r"«\s*([^«»]*?)\s*»|“\s*([^“”]*?)\s*”")


def _object_schema(**fields: object) -> JsonObject:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


_TEXT = {"type": "string"}
RESPONSE_SCHEMA = _object_schema(
    goal=_TEXT,
    clips={"type": "array", "items": _object_schema(sentence_ids={"type": "array", "items": {"type": "integer"}}, intro=_TEXT)},
    questions={
        "type": "array",
        "items": _object_schema(
            family={"type": "string", "enum": list(FAMILIES)}, text=_TEXT, about_sentence_id={"type": "integer"}, follow_up=_TEXT
        ),
    },
)


def apply_suggestions(
    guide: Guide, all_sentences: tuple[Excerpt, ...], model: GuideModel, language: str, cache_folder: Path | None = None
) -> tuple[Guide, str]:
    """Return the draft with the model's suggestions that pass the checks, and a sentence on the outcome."""
    words = load_labels(language)["origin"]
    answer, reason = request_completion(model, build_messages(all_sentences, language), RESPONSE_SCHEMA, cache_folder)
    if answer is None:
        return guide, fill(words["failed"], model=terminal_safe(model.name), why=reason)
    return merge_answer(guide, answer, all_sentences, language), fill(words["answered"], model=terminal_safe(model.name))


def build_messages(all_sentences: tuple[Excerpt, ...], language: str) -> list[dict[str, str]]:
    """Return the messages of the request. The transcript is sent as JSON strings, so that no sentence can end its data."""
    numbered = [{"id": i, "voice": one.turn.voice.role, "text": one.text} for i, one in enumerate(all_sentences[:SENTENCES_SENT_MAX])]
    return [
        {"role": "system", "content": load_labels(language)["origin"]["prompt"]},
        {"role": "user", "content": json.dumps({"sentences": numbered}, ensure_ascii=False)},
    ]


def merge_answer(guide: Guide, answer: JsonObject, all_sentences: tuple[Excerpt, ...], language: str) -> Guide:
    """Return the draft with the answer's items that pass the checks, and its own items for the rest."""
    words = load_labels(language)["origin"]
    spoken = tuple(word for one in all_sentences for word in one.words)
    program_lines = {section.key: tuple(replace(line, note=words["program"]) for line in section.lines) for section in guide.sections}
    model_lines = {
        "goal": _goal(answer, spoken, program_lines.get("goal", ())),
        "clips": _clips(answer, all_sentences, spoken, program_lines.get("clips", ())),
        **_questions(answer, all_sentences, spoken, language, program_lines),
    }
    found = []
    for section in guide.sections:
        lines = model_lines.get(section.key, section.lines)
        found.append(GuideSection(section.key, tuple(_typeset(line, words, language) for line in lines)))
    return replace(guide, sections=tuple(found))


def restore_quotes(text: object, spoken: tuple[SpokenWord, ...], words_max: int) -> str:
    """Return a model's line with its quotes corrected from the transcript; empty when it cannot be used."""
    line = " ".join(terminal_safe(text).split()) if isinstance(text, str) else ""
    if not tokens(line) or count_words(line) > words_max or "://" in line or "www." in line.casefold():
        return ""
    parts, position = list[str](), 0
    for match in _QUOTED.finditer(line):
        start, end = match.span(1 if match[1] is not None else 2)
        source = _closest_source(line[start:end], spoken)
        if not source:
            return ""
        parts += [line[position:start], source if line[start:end].endswith(".") else strip_full_stop(source)]
        position = end
    return "".join((*parts, line[position:]))


def _closest_source(quote: str, spoken: tuple[SpokenWord, ...]) -> str:
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
    wanted_text = " ".join(wanted)
    windows = (text[i : i + len(wanted)] for i in range(len(text) - len(wanted) + 1))
    score, window = max(
        ((fuzz.ratio(wanted_text, " ".join(token for token, _ in window)), window) for window in windows), key=lambda pair: pair[0]
    )
    return Excerpt(spoken[window[0][1] : window[-1][1] + 1], 0).text.rstrip(" ,;:") if score >= QUOTE_SIMILARITY_MIN else ""


def _goal(answer: JsonObject, spoken: tuple[SpokenWord, ...], program_lines: tuple[GuideLine, ...]) -> tuple[GuideLine, ...]:
    goal = restore_quotes(answer.get("goal"), spoken, 40)
    return (GuideLine(TEXT, goal, note="model"), *program_lines[1:]) if goal and program_lines else program_lines


def _clips(
    answer: JsonObject, all_sentences: tuple[Excerpt, ...], spoken: tuple[SpokenWord, ...], program_lines: tuple[GuideLine, ...]
) -> tuple[GuideLine, ...]:
    """Return the model's valid clips, then the program's up to `CLIPS_MIN`, without duplicates."""
    found: list[tuple[GuideLine, GuideLine]] = []
    for one in _dict_items(answer, "clips"):
        text = restore_quotes(one.get("intro"), spoken, 25)
        passage = _consecutive_excerpt(one.get("sentence_ids"), all_sentences)
        if passage and text and len(found) < CLIPS_MAX:
            lines = "\n".join(" ".join(words.split()) for _, words in passage.voice_lines())
            found.append((GuideLine(TEXT, text, note="model"), GuideLine(QUOTE, lines)))
    for intro, quote in zip(program_lines[::2], program_lines[1::2], strict=False):
        if len(found) < CLIPS_MIN and not any(_contains_either(quote.text, other.text) for _, other in found):
            found.append((intro, replace(quote, note="")))
    return tuple(line for pair in _without_overlaps(found) for line in pair)


def _without_overlaps(pairs: Iterable[tuple[GuideLine, GuideLine]]) -> list[tuple[GuideLine, GuideLine]]:
    kept: list[tuple[GuideLine, GuideLine]] = []
    for pair in pairs:
        if not any(_contains_either(pair[1].text, other.text) for _, other in kept):
            kept.append(pair)
    return kept


def _contains_either(a: str, b: str) -> bool:
    """Whether one quote contains the other."""
    a, b = (f" {' '.join(tokens(text))} " for text in (a, b))
    return a in b or b in a


def _consecutive_excerpt(ids: object, all_sentences: tuple[Excerpt, ...]) -> Excerpt | None:
    """Return the sentences with those ids as one excerpt, when they exist, are consecutive and are short enough for a clip."""
    if not (isinstance(ids, list) and 0 < len(ids) <= SENTENCES_MAX and all(type(one) is int for one in ids)):
        return None
    if ids != list(range(ids[0], ids[0] + len(ids))) or not 0 <= ids[0] <= ids[-1] < len(all_sentences):
        return None
    passage = Excerpt(tuple(word for i in ids for word in all_sentences[i].words), all_sentences[ids[0]].start_index)
    is_whole = passage.end_index == all_sentences[ids[-1]].end_index  # a doubtful sentence between two others was not sent
    return passage if is_whole and passage.duration_s <= CLIP_MAX_S else None


def _questions(
    answer: JsonObject,
    all_sentences: tuple[Excerpt, ...],
    spoken: tuple[SpokenWord, ...],
    language: str,
    program_lines: dict[str, tuple[GuideLine, ...]],
) -> dict[str, tuple[GuideLine, ...]]:
    """Return by family the model's questions that pass the rules, then the program's; one debate question stays the program's."""
    found: dict[str, list[GuideLine]] = {family: [] for family in FAMILIES}
    for one in _dict_items(answer, "questions"):
        family, about = one.get("family"), one.get("about_sentence_id")
        text, follow_up = (restore_quotes(one.get(key), spoken, 25) for key in ("text", "follow_up"))
        is_valid_id = type(about) is int and 0 <= about < len(all_sentences)
        if (
            family in found
            and is_valid_id
            and text
            and follow_up
            and text.endswith(("?", "»", "”", "."))
            and not question_fault(text, language)
        ):
            lines_max = 2 * (QUESTIONS_PER_FAMILY[family] - (family == "debate"))
            found[family] += [GuideLine(TEXT, text, note="model"), GuideLine(ITEM, follow_up)] if len(found[family]) < lines_max else []
    filled = {}
    for family, lines in found.items():
        own = program_lines.get(family, ())
        missing = 2 * QUESTIONS_PER_FAMILY[family] - len(lines)
        kept = own[-missing:] if missing else ()  # the last of a family has no quote and lets sceptics speak
        filled[family] = (*lines, *(replace(line, note=line.note if line.kind == TEXT else "") for line in kept))
    return filled


def _dict_items(answer: JsonObject, key: str) -> list[JsonObject]:
    items = answer.get(key)
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _typeset(line: GuideLine, words: dict[str, str], language: str) -> GuideLine:
    text = "\n".join(apply_typography(part, language) for part in line.text.split("\n"))
    note = words["model"] if line.note == "model" else line.note if line.kind == TEXT else ""
    return replace(line, text=text, note=note)
