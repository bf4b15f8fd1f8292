"""Says a sentence in somebody's manner, with the time of every word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from tools.sample_show.kokoro import RATE_HZ, synthesise
from tools.sample_show.phonemes import word_spans, words

AUDIBLE = 0.01  # of the peak: what is quieter at the two ends is silence
BEFORE_S, AFTER_S = 0.03, 0.06  # kept around the sound
FADE_S = 0.02
DECAY_S = 0.075  # a sound lasts as much longer than its phoneme as it begins before it

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Timing:
    """A word and when it is heard, in seconds."""

    label: str
    start_s: float
    end_s: float

    def shifted(self, by_s: float) -> Timing:
        """The same, `by_s` seconds later."""
        return Timing(self.label, self.start_s + by_s, self.end_s + by_s)


@dataclass(frozen=True)
class Utterance:
    """What was said: mono samples at `rate` Hz, and each written word, in seconds from the first sample."""

    samples: Audio
    rate: int
    words: tuple[Timing, ...]


@dataclass(frozen=True)
class Manner:
    """Who speaks: timbre and prosody as mixtures of voices, speed, pitch in semitones, length of the vocal tract.

    `tract` is relative to the voice's own: 1.15, with some -9 semitones, makes a man of a woman; 0.92 a younger speaker. Pitch and
    speed stay what they are said to be: the network speaks higher and faster, and its sound is resampled slower.
    """

    timbre: str
    prosody: str = "ff_siwis"  # Kokoro's French voice: its melody makes the others speak French
    speed: float = 1.0
    semitones: float = 0.0
    tract: float = 1.0


def say(text: str, manner: Manner) -> Utterance:
    """Speak a sentence, cut to its sound and faded; `ValueError` where the words said are not as many as the words written."""
    pitch = manner.tract * 2 ** (manner.semitones / 12)
    raw, sounds, starts_s = synthesise(text, manner.timbre, manner.prosody, manner.speed * manner.tract, pitch)
    samples = resample_poly(raw, round(100 * manner.tract), 100).astype(np.float32)
    audible = np.nonzero(np.abs(samples) > AUDIBLE * np.abs(samples).max())[0]
    first = max(0, int(audible[0]) - round(BEFORE_S * RATE_HZ))
    kept = _faded(samples[first : int(audible[-1]) + round(AFTER_S * RATE_HZ)])
    times = starts_s * manner.tract - first / RATE_HZ
    heard_s = ((int(audible[0]) - first) / RATE_HZ, (int(audible[-1]) - first) / RATE_HZ)
    return Utterance(kept, RATE_HZ, _word_times(text, sounds, times, heard_s))


def _faded(samples: Audio) -> Audio:
    ramp = np.linspace(0, 1, round(FADE_S * RATE_HZ), dtype=np.float32)
    faded = samples.copy()
    faded[: len(ramp)] *= ramp
    faded[-len(ramp) :] *= ramp[::-1]
    return faded


def _word_times(text: str, sounds: str, starts_s: NDArray[np.float64], heard_s: tuple[float, float]) -> tuple[Timing, ...]:
    """A word lasts until the next one, or until its sound has died away: before a mark a little into the pause."""
    written, spans = words(text), word_spans(sounds)
    if len(written) != len(spans):
        raise ValueError(f"{len(written)} words are written and {len(spans)} said: {text} | {sounds}")
    starts = [float(starts_s[first]) for first, _ in spans]
    starts[0] = min(starts[0], heard_s[0])  # its breath comes before its first phoneme
    follows_mark = [sounds[past : spans[i + 1][0]].strip() for i, (_, past) in enumerate(spans[:-1])]
    dying = [float(starts_s[past]) + DECAY_S for _, past in spans[:-1]]
    ends = [min(late, following) if mark else following for late, following, mark in zip(dying, starts[1:], follows_mark, strict=True)]
    return tuple(map(Timing, written, starts, [*ends, max(heard_s[1], starts[-1])]))
