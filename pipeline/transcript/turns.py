"""Turns the blocks of a transcript into speaker turns: the voice of each paragraph, and its words as printed, without times."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.model import NO_BREAK_SPACE, Turn, Voice, Word, apply_typography, slugify
from pipeline.transcript.document import Insert, Paragraph, Section, Transcript, VoiceDeclaration

# The role of the voices in a section, by the slug of the first words of its label.
SECTION_ROLES = {
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
NARRATOR_ROLES = {"fr": "récit"}  # the narrator's role; "narration" in other languages
DIALOGUE_ROLES = {"fiction", "entretien", "débat", "interview", "debate"}  # roles of sections where people talk to each other
_NARRATING_ROLES = {"récit", "narration", "générique"}  # of unnamed paragraphs outside inserts only: nobody with a name inherits them
_PASSER_BY_ROLES = {"micro-trottoir", "vox-pop"}  # roles of sections where every new voice is another person
_THOUSANDS = re.compile(r"(?:(?<=\b\d)|(?<=\b\d\d)|(?<=\b\d{3})) (?=\d{3}\b)")
_TOKEN = re.compile(r"\[[^\[\]]*\][^\s\w\[«]*|[^ ]+?(?=\[)(?!\[…)|[^ ]+")


@dataclass(frozen=True)
class AnchoredTurn:
    """A turn, and its start if it was set by hand, in seconds."""

    turn: Turn
    anchor_s: float | None = None


class _VoiceNumbering:
    """Numbers the unnamed voices of a section."""

    def __init__(self, kind: str, language: str) -> None:
        self._word = "Voix" if language.startswith("fr") else "Voice"
        self._never_repeats = kind in _PASSER_BY_ROLES
        self._count = 0
        self._pair: list[str] = []
        self._turn = 0

    def start_insert(self) -> None:
        """Start a new insert, with new voices."""
        self._pair, self._turn = [], 0

    def next_name(self) -> str:
        """The name of the voice after a change: two voices alternate, except among passers-by, who are all different."""
        if self._never_repeats or len(self._pair) < 2:
            self._count += 1
            self._pair.append(f"{self._word} {self._count}")
            self._turn = len(self._pair) - 1
        else:
            self._turn = 1 - self._turn
        return self._pair[self._turn]


def build_turns(transcript: Transcript, language: str) -> tuple[AnchoredTurn, ...]:
    """The speech and sounds of a transcript, in order, without notes; an unnamed voice of an insert is « Voix 1 », « Voix 2 »…"""
    declared = {voice.key: voice for voice in transcript.voices}
    narrator = _narrator(transcript.voices, language)
    section, role, numbering = "", "", _VoiceNumbering("", language)
    found: list[AnchoredTurn] = []
    for block in transcript.blocks:
        if isinstance(block, Section):
            section, role = block.label, inherited_role(block.label)
            numbering = _VoiceNumbering(role, language)
        elif isinstance(block, Paragraph):
            voice = _declared_voice(block.voice, declared, role) if block.voice else narrator
            found.extend(_paragraph_turns(block, voice, section, language))
        elif isinstance(block, Insert):
            found.extend(_insert_turns(block, declared, role, numbering, section, language))
    return tuple(found)


def section_role(label: str) -> str:
    """The role a section gives to its voices, `archive` for « Archive INA : 1978 »; empty when the label starts with no known role."""
    words = slugify(re.split(r"[:,(–—]", label, maxsplit=1)[0]).split("-")
    starts = ("-".join(words[:count]) for count in range(len(words), 0, -1))
    return next((SECTION_ROLES[start] for start in starts if start in SECTION_ROLES), "")


def is_narrating(role: str) -> bool:
    """Whether a role is the narrator's own, which nobody who has a name or stands inside « » inherits from a heading."""
    return role in _NARRATING_ROLES


def inherited_role(label: str) -> str:
    """The role that a section gives to people with a name and to those inside « »; empty where only the narrator has one."""
    role = section_role(label)
    return "" if is_narrating(role) else role


def printed_words(text: str, language: str) -> tuple[Word, ...]:
    """The words of a paragraph, each with its punctuation and no-break spaces; a sound is one word."""
    clean = "".join(char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs"))
    joined = _THOUSANDS.sub("\u202f", clean) if language.startswith("fr") else clean  # 12 000 is one word
    words: list[str] = []
    for token in _TOKEN.findall(apply_typography(joined, language)):
        is_mark = not re.search(r"\w", token) and not token.startswith("[")
        if words and is_mark and not words[-1].startswith("["):
            words[-1] += NO_BREAK_SPACE + token  # a dash or an ellipsis alone is not a word
        elif words and not re.search(r"\w", words[-1]) and not words[-1].startswith("["):
            words[-1] += NO_BREAK_SPACE + token
        else:
            words.append(token)
    return tuple(Word(word) for word in words)


def _narrator(voices: tuple[VoiceDeclaration, ...], language: str) -> Voice:
    """The narrator's voice, unnamed; its person is that of the declared voice with the narrator's role, when there is only one."""
    role = NARRATOR_ROLES.get(language.split("-")[0], "narration")
    people = [voice.person for voice in voices if voice.role == role]
    return Voice("", role, people[0] if len(people) == 1 else "")


def _declared_voice(key: str, declared: dict[str, VoiceDeclaration], role: str) -> Voice:
    """A named voice, with its declared role, else that of its section."""
    found = declared.get(key, VoiceDeclaration(key))
    return Voice(found.name or key, found.role or role, found.person, found.label)


def _insert_turns(
    block: Insert, declared: dict[str, VoiceDeclaration], role: str, numbering: _VoiceNumbering, section: str, language: str
) -> Iterator[AnchoredTurn]:
    """The turns of an insert; its quotation marks are attached to its first and last words."""
    numbering.start_insert()
    voice: Voice | None = None
    last = len(block.paragraphs) - 1
    for index, paragraph in enumerate(block.paragraphs):
        if paragraph.voice:
            voice = _declared_voice(paragraph.voice, declared, role)
        elif paragraph.dash or voice is None:
            voice = Voice(numbering.next_name(), role)
        text = ("« " if index == 0 else "") + paragraph.text + (" »" if index == last else "")
        marked = Paragraph(text, anchor_s=paragraph.anchor_s)
        yield from _paragraph_turns(marked, voice, section, language, insert=True)


def _paragraph_turns(paragraph: Paragraph, voice: Voice, section: str, language: str, *, insert: bool = False) -> Iterator[AnchoredTurn]:
    """A paragraph as a turn; one that holds only sounds has an empty voice."""
    text = paragraph.text if language.startswith("fr") or not insert else re.sub(r"« | »", lambda found: found[0].strip(), paragraph.text)
    words = printed_words(text, language)
    if words:
        only_sounds = all(word.is_sound for word in words)
        yield AnchoredTurn(Turn(Voice("") if only_sounds else voice, words, section, insert), paragraph.anchor_s)


def is_placeholder_name(name: str) -> bool:
    """Whether the name is only the number that a transcript gives an unnamed voice: « Voix 2 »."""
    first, _, rest = name.partition(" ")
    return first in ("Voix", "Voice") and rest.isdigit()
