"""Classify the lines of a free-form transcript: header, credits and file markers, or speech. No input or output."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from pipeline.model import CauserieError
from pipeline.transcript import DIALOGUE_ROLES, section_role
from pipeline.transcript.freeform import labels as labels
from pipeline.transcript.freeform.header_lines import header_length, is_body_line, is_fact_or_credit, lines_before_title
from pipeline.transcript.freeform.labels import fold_name
from pipeline.transcript.freeform.page_text import is_page_text
from pipeline.transcript.freeform.quotes import closes_unopened, closing_index, open_quotes
from pipeline.transcript.freeform.source_lines import Remark, SourceLine
from pipeline.transcript.freeform.spoken_credits import announces_credits, find_spoken_credits


class LineKind(Enum):
    """The kind of a line."""

    SPEECH = "said"
    PART = "part"
    FACT = "fact"  # header or credits: kept as a note
    UNPLACED = "unplaced"


@dataclass(frozen=True)
class ClassifiedLine:
    """A line and its kind."""

    kind: LineKind
    line: SourceLine
    label: str = ""  # of a part
    has_opening_quote: bool = False  # « before the label
    reason: str = ""  # why it could not be placed


@dataclass(frozen=True)
class TranscriptHeader:
    """The episode's metadata as the text gives it; empty where it gives none."""

    title: str = ""
    summary: str = ""
    file_id: str = ""
    duration_s: float | None = None
    number: int | None = None
    spoken_title: str = ""
    cast: tuple[str, ...] = ()
    guests: tuple[str, ...] = ()  # those of the cast who are said to be guests
    production: str = ""
    thanks: tuple[str, ...] = ()
    credits: tuple[tuple[str, str], ...] = ()  # (role, names), other roles only


@dataclass
class _Classifier:
    header: TranscriptHeader = field(default_factory=TranscriptHeader)
    lines: list[ClassifiedLine] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    in_credits: bool = False
    is_delimited: bool = False  # the source says where the audio ends, so that everything before is said
    in_cast: bool = False  # « Avec : » was alone on its line: names follow

    def add(self, kind: LineKind, line: SourceLine, reason: str = "") -> None:
        """Add a classified line."""
        self.lines.append(ClassifiedLine(kind, line, reason=reason))

    def set_missing(
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
        head = self.header
        self.header = replace(
            head,
            title=head.title or title,
            summary=head.summary or summary,
            file_id=head.file_id or file_id,
            spoken_title=head.spoken_title or spoken_title,
            number=number if head.number is None else head.number,
            duration_s=duration_s if head.duration_s is None else head.duration_s,
        )


def classify_lines(lines: Sequence[SourceLine], location: str) -> tuple[TranscriptHeader, list[ClassifiedLine], list[Remark]]:
    """Return the header, every line with its kind, and the remarks. `CauserieError` when there are no lines."""
    if not lines:
        raise CauserieError("contains no text", location, "check that it is the right file, and not a scan")
    classifier = _Classifier()
    lines = [_merge_label(line) for line in lines]
    start, end, next_file_start = _audio_file_bounds(lines)
    classifier.is_delimited = end is not None
    body_start = start if start is not None else header_length(lines)
    quoted = _capitals_inside_quotes(lines[body_start:])
    skipped = lines_before_title(lines[:body_start])
    for index, line in enumerate(lines[:body_start]):
        if index in skipped:
            classifier.add(LineKind.UNPLACED, line, "it is before the title of the episode")
        else:
            _classify_header_line(line, classifier)
    if body_start and start is None:
        reason = "read as the header of the text, up to here, and not published: delete the %% before what is said"
        classifier.remarks.append(Remark(lines[body_start - 1].number, lines[body_start - 1].source, reason))
    for index, line in enumerate(lines[body_start:], body_start):
        if next_file_start is not None and index >= next_file_start:
            classifier.add(LineKind.UNPLACED, line, "it follows the start of another audio file: import one episode at a time")
        elif index - body_start in quoted:
            classifier.remarks.append(
                Remark(line.number, line.source, "in capitals inside « … »: read as text, not as the title of a part")
            )
            classifier.add(LineKind.SPEECH, line)
        else:
            _classify_body_line(line, classifier, after_end=end is not None and index > end)
    return classifier.header, classifier.lines, classifier.remarks


def _capitals_inside_quotes(lines: Sequence[SourceLine]) -> set[int]:
    """Return the indexes of lines that look like a part only by their capitals, inside « … »: a part would split the quotation."""
    is_part = [labels.match_part(line.text, line.is_heading, capitals=False) is not None for line in lines]
    indexes: set[int] = set()
    for index, line in enumerate(lines):
        if is_part[index] or not line.text.isupper() or labels.match_part(line.text) is None:
            continue
        first = max((before + 1 for before in range(index) if is_part[before]), default=0)
        last = next((after for after in range(index + 1, len(lines)) if is_part[after]), len(lines))
        is_open = open_quotes(" ".join(each.text for each in lines[first:index])) > 0
        if is_open and closes_unopened(each.text for each in lines[index + 1 : last]):
            indexes.add(index)
    return indexes


def _merge_label(line: SourceLine) -> SourceLine:
    """Merge label and text of a table row « Durée | 00h09 », or of a credit whose role is in bold."""
    text = f"{line.label.rstrip(' :')} : {line.text}"
    return replace(line, text=text, label="", source=text) if line.label and not line.has_dash and is_fact_or_credit(text) else line


def _audio_file_bounds(lines: Sequence[SourceLine]) -> tuple[int | None, int | None, int | None]:
    """Return the line indexes where the audio file starts, where it ends, and where another one starts."""
    marks = [(index, found[0]) for index, line in enumerate(lines) if (found := labels.match_file_marker(line.text))]
    starts = [index for index, edge in marks if edge == "start"]
    end = next((index for index, what in marks if what == "end"), None)
    start = starts[0] if starts and (end is None or starts[0] < end) else None
    next_start = next((index for index in starts if end is not None and index > end), None)
    return start, end, next_start


def _classify_header_line(line: SourceLine, classifier: _Classifier) -> None:
    """Classify a header line. The first line that is nothing else is the title, the next the summary."""
    text, header = line.text, classifier.header
    if found := labels.match_identifier(text):
        classifier.set_missing(file_id=found, number=_episode_number(found))
    elif (seconds := labels.parse_duration_s(text)) is not None:
        classifier.set_missing(duration_s=seconds)
    elif (pair := labels.match_keyed_field(text)) and not labels.match_credit(text, False):
        key, value = pair
        classifier.set_missing(title=value if key == "title" else "", summary=value if key == "summary" else "")
    elif is_page_text(line, is_said=False):
        classifier.add(LineKind.UNPLACED, line, "it is in the header, and is neither title nor summary")
        return
    elif found_episode := labels.match_episode(text):
        title = found_episode[1].strip("«» ")
        classifier.header = replace(header, title=title or header.title)  # a title line before this one names the series
        classifier.set_missing(number=found_episode[0])
    elif _classify_credit(line, classifier):
        return
    elif not header.title:
        number_match = re.search(r"\b[ée]pisode (\d{1,4})\b", text, re.I)
        classifier.set_missing(title=text.strip(" =*#_"), number=int(number_match[1]) if number_match else None)
    elif not header.summary or (header.summary.endswith((".", "!", "?", "…")) and len(text.split()) > 4):
        classifier.header = replace(header, summary=f"{header.summary} {text}".strip())
    else:
        classifier.add(LineKind.UNPLACED, line, "it is in the header, and is neither title nor summary")
        return
    classifier.add(LineKind.FACT, line)


def _classify_body_line(line: SourceLine, classifier: _Classifier, *, after_end: bool) -> None:
    """Classify a line after the header."""
    text = line.text
    if found := labels.match_file_marker(text):
        classifier.set_missing(file_id=found[1], number=_episode_number(found[1]))
        classifier.add(LineKind.FACT, line)
    elif labels.match_identifier(text) or (labels.parse_duration_s(text) is not None and not line.has_dash):
        _classify_header_line(line, classifier)
    elif line.text and not re.search(r"\w", text) and "[" not in text and text.strip(" «»"):
        classifier.remarks.append(Remark(line.number, line.source, "a separator line was left out"))
    elif labels.is_part_end(text):
        classifier.add(LineKind.FACT, line)
        classifier.lines.append(ClassifiedLine(LineKind.PART, line, "Récit"))
    elif sound := "" if line.label or line.has_dash else labels.match_sound(text) if not labels.match_credit(text, False) else "":
        classifier.add(LineKind.SPEECH, replace(line, text=f"[{sound}]"))
    elif is_page_text(line, is_said=classifier.is_delimited and not after_end):
        classifier.add(LineKind.UNPLACED, line, "it is page text (link, date or page number), not speech")
    elif (
        (labels.match_credits(text) and _classify_credit(line, classifier, is_said=not after_end))
        or _classify_part(line, classifier)
        or _classify_credit(line, classifier, is_said=not after_end)
    ):
        return
    elif after_end and not (is_body_line(line) or (classifier.lines and classifier.lines[-1].kind is LineKind.PART)):
        classifier.add(LineKind.UNPLACED, line, "it is after the end of the audio file")
    else:
        if title := labels.match_episode(text):
            classifier.set_missing(number=title[0], spoken_title=title[1].strip(" «»"))
        if not line.label and not line.has_dash and (classifier.in_credits or announces_credits(text)):
            for each in find_spoken_credits(text):
                _record_credit(each, classifier)
        classifier.in_credits = classifier.in_credits and not line.label
        classifier.add(LineKind.SPEECH, line)


def _classify_part(line: SourceLine, classifier: _Classifier) -> bool:
    """Classify a label that opens a part, and the text after it on the same line."""
    bare = line.text.lstrip("« ")
    has_opening_quote = bare != line.text
    if closing_index(line.text) == len(line.text) - 1 and line.text.startswith("«") and labels.match_part(line.text):
        bare, has_opening_quote = line.text, False  # a title that is a quotation
    found = (
        labels.match_part(f"{line.label.rstrip(' :')} : {line.text}".strip()) if line.label else labels.match_part(bare, line.is_heading)
    )
    if (
        not found
        and not line.label
        and not line.has_dash
        and not _is_in_dialogue_part(classifier)
        and (rubric := labels.match_rubric(line.text))
    ):
        found = rubric, ""
        classifier.remarks.append(Remark(line.number, line.source, "a rubric alone on its line: read as the title of a part"))
    if not found or (has_opening_quote and found[1] and not found[1].startswith("[")) or line.has_dash:
        return False
    classifier.lines.append(ClassifiedLine(LineKind.PART, line, found[0], has_opening_quote))
    if bare.isupper() and not labels.match_part(bare, line.is_heading, capitals=False):
        classifier.remarks.append(Remark(line.number, line.source, "in capitals: read as the title of a part"))
    classifier.in_credits, classifier.in_cast = labels.fold_name(found[0]).startswith("generique de fin"), False
    if found[1]:
        classifier.add(LineKind.SPEECH, replace(line, text=found[1], label="", starts_paragraph=False))
    return True


def _is_in_dialogue_part(classifier: _Classifier) -> bool:
    """Whether the current part is a dialogue, where a rubric is something that is said."""
    label = next((piece.label for piece in reversed(classifier.lines) if piece.kind is LineKind.PART), "")
    return section_role(label) in DIALOGUE_ROLES


def _classify_credit(line: SourceLine, classifier: _Classifier, *, is_said: bool = False) -> bool:
    """Record a credit; the line itself is a fact, and speech when it is said. « Avec : » alone is continued by lines of names."""
    kind = LineKind.SPEECH if is_said else LineKind.FACT
    header = classifier.header
    if classifier.in_cast and labels.split_names(line.text) and all(labels.NAME.fullmatch(name) for name in labels.split_names(line.text)):
        classifier.header = replace(header, cast=(*header.cast, *labels.split_names(line.text)))
        classifier.add(kind, line)
        return True
    classifier.in_cast = False
    if line.label or line.has_dash:
        return False
    single = labels.match_credit(line.text, classifier.in_credits)
    found = labels.match_credits(line.text) or ((single,) if single else ())
    for each in found:
        _record_credit(each, classifier)
    if found:
        if is_said and not classifier.is_delimited and not classifier.in_credits:
            reason = "credits: facts of the episode, and published as speech; put %% before the lines that nobody says"
            classifier.remarks.append(Remark(line.number, line.source, reason))
        classifier.in_credits = True
        classifier.add(kind, line)
    return bool(found)


def _record_credit(credit: labels.CreditLine, classifier: _Classifier) -> None:
    header = classifier.header
    if credit.kind == "cast":
        names = tuple(name for name in labels.split_names(credit.who) if name[:1].isupper())
        guests = names if fold_name(credit.role).startswith(("vous", "invit", "interven", "particip")) else ()
        classifier.header = replace(header, cast=(*header.cast, *names), guests=(*header.guests, *guests))
        classifier.in_cast = not credit.who
    elif credit.kind == "thanks":
        classifier.header = replace(header, thanks=(*header.thanks, credit.who))
    elif credit.kind == "production" and not header.production:
        classifier.header = replace(header, production=credit.who)
    else:
        classifier.header = replace(header, credits=(*header.credits, (credit.role, credit.who)))


def _episode_number(file_id: str) -> int | None:
    """Return the episode number in a file identifier: 2 for `RADIO_EP2_VF`."""
    found = re.search(r"(?:^|_)(?:EP|E|EPISODE)_?(\d{1,3})(?:_|$)", file_id, re.I)
    return int(found[1]) if found else None
