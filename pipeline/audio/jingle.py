"""Jingles: short music, held in memory by pydub, whose edges are faded."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from pipeline.audio import ffmpeg
from pipeline.audio.probe import decoding, probe
from pipeline.audio.streams import Probe

LONGEST_S = 60.0  # longer music is streamed unchanged
FADE_IN_S, FADE_OUT_S = 0.010, 0.150  # minimum: a cut note clicks, and fades this short are not noticed


def smoothed(jingle: Path, place: Path, *, fade_in_s: float = FADE_IN_S, fade_out_s: float = FADE_OUT_S) -> Path:
    """Write a WAV with faded edges to `place` and return it, or return the file itself when it is longer than a minute.

    Fades are never shorter than `MIN_FADE_IN_S` and `MIN_FADE_OUT_S`, nor longer than the jingle. Raises `CauserieError` when it cannot
    be read.
    """
    found = probe(jingle)
    if found.duration_s is None or found.duration_s > LONGEST_S or found.channels not in (1, 2):
        return jingle
    samples = _samples(jingle, found)
    segment = _segment(samples, found)
    asked_s = max(fade_in_s, FADE_IN_S), max(fade_out_s, FADE_OUT_S)
    fade_in_ms, fade_out_ms = (min(round(1000 * each_s), len(segment)) for each_s in asked_s)
    segment.fade_in(fade_in_ms).fade_out(fade_out_ms).export(place, format="wav").close()
    return place


def _samples(jingle: Path, found: Probe) -> bytes:
    """Decode to 32-bit samples at the jingle's own rate; pydub's own reader would need ffprobe."""
    samples = bytearray()
    plain = ["-map", "0:a:0", "-ac", str(found.channels), "-ar", str(found.sample_rate_hz), "-f", "s32le", "pipe:1"]
    decoding(jingle, [*ffmpeg.source(jingle), *plain], samples.extend)
    return bytes(samples)


def _segment(samples: bytes, found: Probe) -> Any:
    """Return the samples as a pydub `AudioSegment`; `Any`, because pydub has no types."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydub warns when there is no ffmpeg on PATH, which is not needed here
        from pydub import AudioSegment
    return AudioSegment(data=samples, sample_width=4, frame_rate=found.sample_rate_hz, channels=found.channels)
