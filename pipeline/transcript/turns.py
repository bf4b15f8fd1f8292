"""Turns the blocks of a transcript into speaker turns: the voice of each paragraph, and its words as printed, without times."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.model import Turn, Voice, Word
from pipeline.text import NO_BREAK_SPACE, slugify, typographic
from pipeline.transcript.text import Declared, Insert, Paragraph, Section, Transcript

# The role of the voices in a section, by the slug of the first words of its label.
KINDS = {
    "archive": "archive",
    "archives": "archive",
    "micro-trottoir": "micro-trottoir",
    "micros-trottoirs": "micro-trottoir",
    "fiction": "fiction",
    "fictions": "fiction",
    "entretien": "entretien",
    "temoignage": "témoignage",
    "temoignages": "témoignage",
    "extrait": "extrait",
    "debat": "débat",
    "recit": "récit",
    "generique": "générique",
    "vox-pop": "vox-pop",
    "interview": "interview",
    "testimony": "testimony",
    "clip": "clip",
    "debate": "debate",
    "narration": "narration",
    "story": "narration",
}
NARRATION = {"fr": "récit"}  # the narrator's role; "narration" in other languages
TALK = {"fiction", "entretien", "débat", "interview", "debate"}  # roles of sections where people talk to each other
_MANY_VOICES = {"micro-trottoir", "vox-pop"}  # roles of sections where every new voice is another person
_THOUSANDS = re.compile(r"(?:(?<=\b\d)|(?<=\b\d\d)|(?<=\b\d{3})) (?=\d{3}\b)")
_TOKEN = re.compile(r"\[[^\[\]]*\][^\s\w\[«]*|[^ ]+?(?=\[)(?!\[…)|[^ ]+")


@dataclass(frozen=True)
class Spoken:
    """A turn, and its start if it was set by hand, in seconds."""

    turn: Turn
    anchor_s: float | None = None


class _Unnamed:
    """Numbers the unnamed voices of a section."""

    def __init__(self, kind: str, language: str) -> None:
        self._word = "Voix" if language.startswith("fr") else "Voice"
        self._many = kind in _MANY_VOICES
        self._given = 0
        self._pair: list[str] = []
        self._turn = 0

    def insert(self) -> None:
        """Start a new insert, with new voices."""
        self._pair, self._turn = [], 0

    def next(self) -> str:
        """The name of the voice after a change: two voices alternate, except among passers-by, who are all different."""
        if self._many or len(self._pair) < 2:
            self._given += 1
            self._pair.append(f"{self._word} {self._given}")
            self._turn = len(self._pair) - 1
        else:
            self._turn = 1 - self._turn
        return self._pair[self._turn]


def turns(transcript: Transcript, language: str) -> tuple[Spoken, ...]:
    """The speech and sounds of a transcript, in order, without notes; an unnamed voice of an insert is « Voix 1 », « Voix 2 »…"""
    declared = {voice.key: voice for voice in transcript.voices}
    narrator = _narrator(transcript.voices, language)
    section, kind, unnamed = "", "", _Unnamed("", language)
    found: list[Spoken] = []
    for block in transcript.blocks:
        if isinstance(block, Section):
            section, kind = block.label, kind_of(block.label)
            unnamed = _Unnamed(kind, language)
        elif isinstance(block, Paragraph):
            voice = _named(block.voice, declared, kind) if block.voice else narrator
            found.extend(_spoken(block, voice, section, language))
        elif isinstance(block, Insert):
            found.extend(_insert(block, declared, kind, unnamed, section, language))
    return tuple(found)


def kind_of(label: str) -> str:
    """The role a section gives to its voices, `archive` for « Archive INA : 1978 »; empty when the label starts with no known role."""
    words = slugify(re.split(r"[:,(–—]", label, maxsplit=1)[0]).split("-")
    starts = ("-".join(words[:count]) for count in range(len(words), 0, -1))
    return next((KINDS[start] for start in starts if start in KINDS), "")


def printed(text: str, language: str) -> tuple[Word, ...]:
    """The words of a paragraph, each with its punctuation and no-break spaces; a sound is one word."""
    clean = "".join(char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs"))
    whole = _THOUSANDS.sub("\u202f", clean) if language.startswith("fr") else clean  # 12 000 is one word
    words: list[str] = []
    for token in _TOKEN.findall(typographic(whole, language)):
        is_mark = not re.search(r"\w", token) and not token.startswith("[")
        if words and is_mark and not words[-1].startswith("["):
            words[-1] += NO_BREAK_SPACE + token  # a dash or an ellipsis alone is not a word
        elif words and not re.search(r"\w", words[-1]) and not words[-1].startswith("["):
            words[-1] += NO_BREAK_SPACE + token
        else:
            words.append(token)
    return tuple(Word(word) for word in words)


def _narrator(voices: tuple[Declared, ...], language: str) -> Voice:
    """The narrator's voice, unnamed; its person is that of the declared voice with the narrator's role, when there is only one."""
    role = NARRATION.get(language.split("-")[0], "narration")
    people = [voice.person for voice in voices if voice.role == role]
    return Voice("", role, people[0] if len(people) == 1 else "")


def _named(key: str, declared: dict[str, Declared], kind: str) -> Voice:
    """A named voice, with its declared role, else that of its section."""
    found = declared.get(key, Declared(key))
    return Voice(found.name or key, found.role or kind, found.person, found.label)


def _insert(block: Insert, declared: dict[str, Declared], kind: str, unnamed: _Unnamed, section: str, language: str) -> Iterator[Spoken]:
    """The turns of an insert; its quotation marks are attached to its first and last words."""
    unnamed.insert()
    voice: Voice | None = None
    last = len(block.paragraphs) - 1
    for index, paragraph in enumerate(block.paragraphs):
        if paragraph.voice:
            voice = _named(paragraph.voice, declared, kind)
        elif paragraph.dash or voice is None:
            voice = Voice(unnamed.next(), kind)
        text = ("« " if index == 0 else "") + paragraph.text + (" »" if index == last else "")
        marked = Paragraph(text, anchor_s=paragraph.anchor_s)
        yield from _spoken(marked, voice, section, language, insert=True)


def _spoken(paragraph: Paragraph, voice: Voice, section: str, language: str, *, insert: bool = False) -> Iterator[Spoken]:
    """A paragraph as a turn; one that holds only sounds has an empty voice."""
    text = paragraph.text if language.startswith("fr") or not insert else re.sub(r"« | »", lambda found: found[0].strip(), paragraph.text)
    words = printed(text, language)
    if words:
        nobody = all(word.is_sound for word in words)
        yield Spoken(Turn(Voice("") if nobody else voice, words, section, insert), paragraph.anchor_s)
