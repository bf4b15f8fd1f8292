"""Propose the roles of voices that no part gives one: a fiction for a run of turns, a testimony for a named insert. No input or output.

Nothing is decided in silence: each proposal has a remark, and what stays open is asked by `questions`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.transcript import NARRATOR_ROLES, Block, Insert, Note, Paragraph, Section, is_narrating, section_role
from pipeline.transcript.freeform.blocks import voice_key
from pipeline.transcript.freeform.introductions import introduced_names, name_in_words, presented_next, welcomed_names
from pipeline.transcript.freeform.labels import NAME, fold_name
from pipeline.transcript.freeform.name_variants import TITLES
from pipeline.transcript.freeform.source_lines import Remark

_RUN_TURNS_MIN, _RUN_VOICES_MIN = 4, 2
_GAP_MAX = 2  # paragraphs of the narrator between two turns of a run
_LONG_TURN_WORDS = 30  # on average: nobody answers at such length in a short fiction
_LONG_RUN_TURNS = 60
_WHOLE_SHARE = 0.9  # of the words: the text is a conversation from end to end
_OPENING_TURNS = 3
_PROGRAMME = re.compile(  # what the title or the first turns of an interview say
    r"(?i)\b(?:interviews?|entretiens?|rencontre avec|conversation|d[ée]bat|table ronde|podcast|[ée]mission|[ée]pisode|num[ée]ro de|"
    r"au micro|invit[ée]e?s?|bienvenue (?:dans|sur|[àa] toutes)|auditeurs|auditrices|welcome to)\b"
)
_INTERVIEWERS = frozenset(
    """
    q r question reponse journaliste animateur animatrice presentateur presentatrice intervieweur intervieweuse interviewer enqueteur
    enquetrice moderateur moderatrice reporter host interviewee speaker locuteur locutrice intervenant intervenante invite invitee guest
    """.split()
)
_CHORUS = frozenset(("tous", "toutes", "ensemble", "choeur", "all"))
TESTIMONY = {"fr": "témoignage", "en": "testimony"}


@dataclass(frozen=True)
class Proposal:
    """Blocks with the proposed parts, the roles proposed by voice, and the remarks that say so."""

    blocks: tuple[Block, ...]
    roles: Mapping[str, str]
    remarks: tuple[Remark, ...]


@dataclass(frozen=True)
class _TurnRun:
    """Blocks `first` to `end` (exclusive) of a run of turns, in the part `section`."""

    first: int
    end: int
    section: str
    turns: tuple[Paragraph, ...]

    @property
    def voices(self) -> tuple[str, ...]:
        """The voices, in order; a chorus (« Toutes ») is nobody in particular."""
        return tuple(dict.fromkeys(turn.voice for turn in self.turns if fold_name(turn.voice) not in _CHORUS))


def propose_roles(
    blocks: Sequence[Block], introduced: Collection[str], credited: Collection[str], narration: str, language: str = "fr"
) -> Proposal:
    """Propose a fiction for every run of turns between voices that nobody introduced, and a testimony for named inserts.

    Folded names: `introduced` are people introduced in the text, `credited` those of the show and of the credits, who may share a first
    name with a character. `narration` is the label of the part that follows a fiction.
    """
    roles: dict[str, str] = {}
    remarks: list[Remark] = []
    fictions: list[_TurnRun] = []
    for run in _runs(blocks, lambda voice: is_introduced(voice, introduced) or _is_interviewer(voice)):
        if not _is_fiction(run, credited, blocks):
            continue
        in_title = run.section and not is_narrating(section_role(run.section))
        if in_title and _speak_elsewhere(run.voices, run, blocks):
            continue
        names = ", ".join(run.voices)
        reason = f"{len(run.turns)} turns in a row between voices that nobody introduces: proposed as a fiction"
        remarks.append(Remark(run.turns[0].line, names, f"{reason}; if they are real people, {_remedy(bool(in_title))}"))
        if in_title:
            roles |= dict.fromkeys(run.voices, "fiction")
        else:
            fictions.append(run)
    inside = {index for run in fictions for index in range(run.first, run.end)}
    for voice, line in _testimonies([block for index, block in enumerate(blocks) if index not in inside]).items():
        roles[voice] = TESTIMONY["fr" if language.startswith("fr") else "en"]
        reason = f"is quoted outside the parts that have a label: proposed as {roles[voice]}; correct its role if it is another"
        remarks.append(Remark(line, voice, reason))
    if (narrator := _narrator_name(blocks)) and not _speaks(narrator[0], blocks):
        roles[narrator[0]] = NARRATOR_ROLES.get(language[:2], "narration")
        remarks.append(Remark(narrator[1], narrator[0], "is the name that the narrator gives: declared as the narrator"))
    return Proposal(tuple(_with_headings(blocks, fictions, narration)), roles, tuple(remarks))


def introduced_voices(blocks: Sequence[Block], full_names: Mapping[str, str]) -> set[str]:
    """The folded names of people introduced in a text. In a turn, only a full name counts: a character says « je suis Paul » too."""
    told = [part.text for block in blocks for part in _parts(block) if isinstance(block, Insert) or not part.voice]
    before_inserts = (block.text for block, after in pairwise(blocks) if isinstance(block, Paragraph) and isinstance(after, Insert))
    presented = (fold_name(presented_next(text)[0]) for text in before_inserts)
    names = {*introduced_names(told), *presented, *(fold_name(voice) for voice in full_names)} - {""}
    turns = [part.text for block in blocks for part in _parts(block) if isinstance(block, Paragraph) and part.voice]
    return names | {name for name in introduced_names(turns) if " " in name} | set(welcomed_names(turns))


def _narrator_name(blocks: Sequence[Block]) -> tuple[str, int] | None:
    """The name that the narrator gives first, and its line."""
    told = (block for block in blocks if isinstance(block, Paragraph) and not block.voice)
    return next(((voice_key(name), block.line) for block in told if (name := name_in_words(block.text))), None)


def _speaks(voice: str, blocks: Sequence[Block]) -> bool:
    return any(fold_name(part.voice) == fold_name(voice) for block in blocks for part in _parts(block))


def is_introduced(voice: str, introduced: Collection[str]) -> bool:
    """Whether a voice is named in full, or by a name of `introduced`, or by the first words of one."""
    folded = fold_name(voice)
    is_full = NAME.fullmatch(voice) is not None and folded.split(" ")[0] not in TITLES
    return is_full or any(folded == name or name.startswith(f"{folded} ") for name in introduced)


def _remedy(in_title: bool) -> str:
    return "take the roles out of the front matter" if in_title else "replace the heading, ## Entretien for example"


def _is_interviewer(voice: str) -> bool:
    """Whether a voice is named after its part in an interview: « Journaliste », « Q »."""
    return fold_name(voice).split(" ")[0] in _INTERVIEWERS


def _runs(blocks: Sequence[Block], is_real: Callable[[str], bool]) -> Iterator[_TurnRun]:
    """Yield the runs of turns outside inserts, in parts that give no role; somebody real ends them."""
    section, first = "", None
    turns: list[Paragraph] = []
    last = gap = 0
    for index, block in enumerate((*blocks, Section(""))):
        is_turn = isinstance(block, Paragraph) and bool(block.voice)
        ends = isinstance(block, Section) or gap > _GAP_MAX or (is_turn and is_real(getattr(block, "voice", "")))
        if ends:
            if first is not None:
                yield _TurnRun(first, last + 1, section, tuple(turns))
            first, turns, gap = None, [], 0
        if isinstance(block, Section):
            section = block.label
        elif isinstance(block, Paragraph) and block.voice and not _gives_role(section) and not is_real(block.voice):
            first, last, gap = index if first is None else first, index, 0
            turns.append(block)
        elif first is not None and (isinstance(block, Insert) or (isinstance(block, Paragraph) and _spoken_words(block.text))):
            gap += 1


def _gives_role(section: str) -> bool:
    """Whether the heading of a part says what its voices are."""
    role = section_role(section)
    return bool(role) and not is_narrating(role)


def _is_fiction(run: _TurnRun, credited: Collection[str], blocks: Sequence[Block]) -> bool:
    """Whether a run of voices that nobody introduced is long enough, and nothing says that it is an interview."""
    if len(run.turns) < _RUN_TURNS_MIN or len(run.voices) < _RUN_VOICES_MIN:
        return False
    if all(is_introduced(voice, credited) for voice in run.voices):  # the team; one of them may only share a character's first name
        return False
    words = sum(_spoken_words(turn.text) for turn in run.turns)
    everything = sum(_spoken_words(part.text) for block in blocks for part in _parts(block))
    if words < _WHOLE_SHARE * everything:
        return True
    is_long = words > _LONG_TURN_WORDS * len(run.turns) or len(run.turns) > _LONG_RUN_TURNS
    opening = " ".join([*(block.text for block in blocks if isinstance(block, Note)), *(turn.text for turn in run.turns[:_OPENING_TURNS])])
    return not is_long and not _PROGRAMME.search(opening)


def _parts(block: Block) -> tuple[Paragraph, ...]:
    return block.paragraphs if isinstance(block, Insert) else (block,) if isinstance(block, Paragraph) else ()


def _spoken_words(text: str) -> int:
    return len(re.findall(r"\w+", re.sub(r"\[[^\[\]]*\]", "", text)))


def _speak_elsewhere(voices: Collection[str], run: _TurnRun, blocks: Sequence[Block]) -> bool:
    others = [part for index, block in enumerate(blocks) if not run.first <= index < run.end for part in _parts(block)]
    return any(part.voice in voices for part in others)


def _testimonies(blocks: Sequence[Block]) -> dict[str, int]:
    """The voices that speak only in inserts of parts that give no role, with the line where each begins."""
    section = ""
    found: dict[str, int] = {}
    elsewhere: Counter[str] = Counter()
    for block in blocks:
        if isinstance(block, Section):
            section = block.label
        for part in _parts(block):
            if part.voice and isinstance(block, Insert) and not _gives_role(section):
                found.setdefault(part.voice, part.line)
            elif part.voice:
                elsewhere[part.voice] += 1
    return {voice: line for voice, line in found.items() if not elsewhere[voice]}


def _with_headings(blocks: Sequence[Block], fictions: Sequence[_TurnRun], narration: str) -> Iterator[Block]:
    """Yield the blocks with a heading before each fiction, and one of narration after it when somebody speaks there."""
    starts = {_with_lead(run, blocks): run for run in fictions}
    ends = {_with_sounds(run, blocks): run for run in fictions}
    for index, block in enumerate(blocks):
        if index in ends and not isinstance(block, Section) and _speaks_before_next_part(blocks[index:]):
            yield Section(narration)
        if index in starts:
            yield Section("Fiction")
        yield block


def _with_lead(run: _TurnRun, blocks: Sequence[Block]) -> int:
    """The index where a fiction begins: with the paragraph before its first turn, when that sets the scene."""
    first = run.first
    while first and isinstance(before := blocks[first - 1], Paragraph) and not before.voice and _sets_scene(before.text, run.voices):
        first -= 1
    return first


def _sets_scene(text: str, voices: Collection[str]) -> bool:
    is_named = any(re.search(rf"\b{re.escape(voice)}\b", text) for voice in voices) and not re.search(r"(?i)[ée]cout", text)
    return is_named or text.startswith("[") and not text.startswith("[…]")


def _with_sounds(run: _TurnRun, blocks: Sequence[Block]) -> int:
    """The index after a fiction: after the sounds that follow its last turn."""
    end = run.end
    while end < len(blocks) and isinstance(after := blocks[end], Paragraph) and not after.voice and not _spoken_words(after.text):
        end += 1
    return end


def _speaks_before_next_part(blocks: Sequence[Block]) -> bool:
    for block in blocks:
        if isinstance(block, Section):
            return False
        if not isinstance(block, Note):
            return True
    return False
