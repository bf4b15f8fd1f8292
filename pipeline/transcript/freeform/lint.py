"""Advice on a transcript that the grammar accepts: what a careful reader would check. Pure."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.model import CauserieError, apply_typography
from pipeline.transcript import (
    SPEAKER_LABEL,
    Block,
    Insert,
    Note,
    Paragraph,
    Section,
    Transcript,
    parse_transcript,
    spoken_paragraphs,
    undeclared_labels,
)
from pipeline.transcript.freeform.blocks import close_parts
from pipeline.transcript.freeform.labels import is_never_voice
from pipeline.transcript.freeform.questions import open_questions
from pipeline.transcript.freeform.speakers import looks_like_name

_LONG_PARAGRAPH_CHARS = 1200  # about 90 s of one voice
_NEAR_NAME_RATIO = 0.85  # similarity ratio (difflib) of two names
_PAIRS = (("“", "”"), ("(", ")"), ("[", "]"))
_SPACES = "\u00a0\u202f"
_DIGIT = re.compile(r"\d")
_AMBIGUOUS_NUMBERS = (
    (re.compile(r"(?<![\d:/])\d{1,4}/\d{1,4}(?:/\d{2,4})?(?![\d/])"), "a date or a fraction"),
    (re.compile(r"(?<!\d)\d{2,4}[-–]\d{2,4}(?![\d-])"), "two numbers with a dash"),
    (re.compile(r"(?<!\d)0\d(?:[ .]?\d{2}){4}(?!\d)"), "a telephone number"),
    (re.compile(r"(?<![\d,.])(?<!\d[ \u00a0\u202f])0\d+(?![\d,.:])|\d{10,}"), "digits that may be read one by one"),
    (re.compile(r"(?<!\d)1[1-9]00(?!\d)"), "a number that can be read in two ways"),
    (re.compile(r"\b(?:[a-z]+\d|\d+[A-Za-z]{2,}\d)\w*|\b[A-Z]+\d+[A-Z]\w*"), "letters and digits together"),
)


@dataclass(frozen=True)
class Diagnostic:
    """Advice on a line: what is unusual, and what to do if it is a mistake."""

    line: int
    message: str
    hint: str


def lint_transcript(text: str, where: str = "", language: str = "fr", transcript: Transcript | None = None) -> tuple[Diagnostic, ...]:
    """Advice on `text`, sorted by line; `where` is its name, `transcript` the parsed text, if it was parsed already.

    What it has in common with other texts is found by `near_duplicates.LineIndex`.
    Missing no-break spaces are reported once for the whole text. A text with mistakes of grammar only gets the advice that concerns
    single lines; the mistakes are reported by `parser.parse_transcript`.
    """
    diagnostics = [*_line_diagnostics(text, language)]
    try:
        transcript = transcript or parse_transcript(text, where)
    except CauserieError:
        return tuple(sorted(diagnostics, key=lambda remark: remark.line))
    diagnostics += [*_voice_diagnostics(transcript, text), *_long_paragraphs(transcript), *_unclosed_sections(transcript, language)]
    diagnostics += [Diagnostic(each.line, each.message, each.hint) for each in open_questions(text, where)]
    return tuple(sorted(diagnostics, key=lambda remark: remark.line))


def published_lines(text: str) -> Iterator[tuple[int, str]]:
    """The published lines after the front matter, with their numbers."""
    lines = split_lines(text.removeprefix("\ufeff"))
    fences = [number for number, line in enumerate(lines) if line.rstrip() == "+++"]
    first = fences[1] + 1 if len(fences) > 1 and fences[0] == 0 else 0
    for number, line in enumerate(lines[first:], first + 1):
        if line.strip() and not line.lstrip().startswith("%%"):
            yield number, line.strip()


def split_lines(text: str) -> list[str]:
    """The lines as the parser counts them: invisible Unicode separators do not end a line."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _line_diagnostics(text: str, language: str) -> Iterator[Diagnostic]:
    """Advice on single lines."""
    spaces: list[int] = []
    for number, line in published_lines(text):
        if '"' in line:
            yield Diagnostic(number, "straight quotation marks", "write « … » or “…”")
        if "  " in line and re.search(r"\S  +\S", line):  # a search for a mark is a hundred times as fast as one for a pattern
            yield Diagnostic(number, "two spaces in a row", "keep one")
        if "..." in line and re.search(r"\.\.\.(?!\.)", line):
            yield Diagnostic(number, "an ellipsis written as three full stops", "write …")
        for opening, end in _PAIRS:
            if line.count(opening) != line.count(end):
                yield Diagnostic(number, f"unequal numbers of {opening} and {end}", "one of them is unmatched on this line")
        line = _spoken_part(line)
        yield from _number_diagnostics(number, line)
        if language.startswith("fr") and not line.startswith("##"):
            if ": " in line and (found := re.search(r"[^\W\d_]{3,}: (?=\S)", line)):
                yield Diagnostic(number, f"no space before the colon of “{found[0].strip()}”", "French puts a no-break space there")
            if _lacks_no_break_space(line) and apply_typography(line, language) != line:
                spaces.append(number)
    if spaces:
        many = "1 line has" if len(spaces) == 1 else f"{len(spaces)} lines have"
        hint = "nothing to do: no-break spaces are added in what is published"
        yield Diagnostic(spaces[0], f"{many} ordinary spaces, or none, before ; ! ? : » or after «", hint)


def _spoken_part(line: str) -> str:
    """A line without what is not printed: the anchor, the dash, the speaker label."""
    bare = re.sub(r"^@[\d:.]+ +", "", line)
    bare = bare.removeprefix("«").lstrip(" " + _SPACES).removeprefix("- ")
    label = SPEAKER_LABEL.match(bare)
    return bare[label.end() :] if label and re.search(r"\s:\s*$", label[0]) else bare


def _lacks_no_break_space(line: str) -> bool:
    """Whether a French punctuation mark lacks its no-break space."""
    return re.search(rf"(?<![{_SPACES};:!?])[;!?](?=\s|$)|(?<![{_SPACES}])»(?!$)|«(?![{_SPACES}])| :(?= )", line) is not None


def _number_diagnostics(number: int, line: str) -> Iterator[Diagnostic]:
    """Digits that can be read in several ways: alignment may not match them with the recognised words."""
    for pattern, what in _AMBIGUOUS_NUMBERS if _DIGIT.search(line) else ():
        if found := pattern.search(line):
            message = f"“{found[0]}” is {what}: it may not be found in the audio"
            yield Diagnostic(number, message, "write it as it is spoken, or put an anchor @ before it")
            return


def _voice_diagnostics(transcript: Transcript, text: str) -> Iterator[Diagnostic]:
    """Names that are declared but never speak, look like a voice but are not declared, or are nearly the same as another."""
    counts = Counter(paragraph.voice for paragraph in spoken_paragraphs(transcript) if paragraph.voice)
    lines = {paragraph.voice: paragraph.line for paragraph in reversed(spoken_paragraphs(transcript))}
    head = split_lines(text)
    for voice in transcript.voices:
        if not counts[voice.key] and voice.role not in ("récit", "narration"):
            line = next((number for number, each in enumerate(head, 1) if voice.key in each), 1)
            yield Diagnostic(line, f"“{voice.key}” is declared but never speaks", "check the spelling of the name in the text")
    for line, name in undeclared_labels(text, transcript=transcript):
        if not is_never_voice(name) and (looks_like_name(name) or re.match(r"(?:l[ae]|une?) \w+$|l[’']\w+$", name, re.I)):
            hint = f'if it is a voice, declare it: [voices."{name}"]'
            yield Diagnostic(line, f"“{name}” is before a colon only once, and is read as narration", hint)
    names = sorted(counts)
    for index, name in enumerate(names):
        for other in names[index + 1 :]:
            if _is_near_name(name, other):
                rare, known = sorted((name, other), key=lambda each: counts[each])
                yield Diagnostic(lines[rare], f"“{rare}” is almost “{known}”", "if they are the same voice, use one spelling")


def _is_near_name(name: str, other: str) -> bool:
    """Whether two names differ by a typing error; « Voix 1 » and « Voix 2 » do not."""
    if re.sub(r"\d+", "", name) == re.sub(r"\d+", "", other):
        return False
    return name.casefold() == other.casefold() or difflib.SequenceMatcher(None, name, other).ratio() >= _NEAR_NAME_RATIO


def _long_paragraphs(transcript: Transcript) -> Iterator[Diagnostic]:
    """Very long paragraphs: a change of voice may have been missed."""
    for block in transcript.blocks:
        if isinstance(block, Paragraph) and not block.voice and len(block.text) > _LONG_PARAGRAPH_CHARS:
            message = f"{len(block.text)} characters without a voice or an empty line"
            yield Diagnostic(block.line, message, "split it at a pause, or name the speakers")


def _unclosed_sections(transcript: Transcript, language: str) -> Iterator[Diagnostic]:
    """Narration inside a section such as an archive: `## Récit` is probably missing before it."""
    label, number = "", 0
    closed, _ = close_parts(transcript.blocks, language)
    for place, block in enumerate(closed):
        if isinstance(block, Section) and block.line:
            label = block.label
        elif isinstance(block, Section):
            number = next((_line(each) for each in closed[place + 1 :] if not isinstance(each, (Section, Note))), 0)
            hint = f"put ## {block.label} before it, if the section has ended"
            yield Diagnostic(_line(closed[place + 1]) or number, f"the narrator speaks in the section “{label}”", hint)


def _line(block: Block) -> int:
    """The line number of a block; an insert's is that of its first paragraph."""
    return block.paragraphs[0].line if isinstance(block, Insert) else block.line
