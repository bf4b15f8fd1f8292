"""Account for every word of a source: it is in the transcript, or it is reported. No input or output."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pipeline.transcript import Insert, Note, Paragraph, Section, Transcript
from pipeline.transcript.freeform.labels import fold_name
from pipeline.transcript.freeform.source_lines import Remark, SourceLine
from pipeline.transcript.freeform.speakers import NARRATOR_LABELS

_WORD = re.compile(r"[^\W_]+")
_CUE = re.compile(r"(?i)[\[(]\s*voix[- ]off\b|\d+:\d\d(?::\d\d)?(?:[.,]\d{1,3})?")  # a mark or a time, written otherwise in the transcript
_UNPLACED_PREFIX = re.compile(r"\? (?:à placer|to place) : |\? to place: ")


@dataclass(frozen=True)
class WordCount:
    """How many words the source has, and how many of them are in the transcript; the others are in the report only."""

    read: int
    kept: int


def audit_words(lines: Sequence[SourceLine], transcript: Transcript, remarks: Sequence[Remark]) -> tuple[WordCount, tuple[Remark, ...]]:
    """Count the words of a source, and report every line with words that are neither in the transcript nor in a remark."""
    sources = [(line, split_words(line.source or f"{line.label} {line.text}")) for line in lines]
    read = Counter(word for _, words in sources for word in words)
    kept = Counter(word for text in _texts(transcript) for word in split_words(text))
    lost = read - kept
    names = {word for voice in transcript.voices for word in split_words(voice.label)}
    reported = Counter(word for remark in remarks for word in split_words(remark.text))
    return WordCount(read.total(), (read & kept).total()), tuple(_unreported(sources, lost - reported, kept, names))


def split_words(text: str) -> list[str]:
    """Return the words of a text, without case, invisible characters, times and the mark “[voix off]”."""
    visible = "".join(char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char) not in ("Cf", "Co", "Cs"))
    return _WORD.findall(_CUE.sub(" ", visible).casefold())


def _texts(transcript: Transcript) -> Iterator[str]:
    """Yield every text of a transcript that comes from its source: a heading without a line was added."""
    yield from (voice.label for voice in transcript.voices)
    for block in transcript.blocks:
        match block:
            case Section(label, line):
                yield label if line else ""
            case Note(text):
                yield _UNPLACED_PREFIX.sub("", text)
            case Insert(paragraphs):
                yield from (f"{each.voice} {each.text}" for each in paragraphs)
            case Paragraph(text, voice):
                yield f"{voice} {text}"


def _unreported(
    sources: Sequence[tuple[SourceLine, list[str]]], missing: Counter[str], kept: Counter[str], names: Collection[str]
) -> Iterator[Remark]:
    """Yield a remark for each line that has missing words, the last lines first: what is lost comes after what was read."""
    left, spellings = Counter(missing), {fold_name(word) for word in kept}
    for line, words in reversed(sources):
        gone = [word for word in words if left[word] > 0]
        for word in gone:
            left[word] -= 1
        if gone:
            yield Remark(line.number, " ".join(gone), _reason(gone, names, spellings))


def _reason(gone: Sequence[str], names: Collection[str], spellings: Collection[str]) -> str:
    """Why words of a line are missing; `names` are the words of the voices' full names, `spellings` every word kept, folded."""
    if " ".join(gone) in NARRATOR_LABELS:
        return "the narrator's label: the words after it are a plain paragraph"
    if all(word in names for word in gone):
        return "part of the voice's full name, which is given once"
    return "spelt otherwise in the transcript" if all(fold_name(word) in spellings for word in gone) else "left out of the transcript"
