"""JPEG and PNG headers (ITU-T T.81; W3C PNG), read from the bytes whatever the file's extension, and URLs with the right extension."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from pipeline.model.errors import CauserieError

HASH_DIGITS = 10
HEADER_BYTES = 1 << 20  # thumbnails and colour profiles come before a JPEG's frame header
_FIRST_READ_BYTES = 1 << 16
_JPEG_COLOURS = {1: "grey", 3: "RGB", 4: "CMYK"}  # by number of components in a frame; three (YCbCr mostly) are decoded to RGB
_PNG_COLOURS = {0: ("grey", False), 2: ("RGB", False), 3: ("RGB", False), 4: ("grey", True), 6: ("RGB", True)}


@dataclass(frozen=True)
class ImageHeader:
    """Type, size and colour of an image, from its header."""

    type: str  # "jpeg" or "png"
    width_px: int
    height_px: int
    colour: str  # RGB, grey, CMYK
    alpha: bool


def chapter_image_key(slug: str, data: bytes, name: str) -> str:
    """The path of a published chapter image below the show's URL; raises `CauserieError` at `name` unless it is JPEG or PNG."""
    return f"{slug}/chapter-{hashlib.sha256(data).hexdigest()[:HASH_DIGITS]}{image_size(data, name)[0]}"


def image_size(data: bytes, name: str) -> tuple[str, int, int]:
    """The extension of an image's real type, its width and height in pixels; raises `CauserieError` at `name` unless JPEG or PNG."""
    return extension_and_size(parse_header(data), name)


def extension_and_size(header: ImageHeader | None, name: str) -> tuple[str, int, int]:
    """As `image_size`, from a parsed header; raises `CauserieError` at `name` when it is None."""
    if header is None:
        raise CauserieError("is not a JPEG or PNG image", name, "export it again as JPEG")
    return ".png" if header.type == "png" else ".jpg", header.width_px, header.height_px


def parse_header(data: bytes) -> ImageHeader | None:
    """The header in the first bytes of an image; None unless it is JPEG or PNG."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 26:
        return _parse_png(data)
    return _parse_jpeg(data) if data.startswith(b"\xff\xd8") else None


def read_header(path: Path) -> ImageHeader | None:
    """The header of an image file, reading no more than 1 MiB; None unless it is JPEG or PNG."""
    with path.open("rb") as stream:
        start = stream.read(_FIRST_READ_BYTES)
        header = None if start.startswith(b"\x89") else parse_header(start)  # a PNG's tRNS chunk may come late
        return header or parse_header(start + stream.read(HEADER_BYTES - _FIRST_READ_BYTES))


def _parse_png(data: bytes) -> ImageHeader | None:
    width_px, height_px, _, colour_type = struct.unpack(">IIBB", data[16:26])
    if colour_type not in _PNG_COLOURS:
        return None
    colour, alpha = _PNG_COLOURS[colour_type]
    offset = 8
    while offset + 8 <= len(data) and data[offset + 4 : offset + 8] != b"IDAT":
        alpha = alpha or data[offset + 4 : offset + 8] == b"tRNS"
        offset += 12 + int.from_bytes(data[offset : offset + 4], "big")
    return ImageHeader("png", width_px, height_px, colour, alpha)


def _parse_jpeg(data: bytes) -> ImageHeader | None:
    offset = 2
    while offset + 10 <= len(data) and data[offset] == 0xFF:
        marker = data[offset + 1]
        if marker == 0xFF:  # a fill byte
            offset += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # SOF: a frame header (T.81, table B.1)
            height_px, width_px, components = struct.unpack(">HHB", data[offset + 5 : offset + 10])
            return ImageHeader("jpeg", width_px, height_px, _JPEG_COLOURS.get(components, f"{components} components"), False)
        else:
            offset += 2 + int.from_bytes(data[offset + 2 : offset + 4], "big")
    return None


COVER_PX = (1400, 3000)  # Apple's podcast requirements


def check_cover(cover: Path, name: str = "") -> str:
    """Check that podcast directories accept a cover; return the extension of its actual image type.

    Raises `CauserieError` with `name` (the path when empty) when it is not square or not 1400 to 3000 pixels a side (Apple's
    podcast requirements).
    """
    name = name or str(cover)
    extension, width_px, height_px = extension_and_size(read_header(cover), name)
    if width_px != height_px or not COVER_PX[0] <= width_px <= COVER_PX[1]:
        hint = f"make it square, {COVER_PX[0]} to {COVER_PX[1]} pixels a side, 3000 at best"
        raise CauserieError(f"is {width_px} × {height_px} pixels; podcast directories reject it as a cover", name, hint)
    return extension
