"""The name of a font file, and which characters it has, by its `cmap` table (OpenType 1.9, formats 4 and 12, which hold Unicode)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pipeline.model.errors import CauserieError

FONT_SIGNATURES = (b"\0\1\0\0", b"OTTO", b"true")  # TrueType, CFF, and Apple's TrueType; not WOFF, which is for browsers


@lru_cache(16)
def font_characters(path: Path) -> frozenset[str]:
    """The characters of a TrueType or OpenType font. Raises `CauserieError` when the file is none, or is damaged."""
    data = path.read_bytes()
    try:
        if data[:4] not in FONT_SIGNATURES:
            raise ValueError
        return frozenset(chr(point) for point in _code_points(data) if not 0xD800 <= point < 0xE000)
    except (ValueError, struct.error, IndexError, OverflowError) as error:
        raise CauserieError("is not a TrueType or OpenType font", str(path), "name a .ttf or .otf file") from error


@lru_cache(16)
def font_family(path: Path) -> str:
    """The name of the family of a font that `font_characters` can read, as typesetters look it up; empty when it has none."""
    data = path.read_bytes()
    try:
        start = _table(data, b"name")
        _, count, texts = struct.unpack_from(">HHH", data, start)
        records = [struct.unpack_from(">6H", data, start + 6 + 12 * index) for index in range(count)]
        names = {
            name: data[start + texts + offset : start + texts + offset + size].decode("utf-16-be")
            for platform, _, _, name, size, offset in records
            if platform == 3
        }
    except (ValueError, struct.error):
        return ""
    return names.get(16) or names.get(1, "")  # the typographic family, or that of at most four styles


def _table(data: bytes, tag: bytes) -> int:
    """Where a table starts. Raises `ValueError` when there is none."""
    (count,) = struct.unpack_from(">H", data, 4)
    tables = (struct.unpack_from(">4sLLL", data, 12 + 16 * index) for index in range(count))
    start: int | None = next((offset for name, _, offset, _ in tables if name == tag), None)
    if start is None:
        raise ValueError
    return start


def _code_points(data: bytes) -> Iterator[int]:
    """The code points of the Unicode subtables that have a glyph."""
    cmap = _table(data, b"cmap")
    (count,) = struct.unpack_from(">H", data, cmap + 2)
    for index in range(count):
        platform, encoding, offset = struct.unpack_from(">HHL", data, cmap + 4 + 8 * index)
        if platform == 0 or (platform == 3 and encoding in (1, 10)):  # Unicode; Windows, Unicode
            (form,) = struct.unpack_from(">H", data, cmap + offset)
            yield from _FORMATS[form](data, cmap + offset) if form in _FORMATS else ()


def _segments(data: bytes, start: int) -> Iterator[int]:
    """The code points of format 4, up to U+FFFE; glyph 0 stands for a character that is missing."""
    (size,) = struct.unpack_from(">H", data, start + 6)  # bytes of each of the four arrays
    lasts, firsts, deltas, offsets = (
        struct.unpack_from(f">{size // 2}H", data, start + at) for at in (14, 16 + size, 16 + 2 * size, 16 + 3 * size)
    )
    previous = -1
    for index, (first, last, delta, offset) in enumerate(zip(firsts, lasts, deltas, offsets, strict=True)):
        if not previous < first <= last:  # also, a file that repeats its ranges would take for ever
            raise ValueError
        previous = last
        for point in range(first, min(last, 0xFFFE) + 1):
            glyph = point
            if offset:
                (glyph,) = struct.unpack_from(">H", data, start + 16 + 3 * size + 2 * index + offset + 2 * (point - first))
            if glyph and (glyph + delta) & 0xFFFF:
                yield point


def _groups(data: bytes, start: int) -> Iterator[int]:
    """The code points of format 12."""
    (count,) = struct.unpack_from(">L", data, start + 12)
    previous = -1
    for index in range(count):
        first, last, glyph = struct.unpack_from(">LLL", data, start + 16 + 12 * index)
        if not previous < first <= last < 0x110000:
            raise ValueError
        previous = last
        yield from range(first + (glyph == 0), last + 1)


_FORMATS = {4: _segments, 12: _groups}
