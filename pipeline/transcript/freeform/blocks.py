"""Complete what a free-form text leaves open: where parts end, who the voices are, unbalanced brackets. No input or output."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from pipeline.transcript import (
    DIALOGUE_ROLES,
    NARRATOR_ROLES,
    SPEAKER_LABEL,
    Block,
    Insert,
    Paragraph,
    Section,
    VoiceDeclaration,
    section_role,
)
from pipeline.transcript.freeform.labels import find_person, fold_name
from pipeline.transcript.freeform.source_lines import Remark

_QUOTATION_KINDS = {"archive", "micro-trottoir", "extrait", "témoignage", "vox-pop", "clip", "testimony"}
_QUOTATION_PREFIXES = ("bande annonce", "radio trottoir", "radiotrottoir", "micro", "publicite")
_CLOSING_PREFIXES = ("generique de fin", "generique de cloture", "generique final", "outro")
_MUSIC_PREFIXES = ("generique", "ouverture")
_SOUND_CHARS_MAX = 60  # characters in parentheses, alone on their line
_UNCLOSED_SOUND_WORDS_MAX = 5


def close_parts(
    blocks: Sequence[Block], language: str = "fr", voice_overs: Collection[tuple[int, str]] = ()
) -> tuple[tuple[Block, ...], list[Remark]]:
    """Insert a narration heading (`## Récit`) where each part ends: after its inserts, last named turn or music, depending on its kind.

    `voice_overs` are the lines and texts of the narrator's words that interrupt an insert, and end no part.
    """
    closed: list[Block] = []
    remarks: list[Remark] = []
    starts = [(index, block) for index, block in enumerate(blocks) if isinstance(block, Section)]
    closed.extend(blocks[: starts[0][0]] if starts else blocks)
    for (start, section), end in zip(starts, [*(index for index, _ in starts[1:]), len(blocks)], strict=False):
        closed.append(section)
        content = list(blocks[start + 1 : end])
        label = section.label
        earlier = {block.voice for block in closed if isinstance(block, Paragraph)} - {""}
        length = _part_length(label, content, earlier, voice_overs)
        if is_quotation(label) and length == 0 and (spoken := _first_spoken(content)) is not None:
            first, paragraph = spoken
            content[first] = Insert((paragraph,))
            length = first + 1
            remarks.append(Remark(paragraph.line, label, "has no quotation marks: its first paragraph was read as the insert"))
        closed.extend(content[:length])
        if any(_is_spoken(block) for block in content[length:]):
            closed.append(Section(narration_label(language)))
        elif section_role(label) in DIALOGUE_ROLES and not any(_is_turn(block) for block in content):
            remarks.append(Remark(section.line, label, "no speaker is named in this part: it was extended to the next one"))
        closed.extend(content[length:])
    return tuple(closed), remarks


def narration_label(language: str) -> str:
    """Return the heading that goes back to the narrator, « Récit »."""
    return "Récit" if language.startswith("fr") else NARRATOR_ROLES.get(language, "Narration").capitalize()


def declare_voices(
    blocks: Sequence[Block], full_names: Mapping[str, str], people: Mapping[str, str], roles: Mapping[str, str]
) -> tuple[VoiceDeclaration, ...]:
    """Declare every named voice, in order, with its role if `roles` has one; then those of `roles` that have no turn of their own.

    A voice is linked to a person of the show only when the full names are equal.
    """
    paragraphs = (part for block in blocks for part in (block.paragraphs if isinstance(block, Insert) else (block,)))
    keys = dict.fromkeys((*(part.voice for part in paragraphs if isinstance(part, Paragraph) and part.voice), *roles))
    return tuple(VoiceDeclaration(key, "", roles.get(key, ""), find_person(key, people), full_names.get(key, "")) for key in keys)


def voice_key(name: str) -> str:
    """Return the name as a valid voice key: at most 40 characters, none of them markup."""
    typographic = re.sub(r"(?<=\w)'(?=\w)", "’", name)
    key = " ".join(re.sub(r"[:«»\[\]\\@#%+]", " ", typographic).split()).lstrip("- ")[:40].strip()
    found = SPEAKER_LABEL.match(f"{key} : x")
    return key if found and found["label"] == key else "Voix"


def normalise_brackets(text: str) -> tuple[str, str]:
    """Return the text with balanced brackets, and what was changed (empty when nothing was).

    A direction in parentheses, alone on its line, becomes a sound in square brackets.
    """
    if len(text) <= _SOUND_CHARS_MAX and "(" in text and re.fullmatch(r"(?:(?:\([^()\[\]]+\)|\[[^()\[\]]+\])\s*)+", text):
        return re.sub(r"\(\s*([^()]+?)\s*\)", r"[\1]", text), "parentheses alone on a line were read as a sound"
    opened: list[int] = []
    chars = list(text)
    for index, char in enumerate(text):
        if char == "[":
            opened.append(index)
            chars[index] = "(" if len(opened) > 1 else "["
        elif char == "]":
            chars[index] = ")" if len(opened) != 1 else "]"
            if opened:
                opened.pop()
    if opened:
        rest = text[opened[0] + 1 :]
        if len(opened) == 1 and rest.strip() and len(rest.split()) <= _UNCLOSED_SOUND_WORDS_MAX and not re.search(r"[.!?»]", rest):
            return "".join(chars) + "]", "an unclosed bracket was closed at the end of the line"
        chars = ["(" if char == "[" else ")" if char == "]" else char for char in chars]
    plain = "".join(chars)
    return re.sub(r"\[\s*\]", "", plain), "brackets that do not match were changed to parentheses" if plain != text else ""


def _part_length(
    label: str, content: Sequence[Block], earlier_voices: Collection[str], voice_overs: Collection[tuple[int, str]] = ()
) -> int:
    """Return how many blocks belong to a part. `earlier_voices` are those before it: one of them ends a part that began with an insert."""
    if fold_name(label).startswith(_CLOSING_PREFIXES):  # the credits that are said belong to it
        return next((index for index, block in enumerate(content) if _is_turn(block)), len(content))
    if fold_name(label).startswith(_MUSIC_PREFIXES):
        return next(
            (index for index, block in enumerate(content) if _is_spoken(block) and not _is_on_label_line(block, content)), len(content)
        )
    turns = [index for index, block in enumerate(content) if _is_turn(block)]
    if is_quotation(label):
        if not turns:
            return 0
        spoken = (index for index in range(turns[0], len(content)) if _is_spoken(content[index]) and not _is_turn(content[index]))
        narration = (index for index in spoken if not _interrupts(content, index, voice_overs))
        end = next(narration, turns[-1] + 1)
        inserts = [index for index in turns if index < end and isinstance(content[index], Insert)]
        resumes_after_insert = inserts and inserts[0] == turns[0] and inserts[-1] + 1 < end
        return inserts[-1] + 1 if resumes_after_insert and _first_voice(content[inserts[-1] + 1 : end]) in earlier_voices else end
    if section_role(label) in DIALOGUE_ROLES:
        named_turns = [index for index in turns if isinstance(content[index], Paragraph)]
        return (named_turns or turns)[-1] + 1 if turns else len(content)
    return len(content)


def _interrupts(content: Sequence[Block], index: int, voice_overs: Collection[tuple[int, str]]) -> bool:
    """Whether the narrator only interrupts an insert there, which goes on afterwards."""
    block = content[index]
    is_voice_over = isinstance(block, Paragraph) and (block.line, block.text) in voice_overs
    return is_voice_over and any(_is_turn(after) for after in content[index + 1 : index + 2])


def _first_voice(content: Sequence[Block]) -> str:
    return next((block.voice for block in content if isinstance(block, Paragraph) and block.voice), "")


def _is_on_label_line(block: Block, content: Sequence[Block]) -> bool:
    """Whether the block was typed on the same line as the part's label."""
    return block is content[0] and isinstance(block, Paragraph) and block.text.startswith("[") and not block.voice


def is_quotation(label: str) -> bool:
    """Whether the label of a part announces an insert: archive, street interviews, testimony, extract."""
    return (
        section_role(label) in _QUOTATION_KINDS
        or fold_name(label).startswith(_QUOTATION_PREFIXES)
        or fold_name(label).startswith("extrait")
    )


def _is_turn(block: Block) -> bool:
    return isinstance(block, Insert) or (isinstance(block, Paragraph) and bool(block.voice))


def _is_spoken(block: Block) -> bool:
    """Whether the block holds spoken words."""
    if isinstance(block, Paragraph):
        return re.search(r"\w", re.sub(r"\[[^\[\]]*\]", "", block.text)) is not None
    return isinstance(block, Insert)


def _first_spoken(content: Sequence[Block]) -> tuple[int, Paragraph] | None:
    """Return the first spoken paragraph and its index; None when there is none."""
    return next(((index, block) for index, block in enumerate(content) if isinstance(block, Paragraph) and _is_spoken(block)), None)
