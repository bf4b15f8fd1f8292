"""Parse FFmpeg's description of a file's audio streams. No files are opened."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.model import terminal_safe

_RATES_HZ = (4_000, 768_000)  # plausible range; anything else is a header error
_MAX_CHANNELS = 64
_MAX_TITLE_CHARS = 60  # of a stream's title in a message
_LAYOUT_CHANNELS = {
    "mono": 1,
    "stereo": 2,
    "downmix": 2,
    "binaural": 2,
    "quad": 4,
    "hexagonal": 6,
    "octagonal": 8,
    "cube": 8,
    "hexadecagonal": 16,
}
_DURATION = re.compile(r"^  Duration: (?:(\d+):(\d\d):(\d\d(?:\.\d+)?)|N/A)(?:, start: (\d+\.\d+))?", re.M)
_INPUT = re.compile(r"^Input #0, ([\w,]+), from ", re.M)
_COUNTED_FROM_ZERO = ("matroska", "asf")  # containers whose declared duration is the time of their end, whatever the time of their start
_STREAM_LINE = re.compile(r"^  Stream #0:\d+.*: (?:Audio|Video|Subtitle|Data): (?!.*\(attached pic\))", re.M)
_FACT = re.compile(r"^#(codec_id|sample_rate|channel_layout_name) (\d+): (.*)$", re.M)
_TAG_LINE = re.compile(r"((?:[^\\\n]|\\.)*)\n", re.S)  # a newline after a backslash belongs to the value


@dataclass(frozen=True)
class AudioStream:
    """An audio stream of a file."""

    index: int  # among the audio streams, from 0 as in FFmpeg; users count from 1
    codec: str
    sample_rate_hz: int
    channels: int
    language: str = ""
    title: str = ""
    duration_s: float | None = None  # as declared; None when it is unknown, estimated, or only given for all streams together

    @property
    def is_decodable(self) -> bool:
        """Whether its format is known and plausible."""
        sane = _RATES_HZ[0] <= self.sample_rate_hz <= _RATES_HZ[1] and 0 < self.channels <= _MAX_CHANNELS
        return sane and self.codec not in ("", "none")

    @property
    def defect(self) -> str:
        """What is wrong with a stream that is not decodable, as the end of a sentence."""
        if self.codec in ("", "none"):
            return "is in a format that FFmpeg does not know"
        if not 0 < self.channels <= _MAX_CHANNELS:
            return f"declares {self.channels} channels"
        return f"declares a sample rate of {self.sample_rate_hz} Hz"

    def __str__(self) -> str:
        layout = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        title = f"“{terminal_safe(self.title[:_MAX_TITLE_CHARS])}”" if self.title else ""
        return f"{self.index + 1} ({', '.join(filter(None, (terminal_safe(self.language[:8]), layout, title)))})"


@dataclass(frozen=True)
class MediaInfo:
    """What a file declares; sample rate, channels and codec are those of its first audio stream."""

    duration_s: float | None  # of the file, as declared; None when unknown, or only estimated by FFmpeg
    audio_streams: tuple[AudioStream, ...]
    doubts: tuple[str, ...] = ()  # what a complete-looking file leaves open, each as a sentence to be told

    @property
    def sample_rate_hz(self) -> int:
        """Sample rate of the first audio stream."""
        return self.audio_streams[0].sample_rate_hz

    @property
    def channels(self) -> int:
        """Channel count of the first audio stream."""
        return self.audio_streams[0].channels

    @property
    def codec(self) -> str:
        """FFmpeg's name for the codec of the first audio stream."""
        return self.audio_streams[0].codec

    @property
    def stream_count(self) -> int:
        """The number of audio streams."""
        return len(self.audio_streams)


def parse_probe_output(facts: str, tags: str, log: str) -> MediaInfo:
    """Parse the output of FFmpeg's `framecrc` and `ffmetadata` muxers, and its log, which is used for the duration only."""
    by_stream: dict[int, dict[str, str]] = {}
    for name, index, value in _FACT.findall(facts):
        by_stream.setdefault(int(index), {})[name] = value
    log = log.rpartition("\nStream mapping:")[0] or log  # what follows describes the output
    duration_s = _duration_s(log)
    is_only_stream = len(_STREAM_LINE.findall(log)) == 1  # the duration of a video is that of its longest stream
    stream_tags = parse_stream_tags(tags)
    streams = (
        AudioStream(
            index=index,
            codec=stream_facts.get("codec_id", ""),
            sample_rate_hz=int(stream_facts.get("sample_rate", 0)),
            channels=count_channels(stream_facts.get("channel_layout_name", "")),
            language=stream_tags[index].get("language", "").replace("und", "") if index < len(stream_tags) else "",
            title=stream_tags[index].get("title", "") if index < len(stream_tags) else "",
            duration_s=duration_s if is_only_stream else None,
        )
        for index, stream_facts in sorted(by_stream.items())
    )
    return MediaInfo(duration_s, tuple(streams))


def parse_stream_tags(text: str) -> list[dict[str, str]]:
    """Parse the tags of each stream from FFmpeg's metadata format."""
    streams: list[dict[str, str]] = []
    tags: dict[str, str] = {}  # tags above the first stream are ignored
    for line in _TAG_LINE.findall(text):
        if line == "[STREAM]":
            streams.append(tags := {})
        elif line == "[CHAPTER]":
            tags = {}
        else:
            name, _, value = line.partition("=")
            tags[name.lower()] = re.sub(r"\\(.)", r"\1", value, flags=re.S)
    return streams


def count_channels(layout: str) -> int:
    """Return the channel count of an FFmpeg layout name: 6 for `5.1(side)`; 0 when unknown."""
    name = layout.partition("(")[0]
    if counted := re.match(r"(\d+) channels", layout):
        return int(counted[1])
    if spheric := re.match(r"ambisonic (\d)", layout):
        return (int(spheric[1]) + 1) ** 2
    return _LAYOUT_CHANNELS.get(name) or (sum(map(int, name.split("."))) if re.fullmatch(r"\d+(\.\d+)+", name) else 0)


def _duration_s(log: str) -> float | None:
    """Return the declared duration; None when it is an estimate, or when a tag imitates the line."""
    announced = _DURATION.findall(log)
    if len(announced) != 1 or not announced[0][2] or "Estimating duration from bitrate" in log:
        return None
    hours, minutes, seconds, start_s = announced[0]
    form = _INPUT.search(log)
    counts_start = form is not None and (form[1].startswith(_COUNTED_FROM_ZERO) or (form[1] == "ogg" and ": Audio: opus" in log))
    return max(0.0, int(hours) * 3600 + int(minutes) * 60 + float(seconds) - (float(start_s or 0) if counts_start else 0.0))
