"""A picture's size, colours and transparency, from its header (ITU-T T.81 for JPEG, W3C's PNG)."""

from __future__ import annotations

import struct

from pipeline.feed.rule import Image

HEADER_BYTES = 1 << 20  # thumbnails and colour profiles come before a JPEG's frame
_JPEG_COLOURS = {1: "grey", 3: "RGB", 4: "CMYK"}  # components of a frame; three are read as RGB whatever they are stored as
_PNG_COLOURS = {0: ("grey", False), 2: ("RGB", False), 3: ("RGB", False), 4: ("grey", True), 6: ("RGB", True)}


def image(data: bytes) -> Image | None:
    """What the first bytes of a picture say; None unless they are those of a JPEG or PNG."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 26:
        return _png(data)
    return _jpeg(data) if data.startswith(b"\xff\xd8") else None


def _png(data: bytes) -> Image | None:
    width_px, height_px, _, kind = struct.unpack(">IIBB", data[16:26])
    if kind not in _PNG_COLOURS:
        return None
    colour, alpha = _PNG_COLOURS[kind]
    at = 8
    while at + 8 <= len(data) and data[at + 4 : at + 8] != b"IDAT":
        alpha = alpha or data[at + 4 : at + 8] == b"tRNS"
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return Image("png", width_px, height_px, colour, alpha)


def _jpeg(data: bytes) -> Image | None:
    at = 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame begins (table B.1)
            height_px, width_px, components = struct.unpack(">HHB", data[at + 5 : at + 10])
            return Image("jpeg", width_px, height_px, _JPEG_COLOURS.get(components, f"{components} components"), False)
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
