"""Where somebody may be speaking: a careful guess from level and spectrum, used only to refuse words heard in silence or hiss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FRAME_S = 0.05
_BAND_HZ = (100.0, 4000.0)  # where voices are; hum lies below
_BLOCK_FRAMES = 1200  # a minute at a time: memory does not grow with the recording
_FLATTEST = 0.4  # geometric over arithmetic mean of the power spectrum; white noise is near 0.56, vowels below 0.1
_SILENCE_DBFS = -70.0
_HANGOVER_FRAMES = 6  # consonants around a vowel are weak and noisy: they belong to it


class Activity:
    """Listens to a recording as it goes by, and says at the end where a voice may have been."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._found: list[NDArray[np.float64]] = []

    def watch(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """The same blocks; each should be a whole number of frames, the last excepted."""
        for block in blocks:
            self._found.append(_features(block, self._rate_hz))
            yield block

    def frames(self) -> NDArray[np.bool_]:
        """For every `FRAME_S`, whether a voice may be there."""
        import numpy as np

        return _voiced(np.concatenate([np.zeros((2, 0)), *self._found], axis=1))


def active_frames(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.bool_]:
    """For every `FRAME_S` of mono `samples`, whether a voice may be there.

    Wide rather than strict: music passes, silence, hum and steady noise do not.
    """
    activity = Activity(rate_hz)
    size = _BLOCK_FRAMES * int(rate_hz * FRAME_S)
    for _ in activity.watch(samples[i : i + size] for i in range(0, len(samples), size)):
        pass
    return activity.frames()


def any_voice(frames: NDArray[np.bool_], start_s: float, end_s: float) -> bool:
    """Whether a voice may be heard at some moment between two times."""
    first = int(start_s / FRAME_S)
    return bool(frames[first : max(first + 1, int(end_s / FRAME_S) + 1)].any())


def _threshold_db(levels_db: NDArray[np.float64]) -> float:
    """Above the background, yet low enough for the quietest voice of a badly balanced recording."""
    import numpy as np

    background, loud = np.percentile(levels_db, (10, 95))
    return max(float(np.clip(background + 6.0, loud - 50.0, loud - 20.0)), _SILENCE_DBFS)


def _voiced(features: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which frames may hold a voice, given the level and flatness of all."""
    import numpy as np

    levels_db, flatness = features
    if not levels_db.size:
        return np.zeros(0, dtype=bool)
    voiced = (levels_db > _threshold_db(levels_db)) & (flatness < _FLATTEST)
    width = 2 * _HANGOVER_FRAMES + 1
    return np.convolve(voiced, np.ones(width), mode="full")[_HANGOVER_FRAMES : _HANGOVER_FRAMES + voiced.size] > 0.5


def _features(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """Level (dB full scale) and spectral flatness (0 to 1) of the voice band, one above the other, a frame each."""
    import numpy as np

    size = int(rate_hz * FRAME_S)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    spectrum = np.fft.rfft(frames * np.hanning(size), axis=1)[:, (hz >= _BAND_HZ[0]) & (hz <= _BAND_HZ[1])]
    power = np.abs(spectrum) ** 2 + 1e-12
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    return np.stack([10 * np.log10(power.sum(axis=1) * 2 / size**2 + 1e-12), flatness])
