"""Mix clips into one master, one second at a time: FFmpeg decodes, gains and sums are applied here, FFmpeg encodes and meters."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.audio import ffmpeg
from pipeline.audio.hearing import FLOATS, METER, moments, moments_in
from pipeline.audio.probe import undecodable
from pipeline.audio.profile import Floats, Profile, Profiler
from pipeline.audio.timeline import Clip, gains
from pipeline.audio.truepeak import TruePeaks
from pipeline.errors import CauserieError

FLAC = ("-c:a", "flac", "-compression_level", "1", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-f", "flac")


def mix(
    clips: Sequence[Clip],
    samples: int,
    rate_hz: int,
    channels: int,
    *,
    master: Path,
    gain_db: float = 0.0,
    floor: float = 1.0,
    tell: Callable[[float], None] = lambda done_s: None,
) -> Profile:
    """Write the master (FLAC, 24 bits) of `samples` per channel with `gain_db` applied; return its profile, with true peaks above `floor`.

    Raises `CauserieError` when a clip cannot be decoded, or the master cannot be written.
    """
    profiler, peaks = Profiler(rate_hz, channels), TruePeaks(rate_hz, channels, floor)
    with tempfile.TemporaryFile() as lines:
        meter = f"{METER},{moments(lines.fileno())},aformat=sample_fmts=s32"
        form = ["-f", "f32le", "-ar", str(rate_hz), "-ac", str(channels), "-i", "pipe:0"]
        arguments = [*form, "-af", meter, *ffmpeg.EXACT, *FLAC, ffmpeg.address(master)]
        with ffmpeg.running(arguments, fed=True, shares=(lines.fileno(),)) as encoder:
            for frames in _added(clips, samples, rate_hz, channels, gain_db):
                profiler.feed(frames)
                peaks.feed(frames)
                encoder.write(frames.data.cast("B"))
                tell(profiler.samples / rate_hz)
        return replace(profiler.profile(moments_in(lines, profiler)), peaks=peaks.peaks())


def _added(clips: Sequence[Clip], samples: int, rate_hz: int, channels: int, gain_db: float) -> Iterator[Floats]:
    """Yield the frames of the programme, one second at a time; a file is open only while it plays."""
    with ExitStack() as files:
        players: dict[int, _Player] = {}
        for start in range(0, samples, rate_hz):
            count = min(rate_hz, samples - start)
            frames = np.zeros((count, channels), np.float32)
            for i, clip in enumerate(clips):
                low, high = max(start, clip.at), min(start + count, clip.end)
                if low < high:
                    if i not in players:
                        players[i] = _Player(clip, rate_hz, channels, files)
                    played = players[i].play(low - clip.at, high - low, gain_db)
                    frames[low - start : low - start + len(played)] += played
                elif i in players and start >= clip.end:
                    players.pop(i).close()
            yield frames


class _Player:
    """The decoder of one clip."""

    def __init__(self, clip: Clip, rate_hz: int, channels: int, files: ExitStack) -> None:
        self._clip, self._rate_hz, self._channels = clip, rate_hz, channels
        source = clip.source
        kept = f"atrim=start_sample={clip.first}:end_sample={clip.first + clip.count}"
        graph = ",".join([f"[0:a:{source.stream}]{FLOATS}", *source.filters, kept, f"{FLOATS}[out]"])
        arguments = [*ffmpeg.source(source.path), "-filter_complex", graph, "-map", "[out]", "-f", "f32le", "pipe:1"]
        self._open = files.enter_context(ExitStack())
        self._process = self._open.enter_context(ffmpeg.running(arguments))

    def play(self, start: int, count: int, gain_db: float) -> Floats:
        """Return the next `count` frames with gain applied, from the clip's own sample `start`; fewer when the file ends early."""
        try:
            data = self._process.read(count * self._channels * 4)
        except CauserieError as error:
            raise undecodable(self._clip.source.path, error) from error
        frames = np.frombuffer(data, np.float32).reshape(-1, self._channels)
        gain = gains(self._clip, start, len(frames), self._rate_hz, gain_db)
        if isinstance(gain, float):
            return frames if gain == 1.0 else frames * np.float32(gain)
        return frames * gain[:, None]

    def close(self) -> None:
        """Close the decoder; raises `CauserieError` when decoding failed."""
        try:
            self._open.close()
        except CauserieError as error:
            raise undecodable(self._clip.source.path, error) from error
