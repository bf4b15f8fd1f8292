"""Measures a checkpoint on the sample show: words wrong, words misplaced, and words heard where nobody speaks.

    python -m tools.demo_model.evaluate tools/demo_model/demo.pt [--root DIR]

The recordings go to Whisper as they are (tracks summed, mono, 16 kHz), with the options the pipeline uses.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import whisper
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from tools.sample_show import music

RATE = 16_000
OPTIONS = {"language": "fr", "condition_on_previous_text": False, "word_timestamps": True, "fp16": False}
UNKNOWN_MUSIC_SEED = 1000  # the training music is 0 to 47
AUDIO_SUFFIXES = {".flac", ".wav", ".m4a", ".mp3"}

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """One normalised word and where it starts, in seconds."""

    word: str
    start_s: float


@dataclass(frozen=True)
class Score:
    """Word error rate (0 to 1) and, over the words both have, how far apart their starts are (seconds)."""

    error_rate: float
    start_errors_s: NDArray[np.float64]


def normal(text: str) -> list[str]:
    """Lower case, punctuation off, split at spaces (and at hyphens and apostrophes)."""
    return re.sub(r"[^\w\s]|_", " ", text.lower().replace("’", "'")).split()


def pieces(word: str, start_s: float) -> list[Heard]:
    """The normalised parts of a written word; they share its start."""
    return [Heard(part, start_s) for part in normal(word)]


def score(truth: list[Heard], heard: list[Heard]) -> Score:
    """Compare two sequences of words."""
    expected, found = [each.word for each in truth], [each.word for each in heard]
    blocks = Levenshtein.opcodes(expected, found)
    pairs = [
        (first, second)
        for block in blocks
        if block.tag == "equal"
        for first, second in zip(range(block.src_start, block.src_end), range(block.dest_start, block.dest_end), strict=True)
    ]
    errors = np.array([abs(truth[i].start_s - heard[j].start_s) for i, j in pairs])
    return Score(Levenshtein.distance(expected, found) / len(expected), errors)


def decode(path: Path) -> Audio:
    """Any recording as mono 16 kHz samples."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(RATE)]
    done = subprocess.run([*command, "-f", "f32le", "-"], capture_output=True, check=True)
    return np.frombuffer(done.stdout, "<f4").copy()  # torch wants it writable


def recording(folder: Path) -> Audio:
    """The raw recordings of an episode folder, summed; what the pipeline builds (named like the folder) left out."""
    paths = [path for path in sorted(folder.iterdir()) if path.suffix in AUDIO_SUFFIXES and path.stem != folder.name]
    tracks = [decode(path) for path in paths]
    mix = np.zeros(max(len(track) for track in tracks), np.float32)
    for track in tracks:
        mix[: len(track)] += track
    return mix


def heard_words(result: dict) -> list[Heard]:
    """The words of a Whisper result, in order."""
    words = (word for segment in result["segments"] for word in segment.get("words", ()))
    return [piece for word in words for piece in pieces(word["word"], word["start"])]


def true_words(path: Path) -> list[Heard]:
    """The words of a truth file."""
    lines = json.loads(path.read_text(encoding="utf-8"))
    return [piece for line in lines for word, start, _ in line["words"] for piece in pieces(word, start)]


def report_episode(model: whisper.Whisper, folder: Path, truth: Path) -> None:
    """Print one line on an episode, and what differs."""
    audio, expected = recording(folder), true_words(truth)
    began = time.monotonic()
    found = heard_words(model.transcribe(audio, **OPTIONS))
    took = time.monotonic() - began
    result = score(expected, found)
    errors = result.start_errors_s if len(result.start_errors_s) else np.array([np.inf])
    print(
        f"{folder.name}: {len(audio) / RATE:.1f} s in {took:.1f} s, "
        f"WER {result.error_rate:.1%} of {len(expected)} words, word start "
        f"median {np.median(errors):.2f} p90 {np.percentile(errors, 90):.2f} max {errors.max():.2f} s"
    )
    wanted, got = [each.word for each in expected], [each.word for each in found]
    for edit in Levenshtein.opcodes(wanted, got):
        if edit.tag != "equal":
            before = " ".join(wanted[edit.src_start : edit.src_end])
            print(f"    {edit.tag}: {before!r} -> {' '.join(got[edit.dest_start : edit.dest_end])!r}")


def speechless(root: Path) -> dict[str, Audio]:
    """Sounds in which nobody speaks."""
    noise = np.random.default_rng(5).standard_normal(20 * RATE).astype(np.float32)
    return {
        "jingle-intro": decode(root / "episodes" / "jingle-intro.flac"),
        "jingle-outro": decode(root / "episodes" / "jingle-outro.flac"),
        "20 s of new music": 0.1 * music.piece(20.0, RATE, UNKNOWN_MUSIC_SEED),
        "20 s of room tone": 2e-4 * noise,
        "20 s of digital silence": np.zeros(20 * RATE, np.float32),
    }


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2])
    options = parser.parse_args()
    model = whisper.load_model(str(options.checkpoint), device="cpu")
    for truth in sorted((options.root / "tests" / "data" / "sample_truth").glob("*.json")):
        report_episode(model, options.root / "episodes" / truth.stem, truth)
    for name, audio in speechless(options.root).items():
        segments = model.transcribe(audio, **OPTIONS)["segments"]
        print(f"{name}: {len(segments)} segments {[segment['text'] for segment in segments]}")


if __name__ == "__main__":
    main()
