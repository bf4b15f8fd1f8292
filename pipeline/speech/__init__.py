"""Whisper behind one function: windows, voice activity, what is kept and what is doubted of what it recognises."""

from pipeline.speech.doubts import mark_doubts, summary
from pipeline.speech.model_files import describe_model
from pipeline.speech.transcribe import transcribe_master
from pipeline.speech.translate import translate_master

__all__ = [
    "describe_model",
    "mark_doubts",
    "summary",
    "transcribe_master",
    "translate_master",
]
