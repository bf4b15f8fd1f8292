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

_VERSION = 2  # of the file format, and of how windows are recognised
_NAME = re.compile(r"[0-9a-f]{64}\.json")
_END_BYTES = 1 << 20


@dataclass(frozen=True)
class WindowCache:
    """A folder of recognised windows; `key_parts` are the settings that change the result. Without a folder nothing is cached."""

    folder: Path | None
    key_parts: tuple[str, ...]
    used_names: set[str] = field(default_factory=set)

    def get(self, window: Window) -> tuple[Segment, ...] | None:
        """The cached segments of a window, times in seconds from its start; None when there are none, or their file is damaged."""
        if self.folder is None:
            return None
        try:
            return segments_from_json((self.folder / self._file_name(window)).read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError):
            return None

    def has(self, window: Window) -> bool:
        """Whether a window is in the cache, by its name alone; it does not count as used by that."""
        return self.folder is not None and (self.folder / self._digest(window)).is_file()

    def is_empty(self) -> bool:
        """Whether no window is cached at all."""
        return self.folder is None or not self.folder.is_dir() or not any(self.folder.iterdir())

    def put(self, window: Window, segments: tuple[Segment, ...]) -> None:
        """Cache the segments of a window."""
        if self.folder is not None:
            write_atomic(self.folder / self._file_name(window), segments_to_json(segments))

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


def segments_to_json(segments: tuple[Segment, ...]) -> str:
    """Segments as JSON, at full precision."""
    values = [
        [
            segment.no_speech_probability,
            segment.average_log_probability,
            [[w.text, w.start_s, w.end_s, w.probability] for w in segment.words],
        ]
        for segment in segments
    ]
    return json.dumps(values, ensure_ascii=False)


def segments_from_json(text: str) -> tuple[Segment, ...]:
    """The inverse of `segments_to_json`; `ValueError` or `TypeError` when `text` is something else."""
    return tuple(
        Segment(tuple(Word(*word) for word in words), no_speech, log_probability) for no_speech, log_probability, words in json.loads(text)
    )


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
