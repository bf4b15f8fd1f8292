"""What the channels of a recording hold, in words; and the filters that take the right ones. No files are opened."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.audio.stream_info import AudioStream
from pipeline.model import CauserieError

SIDES = {"left": 0, "right": 1}


@dataclass(frozen=True)
class ChannelFindings:
    """What was found; channels are counted from 0."""

    count: int = 1
    dead: tuple[int, ...] = ()
    noise: tuple[int, ...] = ()
    is_opposite: bool = False  # the second of two is the first, turned
    has_voice_per_side: bool = False

    @property
    def only_live(self) -> int | None:
        """The channel that alone holds sound, of several; None when there are more."""
        live = [channel for channel in range(self.count) if channel not in self.dead]
        return live[0] if len(live) == 1 and self.count > 1 else None


def select_filters(found: ChannelFindings, stream: AudioStream, channel: str = "") -> tuple[str, ...]:
    """Return the filters that come before any other: the channel that was asked for, a dead one left out, an opposite one turned.

    Raises `CauserieError` when the stream has no such channel.
    """
    if channel in SIDES or channel.isdecimal():
        index = SIDES[channel] if channel in SIDES else int(channel) - 1
        if index >= stream.channels:
            has = "is mono" if stream.channels == 1 else f"has {stream.channels} channels"
            raise CauserieError(f"{has}; there is no channel “{channel}”", "", "correct channel in [[recordings]], or remove it")
        return (f"pan=mono|c0=c{index}",) if stream.channels > 1 else ()
    if found.only_live is not None and channel != "mono":
        return (f"pan=mono|c0=c{found.only_live}",)
    second = "-1*c1" if found.is_opposite else "c1"
    if channel == "mono" and stream.channels > 1:
        live = [each for each in range(stream.channels) if each not in found.dead]
        terms = "+".join(f"{(-1 if found.is_opposite and each == 1 else 1) / len(live):.6f}*c{each}" for each in live)
        return (f"pan=mono|c0={terms}",)
    return (f"pan=stereo|c0=c0|c1={second}",) if found.is_opposite else ()


def channels_after(filters: tuple[str, ...], channels: int) -> int:
    """The channel count after these filters."""
    return 1 if filters and filters[0].startswith("pan=mono") else channels


def describe_choice(found: ChannelFindings, channel: str = "") -> tuple[str, ...]:
    """What was done about the channels, for the report."""
    if channel:
        return (f"channel {channel} only" if channel != "mono" else "channels mixed to mono",)
    if found.only_live is not None:
        return (f"channel {found.only_live + 1} only, the others are silent",)
    return ("phase of the right channel turned",) if found.is_opposite else describe_findings(found)


def describe_findings(found: ChannelFindings) -> tuple[str, ...]:
    """What a person should know of the channels, with the key that changes it."""
    sides = [_name(each, found.count) for each in range(found.count)]
    if found.is_opposite:
        return ("its channels are in opposite phase; the right one is turned",)
    if found.only_live is not None:
        return (f'only its {sides[found.only_live]} channel holds sound; write channel = "{sides[found.only_live]}" to say so',)
    if found.noise:
        (noisy,) = found.noise
        return (f'its {sides[noisy]} channel is only noise; channel = "{sides[1 - noisy]}" centres the voice',)
    if found.has_voice_per_side:
        return ('a voice on each side; list the file twice in [[recordings]], with channel = "left" and channel = "right"',)
    if found.count > 2:
        silent = f", {', '.join(str(each + 1) for each in found.dead)} silent" if found.dead else ""
        return (f"it holds {found.count} channels{silent}; list the file once for each voice in [[recordings]], with channel = 1, 2, …",)
    return ()


def suggested_channel(found: ChannelFindings) -> str:
    """The `channel` that centres the voice where only one channel holds it; empty where nothing need be chosen."""
    if found.only_live is not None:
        return _name(found.only_live, found.count)
    return _name(1 - found.noise[0], 2) if found.noise else ""


def _name(channel: int, count: int) -> str:
    return ("left", "right")[channel] if count == 2 else str(channel + 1)
