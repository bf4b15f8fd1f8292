"""The master becomes what listeners download: one linear gain, a limiter only where it is needed, and proof on the encoded file.

The gain is decided on the master's profile, so encoding is one pass; a long MP3 is made in parts side by side, then joined frame by
frame. Encoding moves peaks and can move loudness: the encoded file is measured, and mended when it misses.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio import mp3
from pipeline.audio.measure import Loudness, heard, loudness
from pipeline.audio.parts import Bar, Codec, Source, Span, Workshop, pour
from pipeline.audio.probe import probe
from pipeline.errors import CauserieError
from pipeline.files import read_json, write_json

if TYPE_CHECKING:
    from pipeline.audio.limiter import Level
    from pipeline.audio.profile import Floats, Profile

TOLERANCE_LU = 0.2  # within it nothing is mended; other meters say the same to 0.1
ALLOWED_LU = 0.5  # beyond it, after all attempts, nothing is published
ATTEMPTS = 3
METERS_DB = 0.05  # other true-peak meters and decoders read up to so much higher; the proof leaves them room
_FADE_S = 0.005  # at the edges of a clip: a cut wave clicks
_CANCELLED_LU = 6.0  # a mono mix so far under its stereo: the channels are each other's opposite


def encode(
    master: Path, levels: Path, *, audio: Path, report: Path, curve: Path, target_lufs: float, ceiling_dbtp: float, kbps: int
) -> None:
    """Write the MP3 (constant bit rate, an Info header, no tags), what it measures, and its profile ("published") as `curve`.

    `CauserieError` with the figures when no attempt comes within 0.5 LU of `target_lufs` under `ceiling_dbtp`.
    """
    from pipeline.audio.limiter import limited_s
    from pipeline.audio.profile import save

    source = _source(master, levels)
    level, published, attempts = _reach(source, audio, _lame(kbps), target_lufs, ceiling_dbtp)
    save(curve, published=published)
    acted_s = limited_s(source.profile, level)
    done = {
        "gain_db": level.gain_db,
        "limit_dbtp": level.limit_dbtp if acted_s else None,
        "limited": bool(acted_s),
        "limited_s": round(acted_s, 3),
        "softer": level.softer,
        "attempts": attempts,
    }
    write_json(report, {**asdict(loudness(audio, published)), **done, "target_lufs": target_lufs, "ceiling_dbtp": ceiling_dbtp})


def encode_m4a(master: Path, levels: Path, *, audio: Path, target_lufs: float, ceiling_dbtp: float, kbps: int) -> None:
    """Write AAC-LC in M4A, playable before all of it is there; no tags."""
    aac = ("-c:a", "aac", "-b:a", f"{kbps}k", "-movflags", "+faststart", "-f", "ipod")
    _reach(_source(master, levels), audio, Codec(aac, margin_db=1.0), target_lufs, ceiling_dbtp)


def encode_light(master: Path, levels: Path, *, audio: Path, target_lufs: float, ceiling_dbtp: float, kbps: int) -> None:
    """Write the light version: mono Opus at 48 kHz, tuned for speech, as loud as the other as it is heard; no tags."""
    opus = ("-c:a", "libopus", "-b:a", f"{kbps}k", "-vbr", "on", "-application", "voip", "-f", "ogg")
    _reach(_mono(_source(master, levels)), audio, Codec(opus, margin_db=1.5), target_lufs, ceiling_dbtp)


def cut(master: Path, levels: Path, report: Path, *, clip: Path, start_s: float, end_s: float, kbps: int) -> None:
    """Write [`start_s`, `end_s`) as a small MP3 that sounds as published: the same gains, to the sample, edges faded over 5 ms."""
    import numpy as np

    from pipeline.audio.limiter import Level, apply, gains

    source, said, codec = _source(master, levels), read_json(report), _lame(kbps)
    rate_hz = source.profile.rate_hz
    first = round(start_s * rate_hz)
    span = Span(first, min(first + round((end_s - start_s) * rate_hz), source.profile.samples))
    if span.first >= span.end:
        raise CauserieError(f"has nothing from {start_s:g} s to {end_s:g} s", str(master), "correct the times of the passage")
    limit_dbtp = np.inf if said["limit_dbtp"] is None else said["limit_dbtp"]
    edges = gains(source.profile, Level(said["gain_db"], limit_dbtp, tuple(map(tuple, said["softer"])))) / codec.scale

    def shaped(frames: Floats, at: int) -> Floats:
        there = np.arange(at, at + len(frames))
        fade = np.minimum(np.minimum(there - span.first + 0.5, span.end - there - 0.5) / (_FADE_S * rate_hz), 1)
        return apply(frames, at, edges, rate_hz) * fade.astype(np.float32)[:, None]

    with tempfile.TemporaryDirectory(dir=clip.parent, prefix=".clip.") as folder:
        frames = Path(folder) / "frames"
        pour(source, span, shaped, codec, frames)
        mp3.write(clip, [frames.read_bytes()], span.end - span.first)


def reached(after: Loudness, target_lufs: float, ceiling_dbtp: float, tolerance_lu: float = TOLERANCE_LU) -> bool:
    """Whether an encoded file is what was asked for."""
    return abs(after.integrated_lufs - target_lufs) <= tolerance_lu and after.true_peak_dbtp <= ceiling_dbtp


def _lame(kbps: int) -> Codec:
    """Constant bit rate: players seek in it by arithmetic. Frames only; `mp3.write` puts the Info before them."""
    arguments = ("-c:a", "libmp3lame", "-b:a", f"{kbps}k", "-write_xing", "0", "-id3v2_version", "0", "-write_id3v1", "0", "-f", "mp3")
    scale = 0.95 if kbps <= 160 else 0.97 if kbps <= 192 else 0.98 if kbps <= 224 else 1.0  # what LAME multiplies sound with, by itself
    return Codec(arguments, margin_db=1.0, scale=scale, in_parts=True)


def _source(master: Path, levels: Path) -> Source:
    """The master as it is; `CauserieError` when it is too short or silent."""
    from pipeline.audio.profile import load

    profile = load(levels, "master")
    loudness(master, profile)
    return Source(master, profile, probe(master).channels)


def _mono(source: Source) -> Source:
    """Both channels as one at 48 kHz, heard anew; the left one alone when the two cancel each other."""
    from pipeline.audio.hearing import hear
    from pipeline.audio.truepeak import TruePeaks

    mix = ["pan=mono|c0=0.5*c0+0.5*c1", "pan=mono|c0=c0"] if source.channels == 2 else ["anull"]
    for down in mix:
        filters, peaks = (down, "aresample=48000:resampler=soxr"), TruePeaks(48_000, 1, 0.25)
        profile = hear(source.master, filters, 48_000, 1, also=peaks.feed).profile
        if profile.integrated_lufs > source.profile.integrated_lufs - _CANCELLED_LU:
            break
    return Source(source.master, replace(profile, peaks=peaks.peaks()), 1, filters)


def _reach(source: Source, audio: Path, codec: Codec, target_lufs: float, ceiling_dbtp: float) -> tuple[Level, Profile, int]:
    """Encode until the file is right: how, its profile, and at which attempt."""
    from pipeline.audio.limiter import fitting, softened

    bar = Bar(source.profile.duration_s)
    aim_lufs = target_lufs
    sure_dbtp = ceiling_dbtp - METERS_DB
    level = fitting(source.profile, aim_lufs, ceiling_dbtp - codec.margin_db)
    with tempfile.TemporaryDirectory(dir=audio.parent, prefix=".parts.") as folder:
        workshop = Workshop(source, codec, Path(folder), bar)
        for attempt in range(1, ATTEMPTS + 1):
            workshop.make(level, audio)
            published = heard(audio, 10 ** (sure_dbtp / 20), bar.proven)
            after = loudness(audio, published)
            if reached(after, target_lufs, sure_dbtp):
                return level, published, attempt
            if attempt < ATTEMPTS:
                level = softened(source.profile, level, published.peaks, sure_dbtp)
                if not reached(after, target_lufs, float("inf")):
                    aim_lufs += target_lufs - after.integrated_lufs
                    level = fitting(source.profile, aim_lufs, level.limit_dbtp, level.softer)
    if reached(after, target_lufs, ceiling_dbtp, ALLOWED_LU):
        return level, published, attempt
    raise CauserieError(
        f"measures {after.integrated_lufs:.1f} LUFS and {after.true_peak_dbtp:.1f} dBTP once encoded, where {target_lufs:g} LUFS"
        f" under {ceiling_dbtp:g} dBTP was asked",
        str(source.master),
        "its peaks are too high above its speech: lower loudness_lufs in show.toml, or soften the peaks in the recording",
    )
