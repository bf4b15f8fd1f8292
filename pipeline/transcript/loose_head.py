"""Classify the lines of a free-form transcript: header, credits and file markers, or speech. No input or output."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from pipeline.errors import CauserieError
from pipeline.transcript import loose_labels as labels
from pipeline.transcript.loose_lines import Line, Told
from pipeline.transcript.loose_quotes import closes_at, depth, lacks_opening
from pipeline.transcript.turns import TALK, kind_of

_FURNITURE = re.compile(
    r"(?:https?://|www\.)\S+$|page \d+(?:\s*(?:/|sur)\s*\d+)?$|"
    r"[-–—\s]*\d{1,3}(?:\s*(?:/|sur)\s*\d{1,3})?[-–—\s]*$|(?:.{1,80}[–—|•·-]|-+)\s*(?:page|p\.)\s*\d+(?:\s*(?:/|sur)\s*\d+)?[\s–—-]*$|\W*fin\W*$|"
    r"(?:t[ée]l[ée]charger|retour (?:[àa] (?:la |l[’'])|au sommaire|en haut)|haut de page|partager|imprimer|copyright)\b.{0,80}$|©.{0,80}$|"
    r"(?:transcription|retranscription|script|verbatim)\b.{0,60}$|"
    r"(?:publi[ée]|mis en ligne|enregistr[ée]|diffus[ée])e? le\b.{0,60}$|date\s*:.{0,40}$",
    re.I,
)
_LONGEST_TITLE = 120  # characters
_LONGEST_HEAD = 10  # lines


class Kind(Enum):
    """The kind of a line."""

    SAID = "said"
    PART = "part"
    FACT = "fact"  # header or credits: kept as a note
    UNPLACED = "unplaced"


@dataclass(frozen=True)
class Piece:
    """A line and its kind."""

    kind: Kind
    line: Line
    label: str = ""  # of a part
    opens: bool = False  # « before the label
    why: str = ""  # why it could not be placed


@dataclass(frozen=True)
class Head:
    """The episode's metadata as the text gives it; empty where it gives none."""

    title: str = ""
    summary: str = ""
    file_id: str = ""
    duration_s: float | None = None
    number: int | None = None
    spoken_title: str = ""
    cast: tuple[str, ...] = ()
    production: str = ""
    thanks: tuple[str, ...] = ()
    credits: tuple[tuple[str, str], ...] = ()  # (role, names), other roles only


@dataclass
class _Sorting:
    head: Head = field(default_factory=Head)
    pieces: list[Piece] = field(default_factory=list)
    remarks: list[Told] = field(default_factory=list)
    in_credits: bool = False
    in_cast: bool = False  # « Avec : » was alone on its line: names follow

    def keep(self, kind: Kind, line: Line, why: str = "") -> None:
        """Add a classified line."""
        self.pieces.append(Piece(kind, line, why=why))

    def learn(
        self,
        *,
        title: str = "",
        summary: str = "",
        file_id: str = "",
        spoken_title: str = "",
        number: int | None = None,
        duration_s: float | None = None,
    ) -> None:
        """Set the header fields that are still empty."""
        head = self.head
        self.head = replace(
            head,
            title=head.title or title,
            summary=head.summary or summary,
            file_id=head.file_id or file_id,
            spoken_title=head.spoken_title or spoken_title,
            number=number if head.number is None else head.number,
            duration_s=duration_s if head.duration_s is None else head.duration_s,
        )


def sorted_pieces(lines: Sequence[Line], where: str) -> tuple[Head, list[Piece], list[Told]]:
    """Return the header, every line with its kind, and the remarks. `CauserieError` when there are no lines."""
    if not lines:
        raise CauserieError("contains no text", where, "check that it is the right file, and not a scan")
    sorting = _Sorting()
    lines = [_unlabelled(line) for line in lines]
    start, end, other = _bounds(lines)
    body = start if start is not None else _head_length(lines)
    quoted = _quoted_capitals(lines[body:])
    for line in lines[:body]:
        _head_line(line, sorting)
    for index, line in enumerate(lines[body:], body):
        if other is not None and index >= other:
            sorting.keep(Kind.UNPLACED, line, "it follows the start of another audio file: import one episode at a time")
        elif index - body in quoted:
            sorting.remarks.append(Told(line.number, line.source, "in capitals inside « … »: read as text, not as the title of a part"))
            sorting.keep(Kind.SAID, line)
        else:
            _body_line(line, sorting, after_end=end is not None and index > end)
    return sorting.head, sorting.pieces, sorting.remarks


def _quoted_capitals(lines: Sequence[Line]) -> set[int]:
    """Return the indexes of lines that look like a part only by their capitals, inside « … »: a part would split the quotation."""
    is_part = [labels.part(line.text, line.heading, capitals=False) is not None for line in lines]
    found: set[int] = set()
    for index, line in enumerate(lines):
        if is_part[index] or not line.text.isupper() or labels.part(line.text) is None:
            continue
        first = max((before + 1 for before in range(index) if is_part[before]), default=0)
        last = next((after for after in range(index + 1, len(lines)) if is_part[after]), len(lines))
        is_open = depth(" ".join(each.text for each in lines[first:index])) > 0
        if is_open and lacks_opening(each.text for each in lines[index + 1 : last]):
            found.add(index)
    return found


def _unlabelled(line: Line) -> Line:
    """Merge label and text of a table row « Durée | 00h09 », or of a credit whose role is in bold."""
    text = f"{line.label.rstrip(' :')} : {line.text}"
    return replace(line, text=text, label="", source=text) if line.label and not line.dash and _is_fact_or_credit(text) else line


def _bounds(lines: Sequence[Line]) -> tuple[int | None, int | None, int | None]:
    """Return the line indexes where the audio file starts, where it ends, and where another one starts."""
    marks = [(index, found[0]) for index, line in enumerate(lines) if (found := labels.marker(line.text))]
    starts = [index for index, what in marks if what == "start"]
    end = next((index for index, what in marks if what == "end"), None)
    start = starts[0] if starts and (end is None or starts[0] < end) else None
    other = next((index for index in starts if end is not None and index > end), None)
    return start, end, other


def _head_length(lines: Sequence[Line]) -> int:
    """Return how many lines are header when no marker says so: up to the last fact, or to the first music after a line or two."""
    facts = [index for index, line in enumerate(lines[:_LONGEST_HEAD]) if _is_fact(line.text)]
    before = next((index for index, line in enumerate(lines) if _is_heard(line) and not _is_fact_or_credit(line.text)), len(lines))
    facts += [index for index, line in enumerate(lines[:before]) if _is_fact_or_credit(line.text)]
    if facts:
        return max(facts) + 1
    first = next((index for index, line in enumerate(lines) if _is_heard(line)), len(lines))
    if not first or len(lines) == 1 or not _is_title(lines[0]):
        return 0
    return 2 if first == 2 < len(lines) and _is_music(lines[2]) else 1


def _is_fact(text: str) -> bool:
    return bool(labels.identifier(text) or labels.keyed(text) or labels.duration_s(text) is not None)


def _is_fact_or_credit(text: str) -> bool:
    """Whether a line belongs to the header when no speech comes before it."""
    return bool(_is_fact(text) or labels.episode(text) or labels.credit(text, False) or labels.credits_of(text))


def _is_heard(line: Line) -> bool:
    """Whether a line cannot belong to the header."""
    return bool(line.dash or line.label or line.anchor_s is not None or line.text[:1] in "[«" or labels.part(line.text, capitals=False))


def _is_music(line: Line) -> bool:
    found = labels.part(line.text)
    return line.text.startswith("[") or bool(found and labels.fold(found[0]).startswith(("generique", "jingle", "intro")))


def _is_title(line: Line) -> bool:
    is_short = len(line.text) <= _LONGEST_TITLE and not re.search(r"[.:,;…]$", line.text)
    return line.heading or labels.episode(line.text) is not None or (is_short and not line.label)


def _head_line(line: Line, sorting: _Sorting) -> None:
    """Classify a header line. The first line that is nothing else is the title, the next the summary."""
    text, head = line.text, sorting.head
    if found := labels.identifier(text):
        sorting.learn(file_id=found, number=_number(found))
    elif (seconds := labels.duration_s(text)) is not None:
        sorting.learn(duration_s=seconds)
    elif (pair := labels.keyed(text)) and not labels.credit(text, False):
        key, value = pair
        sorting.learn(title=value if key == "title" else "", summary=value if key == "summary" else "")
    elif _FURNITURE.match(text):
        sorting.keep(Kind.UNPLACED, line, "it is in the header, and is neither title nor summary")
        return
    elif found_episode := labels.episode(text):
        title = found_episode[1].strip("«» ")
        sorting.head = replace(head, title=title or head.title)  # a title line before this one names the series
        sorting.learn(number=found_episode[0])
    elif _credit(line, sorting):
        return
    elif not head.title:
        told = re.search(r"\b[ée]pisode (\d{1,4})\b", text, re.I)
        sorting.learn(title=text.strip(" =*#_"), number=int(told[1]) if told else None)
    elif not head.summary or (head.summary.endswith((".", "!", "?", "…")) and len(text.split()) > 4):
        sorting.head = replace(head, summary=f"{head.summary} {text}".strip())
    else:
        sorting.keep(Kind.UNPLACED, line, "it is in the header, and is neither title nor summary")
        return
    sorting.keep(Kind.FACT, line)


def _body_line(line: Line, sorting: _Sorting, *, after_end: bool) -> None:
    """Classify a line after the header."""
    text = line.text
    if found := labels.marker(text):
        sorting.learn(file_id=found[1], number=_number(found[1]))
    elif labels.identifier(text) or (labels.duration_s(text) is not None and not line.dash):
        _head_line(line, sorting)
    elif line.text and not re.search(r"\w", text) and "[" not in text and text.strip(" «»"):
        sorting.remarks.append(Told(line.number, line.source, "a separator line was left out"))
    elif labels.part_end(text):
        sorting.keep(Kind.FACT, line)
        sorting.pieces.append(Piece(Kind.PART, line, "Récit"))
    elif heard := "" if line.label or line.dash else labels.sound(text) if not labels.credit(text, False) else "":
        sorting.keep(Kind.SAID, replace(line, text=f"[{heard}]"))
    elif _FURNITURE.match(text) and not line.label and not line.dash:
        sorting.keep(Kind.UNPLACED, line, "it is page text (link, date or page number), not speech")
    elif (labels.credits_of(text) and _credit(line, sorting)) or _part(line, sorting) or _credit(line, sorting):
        return
    elif after_end and not (_is_heard(line) or (sorting.pieces and sorting.pieces[-1].kind is Kind.PART)):
        sorting.keep(Kind.UNPLACED, line, "it is after the end of the audio file")
    else:
        if title := labels.episode(text):
            sorting.learn(number=title[0], spoken_title=title[1].strip(" «»"))
        sorting.in_credits = sorting.in_credits and not line.label
        sorting.keep(Kind.SAID, line)


def _part(line: Line, sorting: _Sorting) -> bool:
    """Classify a label that opens a part, and the text after it on the same line."""
    bare = line.text.lstrip("« ")
    opens = bare != line.text
    if closes_at(line.text) == len(line.text) - 1 and line.text.startswith("«") and labels.part(line.text):
        bare, opens = line.text, False  # a title that is a quotation
    found = labels.part(f"{line.label.rstrip(' :')} : {line.text}".strip()) if line.label else labels.part(bare, line.heading)
    if not found and not line.label and not line.dash and not _in_talk(sorting) and (rubric := labels.rubric(line.text)):
        found = rubric, ""
        sorting.remarks.append(Told(line.number, line.source, "a rubric alone on its line: read as the title of a part"))
    if not found or (opens and found[1] and not found[1].startswith("[")) or line.dash:
        return False
    sorting.pieces.append(Piece(Kind.PART, line, found[0], opens))
    if bare.isupper() and not labels.part(bare, line.heading, capitals=False):
        sorting.remarks.append(Told(line.number, line.source, "in capitals: read as the title of a part"))
    sorting.in_credits, sorting.in_cast = labels.fold(found[0]).startswith("generique de fin"), False
    if found[1]:
        sorting.keep(Kind.SAID, replace(line, text=found[1], label="", fresh=False))
    return True


def _in_talk(sorting: _Sorting) -> bool:
    """Whether the current part is a dialogue, where a rubric is something that is said."""
    label = next((piece.label for piece in reversed(sorting.pieces) if piece.kind is Kind.PART), "")
    return kind_of(label) in TALK


def _credit(line: Line, sorting: _Sorting) -> bool:
    """Classify a credit as a fact. « Avec : » alone on its line is continued by lines of names."""
    head = sorting.head
    if sorting.in_cast and labels.names(line.text) and all(labels.NAME.fullmatch(name) for name in labels.names(line.text)):
        sorting.head = replace(head, cast=(*head.cast, *labels.names(line.text)))
        sorting.keep(Kind.FACT, line)
        return True
    sorting.in_cast = False
    if line.label or line.dash:
        return False
    one = labels.credit(line.text, sorting.in_credits)
    found = labels.credits_of(line.text) or ((one,) if one else ())
    for each in found:
        _learn_credit(each, sorting)
    if found:
        sorting.in_credits = True
        sorting.keep(Kind.FACT, line)
    return bool(found)


def _learn_credit(found: labels.Credit, sorting: _Sorting) -> None:
    head = sorting.head
    if found.kind == "cast":
        sorting.head = replace(head, cast=(*head.cast, *labels.names(found.who)))
        sorting.in_cast = not found.who
    elif found.kind == "thanks":
        sorting.head = replace(head, thanks=(*head.thanks, found.who))
    elif found.kind == "production" and not head.production:
        sorting.head = replace(head, production=found.who)
    else:
        sorting.head = replace(head, credits=(*head.credits, (found.role, found.who)))


def _number(file_id: str) -> int | None:
    """Return the episode number in a file identifier: 2 for `RADIO_EP2_VF`."""
    found = re.search(r"(?:^|_)(?:EP|E|EPISODE)_?(\d{1,3})(?:_|$)", file_id, re.I)
    return int(found[1]) if found else None
