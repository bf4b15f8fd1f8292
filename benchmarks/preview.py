"""What does a preview cost while nobody types? Processor time, beside polling every file twice a second.

python benchmarks/preview.py [FILES]      25,000 files by default; takes half a minute
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from pipeline.commands.preview import watch_edits  # noqa: E402

IDLE_S = 20
FILES_PER_FOLDER = 25
SCANS_PER_S = 2


def scan(root: Path) -> dict[str, tuple[int, int]]:
    """The modification time and size of every file."""
    stats = {path: os.stat(path) for folder, _, files in os.walk(root) for path in (os.path.join(folder, name) for name in files)}
    return {path: (stat.st_mtime_ns, stat.st_size) for path, stat in stats.items()}


def main(count: int) -> None:
    """Print both, in seconds of processor time for each minute, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for i in range(count):
            path = root / f"episodes/episode-{i // FILES_PER_FOLDER:04}/{i}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        scan(root)
        start_s = time.process_time()
        scan(root)
        polling_s = (time.process_time() - start_s) * SCANS_PER_S * 60
        start_s = time.process_time()
        edits = watch_edits(root, lambda path: True)
        next(edits)
        opening_s, start_s, end_s = time.process_time() - start_s, time.process_time(), time.monotonic() + IDLE_S
        while time.monotonic() < end_s:
            next(edits)
        watching_s = (time.process_time() - start_s) * 60 / IDLE_S
    ratio = polling_s / watching_s
    print(f"{count} files, each minute: polling {polling_s:.1f} s, watching {watching_s:.3f} s: {ratio:.0f} times less")
    print(f"to start watching: {opening_s:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25_000)
