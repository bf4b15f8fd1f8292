"""Whether a folder is a whole Whisper model in CTranslate2's format, without loading it.

`model.bin` is a header, then variables (name, shape, type, length, bytes), then aliases: its length follows from what it says, so that
a copy that stopped half-way is known at once.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import BinaryIO

_VERSIONS = range(4, 8)  # of the file format; those before wrote no length
_TEXTS = ("config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")


def is_ctranslate2(path: Path) -> bool:
    """Whether a path is that of a model in CTranslate2's format: the folder, or its `model.bin`."""
    return path.name == "model.bin" or path.is_dir()


def folder_problem(folder: Path) -> str:
    """What is missing or cut in a folder that should hold a model; empty when it is whole."""
    for name in ("model.bin", *_TEXTS):
        if not (folder / name).is_file():
            return f"has no {name}"
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        return "has no vocabulary.json or vocabulary.txt"
    for name in _TEXTS:
        try:
            json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return f"its {name} is damaged"
    try:
        return _length_problem(folder / "model.bin")
    except OSError as error:
        return f"its model.bin cannot be read ({error.strerror})"


def _length_problem(file: Path) -> str:
    """Compare the length of a model.bin with the one it announces."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        try:
            end = _announced_length(stream, size)
        except (struct.error, UnicodeDecodeError, ValueError):
            return "its model.bin is not a Whisper model of CTranslate2, or is cut short"
    return f"its model.bin is cut short ({size:,} bytes of {end:,})" if end > size else ""


def _announced_length(stream: BinaryIO, size: int) -> int:
    """Where the last variable and alias end. `ValueError` for another kind of file, `struct.error` where it ends too soon."""
    if _read(stream, "I") not in _VERSIONS or _read_text(stream) != "WhisperSpec":
        raise ValueError("not a Whisper model")
    _read(stream, "I")
    for _ in range(_read(stream, "I")):
        _read_text(stream)
        stream.seek(4 * _read(stream, "B") + 1, 1)  # the shape and the type
        length = _read(stream, "I")
        if (end := stream.tell() + length) > size:
            return end
        stream.seek(end)
    for _ in range(2 * _read(stream, "I")):  # an alias and the name of its variable
        _read_text(stream)
    return stream.tell()


def _read(stream: BinaryIO, form: str) -> int:
    (value,) = struct.unpack(f"<{form}", stream.read(struct.calcsize(f"<{form}")))
    return int(value)


def _read_text(stream: BinaryIO) -> str:
    length = _read(stream, "H")
    text = stream.read(length)
    if len(text) < length:
        raise struct.error("the file ends in a name")
    return text[:-1].decode()
