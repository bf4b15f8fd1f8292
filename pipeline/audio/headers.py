"""What a file's own header promises, read byte by byte: FFmpeg plays what is there and says nothing of what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

_MOST_CHUNKS = 10_000  # a file made of empty chunks would be read for hours
_UNKNOWN = 0xFFFFFF00  # and above: a recorder that never came back to write the length
_CRUMBS_BYTES = 1 << 16  # after the last chunk: what editors and memory cards leave there
_ZEROS_BYTES = 1 << 24  # after the last chunk: room that a recorder took and did not need
_BITS = (8, 12, 16, 20, 24, 32)
_OGG_PAGE_BYTES = 1 << 17  # longer than the longest page


@dataclass(frozen=True)
class Form:
    """How a family of files is laid out: chunks, each with a name, a length and a content."""

    first: int  # where the first chunk is
    name_bytes: int
    length_bytes: int
    order: Literal["little", "big"]
    data: bytes  # the chunk of the samples
    align: int = 2  # a chunk begins at a multiple of this
    inclusive: bool = False  # whether a length counts the chunk's own head


@dataclass(frozen=True)
class Data:
    """Where the samples are."""

    start: int
    length: int | None  # bytes; None when the header leaves it open


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

# What people give instead of a recording, by how it starts: what it is, and what to do.
_KINDS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"SQLite format 3",), "an Audacity project, not a recording", "open it in Audacity and export the sound as WAV"),
    ((b"<?xml", b"<REAPER_PROJECT"), "a project or a text, not a recording", "export the sound as WAV from the program that made it"),
    ((b"<!doctype", b"<html"), "a web page, not a recording", "the download went wrong: download it again"),
    ((b"#EXTM3U", b"[playlist]", b"ffconcat", b"#!"), "a list, not a recording", "name the recordings themselves"),
    ((b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf"), "an archive, not a recording", "unpack it first"),
    ((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8"), "a document or a picture, not a recording", "name the file that has the sound"),
    ((b"MThd",), "a MIDI file: it holds notes, not sound", "export the sound as WAV from the program that made it"),
)
_ANY = "use WAV, FLAC, MP3, M4A, Ogg or another audio file; if it is one, it is damaged"


def ends_early(path: Path) -> bool:
    """Whether less is there than the header of a WAV (RF64, BW64, W64), AIFF or CAF says, or an Ogg lacks its last page."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(4)
        if start == b"OggS":
            return _ogg_ends_early(stream, size)
        data = data_of(stream, size)
        return data is not None and data.length is not None and data.start + data.length > size


def is_bare(path: Path) -> bool:
    """Whether there is a header, and not one sample."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        data = data_of(stream, size)
    return data is not None and data.start >= size


def goes_on(path: Path) -> bool:
    """Whether sound follows what the header calls its end: past 4 GiB, a WAV's 32 bits begin again at 0."""
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
    """Whether it starts like an MP4, M4A or MOV."""
    with path.open("rb") as stream:
        return stream.read(8)[4:] in (b"ftyp", b"mdat", b"moov", b"free", b"skip", b"wide")


def odd_bits(path: Path) -> int:
    """The bits a sample that the header of a PCM WAV tells, when no recorder or program writes so many; 0 when they are sane."""
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
    """Where the samples of a file made of chunks are; None when it is no such file, or has no such chunk."""
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
    """The length of the samples, None when it is one of those that recorders write before they know."""
    if form.length_bytes == 8:
        return length if 0 < length < 1 << 62 else None
    if length >= _UNKNOWN and long_length:
        return long_length
    return length if 0 < length < _UNKNOWN else None


def _form(stream: BinaryIO) -> Form | None:
    """The family of a file."""
    stream.seek(0)
    head = stream.read(12)
    if head[:4] == b"caff":
        return _CAF
    if head[:12] == bytes.fromhex("726966662e91cf11a5d628db"):
        return _W64
    return _FORMS.get((head[:4], head[8:12]))


def _chunks(stream: BinaryIO, form: Form, size: int, at: int) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk from `at` on: its name, where its content starts, and how long that says it is."""
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
    """Whether the last page is torn, or is not marked as the last."""
    stream.seek(max(0, size - _OGG_PAGE_BYTES))
    page = stream.read().rpartition(b"OggS")[2]
    # RFC 3533, section 6: flag 4 is "end of stream"; after 23 bytes come the lengths of the segments, then the segments.
    whole = len(page) >= 23 and len(page) >= 23 + page[22] + sum(page[23 : 23 + page[22]])
    return not whole or not page[1] & 4


def kind_of(start: bytes) -> tuple[str, str]:
    """What a file that is no recording seems to be, from its first bytes, and what to do about it."""
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
    """Whether the beginning of a file reads as UTF-8 text; its last character may be torn."""
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            return False
        text = start[: error.start].decode("utf-8")
    return all(char.isprintable() or char.isspace() for char in text)
