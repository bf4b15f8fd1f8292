"""Programmes for tests and benchmarks: voices at known loudness, room noise, music. Reproducible.

Voices are synthetic (a buzzing source, formants, syllables, words, breath groups) or cut from the sample show. Audio is mono float at
44.1 kHz unless noted otherwise; every generator also returns the ground truth.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from pipeline.audio.level_profile import HOPS_PER_S, MOMENTARY_PER_S, LevelMeter, LevelProfile

RATE_HZ = 44_100
ROOT = Path(__file__).parents[2]
# BS.1770-5, annex 1: the two filters of its K-weighting, as the poles and zeros FFmpeg and libebur128 compute them for this rate.
_K_SHELF = ((1.5308412300, -2.6509799950, 1.1690790799), (1.0, -1.6636551132, 0.7125954280))
_K_HIGHPASS = ((1.0, -2.0, 1.0), (1.0, -1.9891696736, 0.9891990357))
VOICES = (  # pitch in Hz, three formants in Hz
    (118.0, (620.0, 1180.0, 2480.0)),
    (205.0, (700.0, 1500.0, 2800.0)),
    (95.0, (520.0, 1050.0, 2300.0)),
)


@dataclass(frozen=True)
class VoiceSpan:
    """A time span in which one voice speaks: a number, or a name of the sample show."""

    start_s: float
    end_s: float
    who: int | str


def k_weighted(samples: np.ndarray) -> np.ndarray:
    """Apply the K-weighting of BS.1770, at 44.1 kHz."""
    return lfilter(*_K_HIGHPASS, lfilter(*_K_SHELF, samples, axis=0), axis=0)


def momentary_lufs(samples: np.ndarray) -> np.ndarray:
    """Return the loudness of the 400 ms that end at each tenth of a second; mono is measured as on two loudspeakers."""
    step = RATE_HZ // MOMENTARY_PER_S
    weighted = k_weighted(_columns(samples)) ** 2
    power = weighted.sum(axis=1) * 2 / weighted.shape[1]
    sums = np.concatenate([[0.0], np.cumsum(power)])
    ends = np.arange(step, len(samples) + 1, step)
    energy = (sums[ends] - sums[np.maximum(ends - 4 * step, 0)]) / (4 * step)
    return np.maximum(-0.691 + 10 * np.log10(np.maximum(energy, 1e-20)), -120).astype(np.float32)


def profile_of(samples: np.ndarray) -> LevelProfile:
    """Return the profile of these samples."""
    frames = _columns(np.asarray(samples, np.float32))
    profiler = LevelMeter(RATE_HZ, frames.shape[1])
    profiler.feed(frames)
    return profiler.profile(momentary_lufs(np.asarray(samples, float)))


def lufs(samples: np.ndarray) -> float:
    """Return integrated loudness."""
    return float(profile_of(samples).integrated_lufs)


def lufs_of(samples: np.ndarray, spans: Sequence[VoiceSpan]) -> dict[int | str, float]:
    """Return the integrated loudness of each voice, with its spans concatenated."""
    voices = dict.fromkeys(span.who for span in spans)
    return {who: lufs(np.concatenate([cut(samples, span) for span in spans if span.who == who])) for who in voices}


def cut(samples: np.ndarray, span: VoiceSpan) -> np.ndarray:
    """Return the samples of a span."""
    return samples[round(span.start_s * RATE_HZ) : round(span.end_s * RATE_HZ)]


def envelope(gains_db: np.ndarray, samples: int) -> np.ndarray:
    """Return the linear gain of each sample, interpolated from gains at hop edges."""
    edges = np.arange(len(gains_db)) * RATE_HZ / HOPS_PER_S
    return np.interp(np.arange(samples), edges, 10 ** (np.asarray(gains_db, float) / 20))


def at_lufs(samples: np.ndarray, loudness_lufs: float) -> np.ndarray:
    """Scale to a loudness."""
    return samples * 10 ** ((loudness_lufs - lufs(samples)) / 20)


def room(seconds: float, level_db: float = -60.0, *, seed: int = 0) -> np.ndarray:
    """Return low-pass room noise at this RMS level."""
    noise = lfilter([1.0], [1.0, -0.9], np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ)))
    return noise * (10 ** (level_db / 20) / np.sqrt(np.mean(noise**2)))


def music(seconds: float, level_lufs: float = -20.0, *, seed: int = 0, beat_s: float = 0.5) -> np.ndarray:
    """Return changing chords that ring, a bass, and a soft pulse."""
    rng, count = np.random.default_rng(seed), round(seconds * RATE_HZ)
    sound, note = np.zeros(count), round(beat_s * RATE_HZ)
    for index, first in enumerate(range(0, count, note)):
        length = min(4 * note, count - first)
        t = np.arange(length) / RATE_HZ
        root = 110.0 * 2 ** (rng.choice([0, 3, 5, 7]) / 12) * (1 if index % 2 else 2)
        tones = sum(np.sin(2 * np.pi * root * ratio * t + rng.uniform(0, 6)) / ratio for ratio in (1, 1.5, 2, 2.52, 3, 4))
        sound[first : first + length] += tones * np.exp(-t / 0.7) * np.minimum(t / 0.01, 1)
    pulse = lfilter([1.0], [1.0, -0.5], rng.standard_normal(count)) * np.exp(-(np.arange(count) % note) / RATE_HZ / 0.05)
    return at_lufs(sound + 0.3 * pulse, level_lufs)


def synthetic_voice(seconds: float, who: int = 0, *, seed: int = 0, level_lufs: float = -20.0) -> np.ndarray:
    """Return one synthetic voice: syllables of 120 to 260 ms, words, breath groups of about two seconds that differ by up to 4 dB."""
    rng, count = np.random.default_rng((seed, who)), round(seconds * RATE_HZ)
    pitch_hz, formants = VOICES[who % len(VOICES)]
    envelopes, pitches, hiss = np.zeros(count), np.full(count, pitch_hz), np.zeros(count)
    at, syllables = 0, 0
    loudness = rng.uniform(-2, 2)
    while at < count:
        length = min(round(rng.uniform(0.12, 0.26) * RATE_HZ), count - at)
        shape = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 0.7
        envelopes[at : at + length] = shape * 10 ** ((loudness + rng.normal(0, 2.5)) / 20)
        pitches[at : at + length] *= 1 + rng.normal(0, 0.06) + 0.08 * (np.arange(length) / length - 0.5)
        if rng.random() < 0.6:
            begun = min(length, round(0.07 * RATE_HZ))
            hiss[at : at + begun] += np.hanning(begun) * 10 ** ((loudness - 6) / 20)
        at, syllables = at + length, syllables + 1
        if rng.random() < 0.4:
            at += round(rng.uniform(0.02, 0.07) * RATE_HZ)  # between words
        if syllables > 8 and rng.random() < 0.25 and count - at > 0.9 * RATE_HZ:
            at, syllables, loudness = at + round(rng.uniform(0.12, 0.35) * RATE_HZ), 0, rng.uniform(-2, 2)  # a breath
    buzz = np.diff(np.mod(np.cumsum(pitches) / RATE_HZ, 1.0), prepend=0.0)
    voiced = sum(_formant(buzz, hz) / (1 + index) for index, hz in enumerate(formants)) * envelopes
    voiced /= np.sqrt(np.mean(voiced**2))
    sharp = sosfilt(butter(2, 3500, "highpass", fs=RATE_HZ, output="sos"), rng.standard_normal(count)) * hiss
    return at_lufs(voiced + 0.25 * sharp / max(np.sqrt(np.mean(sharp**2)), 1e-9), level_lufs)


def separate_tracks(
    seconds: float,
    apart_lu: float | Sequence[float] = 14.0,
    pause_s: float | tuple[float, float] = (0.3, 3.0),
    noise_db: float = -60.0,
    seed: int = 0,
    *,
    turn_s: tuple[float, float] = (2.0, 20.0),
    level_lufs: float = -18.0,
) -> tuple[np.ndarray, list[VoiceSpan]]:
    """Return synthetic voices taking turns, `apart_lu` below the first (one value, or one per voice), with room noise; pauses may be 0."""
    rng = np.random.default_rng((seed, 77))
    under = [0.0, *apart_lu] if isinstance(apart_lu, Sequence) else [0.0, apart_lu]
    pauses = pause_s if isinstance(pause_s, tuple) else (pause_s, pause_s)
    parts: list[tuple[np.ndarray, int]] = []
    total, turn = 0.0, 0
    while total < seconds:
        length, who = rng.uniform(*turn_s), turn % len(under)
        parts.append((synthetic_voice(length, who, seed=seed * 1000 + turn, level_lufs=level_lufs - under[who]), who))
        total, turn = total + length + sum(pauses) / 2, turn + 1
    return join_with_pauses(parts, lambda: rng.uniform(*pauses), noise_db, seed)


def join_with_pauses(
    parts: Sequence[tuple[np.ndarray, int | str]], pause_s, noise_db: float, seed: int = 0
) -> tuple[np.ndarray, list[VoiceSpan]]:
    """Join turns with `pause_s()` of room noise before, between and after; a turn without a voice (`""`) is in no span."""
    pieces, spans, at = [np.zeros(round(0.5 * RATE_HZ))], [], round(0.5 * RATE_HZ)
    for sound, who in parts:
        spans += [VoiceSpan(at / RATE_HZ, (at + len(sound)) / RATE_HZ, who)] if who != "" else []
        pieces += [sound, np.zeros(round(pause_s() * RATE_HZ))]
        at += len(sound) + len(pieces[-1])
    programme = np.concatenate([*pieces, np.zeros(round(0.5 * RATE_HZ))])
    return programme + room(len(programme) / RATE_HZ, noise_db, seed=seed)[: len(programme)], spans


def interview(
    seconds: float, bleed_db: float = -20.0, noise_db: float = -60.0, seed: int = 0, *, voices: int = 2, overlap: float = 0.1
) -> tuple[list[np.ndarray], list[VoiceSpan]]:
    """Return one track per voice with the others at `bleed_db` and 3 to 8 ms late, and room noise; some turns overlap."""
    rng, count = np.random.default_rng((seed, 78)), round(seconds * RATE_HZ)
    own, spans, at, turn = [np.zeros(count) for _ in range(voices)], [], 0.5, 0
    while at < seconds - 3:
        length, who = min(rng.uniform(2, 12), seconds - 0.5 - at), turn % voices
        sound = synthetic_voice(length, who, seed=seed * 1000 + turn)
        own[who][round(at * RATE_HZ) :][: len(sound)] += sound
        spans.append(VoiceSpan(at, at + len(sound) / RATE_HZ, who))
        at += length + (-1.0 if rng.random() < overlap else rng.uniform(0.2, 1.2))
        turn += 1
    spill = 10 ** (bleed_db / 20)
    late = [round(RATE_HZ * rng.uniform(0.003, 0.008)) for _ in own]
    tracks = []
    for me in range(voices):
        others = sum(np.concatenate([np.zeros(late[i]), each[: count - late[i]]]) for i, each in enumerate(own) if i != me)
        tracks.append(own[me] + spill * others + room(seconds, noise_db, seed=seed + me)[:count])
    return tracks, spans


@functools.cache
def sample_lines(slug: str, file: str) -> tuple[tuple[str, np.ndarray], ...]:
    """Return (voice, audio) of every line of a raw recording of the sample show that libsndfile can read, mono, at 44.1 kHz."""
    import soundfile
    from scipy.signal import resample_poly

    sound, rate_hz = soundfile.read(ROOT / "episodes" / slug / file, always_2d=True)
    mono = resample_poly(sound.mean(axis=1), RATE_HZ // 100, rate_hz // 100)
    lines = json.loads((ROOT / "tests/data/sample_truth" / f"{slug}.json").read_text(encoding="utf-8"))
    return tuple((each["voice"], cut(mono, VoiceSpan(each["start_s"], each["end_s"], ""))) for each in lines)


def sample_turns(slug: str = "01-la-file-d-attente", file: str = "prise-unique.flac") -> list[tuple[str, np.ndarray]]:
    """Return the consecutive lines of each voice, joined with a third of a second between them, all at −20 LUFS."""
    turns: list[tuple[str, list[np.ndarray]]] = []
    for who, sound in sample_lines(slug, file):
        if not turns or turns[-1][0] != who:
            turns.append((who, []))
        turns[-1][1].extend([sound, np.zeros(RATE_HZ // 3)])
    return [(who, at_lufs(np.concatenate(sounds[:-1]), -20.0)) for who, sounds in turns]


def _columns(samples: np.ndarray) -> np.ndarray:
    """Return samples with shape (samples, channels)."""
    return samples if samples.ndim == 2 else samples[:, None]


def _formant(source: np.ndarray, hz: float) -> np.ndarray:
    """Apply a resonance 90 Hz wide."""
    radius = np.exp(-np.pi * 90 / RATE_HZ)
    return lfilter([1 - radius], [1.0, -2 * radius * np.cos(2 * np.pi * hz / RATE_HZ), radius**2], source)
