"""Texts typed elsewhere, loose or in Word, to the editable transcript; and what in a transcript reads like a slip of such a text."""

from pipeline.transcript.freeform.import_text import convert_file, decode_text
from pipeline.transcript.freeform.lint import lint_transcript
from pipeline.transcript.freeform.questions import open_questions

__all__ = [
    "convert_file",
    "decode_text",
    "lint_transcript",
    "open_questions",
]
