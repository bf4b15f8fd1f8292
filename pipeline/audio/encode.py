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
from pipeline.audio.loudness import Loudness, loudness_from_profile, measure_profile
from pipeline.audio.parallel_encode import Codec, MasterSource, ProgressTracker, SampleRange, SegmentEncoder, stream_samples
from pipeline.audio.probe import probe_file
from pipeline.engine import read_json, write_json
from pipeline.model import CauserieError

if TYPE_CHECKING:
    from pipeline.audio.level_profile import Float32Array, LevelProfile
    from pipeline.audio.limiter import LimiterSettings

TOLERANCE_LU = 0.2  # within it no further attempt is made; other meters agree to 0.1
MAX_DEVIATION_LU = 0.5  # beyond it after the last attempt, encoding fails
MAX_ATTEMPTS = 3
METER_TOLERANCE_DB = 0.05  # other true-peak meters and decoders read up to this much higher; the check leaves room for them
_FADE_S = 0.005  # at the edges of a clip: a cut waveform clicks
_PHASE_CANCELLATION_LU = 6.0  # a mono mix this far below its stereo source: the channels are in opposite phase


def encode_mp3(
    master: Path, levels: Path, *, audio: Path, report: Path, curve: Path, target_lufs: float, ceiling_dbtp: float, kbps: int
) -> None:
    """Write the MP3 (constant bit rate, an Info header, no tags), its measurements, and its profile ("published") as `curve`.

    Raises `CauserieError` with the figures when no attempt comes within 0.5 LU of `target_lufs` and stays under `ceiling_dbtp`.
    """
    from pipeline.audio.level_profile import save_profiles
    from pipeline.audio.limiter import limiting_s

    source = _open_source(master, levels)
    limiter, encoded_profile, attempts = _encode_to_target(source, audio, _mp3_codec(kbps), target_lufs, ceiling_dbtp)
    save_profiles(curve, published=encoded_profile)
    limited_duration_s = limiting_s(source.profile, limiter)
    decisions = {
        "gain_db": limiter.gain_db,
        "limit_dbtp": limiter.limit_dbtp if limited_duration_s else None,
        "limited": bool(limited_duration_s),
        "limited_s": round(limited_duration_s, 3),
        "softer": limiter.reductions,
        "attempts": attempts,
    }
    write_json(
        report,
        {**asdict(loudness_from_profile(audio, encoded_profile)), **decisions, "target_lufs": target_lufs, "ceiling_dbtp": ceiling_dbtp},
    )


def encode_m4a(master: Path, levels: Path, *, audio: Path, target_lufs: float, ceiling_dbtp: float, kbps: int) -> None:
    """Write AAC-LC in M4A, playable while it downloads; no tags."""
    aac = ("-c:a", "aac", "-b:a", f"{kbps}k", "-movflags", "+faststart", "-f", "ipod")
    _encode_to_target(_open_source(master, levels), audio, Codec(aac, headroom_db=1.0), target_lufs, ceiling_dbtp)


def encode_opus(master: Path, levels: Path, *, audio: Path, target_lufs: float, ceiling_dbtp: float, kbps: int) -> None:
    """Write the light version: mono Opus at 48 kHz, tuned for speech, at the same perceived loudness as the others; no tags."""
    opus = ("-c:a", "libopus", "-b:a", f"{kbps}k", "-vbr", "on", "-application", "voip", "-f", "ogg")
    _encode_to_target(_downmix(_open_source(master, levels)), audio, Codec(opus, headroom_db=1.5), target_lufs, ceiling_dbtp)


def cut_clip(master: Path, levels: Path, report: Path, *, clip: Path, start_s: float, end_s: float, kbps: int) -> None:
    """Write [`start_s`, `end_s`) as a small MP3 with exactly the gains of the published audio, edges faded over 5 ms."""
    import numpy as np

    from pipeline.audio.limiter import LimiterSettings, apply_gains, limiter_gains

    source, encode_report, codec = _open_source(master, levels), read_json(report), _mp3_codec(kbps)
    rate_hz = source.profile.rate_hz
    first = round(start_s * rate_hz)
    sample_range = SampleRange(first, min(first + round((end_s - start_s) * rate_hz), source.profile.samples))
    if sample_range.first >= sample_range.end:
        raise CauserieError(f"has no sound from {start_s:g} s to {end_s:g} s", str(master), "correct the times of the passage")
    limit_dbtp = np.inf if encode_report["limit_dbtp"] is None else encode_report["limit_dbtp"]
    edge_gains = (
        limiter_gains(source.profile, LimiterSettings(encode_report["gain_db"], limit_dbtp, tuple(map(tuple, encode_report["softer"]))))
        / codec.scale
    )

    def process(frames: Float32Array, start: int) -> Float32Array:
        sample_numbers = np.arange(start, start + len(frames))
        fade: Float32Array = np.minimum(
            np.minimum(sample_numbers - sample_range.first + 0.5, sample_range.end - sample_numbers - 0.5) / (_FADE_S * rate_hz), 1
        ).astype(np.float32)
        return apply_gains(frames, start, edge_gains, rate_hz) * fade[:, None]

    with tempfile.TemporaryDirectory(dir=clip.parent, prefix=".clip.") as folder:
        mp3_frames = Path(folder) / "frames"
        stream_samples(source, sample_range, process, codec, mp3_frames)
        mp3.write_mp3(clip, [mp3_frames.read_bytes()], sample_range.end - sample_range.first)


def is_on_target(measured: Loudness, target_lufs: float, ceiling_dbtp: float, tolerance_lu: float = TOLERANCE_LU) -> bool:
    """Whether an encoded file meets the loudness target within `tolerance_lu`, and the true-peak ceiling."""
    return abs(measured.integrated_lufs - target_lufs) <= tolerance_lu and measured.true_peak_dbtp <= ceiling_dbtp


def _mp3_codec(kbps: int) -> Codec:
    """Constant bit rate, so that players can compute seek positions. Frames only; `mp3.write_mp3` adds the Info frame."""
    arguments = ("-c:a", "libmp3lame", "-b:a", f"{kbps}k", "-write_xing", "0", "-id3v2_version", "0", "-write_id3v1", "0", "-f", "mp3")
    scale = 0.95 if kbps <= 160 else 0.97 if kbps <= 192 else 0.98 if kbps <= 224 else 1.0  # LAME's own scaling of its input
    return Codec(arguments, headroom_db=1.0, scale=scale, is_splittable=True)


def _open_source(master: Path, levels: Path) -> MasterSource:
    """Open the master with its profile; raises `CauserieError` when it is too short or silent."""
    from pipeline.audio.level_profile import load_profile

    profile = load_profile(levels, "master")
    loudness_from_profile(master, profile)
    return MasterSource(master, profile, probe_file(master).channels)


def _downmix(source: MasterSource) -> MasterSource:
    """Downmix to mono at 48 kHz and analyse the result; only the left channel is used when the two cancel each other."""
    from pipeline.audio.analysis import analyse
    from pipeline.audio.true_peak import TruePeakMeter

    downmixes = ["pan=mono|c0=0.5*c0+0.5*c1", "pan=mono|c0=c0"] if source.channels == 2 else ["anull"]
    for downmix in downmixes:
        filters, peaks = (downmix, "aresample=48000:resampler=soxr"), TruePeakMeter(48_000, 1, 0.25)
        profile = analyse(source.master, filters, 48_000, 1, on_frames=peaks.feed).profile
        if profile.integrated_lufs > source.profile.integrated_lufs - _PHASE_CANCELLATION_LU:
            break
    return MasterSource(source.master, replace(profile, peaks=peaks.peaks()), 1, filters)


def _encode_to_target(
    source: MasterSource, audio: Path, codec: Codec, target_lufs: float, ceiling_dbtp: float
) -> tuple[LimiterSettings, LevelProfile, int]:
    """Encode until the file is on target; returns the limiter settings, the profile of the file, and the number of attempts."""
    from pipeline.audio.limiter import solve_gain, with_lower_limits

    tracker = ProgressTracker(source.profile.duration_s)
    aim_lufs = target_lufs
    strict_ceiling_dbtp = ceiling_dbtp - METER_TOLERANCE_DB
    limiter = solve_gain(source.profile, aim_lufs, ceiling_dbtp - codec.headroom_db)
    with tempfile.TemporaryDirectory(dir=audio.parent, prefix=".parts.") as folder:
        encoder = SegmentEncoder(source, codec, Path(folder), tracker)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            encoder.encode(limiter, audio)
            encoded_profile = measure_profile(audio, 10 ** (strict_ceiling_dbtp / 20), tracker.set_verified)
            measured = loudness_from_profile(audio, encoded_profile)
            if is_on_target(measured, target_lufs, strict_ceiling_dbtp):
                return limiter, encoded_profile, attempt
            if attempt < MAX_ATTEMPTS:
                limiter = with_lower_limits(source.profile, limiter, encoded_profile.peaks, strict_ceiling_dbtp)
                if not is_on_target(measured, target_lufs, float("inf")):
                    aim_lufs += target_lufs - measured.integrated_lufs
                    limiter = solve_gain(source.profile, aim_lufs, limiter.limit_dbtp, limiter.reductions)
    if is_on_target(measured, target_lufs, ceiling_dbtp, MAX_DEVIATION_LU):
        return limiter, encoded_profile, attempt
    raise CauserieError(
        f"measures {measured.integrated_lufs:.1f} LUFS and {measured.true_peak_dbtp:.1f} dBTP once encoded;"
        f" the target is {target_lufs:g} LUFS and at most {ceiling_dbtp:g} dBTP",
        str(source.master),
        "its peaks are too high above its speech: lower loudness_lufs in show.toml, or reduce the peaks in the recording",
    )
