"""Images as their bytes tell them, whatever their names say, and the addresses that follow from that."""

from __future__ import annotations

import hashlib
import struct

from pipeline.errors import CauserieError

HASH_DIGITS = 10


def chapter_image_key(slug: str, data: bytes, name: str) -> str:
    """Where a chapter's picture is published, below the show's address; `CauserieError` with its `name` unless JPEG or PNG."""
    return f"{slug}/chapter-{hashlib.sha256(data).hexdigest()[:HASH_DIGITS]}{image_size(data, name)[0]}"


def image_size(data: bytes, name: str) -> tuple[str, int, int]:
    """The extension of an image's real type, and its width and height in pixels; `CauserieError` unless JPEG or PNG."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        return ".png", *struct.unpack(">II", data[16:24])
    at = 2
    while data.startswith(b"\xff\xd8") and at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of frame (ITU-T T.81, table B.1)
            height_px, width_px = struct.unpack(">HH", data[at + 5 : at + 9])
            return ".jpg", width_px, height_px
        else:
            at += 2 + length
    raise CauserieError("is not a JPEG or PNG image", name, "export it again as JPEG")
