"""Whisper behind one function: windows, voice activity, what is kept and what is doubted of what it recognises."""

from pipeline.speech.backends import inspect_model
from pipeline.speech.doubts import mark_doubts, summary
from pipeline.speech.model_fetch import bring_model
from pipeline.speech.transcribe import transcribe_master
from pipeline.speech.translate import translate_master

__all__ = [
    "bring_model",
    "inspect_model",
    "mark_doubts",
    "summary",
    "transcribe_master",
    "translate_master",
]
