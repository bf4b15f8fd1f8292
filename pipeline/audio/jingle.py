"""Jingles: short music, held in memory by pydub, whose edges are faded."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from pipeline.audio import ffmpeg
from pipeline.audio.probe import decode, probe_file
from pipeline.audio.stream_info import MediaInfo

MAX_JINGLE_S = 60.0  # longer music is streamed unchanged
MIN_FADE_IN_S, MIN_FADE_OUT_S = 0.010, 0.150  # minimum: a cut note clicks, and fades this short are not noticed


def fade_edges(jingle: Path, output: Path, *, fade_in_s: float = MIN_FADE_IN_S, fade_out_s: float = MIN_FADE_OUT_S) -> Path:
    """Write a WAV with faded edges to `output` and return it, or return the file itself when it is longer than a minute.

    Fades are never shorter than `MIN_FADE_IN_S` and `MIN_FADE_OUT_S`, nor longer than the jingle. Raises `CauserieError` when it cannot
    be read.
    """
    info = probe_file(jingle)
    if info.duration_s is None or info.duration_s > MAX_JINGLE_S or info.channels not in (1, 2):
        return jingle
    samples = _decode_samples(jingle, info)
    segment = _audio_segment(samples, info)
    asked_s = max(fade_in_s, MIN_FADE_IN_S), max(fade_out_s, MIN_FADE_OUT_S)
    fade_in_ms, fade_out_ms = (min(round(1000 * each_s), len(segment)) for each_s in asked_s)
    segment.fade_in(fade_in_ms).fade_out(fade_out_ms).export(output, format="wav").close()
    return output


def _decode_samples(jingle: Path, info: MediaInfo) -> bytes:
    """Decode to 32-bit samples at the jingle's own rate; pydub's own reader would need ffprobe."""
    samples = bytearray()
    output = ["-map", "0:a:0", "-ac", str(info.channels), "-ar", str(info.sample_rate_hz), "-f", "s32le", "pipe:1"]
    decode(jingle, [*ffmpeg.input_arguments(jingle), *output], samples.extend)
    return bytes(samples)


def _audio_segment(samples: bytes, info: MediaInfo) -> Any:
    """Return the samples as a pydub `AudioSegment`; `Any`, because pydub has no types."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydub warns when there is no ffmpeg on PATH, which is not needed here
        from pydub import AudioSegment
    return AudioSegment(data=samples, sample_width=4, frame_rate=info.sample_rate_hz, channels=info.channels)
