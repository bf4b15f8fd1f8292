"""Parses the editable transcript; every mistake is reported at once, by file and line, with its remedy."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from pipeline.errors import CauserieError, Problems
from pipeline.text import nearest
from pipeline.transcript.text import LABEL, Block, Declared, Insert, Note, Paragraph, Section, Transcript, closing, read_clock, said

ANCHOR = re.compile(r"@(?P<clock>\d+(?::[0-5]\d){1,2}(?:\.\d{1,3})?) +")
_SPACES = " \t\u00a0\u202f"
_FENCE = "+++"
_VOICE_KEYS = ("name", "role", "person", "label")


@dataclass
class _Reading:
    """The file being parsed, as errors name it, and the problems found so far."""

    where: str
    problems: list[CauserieError] = field(default_factory=list)

    def problem(self, line: int, message: str, hint: str) -> None:
        """Record a mistake, and continue."""
        self.problems.append(CauserieError(message, f"{self.where}:{line}", hint))


@dataclass(frozen=True)
class _Piece:
    """Wrapped lines, joined; the line of a section or a note keeps its `##` or `%%`."""

    line: int
    text: str


def parse(text: str, where: str = "transcript", people: Collection[str] | None = None) -> Transcript:
    """The transcript in `text`; `where` names the file in errors, `people` are the keys that `person` may have.

    `CauserieError`, or `Problems` when there are several mistakes.
    """
    reading = _Reading(where)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    head, first = _head(lines, reading)
    comments = tuple(line.strip()[1:].strip() for line in head if line.lstrip().startswith("#"))
    voices = _voices(head, reading, people)
    known = _known(lines[first:], voices)
    transcript = Transcript(_blocks(_pieces(lines, first, known), known, reading), voices, comments)
    _check_brackets(transcript, reading)
    if reading.problems:
        raise reading.problems[0] if len(reading.problems) == 1 else Problems(tuple(reading.problems))
    return transcript


def _head(lines: list[str], reading: _Reading) -> tuple[list[str], int]:
    """The lines of the front matter, and the index of the first line of the text."""
    if lines[0].rstrip() != _FENCE:
        return [], 0
    for index, line in enumerate(lines[1:], 1):
        if line.rstrip() == _FENCE:
            return lines[1:index], index + 1
    reading.problem(1, "the front matter is not closed", f"put a line {_FENCE} after it")
    return [], len(lines)


def _voices(head: list[str], reading: _Reading, people: Collection[str] | None) -> tuple[Declared, ...]:
    """The declared voices; any other key in the front matter is a mistake, except a draft's stamp."""
    try:
        values = tomllib.loads("\n".join(head))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        reading.problem(
            1 + int(line[1]) if line else 1, f"the front matter is not valid TOML ({error})", "put texts between quotation marks"
        )
        return ()
    for key in values.keys() - {"draft", "voices"}:
        reading.problem(_line_of(head, key), f"unknown key “{key}” in the front matter", nearest(key, ["voices"]))
    voices = values.get("voices", {})
    if not isinstance(voices, dict):
        reading.problem(_line_of(head, "voices"), "“voices” is not a table", 'write [voices.Name], then role = "…" on the next line')
        return ()
    return tuple(_voice(key, value, head, reading, people) for key, value in voices.items())


def _voice(key: str, value: object, head: list[str], reading: _Reading, people: Collection[str] | None) -> Declared:
    """A declared voice, from its TOML value."""
    line = _line_of(head, key)
    table = value if isinstance(value, dict) else {}
    label = LABEL.match(f"{key} : x")
    if label is None or label["label"] != key:
        reading.problem(line, f"“{key}” cannot be the name of a voice", "use at most 40 characters, and none of : « » [ ]")
    if not isinstance(value, dict) or any(not isinstance(each, str) for each in table.values()):
        reading.problem(line, f"voice “{key}” is not a table of texts", f'write {key} = {{ role = "…" }} under [voices]')
        return Declared(key)
    for wrong in table.keys() - set(_VOICE_KEYS):
        reading.problem(_line_of(head, wrong, line), f"unknown key “{wrong}” of a voice", nearest(wrong, _VOICE_KEYS))
    person = table.get("person", "")
    if person and people is not None and person not in people:
        hint = nearest(person, people) if people else "add them under [people] in show.toml"
        reading.problem(_line_of(head, "person", line), f"show.toml has no person with the key “{person}”", hint)
    return Declared(key, **{name: table.get(name, "") for name in _VOICE_KEYS})


def _line_of(head: list[str], key: str, after: int = 1) -> int:
    """The line number where `key` first occurs, from line `after` on; the front matter begins on line 2."""
    return next((index for index, line in enumerate(head, 2) if index >= after and key in line), after)


def _known(lines: list[str], voices: tuple[Declared, ...]) -> set[str]:
    """The labels that open a turn: declared voices, and names that start a line at least twice."""
    starts = (LABEL.match(_start(line)) for line in lines)
    counts = Counter(found["label"] for found in starts if found)
    return {voice.key for voice in voices} | {label for label, times in counts.items() if times > 1}


def opening(text: str) -> tuple[int, set[str]]:
    """The index of the first line after the front matter, and the labels that open a turn; never raises, also for a text with mistakes."""
    lines, reading = text.split("\n"), _Reading("")
    head, first = _head(lines, reading)
    return first, _known(lines[first:], _voices(head, reading, None))


def doubtful(text: str, where: str = "transcript") -> tuple[tuple[int, str], ...]:
    """Undeclared names that start only one line, with its number: they are parsed as narration, but may be meant as a voice.

    Raises as `parse_transcript`.
    """
    transcript = parse(text, where)
    lines = text.replace("\r\n", "\n").split("\n")
    head = _head(lines, _Reading(""))[1]
    known = _known(lines[head:], transcript.voices)
    found = ((number, LABEL.match(_start(line))) for number, line in enumerate(lines[head:], head + 1) if not line.startswith(("%%", "#")))
    return tuple((number, label["label"]) for number, label in found if label and label["label"] not in known)


def _start(line: str) -> str:
    """A line without the anchor, opening « and dash that may precede a name."""
    bare = ANCHOR.sub("", line.lstrip(_SPACES), count=1)
    if bare.startswith("«"):
        bare = bare[1:].lstrip(_SPACES)
    return bare.removeprefix("- ").lstrip(_SPACES)


def _pieces(lines: list[str], first: int, known: set[str]) -> list[_Piece]:
    """The text as logical lines: wrapped lines are joined."""
    pieces: list[_Piece] = []
    is_open = False
    for number, line in enumerate(lines[first:], first + 1):
        bare = line.strip(_SPACES)
        alone = bare.startswith("%%") or re.match(r"#{1,6} ", bare) is not None
        label = LABEL.match(_start(bare))
        begins = alone or bare.startswith("- ") or ANCHOR.match(bare) or (label and label["label"] in known)
        if bare and is_open and not begins:
            pieces[-1] = replace(pieces[-1], text=f"{pieces[-1].text} {bare}")
        elif bare:
            pieces.append(_Piece(number, bare))
        is_open = bool(bare) and not alone
    return [replace(piece, text=re.sub(r"[ \t]+", " ", piece.text)) for piece in pieces]


def _blocks(pieces: list[_Piece], known: set[str], reading: _Reading) -> tuple[Block, ...]:
    """The logical lines as blocks; an insert consumes several."""
    blocks: list[Block] = []
    rest = list(pieces)
    while rest:
        piece = rest.pop(0)
        if piece.text.startswith("%%"):
            blocks.append(Note(piece.text[2:].strip(_SPACES), piece.line))
        elif mark := re.match(r"#{1,6} ", piece.text):
            if mark[0] != "## ":
                reading.problem(piece.line, f"“{mark[0].strip()}” is not a section mark", "a section begins with ## and a space")
            blocks.append(Section(piece.text[mark.end() :].strip(_SPACES), piece.line))
        elif _opens_insert(piece):
            blocks.append(_insert(piece, rest, known, reading))
        else:
            blocks.append(_outside(_paragraph(piece, known), reading))
    return tuple(blocks)


def _opens_insert(piece: _Piece) -> bool:
    """Whether `«` opens an insert here, rather than a quotation inside narration."""
    text = ANCHOR.sub("", piece.text, count=1)
    return closing(text) in (-1, len(text) - 1)


def _insert(first: _Piece, rest: list[_Piece], known: set[str], reading: _Reading) -> Insert:
    """An insert, consuming from `rest` the lines up to its `»`."""
    pieces = [first]
    depth = _depth(first.text)
    while depth > 0 and rest and not rest[0].text.startswith(("%%", "## ")):
        pieces.append(rest.pop(0))
        depth += _depth(pieces[-1].text)
    last = pieces[-1].text.rstrip(_SPACES)
    if depth > 0:
        reading.problem(first.line, "« is not closed", "put » at the end of the insert")
    elif depth < 0 or not last.endswith("»"):
        reading.problem(pieces[-1].line, "the » that closes the insert is not at the end of a line", "start a new line after it")
    else:
        pieces[-1] = replace(pieces[-1], text=last[:-1].rstrip(_SPACES))
    anchor = ANCHOR.match(pieces[0].text)
    start = anchor.end() if anchor else 0
    pieces[0] = replace(pieces[0], text=pieces[0].text[:start] + pieces[0].text[start + 1 :].lstrip(_SPACES))
    return Insert(tuple(_paragraph(piece, known) for piece in pieces))


def _depth(text: str) -> int:
    """The number of « minus the number of »."""
    return text.count("«") - text.count("»")


def _paragraph(piece: _Piece, known: set[str]) -> Paragraph:
    """A paragraph, from its anchor, dash, speaker label and text."""
    anchor = ANCHOR.match(piece.text)
    text = piece.text[anchor.end() :] if anchor else piece.text
    dash = text.startswith("- ")
    text = text[2:].lstrip(_SPACES) if dash else text
    label = LABEL.match(text)
    voice = label["label"] if label and label["label"] in known else ""
    text = text[label.end() :] if label and voice else text
    text = text[1:].lstrip(_SPACES) if text.startswith("\\") else text
    return Paragraph(text, voice, dash, read_clock(anchor["clock"]) if anchor else None, piece.line)


def _outside(paragraph: Paragraph, reading: _Reading) -> Paragraph:
    """The same paragraph, checked as one outside inserts: its quotation marks are balanced, and it has no dash."""
    if paragraph.dash:
        reading.problem(paragraph.line, "a line can begin with “- ” only inside « … »", "open the insert with «, or name the voice")
    if depth := _depth(paragraph.text):
        char = "«" if depth > 0 else "»"
        reading.problem(paragraph.line, f"unmatched {char} in this paragraph", "quotation marks come in pairs")
    return paragraph


def _check_brackets(transcript: Transcript, reading: _Reading) -> None:
    """Report paragraphs with unbalanced square brackets (sounds and ellipses)."""
    for paragraph in said(transcript):
        if re.sub(r"\[[^\[\]]*\]", "", paragraph.text).count("[") or re.sub(r"\[[^\[\]]*\]", "", paragraph.text).count("]"):
            reading.problem(paragraph.line, "unmatched square bracket", "a sound is written [musique], on one line")
