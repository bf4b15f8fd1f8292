"""What only a person can say about a transcript: whose words an insert holds, what the role of a voice is. Pure.

A question is asked once, where it first arises, and goes away when the text answers it: with a heading, a name, or a role in the
front matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.model import CauserieError
from pipeline.transcript import (
    Insert,
    Paragraph,
    Section,
    Transcript,
    is_narrating,
    parse_transcript,
    section_role,
)
from pipeline.transcript.freeform.introductions import name_before_words, name_in_words
from pipeline.transcript.freeform.labels import fold_name

_EXCERPT_CHARS = 40


@dataclass(frozen=True)
class OpenQuestion:
    """A question about a line, and how the text answers it."""

    line: int
    message: str
    hint: str


def open_questions(text: str, where: str = "") -> tuple[OpenQuestion, ...]:
    """The open questions of a transcript, sorted by line; none for a text with mistakes, which are reported by the parser."""
    try:
        transcript = parse_transcript(text, where)
    except CauserieError:
        return ()
    return tuple(sorted((*_inserts(transcript), *_voices(transcript), *_narrators(transcript)), key=lambda question: question.line))


def _inserts(transcript: Transcript) -> Iterator[OpenQuestion]:
    """Inserts without a name, where no heading says what they are."""
    for section, block in _with_sections(transcript):
        if isinstance(block, Insert) and not _gives_role(section) and not any(part.voice for part in block.paragraphs):
            first = block.paragraphs[0]
            hint = "name the voice («\u202fNom : …\u202f»), or put ## Archive, ## Témoignage or ## Micro-trottoir before it"
            yield OpenQuestion(first.line, f"who says “{_excerpt(first.text)}”?", hint)


def _voices(transcript: Transcript) -> Iterator[OpenQuestion]:
    """Voices outside inserts that neither a heading nor the front matter gives a role; in a plain conversation nothing is open."""
    narrated = any(isinstance(block, Paragraph) and not block.voice and _is_speech(block.text) for block in transcript.blocks)
    if not narrated:
        return
    known = {voice.key for voice in transcript.voices if voice.role or voice.person}
    for section, block in _with_sections(transcript):
        if isinstance(block, Paragraph) and block.voice and block.voice not in known and not _gives_role(section):
            known.add(block.voice)
            hint = f'put ## Entretien or ## Fiction before it, or declare it: [voices."{block.voice}"] with role = "témoignage"'
            yield OpenQuestion(block.line, f"what is “{block.voice}” here: a witness, a guest, a character?", hint)


def _narrators(transcript: Transcript) -> Iterator[OpenQuestion]:
    """Narration that starts with a name, « Anne Petit, directrice. Nous… », or gives another than the narrator's."""
    first = ""
    for block in transcript.blocks:
        if not isinstance(block, Paragraph) or block.voice:
            continue
        before, inside = name_before_words(block.text), fold_name(name_in_words(block.text))
        if before or (first and inside and inside != first):
            name = before or name_in_words(block.text)
            hint = f"write “{name} :” before it, or quote it with « … »"
            yield OpenQuestion(block.line, f"“{name}” gives a name in the narration: is it another voice?", hint)
        first = first or inside


def _with_sections(transcript: Transcript) -> Iterator[tuple[str, Paragraph | Insert]]:
    section = ""
    for block in transcript.blocks:
        if isinstance(block, Section):
            section = block.label
        elif isinstance(block, (Paragraph, Insert)):
            yield section, block


def _gives_role(section: str) -> bool:
    role = section_role(section)
    return bool(role) and not is_narrating(role)


def _is_speech(text: str) -> bool:
    return re.search(r"\w", re.sub(r"\[[^\[\]]*\]", "", text)) is not None


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT_CHARS else f"{text[: _EXCERPT_CHARS - 1].rstrip()}…"
