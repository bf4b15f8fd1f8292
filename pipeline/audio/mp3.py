"""MP3 frames (ISO/IEC 11172-3 and 13818-3, layer III): joining separately encoded streams, and the Info frame with the length.

The main data of a frame may begin in earlier frames: the bit reservoir, up to 511 bytes back (`main_data_begin`). Streams of the same
audio, encoded from different starts on the same frame grid, can be joined at a frame that reaches no further back than the frame it
replaces: the data it needs is written over that of the dropped frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import xor
from pathlib import Path

ENCODER_DELAY = 576  # samples LAME inserts before the audio
_KBPS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = (44_100, 48_000, 32_000)
_INFO_BYTES = 156  # "Info", flags, frames, bytes, 100 bytes of seek table, quality, and LAME's 36 bytes
_PRIMING_FRAMES = 12  # frames after its start until an encoder has settled
_ENDING_FRAMES = 4  # frames affected by the end of a stream
_BLOCK_BYTES = 1 << 22
_LANES = 4096
_CRC = [reduce(lambda crc, _: crc >> 1 ^ (0xA001 if crc & 1 else 0), range(8), byte) for byte in range(256)]


@dataclass(frozen=True)
class FrameHeader:
    """The header of a frame, its first four bytes."""

    is_mpeg1: bool  # MPEG-1; else MPEG-2, with half the sample rates
    kbps: int
    rate_hz: int
    padding: int
    is_mono: bool
    has_crc: bool  # two bytes of checksum follow

    @property
    def samples_per_frame(self) -> int:
        """Decoded samples per channel."""
        return 1152 if self.is_mpeg1 else 576

    @property
    def frame_bytes(self) -> int:
        """Length of the frame, bytes."""
        return self.samples_per_frame // 8 * self.kbps * 1000 // self.rate_hz + self.padding

    @property
    def main_data_offset(self) -> int:
        """Offset of the main data area in the frame, after the side information."""
        side = (17 if self.is_mono else 32) if self.is_mpeg1 else (9 if self.is_mono else 17)
        return 4 + 2 * self.has_crc + side


def parse_header(data: bytes, at: int = 0) -> FrameHeader:
    """Parse the header of the frame at offset `at`; raises `ValueError` when there is none."""
    word = int.from_bytes(data[at : at + 4])
    version, kbps, rate = word >> 19 & 3, word >> 12 & 15, word >> 10 & 3
    if len(data) < at + 4 or word >> 21 != 0x7FF or word >> 17 & 3 != 1 or version not in (2, 3) or kbps in (0, 15) or rate == 3:
        raise ValueError(f"no frame of layer III at byte {at}")
    is_mpeg1 = version == 3
    rate_hz = _RATES_HZ[rate] // (1 if is_mpeg1 else 2)
    return FrameHeader(is_mpeg1, _KBPS[is_mpeg1][kbps], rate_hz, word >> 9 & 1, word >> 6 & 3 == 3, not word >> 16 & 1)


@dataclass(frozen=True)
class FrameStream:
    """A stream that consists of complete frames only."""

    data: bytes

    @cached_property
    def frame_offsets(self) -> list[int]:
        """The offset of each frame, and the end of the last one; raises `ValueError` on any other content."""
        starts = [0]
        sizes: dict[bytes, int] = {}
        while (at := starts[-1]) < len(self.data):
            key = self.data[at : at + 4]  # there are few different headers: each is parsed once
            size = sizes.get(key) or sizes.setdefault(key, parse_header(key).frame_bytes)
            starts.append(at + size)
        if starts[-1] != len(self.data):
            raise ValueError("the last frame is incomplete")
        return starts

    @property
    def frame_count(self) -> int:
        """The number of frames."""
        return len(self.frame_offsets) - 1

    def main_data_area(self, frame: int) -> slice:
        """The byte range of a frame's main data area."""
        start = self.frame_offsets[frame]
        return slice(start + parse_header(self.data, start).main_data_offset, self.frame_offsets[frame + 1])

    def main_data_begin(self, frame: int) -> int:
        """How many bytes before its own main data area a frame's main data begins (the field `main_data_begin`)."""
        start = self.frame_offsets[frame]
        header = parse_header(self.data, start)
        at = start + 4 + 2 * header.has_crc
        word = int.from_bytes(self.data[at : at + 2])
        return word >> 7 if header.is_mpeg1 else word >> 8

    def block_types(self, frame: int) -> tuple[int, ...]:
        """The block type of each granule and channel (0 is the long block), which the next frame must match."""
        start = self.frame_offsets[frame]
        header = parse_header(self.data, start)
        side = self.data[start + 4 + 2 * header.has_crc : start + header.main_data_offset]
        bits, word = len(side) * 8, int.from_bytes(side)
        channels = 1 if header.is_mono else 2
        private, size, switch = ((5 if header.is_mono else 3) + 4 * channels, 59, 33) if header.is_mpeg1 else (channels, 63, 38)
        at = (9 if header.is_mpeg1 else 8) + private
        flags = [word >> bits - at - n * size - switch - 3 & 7 for n in range(channels * (2 if header.is_mpeg1 else 1))]
        return tuple(flag & 3 if flag & 4 else 0 for flag in flags)


def find_splice_frame(old: FrameStream, new: FrameStream, offset_frames: int) -> int | None:
    """Return the frame of `old` at which `new`, which begins `offset_frames` frames later, can continue; None when their overlap has none.

    Both must have the same block types there, because neighbouring windows overlap-add, and the reservoir of the new frame must fit.
    """
    for frame in range(offset_frames + _PRIMING_FRAMES, min(old.frame_count - _ENDING_FRAMES, offset_frames + new.frame_count)):
        has_room = new.main_data_begin(frame - offset_frames) <= old.main_data_begin(frame)
        if has_room and new.block_types(frame - offset_frames) == old.block_types(frame):
            return frame
    return None


def splice_tail(old: FrameStream, first: int, end: int, new: FrameStream, frame: int) -> bytes:
    """Return the frames of `old` from `first` up to `end` with the reservoir data of `frame` of `new` written in.

    `find_splice_frame` finds where that fits; raises `ValueError` when it does not.
    """
    out = bytearray(old.data[old.frame_offsets[first] : old.frame_offsets[end]])
    main_data = _main_data_before(new, frame, new.main_data_begin(frame))
    for each in range(end - 1, first - 1, -1):
        if not main_data:
            break
        area = old.main_data_area(each)
        size = min(len(main_data), area.stop - area.start)
        stop = area.stop - old.frame_offsets[first]
        out[stop - size : stop] = main_data[len(main_data) - size :]
        main_data = main_data[: len(main_data) - size]
    if main_data:
        raise ValueError("the reservoir reaches beyond the frames that are kept")
    return bytes(out)


def _main_data_before(stream: FrameStream, frame: int, count: int) -> bytes:
    """Return the last `count` bytes of the main data areas before a frame."""
    main_data = b""
    while len(main_data) < count:
        frame -= 1
        main_data = stream.data[stream.main_data_area(frame)] + main_data
    return main_data[len(main_data) - count :]


class NoSplicePoint(Exception):
    """Two streams cannot be joined anywhere in their overlap."""


def join_streams(streams: Iterable[tuple[int, FrameStream]]) -> Iterator[bytes]:
    """Yield the frames to keep of each stream; each comes with its offset in frames. Raises `NoSplicePoint` when two cannot be joined."""
    first, old, start = 0, FrameStream(b""), 0
    for offset_frames, new in streams:
        if old.data:
            end = find_splice_frame(old, new, offset_frames - start)
            if end is None or end <= first:
                raise NoSplicePoint
            yield splice_tail(old, first, end, new, end - (offset_frames - start))
            first = end - (offset_frames - start)
        old, start = new, offset_frames
    yield old.data[old.frame_offsets[first] :]


def write_mp3(path: Path, pieces: Iterable[bytes], samples: int) -> None:
    """Write frames after an Info frame, which states how many samples are audio."""
    first_header, frames, size, checksum = b"", 0, 0, 0
    with path.open("wb") as out:
        for piece in pieces:
            if not first_header:
                first_header = piece[:4]
                out.write(bytes(_info_frame_header(first_header)[1]))
            out.write(piece)
            frames += FrameStream(piece).frame_count
            size += len(piece)
            checksum = crc16(piece, checksum)
        out.seek(0)
        out.write(build_info_frame(first_header, samples, frames, size, checksum))


def build_info_frame(frame_header: bytes, samples: int, frames: int, size: int, checksum: int) -> bytes:
    """Build a silent frame with a Xing header named Info (constant bit rate) and LAME's extension: length, seek table, encoder delay.

    `frame_header` begins with a frame header of the stream, of which `frames` with `size` bytes and `checksum` follow. Raises `ValueError`
    when the frames do not match the number of samples.
    """
    header = parse_header(frame_header)
    padding = frames * header.samples_per_frame - ENCODER_DELAY - samples
    if not 0 <= padding < 1 << 12:
        raise ValueError(f"{frames} frames are not the length of {samples} samples")
    head, room = _info_frame_header(frame_header)
    total_bytes = room + size
    contents = bytes(round((room + size * n / 100) * 255 / total_bytes) for n in range(100))
    xing = b"Info" + (15).to_bytes(4) + frames.to_bytes(4) + total_bytes.to_bytes(4) + contents + (50).to_bytes(4)
    cut = (ENCODER_DELAY << 12 | padding).to_bytes(3)
    lame = (
        b"LAME3.100"
        + bytes([1, 0])
        + bytes(9)
        + bytes([min(header.kbps, 255)])
        + cut
        + bytes(4)
        + total_bytes.to_bytes(4)
        + checksum.to_bytes(2)
    )
    start = head + bytes(parse_header(head).main_data_offset - 4) + xing + lame
    return (start + crc16(start).to_bytes(2)).ljust(room, b"\0")


def _info_frame_header(frame_header: bytes) -> tuple[bytes, int]:
    """Return a header like `frame_header`, without checksum and padding, for a frame that holds the Info data; and its length."""
    header = parse_header(frame_header)
    kbps = _KBPS[header.is_mpeg1]
    for index in range(kbps.index(header.kbps), len(kbps)):
        candidate = bytes([frame_header[0], frame_header[1] | 1, index << 4 | frame_header[2] & 0x0C, frame_header[3] & 0xCF])
        if parse_header(candidate).frame_bytes >= parse_header(candidate).main_data_offset + _INFO_BYTES:
            return candidate, parse_header(candidate).frame_bytes
    raise ValueError("no frame of this kind is large enough")


def crc16(data: bytes, crc: int = 0) -> int:
    """Compute the CRC-16 with polynomial 0x8005, reflected, as LAME's tag requires; `crc` is that of the preceding data."""
    for at in range(0, len(data), _BLOCK_BYTES):
        block = data[at : at + _BLOCK_BYTES]
        crc = _crc16_by_lanes(block, crc) if len(block) > _LANES else _crc16_by_bytes(block, crc)
    return crc


def _crc16_by_bytes(data: bytes, crc: int) -> int:
    """Byte by byte, one microsecond each."""
    for byte in data:
        crc = _CRC[(crc ^ byte) & 255] ^ crc >> 8
    return crc


def _crc16_by_lanes(data: bytes, crc: int) -> int:
    """The same in parallel lanes, fifty times as fast.

    A CRC is linear: advancing a state through a lane gives the XOR of advancing each of its sixteen bits separately.
    """
    import numpy as np

    width = -(-len(data) // _LANES)
    start = bytes([data[0] ^ crc & 255, data[1] ^ crc >> 8])  # equivalent to starting with that state
    lanes = np.frombuffer((start + data[2:]).rjust(width * _LANES, b"\0"), np.uint8).reshape(_LANES, width)
    table, zeros = np.array(_CRC, np.uint16), np.zeros(16, np.uint8)
    states = np.concatenate([np.zeros(_LANES, np.uint16), 1 << np.arange(16, dtype=np.uint16)])
    for column in lanes.T:
        states = table[states & 255 ^ np.concatenate([column, zeros])] ^ states >> 8
    bits, total = states[_LANES:].tolist(), 0
    for lane in states[:_LANES].tolist():
        total = reduce(xor, (advanced for n, advanced in enumerate(bits) if total >> n & 1), lane)
    return total
