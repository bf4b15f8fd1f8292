"""Mix clips into one master, one second at a time: FFmpeg decodes, gains and sums are applied here, FFmpeg encodes and meters."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.audio import ffmpeg
from pipeline.audio.analysis import EBUR128_FILTER, FLOAT_FILTER, momentary_filter, read_momentary_lufs
from pipeline.audio.level_profile import Float32Array, LevelMeter, LevelProfile
from pipeline.audio.probe import decode_error
from pipeline.audio.timeline import Clip, clip_gains
from pipeline.audio.true_peak import TruePeakMeter
from pipeline.model import CauserieError

FLAC = ("-c:a", "flac", "-compression_level", "1", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-f", "flac")


def mix_master(
    clips: Sequence[Clip],
    samples: int,
    rate_hz: int,
    channels: int,
    *,
    master: Path,
    gain_db: float = 0.0,
    peak_floor: float = 1.0,
    on_progress: Callable[[float], None] = lambda done_s: None,
) -> LevelProfile:
    """Write the master (FLAC, 24 bits) of `samples` per channel with `gain_db` applied; return its profile, with true peaks above
    `peak_floor`.

    Raises `CauserieError` when a clip cannot be decoded, or the master cannot be written.
    """
    return write_master(_mixed_frames(clips, samples, rate_hz, channels, gain_db), rate_hz, channels, master, peak_floor, on_progress)


def write_master(
    blocks: Iterable[Float32Array],
    rate_hz: int,
    channels: int,
    master: Path,
    peak_floor: float | None,
    on_progress: Callable[[float], None] = lambda done_s: None,
) -> LevelProfile:
    """Write blocks of frames as a master (FLAC, 24 bits); return its profile, with true peaks above `peak_floor`, if it is given."""
    profiler, peaks = LevelMeter(rate_hz, channels), None if peak_floor is None else TruePeakMeter(rate_hz, channels, peak_floor)
    with tempfile.TemporaryFile() as loudness_file:
        meter = f"{EBUR128_FILTER},{momentary_filter(loudness_file.fileno())},aformat=sample_fmts=s32"
        raw_input = ["-f", "f32le", "-ar", str(rate_hz), "-ac", str(channels), "-i", "pipe:0"]
        arguments = [*raw_input, "-af", meter, *ffmpeg.BITEXACT_ARGUMENTS, *FLAC, ffmpeg.file_url(master)]
        with ffmpeg.open_process(arguments, writes_stdin=True, inherited_fds=(loudness_file.fileno(),)) as encoder:
            for frames in blocks:
                profiler.feed(frames)
                if peaks:
                    peaks.feed(frames)
                encoder.write(frames.data.cast("B"))
                on_progress(profiler.samples / rate_hz)
        profile = profiler.profile(read_momentary_lufs(loudness_file, profiler))
        return replace(profile, peaks=peaks.peaks()) if peaks else profile


def _mixed_frames(clips: Sequence[Clip], samples: int, rate_hz: int, channels: int, gain_db: float) -> Iterator[Float32Array]:
    """Yield the frames of the programme, one second at a time; a file is open only while it plays."""
    with ExitStack() as files:
        decoders: dict[int, _ClipDecoder] = {}
        for start in range(0, samples, rate_hz):
            count = min(rate_hz, samples - start)
            frames = np.zeros((count, channels), np.float32)
            for i, clip in enumerate(clips):
                low, high = max(start, clip.start), min(start + count, clip.end)
                if low < high:
                    if i not in decoders:
                        decoders[i] = _ClipDecoder(clip, rate_hz, channels, files)
                    played = decoders[i].read(low - clip.start, high - low, gain_db)
                    frames[low - start : low - start + len(played)] += played
                elif i in decoders and start >= clip.end:
                    decoders.pop(i).close()
            yield frames


class _ClipDecoder:
    """The decoder of one clip."""

    def __init__(self, clip: Clip, rate_hz: int, channels: int, files: ExitStack) -> None:
        self._clip, self._rate_hz, self._channels = clip, rate_hz, channels
        source = clip.source
        trim = f"atrim=start_sample={clip.source_start}:end_sample={clip.source_start + clip.count}"
        graph = ",".join([f"[0:a:{source.stream}]{FLOAT_FILTER}", *source.filters, trim, f"{FLOAT_FILTER}[out]"])
        arguments = [*ffmpeg.input_arguments(source.path), "-filter_complex", graph, "-map", "[out]", "-f", "f32le", "pipe:1"]
        self._resources = files.enter_context(ExitStack())
        self._process = self._resources.enter_context(ffmpeg.open_process(arguments))

    def read(self, start: int, count: int, gain_db: float) -> Float32Array:
        """Return the next `count` frames with gain applied, from the clip's own sample `start`; fewer when the file ends early."""
        try:
            data = self._process.read(count * self._channels * 4)
        except CauserieError as error:
            raise decode_error(self._clip.source.path, error) from error
        frames = np.frombuffer(data, np.float32).reshape(-1, self._channels)
        gain = clip_gains(self._clip, start, len(frames), self._rate_hz, gain_db)
        if isinstance(gain, float):
            return frames if gain == 1.0 else frames * np.float32(gain)
        return frames * gain[:, None]

    def close(self) -> None:
        """Close the decoder; raises `CauserieError` when decoding failed."""
        try:
            self._resources.close()
        except CauserieError as error:
            raise decode_error(self._clip.source.path, error) from error
