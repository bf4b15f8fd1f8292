"""Complete what a free-form text leaves open: where parts end, who the voices are, unbalanced brackets. No input or output."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from pipeline.transcript.loose_labels import fold, known_person
from pipeline.transcript.loose_lines import Told
from pipeline.transcript.text import LABEL, Block, Declared, Insert, Paragraph, Section
from pipeline.transcript.turns import NARRATION, TALK, kind_of

_QUOTED = {"archive", "micro-trottoir", "extrait", "témoignage", "vox-pop", "clip", "testimony"}
_QUOTED_WORDS = ("bande annonce", "radio trottoir", "radiotrottoir", "micro", "publicite")
_MUSIC_WORDS = ("generique", "ouverture")
_LONGEST_SOUND = 60  # characters in parentheses, alone on their line
_FEW_WORDS = 5


def closed_parts(blocks: Sequence[Block], language: str = "fr") -> tuple[tuple[Block, ...], list[Told]]:
    """Insert a narration heading (`## Récit`) where each part ends: after its inserts, last named turn or music, depending on its kind."""
    done: list[Block] = []
    remarks: list[Told] = []
    starts = [(index, block) for index, block in enumerate(blocks) if isinstance(block, Section)]
    done.extend(blocks[: starts[0][0]] if starts else blocks)
    for (start, section), end in zip(starts, [*(index for index, _ in starts[1:]), len(blocks)], strict=False):
        done.append(section)
        inside = list(blocks[start + 1 : end])
        label = section.label
        last = _last_of_part(label, inside, {block.voice for block in done if isinstance(block, Paragraph)} - {""})
        if _is_quoted(label) and last == 0 and (spoken := _first_spoken(inside)) is not None:
            first, paragraph = spoken
            inside[first] = Insert((paragraph,))
            last = first + 1
            remarks.append(Told(paragraph.line, label, "has no quotation marks: its first paragraph was read as the insert"))
        done.extend(inside[:last])
        if any(_is_spoken(block) for block in inside[last:]):
            done.append(Section("Récit" if language.startswith("fr") else NARRATION.get(language, "Narration").capitalize()))
        elif kind_of(label) in TALK and not any(_is_turn(block) for block in inside):
            remarks.append(Told(section.line, label, "no speaker is named in this part: it was extended to the next one"))
        done.extend(inside[last:])
    return tuple(done), remarks


def declared(blocks: Sequence[Block], in_full: Mapping[str, str], people: Mapping[str, str]) -> tuple[Declared, ...]:
    """Declare every named voice, in order. A voice is linked to a person of the show only when the full names are equal."""
    paragraphs = (part for block in blocks for part in (block.paragraphs if isinstance(block, Insert) else (block,)))
    keys = dict.fromkeys(part.voice for part in paragraphs if isinstance(part, Paragraph) and part.voice)
    return tuple(Declared(key, person=known_person(key, people), label=in_full.get(key, "")) for key in keys)


def voice_key(name: str) -> str:
    """Return the name as a valid voice key: at most 40 characters, none of them markup."""
    curly = re.sub(r"(?<=\w)'(?=\w)", "’", name)
    key = " ".join(re.sub(r"[:«»\[\]\\@#%+]", " ", curly).split()).lstrip("- ")[:40].strip()
    found = LABEL.match(f"{key} : x")
    return key if found and found["label"] == key else "Voix"


def sound_text(text: str) -> tuple[str, str]:
    """Return the text with balanced brackets, and what was changed (empty when nothing was).

    A direction in parentheses, alone on its line, becomes a sound in square brackets.
    """
    if len(text) <= _LONGEST_SOUND and "(" in text and re.fullmatch(r"(?:(?:\([^()\[\]]+\)|\[[^()\[\]]+\])\s*)+", text):
        return re.sub(r"\(\s*([^()]+?)\s*\)", r"[\1]", text), "parentheses alone on a line were read as a sound"
    opened: list[int] = []
    chars = list(text)
    for place, char in enumerate(text):
        if char == "[":
            opened.append(place)
            chars[place] = "(" if len(opened) > 1 else "["
        elif char == "]":
            chars[place] = ")" if len(opened) != 1 else "]"
            if opened:
                opened.pop()
    if opened:
        rest = text[opened[0] + 1 :]
        if len(opened) == 1 and rest.strip() and len(rest.split()) <= _FEW_WORDS and not re.search(r"[.!?»]", rest):
            return "".join(chars) + "]", "an unclosed bracket was closed at the end of the line"
        chars = ["(" if char == "[" else ")" if char == "]" else char for char in chars]
    plain = "".join(chars)
    return re.sub(r"\[\s*\]", "", plain), "brackets that do not match were changed to parentheses" if plain != text else ""


def _last_of_part(label: str, inside: Sequence[Block], heard: Collection[str]) -> int:
    """Return how many blocks belong to a part. `earlier_voices` are those before it: one of them ends a part that began with an insert."""
    if fold(label).startswith(_MUSIC_WORDS):
        return next((index for index, block in enumerate(inside) if _is_spoken(block) and not _same_line(block, inside)), len(inside))
    turns = [index for index, block in enumerate(inside) if _is_turn(block)]
    if _is_quoted(label):
        if not turns:
            return 0
        after = (index for index in range(turns[0], len(inside)) if _is_spoken(inside[index]) and not _is_turn(inside[index]))
        end = next(after, turns[-1] + 1)
        inserts = [index for index in turns if index < end and isinstance(inside[index], Insert)]
        is_back = inserts and inserts[0] == turns[0] and inserts[-1] + 1 < end
        return inserts[-1] + 1 if is_back and _first_voice(inside[inserts[-1] + 1 : end]) in heard else end
    if kind_of(label) in TALK:
        named = [index for index in turns if isinstance(inside[index], Paragraph)]
        return (named or turns)[-1] + 1 if turns else len(inside)
    return len(inside)


def _first_voice(inside: Sequence[Block]) -> str:
    return next((block.voice for block in inside if isinstance(block, Paragraph) and block.voice), "")


def _same_line(block: Block, inside: Sequence[Block]) -> bool:
    """Whether the block was typed on the same line as the part's label."""
    return block is inside[0] and isinstance(block, Paragraph) and block.text.startswith("[") and not block.voice


def _is_quoted(label: str) -> bool:
    return kind_of(label) in _QUOTED or fold(label).startswith(_QUOTED_WORDS) or fold(label).startswith("extrait")


def _is_turn(block: Block) -> bool:
    return isinstance(block, Insert) or (isinstance(block, Paragraph) and bool(block.voice))


def _is_spoken(block: Block) -> bool:
    """Whether the block holds spoken words."""
    if isinstance(block, Paragraph):
        return re.search(r"\w", re.sub(r"\[[^\[\]]*\]", "", block.text)) is not None
    return isinstance(block, Insert)


def _first_spoken(inside: Sequence[Block]) -> tuple[int, Paragraph] | None:
    """Return the first spoken paragraph and its index; None when there is none."""
    return next(((index, block) for index, block in enumerate(inside) if isinstance(block, Paragraph) and _is_spoken(block)), None)
