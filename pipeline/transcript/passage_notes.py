"""What a comparison of the text with the sound found, as sentences in French and English: the longest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.model import Recognition, RemovedLoop, apply_typography, format_clock, terminal_safe
from pipeline.transcript.completeness import Comparison

_MAX_QUOTE_CHARS = 60
_WORD_S = 0.4  # of speech, to rank words whose times nobody knows

_TEXTS = {
    "fr": {
        "heard": "entendu, absent du texte : {start} à {end}, « {text} » ({count} mots)",
        "written": "dans le texte, pas entendu : après {start}, « {text} » ({count} mots)",
        "removed": "répétition retirée : {start} à {end}, « {text} » {count} fois",
        "voice": "une voix, peut-être : {start} à {end}",
    },
    "en": {
        "heard": "heard, not in the text: {start} to {end}, “{text}” ({count} words)",
        "written": "in the text, not heard: after {start}, “{text}” ({count} words)",
        "removed": "a repetition was left out: {start} to {end}, “{text}” {count} times",
        "voice": "a voice, perhaps: {start} to {end}",
    },
}


class CompletenessNote(NamedTuple):
    """A passage to listen to: its kind (a key of the texts), start in seconds, about how long it is, and the sentence."""

    kind: str
    start_s: float
    length_s: float
    sentence: str


def completeness_notes(comparison: Comparison, removed: Sequence[RemovedLoop], language: str) -> tuple[CompletenessNote, ...]:
    """A sentence for each passage that only one of text and sound has, each repetition left out and each voice without words."""
    rows = [
        *(("heard", each.start_s, each.end_s, each.text, each.words) for each in comparison.heard),
        *(("written", each.near_s, each.near_s + each.words * _WORD_S, each.text, each.words) for each in comparison.written),
        *(("removed", each["start_s"], each["end_s"], each["text"], each["times"]) for each in removed),
        *(("voice", start_s, end_s, "", 0) for start_s, end_s in comparison.voices),
    ]
    notes = [
        CompletenessNote(kind, start_s, end_s - start_s, _sentence(kind, start_s, end_s, text, count, language))
        for kind, start_s, end_s, text, count in rows
    ]
    return tuple(sorted(notes, key=lambda note: (-note.length_s, note.start_s)))


def removed_loops(recognition: Recognition) -> tuple[RemovedLoop, ...]:
    """The repetitions that the recogniser left out; none in a file without them."""
    return tuple(recognition.get("removed") or ())


def voice_sentence(start_s: float, end_s: float, language: str) -> str:
    """« une voix, peut-être : 1:03 à 1:10 »."""
    return _sentence("voice", start_s, end_s, "", 0, language)


def _sentence(kind: str, start_s: float, end_s: float, text: str, count: int, language: str) -> str:
    shown = terminal_safe(" ".join(text.split()))
    quote = shown if len(shown) <= _MAX_QUOTE_CHARS else f"{shown[:_MAX_QUOTE_CHARS].rsplit(' ', 1)[0]}…"
    texts = _TEXTS.get(language.split("-")[0], _TEXTS["en"])
    times = {"start": format_clock(start_s), "end": format_clock(end_s + 0.999)}
    return apply_typography(texts[kind].format(**times, text=quote, count=count), language)
