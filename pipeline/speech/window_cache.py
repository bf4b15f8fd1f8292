"""A cache of recognised windows: an interrupted run resumes where it stopped, and an edited episode is recognised only where it changed.

A file is named after the SHA-256 of the samples and of every setting that changes the result, so it is never stale; it is deleted
when no window of the episode uses it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.engine import write_atomic
from pipeline.model import Word
from pipeline.speech.hallucinations import Segment
from pipeline.speech.segmentation import Window

_VERSION = 4
_NAME = re.compile(r"[0-9a-f]{64}\.json")
_END_BYTES = 1 << 20


@dataclass(frozen=True)
class Hearing:
    """What was heard in a window, and from when to when a voice came out without words; times in seconds from the window's start."""

    segments: tuple[Segment, ...] = ()
    wordless: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class WindowCache:
    """A folder of recognised windows; `key_parts` are the settings that change the result. Without a folder nothing is cached."""

    folder: Path | None
    key_parts: tuple[str, ...]
    used_names: set[str] = field(default_factory=set)

    def get(self, window: Window) -> Hearing | None:
        """What is cached of a window; None when nothing is, or its file is damaged."""
        if self.folder is None:
            return None
        try:
            return hearing_from_json((self.folder / self._file_name(window)).read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def has(self, window: Window) -> bool:
        """Whether a window is in the cache, by its name alone; it does not count as used by that."""
        return self.folder is not None and (self.folder / self._digest(window)).is_file()

    def is_empty(self) -> bool:
        """Whether no window is cached at all."""
        return self.folder is None or not self.folder.is_dir() or not any(self.folder.iterdir())

    def put(self, window: Window, hearing: Hearing) -> None:
        """Cache what was heard in a window."""
        if self.folder is not None:
            write_atomic(self.folder / self._file_name(window), hearing_to_json(hearing))

    def delete_unused(self) -> None:
        """Delete the files that no window has used since this object was created."""
        for path in self.folder.iterdir() if self.folder and self.folder.is_dir() else ():
            if _NAME.fullmatch(path.name) and path.name not in self.used_names:
                path.unlink(missing_ok=True)

    def _file_name(self, window: Window) -> str:
        name = self._digest(window)
        self.used_names.add(name)
        return name

    def _digest(self, window: Window) -> str:
        """The name of a window's file."""
        digest = hashlib.sha256(json.dumps([_VERSION, *self.key_parts]).encode())
        digest.update(window.samples.tobytes())
        return f"{digest.hexdigest()}.json"


def hearing_to_json(hearing: Hearing) -> str:
    """What was heard, as the text of a cache file."""
    values = [
        [
            segment.no_speech_probability,
            segment.average_log_probability,
            segment.language,
            [[word.text, word.start_s, word.end_s, word.probability] for word in segment.words],
        ]
        for segment in hearing.segments
    ]
    return json.dumps({"segments": values, "wordless": hearing.wordless}, ensure_ascii=False)


def hearing_from_json(text: str) -> Hearing:
    """The inverse of `hearing_to_json`; `ValueError`, `TypeError` or `KeyError` when `text` is something else."""
    value = json.loads(text)
    segments = (
        Segment(tuple(Word(*word) for word in words), no_speech, log_probability, language)
        for no_speech, log_probability, language, words in value["segments"]
    )
    return Hearing(tuple(segments), tuple((start_s, end_s) for start_s, end_s in value["wordless"]))


def model_fingerprint(checkpoint: Path | None) -> str:
    """Identifies a model file by its size and the digest of its first and last MiB, without reading gigabytes; "" without a checkpoint."""
    if checkpoint is None:
        return ""
    file = checkpoint / "model.bin" if checkpoint.is_dir() else checkpoint
    size = file.stat().st_size
    with file.open("rb") as stream:
        digest = hashlib.sha256(stream.read(_END_BYTES))
        stream.seek(max(0, size - _END_BYTES))
        digest.update(stream.read())
    return f"{size}-{digest.hexdigest()}"
