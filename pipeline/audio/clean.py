"""Cleanup: detect hum, noise and sibilance in a recording, and build the FFmpeg filters that remove them. No filter shifts the audio.

Hum and noise are what remains when no one speaks. Both are estimated from the quiet moments of excerpts spread over the file, so that
a steady low voice is not mistaken for mains hum.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import ffmpeg
from pipeline.audio.probe import probe
from pipeline.errors import CauserieError
from pipeline.sound_model import Clean

HIGHPASS_HZ = 75  # second order: 20 Hz is attenuated by 23 dB, the lowest voices (from 85 Hz) lose half a decibel at most
STRETCHES, STRETCH_S = 8, 12.0  # analysed excerpts: enough to contain pauses of a conversation
TOP_RATE_HZ = 48_000  # nothing above 24 kHz is analysed
BLOCK_S = 0.1  # a pause between two sentences spans several blocks
QUIETEST = 0.1  # share of the blocks that are pauses, at least

HUM_RATE_HZ = 4000  # harmonics above 1.2 kHz are not perceived as hum
HUM_WINDOW_S, HUM_STEP_S, HUM_PADDING = 2.0, 0.5, 4  # resolves lines 1 Hz apart, on a grid of 0.125 Hz
MAINS_HZ = (50.0, 60.0)
DRIFT = 0.012  # relative, of tape recordings; less than the distance to the nearest note of the scale, which a drone may hold
HARMONICS = 20
AROUND_HZ, BESIDE_HZ = 15, 3  # the neighbourhood of a line extends this far, and excludes the line itself
LINE_DB = 10.0  # above its neighbourhood all the time: audible as a tone
FALL_DB = 8.0  # a line that drops more than this in pauses belongs to a voice
LEAST = 1e-14  # lowest power considered, the resolution of 24 bits
LINES = 3  # harmonics that make a comb; two are enough if one is the mains frequency itself, which is below any voice

SILENT_DB = -75.0  # a noise floor below this is inaudible
DIGITAL_DB = -100.0  # quieter than any microphone
NOISE_MOVES_DB = 8.0  # from the quietest moments of the noise to the usual ones
PAUSE_DB = 12.0  # a pause is at least this far below speech
BANDS_HZ = tuple(80 * 1.5**band for band in range(15))  # the bands of afftdn
BAND_DB = 24.0  # largest distance of a band from the mean of all bands
NOISE_OVER_DB, NOISE_CUT_DB = 3.0, 12.0  # higher values cause watery artefacts
LATENCY_S = 0.024998  # of afftdn: 25 ms rounded down to a sample; without padding the last samples would be lost

ESS_RATE_HZ = 16_000  # below this sample rate there is no sibilance
ESS_HZ, ESS_UNDER_DB = 6500, -17.0  # centre frequency, and threshold relative to speech


Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Found:
    """What cleanup can remove from a recording; levels in dB full scale."""

    mains_hz: float | None = None  # as measured
    harmonics: tuple[int, ...] = ()  # multiples that stand out, 1 is the mains frequency itself
    noise_floor_db: float | None = None  # steady noise from 75 Hz up; None when there is none, or no pause to measure it in
    noise_bands_db: tuple[float, ...] = ()  # one level per band of `BANDS_HZ`: that of white noise with the same density
    speech_db: float | None = None  # level of speech; None when there is none, or its bandwidth is too low for sibilance


def must_look(clean: Clean) -> bool:
    """Whether the filters depend on findings, so that the recording must be inspected."""
    return clean.hum or clean.noise or clean.deess


def filters(clean: Clean, found: Found) -> list[str]:
    """Build the FFmpeg filters, in order, to be joined by commas. They keep the rate, channels, length and timing of the stream."""
    chain = [f"highpass=f={HIGHPASS_HZ}:r=f64"] if clean.highpass else []
    if clean.hum and found.mains_hz is not None:
        chain += [_notch(multiple * found.mains_hz) for multiple in found.harmonics]
    if clean.noise and found.noise_floor_db is not None:
        chain += _denoise(found.noise_bands_db)
    if clean.deess and found.speech_db is not None:
        chain.append(_deess(found.speech_db))
    return chain


def described(clean: Clean, found: Found) -> list[str]:
    """Describe each enabled cleanup step in words, including those that found nothing to remove."""
    return [
        *([f"high-pass, {HIGHPASS_HZ} Hz"] if clean.highpass else []),
        *([_hum_in_words(found)] if clean.hum else []),
        *([_noise_in_words(found)] if clean.noise else []),
        *(["de-essing" if found.speech_db is not None else "de-essing, nothing that hisses"] if clean.deess else []),
    ]


def look(path: Path, stream: int, rate_hz: int) -> Found:
    """Inspect an audio stream (counted from 0) sampled at `rate_hz`; at most `EXCERPTS * EXCERPT_S` seconds of it are decoded."""
    rate_hz = min(rate_hz, TOP_RATE_HZ)
    return found_in(_stretches(path, stream, rate_hz), rate_hz)


def found_in(stretches: list[Floats], rate_hz: int) -> Found:
    """Inspect excerpts of mono audio for hum, noise and the level of speech."""
    stretches = [each[: len(each) - len(each) % round(BLOCK_S * rate_hz)] for each in stretches]  # also a size for which FFTs are fast
    blocks = _blocks(stretches, rate_hz)
    levels = _levels_db(blocks)
    loud_db = float(np.percentile(levels, 95)) if len(levels) else SILENT_DB
    if loud_db <= SILENT_DB:
        return Found()
    mains_hz, harmonics = _hum([_slowed(each, rate_hz) for each in stretches])
    lines_hz = [multiple * (mains_hz or 0.0) for multiple in harmonics]
    bands_db, floor_db = _noise(blocks[_steady(levels)], lines_hz, rate_hz)
    noisy = SILENT_DB < floor_db < loud_db - PAUSE_DB
    speech = np.power(10, levels[levels > loud_db - 25] / 10)
    speech_db = round(float(10 * np.log10(speech.mean())), 1) if rate_hz >= ESS_RATE_HZ else None
    return Found(mains_hz, harmonics, round(floor_db, 1) if noisy else None, bands_db if noisy else (), speech_db)


def _notch(frequency_hz: float) -> str:
    """Narrow enough not to affect a voice, wider at high harmonics, which drift further. Single precision is too coarse for it."""
    return f"bandreject=f={frequency_hz:.3f}:t=h:w={2 + frequency_hz / 250:.2f}:r=f64"


def _denoise(bands_db: tuple[float, ...]) -> list[str]:
    """Spectral subtraction of the measured noise. Padding flushes the last samples of afftdn, trimming compensates its latency."""
    mean_db = sum(bands_db) / len(bands_db)  # afftdn subtracts it from the bands: only `nf` sets the level
    bands = "|".join(f"{max(-BAND_DB, min(BAND_DB, band - mean_db)):.1f}" for band in bands_db)
    floor_db = max(-80.0, min(-20.0, mean_db + NOISE_OVER_DB))
    subtract = f"afftdn=nr={NOISE_CUT_DB:g}:nf={floor_db:.1f}:nt=c:bn={bands}"
    return [f"apad=pad_dur={LATENCY_S}", subtract, "asetpts=N/SR/TB", f"atrim=start={LATENCY_S}", "asetpts=PTS-STARTPTS"]


def _deess(speech_db: float) -> str:
    """A bell filter that attenuates while its band is loud. FFmpeg's own `deesser` does nothing, or removes 20 dB everywhere."""
    threshold = 10 ** ((speech_db + ESS_UNDER_DB) / 20)
    hear = f"threshold={threshold:.6f}:dfrequency={ESS_HZ}:dqfactor=3:attack=2:release=25"
    return f"adynamicequalizer={hear}:tfrequency={ESS_HZ + 300}:tqfactor=1:ratio=8:range=10:mode=cutabove:auto=disabled"


def _hum_in_words(found: Found) -> str:
    if found.mains_hz is None:
        return "hum, none found"
    above = sum(multiple > 1 for multiple in found.harmonics)
    harmonics = f"{above} harmonic{'s' if above > 1 else ''}"
    if 1 not in found.harmonics:
        return f"hum, {harmonics} of {found.mains_hz:.0f} Hz"
    return f"hum, {found.mains_hz:.0f} Hz" + (f" and {harmonics}" if above else "")


def _noise_in_words(found: Found) -> str:
    return "noise, none found" if found.noise_floor_db is None else f"noise, floor {found.noise_floor_db:.0f} dB".replace("-", "−")


def _stretches(path: Path, stream: int, rate_hz: int) -> list[Floats]:
    """Decode mono excerpts spread over the file: all of it when it is short, its beginning when its duration is unknown."""
    duration_s = probe(path).duration_s
    if duration_s is None or duration_s <= STRETCHES * STRETCH_S:
        size, whole = round(STRETCH_S * rate_hz), _decoded(path, stream, rate_hz, 0.0, STRETCHES * STRETCH_S)
        return [whole[at : at + size] for at in range(0, len(whole), size)]
    starts_s = np.linspace(0, duration_s - STRETCH_S, STRETCHES)
    return [_decoded(path, stream, rate_hz, float(start_s), STRETCH_S) for start_s in starts_s]


def _decoded(path: Path, stream: int, rate_hz: int, start_s: float, length_s: float) -> Floats:
    """Decode an excerpt of a file; empty when that fails, because the full pass over the file reports the error better."""
    samples = bytearray()
    plain = ["-map", f"0:a:{stream}", "-t", f"{length_s}", "-ac", "1", "-ar", f"{rate_hz}", "-f", "f32le", "pipe:1"]
    seek = ["-ss", f"{start_s:.3f}"] if start_s else []
    try:
        ffmpeg.pipe([*seek, *ffmpeg.source(path), *plain], samples.extend)
    except CauserieError:
        samples.clear()
    return np.nan_to_num(np.frombuffer(samples, np.float32), posinf=0.0, neginf=0.0)


def _blocks(stretches: list[Floats], rate_hz: int) -> Floats:
    """Split excerpts into rows of `BLOCK_S`; incomplete blocks are dropped."""
    size = round(BLOCK_S * rate_hz)
    return np.concatenate([np.zeros((0, size), np.float32), *(each[: len(each) // size * size].reshape(-1, size) for each in stretches)])


def _levels_db(blocks: Floats) -> Floats:
    levels_db: Floats = 10 * np.log10(np.mean(np.square(blocks), axis=1) + 1e-12)
    return levels_db


def _quiet(levels_db: Floats) -> NDArray[np.bool_]:
    """Mark the quietest blocks, which are the pauses if there are any."""
    return levels_db <= np.percentile(levels_db, 100 * QUIETEST)


def _steady(levels_db: Floats) -> NDArray[np.bool_]:
    """Mark pauses that hold only the background: digital silence comes from editing, and soft syllables are not noise."""
    heard = levels_db[levels_db > DIGITAL_DB]
    lowest_db, pause_db = np.percentile(heard, (1, 100 * QUIETEST)) if heard.size else (0.0, 0.0)
    return (levels_db > DIGITAL_DB) & (levels_db <= min(pause_db, lowest_db + NOISE_MOVES_DB))


def _noise(quiet: Floats, lines_hz: list[float], rate_hz: int) -> tuple[tuple[float, ...], float]:
    """Return the level of each band in the quiet blocks without hum, and the level of all bands together, dB."""
    density, at_hz = _density(quiet, rate_hz)
    free = np.ones(len(at_hz), bool)
    for line_hz in lines_hz:
        free &= np.abs(at_hz - line_hz) > 1.5 / BLOCK_S
    edges_hz = np.minimum(BANDS_HZ[0] * 1.5 ** (np.arange(len(BANDS_HZ) + 1) - 0.5), rate_hz / 2)
    inside = [free & (at_hz >= low) & (at_hz < high) for low, high in pairwise(edges_hz)]
    known = [i for i, each in enumerate(inside) if each.any()]
    found = np.interp(np.arange(len(BANDS_HZ)), known, [density[inside[i]].mean() for i in known])
    bands_db = 10 * np.log10(found * rate_hz / 2 + 1e-12)
    middle_db = np.median(bands_db)
    near = np.clip(bands_db, middle_db - BAND_DB, middle_db + BAND_DB)
    return tuple(round(float(band), 1) for band in near), float(10 * np.log10(found @ np.diff(edges_hz) + 1e-12))


def _density(blocks: Floats, rate_hz: int) -> tuple[Floats, Floats]:
    """Return the power per hertz, and the frequencies of its bins."""
    window = np.hanning(blocks.shape[1])
    powers = np.mean([np.abs(np.fft.rfft(each * window)) ** 2 for each in blocks], axis=0)
    return 2 * powers / np.square(window).sum() / rate_hz, np.fft.rfftfreq(blocks.shape[1], 1 / rate_hz)


def _hum(slow: list[Floats]) -> tuple[float | None, tuple[int, ...]]:
    """Return the mains frequency and its persistent harmonics; None and no harmonics when they do not form a comb."""
    always = _always(slow)
    out = _standing_out(always)
    candidates = np.concatenate([mains_hz * (1 + np.arange(-DRIFT, DRIFT, 0.0002)) for mains_hz in MAINS_HZ])
    scores = np.clip(out[_comb(candidates)[:, :10]] - LINE_DB / 2, 0, 30).sum(axis=1)
    best_hz = float(candidates[scores >= scores.max() - 1e-9].mean())
    lines = [(k, place) for k, place in enumerate(_comb(best_hz), 1) if out[place] >= LINE_DB]
    kept = tuple(k for k, place in lines if _stays(slow, k * best_hz, float(always[place - 1 : place + 2].max())))
    enough = len(kept) >= LINES or (1 in kept and len(kept) >= 2)
    return (round(_fundamental(always, best_hz, kept), 2), kept) if enough else (None, ())


def _fundamental(always: Floats, mains_hz: float, harmonics: tuple[int, ...]) -> float:
    """Return the frequency whose multiples best fit the peaks of the lines, each interpolated from three bins of the spectrum."""
    multiples = np.array(harmonics)
    near = _comb(mains_hz)[multiples - 1][:, None] + np.arange(-2, 3)
    tops = near[np.arange(len(near)), always[near].argmax(axis=1)]
    left, top, right = (np.log(always[tops + shift] + LEAST) for shift in (-1, 0, 1))
    lines_hz = (tops + (left - right) / (2 * (left - 2 * top + right))) / (HUM_WINDOW_S * HUM_PADDING)
    return float(multiples @ lines_hz / (multiples @ multiples))


def _slowed(sound: Floats, rate_hz: int) -> Floats:
    """Resample to `HUM_RATE_HZ`, band-limited."""
    size = len(sound) * HUM_RATE_HZ // rate_hz
    return np.fft.irfft(np.fft.rfft(sound)[: size // 2 + 1], size) * (size / len(sound)) if size else np.zeros(0)


def _always(stretches: list[Floats]) -> Floats:
    """Return the power that is present nearly all the time, per frequency bin; a moving voice leaves almost nothing."""
    size, step = round(HUM_WINDOW_S * HUM_RATE_HZ), round(HUM_STEP_S * HUM_RATE_HZ)
    window = np.hanning(size)
    windows = [each[at : at + size] * window for each in stretches for at in range(0, len(each) - size + 1, step)]
    top = round(HARMONICS * MAINS_HZ[-1] * (1 + DRIFT) + AROUND_HZ) * HUM_PADDING * round(HUM_WINDOW_S)
    if not windows:
        return np.zeros(top)
    powers = [np.abs(np.fft.rfft(each, size * HUM_PADDING)[:top]).astype(np.float32) ** 2 for each in windows]
    persistent: Floats = np.percentile(np.array(powers), 15, axis=0)
    sine_power = float(window.sum() / 2) ** 2  # of a sine with amplitude 1
    return persistent / sine_power


def _standing_out(always: Floats) -> Floats:
    """Return by how many dB each bin, if it is the peak of a line, rises above its neighbourhood; 0 when it is not a peak."""
    grid = round(HUM_WINDOW_S * HUM_PADDING)  # bins per hertz
    far, near = AROUND_HZ * grid, BESIDE_HZ * grid
    around = np.lib.stride_tricks.sliding_window_view(np.pad(always, far, mode="reflect"), 2 * far + 1)[::grid]
    sides = np.concatenate([around[:, : far - near], around[:, far + near + 1 :]], axis=1)
    floor = np.repeat(np.median(sides, axis=1), grid)[: len(always)]
    top, hill = (np.lib.stride_tricks.sliding_window_view(np.pad(always, near), 2 * near + 1).max(axis=1) for near in (1, grid // 2))
    return np.where(top >= hill, 10 * np.log10((top + LEAST) / (floor + LEAST)), 0.0)


def _comb(mains_hz: Floats | float) -> NDArray[np.int64]:
    """Return the bins of the multiples of `mains_hz` in a spectrum from `_persistent_power`."""
    return np.rint(np.multiply.outer(mains_hz, np.arange(1, HARMONICS + 1)) * HUM_WINDOW_S * HUM_PADDING).astype(np.int64)


def _stays(slow: list[Floats], line_hz: float, power: float) -> bool:
    """Whether a line is as strong in the quietest blocks as everywhere else."""
    blocks = _blocks(slow, HUM_RATE_HZ)
    window = np.hanning(blocks.shape[1])
    wave = np.exp(-2j * np.pi * line_hz * np.arange(len(window)) / HUM_RATE_HZ) * window / (window.sum() / 2)
    quiet = np.abs(blocks[_quiet(_levels_db(blocks))] @ wave) ** 2
    return bool(np.median(quiet) > power * 10 ** (-FALL_DB / 10))
