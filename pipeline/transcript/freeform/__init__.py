"""Texts typed elsewhere, loose or in Word, to the editable transcript; and what in a transcript reads like a slip of such a text."""

from pipeline.transcript.freeform.classifier import TranscriptHeader
from pipeline.transcript.freeform.import_text import ImportedText, convert_file, decode_text, import_file
from pipeline.transcript.freeform.labels import is_never_voice
from pipeline.transcript.freeform.lint import lint_transcript
from pipeline.transcript.freeform.near_duplicates import LineIndex, LineKeys, line_keys
from pipeline.transcript.freeform.questions import open_questions

__all__ = [
    "ImportedText",
    "LineIndex",
    "LineKeys",
    "TranscriptHeader",
    "convert_file",
    "decode_text",
    "import_file",
    "is_never_voice",
    "line_keys",
    "lint_transcript",
    "open_questions",
]
