"""Convert a free-form transcript, as French production companies type them, to the editable text. No input or output.

Such texts mark where a part begins but not where it ends, leave speakers unnamed behind dashes, and mix header lines, credits and
audio file markers with the speech. Nothing is dropped silently: every decision is listed in `remarks`; every line that could not
be placed is listed in `unplaced` and kept as a note in the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from pipeline.text import typographic
from pipeline.transcript import loose_labels as labels
from pipeline.transcript import loose_quotes as quotes
from pipeline.transcript.loose_blocks import closed_parts, declared, sound_text, voice_key
from pipeline.transcript.loose_head import Head, Kind, Piece, sorted_pieces
from pipeline.transcript.loose_lines import Line, Told, cleaned, text_lines
from pipeline.transcript.loose_voices import Cast, Said, cast, said
from pipeline.transcript.text import Block, Insert, Note, Paragraph, Section, Transcript, write

_VOICE_OFF = re.compile(r"[\[(]\s*voix[- ]off\s*:?\s*[\])]\s*:?\s*", re.I)
_OFF_AT_START = re.compile(rf"(?P<sounds>(?:\[[^\[\]]*\]\s*)*?){_VOICE_OFF.pattern}", re.I)
_OFF_WITH_NAME = re.compile(r"\[\s*voix[- ]off\s*[:,–-]\s*(?P<who>[^\[\]]+)\]\s*", re.I)
_ANNOUNCED = re.compile(rf"(?P<name>{labels.NAME.pattern})(?P<what>\s*[,(–-]\s*[^.!?«»]{{3,110}}?)?\s*(?:[.:…]|(?=\[)|$)\s*")
_WORD, _SAID_OTHERWISE = re.compile(r"[^\W_]{2,}"), re.compile(r"(?i)\[voix off\]|narrateur *:|\d+:\d\d(?::\d\d)?")
_SOUND_PARTS = ("jingle", "virgule", "transition")
_TO_PLACE = {"fr": "? à placer : {}", "en": "? to place: {}"}


@dataclass(frozen=True)
class Imported:
    """The result of converting a free-form text."""

    transcript: Transcript
    head: Head
    unplaced: tuple[Told, ...]
    remarks: tuple[Told, ...]


def imported(text: str, where: str = "", people: Mapping[str, str] | None = None, language: str = "fr") -> Imported:
    """Convert the text of one episode. `people` maps the show's person keys to names; `location` names the file in errors."""
    return imported_lines(text_lines(text), where, people or {}, language)


def imported_lines(lines: Sequence[Line], where: str, people: Mapping[str, str], language: str = "fr") -> Imported:
    """Convert lines that were already split, such as those of `pipeline.transcript.freeform.docx`. `CauserieError` when there are none."""
    clean, first = cleaned(lines)
    head, pieces, more = sorted_pieces(clean, where)
    known = cast([piece.line for piece in pieces if piece.kind in (Kind.SAID, Kind.PART)], (*people.values(), *head.cast))
    parts = {piece.line.number for piece in pieces if piece.kind is Kind.PART}
    known = replace(known, doubtful=tuple(each for each in known.doubtful if each[0] not in parts))
    building = _Building(known, language, [*first, *more])
    building.run(pieces)
    blocks, more = closed_parts(building.blocks, language)
    voices = declared(blocks, building.in_full, people)
    building.remarks += more
    building.doubt(people)
    told = replace(
        head,
        title=typographic(head.title, language),
        summary=typographic(head.summary, language),
        spoken_title=typographic(head.spoken_title, language),
    )
    transcript = Transcript(blocks, voices)
    building.remarks += _left_out(lines, write(transcript) + " ".join(remark.text for remark in building.remarks))
    remarks = tuple(sorted(building.remarks, key=lambda remark: remark.line))
    return Imported(transcript, told, tuple(building.unplaced), remarks)


def _left_out(lines: Sequence[Line], kept: str) -> Iterator[Told]:
    """Report names alone on a line with no speech after them, when some of their words are nowhere in the kept text."""
    have = _words(kept)
    for line in lines:
        said, typed = _words(line.source or f"{line.label} {line.text}"), line.source or line.text
        if said - have and typed.rstrip().endswith(":"):
            yield Told(line.number, typed.strip(), "a name with no speech after it; left out")
        have -= said


def _words(text: str) -> Counter[str]:
    """Count the words, without times, “[voix off]” and “Narrateur :”, which are written differently in the editable text."""
    return Counter(_WORD.findall(_SAID_OTHERWISE.sub(" ", text).casefold()))


def to_place(remark: Told, language: str) -> Note:
    """Return an unplaced line as a note in the text, so that nothing is lost."""
    form = _TO_PLACE["fr" if language.startswith("fr") else "en"]
    return Note(form.format(quotes.flat(remark.text)), remark.line)


@dataclass
class _Building:
    """Builds the blocks of the editable text from classified lines."""

    known: Cast
    language: str
    remarks: list[Told]
    blocks: list[Block] = field(default_factory=list)
    unplaced: list[Told] = field(default_factory=list)
    in_full: dict[str, str] = field(default_factory=dict)
    _rest: list[Piece] = field(default_factory=list)
    _announced: str = ""  # the next speaker, as announced by a voice-over

    def run(self, pieces: Sequence[Piece]) -> None:
        """Turn every classified line into blocks."""
        self._rest = list(pieces)
        while self._rest:
            piece = self._rest.pop(0)
            if piece.kind is Kind.UNPLACED:
                self._nowhere(piece.line, piece.why)
            elif piece.kind is Kind.FACT:
                self._note(piece.line.source, piece.line.number)
            elif piece.kind is Kind.PART:
                self._part(piece)
            elif piece.line.text or piece.line.label:
                self._said(piece)

    def doubt(self, people: Mapping[str, str]) -> None:
        """Report labels not read as voices, merged names, and voices that may be people of the show."""
        for number, label in self.known.doubtful:
            self.remarks.append(Told(number, f"{label} :", "read as text, not as a speaker; declare the voice if it is one"))
        for short, full in self.known.merged:
            self.remarks.append(Told(0, short, f"read as a short form of {full}, a name used elsewhere in the text"))
        firsts = {labels.fold(name).split(" ")[0]: name for name in people.values()}
        for key in {key for key in self.known.keys.values() if key and not labels.known_person(key, people)}:
            if name := firsts.get(labels.fold(key)):
                why = f"may be {name}: voices are declared per episode; add person = … if it is the same person"
                self.remarks.append(Told(0, key, why))

    def _note(self, text: str, line: int) -> None:
        self.blocks.append(Note(quotes.flat(text), line))

    def _remark(self, line: Line, why: str) -> None:
        self.remarks.append(Told(line.number, line.source, why))

    def _nowhere(self, line: Line, why: str) -> None:
        """Report a line that cannot be placed, and keep it as a note."""
        self.unplaced.append(Told(line.number, line.source, why))
        self.blocks.append(to_place(self.unplaced[-1], self.language))

    def _part(self, piece: Piece) -> None:
        """Add a part. Quotation marks around both label and text belong to the text."""
        self._announced = ""
        if labels.fold(piece.label).startswith(_SOUND_PARTS) and not piece.opens:
            self.blocks.append(Paragraph(sound_text(f"[{quotes.flat(piece.label).strip('[]')}]")[0], line=piece.line.number))
            return
        label = piece.label if quotes.is_paired(piece.label) else piece.label.strip("«» ")
        self.blocks.append(Section(quotes.flat(quotes.trimmed(typographic(label, self.language))), piece.line.number))
        if piece.opens and self._rest and self._rest[0].kind is Kind.SAID:
            first = self._rest[0]
            self._rest[0] = replace(first, line=replace(first.line, text=f"«{first.line.text}", fresh=True))
            self._remark(piece.line, "the quotation mark before the label was moved after it")
        elif quotes.lacks_opening(self._texts()):
            first = self._rest[0]
            self._rest[0] = replace(first, line=replace(first.line, text=f"«{first.line.text}"))
            self._remark(first.line, "» without an opening «: « was added at the start of this part")

    def _texts(self) -> Iterator[str]:
        """The text of the following lines of speech, up to the next part."""
        return (piece.line.text for piece in takewhile(lambda piece: piece.kind is Kind.SAID, self._rest))

    def _said(self, piece: Piece) -> None:
        """Add a paragraph, or an insert with all its lines."""
        line = piece.line
        if line.text.startswith("«") and quotes.closes_at(line.text) in (None, len(line.text) - 1) or self._tail(line.text):
            self._insert(line)
            return
        if line.dash:
            self._dashes(line)
            return
        what = said(line, self.known)
        if what.text.startswith("«") and what.voice and quotes.closes_at(what.text) is None:
            self._insert(replace(line, text="«" + what.text[1:]), what)
            return
        place = quotes.open_end(what.text)
        if place is not None and quotes.closing_count(what.text[place:], self._texts()) is not None:  # narration, then an insert
            self._paragraph(replace(what, text=what.text[:place]), line)
            self._said(Piece(Kind.SAID, replace(line, text=what.text[place:], label="", anchor_s=None)))
            return
        self._paragraph(what, line)

    def _tail(self, text: str) -> bool:
        """Whether the line is an insert followed by narration on the same line."""
        end = quotes.closes_at(text) if text.startswith("«") else None
        return end is not None and self._is_quoted_part() and re.match(r"[\s.]*[A-ZÀ-ÞŒŸ\[]", text[end + 1 :]) is not None

    def _is_quoted_part(self) -> bool:
        """Whether the previous block is a part label."""
        return bool(self.blocks) and isinstance(self.blocks[-1], Section)

    def _insert(self, first: Line, who: Said | None = None) -> None:
        """Add an insert that starts with «, consuming the pending lines up to its »."""
        count = quotes.closing_count(first.text, self._texts())
        lines = [first]
        if count is None:
            self._remark(first, "« is never closed: the insert was ended after its last change of voice")
            while self._rest and self._rest[0].kind is Kind.SAID and (self._rest[0].line.dash or not self._rest[0].line.fresh):
                if self._rest[0].line.text.startswith("«") or (not self._rest[0].line.dash and said(self._rest[0].line, self.known).voice):
                    break
                lines.append(self._rest.pop(0).line)
        else:
            lines += [self._rest.pop(0).line for _ in range(count)]
        after = quotes.cut_at_close(lines)
        self._close_insert(lines, who)
        if after is not None:
            self._said(Piece(Kind.SAID, after))

    def _dashes(self, first: Line) -> None:
        """Add lines that start with a dash, outside quotation marks, as an insert of their own."""
        lines = [first]
        while self._rest and self._rest[0].kind is Kind.SAID and self._rest[0].line.dash:
            lines.append(self._rest.pop(0).line)
        if quotes.depth(" ".join(line.text for line in lines)) < 0:
            lines = [replace(line, text=line.text.replace("»", "")) if quotes.depth(line.text) < 0 else line for line in lines]
        names = [said(line, self.known) for line in lines]
        if all(name.voice for name in names):  # a list of named turns
            for line, name in zip(lines, names, strict=True):
                self._paragraph(name, line)
            return
        self._remark(first, "lines with dashes were read as an insert")
        self._close_insert([replace(lines[0], dash=lines[0].dash and bool(names[0].voice)), *lines[1:]], None)

    def _close_insert(self, lines: list[Line], who: Said | None) -> None:
        """Write the insert; a voice-over in it announces or identifies its speaker."""
        lines = self._without_announcement([line for line in lines if line.text])
        paragraphs: list[Paragraph] = []
        for index, line in enumerate(lines):
            what = who if who and index == 0 else said(line, self.known)
            text = line.text if who and index == 0 else what.text
            text = re.sub(r"^«(?=[^»]*$)", "", text) if index else text  # marks repeated at every paragraph
            voice = what.voice or (self._announced if not index else "")
            text, voice = self._identified(text, voice, line)
            if text := self._text(replace(what, text=text), line):
                self._full(what, line)
                paragraphs.append(Paragraph(text, voice, line.dash and bool(paragraphs), line.anchor_s, line.number))
            elif what.voice:
                self._nowhere(line, "a name with no speech after it")
        self._announced = ""
        named = {each.voice for each in paragraphs if each.voice}
        if len(named) == 1 and not any(line.dash for line in lines):  # the speaker is identified in the middle of the insert
            paragraphs[0] = replace(paragraphs[0], voice=named.pop())
        if kept := quotes.balanced(paragraphs):
            self.blocks.append(Insert((replace(kept[0], dash=False), *kept[1:])))

    def _without_announcement(self, lines: list[Line]) -> list[Line]:
        """Move « [voix off] François Gemenne, co-auteur… » from the start of an insert to before it: the narrator says it."""
        mark = (_OFF_WITH_NAME.match(lines[0].text) or _VOICE_OFF.match(lines[0].text)) if lines else None
        if not mark:
            return lines
        text = (mark["who"] + ". " if "who" in mark.groupdict() else "") + lines[0].text[mark.end() :]
        found = _ANNOUNCED.match(text)
        if not found:
            self._remark(lines[0], "[voix off] was left in place: the speaker of this insert may be the narrator")
            return lines
        self._announce(found, lines[0])
        rest = text[found.end() :].strip()
        return [replace(lines[0], text=rest, anchor_s=None), *lines[1:]] if rest else lines[1:]

    def _announce(self, found: re.Match[str], line: Line) -> None:
        """Add the narrator's announcement of the next speaker."""
        self._announced = voice_key(found["name"])
        shown = found[0].strip().rstrip(":").strip()
        self.blocks.append(Paragraph(typographic(shown, self.language), "", False, line.anchor_s, line.number))
        self.in_full.setdefault(self._announced, shown.rstrip("."))
        self._remark(line, f"the voice-over was read as the narrator announcing {self._announced}")

    def _identified(self, text: str, voice: str, line: Line) -> tuple[str, str]:
        """Name the voice after a voice-over inside a turn that identifies the speaker; the words stay."""
        mark = _VOICE_OFF.search(text)
        found = mark and _ANNOUNCED.match(text[mark.end() :])
        if not mark or (not mark.start() and (not found or mark.end() + found.end() < len(text))):
            return text, voice
        if found and not voice:
            voice = voice_key(found["name"])
            self.in_full.setdefault(voice, found[0].strip(" .:…"))
        self._remark(line, f"[voix off] inside a turn was left in place{f'; the voice was named {voice}' if found else ''}")
        return text, voice

    def _paragraph(self, what: Said, line: Line) -> None:
        """Add a paragraph outside inserts."""
        text, mark = what.text, _OFF_AT_START.match(what.text)
        if mark and not what.voice:
            text = mark["sounds"] + text[mark.end() :]
            found = _ANNOUNCED.match(text)
            if found and found.end() == len(text) and self._next_is_insert():
                self._announce(found, line)
                return
        elif _VOICE_OFF.search(text):
            self._remark(line, "[voix off] inside a turn was left in place")
        if text := self._paired(self._text(replace(what, text=text), line), line):
            self._full(what, line)
            self.blocks.append(Paragraph(text, what.voice or "", False, line.anchor_s, line.number))
        elif what.voice is not None and self._rest and self._rest[0].kind is Kind.SAID and not said(self._rest[0].line, self.known).voice:
            self._full(what, line)
            after = self._rest.pop(0).line  # a name alone on its line
            after = replace(after, text=f"[{what.sound}] {after.text}") if what.sound else after
            anchor_s = after.anchor_s if line.anchor_s is None else line.anchor_s
            self._said(Piece(Kind.SAID, replace(after, label=what.voice or "Narrateur", dash=False, anchor_s=anchor_s)))
        elif re.search(r"\w", _VOICE_OFF.sub("", line.text + line.label)):
            self._nowhere(line, "a name with no speech after it")

    def _paired(self, text: str, line: Line) -> str:
        if not quotes.is_paired(text):
            self._remark(line, "quotation marks that do not match were removed")
            return quotes.without_quotes(text)
        return text

    def _next_is_insert(self) -> bool:
        return bool(self._rest) and self._rest[0].kind is Kind.SAID and (self._rest[0].line.text.startswith("«") or self._rest[0].line.dash)

    def _full(self, what: Said, line: Line) -> None:
        """Record a full name, and report what is unusual about it."""
        if what.voice and what.label:
            self.in_full.setdefault(what.voice, what.label)
        if what.why:
            self._remark(line, what.why)

    def _text(self, what: Said, line: Line) -> str:
        """Return the printed text: manner of speech first; a direction in parentheses alone on its line becomes a sound."""
        text = f"[{what.sound}] {what.text}" if what.sound else what.text
        text, why = sound_text(text.strip())
        if why:
            self._remark(line, why)
        return quotes.trimmed(typographic(text, self.language))
