"""Whether a folder in CTranslate2's format, or a .pt file of openai-whisper, is a whole Whisper model, without loading it.

`model.bin` is a header, then variables (name, shape, type, length, bytes), then aliases: its length follows from what it says, so that
a copy that stopped half-way is known at once. A .pt file is a ZIP archive, whose directory is at its end.
"""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

_VERSIONS = range(4, 8)  # of the file format; those before wrote no length
_TEXTS = ("config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")


def is_ctranslate2(path: Path) -> bool:
    """Whether a path is that of a model in CTranslate2's format: the folder, or its `model.bin`."""
    return path.name == "model.bin" or path.is_dir()


def folder_problem(folder: Path) -> str:
    """What a folder that should hold a model has or lacks, as in “has no model.bin”; empty when it is whole."""
    for name in ("model.bin", *_TEXTS):
        if not (folder / name).is_file():
            return f"has no {name}"
    vocabulary = next((name for name in _VOCABULARIES if (folder / name).is_file()), None)
    if vocabulary is None:
        return "has no vocabulary.json or vocabulary.txt"
    try:
        if problem := _length_problem(folder / "model.bin"):
            return problem
    except OSError as error:
        return f"has a model.bin that cannot be read ({error.strerror})"
    for name in (*_TEXTS, vocabulary):
        try:
            if not _is_plausible(name, (folder / name).read_text(encoding="utf-8")):
                return f"has a damaged {name}"
        except (OSError, ValueError):
            return f"has a damaged {name}"
    return ""


def _is_plausible(name: str, text: str) -> bool:
    """Whether a text of the folder holds what one of its name does: an object, a list of words, or lines. `ValueError` for no JSON."""
    if name.endswith(".txt"):
        return bool(text.strip())
    value = json.loads(text)
    if name in _VOCABULARIES:
        return isinstance(value, list) and bool(value)
    return isinstance(value, dict) and (name != "tokenizer.json" or "model" in value)


def checkpoint_problem(file: Path) -> str:
    """What is wrong with a file that should be a checkpoint of openai-whisper; empty when it is whole as far as its length tells."""
    try:
        with file.open("rb") as stream:
            start = stream.read(4)
        if start in (b"lmgg", b"GGUF"):
            return "is a model of whisper.cpp, which neither engine reads"
        if start == b"PK\3\4":
            return "" if zipfile.is_zipfile(file) else "is cut short"
        return "" if start[:1] == b"\x80" else "is not a Whisper checkpoint"  # a pickle, as PyTorch wrote them before 1.6
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _length_problem(file: Path) -> str:
    """Compare the length of a model.bin with the one it announces."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        try:
            end = _announced_length(stream, size)
        except (struct.error, UnicodeDecodeError, ValueError):
            return "has a model.bin that is not a Whisper model of CTranslate2, or is cut short"
    return f"has a model.bin that is cut short ({size:,} bytes of at least {end:,})" if end > size else ""


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
