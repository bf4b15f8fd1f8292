"""Encode the master for listeners: one linear gain, a limiter only where it is needed, and a measurement of the encoded file.

The gain is computed from the master's profile, so encoding takes one pass. A long MP3 is encoded in parallel segments that are joined
frame by frame. Encoding changes peaks and can change loudness: the encoded file is measured, and encoded again when it misses the target.
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

TOLERANCE_LU = 0.2  # within it no further attempt is made; other meters agree to 0.1
ALLOWED_LU = 0.5  # beyond it after the last attempt, encoding fails
ATTEMPTS = 3
METERS_DB = 0.05  # other true-peak meters and decoders read up to this much higher; the check leaves room for them
_FADE_S = 0.005  # at the edges of a clip: a cut waveform clicks
_CANCELLED_LU = 6.0  # a mono mix this far below its stereo source: the channels are in opposite phase


def encode(
    master: Path, levels: Path, *, audio: Path, report: Path, curve: Path, target_lufs: float, ceiling_dbtp: float, kbps: int
) -> None:
    """Write the MP3 (constant bit rate, an Info header, no tags), its measurements, and its profile ("published") as `curve`.

    Raises `CauserieError` with the figures when no attempt comes within 0.5 LU of `target_lufs` and stays under `ceiling_dbtp`.
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
    """Write AAC-LC in M4A, playable while it downloads; no tags."""
    aac = ("-c:a", "aac", "-b:a", f"{kbps}k", "-movflags", "+faststart", "-f", "ipod")
    _reach(_source(master, levels), audio, Codec(aac, margin_db=1.0), target_lufs, ceiling_dbtp)


def encode_light(master: Path, levels: Path, *, audio: Path, target_lufs: float, ceiling_dbtp: float, kbps: int) -> None:
    """Write the light version: mono Opus at 48 kHz, tuned for speech, at the same perceived loudness as the others; no tags."""
    opus = ("-c:a", "libopus", "-b:a", f"{kbps}k", "-vbr", "on", "-application", "voip", "-f", "ogg")
    _reach(_mono(_source(master, levels)), audio, Codec(opus, margin_db=1.5), target_lufs, ceiling_dbtp)


def cut(master: Path, levels: Path, report: Path, *, clip: Path, start_s: float, end_s: float, kbps: int) -> None:
    """Write [`start_s`, `end_s`) as a small MP3 with exactly the gains of the published audio, edges faded over 5 ms."""
    import numpy as np

    from pipeline.audio.limiter import Level, apply, gains

    source, said, codec = _source(master, levels), read_json(report), _lame(kbps)
    rate_hz = source.profile.rate_hz
    first = round(start_s * rate_hz)
    span = Span(first, min(first + round((end_s - start_s) * rate_hz), source.profile.samples))
    if span.first >= span.end:
        raise CauserieError(f"has no sound from {start_s:g} s to {end_s:g} s", str(master), "correct the times of the passage")
    limit_dbtp = np.inf if said["limit_dbtp"] is None else said["limit_dbtp"]
    edges = gains(source.profile, Level(said["gain_db"], limit_dbtp, tuple(map(tuple, said["softer"])))) / codec.scale

    def shaped(frames: Floats, at: int) -> Floats:
        there = np.arange(at, at + len(frames))
        fade: Floats = np.minimum(np.minimum(there - span.first + 0.5, span.end - there - 0.5) / (_FADE_S * rate_hz), 1).astype(np.float32)
        return apply(frames, at, edges, rate_hz) * fade[:, None]

    with tempfile.TemporaryDirectory(dir=clip.parent, prefix=".clip.") as folder:
        frames = Path(folder) / "frames"
        pour(source, span, shaped, codec, frames)
        mp3.write(clip, [frames.read_bytes()], span.end - span.first)


def reached(after: Loudness, target_lufs: float, ceiling_dbtp: float, tolerance_lu: float = TOLERANCE_LU) -> bool:
    """Whether an encoded file meets the loudness target within `tolerance_lu`, and the true-peak ceiling."""
    return abs(after.integrated_lufs - target_lufs) <= tolerance_lu and after.true_peak_dbtp <= ceiling_dbtp


def _lame(kbps: int) -> Codec:
    """Constant bit rate, so that players can compute seek positions. Frames only; `mp3.write_mp3` adds the Info frame."""
    arguments = ("-c:a", "libmp3lame", "-b:a", f"{kbps}k", "-write_xing", "0", "-id3v2_version", "0", "-write_id3v1", "0", "-f", "mp3")
    scale = 0.95 if kbps <= 160 else 0.97 if kbps <= 192 else 0.98 if kbps <= 224 else 1.0  # LAME's own scaling of its input
    return Codec(arguments, margin_db=1.0, scale=scale, in_parts=True)


def _source(master: Path, levels: Path) -> Source:
    """Open the master with its profile; raises `CauserieError` when it is too short or silent."""
    from pipeline.audio.profile import load

    profile = load(levels, "master")
    loudness(master, profile)
    return Source(master, profile, probe(master).channels)


def _mono(source: Source) -> Source:
    """Downmix to mono at 48 kHz and analyse the result; only the left channel is used when the two cancel each other."""
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
    """Encode until the file is on target; returns the limiter settings, the profile of the file, and the number of attempts."""
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
        f"measures {after.integrated_lufs:.1f} LUFS and {after.true_peak_dbtp:.1f} dBTP once encoded; the target is {target_lufs:g} LUFS"
        f" and at most {ceiling_dbtp:g} dBTP",
        str(source.master),
        "its peaks are too high above its speech: lower loudness_lufs in show.toml, or reduce the peaks in the recording",
    )
