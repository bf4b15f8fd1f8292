"""Files: SHA-256 digests, atomic writes, and JSON with reproducible bytes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from pipeline.model import CauserieError

_BLOCK_BYTES = 1 << 20
_UMASK = os.umask(0o022)  # it can only be read by setting it, for the whole process: done once, at import, and restored
os.umask(_UMASK)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, 64 hexadecimal digits; the file is streamed."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace a file atomically: a reader sees the old content or the new one, never a part of either.

    Text is written as UTF-8, line ends unchanged. A crash may leave a hidden temporary file, never a partial file.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # a power cut must not leave an empty file under the final name
        os.chmod(name, 0o666 & ~_UMASK)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def to_json(value: Any) -> str:
    """A value as JSON text: indented by two spaces, not escaped to ASCII, keys in insertion order, with a final newline."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write `value` atomically, as `to_json` formats it."""
    write_atomic(path, to_json(value))


def read_text(path: Path, where: str = "") -> str:
    """The text of a UTF-8 file, with or without a byte order mark; raises `CauserieError`, at `where` or the path, otherwise."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CauserieError("is not UTF-8 text", where or str(path), "save it again as UTF-8") from error


def read_json(path: Path) -> Any:  # Any: what `json` returns; callers check or trust the shape of files the program wrote
    """The value in a JSON file; raises `CauserieError` with the file and the line when it is not valid."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise CauserieError(f"is not readable JSON ({error})", str(path), "delete it and build again") from error
