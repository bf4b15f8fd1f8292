"""Compare a file with what its container header declares: FFmpeg plays what is there and does not report what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

_MAX_CHUNKS = 10_000  # reading a file made of empty chunks would take hours
_UNKNOWN_LENGTH = 0xFFFFFF00  # and above: the recorder never went back to write the length
_TRAILING_BYTES = 1 << 16  # tolerated after the last chunk: left there by editors and memory cards
_TRAILING_ZEROS_BYTES = 1 << 24  # zeros tolerated after the last chunk: space a recorder allocated and did not use
_BIT_DEPTHS = (8, 12, 16, 20, 24, 32)
_OGG_PAGE_BYTES = 1 << 17  # longer than the longest page


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
    """Whether a WAV (RF64, BW64, W64), AIFF or CAF is shorter than its header declares, or an Ogg lacks its last page."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(4)
        if start == b"OggS":
            return _is_ogg_truncated(stream, size)
        data = find_data_chunk(stream, size)
        return data is not None and data.length is not None and data.start + data.length > size


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
    if length >= _UNKNOWN_LENGTH and long_length:
        return long_length
    return length if 0 < length < _UNKNOWN_LENGTH else None


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


def _is_ogg_truncated(stream: BinaryIO, size: int) -> bool:
    """Whether the last page is incomplete, or not marked as the last."""
    stream.seek(max(0, size - _OGG_PAGE_BYTES))
    page = stream.read().rpartition(b"OggS")[2]
    # RFC 3533, section 6: flag 4 is "end of stream"; after 23 bytes come the lengths of the segments, then the segments.
    is_complete = len(page) >= 23 and len(page) >= 23 + page[22] + sum(page[23 : 23 + page[22]])
    return not is_complete or not page[1] & 4


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
