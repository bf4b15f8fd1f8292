"""The master becomes what listeners download: one linear gain, a limiter only where it is needed, and proof on the encoded file.

No dynamic processing, ever: what the limiter leaves alone is the master times a constant. Encoding moves peaks and can move loudness,
so the encoded file is measured, and made again when it misses.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline.audio import ffmpeg
from pipeline.audio.ingest import channel_filter
from pipeline.audio.measure import Loudness, loudness_of
from pipeline.audio.probe import Probe, probe
from pipeline.errors import CauserieError
from pipeline.files import read_json, write_json

TOLERANCE_LU = 0.3  # directories allow 1; a limiter costs some tenths, which the second attempt gives back
ATTEMPTS = 4
STEP_DB = 0.3  # how much further the limit goes down than the peak came out over: more gain brings some of it back
OVERSAMPLING = 4  # BS.1770-4 annex 2: peaks between samples show at four times the rate


@dataclass(frozen=True)
class Codec:
    """An encoder: FFmpeg's arguments, and what it does to peaks."""

    arguments: tuple[str, ...]
    margin_db: float  # room left under the ceiling when limiting: lossy encoding overshoots, the more the lower its rate
    channels: int = 0  # 0: the master's
    rate_hz: int = 0  # 0: the master's


@dataclass(frozen=True)
class Level:
    """What is done to the master before encoding."""

    gain_db: float
    limit_dbtp: float | None = None  # None: no limiter in the way


def encode(master: Path, loudness: Path, *, audio: Path, report: Path, target_lufs: float, ceiling_dbtp: float, kbps: int) -> None:
    """Write the MP3 (constant bit rate, an Info header, no tags) and what it measures.

    `CauserieError` with the figures when no attempt comes within 0.3 LU of `target_lufs` under `ceiling_dbtp`.
    """
    # Constant: players seek in it by arithmetic. LAME's joint stereo; the Info header gives the exact length.
    mp3 = ("-c:a", "libmp3lame", "-b:a", f"{kbps}k", "-write_xing", "1", "-id3v2_version", "0", "-write_id3v1", "0", "-f", "mp3")
    level, after, attempts = _reach(master, loudness, audio, Codec(mp3, margin_db=0.5), target_lufs, ceiling_dbtp)
    done = {"gain_db": round(level.gain_db, 2), "limited": level.limit_dbtp is not None, "attempts": attempts}
    write_json(report, {**asdict(after), **done, "target_lufs": target_lufs, "ceiling_dbtp": ceiling_dbtp})


def encode_light(master: Path, loudness: Path, *, audio: Path, target_lufs: float, ceiling_dbtp: float, kbps: int) -> None:
    """Write the light version: mono Opus at 48 kHz, tuned for speech, as loud as the other as it is heard; no tags."""
    opus = ("-c:a", "libopus", "-b:a", f"{kbps}k", "-vbr", "on", "-application", "voip", "-f", "ogg")
    _reach(master, loudness, audio, Codec(opus, margin_db=1.5, channels=1, rate_hz=48_000), target_lufs, ceiling_dbtp)


def first_level(before: Loudness, target_lufs: float, ceiling_dbtp: float, margin_db: float) -> Level:
    """One gain to the target; a limiter only if that gain carries the true peak over the ceiling."""
    gain_db = target_lufs - before.integrated_lufs
    passes = before.true_peak_dbtp + gain_db > ceiling_dbtp
    return Level(gain_db, ceiling_dbtp - margin_db if passes else None)


def next_level(level: Level, after: Loudness, target_lufs: float, ceiling_dbtp: float, margin_db: float) -> Level:
    """What to try when the encoded file measured `after`: the gain off by as much, the limit lower by what came out over."""
    mended = replace(level, gain_db=level.gain_db + target_lufs - after.integrated_lufs)
    over_db = after.true_peak_dbtp - ceiling_dbtp
    if over_db <= 0:
        return mended
    limit_dbtp = ceiling_dbtp - margin_db if level.limit_dbtp is None else level.limit_dbtp - over_db - STEP_DB
    return replace(mended, limit_dbtp=limit_dbtp)


def reached(after: Loudness, target_lufs: float, ceiling_dbtp: float) -> bool:
    """Whether an encoded file is what was asked for."""
    return abs(after.integrated_lufs - target_lufs) <= TOLERANCE_LU and after.true_peak_dbtp <= ceiling_dbtp


def filters_of(level: Level, found: Probe, codec: Codec) -> str:
    """The filters from the master to the encoder.

    The limiter works at four times the rate, where true peaks are samples, and looks ahead without shifting time; going up and back by a
    whole factor costs nothing that can be heard.
    """
    to_channels = channel_filter(found.channels, codec.channels or found.channels)
    steps = [f"aformat=sample_fmts=fltp,{to_channels},volume={level.gain_db:.2f}dB:precision=float"]
    if level.limit_dbtp is not None:
        limit = 10 ** (level.limit_dbtp / 20)
        steps += [_resample(OVERSAMPLING * found.sample_rate_hz), f"alimiter=limit={limit:.6f}:attack=5:release=50:level=0:latency=1"]
    return ",".join([*steps, _resample(codec.rate_hz or found.sample_rate_hz)])


def _resample(rate_hz: int) -> str:
    """The resampling filter; it lets samples through when they have that rate."""
    return f"aresample={rate_hz}:resampler=soxr:precision=28"


def _reach(master: Path, loudness: Path, audio: Path, codec: Codec, target_lufs: float, ceiling_dbtp: float) -> tuple[Level, Loudness, int]:
    """Encode until the file is right: how, what it measures, and at which attempt."""
    found, before = probe(master), Loudness(**read_json(loudness))
    level = first_level(before, target_lufs, ceiling_dbtp, codec.margin_db)
    for attempt in range(1, ATTEMPTS + 1):
        inputs = [*ffmpeg.source(master), "-map", "0:a:0", "-af", filters_of(level, found, codec), *ffmpeg.EXACT]
        ffmpeg.run([*inputs, *codec.arguments, ffmpeg.address(audio)], total_s=before.duration_s)
        after = loudness_of(audio)
        if reached(after, target_lufs, ceiling_dbtp):
            return level, after, attempt
        level = next_level(level, after, target_lufs, ceiling_dbtp, codec.margin_db)
    raise CauserieError(
        f"measures {after.integrated_lufs:.1f} LUFS and {after.true_peak_dbtp:.1f} dBTP once encoded, where {target_lufs:g} LUFS"
        f" under {ceiling_dbtp:g} dBTP was asked",
        str(master),
        "its peaks are too high above its speech: lower loudness_lufs in show.toml, or soften the peaks in the recording",
    )
