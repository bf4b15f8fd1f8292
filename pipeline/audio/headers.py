"""Compare a file with what its container header declares: FFmpeg plays what is there and does not report what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

_MOST_CHUNKS = 10_000  # reading a file made of empty chunks would take hours
_UNKNOWN = 0xFFFFFF00  # and above: the recorder never went back to write the length
_CRUMBS_BYTES = 1 << 16  # tolerated after the last chunk: left there by editors and memory cards
_ZEROS_BYTES = 1 << 24  # zeros tolerated after the last chunk: space a recorder allocated and did not use
_BITS = (8, 12, 16, 20, 24, 32)
_OGG_PAGE_BYTES = 1 << 17  # longer than the longest page


@dataclass(frozen=True)
class Form:
    """The layout of a family of containers: chunks, each with a name, a length and content."""

    first: int  # offset of the first chunk
    name_bytes: int
    length_bytes: int
    order: Literal["little", "big"]
    data: bytes  # name of the chunk with the samples
    align: int = 2  # chunks begin at multiples of this
    inclusive: bool = False  # whether the length includes the chunk header


@dataclass(frozen=True)
class Data:
    """The position of the samples in a file."""

    start: int
    length: int | None  # bytes; None when the header does not declare it


_RIFF = Form(12, 4, 4, "little", b"data")  # RF64 and BW64: EBU Tech 3306, ITU-R BS.2088
_AIFF = Form(12, 4, 4, "big", b"SSND")
_CAF = Form(8, 4, 8, "big", b"data", align=1)
_W64 = Form(40, 16, 8, "little", bytes.fromhex("64617461f3acd3118cd100c04f8edb8a"), align=8, inclusive=True)
_FORMS = {
    (b"RIFF", b"WAVE"): _RIFF,
    (b"RF64", b"WAVE"): _RIFF,
    (b"BW64", b"WAVE"): _RIFF,
    (b"FORM", b"AIFF"): _AIFF,
    (b"FORM", b"AIFC"): _AIFF,
}

# Files given by mistake instead of a recording: how they start, what they are, and what to do.
_KINDS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"SQLite format 3",), "an Audacity project, not a recording", "open it in Audacity and export the sound as WAV"),
    ((b"<?xml", b"<REAPER_PROJECT"), "a project or a text, not a recording", "export the sound as WAV from the program that made it"),
    ((b"<!doctype", b"<html"), "a web page, not a recording", "the download went wrong: download it again"),
    ((b"#EXTM3U", b"[playlist]", b"ffconcat", b"#!"), "a playlist or a script, not a recording", "name the recordings themselves"),
    ((b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf"), "an archive, not a recording", "unpack it first"),
    ((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8"), "a document or a picture, not a recording", "name the file that has the sound"),
    ((b"MThd",), "a MIDI file: it holds notes, not sound", "export the sound as WAV from the program that made it"),
)
_ANY = "use WAV, FLAC, MP3, M4A, Ogg or another audio file; if it is one, it is damaged"


def ends_early(path: Path) -> bool:
    """Whether a WAV (RF64, BW64, W64), AIFF or CAF is shorter than its header declares, or an Ogg lacks its last page."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(4)
        if start == b"OggS":
            return _ogg_ends_early(stream, size)
        data = data_of(stream, size)
        return data is not None and data.length is not None and data.start + data.length > size


def is_bare(path: Path) -> bool:
    """Whether a file consists of a header only."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        data = data_of(stream, size)
    return data is not None and data.start >= size


def goes_on(path: Path) -> bool:
    """Whether audio follows the end that the header declares: past 4 GiB, the 32-bit length of a WAV wraps around."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        form, data = _form(stream), data_of(stream, size)
        if form is None or data is None or data.length is None:
            return False
        at = data.start + data.length
        for name, start, length in _chunks(stream, form, size, at + -at % form.align):
            if not all(32 <= byte < 127 for byte in name[:4]) or start + length > size:
                break
            at = start + length
        stream.seek(at)
        return size - at > (_CRUMBS_BYTES if any(stream.read(_CRUMBS_BYTES)) else _ZEROS_BYTES)


def begins_as_mp4(path: Path) -> bool:
    """Whether a file starts like an MP4, M4A or MOV."""
    with path.open("rb") as stream:
        return stream.read(8)[4:] in (b"ftyp", b"mdat", b"moov", b"free", b"skip", b"wide")


def odd_bits(path: Path) -> int:
    """Return the bit depth that the header of a PCM WAV declares if it is implausible, else 0."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if _form(stream) is not _RIFF:
            return 0
        for name, start, _ in _chunks(stream, _RIFF, size, _RIFF.first):
            if name == b"fmt ":
                stream.seek(start)
                fmt = stream.read(16)
                bits = int.from_bytes(fmt[14:16], "little")
                return bits if fmt[:2] == b"\1\0" and bits not in _BITS else 0
    return 0


def data_of(stream: BinaryIO, size: int) -> Data | None:
    """Return the position of the samples in a chunked container; None for other files, or when there is no such chunk."""
    form, long_length = _form(stream), None
    if form is None:
        return None
    for name, start, length in _chunks(stream, form, size, form.first):
        if name == b"ds64":
            stream.seek(start + 8)
            long_length = int.from_bytes(stream.read(8), "little")
        if name == form.data:
            return Data(start, _told(length, long_length, form))
    return None


def _told(length: int, long_length: int | None, form: Form) -> int | None:
    """Return the declared length of the samples, bytes; None when it is a placeholder that recorders write before they know it."""
    if form.length_bytes == 8:
        return length if 0 < length < 1 << 62 else None
    if length >= _UNKNOWN and long_length:
        return long_length
    return length if 0 < length < _UNKNOWN else None


def _form(stream: BinaryIO) -> Form | None:
    """Return the container family of a file; None when it is not a chunked one."""
    stream.seek(0)
    head = stream.read(12)
    if head[:4] == b"caff":
        return _CAF
    if head[:12] == bytes.fromhex("726966662e91cf11a5d628db"):
        return _W64
    return _FORMS.get((head[:4], head[8:12]))


def _chunks(stream: BinaryIO, form: Form, size: int, at: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk from offset `at` on: its name, the offset of its content, and the declared length of its content."""
    head_bytes = form.name_bytes + form.length_bytes
    for _ in range(_MOST_CHUNKS):
        if at + head_bytes > size:
            return
        stream.seek(at)
        head = stream.read(head_bytes)
        length = int.from_bytes(head[form.name_bytes :], form.order)
        length = max(0, length - head_bytes) if form.inclusive else length
        yield head[: form.name_bytes], at + head_bytes, length
        at += head_bytes + length
        at += -at % form.align


def _ogg_ends_early(stream: BinaryIO, size: int) -> bool:
    """Whether the last page is incomplete, or not marked as the last."""
    stream.seek(max(0, size - _OGG_PAGE_BYTES))
    page = stream.read().rpartition(b"OggS")[2]
    # RFC 3533, section 6: flag 4 is "end of stream"; after 23 bytes come the lengths of the segments, then the segments.
    whole = len(page) >= 23 and len(page) >= 23 + page[22] + sum(page[23 : 23 + page[22]])
    return not whole or not page[1] & 4


def kind_of(start: bytes) -> tuple[str, str]:
    """Return what a file that is not a recording seems to be, from its first bytes, and a hint on what to do."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for signs, kind, hint in _KINDS:
        if any(text[: len(sign)].lower() == sign.lower() for sign in signs):
            return kind, hint
    if text and _is_text(text):
        return "a text, not a recording", "name the file that has the sound"
    if not any(start):
        return "not a recording: it is full of zeros", "its copy failed: copy it again from the recorder"
    return "not a recording that can be read", _ANY


def _is_text(start: bytes) -> bool:
    """Whether the first bytes of a file are UTF-8 text; the last character may be incomplete."""
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            return False
        text = start[: error.start].decode("utf-8")
    return all(char.isprintable() or char.isspace() for char in text)
