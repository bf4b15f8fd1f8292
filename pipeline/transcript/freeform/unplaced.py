"""What of a source has no place in the transcript: names without speech, and lines kept as notes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.transcript import Note
from pipeline.transcript.freeform import quotes
from pipeline.transcript.freeform.source_lines import Remark, SourceLine

_WORD, _REWRITTEN_MARKS = re.compile(r"[^\W_]{2,}"), re.compile(r"(?i)\[voix off\]|narrateur *:|\d+:\d\d(?::\d\d)?")
_UNPLACED_NOTE = {"fr": "? à placer : {}", "en": "? to place: {}"}


def dropped_names(lines: Sequence[SourceLine], kept_text: str) -> Iterator[Remark]:
    """Report names alone on a line with no speech after them, when some of their words are nowhere in the kept text."""
    available = _count_words(kept_text)
    for line in lines:
        typed_words, typed = _count_words(line.source or f"{line.label} {line.text}"), line.source or line.text
        if typed_words - available and typed.rstrip().endswith(":"):
            yield Remark(line.number, typed.strip(), "a name with no speech after it; left out")
        available -= typed_words


def _count_words(text: str) -> Counter[str]:
    """Count the words, without times, “[voix off]” and “Narrateur :”, which are written differently in the editable text."""
    return Counter(_WORD.findall(_REWRITTEN_MARKS.sub(" ", text).casefold()))


def unplaced_note(remark: Remark, language: str) -> Note:
    """Return an unplaced line as a note in the text, so that nothing is lost."""
    template = _UNPLACED_NOTE["fr" if language.startswith("fr") else "en"]
    return Note(template.format(quotes.single_line(remark.text)), remark.line)
