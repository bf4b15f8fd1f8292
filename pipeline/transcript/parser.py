"""Parses the editable transcript; every mistake is reported at once, by file and line, with its remedy."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any  # of TOML values

from pipeline.model import CauserieError, Problems, suggest
from pipeline.transcript.document import (
    NEAR_FENCE,
    SPEAKER_LABEL,
    TOML_TABLE,
    TOML_VALUE,
    Block,
    Insert,
    Note,
    Paragraph,
    Section,
    Transcript,
    VoiceDeclaration,
    closing_quote,
    parse_anchor,
    spoken_paragraphs,
)
from pipeline.transcript.review_status import parse_check_off

ANCHOR = re.compile(r"@(?P<clock>\d+(?::[0-5]\d){1,2}(?:\.\d{1,3})?) +")
_SPACES = " \t\u00a0\u202f"
_FENCE = "+++"
_HEAD_KEYS = ("reviewed", "voices")
_VOICE_TABLE = re.compile(r"\[{1,2}voices *\. *\S", re.I)
_VOICE_KEYS = ("name", "role", "person", "label")


@dataclass
class _ParseContext:
    """The file being parsed, as errors name it, and the problems found so far."""

    where: str
    problems: list[CauserieError] = field(default_factory=list)

    def problem(self, line: int, message: str, hint: str) -> None:
        """Record a mistake, and continue."""
        self.problems.append(CauserieError(message, f"{self.where}:{line}", hint))


@dataclass(frozen=True)
class _LogicalLine:
    """Wrapped lines, joined; the line of a section or a note keeps its `##` or `%%`."""

    line: int
    text: str


def parse_transcript(text: str, where: str = "transcript", people: Collection[str] | None = None) -> Transcript:
    """The transcript in `text`; `where` names the file in errors, `people` are the keys that `person` may have.

    `CauserieError`, or `Problems` when there are several mistakes.
    """
    context = _ParseContext(where)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    head, first = _split_front_matter(lines, context)
    _check_stray_front_matter(lines, first, context)
    comments = tuple(line.strip()[1:].strip() for line in head if line.lstrip().startswith("#"))
    values = _parse_front_matter(head, context)
    voices = _parse_voices(values, head, context, people)
    labels = _voice_labels(lines[first:], voices)
    blocks = _parse_blocks(_join_lines(lines, first, labels), labels, context)
    transcript = Transcript(blocks, voices, comments, _parse_reviewed(values, head, context))
    _check_brackets(transcript, context)
    if context.problems:
        raise context.problems[0] if len(context.problems) == 1 else Problems(tuple(context.problems))
    return transcript


def _split_front_matter(lines: list[str], context: _ParseContext) -> tuple[list[str], int]:
    """The lines of the front matter, and the index of the first line of the text."""
    if lines[0].rstrip() != _FENCE:
        return [], 0
    for index, line in enumerate(lines[1:], 1):
        if line.rstrip() == _FENCE:
            return lines[1:index], index + 1
    context.problem(1, "the front matter is not closed", f"put a line {_FENCE} after it")
    return [], len(lines)


def _check_stray_front_matter(lines: list[str], first: int, context: _ParseContext) -> None:
    """Report front matter that the text would publish as speech: after blank lines, behind a misspelt fence, or in the middle."""
    filled = [(number, bare) for number, line in enumerate(lines[first:], first + 1) if (bare := line.strip(_SPACES))]
    following = [bare for _, bare in (*filled, (0, ""))][1:]
    skip_to = 0
    if first == 0 and filled and (message := _misplaced_fence(filled[0][1], following[0])):
        context.problem(filled[0][0], message, f"write {_FENCE} alone on the very first line, and again after the last line of TOML")
        skip_to = next((number for number, bare in filled[1:] if NEAR_FENCE.fullmatch(bare)), filled[0][0])  # told once
    for (number, bare), after in zip(filled, following, strict=True):
        if number <= skip_to:
            continue
        if NEAR_FENCE.fullmatch(bare) and bare[0] in "+＋":
            hint = "the front matter stands once, at the top; if this is said, put \\ before it; else delete it"
            context.problem(number, f"a line {bare} stands in the text", hint)
        elif TOML_VALUE.match(bare) or _VOICE_TABLE.match(bare) or (TOML_TABLE.match(bare) and TOML_VALUE.match(after)):
            hint = f"move it to the front matter, between two lines {_FENCE} at the top; if it is said, put \\ before it"
            context.problem(number, f"“{bare[:40]}” stands in the text, and would be published as speech", hint)


def _misplaced_fence(bare: str, following: str) -> str:
    """What is wrong with a first line of text that is meant as a fence; empty when it is not."""
    if bare == _FENCE:
        return "the front matter does not begin on the first line"
    is_meant = bare[0] in "+＋" or TOML_TABLE.match(following) or TOML_VALUE.match(following)
    is_near = NEAR_FENCE.fullmatch(bare) or bare.startswith(_FENCE)
    return f"“{bare[:40]}” is not a fence of the front matter" if is_near and is_meant else ""


def _parse_front_matter(head: list[str], context: _ParseContext) -> dict[str, Any]:
    """The values of the front matter; a key that is not known is a mistake."""
    try:
        values = tomllib.loads("\n".join(head))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        context.problem(
            1 + int(line[1]) if line else 1, f"the front matter is not valid TOML ({error})", "put texts between quotation marks"
        )
        return {}
    for key in values.keys() - {"draft", *_HEAD_KEYS}:
        context.problem(_line_of(head, key), f"unknown key “{key}” in the front matter", suggest(key, _HEAD_KEYS))
    return values


def _parse_reviewed(values: dict[str, Any], head: list[str], context: _ParseContext) -> str:
    """The check-off; empty without one, or when it is not valid."""
    reviewed = values.get("reviewed", "")
    text = reviewed.isoformat() if isinstance(reviewed, date) else str(reviewed)
    if "reviewed" not in values:
        return ""
    try:
        parse_check_off(text)
    except CauserieError as error:
        context.problem(_line_of(head, "reviewed"), error.message, error.hint)
        return ""
    return text


def _parse_voices(
    values: dict[str, Any], head: list[str], context: _ParseContext, people: Collection[str] | None
) -> tuple[VoiceDeclaration, ...]:
    """The declared voices."""
    voices = values.get("voices", {})
    if not isinstance(voices, dict):
        context.problem(_line_of(head, "voices"), "“voices” is not a table", 'write [voices.Name], then role = "…" on the next line')
        return ()
    return tuple(_parse_voice(key, value, head, context, people) for key, value in voices.items())


def _parse_voice(key: str, value: object, head: list[str], context: _ParseContext, people: Collection[str] | None) -> VoiceDeclaration:
    """A declared voice, from its TOML value."""
    line = _line_of(head, key)
    table = value if isinstance(value, dict) else {}
    label = SPEAKER_LABEL.match(f"{key} : x")
    if label is None or label["label"] != key:
        context.problem(line, f"“{key}” cannot be the name of a voice", "use at most 40 characters, and none of : « » [ ]")
    if not isinstance(value, dict) or any(not isinstance(each, str) for each in table.values()):
        context.problem(line, f"voice “{key}” is not a table of texts", f'write {key} = {{ role = "…" }} under [voices]')
        return VoiceDeclaration(key)
    for wrong in table.keys() - set(_VOICE_KEYS):
        context.problem(_line_of(head, wrong, line), f"unknown key “{wrong}” of a voice", suggest(wrong, _VOICE_KEYS))
    person = table.get("person", "")
    if person and people is not None and person not in people:
        hint = suggest(person, people) if people else "add them under [people] in show.toml"
        context.problem(_line_of(head, "person", line), f"show.toml has no person with the key “{person}”", hint)
    return VoiceDeclaration(key, **{name: table.get(name, "") for name in _VOICE_KEYS})


def _line_of(head: list[str], key: str, after: int = 1) -> int:
    """The line number where `key` first occurs, from line `after` on; the front matter begins on line 2."""
    return next((index for index, line in enumerate(head, 2) if index >= after and key in line), after)


def _voice_labels(lines: list[str], voices: tuple[VoiceDeclaration, ...]) -> set[str]:
    """The labels that open a turn: declared voices, and names that start a line at least twice."""
    starts = (SPEAKER_LABEL.match(_strip_line_marks(line)) for line in lines)
    counts = Counter(found["label"] for found in starts if found)
    return {voice.key for voice in voices} | {label for label, times in counts.items() if times > 1}


def scan_head(text: str) -> tuple[int, set[str]]:
    """The index of the first line after the front matter, and the labels that open a turn; never raises, also for a text with mistakes."""
    lines, context = text.split("\n"), _ParseContext("")
    head, first = _split_front_matter(lines, context)
    return first, _voice_labels(lines[first:], _parse_voices(_parse_front_matter(head, context), head, context, None))


def undeclared_labels(text: str, where: str = "transcript", transcript: Transcript | None = None) -> tuple[tuple[int, str], ...]:
    """Undeclared names that start only one line, with its number: they are parsed as narration, but may be meant as a voice.

    `transcript` is the parsed `text`, if it was parsed already; otherwise raises as `parse_transcript`.
    """
    transcript = transcript or parse_transcript(text, where)
    lines = text.replace("\r\n", "\n").split("\n")
    head = _split_front_matter(lines, _ParseContext(""))[1]
    labels = _voice_labels(lines[head:], transcript.voices)
    found = (
        (number, SPEAKER_LABEL.match(_strip_line_marks(line)))
        for number, line in enumerate(lines[head:], head + 1)
        if not line.startswith(("%%", "#"))
    )
    return tuple((number, label["label"]) for number, label in found if label and label["label"] not in labels)


def _strip_line_marks(line: str) -> str:
    """A line without the anchor, opening « and dash that may precede a name."""
    bare = ANCHOR.sub("", line.lstrip(_SPACES), count=1)
    if bare.startswith("«"):
        bare = bare[1:].lstrip(_SPACES)
    return bare.removeprefix("- ").lstrip(_SPACES)


def _join_lines(lines: list[str], first: int, labels: set[str]) -> list[_LogicalLine]:
    """The text as logical lines: wrapped lines are joined."""
    pieces: list[_LogicalLine] = []
    is_open = False
    for number, line in enumerate(lines[first:], first + 1):
        bare = line.strip(_SPACES)
        stands_alone = bare.startswith("%%") or re.match(r"#{1,6} ", bare) is not None
        label = SPEAKER_LABEL.match(_strip_line_marks(bare))
        begins = stands_alone or bare.startswith("- ") or ANCHOR.match(bare) or (label and label["label"] in labels)
        if bare and is_open and not begins:
            pieces[-1] = replace(pieces[-1], text=f"{pieces[-1].text} {bare}")
        elif bare:
            pieces.append(_LogicalLine(number, bare))
        is_open = bool(bare) and not stands_alone
    return [replace(piece, text=re.sub(r"[ \t]+", " ", piece.text)) for piece in pieces]


def _parse_blocks(pieces: list[_LogicalLine], labels: set[str], context: _ParseContext) -> tuple[Block, ...]:
    """The logical lines as blocks; an insert consumes several."""
    blocks: list[Block] = []
    rest = list(pieces)
    while rest:
        piece = rest.pop(0)
        if piece.text.startswith("%%"):
            blocks.append(Note(piece.text[2:].strip(_SPACES), piece.line))
        elif mark := re.match(r"#{1,6} ", piece.text):
            if mark[0] != "## ":
                context.problem(piece.line, f"“{mark[0].strip()}” is not a section mark", "a section begins with ## and a space")
            blocks.append(Section(piece.text[mark.end() :].strip(_SPACES), piece.line))
        elif _opens_insert(piece):
            blocks.append(_parse_insert(piece, rest, labels, context))
        else:
            blocks.append(_check_outside_insert(_parse_paragraph(piece, labels), context))
    return tuple(blocks)


def _opens_insert(piece: _LogicalLine) -> bool:
    """Whether `«` opens an insert here, rather than a quotation inside narration."""
    text = ANCHOR.sub("", piece.text, count=1)
    return closing_quote(text) in (-1, len(text) - 1)


def _parse_insert(first: _LogicalLine, rest: list[_LogicalLine], labels: set[str], context: _ParseContext) -> Insert:
    """An insert, consuming from `rest` the lines up to its `»`."""
    pieces = [first]
    depth = _quote_depth(first.text)
    while depth > 0 and rest and not rest[0].text.startswith(("%%", "## ")):
        pieces.append(rest.pop(0))
        depth += _quote_depth(pieces[-1].text)
    last = pieces[-1].text.rstrip(_SPACES)
    if depth > 0:
        context.problem(first.line, "« is not closed", "put » at the end of the insert")
    elif depth < 0 or not last.endswith("»"):
        context.problem(pieces[-1].line, "the » that closes the insert is not at the end of a line", "start a new line after it")
    else:
        pieces[-1] = replace(pieces[-1], text=last[:-1].rstrip(_SPACES))
    anchor = ANCHOR.match(pieces[0].text)
    start = anchor.end() if anchor else 0
    pieces[0] = replace(pieces[0], text=pieces[0].text[:start] + pieces[0].text[start + 1 :].lstrip(_SPACES))
    return Insert(tuple(_parse_paragraph(piece, labels) for piece in pieces))


def _quote_depth(text: str) -> int:
    """The number of « minus the number of »."""
    return text.count("«") - text.count("»")


def _parse_paragraph(piece: _LogicalLine, labels: set[str]) -> Paragraph:
    """A paragraph, from its anchor, dash, speaker label and text."""
    anchor = ANCHOR.match(piece.text)
    text = piece.text[anchor.end() :] if anchor else piece.text
    dash = text.startswith("- ")
    text = text[2:].lstrip(_SPACES) if dash else text
    label = SPEAKER_LABEL.match(text)
    voice = label["label"] if label and label["label"] in labels else ""
    text = text[label.end() :] if label and voice else text
    text = text[1:].lstrip(_SPACES) if text.startswith("\\") else text
    return Paragraph(text, voice, dash, parse_anchor(anchor["clock"]) if anchor else None, piece.line)


def _check_outside_insert(paragraph: Paragraph, context: _ParseContext) -> Paragraph:
    """The same paragraph, checked as one outside inserts: its quotation marks are balanced, and it has no dash."""
    if paragraph.dash:
        context.problem(paragraph.line, "a line can begin with “- ” only inside « … »", "open the insert with «, or name the voice")
    if depth := _quote_depth(paragraph.text):
        char = "«" if depth > 0 else "»"
        context.problem(paragraph.line, f"unmatched {char} in this paragraph", "quotation marks come in pairs")
    return paragraph


def _check_brackets(transcript: Transcript, context: _ParseContext) -> None:
    """Report paragraphs with unbalanced square brackets (sounds and ellipses)."""
    for paragraph in spoken_paragraphs(transcript):
        if re.sub(r"\[[^\[\]]*\]", "", paragraph.text).count("[") or re.sub(r"\[[^\[\]]*\]", "", paragraph.text).count("]"):
            context.problem(paragraph.line, "unmatched square bracket", "a sound is written [musique], on one line")
