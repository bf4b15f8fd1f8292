"""What was heard of each window, kept: a run that was killed goes on where it was, an episode cut again is heard only where it changed.

A file is named by the digest of the very samples and of everything else that decides what is heard in them, so it is never stale;
it is unused, once no window of the episode asks for it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.files import write_whole
from pipeline.model import Word
from pipeline.speech.sift import Segment
from pipeline.speech.windows import Window

_VERSION = 1  # of what a file holds, and of how windows are heard
_NAME = re.compile(r"[0-9a-f]{64}\.json")
_END_BYTES = 1 << 20


@dataclass(frozen=True)
class Chunks:
    """A folder of windows already heard, under the settings that `made_with` spells; without a folder, nothing is kept."""

    folder: Path | None
    made_with: tuple[str, ...]
    used: set[str] = field(default_factory=set)

    def get(self, window: Window) -> tuple[Segment, ...] | None:
        """What was heard in a window, times from its start, if it was; a damaged file was not."""
        if self.folder is None:
            return None
        try:
            return parsed((self.folder / self._name(window)).read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError):
            return None

    def put(self, window: Window, segments: tuple[Segment, ...]) -> None:
        """Keep what was heard in a window."""
        if self.folder is not None:
            write_whole(self.folder / self._name(window), written(segments))

    def sweep(self) -> None:
        """Delete what no window asked for since this was made."""
        for path in self.folder.iterdir() if self.folder and self.folder.is_dir() else ():
            if _NAME.fullmatch(path.name) and path.name not in self.used:
                path.unlink(missing_ok=True)

    def _name(self, window: Window) -> str:
        digest = hashlib.sha256(json.dumps([_VERSION, *self.made_with]).encode())
        digest.update(window.samples.tobytes())
        name = f"{digest.hexdigest()}.json"
        self.used.add(name)
        return name


def written(segments: tuple[Segment, ...]) -> str:
    """Segments as JSON, every digit of every number kept."""
    values = [
        [part.no_speech_probability, part.average_log_probability, [[w.text, w.start_s, w.end_s, w.probability] for w in part.words]]
        for part in segments
    ]
    return json.dumps(values, ensure_ascii=False)


def parsed(text: str) -> tuple[Segment, ...]:
    """The segments that `written` wrote; `ValueError` or `TypeError` when it did not."""
    return tuple(Segment(tuple(Word(*word) for word in words), silent, sure) for silent, sure, words in json.loads(text))


def fingerprint(checkpoint: Path | None) -> str:
    """What tells a model's file from another one's: its size and both ends, not its gigabytes."""
    if checkpoint is None:
        return ""
    file = checkpoint / "model.bin" if checkpoint.is_dir() else checkpoint
    size = file.stat().st_size
    with file.open("rb") as stream:
        digest = hashlib.sha256(stream.read(_END_BYTES))
        stream.seek(max(0, size - _END_BYTES))
        digest.update(stream.read())
    return f"{size}-{digest.hexdigest()}"
