"""Decode, process and encode a master in one pass; a long MP3 is encoded in parallel segments that are joined seamlessly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio import ffmpeg, mp3
from pipeline.engine import available_cores, progress
from pipeline.model import CauserieError

if TYPE_CHECKING:
    from pipeline.audio.level_profile import Float32Array, LevelProfile
    from pipeline.audio.limiter import LimiterSettings

SEGMENT_S = 300.0  # per segment: two seconds of overlap are cheap by comparison; shorter programmes are one segment
_OVERLAP_FRAMES = 24  # before and after a segment: half a second for the encoder to settle, and to find a splice point in
_VERIFICATION_SHARE = 0.25  # share of the progress bar for measuring the encoded file


@dataclass(frozen=True)
class Codec:
    """An encoder: FFmpeg's arguments, and its effect on levels."""

    arguments: tuple[str, ...]
    headroom_db: float  # left under the ceiling, as lossy encoding overshoots; chosen so that one attempt is nearly always enough
    scale: float = 1.0  # factor the encoder applies to its input by itself
    is_splittable: bool = False  # MP3, whose segments can be joined


@dataclass(frozen=True)
class MasterSource:
    """A master as input of an encoder."""

    master: Path
    profile: LevelProfile  # after the filters; high peaks are true peaks
    channels: int
    filters: tuple[str, ...] = ()


@dataclass(frozen=True)
class SampleRange:
    """A range of a source, in samples; `end` is exclusive."""

    first: int
    end: int


def segment_ranges(samples: int, rate_hz: int, frame: int) -> list[SampleRange]:
    """Return the overlapping ranges to encode separately, on a grid of frames of `frame` samples."""
    count = max(1, -(-samples // round(SEGMENT_S * rate_hz)))
    edges = [samples * n // count // frame * frame for n in range(count)] + [samples]
    overlap = _OVERLAP_FRAMES * frame
    return [SampleRange(max(0, first - overlap), min(samples, end + overlap)) for first, end in zip(edges, edges[1:], strict=False)]


class SegmentEncoder:
    """Encodes a source; when called again, only the segments whose gains changed."""

    def __init__(self, source: MasterSource, codec: Codec, folder: Path, tracker: ProgressTracker) -> None:
        self.source, self.codec, self.tracker = source, codec, tracker
        self.folder = folder
        self.frame = 1152 if source.profile.rate_hz >= 32_000 else 576
        full_range = SampleRange(0, source.profile.samples)
        self.segments = segment_ranges(full_range.end, source.profile.rate_hz, self.frame) if codec.is_splittable else [full_range]
        self.encoded_gains: dict[Path, Float32Array] = {}  # the gains each segment was encoded with

    def encode(self, settings: LimiterSettings, audio: Path) -> None:
        """Write `audio` with these limiter settings."""
        from pipeline.audio.limiter import limiter_gains

        edges = limiter_gains(self.source.profile, settings) / self.codec.scale
        if not self.codec.is_splittable:
            self._encode_segment(edges, self.segments[0], audio, threading.Event())
            return
        paths = self._encode_segments(edges)
        try:
            mp3.write_mp3(audio, mp3.join_streams(self._streams(paths)), self.source.profile.samples)
        except mp3.NoSplicePoint:  # never observed: a single segment needs no splice point
            self.segments = [SampleRange(0, self.source.profile.samples)]
            mp3.write_mp3(audio, mp3.join_streams(self._streams(self._encode_segments(edges))), self.source.profile.samples)

    def _streams(self, paths: list[Path]) -> Iterable[tuple[int, mp3.FrameStream]]:
        """Return each segment with the number of its first frame."""
        return ((span.first // self.frame, mp3.FrameStream(path.read_bytes())) for span, path in zip(self.segments, paths, strict=True))

    def _encode_segments(self, edges: Float32Array) -> list[Path]:
        """Encode the segments changed by these gains, in as many threads as there are processors."""
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        paths = [self.folder / f"{span.first}-{span.end}" for span in self.segments]
        stop = threading.Event()
        with ThreadPoolExecutor(available_cores()) as pool:
            futures = [pool.submit(self._encode_segment, edges, span, path, stop) for span, path in zip(self.segments, paths, strict=True)]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for work in done:
                    work.result()
            finally:
                stop.set()  # a failure cancels the others
        return paths

    def _encode_segment(self, edges: Float32Array, segment: SampleRange, path: Path, stop: threading.Event) -> None:
        import numpy as np

        from pipeline.audio.level_profile import BLOCKS_PER_S
        from pipeline.audio.limiter import apply_gains

        rate_hz = self.source.profile.rate_hz
        segment_gains = edges[segment.first * BLOCKS_PER_S // rate_hz : segment.end * BLOCKS_PER_S // rate_hz + 2]
        if stop.is_set() or (path in self.encoded_gains and np.array_equal(self.encoded_gains[path], segment_gains)):
            return

        def process(frames: Float32Array, at: int) -> Float32Array:
            if stop.is_set():
                raise CauserieError("was cancelled because another segment failed")
            self.tracker.add_encoded(len(frames) / rate_hz)
            return apply_gains(frames, at, edges, rate_hz)

        stream_samples(self.source, segment, process, self.codec, path)
        self.encoded_gains[path] = segment_gains.copy()


def stream_samples(
    source: MasterSource, sample_range: SampleRange, process: Callable[[Float32Array, int], Float32Array], codec: Codec, path: Path
) -> None:
    """Decode, process and encode a range of the master; `process` receives at most a second of frames and the number of the first sample.

    Raises `CauserieError` when the master ends before the range does, or cannot be decoded or encoded.
    """
    import numpy as np

    rate_hz = source.profile.rate_hz
    at_s, end_s = sample_range.first // rate_hz, -(-sample_range.end // rate_hz)
    decode = ["-ss", str(at_s), "-t", str(end_s - at_s), *ffmpeg.input_arguments(source.master), "-map", "0:a:0"]  # whole seconds: exact
    if source.filters:
        decode += ["-af", ",".join(source.filters)]
    raw = ("-f", "f32le", "-ar", str(rate_hz), "-ac", str(source.channels))
    encoder = [*raw, "-i", "pipe:0", *ffmpeg.BITEXACT_ARGUMENTS, *codec.arguments, ffmpeg.file_url(path)]
    with ffmpeg.open_process([*decode, *raw[:2], "pipe:1"]) as decoder, ffmpeg.open_process(encoder, writes_stdin=True) as sink:
        at = at_s * rate_hz
        while block := decoder.read(rate_hz * source.channels * 4):
            frames = np.frombuffer(block, np.float32).reshape(-1, source.channels)
            inside = frames[max(0, sample_range.first - at) : max(0, sample_range.end - at)]
            if len(inside):
                sink.write(process(inside, max(at, sample_range.first)).data.cast("B"))
            at += len(frames)
    if at < sample_range.end:
        message = f"ends after {at / rate_hz:.1f} s, earlier than when it was analysed"
        raise CauserieError(message, str(source.master), "delete it and build again")


class ProgressTracker:
    """Reports the progress of encoding and measuring, in seconds of audio; it never decreases."""

    def __init__(self, duration_s: float) -> None:
        self._duration_s, self._done_s, self._reported_s = duration_s, 0.0, 0.0
        self._lock = threading.Lock()

    def add_encoded(self, added_s: float) -> None:
        """Report that `added_s` more seconds are encoded."""
        with self._lock:
            self._done_s += added_s
            self._report(min(self._done_s, self._duration_s) * (1 - _VERIFICATION_SHARE))

    def set_verified(self, done_s: float) -> None:
        """Report that `done_s` seconds of the encoded file are measured."""
        with self._lock:
            self._report(self._duration_s * (1 - _VERIFICATION_SHARE) + done_s * _VERIFICATION_SHARE)

    def _report(self, done_s: float) -> None:
        self._reported_s = max(self._reported_s, min(done_s, self._duration_s))
        progress.report(self._reported_s, self._duration_s)
