"""Where a long recording is cut for Whisper: at its quietest moments, so that no window opens in the middle of a word.

Whisper listens to 30 s at a time. Left alone it starts each window where it believes the last sentence ended, and one wrong belief
costs the sentence that straddles the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_S = 28.0  # a little under Whisper's 30 s
SHORTEST_S = 14.0  # the last window may be shorter
_FRAME_S = 0.02
_PAUSE_S = 0.3  # a moment is as quiet as the level around it, over this long


def cuts(samples: NDArray[np.float32], rate_hz: int) -> list[float]:
    """The times (s) at which windows start and end: 0 first, the end last, each window `SHORTEST_S` to `LONGEST_S` long.

    Each cut is the quietest moment its window allows; the last window may be shorter.
    """
    import numpy as np

    total_s, levels, found = len(samples) / rate_hz, _levels(samples, rate_hz), [0.0]
    while total_s - found[-1] > LONGEST_S:
        first, last = (round((found[-1] + length_s) / _FRAME_S) for length_s in (SHORTEST_S, LONGEST_S))
        found.append(round((first + int(np.argmin(levels[first:last]))) * _FRAME_S, 2))
    return [*found, total_s]


def _levels(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """The level of each frame, averaged over the pause around it; squares would let one loud frame hide a pause, so decibels."""
    import numpy as np

    size = int(rate_hz * _FRAME_S)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.einsum("ij,ij->i", frames, frames) / size  # no copy of a three-hour recording
    width = round(_PAUSE_S / _FRAME_S)
    return np.convolve(10 * np.log10(power + 1e-10), np.ones(width) / width, mode="same")
