"""Jingles, the clip-sized part of the sound: pydub holds them in memory and smooths their edges."""

from __future__ import annotations

import warnings
from pathlib import Path

from pipeline.audio import ffmpeg
from pipeline.audio.probe import Probe, decoding, probe

LONGEST_S = 60.0  # longer music is no jingle: it is streamed as it is
FADE_IN_MS, FADE_OUT_MS = 10, 150  # a cut note clicks; so little is not heard as a fade


def smoothed(jingle: Path, place: Path) -> Path:
    """The jingle to play: a WAV written to `place` with faded edges, or the file itself when it is longer than a minute.

    `CauserieError` when it cannot be read.
    """
    found = probe(jingle)
    if found.duration_s is None or found.duration_s > LONGEST_S or found.channels not in (1, 2):
        return jingle
    samples = _samples(jingle, found)
    faded = _segment(samples, found).fade_in(FADE_IN_MS).fade_out(FADE_OUT_MS)
    faded.export(place, format="wav").close()
    return place


def _samples(jingle: Path, found: Probe) -> bytes:
    """32-bit samples at the jingle's own rate: pydub's own reading would need ffprobe."""
    samples = bytearray()
    plain = ["-map", "0:a:0", "-ac", str(found.channels), "-ar", str(found.sample_rate_hz), "-f", "s32le", "pipe:1"]
    decoding(jingle, [*ffmpeg.source(jingle), *plain], samples.extend)
    return bytes(samples)


def _segment(samples: bytes, found: Probe):  # type: ignore[no-untyped-def]
    """The samples as pydub holds them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydub looks for an ffmpeg on PATH, which nothing here needs
        from pydub import AudioSegment
    return AudioSegment(data=samples, sample_width=4, frame_rate=found.sample_rate_hz, channels=found.channels)
