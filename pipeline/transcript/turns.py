"""Turns the blocks of a transcript into speaker turns: the voice of each paragraph, and its words as printed, without times."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from pipeline.model import NARROW_SPACE, NO_BREAK_SPACE, Turn, Voice, Word, apply_typography, slugify, split_unspaced, touches
from pipeline.transcript.document import Insert, Paragraph, Section, Transcript, VoiceDeclaration
from pipeline.transcript.voice_names import published_name

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
_UNNAMED_PEOPLE = {
    "fr": {"micro-trottoir": "Passant", "vox-pop": "Passant", "témoignage": "Témoin", "testimony": "Témoin"},
    "en": {"micro-trottoir": "Passer-by", "vox-pop": "Passer-by", "témoignage": "Witness", "testimony": "Witness"},
}
_UNNAMED_VOICES = {"fr": "voix", "en": "voice"}
_PLACEHOLDER = re.compile(r"(?:[^\W\d_][\w -]*, (?:voix|voice)|Voix|Voice|Passant|Passer-by|Témoin|Witness) \d+")
_SOUNDS = r"(?:\[(?!…\])[^\[\]]*\][^\s\w\[«]*\s*)*"
_AROUND_SPEECH = re.compile(rf"(?P<before>{_SOUNDS})(?P<said>.*?)(?P<after>\s*{_SOUNDS})", re.S)
_THOUSANDS = re.compile(r"(?:(?<=\b\d)|(?<=\b\d\d)|(?<=\b\d{3})) (?=\d{3}\b)")
_TOKEN = re.compile(r"\[[^\[\]]*\][^\s\w\[«]*|[^ ]+?(?=\[)(?!\[…)|[^ ]+")


@dataclass(frozen=True)
class AnchoredTurn:
    """A turn, and its start if it was set by hand, in seconds."""

    turn: Turn
    anchor_s: float | None = None


class _VoiceNumbering:
    """Numbers the unnamed voices of an episode, each kind of section on its own: no two people have the same name."""

    def __init__(self, language: str) -> None:
        self._is_french = language.startswith("fr")
        self._counts: Counter[str] = Counter()
        self._role = ""
        self._pair: list[str] = []
        self._turn = 0

    def start_section(self, role: str) -> None:
        """Start a section whose unnamed voices have this role."""
        self._role = role

    def start_insert(self) -> None:
        """Start a new insert, with new voices."""
        self._pair, self._turn = [], 0

    def next_name(self) -> str:
        """The name of the voice after a change: two voices alternate, except among passers-by, who are all different."""
        if self._role in _PASSER_BY_ROLES or len(self._pair) < 2:
            self._pair.append(self._new_name())
            self._turn = len(self._pair) - 1
        else:
            self._turn = 1 - self._turn
        return self._pair[self._turn]

    def _new_name(self) -> str:
        """« Passant 2 », « Archive, voix 1 », and « Voix 1 » where no section says more."""
        language = "fr" if self._is_french else "en"
        person, voice = _UNNAMED_PEOPLE[language].get(self._role), _UNNAMED_VOICES[language]
        kind = person or (f"{self._role[:1].upper()}{self._role[1:]}, {voice}" if self._role else voice.capitalize())
        self._counts[kind] += 1
        return f"{kind} {self._counts[kind]}"


def build_turns(transcript: Transcript, language: str, people: Mapping[str, str] = MappingProxyType({})) -> tuple[AnchoredTurn, ...]:
    """The speech and sounds of a transcript, in order, without notes; unnamed voices of inserts are « Passant 2 », « Archive, voix 1 »…

    `people` gives the names of show.toml by key, which voices that are people of the show follow.
    """
    declared = {voice.key: _renamed(voice, people) for voice in transcript.voices}
    narrator = _narrator(transcript.voices, language)
    section, role, numbering = "", "", _VoiceNumbering(language)
    found: list[AnchoredTurn] = []
    for block in transcript.blocks:
        if isinstance(block, Section):
            section, role = block.label, inherited_role(block.label)
            numbering.start_section(role)
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
    clean = unicodedata.normalize("NFC", text)
    for char in set(clean):
        if unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs"):
            clean = clean.replace(char, "")
    joined = _THOUSANDS.sub("\u202f", clean) if language.startswith("fr") else clean  # 12 000 is one word
    words: list[str] = []
    for token in _tokens(apply_typography(joined, language)):
        is_mark = not re.search(r"\w", token) and not token.startswith("[")
        if words and token.startswith(NARROW_SPACE):  # » after a sound or an ellipsis has its space already
            words[-1] += token
        elif words and is_mark and not words[-1].startswith("["):
            words[-1] += NO_BREAK_SPACE + token  # a dash or an ellipsis alone is not a word
        elif words and not re.search(r"\w", words[-1]) and not words[-1].startswith("["):
            words[-1] += NO_BREAK_SPACE + token
        else:
            words.append(token)
    return tuple(Word(word) for word in words)


def _tokens(text: str) -> Iterator[str]:
    """The text at its spaces, and between the characters of scripts without them; a space between two such characters stays."""
    tokens = _TOKEN.findall(text)
    for token, after in zip(tokens, [*tokens[1:], ""], strict=False):
        *pieces, last = [token] if token.startswith("[") else split_unspaced(token)
        yield from pieces
        yield f"{last} " if touches(last, after) else last


def _narrator(voices: tuple[VoiceDeclaration, ...], language: str) -> Voice:
    """The narrator's voice, unnamed; its person is that of the declared voice with the narrator's role, when there is only one."""
    role = NARRATOR_ROLES.get(language.split("-")[0], "narration")
    people = [voice.person for voice in voices if voice.role == role]
    return Voice("", role, people[0] if len(people) == 1 else "")


def _renamed(voice: VoiceDeclaration, people: Mapping[str, str]) -> VoiceDeclaration:
    """The declaration with the name and the label that are published."""
    name, label = published_name(voice, people)
    return replace(voice, name=name, label=label)


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
    texts = _with_quotation_marks([paragraph.text for paragraph in block.paragraphs])
    for paragraph, text in zip(block.paragraphs, texts, strict=True):
        if paragraph.voice:
            voice = _declared_voice(paragraph.voice, declared, role)
        elif paragraph.dash or voice is None:
            voice = Voice(numbering.next_name(), role)
        yield from _paragraph_turns(Paragraph(text, anchor_s=paragraph.anchor_s), voice, section, language, insert=True)


def _with_quotation_marks(texts: list[str]) -> list[str]:
    """The paragraphs of an insert with « before its first spoken word and » after its last: sounds stand outside the marks."""
    around = [_AROUND_SPEECH.fullmatch(text) for text in texts]
    spoken = [index for index, found in enumerate(around) if found and found["said"]]
    marked = list(texts)
    for index in spoken[:1] + spoken[-1:]:
        if found := _AROUND_SPEECH.fullmatch(texts[index]):
            start, end = "« " if index == spoken[0] else "", " »" if index == spoken[-1] else ""
            marked[index] = f"{found['before']}{start}{found['said']}{end}{found['after']}"
    return marked


def _paragraph_turns(paragraph: Paragraph, voice: Voice, section: str, language: str, *, insert: bool = False) -> Iterator[AnchoredTurn]:
    """A paragraph as a turn; one that holds only sounds has an empty voice."""
    text = paragraph.text if language.startswith("fr") or not insert else re.sub(r"« | »", lambda found: found[0].strip(), paragraph.text)
    words = printed_words(text, language)
    if words:
        only_sounds = all(word.is_sound for word in words)
        yield AnchoredTurn(Turn(Voice("") if only_sounds else voice, words, section, insert), paragraph.anchor_s)


def is_placeholder_name(name: str) -> bool:
    """Whether the name is only the number that a transcript gives an unnamed voice: « Voix 2 », « Passant 1 », « Archive, voix 3 »."""
    return _PLACEHOLDER.fullmatch(name) is not None
