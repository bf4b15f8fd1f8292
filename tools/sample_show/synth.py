"""Speech by espeak-ng through ctypes, with the time of every word and phoneme.

espeak-ng (the system library ``libespeak-ng.so.1``) is needed only to make the sample show and its model again.
The constants come from its header ``speak_lib.h``.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

EVENT_END, EVENT_WORD, EVENT_PHONEME = 0, 1, 7
OUTPUT_RETRIEVAL = 1
INIT_PHONEME_EVENTS = 1
CHARS_UTF8 = 1
POSITION_CHARACTER = 1
PARAM_RATE, PARAM_VOLUME, PARAM_PITCH, PARAM_RANGE = 1, 2, 3, 4
AUDIBLE = 1e-3  # amplitude below which the end of an utterance counts as silence
TAIL_S = 0.05  # kept after the last audible sample

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Timing:
    """A word or a phoneme and when it is heard, in seconds."""

    label: str
    start_s: float
    end_s: float

    def shifted(self, by_s: float) -> Timing:
        """The same, ``by_s`` seconds later."""
        return Timing(self.label, self.start_s + by_s, self.end_s + by_s)


@dataclass(frozen=True)
class Utterance:
    """What espeak-ng said: mono samples in -1..1 at ``rate`` Hz, and times from the first sample."""

    samples: Audio
    rate: int
    words: tuple[Timing, ...]
    phonemes: tuple[Timing, ...]


@dataclass(frozen=True)
class Manner:
    """How to say it: an espeak voice, pitch and intonation range in 0..99, speed in words a minute."""

    espeak: str
    pitch: int = 50
    rate: int = 165
    range: int = 50


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Engine:
    """The library, opened once a process, and what its callback has gathered so far."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate: int = self.library.espeak_Initialize(OUTPUT_RETRIEVAL, 200, None, INIT_PHONEME_EVENTS)
        self.callback = _Callback(self._collect)  # kept here: ctypes does not
        self.library.espeak_SetSynthCallback(self.callback)
        self.forget()

    def forget(self) -> None:
        self.chunks: list[NDArray[np.int16]] = []
        self.word_events: list[tuple[int, float]] = []
        self.phoneme_events: list[tuple[str, float]] = []

    def _collect(self, wave: ctypes.Array, count: int, events: ctypes.Array) -> int:
        if count > 0 and wave:
            self.chunks.append(np.ctypeslib.as_array(wave, (count,)).copy())
        index = 0
        while (event := events[index]).type != EVENT_END:
            at_s = event.audio_position / 1000
            if event.type == EVENT_WORD:
                self.word_events.append((event.text_position - 1, at_s))
            elif event.type == EVENT_PHONEME:
                name = bytes(event.id.string).split(b"\0")[0].decode("utf-8", "ignore")
                self.phoneme_events.append((name, at_s))
            index += 1
        return 0

    def speak(self, text: str, manner: Manner) -> None:
        self.forget()
        if self.library.espeak_SetVoiceByName(manner.espeak.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {manner.espeak!r}")
        values = {PARAM_RATE: manner.rate, PARAM_VOLUME: 100, PARAM_PITCH: manner.pitch, PARAM_RANGE: manner.range}
        for parameter, value in values.items():
            self.library.espeak_SetParameter(parameter, value, 0)
        data = text.encode() + b"\0"
        self.library.espeak_Synth(data, len(data), 0, POSITION_CHARACTER, 0, CHARS_UTF8, None, None)
        self.library.espeak_Synchronize()


@cache
def _engine() -> _Engine:
    return _Engine()


def say(text: str, manner: Manner) -> Utterance:
    """Speak ``text``; the silence after the last sound is cut to ``TAIL_S``. Raises ValueError for an unknown voice."""
    engine = _engine()
    engine.speak(text, manner)
    samples = np.concatenate(engine.chunks).astype(np.float32) / 32768
    last = int(np.nonzero(np.abs(samples) > AUDIBLE)[0][-1]) + 1
    end_s = last / engine.rate
    phonemes = _phoneme_times(engine.phoneme_events, end_s)
    words = _word_times(text, engine.word_events, phonemes, end_s)
    return Utterance(samples[: last + int(TAIL_S * engine.rate)], engine.rate, words, phonemes)


def _phoneme_times(events: list[tuple[str, float]], end_s: float) -> tuple[Timing, ...]:
    """Each phoneme lasts until the next one begins."""
    starts = [at for _, at in events]
    ends = [*starts[1:], end_s]
    return tuple(Timing(name, min(start, end_s), min(end, end_s)) for (name, _), start, end in zip(events, starts, ends, strict=True))


def _word_spans(text: str) -> list[tuple[str, int, int]]:
    """Words between spaces (lone punctuation left out) with their first and past-the-end character."""
    spans, position = [], 0
    for word in text.split():
        first = text.index(word, position)
        position = first + len(word)
        if any(character.isalnum() for character in word):
            spans.append((word, first, position))
    return spans


def _word_times(text: str, events: list[tuple[int, float]], phonemes: tuple[Timing, ...], end_s: float) -> tuple[Timing, ...]:
    """One timing a written word. espeak may report a word in several parts, or join two: then the start is guessed."""
    spans = _word_spans(text)
    starts: list[float] = []
    for _, first, past in spans:
        inside = [at for position, at in events if first <= position < past]
        starts.append(min(inside) if inside else (starts[-1] + 0.05 if starts else 0.0))
    nexts = [*starts[1:], end_s]
    return tuple(
        Timing(word, start, min(_before_pause(start, following, phonemes), end_s))
        for (word, _, _), start, following in zip(spans, starts, nexts, strict=True)
    )


def _before_pause(start_s: float, next_s: float, phonemes: tuple[Timing, ...]) -> float:
    """Where a word stops: at the next one, or at the pause phoneme (named ``_…``) that leads to it."""
    for phoneme in phonemes:
        if phoneme.label.startswith("_") and start_s < phoneme.start_s < next_s and abs(phoneme.end_s - next_s) < 0.06:
            return phoneme.start_s
    return next_s
