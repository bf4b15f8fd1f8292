"""MP3 frames (ISO/IEC 11172-3 and 13818-3, layer III): joining streams encoded apart, and the Info frame that tells players the length.

A frame's sound may begin in the frames before it: the bit reservoir, up to 511 bytes back (`main_data_begin`). Streams of one sound,
encoded from different starts on the same frame grid, can be joined at a frame that reaches no further back than the frame it replaces:
what it needs from back there is written over what the dropped frame had there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import xor
from pathlib import Path

DELAY = 576  # samples LAME puts before the sound
_KBPS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = (44_100, 48_000, 32_000)
_INFO_BYTES = 156  # "Info", flags, frames, bytes, 100 of contents, quality, and LAME's 36
_PRIMING = 12  # frames after its start in which an encoder has not yet heard what it decides by
_ENDING = 4  # frames at the end of a stream that know of its end
_BLOCK_BYTES = 1 << 22
_LANES = 4096
_CRC = [reduce(lambda crc, _: crc >> 1 ^ (0xA001 if crc & 1 else 0), range(8), byte) for byte in range(256)]


@dataclass(frozen=True)
class Header:
    """The four bytes a frame begins with."""

    first: bool  # MPEG-1; else the half rates of MPEG-2
    kbps: int
    rate_hz: int
    padding: int
    mono: bool
    protected: bool  # two bytes of checksum follow

    @property
    def samples(self) -> int:
        """What a frame decodes to, per channel."""
        return 1152 if self.first else 576

    @property
    def bytes(self) -> int:
        """The length of the frame."""
        return self.samples // 8 * self.kbps * 1000 // self.rate_hz + self.padding

    @property
    def side_end(self) -> int:
        """Where the main data area begins."""
        side = (17 if self.mono else 32) if self.first else (9 if self.mono else 17)
        return 4 + 2 * self.protected + side


def header(data: bytes, at: int = 0) -> Header:
    """The header of the frame that begins at `at`; `ValueError` when none does."""
    word = int.from_bytes(data[at : at + 4])
    version, kbps, rate = word >> 19 & 3, word >> 12 & 15, word >> 10 & 3
    if len(data) < at + 4 or word >> 21 != 0x7FF or word >> 17 & 3 != 1 or version not in (2, 3) or kbps in (0, 15) or rate == 3:
        raise ValueError(f"no frame of layer III at byte {at}")
    first = version == 3
    rate_hz = _RATES_HZ[rate] // (1 if first else 2)
    return Header(first, _KBPS[first][kbps], rate_hz, word >> 9 & 1, word >> 6 & 3 == 3, not word >> 16 & 1)


@dataclass(frozen=True)
class Stream:
    """A stream of whole frames and nothing else."""

    data: bytes

    @cached_property
    def starts(self) -> list[int]:
        """Where each frame begins, and where the last one ends; `ValueError` when there is something else."""
        starts, sizes = [0], {}
        while (at := starts[-1]) < len(self.data):
            key = self.data[at : at + 4]  # few different ones: a header is understood once
            size = sizes.get(key) or sizes.setdefault(key, header(key).bytes)
            starts.append(at + size)
        if starts[-1] != len(self.data):
            raise ValueError("the last frame is not whole")
        return starts

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.starts) - 1

    def area(self, frame: int) -> slice:
        """Where the main data area of a frame is."""
        start = self.starts[frame]
        return slice(start + header(self.data, start).side_end, self.starts[frame + 1])

    def reservoir(self, frame: int) -> int:
        """How many bytes of main data a frame begins before its own area (`main_data_begin`)."""
        start = self.starts[frame]
        found = header(self.data, start)
        at = start + 4 + 2 * found.protected
        word = int.from_bytes(self.data[at : at + 2])
        return word >> 7 if found.first else word >> 8

    def windows(self, frame: int) -> tuple[int, ...]:
        """The window shape of each granule and channel (0 is the long one): a neighbour must fit it."""
        start = self.starts[frame]
        found = header(self.data, start)
        side = self.data[start + 4 + 2 * found.protected : start + found.side_end]
        bits, word = len(side) * 8, int.from_bytes(side)
        channels = 1 if found.mono else 2
        private, size, switch = ((5 if found.mono else 3) + 4 * channels, 59, 33) if found.first else (channels, 63, 38)
        at = (9 if found.first else 8) + private
        flags = [word >> bits - at - n * size - switch - 3 & 7 for n in range(channels * (2 if found.first else 1))]
        return tuple(flag & 3 if flag & 4 else 0 for flag in flags)


def seam(old: Stream, new: Stream, ahead: int) -> int | None:
    """The frame of `old` that `new`, which begins `ahead` frames after it, can take over at; None when there is none in their overlap.

    Both must agree on window shapes there, which halves of neighbours add up to, and the new frame must find room for its reservoir.
    """
    for frame in range(ahead + _PRIMING, min(old.frames - _ENDING, ahead + new.frames)):
        fits = new.reservoir(frame - ahead) <= old.reservoir(frame)
        if fits and new.windows(frame - ahead) == old.windows(frame):
            return frame
    return None


def tail(old: Stream, first: int, end: int, new: Stream, frame: int) -> bytes:
    """The frames of `old` from `first` up to `end`, carrying what `frame` of `new` begins before itself; `seam` says where that fits."""
    out = bytearray(old.data[old.starts[first] : old.starts[end]])
    carried = _before(new, frame, new.reservoir(frame))
    for each in range(end - 1, first - 1, -1):
        if not carried:
            break
        area = old.area(each)
        size = min(len(carried), area.stop - area.start)
        stop = area.stop - old.starts[first]
        out[stop - size : stop] = carried[len(carried) - size :]
        carried = carried[: len(carried) - size]
    if carried:
        raise ValueError("the reservoir reaches beyond the frames that are kept")
    return bytes(out)


def _before(stream: Stream, frame: int, count: int) -> bytes:
    """The last `count` bytes of main data areas before a frame."""
    found = b""
    while len(found) < count:
        frame -= 1
        found = stream.data[stream.area(frame)] + found
    return found[len(found) - count :]


class NoSeam(Exception):
    """Two streams do not fit together anywhere in their overlap."""


def joined(streams: Iterable[tuple[int, Stream]]) -> Iterator[bytes]:
    """The frames to keep of each stream, which comes with how many frames after the first one it begins; `NoSeam` when two do not fit."""
    first, old, start = 0, Stream(b""), 0
    for later, new in streams:
        if old.data:
            end = seam(old, new, later - start)
            if end is None or end <= first:
                raise NoSeam
            yield tail(old, first, end, new, end - (later - start))
            first = end - (later - start)
        old, start = new, later
    yield old.data[old.starts[first] :]


def write(path: Path, pieces: Iterable[bytes], samples: int) -> None:
    """Write frames behind an Info frame that says how many samples of them are sound."""
    like, frames, size, checksum = b"", 0, 0, 0
    with path.open("wb") as out:
        for piece in pieces:
            if not like:
                like = piece[:4]
                out.write(bytes(_roomy(like)[1]))
            out.write(piece)
            frames += Stream(piece).frames
            size += len(piece)
            checksum = crc16(piece, checksum)
        out.seek(0)
        out.write(info_frame(like, samples, frames, size, checksum))


def info_frame(like: bytes, samples: int, frames: int, size: int, checksum: int) -> bytes:
    """A silent frame that holds a Xing header named Info (constant bit rate) with LAME's extension: length, seeking, what to cut off.

    `like` begins with a frame of the stream, of which `frames` with `size` bytes and `checksum` follow.
    """
    found = header(like)
    padding = frames * found.samples - DELAY - samples
    if not 0 <= padding < 1 << 12:
        raise ValueError(f"{frames} frames are not the length of {samples} samples")
    head, room = _roomy(like)
    whole = room + size
    contents = bytes(round((room + size * n / 100) * 255 / whole) for n in range(100))
    xing = b"Info" + (15).to_bytes(4) + frames.to_bytes(4) + whole.to_bytes(4) + contents + (50).to_bytes(4)
    cut = (DELAY << 12 | padding).to_bytes(3)
    lame = (
        b"LAME3.100" + bytes([1, 0]) + bytes(9) + bytes([min(found.kbps, 255)]) + cut + bytes(4) + whole.to_bytes(4) + checksum.to_bytes(2)
    )
    start = head + bytes(header(head).side_end - 4) + xing + lame
    return (start + crc16(start).to_bytes(2)).ljust(room, b"\0")


def _roomy(like: bytes) -> tuple[bytes, int]:
    """The header of a frame of the same kind that is large enough for the Info, with no checksum and no padding; and its length."""
    found = header(like)
    kbps = _KBPS[found.first]
    for index in range(kbps.index(found.kbps), len(kbps)):
        candidate = bytes([like[0], like[1] | 1, index << 4 | like[2] & 0x0C, like[3] & 0xCF])
        if header(candidate).bytes >= header(candidate).side_end + _INFO_BYTES:
            return candidate, header(candidate).bytes
    raise ValueError("no frame of this kind is large enough")


def crc16(data: bytes, crc: int = 0) -> int:
    """CRC-16 with the polynomial 8005, reflected, as LAME's tag wants it; `crc` is that of what came before."""
    for at in range(0, len(data), _BLOCK_BYTES):
        block = data[at : at + _BLOCK_BYTES]
        crc = _crc16_by_lanes(block, crc) if len(block) > _LANES else _crc16_by_bytes(block, crc)
    return crc


def _crc16_by_bytes(data: bytes, crc: int) -> int:
    """The plain way, a microsecond a byte."""
    for byte in data:
        crc = _CRC[(crc ^ byte) & 255] ^ crc >> 8
    return crc


def _crc16_by_lanes(data: bytes, crc: int) -> int:
    """The same, cut into lanes that advance side by side, fifty times as fast.

    A checksum is linear: what becomes of a state behind another lane is the sum of what becomes of its sixteen bits, each alone.
    """
    import numpy as np

    width = -(-len(data) // _LANES)
    start = bytes([data[0] ^ crc & 255, data[1] ^ crc >> 8])  # as good as starting with that state
    lanes = np.frombuffer((start + data[2:]).rjust(width * _LANES, b"\0"), np.uint8).reshape(_LANES, width)
    table, nothing = np.array(_CRC, np.uint16), np.zeros(16, np.uint8)
    states = np.concatenate([np.zeros(_LANES, np.uint16), 1 << np.arange(16, dtype=np.uint16)])
    for column in lanes.T:
        states = table[states & 255 ^ np.concatenate([column, nothing])] ^ states >> 8
    bits, total = states[_LANES:].tolist(), 0
    for lane in states[:_LANES].tolist():
        total = reduce(xor, (moved for n, moved in enumerate(bits) if total >> n & 1), lane)
    return total
