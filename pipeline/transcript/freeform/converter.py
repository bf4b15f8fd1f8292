"""Convert a free-form transcript, as French production companies type them, to the editable text. No input or output.

Such texts mark where a part begins but not where it ends, leave speakers unnamed behind dashes, and mix header lines, credits and
audio file markers with the speech. Nothing is dropped silently: every decision is listed in `remarks`; every line that could not
be placed is listed in `unplaced` and kept as a note in the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.model import apply_typography
from pipeline.transcript import Transcript, format_transcript
from pipeline.transcript.freeform import labels as labels
from pipeline.transcript.freeform.alterations import alteration_remarks
from pipeline.transcript.freeform.block_builder import BlockBuilder
from pipeline.transcript.freeform.blocks import close_parts, declare_voices, narration_label
from pipeline.transcript.freeform.classifier import LineKind, TranscriptHeader, classify_lines
from pipeline.transcript.freeform.lines import clean_lines, split_lines
from pipeline.transcript.freeform.roles import introduced_voices, propose_roles
from pipeline.transcript.freeform.source_lines import Remark, SourceLine
from pipeline.transcript.freeform.speakers import find_speakers
from pipeline.transcript.freeform.unplaced import dropped_names
from pipeline.transcript.freeform.word_audit import WordCount, audit_words


@dataclass(frozen=True)
class Conversion:
    """The result of converting a free-form text."""

    transcript: Transcript
    header: TranscriptHeader
    unplaced: tuple[Remark, ...]
    remarks: tuple[Remark, ...]
    words: WordCount


def convert(text: str, location: str = "", people: Mapping[str, str] | None = None, language: str = "fr") -> Conversion:
    """Convert the text of one episode. `people` maps the show's person keys to names; `location` names the file in errors."""
    return convert_lines(split_lines(text), location, people or {}, language)


def convert_lines(lines: Sequence[SourceLine], location: str, people: Mapping[str, str], language: str = "fr") -> Conversion:
    """Convert lines that were already split, such as those of `pipeline.transcript.freeform.docx`. `CauserieError` when there are none."""
    cleaned, cleaning_remarks = clean_lines(lines)
    header, pieces, new_remarks = classify_lines(cleaned, location)
    speakers = find_speakers(
        [piece.line for piece in pieces if piece.kind in (LineKind.SPEECH, LineKind.PART)], (*people.values(), *header.cast)
    )
    parts = {piece.line.number for piece in pieces if piece.kind is LineKind.PART}
    speakers = replace(speakers, doubtful_labels=tuple(each for each in speakers.doubtful_labels if each[0] not in parts))
    builder = BlockBuilder(speakers, language, [*cleaning_remarks, *new_remarks])
    builder.build(pieces)
    blocks, new_remarks = close_parts(builder.blocks, language, builder.voice_overs)
    team = (name for _, who in header.credits for name in labels.split_names(who))
    credited = {labels.fold_name(name) for name in (*people.values(), *header.cast, *team)}
    proposal = propose_roles(blocks, introduced_voices(blocks, builder.full_names), credited, narration_label(language), language)
    voices = declare_voices(proposal.blocks, builder.full_names, people, proposal.roles)
    builder.remarks += [*new_remarks, *proposal.remarks]
    builder.report_doubtful_names(people)
    typeset = replace(
        header,
        title=apply_typography(header.title, language),
        summary=apply_typography(header.summary, language),
        spoken_title=apply_typography(header.spoken_title, language),
    )
    transcript = Transcript(proposal.blocks, voices)
    written = format_transcript(transcript)
    builder.remarks += dropped_names(lines, written + " ".join(remark.text for remark in builder.remarks))
    builder.remarks += alteration_remarks(lines, written)
    words, lost = audit_words(lines, transcript, (*builder.remarks, *builder.unplaced))
    remarks = tuple(sorted((*builder.remarks, *lost), key=lambda remark: remark.line))
    return Conversion(transcript, typeset, tuple(builder.unplaced), remarks, words)
