"""Texts typed elsewhere, loose or in Word, to the editable transcript; and what in a transcript reads like a slip of such a text."""

from pipeline.transcript.freeform.import_text import convert_file, decode_text
from pipeline.transcript.freeform.lint import lint_transcript
from pipeline.transcript.freeform.near_duplicates import LineIndex, LineKeys, line_keys

__all__ = [
    "LineIndex",
    "LineKeys",
    "convert_file",
    "decode_text",
    "line_keys",
    "lint_transcript",
]
