"""Voice activity: how probable a voice is at each moment, by Silero's model, which faster-whisper brings.

It decides where Whisper listens, which of its words stand where nobody speaks, and where a voice came out without words; see
docs/decisions/0019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FRAME_SAMPLES = 512  # what Silero hears at a time, at 16 kHz
FRAME_S = _FRAME_SAMPLES / 16_000
VOICED_PROBABILITY = 0.5  # Silero's own threshold; of 14 recordings of noise, applause and music, no frame reached it
MIN_VOICE_S = 0.15  # of voice in a stretch; with less Whisper is not asked, since it writes words over music and noise
_POSSIBLE_PROBABILITY = 0.25  # the edges of a voice
MAX_PAUSE_S = 8.0  # of a stretch; Whisper gets over it by itself, and hears better what it hears whole
_PADDING_S = 0.8  # of a stretch: first and last consonants, and the breath that Whisper expects
_GAINS = (1.0, 16.0)  # as it is, and 24 dB louder: beside a loud voice, one 40 dB lower is missed otherwise


def voice_probabilities(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each frame of `FRAME_S` of mono samples at 16 kHz, the probability that it holds a voice."""
    import numpy as np
    from faster_whisper.vad import get_vad_model

    if not samples.size:
        return np.zeros(0, np.float32)
    padded = np.pad(samples, (0, -samples.size % _FRAME_SAMPLES)).astype(np.float32)
    heard = [np.asarray(get_vad_model()(np.clip(padded * gain, -1, 1)), np.float32).reshape(-1) for gain in _GAINS]
    probabilities: NDArray[np.float32] = np.maximum.reduce(heard)
    return probabilities


def voiced_stretches(probabilities: NDArray[np.float32]) -> list[tuple[float, float]]:
    """From when to when, in seconds, somebody speaks: music and noise of more than `MAX_PAUSE_S` are left out, shorter ones are not."""
    length_s = probabilities.size * FRAME_S
    found: list[tuple[float, float]] = []
    for frame in (probabilities >= _POSSIBLE_PROBABILITY).nonzero()[0].tolist():
        time_s = frame * FRAME_S
        start_s = found.pop()[0] if found and time_s - found[-1][1] <= MAX_PAUSE_S else time_s
        found.append((start_s, time_s + FRAME_S))
    spoken = [stretch for stretch in found if voiced_s(probabilities, *stretch) >= MIN_VOICE_S]
    return [
        (
            0.0 if start_s <= MAX_PAUSE_S else start_s - _PADDING_S,
            length_s if length_s - end_s <= MAX_PAUSE_S else end_s + _PADDING_S,
        )
        for start_s, end_s in spoken
    ]


def voiced_s(probabilities: NDArray[np.float32], start_s: float, end_s: float) -> float:
    """For how many seconds between two times there is a voice."""
    return float((_between(probabilities, start_s, end_s) >= VOICED_PROBABILITY).sum()) * FRAME_S


def voiced_span(probabilities: NDArray[np.float32], start_s: float, end_s: float) -> tuple[float, float] | None:
    """The first and last moment of voice between two times, in seconds; None without one."""
    frames = (_between(probabilities, start_s, end_s) >= VOICED_PROBABILITY).nonzero()[0]
    first = int(max(start_s, 0.0) / FRAME_S)
    return ((first + int(frames[0])) * FRAME_S, (first + int(frames[-1]) + 1) * FRAME_S) if frames.size else None


def highest(probabilities: NDArray[np.float32], start_s: float, end_s: float) -> float:
    """The highest probability between two times, of which there is one frame at least; 0 outside the recording."""
    return float(_between(probabilities, start_s, end_s).max(initial=0.0))


def mean(probabilities: NDArray[np.float32], start_s: float, end_s: float) -> float:
    """The mean probability between two times; 0 outside the recording."""
    part = _between(probabilities, start_s, end_s)
    return float(part.mean()) if part.size else 0.0


def _between(probabilities: NDArray[np.float32], start_s: float, end_s: float) -> NDArray[np.float32]:
    first = int(max(start_s, 0.0) / FRAME_S)
    return probabilities[first : max(first + 1, int(end_s / FRAME_S) + 1)]
