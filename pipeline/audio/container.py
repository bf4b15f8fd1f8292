"""Compare a file with what its container header declares: FFmpeg plays what is there and does not report what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

_MAX_CHUNKS = 10_000  # reading a file made of empty chunks would take hours
_PLACEHOLDERS = (1 << 31, 1 << 32)  # lengths just below, or at: the recorder never went back to write the real one
_PLACEHOLDER_RANGE = 1 << 16  # writers subtract a header, or round down to whole blocks: 0x7FFFF000, 0xFFFFFFDB
_TRAILING_BYTES = 1 << 16  # tolerated after the last chunk: left there by editors and memory cards
_TRAILING_ZEROS_BYTES = 1 << 24  # zeros tolerated after the last chunk: space a recorder allocated and did not use
_BIT_DEPTHS = (8, 12, 16, 20, 24, 32)
_OGG_PAGE_BYTES = 1 << 17  # longer than the longest page
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
NO_LENGTH = "its length was never written into its header; read to its end"
NO_END_MARK = "its last page is not marked as the end; read to its end"


@dataclass(frozen=True)
class ChunkFormat:
    """The layout of a family of containers: chunks, each with a name, a length and content."""

    first_chunk: int  # offset of the first chunk
    name_bytes: int
    length_bytes: int
    byte_order: Literal["little", "big"]
    data_name: bytes  # name of the chunk with the samples
    alignment: int = 2  # chunks begin at multiples of this
    length_includes_header: bool = False  # whether the length includes the chunk header


@dataclass(frozen=True)
class DataChunk:
    """The position of the samples in a file."""

    start: int
    length: int | None  # bytes; None when the header does not declare it


_RIFF = ChunkFormat(12, 4, 4, "little", b"data")  # RF64 and BW64: EBU Tech 3306, ITU-R BS.2088
_AIFF = ChunkFormat(12, 4, 4, "big", b"SSND")
_CAF = ChunkFormat(8, 4, 8, "big", b"data", alignment=1)
_W64 = ChunkFormat(40, 16, 8, "little", bytes.fromhex("64617461f3acd3118cd100c04f8edb8a"), alignment=8, length_includes_header=True)
_CHUNK_FORMATS = {
    (b"RIFF", b"WAVE"): _RIFF,
    (b"RF64", b"WAVE"): _RIFF,
    (b"BW64", b"WAVE"): _RIFF,
    (b"FORM", b"AIFF"): _AIFF,
    (b"FORM", b"AIFC"): _AIFF,
}

# Files given by mistake instead of a recording: how they start, what they are, and what to do.
_NON_AUDIO_SIGNATURES: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"SQLite format 3",), "an Audacity project, not a recording", "open it in Audacity and export the sound as WAV"),
    ((b"<?xml", b"<REAPER_PROJECT"), "a project or a text, not a recording", "export the sound as WAV from the program that made it"),
    ((b"<!doctype", b"<html"), "a web page, not a recording", "the download went wrong: download it again"),
    ((b"#EXTM3U", b"[playlist]", b"ffconcat", b"#!"), "a playlist or a script, not a recording", "name the recordings themselves"),
    ((b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf"), "an archive, not a recording", "unpack it first"),
    ((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8"), "a document or a picture, not a recording", "name the file that has the sound"),
    ((b"MThd",), "a MIDI file: it holds notes, not sound", "export the sound as WAV from the program that made it"),
)
_ANY_AUDIO_HINT = "use WAV, FLAC, MP3, M4A, Ogg or another audio file; if it is one, it is damaged"


def is_truncated(path: Path) -> bool:
    """Whether a WAV (RF64, BW64, W64), AIFF or CAF is shorter than its header declares, or an Ogg ends within a page."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(4)
        if start == b"OggS":
            return not _last_ogg_page(stream, size)[0]
        data = find_data_chunk(stream, size)
        return data is not None and data.length is not None and data.start + data.length > size


def doubts(path: Path) -> tuple[str, ...]:
    """What a complete-looking file leaves open: a length nobody wrote, an Ogg whose last page is not marked as the last."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if stream.read(4) == b"OggS":
            is_whole, is_marked = _last_ogg_page(stream, size)
            return (NO_END_MARK,) if is_whole and not is_marked else ()
        data = find_data_chunk(stream, size)
    return (NO_LENGTH,) if data is not None and data.length is None else ()


def is_structurally_complete(path: Path) -> bool:
    """Whether an Ogg, ASF (WMA) or MP4 holds every page, packet or box: then what it decodes to is all of it, whatever its times say."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(16)
        if start[:4] == b"OggS":
            return _has_all_ogg_pages(stream, size)
        if start[4:8] == b"ftyp":
            return _has_all_mp4_boxes(stream, size)
        return start == _ASF_HEADER and _has_all_asf_packets(stream, size)


def opus_pre_skip_s(path: Path) -> float:
    """Seconds at the start of an Ogg Opus that are decoded and not played (RFC 7845), but counted by its times; 0 for other files."""
    with path.open("rb") as stream:
        start = stream.read(_OGG_PAGE_BYTES // 128)
    at = start.find(b"OpusHead")
    return int.from_bytes(start[at + 10 : at + 12], "little") / 48_000 if start[:4] == b"OggS" and at > 0 else 0.0


def has_no_samples(path: Path) -> bool:
    """Whether a file consists of a header only."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        data = find_data_chunk(stream, size)
    return data is not None and data.start >= size


def has_data_past_end(path: Path) -> bool:
    """Whether audio follows the end that the header declares: past 4 GiB, the 32-bit length of a WAV wraps around."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        chunk_format, data = _chunk_format(stream), find_data_chunk(stream, size)
        if chunk_format is None or data is None or data.length is None:
            return False
        at = data.start + data.length
        for name, start, length in _chunks(stream, chunk_format, size, at + -at % chunk_format.alignment):
            if not all(32 <= byte < 127 for byte in name[:4]) or start + length > size:
                break
            at = start + length
        stream.seek(at)
        return size - at > (_TRAILING_BYTES if any(stream.read(_TRAILING_BYTES)) else _TRAILING_ZEROS_BYTES)


def is_mp4(path: Path) -> bool:
    """Whether a file starts like an MP4, M4A or MOV."""
    with path.open("rb") as stream:
        return stream.read(8)[4:] in (b"ftyp", b"mdat", b"moov", b"free", b"skip", b"wide")


def invalid_bit_depth(path: Path) -> int:
    """Return the bit depth that the header of a PCM WAV declares if it is implausible, else 0."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if _chunk_format(stream) is not _RIFF:
            return 0
        for name, start, _ in _chunks(stream, _RIFF, size, _RIFF.first_chunk):
            if name == b"fmt ":
                stream.seek(start)
                fmt = stream.read(16)
                bits = int.from_bytes(fmt[14:16], "little")
                return bits if fmt[:2] == b"\1\0" and bits not in _BIT_DEPTHS else 0
    return 0


def find_data_chunk(stream: BinaryIO, size: int) -> DataChunk | None:
    """Return the position of the samples in a chunked container; None for other files, or when there is no such chunk."""
    chunk_format, long_length = _chunk_format(stream), None
    if chunk_format is None:
        return None
    for name, start, length in _chunks(stream, chunk_format, size, chunk_format.first_chunk):
        if name == b"ds64":
            stream.seek(start + 8)
            long_length = int.from_bytes(stream.read(8), "little")
        if name == chunk_format.data_name:
            return DataChunk(start, _declared_length(length, long_length, chunk_format))
    return None


def _declared_length(length: int, long_length: int | None, chunk_format: ChunkFormat) -> int | None:
    """Return the declared length of the samples, bytes; None when it is a placeholder that recorders write before they know it."""
    if chunk_format.length_bytes == 8:
        return length if 0 < length < 1 << 62 else None
    if length >= _PLACEHOLDERS[1] - _PLACEHOLDER_RANGE and long_length:
        return long_length if long_length < 1 << 62 else None
    return None if length == 0 or any(-_PLACEHOLDER_RANGE <= length - each <= 0 for each in _PLACEHOLDERS) else length


def _chunk_format(stream: BinaryIO) -> ChunkFormat | None:
    """Return the container family of a file; None when it is not a chunked one."""
    stream.seek(0)
    head = stream.read(12)
    if head[:4] == b"caff":
        return _CAF
    if head[:12] == bytes.fromhex("726966662e91cf11a5d628db"):
        return _W64
    return _CHUNK_FORMATS.get((head[:4], head[8:12]))


def _chunks(stream: BinaryIO, chunk_format: ChunkFormat, size: int, at: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk from offset `at` on: its name, the offset of its content, and the declared length of its content."""
    head_bytes = chunk_format.name_bytes + chunk_format.length_bytes
    for _ in range(_MAX_CHUNKS):
        if at + head_bytes > size:
            return
        stream.seek(at)
        head = stream.read(head_bytes)
        length = int.from_bytes(head[chunk_format.name_bytes :], chunk_format.byte_order)
        length = max(0, length - head_bytes) if chunk_format.length_includes_header else length
        yield head[: chunk_format.name_bytes], at + head_bytes, length
        at += head_bytes + length
        at += -at % chunk_format.alignment


def _last_ogg_page(stream: BinaryIO, size: int) -> tuple[bool, bool]:
    """Whether the last page is complete, and whether it is marked as the last."""
    stream.seek(max(0, size - _OGG_PAGE_BYTES))
    page = stream.read().rpartition(b"OggS")[2]
    # RFC 3533, section 6: flag 4 is "end of stream"; after 23 bytes come the lengths of the segments, then the segments.
    is_complete = len(page) >= 23 and len(page) >= 23 + page[22] + sum(page[23 : 23 + page[22]])
    return is_complete, is_complete and bool(page[1] & 4)


def _has_all_ogg_pages(stream: BinaryIO, size: int) -> bool:
    """Whether the pages of an Ogg follow each other without a gap, each stream numbered from 0 (RFC 3533, section 6)."""
    at, following = 0, dict[bytes, int]()
    while at < size:
        stream.seek(at)
        head = stream.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            return bool(following) and size - at <= _TRAILING_BYTES  # a tag behind the last page
        segments = stream.read(head[26])
        serial, number = head[14:18], int.from_bytes(head[18:22], "little")
        if number != following.get(serial, 0) or at + 27 + len(segments) + sum(segments) > size:
            return False
        following[serial] = number + 1
        at += 27 + len(segments) + sum(segments)
    return bool(following)


def _has_all_mp4_boxes(stream: BinaryIO, size: int) -> bool:
    """Whether the outermost boxes of an MP4 fill it, the index and the samples among them (ISO 14496-12, section 4.2)."""
    at, names = 0, set[bytes]()
    while at + 8 <= size and len(names) < _MAX_CHUNKS:
        stream.seek(at)
        head = stream.read(16)
        length = int.from_bytes(head[:4], "big")
        length = int.from_bytes(head[8:], "big") if length == 1 else length or size - at
        if length < 8:
            return False
        names.add(head[4:8])
        at += length
    return at == size and {b"moov", b"mdat"} <= names


def _has_all_asf_packets(stream: BinaryIO, size: int) -> bool:
    """Whether an ASF is as long as the packets it declares (Advanced Systems Format, sections 3.1, 3.2 and 5.1)."""
    stream.seek(0)
    head = stream.read(min(size, 1 << 16))
    header_bytes, at = int.from_bytes(head[16:24], "little"), head.find(_ASF_FILE_PROPERTIES)
    if at < 0 or at + 100 > len(head):
        return False
    packets, packet_bytes = int.from_bytes(head[at + 56 : at + 64], "little"), int.from_bytes(head[at + 92 : at + 96], "little")
    return packets > 0 and header_bytes + 50 + packets * packet_bytes <= size


def identify_non_audio(start: bytes) -> tuple[str, str]:
    """Return what a file that is not a recording seems to be, from its first bytes, and a hint on what to do."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for signatures, kind, hint in _NON_AUDIO_SIGNATURES:
        if any(text[: len(sign)].lower() == sign.lower() for sign in signatures):
            return kind, hint
    if text and _is_text(text):
        return "a text, not a recording", "name the file that has the sound"
    if not any(start):
        return "not a recording: it is full of zeros", "its copy failed: copy it again from the recorder"
    return "not a recording that can be read", _ANY_AUDIO_HINT


def _is_text(start: bytes) -> bool:
    """Whether the first bytes of a file are UTF-8 text; the last character may be incomplete."""
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            return False
        text = start[: error.start].decode("utf-8")
    return all(char.isprintable() or char.isspace() for char in text)
