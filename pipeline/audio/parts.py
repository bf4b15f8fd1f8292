"""Decode, process and encode a master in one pass; a long MP3 is encoded in parallel segments that are joined seamlessly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import progress
from pipeline.audio import ffmpeg, mp3
from pipeline.errors import CauserieError
from pipeline.workers import cores

if TYPE_CHECKING:
    from pipeline.audio.limiter import Level
    from pipeline.audio.profile import Floats, Profile

PART_S = 300.0  # per segment: two seconds of overlap are cheap by comparison; shorter programmes are one segment
_LAP_FRAMES = 24  # before and after a segment: half a second for the encoder to settle, and to find a splice point in
_PROOF_SHARE = 0.25  # share of the progress bar for measuring the encoded file


@dataclass(frozen=True)
class Codec:
    """An encoder: FFmpeg's arguments, and its effect on levels."""

    arguments: tuple[str, ...]
    margin_db: float  # left under the ceiling, as lossy encoding overshoots; chosen so that one attempt is nearly always enough
    scale: float = 1.0  # factor the encoder applies to its input by itself
    in_parts: bool = False  # MP3, whose segments can be joined


@dataclass(frozen=True)
class Source:
    """A master as input of an encoder."""

    master: Path
    profile: Profile  # after the filters; high peaks are true peaks
    channels: int
    filters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Span:
    """A range of a source, in samples; `end` is exclusive."""

    first: int
    end: int


def spans(samples: int, rate_hz: int, frame: int) -> list[Span]:
    """Return the overlapping ranges to encode separately, on a grid of frames of `frame` samples."""
    count = max(1, -(-samples // round(PART_S * rate_hz)))
    edges = [samples * n // count // frame * frame for n in range(count)] + [samples]
    lap = _LAP_FRAMES * frame
    return [Span(max(0, first - lap), min(samples, end + lap)) for first, end in zip(edges, edges[1:], strict=False)]


class Workshop:
    """Encodes a source; when called again, only the segments whose gains changed."""

    def __init__(self, source: Source, codec: Codec, folder: Path, bar: Bar) -> None:
        self.source, self.codec, self.bar = source, codec, bar
        self.folder = folder
        self.frame = 1152 if source.profile.rate_hz >= 32_000 else 576
        whole = Span(0, source.profile.samples)
        self.spans = spans(whole.end, source.profile.rate_hz, self.frame) if codec.in_parts else [whole]
        self.made: dict[Path, Floats] = {}  # the gains each segment was encoded with

    def make(self, level: Level, audio: Path) -> None:
        """Write `audio` with these limiter settings."""
        from pipeline.audio.limiter import gains

        edges = gains(self.source.profile, level) / self.codec.scale
        if not self.codec.in_parts:
            self._part(edges, self.spans[0], audio, threading.Event())
            return
        paths = self._parts(edges)
        try:
            mp3.write(audio, mp3.joined(self._streams(paths)), self.source.profile.samples)
        except mp3.NoSeam:  # never observed: a single segment needs no splice point
            self.spans = [Span(0, self.source.profile.samples)]
            mp3.write(audio, mp3.joined(self._streams(self._parts(edges))), self.source.profile.samples)

    def _streams(self, paths: list[Path]) -> Iterable[tuple[int, mp3.Stream]]:
        """Return each segment with the number of its first frame."""
        return ((span.first // self.frame, mp3.Stream(path.read_bytes())) for span, path in zip(self.spans, paths, strict=True))

    def _parts(self, edges: Floats) -> list[Path]:
        """Encode the segments changed by these gains, in as many threads as there are processors."""
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        paths = [self.folder / f"{span.first}-{span.end}" for span in self.spans]
        stop = threading.Event()
        with ThreadPoolExecutor(cores()) as pool:
            works = [pool.submit(self._part, edges, span, path, stop) for span, path in zip(self.spans, paths, strict=True)]
            try:
                done, _ = wait(works, return_when=FIRST_EXCEPTION)
                for work in done:
                    work.result()
            finally:
                stop.set()  # a failure cancels the others
        return paths

    def _part(self, edges: Floats, span: Span, path: Path, stop: threading.Event) -> None:
        import numpy as np

        from pipeline.audio.limiter import apply
        from pipeline.audio.profile import BLOCKS_PER_S

        rate_hz = self.source.profile.rate_hz
        here = edges[span.first * BLOCKS_PER_S // rate_hz : span.end * BLOCKS_PER_S // rate_hz + 2]
        if stop.is_set() or (path in self.made and np.array_equal(self.made[path], here)):
            return

        def louder(frames: Floats, at: int) -> Floats:
            if stop.is_set():
                raise CauserieError("was cancelled because another segment failed")
            self.bar.encoded(len(frames) / rate_hz)
            return apply(frames, at, edges, rate_hz)

        pour(self.source, span, louder, self.codec, path)
        self.made[path] = here.copy()


def pour(source: Source, span: Span, change: Callable[[Floats, int], Floats], codec: Codec, path: Path) -> None:
    """Decode, process and encode a range of the master; `change` receives at most a second of frames and the number of the first sample.

    Raises `CauserieError` when the master ends before the range does, or cannot be decoded or encoded.
    """
    import numpy as np

    rate_hz = source.profile.rate_hz
    at_s, end_s = span.first // rate_hz, -(-span.end // rate_hz)
    decode = ["-ss", str(at_s), "-t", str(end_s - at_s), *ffmpeg.source(source.master), "-map", "0:a:0"]  # whole seconds: exact
    if source.filters:
        decode += ["-af", ",".join(source.filters)]
    raw = ("-f", "f32le", "-ar", str(rate_hz), "-ac", str(source.channels))
    encoder = [*raw, "-i", "pipe:0", *ffmpeg.EXACT, *codec.arguments, ffmpeg.address(path)]
    with ffmpeg.running([*decode, *raw[:2], "pipe:1"]) as decoder, ffmpeg.running(encoder, fed=True) as sink:
        at = at_s * rate_hz
        while block := decoder.read(rate_hz * source.channels * 4):
            frames = np.frombuffer(block, np.float32).reshape(-1, source.channels)
            kept = frames[max(0, span.first - at) : max(0, span.end - at)]
            if len(kept):
                sink.write(change(kept, max(at, span.first)).data.cast("B"))
            at += len(frames)
    if at < span.end:
        message = f"ends after {at / rate_hz:.1f} s, earlier than when it was analysed"
        raise CauserieError(message, str(source.master), "delete it and build again")


class Bar:
    """Reports the progress of encoding and measuring, in seconds of audio; it never decreases."""

    def __init__(self, duration_s: float) -> None:
        self._duration_s, self._done_s, self._told_s = duration_s, 0.0, 0.0
        self._lock = threading.Lock()

    def encoded(self, more_s: float) -> None:
        """Report that `more_s` more seconds are encoded."""
        with self._lock:
            self._done_s += more_s
            self._tell(min(self._done_s, self._duration_s) * (1 - _PROOF_SHARE))

    def proven(self, done_s: float) -> None:
        """Report that `done_s` seconds of the encoded file are measured."""
        with self._lock:
            self._tell(self._duration_s * (1 - _PROOF_SHARE) + done_s * _PROOF_SHARE)

    def _tell(self, done_s: float) -> None:
        self._told_s = max(self._told_s, min(done_s, self._duration_s))
        progress.report(self._told_s, self._duration_s)
