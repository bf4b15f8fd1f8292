"""Splits a recording into windows for Whisper, in its longest pauses, so that no window begins in the middle of a sentence.

Whisper hears 30 s at a time, and begins each time where it thinks the last sentence ended; so it does within a window. A window is
longer than that, since a pause good enough to cut in does not come every 20 s: on real speech, words at the cuts were lost. A cut
depends only on the samples around it: inserting or deleting a passage changes the windows near it, and the later ones soon stay the
same, so that the window cache is reused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.speech.voice_activity import FRAME_S as VOICE_FRAME_S
from pipeline.speech.voice_activity import voice_probabilities

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    VoiceDetector = Callable[[NDArray[np.float32]], NDArray[np.float32]]

MAX_WINDOW_S = 60.0
MIN_WINDOW_S = 36.0  # the last window may be shorter
_FRAME_S = 0.01
_PAUSE_S = 0.5  # the quietness of a point is the mean level around it, over this long
_VOICE_DB = 40.0  # a voice counts as so much louder: over music, the level alone does not show where nobody speaks


@dataclass(frozen=True)
class Window:
    """A part of a recording, with its start in seconds."""

    start_s: float
    samples: NDArray[np.float32]
    rate_hz: int

    @property
    def length_s(self) -> float:
        """Its duration in seconds."""
        return len(self.samples) / self.rate_hz

    @property
    def end_s(self) -> float:
        """Its end in seconds, which is the start of the next window."""
        return self.start_s + self.length_s


def split_windows(blocks: Iterable[NDArray[np.float32]], rate_hz: int, voice: VoiceDetector = voice_probabilities) -> Iterator[Window]:
    """The recording split into windows of `MIN_WINDOW_S` to `MAX_WINDOW_S`, the last one shorter if need be; none for an empty recording.

    At most one window and one block are in memory.
    """
    import numpy as np

    pending, first = np.zeros(0, np.float32), 0
    for block in blocks:
        pending = np.concatenate([pending, block])
        while len(pending) > (MAX_WINDOW_S + _PAUSE_S) * rate_hz:  # the margin: the level after a cut counts too
            cut = round(quietest_point_s(pending, rate_hz, voice) * rate_hz)
            yield Window(first / rate_hz, pending[:cut].copy(), rate_hz)
            pending, first = pending[cut:], first + cut
    if len(pending) > MAX_WINDOW_S * rate_hz:
        cut = round(quietest_point_s(pending, rate_hz, voice) * rate_hz)
        yield Window(first / rate_hz, pending[:cut].copy(), rate_hz)
        pending, first = pending[cut:], first + cut
    if len(pending):
        yield Window(first / rate_hz, pending.copy(), rate_hz)


def quietest_point_s(samples: NDArray[np.float32], rate_hz: int, voice: VoiceDetector = voice_probabilities) -> float:
    """The middle of the best pause between `MIN_WINDOW_S` and `MAX_WINDOW_S`, in seconds from the first sample."""
    import numpy as np

    first, last = round(MIN_WINDOW_S / _FRAME_S), round(MAX_WINDOW_S / _FRAME_S)
    margin = round(_PAUSE_S / _FRAME_S / 2)
    size = int(rate_hz * _FRAME_S)
    near = samples[(first - margin) * size : (last + margin) * size]
    loudness_db = _smoothed(_levels_db(near, size) + _VOICE_DB * _voice_by_frame(voice(near), len(near) // size))
    return (first + int(np.argmin(loudness_db[margin : margin + last - first]))) * _FRAME_S


def _voice_by_frame(probabilities: NDArray[np.float32], frames: int) -> NDArray[np.float64]:
    """The probabilities of a voice, for each frame of `_FRAME_S`."""
    import numpy as np

    if not probabilities.size:
        return np.zeros(frames)
    times_s = (np.arange(frames) + 0.5) * _FRAME_S
    by_frame: NDArray[np.float64] = np.interp(times_s, (np.arange(probabilities.size) + 0.5) * VOICE_FRAME_S, probabilities)
    return by_frame


def _levels_db(samples: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """The level of each frame in dB."""
    import numpy as np

    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / size
    levels_db: NDArray[np.float64] = 10 * np.log10(power + 1e-10)
    return levels_db


def _smoothed(loudness_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over `_PAUSE_S`, in dB; a mean of powers would let one loud frame hide a pause."""
    import numpy as np

    width = round(_PAUSE_S / _FRAME_S)
    return np.convolve(loudness_db, np.ones(width) / width, mode="same")
