"""Voice activity detection from level and spectrum: permissive, used only to reject words recognised in silence, noise or music."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FRAME_S = 0.05
_BAND_HZ = (100.0, 4000.0)  # the band of voices; mains hum is below it
_BLOCK_FRAMES = 1200  # one minute per block: memory does not grow with the recording
_MAX_FLATNESS = 0.4  # geometric over arithmetic mean of the power spectrum; white noise is near 0.56, vowels below 0.1
_SILENCE_DBFS = -70.0
_HANGOVER_FRAMES = 6  # consonants around a vowel are weak and noisy: they count as voice too
# Music sustains its partials; a voice changes them every 0.2 s. Measured on the sample show: voices are below 0.2, a voice 6 dB below
# music is below 0.4, and its music is near 0.7.
_MAX_STEADINESS = 0.45
_STEP_S, _LAG_STEPS = 0.1, 3  # interval between two measurements of the partials, and the distance at which they are compared
_STEADINESS_STEPS = 30  # averaging window: a vowel may be held for a second
_FFT, _ENVELOPE_BINS = 1024, 9  # partials are peaks above the smoothed spectrum; the smoothed spectrum is only timbre


class VoiceActivityDetector:
    """Detects voice in a stream of mono sample blocks; `frames` gives the result once the stream has ended."""

    def __init__(self, rate_hz: int) -> None:
        import numpy as np

        self._rate_hz = rate_hz
        self._features: list[NDArray[np.float64]] = [np.zeros((2, 0))]
        self._steadiness: list[NDArray[np.float32]] = [np.zeros(0, np.float32)]
        self._previous_partials: NDArray[np.float32] | None = None  # the last partials of the previous block

    def process(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield the same blocks, analysed; each must be a multiple of 0.1 s long, except the last."""
        import numpy as np

        for block in blocks:
            self._features.append(_frame_features(block, self._rate_hz))
            partials = _partial_vectors(block, self._rate_hz)
            joined = np.concatenate(
                [
                    np.zeros((_LAG_STEPS, partials.shape[1]), np.float32) if self._previous_partials is None else self._previous_partials,
                    partials,
                ]
            )
            self._steadiness.append(np.einsum("ij,ij->i", joined[_LAG_STEPS:], joined[:-_LAG_STEPS]))
            self._previous_partials = joined[-_LAG_STEPS:]
            yield block

    def frames(self) -> NDArray[np.bool_]:
        """For each frame of `FRAME_S`, whether it may contain a voice."""
        import numpy as np

        return _voiced_frames(np.concatenate(self._features, axis=1), np.concatenate(self._steadiness))


def detect_voice_frames(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.bool_]:
    """For each frame of `FRAME_S` of mono `samples`, whether it may contain a voice.

    Permissive: singing and percussion pass; silence, hum, steady noise and sustained notes do not.
    """
    activity = VoiceActivityDetector(rate_hz)
    size = _BLOCK_FRAMES * int(rate_hz * FRAME_S)
    for _ in activity.process(samples[i : i + size] for i in range(0, len(samples), size)):
        pass
    return activity.frames()


def has_voice(frames: NDArray[np.bool_], start_s: float, end_s: float) -> bool:
    """Whether any frame between two times may contain a voice."""
    first = int(start_s / FRAME_S)
    return bool(frames[first : max(first + 1, int(end_s / FRAME_S) + 1)].any())


def voiced_s(frames: NDArray[np.bool_], start_s: float, end_s: float) -> float:
    """For how many seconds between two times there may be a voice."""
    return float(frames[int(start_s / FRAME_S) : int(end_s / FRAME_S)].sum()) * FRAME_S


def _threshold_db(levels_db: NDArray[np.float64]) -> float:
    """The level above which a frame may be voice: over the background, and low enough for the quietest voice of an unbalanced recording."""
    import numpy as np

    background, loud = np.percentile(levels_db, (10, 95))
    return max(float(np.clip(background + 6.0, loud - 50.0, loud - 20.0)), _SILENCE_DBFS)


def _voiced_frames(features: NDArray[np.float64], steadiness: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which frames may contain a voice, from the level and flatness of each frame and the steadiness of each step."""
    import numpy as np

    levels_db, flatness = features
    if not levels_db.size:
        return np.zeros(0, dtype=bool)
    voiced = (levels_db > _threshold_db(levels_db)) & (flatness < _MAX_FLATNESS)
    music = np.repeat(_moving_average(steadiness, _STEADINESS_STEPS) > _MAX_STEADINESS, round(_STEP_S / FRAME_S))[: voiced.size]
    voiced[: music.size] &= ~music
    return _moving_average(voiced, 2 * _HANGOVER_FRAMES + 1) > 0.0


def _moving_average(values: NDArray[np.float32] | NDArray[np.bool_], width: int) -> NDArray[np.float64]:
    """The moving average over `width` values; at the ends, over those that exist."""
    import numpy as np

    total: NDArray[np.float64] = np.cumsum(np.pad(values.astype(np.float64), (1, 0)))
    centre = np.arange(values.size)
    first, last = np.maximum(centre - width // 2, 0), np.minimum(centre - width // 2 + width, values.size)
    mean: NDArray[np.float64] = (total[last] - total[first]) / np.maximum(last - first, 1)
    return mean


def _partial_vectors(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """For each step, the log spectrum minus its envelope, as a vector of norm 1; near 0 when the spectrum has no peaks."""
    import numpy as np

    size = int(rate_hz * _STEP_S)
    steps = samples[: len(samples) // size * size].reshape(-1, size)[:, :_FFT]
    hz = np.fft.rfftfreq(_FFT, 1 / rate_hz)
    spectrum = np.fft.rfft(steps * np.hanning(steps.shape[1]), _FFT, axis=1)[:, (hz >= _BAND_HZ[0]) & (hz <= _BAND_HZ[1])]
    shape = np.log(np.abs(spectrum) ** 2 + 1e-7)
    half_width = _ENVELOPE_BINS // 2
    total = np.cumsum(np.pad(shape, ((0, 0), (half_width + 1, half_width)), mode="edge"), axis=1)
    fine = shape - (total[:, _ENVELOPE_BINS:] - total[:, :-_ENVELOPE_BINS]) / _ENVELOPE_BINS
    unit: NDArray[np.float64] = fine / (np.linalg.norm(fine, axis=1, keepdims=True) + 1e-3)
    return unit.astype(np.float32)


def _frame_features(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """Level (dBFS) and spectral flatness (0 to 1) of the voice band: shape (2, frames)."""
    import numpy as np

    size = int(rate_hz * FRAME_S)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    spectrum = np.fft.rfft(frames * np.hanning(size), axis=1)[:, (hz >= _BAND_HZ[0]) & (hz <= _BAND_HZ[1])]
    power = np.abs(spectrum) ** 2 + 1e-12
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    return np.stack([10 * np.log10(power.sum(axis=1) * 2 / size**2 + 1e-12), flatness])
