"""Whisper behind one function, and what it must not be trusted with."""
