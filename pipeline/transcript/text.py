"""The text a person corrects: its nouns, and how it is written. `pipeline/transcript/grammar.py` reads it.

    +++
    [voices.Nora]
    role = "récit"
    person = "nora"
    +++

    [musique]

    A bare paragraph is the narrator.

    ## Archive : 1978

    @3:58 « The first voice of an insert.
    - Another voice, unnamed.
    - Gilles : Another, named. »

    ## Récit

    Nora : A named turn.

    %% A note, never published.

A paragraph that begins with `\\` is taken as it is: nothing at its start is markup.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from pipeline.text import NARROW_SPACE, hms

LABEL = re.compile(r"(?P<label>[^\s:«»\[\]\\@#%+-][^:«»\[\]\n]{0,39}?)[ \u00a0\u202f]?:[ \u00a0\u202f](?=\S)")
_MARKUP = re.compile(r"\\|%%|#{1,6} |- |\+\+\+$|@\d")


@dataclass(frozen=True)
class Declared:
    """A voice as the front matter declares it: `key` is what stands before the colon in the text."""

    key: str
    name: str = ""  # published instead of the key
    role: str = ""
    person: str = ""
    label: str = ""


@dataclass(frozen=True)
class Section:
    """`## Label`."""

    label: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Note:
    """`%% text`, never published."""

    text: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Paragraph:
    """What one voice says; outside an insert, the narrator when `voice` is empty. Single spaces, no line ends."""

    text: str
    voice: str = ""
    dash: bool = False  # only in an insert: the voice changes here
    anchor_s: float | None = None  # where a person heard it begin
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Insert:
    """`« … »`: speech that comes from elsewhere. At least one paragraph."""

    paragraphs: tuple[Paragraph, ...]


Block = Section | Note | Paragraph | Insert


@dataclass(frozen=True)
class Transcript:
    """A whole editable text. Every voice is declared, or speaks twice at least: that is how a reader knows it for one."""

    blocks: tuple[Block, ...]
    voices: tuple[Declared, ...] = ()
    comments: tuple[str, ...] = ()  # of the front matter, without their `#`


def write(transcript: Transcript) -> str:
    """The canonical text of a transcript; `grammar.parse` is its inverse. A draft's stamp is not part of it."""
    known = _known_labels(transcript)
    blocks = (_block(block, known) for block in transcript.blocks)
    return "\n\n".join((_front_matter(transcript), *blocks)) + "\n"


def read_clock(text: str) -> float:
    """Seconds of `3:58`, `1:02:03` or `3:58.5`."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return round(seconds, 3)


def write_clock(seconds: float) -> str:
    """The inverse of `read_clock`, to the millisecond."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return hms(whole) + (f".{thousandths:03}".rstrip("0") if thousandths else "")


def closing(text: str) -> int:
    """Where the `»` is that closes the `«` at the start of `text`; −2 when it does not start so, −1 when it never closes."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "«") - (char == "»")
        if depth <= 0:
            return place if place else -2
    return -1


def said(transcript: Transcript) -> tuple[Paragraph, ...]:
    """Every paragraph in order, those of inserts included."""
    blocks = ((block,) if isinstance(block, Paragraph) else getattr(block, "paragraphs", ()) for block in transcript.blocks)
    return tuple(paragraph for paragraphs in blocks for paragraph in paragraphs)


def _front_matter(transcript: Transcript) -> str:
    lines = [f"# {comment}".rstrip() for comment in transcript.comments]
    for voice in transcript.voices:
        lines.append(f"[voices.{_toml_key(voice.key)}]")
        values = {"name": voice.name, "role": voice.role, "person": voice.person, "label": voice.label}
        lines.extend(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value)
    return "\n".join(("+++", *lines, "+++"))


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _block(block: Block, known: set[str]) -> str:
    match block:
        case Section(label):
            return f"## {label}"
        case Note(text):
            return f"%% {text}".rstrip()
        case Insert(paragraphs):
            return _insert(paragraphs, known)
        case Paragraph():
            return _anchor(block) + _said(block, known)


def _insert(paragraphs: tuple[Paragraph, ...], known: set[str]) -> str:
    """Changes of voice on the next line; more from the same voice after an empty one."""
    first, *others = paragraphs
    lines = [f"{_anchor(first)}«{NARROW_SPACE}{_said(first, known)}"]
    for each in others:
        lines.append("\n" if each.dash or each.voice else "\n\n")
        lines.append(_anchor(each) + _said(each, known))
    return "".join(lines) + f"{NARROW_SPACE}»"


def _anchor(paragraph: Paragraph) -> str:
    return "" if paragraph.anchor_s is None else f"@{write_clock(paragraph.anchor_s)} "


def _said(paragraph: Paragraph, known: set[str]) -> str:
    """Dash, name and text; the text is escaped when its start would be read as markup."""
    start = ("- " if paragraph.dash else "") + (f"{paragraph.voice} : " if paragraph.voice else "")
    label = _label(paragraph.text)
    is_turn = label is not None and not paragraph.voice and label["label"] in known
    is_insert = not start and closing(paragraph.text) == len(paragraph.text) - 1
    escape = "\\" if is_turn or is_insert or not paragraph.text or _MARKUP.match(paragraph.text) else ""
    return f"{start}{escape}{paragraph.text}"


def _label(text: str) -> re.Match[str] | None:
    """What a reader may take for a name; the » that ends an insert would stand behind « Nom : »."""
    return LABEL.match(f"{text} »")


def _known_labels(transcript: Transcript) -> set[str]:
    """Whatever a reader would take for a voice's name: declared, used, or standing twice before a colon."""
    paragraphs = said(transcript)
    starts = [found["label"] for paragraph in paragraphs if not paragraph.voice and (found := _label(paragraph.text))]
    twice = {label for label in starts if starts.count(label) > 1}
    return {voice.key for voice in transcript.voices} | {paragraph.voice for paragraph in paragraphs} | twice
