"""Decode a cover from its first line to its last: a header says nothing of a file that was cut."""

from __future__ import annotations

from pathlib import Path

from pipeline.audio import ffmpeg
from pipeline.model import CauserieError

_STRICT = ("-protocol_whitelist", "file,pipe", "-err_detect", "crccheck+bitstream+buffer+explode")
_DEMUXERS = {b"\x89P": "png_pipe", b"\xff\xd8": "jpeg_pipe"}


def reject_torn_image(path: Path, name: str = "") -> None:
    """Raise `CauserieError` at `name` (the path when empty) when a JPEG or PNG cannot be decoded whole; other files are not looked at."""
    with path.open("rb") as stream:
        demuxer = _DEMUXERS.get(stream.read(2))
    if demuxer is None:
        return
    try:
        ffmpeg.run([*_STRICT, "-f", demuxer, "-i", ffmpeg.file_url(path), "-frames:v", "1", "-f", "null", "-"])
    except CauserieError as error:
        if error.hint:  # the machine, not the file
            raise
        raise CauserieError(
            "is damaged or truncated: it cannot be decoded whole", name or str(path), "export it again, or copy it again"
        ) from error
