"""The pipeline beside bare faster-whisper, on recordings of people: the same weights, the same run.

    python benchmarks/real_speech.py FOLDER [--split tune] [--ids a,b]

FOLDER holds recordings and `manifest.jsonl`, one object a line: `id`, `audio` (a path), `lang`, `text` (what is said; null where
nothing is), `split`. No recording is in the repository. WER counts words without case and punctuation: both sides meet the same
reference. "Invented" are words where nothing is said.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from pipeline.speech.backends import load_backend
from pipeline.speech.model_files import fetch_model
from pipeline.speech.transcribe import transcribe_master
from pipeline.transcript.normalisation import word_tokens


@dataclass(frozen=True)
class Hearing:
    """What was heard of a recording, and what it took: seconds of processor and of clock."""

    text: str
    cpu_s: float
    wall_s: float


def timed(hear: Callable[[], str]) -> Hearing:
    before, began_s = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    text = hear()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Hearing(text, cpu_s, time.perf_counter() - began_s)


def wrong_words(row: dict, hearing: Hearing) -> int:
    """The edits between what is said and what was heard; all that was heard, where nothing is said."""
    said, heard = (word_tokens(text or "", row["lang"] or "fr") for text in (row["text"], hearing.text))
    return Levenshtein.distance(said, heard)


def pipeline_text(row: dict) -> str:
    with tempfile.TemporaryDirectory() as folder:
        transcribe_master(Path(row["audio"]), words=Path(folder) / "words.json", model="base", language=row["lang"] or "fr")
        value = json.loads((Path(folder) / "words.json").read_text(encoding="utf-8"))
    return " ".join(segment["text"] for segment in value["segments"])


def main() -> None:
    """Print a line a recording, then the whole."""
    from faster_whisper import WhisperModel

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", default="")
    parser.add_argument("--ids", default="")
    wanted = parser.parse_args()
    rows = [json.loads(line) for line in (wanted.folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if wanted.split in ("", row["split"]) and (not wanted.ids or row["id"] in wanted.ids.split(","))]
    bare = WhisperModel(str(fetch_model("base", engine="faster-whisper").path), device="cpu", compute_type="int8")
    load_backend("auto", "base", "", "auto")  # as transcribe_master asks for it, so that loading is not measured
    totals = {"said": 0, "bare": 0, "pipeline": 0, "invented": 0, "bare cpu": 0.0, "cpu": 0.0, "bare wall": 0.0, "wall": 0.0}
    for row in rows:
        language = row["lang"] or "fr"
        plain = timed(lambda: " ".join(part.text for part in bare.transcribe(row["audio"], language=language)[0]))  # noqa: B023
        ours = timed(lambda: pipeline_text(row))  # noqa: B023
        said = len(word_tokens(row["text"] or "", language))
        edits = wrong_words(row, plain), wrong_words(row, ours)
        for name, amount in (("bare cpu", plain.cpu_s), ("cpu", ours.cpu_s), ("bare wall", plain.wall_s), ("wall", ours.wall_s)):
            totals[name] += amount
        if said:
            totals["said"], totals["bare"], totals["pipeline"] = (
                totals["said"] + said,
                totals["bare"] + edits[0],
                totals["pipeline"] + edits[1],
            )
            print(f"{row['id']:24} {said:5} words   bare {edits[0] / said:6.1%}   pipeline {edits[1] / said:6.1%}", flush=True)
        else:
            totals["invented"] += edits[1]
            print(f"{row['id']:24} nothing is said   bare invents {edits[0]}, the pipeline {edits[1]}", flush=True)
    if said := totals["said"]:
        print(f"the whole: bare {totals['bare'] / said:.1%}, pipeline {totals['pipeline'] / said:.1%} of {said} words")
    cpu, wall = totals["cpu"] / totals["bare cpu"], totals["wall"] / totals["bare wall"]
    print(f"invented {totals['invented']}; processor {cpu:.2f} x bare, clock {wall:.2f} x")


if __name__ == "__main__":
    main()
