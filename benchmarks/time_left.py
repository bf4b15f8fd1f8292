"""How well the time left of `causerie transcribe` is foretold: each estimate beside what it really took.

    python benchmarks/time_left.py RECORDING... [--model base]

Each recording is heard from nothing, then again with the middle half of its windows taken out of the cache. Estimates count from the first
minute on, or from the second tenth where less than ten minutes are needed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from pipeline.engine import progress
from pipeline.speech.backends import load_backend
from pipeline.speech.transcribe import transcribe_master

FIRST_S, FACTOR = 60.0, 1.5


def hear(master: Path, model: str, folder: Path) -> tuple[list[tuple[float, float]], float]:
    """The time of each report and the seconds left that it foretold, from the start; and how long it all took."""
    began_s, seen = time.monotonic(), []

    def listen(step: str, done_s: float, total_s: float, left_s: float | None) -> None:
        if left_s is not None:
            seen.append((time.monotonic() - began_s, left_s))

    progress.set_listener(listen)
    try:
        transcribe_master(master, words=folder / "words.json", model=model, language="fr", chunks=str(folder / "chunks"))
    finally:
        progress.set_listener(None)
    return seen, time.monotonic() - began_s


def line(name: str, seen: list[tuple[float, float]], took_s: float) -> str:
    """The share of estimates within the factor, and the furthest off on either side."""
    first_s = min(FIRST_S, took_s / 10)
    last_s = seen[-1][0]
    ratios = [left_s / (last_s - at_s) for at_s, left_s in seen if at_s >= first_s and at_s < last_s]
    if not ratios:
        return f"{name}: {took_s:.0f} s, too short to say"
    within = sum(1 / FACTOR <= ratio <= FACTOR for ratio in ratios) / len(ratios)
    return f"{name}: {took_s:.0f} s, {len(ratios)} estimates, {within:.0%} within {FACTOR} times, {min(ratios):.2f} to {max(ratios):.2f}"


def main() -> None:
    """Print two lines a recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--model", default="base")
    wanted = parser.parse_args()
    load_backend("auto", wanted.model)
    for recording in wanted.recordings:
        with tempfile.TemporaryDirectory() as folder:
            print(line(recording.name, *hear(recording.resolve(), wanted.model, Path(folder))), flush=True)
            cached = sorted((Path(folder) / "chunks").iterdir(), key=lambda path: path.stat().st_mtime)
            for path in cached[len(cached) // 4 : 3 * len(cached) // 4]:
                path.unlink()
            print(line(f"{recording.name}, half cached", *hear(recording.resolve(), wanted.model, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
