"""Splits a recording into windows for Whisper, at its quietest points, so that no window begins in the middle of a word.

Whisper processes 30 s at a time. By default it begins each window where it thinks the last sentence ended, and one wrong guess loses
the sentence across the boundary. A cut depends only on the samples around it: inserting or deleting a passage changes the windows near
it, and the later ones soon stay the same, so that the window cache is reused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_WINDOW_S = 28.0  # a little under Whisper's 30 s
MIN_WINDOW_S = 14.0  # the last window may be shorter
_FRAME_S = 0.01
_PAUSE_S = 0.3  # the quietness of a point is the mean level around it, over this long


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


def split_windows(blocks: Iterable[NDArray[np.float32]], rate_hz: int) -> Iterator[Window]:
    """The recording split into windows of `MIN_WINDOW_S` to `MAX_WINDOW_S`, the last one shorter if need be; none for an empty recording.

    At most one window and one block are in memory.
    """
    import numpy as np

    pending, first = np.zeros(0, np.float32), 0
    for block in blocks:
        pending = np.concatenate([pending, block])
        while len(pending) > (MAX_WINDOW_S + _PAUSE_S) * rate_hz:  # the margin: the level after a cut counts too
            cut = round(quietest_point_s(pending, rate_hz, MIN_WINDOW_S, MAX_WINDOW_S) * rate_hz)
            yield Window(first / rate_hz, pending[:cut].copy(), rate_hz)
            pending, first = pending[cut:], first + cut
    if len(pending) > MAX_WINDOW_S * rate_hz:
        cut = round(quietest_point_s(pending, rate_hz, MIN_WINDOW_S, MAX_WINDOW_S) * rate_hz)
        yield Window(first / rate_hz, pending[:cut].copy(), rate_hz)
        pending, first = pending[cut:], first + cut
    if len(pending):
        yield Window(first / rate_hz, pending.copy(), rate_hz)


def halve_window(window: Window) -> tuple[Window, Window]:
    """The window split at the quietest point of its middle half."""
    cut = round(quietest_point_s(window.samples, window.rate_hz, window.length_s / 4, window.length_s * 3 / 4) * window.rate_hz)
    second_s = window.start_s + cut / window.rate_hz
    return Window(window.start_s, window.samples[:cut], window.rate_hz), Window(second_s, window.samples[cut:], window.rate_hz)


def quietest_point_s(samples: NDArray[np.float32], rate_hz: int, from_s: float, to_s: float) -> float:
    """The quietest point between two times, in seconds from the first sample."""
    import numpy as np

    first, last = round(from_s / _FRAME_S), round(to_s / _FRAME_S)
    margin = round(_PAUSE_S / _FRAME_S / 2)
    size = int(rate_hz * _FRAME_S)
    skipped = max(0, first - margin)
    levels = _smoothed_levels_db(samples[skipped * size : (last + margin) * size], size)
    return (first + int(np.argmin(levels[first - skipped : last - skipped]))) * _FRAME_S


def _smoothed_levels_db(samples: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """The level of each frame in dB, averaged over `_PAUSE_S`; a mean of powers would let one loud frame hide a pause."""
    import numpy as np

    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / size
    width = round(_PAUSE_S / _FRAME_S)
    return np.convolve(10 * np.log10(power + 1e-10), np.ones(width) / width, mode="same")
