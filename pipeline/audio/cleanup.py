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
from pipeline.audio.probe import probe_file
from pipeline.model import CauserieError, CleanupOptions

HIGHPASS_HZ = 75  # second order: 20 Hz is attenuated by 23 dB, the lowest voices (from 85 Hz) lose half a decibel at most
EXCERPTS, EXCERPT_S = 8, 12.0  # analysed excerpts: enough to contain pauses of a conversation
MAX_RATE_HZ = 48_000  # nothing above 24 kHz is analysed
BLOCK_S = 0.1  # a pause between two sentences spans several blocks
QUIET_SHARE = 0.1  # share of the blocks that are pauses, at least

HUM_RATE_HZ = 4000  # harmonics above 1.2 kHz are not perceived as hum
HUM_WINDOW_S, HUM_STEP_S, HUM_PADDING = 2.0, 0.5, 4  # resolves lines 1 Hz apart, on a grid of 0.125 Hz
MAINS_HZ = (50.0, 60.0)
MAINS_DRIFT = 0.012  # relative, of tape recordings; less than the distance to the nearest note of the scale, which a drone may hold
HARMONICS = 20
NEIGHBOURHOOD_HZ, LINE_WIDTH_HZ = 15, 3  # the neighbourhood of a line extends this far, and excludes the line itself
MIN_LINE_DB = 10.0  # above its neighbourhood all the time: audible as a tone
MAX_DROP_IN_PAUSES_DB = 8.0  # a line that drops more than this in pauses belongs to a voice
MIN_POWER = 1e-14  # lowest power considered, the resolution of 24 bits
MIN_HARMONICS = 3  # harmonics that make a comb; two are enough if one is the mains frequency itself, which is below any voice

INAUDIBLE_DB = -75.0  # a noise floor below this is inaudible
DIGITAL_SILENCE_DB = -100.0  # quieter than any microphone
NOISE_SPREAD_DB = 8.0  # from the quietest moments of the noise to the usual ones
PAUSE_DB = 12.0  # a pause is at least this far below speech
BANDS_HZ = tuple(80 * 1.5**band for band in range(15))  # the bands of afftdn
MAX_BAND_OFFSET_DB = 24.0  # largest distance of a band from the mean of all bands
NOISE_FLOOR_MARGIN_DB, NOISE_REDUCTION_DB = 3.0, 12.0  # higher values cause watery artefacts
AFFTDN_LATENCY_S = 0.024998  # of afftdn: 25 ms rounded down to a sample; without padding the last samples would be lost

SIBILANCE_MIN_RATE_HZ = 16_000  # below this sample rate there is no sibilance
SIBILANCE_HZ, SIBILANCE_THRESHOLD_DB = 6500, -17.0  # centre frequency, and threshold relative to speech


FloatArray = NDArray[np.floating]


@dataclass(frozen=True)
class NoiseFindings:
    """What cleanup can remove from a recording; levels in dB full scale."""

    mains_hz: float | None = None  # as measured
    harmonics: tuple[int, ...] = ()  # multiples that stand out, 1 is the mains frequency itself
    noise_floor_db: float | None = None  # steady noise from 75 Hz up; None when there is none, or no pause to measure it in
    noise_bands_db: tuple[float, ...] = ()  # one level per band of `BANDS_HZ`: that of white noise with the same density
    speech_db: float | None = None  # level of speech; None when there is none, or its bandwidth is too low for sibilance


def needs_inspection(clean: CleanupOptions) -> bool:
    """Whether the filters depend on findings, so that the recording must be inspected."""
    return clean.hum or clean.noise or clean.deess


def cleanup_filters(clean: CleanupOptions, findings: NoiseFindings) -> list[str]:
    """Build the FFmpeg filters, in order, to be joined by commas. They keep the rate, channels, length and timing of the stream."""
    chain = [f"highpass=f={HIGHPASS_HZ}:r=f64"] if clean.highpass else []
    if clean.hum and findings.mains_hz is not None:
        chain += [notch_filter(multiple * findings.mains_hz) for multiple in findings.harmonics]
    if clean.noise and findings.noise_floor_db is not None:
        chain += denoise_filters(findings.noise_bands_db)
    if clean.deess and findings.speech_db is not None:
        chain.append(deess_filter(findings.speech_db))
    return chain


def describe_cleanup(clean: CleanupOptions, findings: NoiseFindings) -> list[str]:
    """Describe each enabled cleanup step in words, including those that found nothing to remove."""
    return [
        *([f"high-pass, {HIGHPASS_HZ} Hz"] if clean.highpass else []),
        *([_describe_hum(findings)] if clean.hum else []),
        *([_describe_noise(findings)] if clean.noise else []),
        *(["de-essing" if findings.speech_db is not None else "de-essing, nothing that hisses"] if clean.deess else []),
    ]


def inspect(path: Path, stream: int, rate_hz: int) -> NoiseFindings:
    """Inspect an audio stream (counted from 0) sampled at `rate_hz`; at most `EXCERPTS * EXCERPT_S` seconds of it are decoded."""
    rate_hz = min(rate_hz, MAX_RATE_HZ)
    return inspect_excerpts(_read_excerpts(path, stream, rate_hz), rate_hz)


def inspect_excerpts(excerpts: list[FloatArray], rate_hz: int) -> NoiseFindings:
    """Inspect excerpts of mono audio for hum, noise and the level of speech."""
    excerpts = [each[: len(each) - len(each) % round(BLOCK_S * rate_hz)] for each in excerpts]  # also a size for which FFTs are fast
    blocks = _split_blocks(excerpts, rate_hz)
    levels = _levels_db(blocks)
    loud_db = float(np.percentile(levels, 95)) if len(levels) else INAUDIBLE_DB
    if loud_db <= INAUDIBLE_DB:
        return NoiseFindings()
    mains_hz, harmonics = _find_hum([_downsample(each, rate_hz) for each in excerpts])
    lines_hz = [multiple * (mains_hz or 0.0) for multiple in harmonics]
    bands_db, floor_db = _noise_bands(blocks[_noise_only_blocks(levels)], lines_hz, rate_hz)
    noisy = INAUDIBLE_DB < floor_db < loud_db - PAUSE_DB
    speech = np.power(10, levels[levels > loud_db - 25] / 10)
    speech_db = round(float(10 * np.log10(speech.mean())), 1) if rate_hz >= SIBILANCE_MIN_RATE_HZ else None
    return NoiseFindings(mains_hz, harmonics, round(floor_db, 1) if noisy else None, bands_db if noisy else (), speech_db)


def notch_filter(frequency_hz: float) -> str:
    """Narrow enough not to affect a voice, wider at high harmonics, which drift further. Single precision is too coarse for it."""
    return f"bandreject=f={frequency_hz:.3f}:t=h:w={2 + frequency_hz / 250:.2f}:r=f64"


def denoise_filters(bands_db: tuple[float, ...]) -> list[str]:
    """Spectral subtraction of the measured noise. Padding flushes the last samples of afftdn, trimming compensates its latency."""
    mean_db = sum(bands_db) / len(bands_db)  # afftdn subtracts it from the bands: only `nf` sets the level
    bands = "|".join(f"{max(-MAX_BAND_OFFSET_DB, min(MAX_BAND_OFFSET_DB, band - mean_db)):.1f}" for band in bands_db)
    floor_db = max(-80.0, min(-20.0, mean_db + NOISE_FLOOR_MARGIN_DB))
    subtract = f"afftdn=nr={NOISE_REDUCTION_DB:g}:nf={floor_db:.1f}:nt=c:bn={bands}"
    return [f"apad=pad_dur={AFFTDN_LATENCY_S}", subtract, "asetpts=N/SR/TB", f"atrim=start={AFFTDN_LATENCY_S}", "asetpts=PTS-STARTPTS"]


def deess_filter(speech_db: float) -> str:
    """A bell filter that attenuates while its band is loud. FFmpeg's own `deesser` does nothing, or removes 20 dB everywhere."""
    threshold = 10 ** ((speech_db + SIBILANCE_THRESHOLD_DB) / 20)
    detection = f"threshold={threshold:.6f}:dfrequency={SIBILANCE_HZ}:dqfactor=3:attack=2:release=25"
    return f"adynamicequalizer={detection}:tfrequency={SIBILANCE_HZ + 300}:tqfactor=1:ratio=8:range=10:mode=cutabove:auto=disabled"


def _describe_hum(findings: NoiseFindings) -> str:
    if findings.mains_hz is None:
        return "hum, none found"
    above = sum(multiple > 1 for multiple in findings.harmonics)
    harmonics = f"{above} harmonic{'s' if above > 1 else ''}"
    if 1 not in findings.harmonics:
        return f"hum, {harmonics} of {findings.mains_hz:.0f} Hz"
    return f"hum, {findings.mains_hz:.0f} Hz" + (f" and {harmonics}" if above else "")


def _describe_noise(findings: NoiseFindings) -> str:
    return "noise, none found" if findings.noise_floor_db is None else f"noise, floor {findings.noise_floor_db:.0f} dB".replace("-", "−")


def _read_excerpts(path: Path, stream: int, rate_hz: int) -> list[FloatArray]:
    """Decode mono excerpts spread over the file: all of it when it is short, its beginning when its duration is unknown."""
    duration_s = probe_file(path, as_it_is=True).duration_s
    if duration_s is None or duration_s <= EXCERPTS * EXCERPT_S:
        size, samples = round(EXCERPT_S * rate_hz), _decode_excerpt(path, stream, rate_hz, 0.0, EXCERPTS * EXCERPT_S)
        return [samples[at : at + size] for at in range(0, len(samples), size)]
    starts_s = np.linspace(0, duration_s - EXCERPT_S, EXCERPTS)
    return [_decode_excerpt(path, stream, rate_hz, float(start_s), EXCERPT_S) for start_s in starts_s]


def _decode_excerpt(path: Path, stream: int, rate_hz: int, start_s: float, length_s: float) -> FloatArray:
    """Decode an excerpt of a file; empty when that fails, because the full pass over the file reports the error better."""
    samples = bytearray()
    output = ["-map", f"0:a:{stream}", "-t", f"{length_s}", "-ac", "1", "-ar", f"{rate_hz}", "-f", "f32le", "pipe:1"]
    seek = ["-ss", f"{start_s:.3f}"] if start_s else []
    try:
        ffmpeg.read_output([*seek, *ffmpeg.input_arguments(path), *output], samples.extend)
    except CauserieError:
        samples.clear()
    return np.nan_to_num(np.frombuffer(samples, np.float32), posinf=0.0, neginf=0.0)


def _split_blocks(excerpts: list[FloatArray], rate_hz: int) -> FloatArray:
    """Split excerpts into rows of `BLOCK_S`; incomplete blocks are dropped."""
    size = round(BLOCK_S * rate_hz)
    return np.concatenate([np.zeros((0, size), np.float32), *(each[: len(each) // size * size].reshape(-1, size) for each in excerpts)])


def _levels_db(blocks: FloatArray) -> FloatArray:
    levels_db: FloatArray = 10 * np.log10(np.mean(np.square(blocks), axis=1) + 1e-12)
    return levels_db


def _quiet_blocks(levels_db: FloatArray) -> NDArray[np.bool_]:
    """Mark the quietest blocks, which are the pauses if there are any."""
    return levels_db <= np.percentile(levels_db, 100 * QUIET_SHARE)


def _noise_only_blocks(levels_db: FloatArray) -> NDArray[np.bool_]:
    """Mark pauses that hold only the background: digital silence comes from editing, and soft syllables are not noise."""
    audible_db = levels_db[levels_db > DIGITAL_SILENCE_DB]
    lowest_db, pause_db = np.percentile(audible_db, (1, 100 * QUIET_SHARE)) if audible_db.size else (0.0, 0.0)
    return (levels_db > DIGITAL_SILENCE_DB) & (levels_db <= min(pause_db, lowest_db + NOISE_SPREAD_DB))


def _noise_bands(quiet_blocks: FloatArray, lines_hz: list[float], rate_hz: int) -> tuple[tuple[float, ...], float]:
    """Return the level of each band in the quiet blocks without hum, and the level of all bands together, dB."""
    density, frequencies_hz = _power_density(quiet_blocks, rate_hz)
    is_free = np.ones(len(frequencies_hz), bool)
    for line_hz in lines_hz:
        is_free &= np.abs(frequencies_hz - line_hz) > 1.5 / BLOCK_S
    edges_hz = np.minimum(BANDS_HZ[0] * 1.5 ** (np.arange(len(BANDS_HZ) + 1) - 0.5), rate_hz / 2)
    band_bins = [is_free & (frequencies_hz >= low) & (frequencies_hz < high) for low, high in pairwise(edges_hz)]
    known_bands = [i for i, each in enumerate(band_bins) if each.any()]
    band_density = np.interp(np.arange(len(BANDS_HZ)), known_bands, [density[band_bins[i]].mean() for i in known_bands])
    bands_db = 10 * np.log10(band_density * rate_hz / 2 + 1e-12)
    middle_db = np.median(bands_db)
    clipped_db = np.clip(bands_db, middle_db - MAX_BAND_OFFSET_DB, middle_db + MAX_BAND_OFFSET_DB)
    return tuple(round(float(band), 1) for band in clipped_db), float(10 * np.log10(band_density @ np.diff(edges_hz) + 1e-12))


def _power_density(blocks: FloatArray, rate_hz: int) -> tuple[FloatArray, FloatArray]:
    """Return the power per hertz, and the frequencies of its bins."""
    window = np.hanning(blocks.shape[1])
    powers = np.mean([np.abs(np.fft.rfft(each * window)) ** 2 for each in blocks], axis=0)
    return 2 * powers / np.square(window).sum() / rate_hz, np.fft.rfftfreq(blocks.shape[1], 1 / rate_hz)


def _find_hum(excerpts: list[FloatArray]) -> tuple[float | None, tuple[int, ...]]:
    """Return the mains frequency and its persistent harmonics; None and no harmonics when they do not form a comb."""
    persistent = _persistent_power(excerpts)
    prominence_db = _line_prominence_db(persistent)
    candidates = np.concatenate([mains_hz * (1 + np.arange(-MAINS_DRIFT, MAINS_DRIFT, 0.0002)) for mains_hz in MAINS_HZ])
    scores = np.clip(prominence_db[_harmonic_bins(candidates)[:, :10]] - MIN_LINE_DB / 2, 0, 30).sum(axis=1)
    best_hz = float(candidates[scores >= scores.max() - 1e-9].mean())
    lines = [(k, bin) for k, bin in enumerate(_harmonic_bins(best_hz), 1) if prominence_db[bin] >= MIN_LINE_DB]
    harmonics = tuple(k for k, place in lines if _is_constant(excerpts, k * best_hz, float(persistent[place - 1 : place + 2].max())))
    enough = len(harmonics) >= MIN_HARMONICS or (1 in harmonics and len(harmonics) >= 2)
    return (round(_fundamental(persistent, best_hz, harmonics), 2), harmonics) if enough else (None, ())


def _fundamental(persistent: FloatArray, mains_hz: float, harmonics: tuple[int, ...]) -> float:
    """Return the frequency whose multiples best fit the peaks of the lines, each interpolated from three bins of the spectrum."""
    multiples = np.array(harmonics)
    bins = _harmonic_bins(mains_hz)[multiples - 1][:, None] + np.arange(-2, 3)
    tops = bins[np.arange(len(bins)), persistent[bins].argmax(axis=1)]
    left, top, right = (np.log(persistent[tops + shift] + MIN_POWER) for shift in (-1, 0, 1))
    lines_hz = (tops + (left - right) / (2 * (left - 2 * top + right))) / (HUM_WINDOW_S * HUM_PADDING)
    return float(multiples @ lines_hz / (multiples @ multiples))


def _downsample(samples: FloatArray, rate_hz: int) -> FloatArray:
    """Resample to `HUM_RATE_HZ`, band-limited."""
    size = len(samples) * HUM_RATE_HZ // rate_hz
    return np.fft.irfft(np.fft.rfft(samples)[: size // 2 + 1], size) * (size / len(samples)) if size else np.zeros(0)


def _persistent_power(excerpts: list[FloatArray]) -> FloatArray:
    """Return the power that is present nearly all the time, per frequency bin; a moving voice leaves almost nothing."""
    size, step = round(HUM_WINDOW_S * HUM_RATE_HZ), round(HUM_STEP_S * HUM_RATE_HZ)
    window = np.hanning(size)
    windows = [each[at : at + size] * window for each in excerpts for at in range(0, len(each) - size + 1, step)]
    bins = round(HARMONICS * MAINS_HZ[-1] * (1 + MAINS_DRIFT) + NEIGHBOURHOOD_HZ) * HUM_PADDING * round(HUM_WINDOW_S)
    if not windows:
        return np.zeros(bins)
    powers = [np.abs(np.fft.rfft(each, size * HUM_PADDING)[:bins]).astype(np.float32) ** 2 for each in windows]
    persistent: FloatArray = np.percentile(np.array(powers), 15, axis=0)
    sine_power = float(window.sum() / 2) ** 2  # of a sine with amplitude 1
    return persistent / sine_power


def _line_prominence_db(persistent: FloatArray) -> FloatArray:
    """Return by how many dB each bin, if it is the peak of a line, rises above its neighbourhood; 0 when it is not a peak."""
    grid = round(HUM_WINDOW_S * HUM_PADDING)  # bins per hertz
    far, near = NEIGHBOURHOOD_HZ * grid, LINE_WIDTH_HZ * grid
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(persistent, far, mode="reflect"), 2 * far + 1)[::grid]
    surroundings = np.concatenate([windows[:, : far - near], windows[:, far + near + 1 :]], axis=1)
    floor = np.repeat(np.median(surroundings, axis=1), grid)[: len(persistent)]
    top, neighbourhood_max = (
        np.lib.stride_tricks.sliding_window_view(np.pad(persistent, near), 2 * near + 1).max(axis=1) for near in (1, grid // 2)
    )
    return np.where(top >= neighbourhood_max, 10 * np.log10((top + MIN_POWER) / (floor + MIN_POWER)), 0.0)


def _harmonic_bins(mains_hz: FloatArray | float) -> NDArray[np.int64]:
    """Return the bins of the multiples of `mains_hz` in a spectrum from `_persistent_power`."""
    return np.rint(np.multiply.outer(mains_hz, np.arange(1, HARMONICS + 1)) * HUM_WINDOW_S * HUM_PADDING).astype(np.int64)


def _is_constant(excerpts: list[FloatArray], line_hz: float, power: float) -> bool:
    """Whether a line is as strong in the quietest blocks as everywhere else."""
    blocks = _split_blocks(excerpts, HUM_RATE_HZ)
    window = np.hanning(blocks.shape[1])
    wave = np.exp(-2j * np.pi * line_hz * np.arange(len(window)) / HUM_RATE_HZ) * window / (window.sum() / 2)
    quiet_powers = np.abs(blocks[_quiet_blocks(_levels_db(blocks))] @ wave) ** 2
    return bool(np.median(quiet_powers) > power * 10 ** (-MAX_DROP_IN_PAUSES_DB / 10))
