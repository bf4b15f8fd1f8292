"""The editable transcript: its data types, and how it is written. `pipeline/transcript/parser.py` parses it.

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

A `\\` at the start of a paragraph is an escape: nothing at its start is markup.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from pipeline.model import NARROW_SPACE, format_clock

SPEAKER_LABEL = re.compile(r"(?P<label>[^\s:«»\[\]\\@#%+-][^:«»\[\]\n]{0,39}?)[ \u00a0\u202f]?:[ \u00a0\u202f](?=\S)")
# Lines that look like the front matter in the wrong place. Nobody says « name = "Maud" »; whoever does puts a \ before it.
NEAR_FENCE = re.compile(r"(?:[+＋][ \u00a0]?){2,}(?:toml)?|(?:---|===|~~~|\*\*\*)|```\w*")  # what people type for +++
TOML_TABLE = re.compile(r"\[{1,2}(?:voices *(?:\.|\]{1,2} *$)|[\w-]+(?: *\. *[\w\"-]+)+\]{1,2} *$)", re.I)
TOML_VALUE = re.compile(r"(?:[a-z_][\w-]*|voices(?:\.\S+)?) *= *[\"'“«{\[]|[\w\"'-]+ *= *\{")
_MARKUP = re.compile(rf"\\|%%|#{{1,6}} |- |\+|＋|@\d|(?:{NEAR_FENCE.pattern})$|(?i:{TOML_TABLE.pattern})|{TOML_VALUE.pattern}")


@dataclass(frozen=True)
class VoiceDeclaration:
    """A voice declared in the front matter: `key` is the label before the colon in the text."""

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
    """The words of one voice; outside an insert, the narrator's when `voice` is empty. Single spaces, no line ends."""

    text: str
    voice: str = ""
    dash: bool = False  # only in an insert: the voice changes here
    anchor_s: float | None = None  # its start, set by hand
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Insert:
    """`« … »`: an inserted recording. At least one paragraph."""

    paragraphs: tuple[Paragraph, ...]


Block = Section | Note | Paragraph | Insert


@dataclass(frozen=True)
class Transcript:
    """An editable transcript. Every voice is declared, or speaks at least twice; otherwise its label would be parsed as narration."""

    blocks: tuple[Block, ...]
    voices: tuple[VoiceDeclaration, ...] = ()
    comments: tuple[str, ...] = ()  # of the front matter, without their `#`
    reviewed: str = ""  # who has checked it: "2026-10-05, H. Marchand"


def format_transcript(transcript: Transcript) -> str:
    """The canonical text of a transcript, without a draft's stamp; `parser.parse_transcript` is its inverse."""
    labels = _known_labels(transcript)
    blocks = (_format_block(block, labels) for block in transcript.blocks)
    return "\n\n".join((_front_matter(transcript), *blocks)) + "\n"


def parse_anchor(text: str) -> float:
    """The seconds of `3:58`, `1:02:03` or `3:58.5`, to the millisecond."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return round(seconds, 3)


def format_anchor(seconds: float) -> str:
    """The inverse of `parse_anchor`, to the millisecond."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return format_clock(whole) + (f".{thousandths:03}".rstrip("0") if thousandths else "")


def closing_quote(text: str) -> int:
    """The index of the `»` that closes the `«` at the start of `text`; −2 when there is no `«` at its start, −1 when it is not closed."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "«") - (char == "»")
        if depth <= 0:
            return place if place else -2
    return -1


def spoken_paragraphs(transcript: Transcript) -> tuple[Paragraph, ...]:
    """Every paragraph in order, including those of inserts."""
    blocks = ((block,) if isinstance(block, Paragraph) else getattr(block, "paragraphs", ()) for block in transcript.blocks)
    return tuple(paragraph for paragraphs in blocks for paragraph in paragraphs)


def _front_matter(transcript: Transcript) -> str:
    lines = [f"# {comment}".rstrip() for comment in transcript.comments]
    if transcript.reviewed:
        lines.append(f"reviewed = {json.dumps(transcript.reviewed, ensure_ascii=False)}")
    for voice in transcript.voices:
        lines.append(f"[voices.{_toml_key(voice.key)}]")
        values = {"name": voice.name, "role": voice.role, "person": voice.person, "label": voice.label}
        lines.extend(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value)
    return "\n".join(("+++", *lines, "+++"))


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _format_block(block: Block, labels: set[str]) -> str:
    match block:
        case Section(label):
            return f"## {label}"
        case Note(text):
            return f"%% {text}".rstrip()
        case Insert(paragraphs):
            return _format_insert(paragraphs, labels)
        case Paragraph():
            return _anchor_prefix(block) + _format_paragraph(block, labels)


def _format_insert(paragraphs: tuple[Paragraph, ...], labels: set[str]) -> str:
    """The text of an insert: changes of voice are on the next line, further paragraphs of the same voice after an empty one."""
    first, *others = paragraphs
    lines = [f"{_anchor_prefix(first)}«{NARROW_SPACE}{_format_paragraph(first, labels)}"]
    for each in others:
        lines.append("\n" if each.dash or each.voice else "\n\n")
        lines.append(_anchor_prefix(each) + _format_paragraph(each, labels))
    return "".join(lines) + f"{NARROW_SPACE}»"


def _anchor_prefix(paragraph: Paragraph) -> str:
    return "" if paragraph.anchor_s is None else f"@{format_anchor(paragraph.anchor_s)} "


def _format_paragraph(paragraph: Paragraph, labels: set[str]) -> str:
    """Dash, speaker label and text; the text is escaped when its start would be parsed as markup."""
    start = ("- " if paragraph.dash else "") + (f"{paragraph.voice} : " if paragraph.voice else "")
    label = _match_label(paragraph.text)
    is_turn = label is not None and not paragraph.voice and label["label"] in labels
    is_insert = not start and closing_quote(paragraph.text) == len(paragraph.text) - 1
    escape = "\\" if is_turn or is_insert or not paragraph.text or _MARKUP.match(paragraph.text) else ""
    return f"{start}{escape}{paragraph.text}"


def _match_label(text: str) -> re.Match[str] | None:
    """The match of what a parser may take for a speaker label; the » is added because it would follow « Nom : » in an insert."""
    return SPEAKER_LABEL.match(f"{text} »")


def _known_labels(transcript: Transcript) -> set[str]:
    """Every label that a parser would take for a voice: declared, used, or before a colon at least twice."""
    paragraphs = spoken_paragraphs(transcript)
    starts = [found["label"] for paragraph in paragraphs if not paragraph.voice and (found := _match_label(paragraph.text))]
    twice = {label for label in starts if starts.count(label) > 1}
    return {voice.key for voice in transcript.voices} | {paragraph.voice for paragraph in paragraphs} | twice
