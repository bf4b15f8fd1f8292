"""The editable text of an episode: parsing and writing it, its times, captions, chapters."""

from pipeline.transcript.align import align_words, assign_times
from pipeline.transcript.captions import write_captions
from pipeline.transcript.chapters import are_proposed, read_chapters, validate_chapters, write_chapters
from pipeline.transcript.completeness import Comparison, HeardPassage, WrittenPassage, compare_with_heard, voice_spans
from pipeline.transcript.cut_proposals import CutProposal, propose_cuts
from pipeline.transcript.diarisation import DiarisedTurn, parse_rttm, speaker_labels, unknown_speakers, unnamed_speakers
from pipeline.transcript.document import (
    SPEAKER_LABEL,
    Block,
    Insert,
    Note,
    Paragraph,
    Section,
    Transcript,
    VoiceDeclaration,
    format_transcript,
    parse_anchor,
    spoken_paragraphs,
)
from pipeline.transcript.draft import draft_transcript
from pipeline.transcript.draft_notes import format_reasons
from pipeline.transcript.edited import drop_removed, write_published_transcript, write_published_translation
from pipeline.transcript.excerpts import ExcerptCaption, excerpt_captions
from pipeline.transcript.parser import ANCHOR, parse_transcript, scan_head, undeclared_labels
from pipeline.transcript.passage_notes import CompletenessNote, completeness_notes, removed_loops
from pipeline.transcript.readability import MAX_CPS, MAX_LINES, UnreadableCue, unreadable_cues
from pipeline.transcript.review_status import add_check_off, review_notice, text_review
from pipeline.transcript.timed_json import find_estimated, link_time_s, read_timed
from pipeline.transcript.topics import characteristic_phrases
from pipeline.transcript.turns import DIALOGUE_ROLES, NARRATOR_ROLES, build_turns, is_narrating, is_placeholder_name, section_role
from pipeline.transcript.voice_names import stale_names

__all__ = [
    "ANCHOR",
    "Block",
    "Comparison",
    "CompletenessNote",
    "CutProposal",
    "DIALOGUE_ROLES",
    "DiarisedTurn",
    "ExcerptCaption",
    "HeardPassage",
    "Insert",
    "MAX_CPS",
    "MAX_LINES",
    "NARRATOR_ROLES",
    "Note",
    "Paragraph",
    "SPEAKER_LABEL",
    "Section",
    "Transcript",
    "UnreadableCue",
    "VoiceDeclaration",
    "WrittenPassage",
    "add_check_off",
    "align_words",
    "are_proposed",
    "assign_times",
    "build_turns",
    "characteristic_phrases",
    "compare_with_heard",
    "completeness_notes",
    "draft_transcript",
    "drop_removed",
    "excerpt_captions",
    "find_estimated",
    "format_reasons",
    "format_transcript",
    "is_narrating",
    "is_placeholder_name",
    "link_time_s",
    "parse_anchor",
    "parse_rttm",
    "parse_transcript",
    "propose_cuts",
    "read_chapters",
    "read_timed",
    "removed_loops",
    "review_notice",
    "scan_head",
    "section_role",
    "speaker_labels",
    "spoken_paragraphs",
    "stale_names",
    "text_review",
    "undeclared_labels",
    "unknown_speakers",
    "unnamed_speakers",
    "unreadable_cues",
    "validate_chapters",
    "voice_spans",
    "write_captions",
    "write_chapters",
    "write_published_transcript",
    "write_published_translation",
]
