"""Build the blocks of the editable text from the classified lines of a free-form one. No input or output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from pipeline.model import apply_typography
from pipeline.transcript import Block, Insert, Note, Paragraph, Section
from pipeline.transcript.freeform import labels as labels
from pipeline.transcript.freeform import quotes as quotes
from pipeline.transcript.freeform.blocks import is_quotation, normalise_brackets, voice_key
from pipeline.transcript.freeform.classifier import ClassifiedLine, LineKind
from pipeline.transcript.freeform.introductions import named_in_label, presented_next, self_introduction
from pipeline.transcript.freeform.source_lines import Remark, SourceLine
from pipeline.transcript.freeform.speakers import SpeakerTable, Utterance, split_utterance
from pipeline.transcript.freeform.unplaced import unplaced_note
from pipeline.transcript.freeform.voice_over import ANNOUNCEMENT, VOICE_OFF, VOICE_OFF_AT_START, VOICE_OFF_WITH_NAME, split_voice_over

_SOUND_PARTS = ("jingle", "virgule", "transition")


@dataclass
class BlockBuilder:
    """Builds the blocks of the editable text from classified lines."""

    speakers: SpeakerTable
    language: str
    remarks: list[Remark]
    blocks: list[Block] = field(default_factory=list)
    unplaced: list[Remark] = field(default_factory=list)
    full_names: dict[str, str] = field(default_factory=dict)
    voice_overs: set[tuple[int, str]] = field(default_factory=set)  # line and text of the narrator's words inside somebody's turn
    _pending: list[ClassifiedLine] = field(default_factory=list)
    _announced_voice: str = ""  # the next speaker, as announced by a voice-over

    def build(self, pieces: Sequence[ClassifiedLine]) -> None:
        """Turn every classified line into blocks."""
        self._pending = self._with_openings(list(pieces))
        while self._pending:
            piece = self._pending.pop(0)
            if piece.kind is LineKind.UNPLACED:
                self._add_unplaced(piece.line, piece.reason)
            elif piece.kind is LineKind.FACT:
                self._add_note(piece.line.source, piece.line.number)
            elif piece.kind is LineKind.PART:
                self._add_part(piece)
            elif piece.line.text or piece.line.label:
                self._add_speech(piece)

    def _with_openings(self, pieces: list[ClassifiedLine]) -> list[ClassifiedLine]:
        """The lines with « where only the » of an insert with dashes was typed, outside parts whose label opens it."""
        for index in quotes.missing_openings([piece.line for piece in pieces]):
            piece = pieces[index]
            if piece.kind is LineKind.SPEECH and (not index or pieces[index - 1].kind is not LineKind.PART):
                pieces[index] = replace(piece, line=replace(piece.line, text=f"«{piece.line.text}"))
                self._add_remark(piece.line, "» without an opening «: « was added before the line that its dashes answer")
        return pieces

    def report_doubtful_names(self, people: Mapping[str, str]) -> None:
        """Report labels not read as voices, merged names, and voices that may be people of the show."""
        for number, label in self.speakers.doubtful_labels:
            if labels.is_never_voice(label):
                continue
            self.remarks.append(Remark(number, f"{label} :", "read as text, not as a speaker; declare the voice if it is one"))
        for short, full in self.speakers.merged_names:
            self.remarks.append(Remark(0, short, f"read as a short form of {full}, a name used elsewhere in the text"))
        first_names = {labels.fold_name(name).split(" ")[0]: name for name in people.values()}
        for key in {key for key in self.speakers.keys.values() if key and not labels.find_person(key, people)}:
            if name := first_names.get(labels.fold_name(key)):
                reason = f"may be {name}: voices are declared per episode; add person = … if it is the same person"
                self.remarks.append(Remark(0, key, reason))

    def _add_note(self, text: str, line: int) -> None:
        self.blocks.append(Note(quotes.single_line(text), line))

    def _add_remark(self, line: SourceLine, reason: str) -> None:
        self.remarks.append(Remark(line.number, line.source, reason))

    def _add_unplaced(self, line: SourceLine, reason: str) -> None:
        """Report a line that cannot be placed, and keep it as a note."""
        self.unplaced.append(Remark(line.number, line.source, reason))
        self.blocks.append(unplaced_note(self.unplaced[-1], self.language))

    def _add_part(self, piece: ClassifiedLine) -> None:
        """Add a part. Quotation marks around both label and text belong to the text."""
        self._announced_voice = ""
        if labels.fold_name(piece.label).startswith(_SOUND_PARTS) and not piece.has_opening_quote:
            self.blocks.append(Paragraph(normalise_brackets(f"[{quotes.single_line(piece.label).strip('[]')}]")[0], line=piece.line.number))
            return
        label = piece.label if quotes.is_balanced(piece.label) else piece.label.strip("«» ")
        self.blocks.append(Section(quotes.single_line(quotes.collapse_spaces(apply_typography(label, self.language))), piece.line.number))
        if piece.has_opening_quote and self._pending and self._pending[0].kind is LineKind.SPEECH:
            first = self._pending[0]
            self._pending[0] = replace(first, line=replace(first.line, text=f"«{first.line.text}", starts_paragraph=True))
            self._add_remark(piece.line, "the quotation mark before the label was moved after it")
        elif is_quotation(piece.label) and quotes.closes_unopened(self._following_speech()):
            first = self._pending[0]
            self._pending[0] = replace(first, line=replace(first.line, text=f"«{first.line.text}"))
            self._add_remark(first.line, "» without an opening «: « was added at the start of this part")

    def _following_speech(self) -> Iterator[str]:
        """The text of the following lines of speech, up to the next part."""
        return (piece.line.text for piece in takewhile(lambda piece: piece.kind is LineKind.SPEECH, self._pending))

    def _add_speech(self, piece: ClassifiedLine) -> None:
        """Add a paragraph, or an insert with all its lines."""
        line = piece.line
        if (
            line.text.startswith("«")
            and quotes.closing_index(line.text) in (None, len(line.text) - 1)
            or self._has_narration_after_quote(line.text)
        ):
            self._add_insert(line)
            return
        if line.has_dash:
            self._add_dialogue(line)
            return
        utterance = split_utterance(line, self.speakers)
        if utterance.text.startswith("«") and utterance.voice and quotes.closing_index(utterance.text) is None:
            self._add_insert(replace(line, text="«" + utterance.text[1:]), utterance)
            return
        quote_start = quotes.unclosed_index(utterance.text)
        if (
            quote_start is not None and quotes.lines_to_close(utterance.text[quote_start:], self._following_speech()) is not None
        ):  # narration, then an insert
            self._add_paragraph(replace(utterance, text=utterance.text[:quote_start]), line)
            self._add_speech(ClassifiedLine(LineKind.SPEECH, replace(line, text=utterance.text[quote_start:], label="", anchor_s=None)))
            return
        self._add_paragraph(utterance, line)

    def _has_narration_after_quote(self, text: str) -> bool:
        """Whether the line is an insert followed by narration on the same line."""
        end = quotes.closing_index(text) if text.startswith("«") else None
        return end is not None and self._follows_part_label() and re.match(r"[\s.]*[A-ZÀ-ÞŒŸ\[]", text[end + 1 :]) is not None

    def _follows_part_label(self) -> bool:
        """Whether the previous block is a part label."""
        return bool(self.blocks) and isinstance(self.blocks[-1], Section)

    def _add_insert(self, first: SourceLine, utterance: Utterance | None = None) -> None:
        """Add an insert that starts with «, consuming the pending lines up to its »."""
        count = quotes.lines_to_close(first.text, self._following_speech())
        lines = [first]
        if count is None:
            self._add_remark(first, "« is never closed: the insert was ended after its last change of voice")
            while (
                self._pending
                and self._pending[0].kind is LineKind.SPEECH
                and (self._pending[0].line.has_dash or not self._pending[0].line.starts_paragraph)
            ):
                if self._pending[0].line.text.startswith("«") or (
                    not self._pending[0].line.has_dash and split_utterance(self._pending[0].line, self.speakers).voice
                ):
                    break
                lines.append(self._pending.pop(0).line)
        else:
            lines += [self._pending.pop(0).line for _ in range(count)]
        remainder = quotes.split_at_close(lines)
        self._write_insert(lines, utterance)
        if remainder is not None:
            self._add_speech(ClassifiedLine(LineKind.SPEECH, remainder))

    def _add_dialogue(self, first: SourceLine) -> None:
        """Add lines that start with a dash, outside quotation marks, as an insert of their own."""
        lines = [first]
        while self._pending and self._pending[0].kind is LineKind.SPEECH and self._pending[0].line.has_dash:
            lines.append(self._pending.pop(0).line)
        if quotes.open_quotes(" ".join(line.text for line in lines)) < 0:
            lines = [replace(line, text=line.text.replace("»", "")) if quotes.open_quotes(line.text) < 0 else line for line in lines]
        utterances = [split_utterance(line, self.speakers) for line in lines]
        if all(utterance.voice for utterance in utterances):  # a list of named turns
            for line, name in zip(lines, utterances, strict=True):
                self._add_paragraph(name, line)
            return
        self._add_remark(first, "lines with dashes were read as an insert")
        self._write_insert([replace(lines[0], has_dash=lines[0].has_dash and bool(utterances[0].voice)), *lines[1:]], None)

    def _write_insert(self, lines: list[SourceLine], first_utterance: Utterance | None) -> None:
        """Write the insert. A voice-over in it announces its speaker, or interrupts it: the narrator's words stand between two inserts."""
        lines = self._take_announcement([line for line in lines if line.text])
        groups: list[list[Paragraph]] = [[]]
        overs: list[Paragraph] = []
        voice = identified = ""
        for index, line in enumerate(lines):
            utterance = first_utterance if first_utterance and index == 0 else split_utterance(line, self.speakers)
            text = line.text if first_utterance and index == 0 else utterance.text
            text = re.sub(r"^«(?=[^»]*$)", "", text) if index else text  # marks repeated at every paragraph
            named = utterance.voice or (self._announced_voice if not index else "")
            if not named and (not index or line.has_dash):
                named = self._introduced_voice(text, line, is_first=not index)
            voice = named or ("" if line.has_dash else voice)
            before, over, name, after = split_voice_over(text)
            if name and not named:
                identified = named = voice = voice_key(name)
                self.full_names.setdefault(named, over.rstrip(" .:…"))
            if said := self._paragraph_text(replace(utterance, text=before), line):
                self._record_full_name(utterance, line)
                groups[-1].append(Paragraph(said, named, line.has_dash and bool(groups[-1]), line.anchor_s, line.number))
            elif utterance.voice and not over:
                self._add_unplaced(line, "a name with no speech after it")
            if over:
                overs.append(self._voice_over(over, line))
                groups.append([])
                if said := self._paragraph_text(Utterance(None, after), line):
                    groups[-1].append(Paragraph(said, voice, line=line.number))
        self._announced_voice = ""
        if identified and not any(line.has_dash for line in lines):  # the one speaker is identified in the middle of the insert
            groups = [[replace(group[0], voice=group[0].voice or identified), *group[1:]] if group else [] for group in groups]
        self._write_groups(groups, overs, voice)

    def _write_groups(self, groups: list[list[Paragraph]], overs: list[Paragraph], voice: str) -> None:
        """Write inserts with the narrator's words between them; after an interruption the same voice goes on."""
        for index, group in enumerate(groups):
            if index:
                self.blocks.append(overs[index - 1])
                group = [replace(group[0], voice=group[0].voice or voice), *group[1:]] if group and not group[0].dash else group
            if group and (balanced := quotes.balance_quotes(group)):
                self.blocks.append(Insert((replace(balanced[0], dash=False), *balanced[1:])))

    def _voice_over(self, text: str, line: SourceLine) -> Paragraph:
        """The narrator's words inside somebody's turn, as a paragraph of their own."""
        over = Paragraph(self._with_balanced_quotes(self._paragraph_text(Utterance(None, text), line), line), line=line.number)
        self.voice_overs.add((over.line, over.text))
        self._add_remark(line, "[voix off] inside a turn: its words were read as the narrator's, between two turns")
        return over

    def _introduced_voice(self, text: str, line: SourceLine, *, is_first: bool) -> str:
        """The voice of an insert's paragraph that gives its name, or whose name the narrator gives just before the insert."""
        if name := self_introduction(text):
            self._add_remark(line, f"read as said by {name}, who gives that name")
            return voice_key(name)
        before = next((block for block in reversed(self.blocks) if not isinstance(block, Note)), None) if is_first else None
        if isinstance(before, Section):
            name, label = named_in_label(before.label)
        elif isinstance(before, Paragraph) and not before.voice:
            name, label = presented_next(before.text)
        else:
            return ""
        if name:
            self._add_remark(line, f"read as said by {name}, whom the narrator presents before it")
            if label:
                self.full_names.setdefault(voice_key(name), label)
        return voice_key(name) if name else ""

    def _take_announcement(self, lines: list[SourceLine]) -> list[SourceLine]:
        """Move « [voix off] François Gemenne, co-auteur… » from the start of an insert to before it: the narrator says it."""
        mark = (VOICE_OFF_WITH_NAME.match(lines[0].text) or VOICE_OFF.match(lines[0].text)) if lines else None
        if not mark:
            return lines
        text = (mark["who"] + ". " if "who" in mark.groupdict() else "") + lines[0].text[mark.end() :]
        found = ANNOUNCEMENT.match(text)
        if not found:
            self._add_remark(lines[0], "[voix off] was left in place: the speaker of this insert may be the narrator")
            return lines
        self._add_announcement(found, lines[0])
        rest = text[found.end() :].strip()
        return [replace(lines[0], text=rest, anchor_s=None), *lines[1:]] if rest else lines[1:]

    def _add_announcement(self, announcement: re.Match[str], line: SourceLine) -> None:
        """Add the narrator's announcement of the next speaker."""
        self._announced_voice = voice_key(announcement["name"])
        announcement_text = announcement[0].strip().rstrip(":").strip()
        self.blocks.append(Paragraph(apply_typography(announcement_text, self.language), "", False, line.anchor_s, line.number))
        self.full_names.setdefault(self._announced_voice, announcement_text.rstrip("."))
        self._add_remark(line, f"the voice-over was read as the narrator announcing {self._announced_voice}")

    def _add_paragraph(self, utterance: Utterance, line: SourceLine) -> None:
        """Add a paragraph outside inserts."""
        text, mark = utterance.text, VOICE_OFF_AT_START.match(utterance.text)
        if mark and not utterance.voice:
            text = mark["sounds"] + text[mark.end() :]
            announcement = ANNOUNCEMENT.match(text)
            if announcement and announcement.end() == len(text) and self._next_is_insert():
                self._add_announcement(announcement, line)
                return
        elif VOICE_OFF.search(text):
            self._add_interrupted(utterance, line)
            return
        if text := self._with_balanced_quotes(self._paragraph_text(replace(utterance, text=text), line), line):
            self._record_full_name(utterance, line)
            self.blocks.append(Paragraph(text, utterance.voice or "", False, line.anchor_s, line.number))
        elif (
            utterance.voice is not None
            and self._pending
            and self._pending[0].kind is LineKind.SPEECH
            and not split_utterance(self._pending[0].line, self.speakers).voice
        ):
            self._record_full_name(utterance, line)
            following = self._pending.pop(0).line  # a name alone on its line
            following = replace(following, text=f"[{utterance.sound}] {following.text}") if utterance.sound else following
            anchor_s = following.anchor_s if line.anchor_s is None else line.anchor_s
            self._add_speech(
                ClassifiedLine(LineKind.SPEECH, replace(following, label=utterance.voice or "Narrateur", has_dash=False, anchor_s=anchor_s))
            )
        elif re.search(r"\w", VOICE_OFF.sub("", line.text + line.label)):
            self._add_unplaced(line, "a name with no speech after it")

    def _add_interrupted(self, utterance: Utterance, line: SourceLine) -> None:
        """Add a turn that the narrator interrupts as three; the narrator's own paragraph is only cut in two."""
        before, over, _, after = split_voice_over(utterance.text)
        if utterance.voice:
            self._add_paragraph(replace(utterance, text=before), line)
            self.blocks.append(self._voice_over(over, line))
        else:
            after = f"{over} {after}".strip()
            self._add_paragraph(replace(utterance, text=before), line)
        if after:
            self._add_paragraph(Utterance(utterance.voice, after), replace(line, anchor_s=None))

    def _with_balanced_quotes(self, text: str, line: SourceLine) -> str:
        if not quotes.is_balanced(text):
            self._add_remark(line, "quotation marks that do not match were removed")
            return quotes.strip_quotes(text)
        return text

    def _next_is_insert(self) -> bool:
        return (
            bool(self._pending)
            and self._pending[0].kind is LineKind.SPEECH
            and (self._pending[0].line.text.startswith("«") or self._pending[0].line.has_dash)
        )

    def _record_full_name(self, utterance: Utterance, line: SourceLine) -> None:
        """Record a full name, and report what is unusual about it."""
        if utterance.voice and utterance.label:
            self.full_names.setdefault(utterance.voice, utterance.label)
        if utterance.remark:
            self._add_remark(line, utterance.remark)

    def _paragraph_text(self, utterance: Utterance, line: SourceLine) -> str:
        """Return the printed text: manner of speech first; a direction in parentheses alone on its line becomes a sound."""
        text = f"[{utterance.sound}] {utterance.text}" if utterance.sound else utterance.text
        text, change = normalise_brackets(text.strip())
        if change:
            self._add_remark(line, change)
        return quotes.collapse_spaces(apply_typography(text, self.language))
