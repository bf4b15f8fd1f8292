"""Encode the master for listeners: one linear gain, a limiter only where it is needed, and a measurement of the encoded file.

The gain is computed from the master's profile, so encoding takes one pass. A long MP3 is encoded in parallel segments that are joined
frame by frame. Encoding changes peaks and can change loudness: the encoded file is measured, and encoded again when it misses the target.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
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
RESCUE_ATTEMPTS = 2  # more, only while none is within `MAX_DEVIATION_LU` and under the ceiling
RESCUE_MARGIN_DB = 0.3  # by which a rescue lowers the limit of the whole file beyond what the last attempt exceeded
METER_TOLERANCE_DB = 0.05  # other true-peak meters and decoders read up to this much higher; the check leaves room for them
_FADE_S = 0.005  # at the edges of a clip: a cut waveform clicks
_PHASE_CANCELLATION_LU = 6.0  # a mono mix this far below its stereo source: the channels are in opposite phase


@dataclass(frozen=True)
class Attempt:
    """An encoded file, the settings it was made with, and its measurements."""

    file: Path
    aim_lufs: float  # the loudness it was to have before the encoder
    limiter: LimiterSettings
    profile: LevelProfile
    measured: Loudness


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
    """Encode until the file is on target, and keep the best attempt.

    Returns the limiter settings and the profile of the file, and the number of attempts. Raises `CauserieError` when no attempt is
    within `MAX_DEVIATION_LU` of the target and under the ceiling.
    """
    with tempfile.TemporaryDirectory(dir=audio.parent, prefix=".parts.") as folder:
        encoder = SegmentEncoder(source, codec, Path(folder), ProgressTracker(source.profile.duration_s))
        attempts = [_attempt(encoder, target_lufs, _first_settings(source, codec, target_lufs, ceiling_dbtp), ceiling_dbtp, 1)]
        while not is_on_target(attempts[-1].measured, target_lufs, ceiling_dbtp - METER_TOLERANCE_DB):
            aim_lufs, limiter = _next_settings(source, attempts, target_lufs, ceiling_dbtp)
            is_accepted = any(is_on_target(each.measured, target_lufs, ceiling_dbtp, MAX_DEVIATION_LU) for each in attempts)
            is_last = len(attempts) >= MAX_ATTEMPTS + (0 if is_accepted else RESCUE_ATTEMPTS)
            if is_last or limiter == attempts[-1].limiter:  # the same settings would give the same file
                break
            attempts.append(_attempt(encoder, aim_lufs, limiter, ceiling_dbtp, len(attempts) + 1))
        best = best_attempt(attempts, target_lufs, ceiling_dbtp)
        if not is_on_target(best.measured, target_lufs, ceiling_dbtp, MAX_DEVIATION_LU):
            raise _off_target_error(source.master, best.measured, target_lufs, ceiling_dbtp)
        os.replace(best.file, audio)
    return best.limiter, best.profile, len(attempts)


def best_attempt(attempts: Sequence[Attempt], target_lufs: float, ceiling_dbtp: float) -> Attempt:
    """Return the attempt to keep: of those under the ceiling the one nearest to the target, else the one least above the ceiling."""

    def rank(attempt: Attempt) -> tuple[float, float]:
        excess_db = max(0.0, attempt.measured.true_peak_dbtp - ceiling_dbtp)
        deviation_lu = abs(attempt.measured.integrated_lufs - target_lufs)
        return max(0.0, deviation_lu - MAX_DEVIATION_LU) + excess_db, deviation_lu

    return min(attempts, key=rank)


def _attempt(encoder: SegmentEncoder, aim_lufs: float, limiter: LimiterSettings, ceiling_dbtp: float, number: int) -> Attempt:
    """Encode a file with these settings, and measure it."""
    file = encoder.folder / f"attempt-{number}"
    encoder.encode(limiter, file)
    profile = measure_profile(file, 10 ** ((ceiling_dbtp - METER_TOLERANCE_DB) / 20), encoder.tracker.set_verified)
    return Attempt(file, aim_lufs, limiter, profile, loudness_from_profile(file, profile))


def _first_settings(source: MasterSource, codec: Codec, target_lufs: float, ceiling_dbtp: float) -> LimiterSettings:
    from pipeline.audio.limiter import solve_gain

    return solve_gain(source.profile, target_lufs, ceiling_dbtp - codec.headroom_db)


def _next_settings(
    source: MasterSource, attempts: Sequence[Attempt], target_lufs: float, ceiling_dbtp: float
) -> tuple[float, LimiterSettings]:
    """Return the aim and the settings after the last attempt: lower limits where it exceeds the ceiling, another gain off the target.

    Where a peak moves to another block at each attempt, lowering single blocks never ends: from `MAX_ATTEMPTS` on, the limit of the whole
    file is lowered.
    """
    from pipeline.audio.limiter import solve_gain, with_lower_limits

    strict_ceiling_dbtp, last = ceiling_dbtp - METER_TOLERANCE_DB, attempts[-1]
    limiter = with_lower_limits(source.profile, last.limiter, last.profile.peaks, strict_ceiling_dbtp)
    limit_dbtp, aim_lufs = limiter.limit_dbtp, last.aim_lufs
    excess_db = last.measured.true_peak_dbtp - strict_ceiling_dbtp
    is_rescue = excess_db > 0 and (len(attempts) >= MAX_ATTEMPTS or limiter == last.limiter)
    if is_rescue:
        limit_dbtp -= excess_db + RESCUE_MARGIN_DB
    if not is_on_target(last.measured, target_lufs, float("inf")):
        aim_lufs += target_lufs - last.measured.integrated_lufs
    elif not is_rescue:
        return aim_lufs, limiter
    return aim_lufs, solve_gain(source.profile, aim_lufs, limit_dbtp, limiter.reductions)


def _off_target_error(master: Path, measured: Loudness, target_lufs: float, ceiling_dbtp: float) -> CauserieError:
    """Return the error for a file that no attempt brought to the target, with what is wrong with the best of them."""
    message = (
        f"measures {measured.integrated_lufs:.2f} LUFS and {measured.true_peak_dbtp:.2f} dBTP once encoded, at best;"
        f" the target is {target_lufs:g} LUFS and at most {ceiling_dbtp:g} dBTP"
    )
    if measured.true_peak_dbtp > ceiling_dbtp:
        return CauserieError(message, str(master), "the encoder raises its peaks: lower ceiling_dbtp or raise the bit rate in show.toml")
    hint = "its peaks are too high above its speech: lower loudness_lufs in show.toml, or reduce the peaks in the recording"
    return CauserieError(message, str(master), hint)
