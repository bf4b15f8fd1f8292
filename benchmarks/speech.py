"""How fast and how big transcription is, as ratios within one run.

    python benchmarks/speech.py [overhead] [engines] [episodes] [memory] [--minutes 30] [--hours 3]

overhead   the whole `transcribe` against the engine alone on the same windows, with the same weights: the sample show, repeated.
engines    faster-whisper in whole numbers against openai-whisper in floating point, both of the dimensions of `base`, random weights,
           100 tokens a window and the times of its words; each in the arrangements a machine of N cores allows.
episodes   two episodes at once, one core each, against one after the other on all cores (the demonstration model).
memory     the most memory a process ever had, beyond what it had once the model was loaded and one window heard.

Each measurement is a process of its own; the model is loaded, and one window heard, before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.audio.ffmpeg import executable  # noqa: E402

DEMO = ROOT / "tools/demo_model/demo.pt"
EPISODES = tuple(sorted(ROOT.glob("episodes/0*/prise-unique.flac")))
BASE = {"n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 512, "n_audio_head": 8, "n_audio_layer": 6, "n_vocab": 51865}
BASE |= {"n_text_ctx": 448, "n_text_state": 512, "n_text_head": 8, "n_text_layer": 6}
TOKENS = 100  # a window's worth of French
TEXT_ONLY = [-1, 50257, *range(50363, 51865)]  # refused: what Whisper refuses, the end, and times, which random weights give at random
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def repeated(folder: Path, seconds: float, number: int = 0) -> Path:
    """An episode of the sample show said again and again, at slightly another level each time, so that no window comes back the same."""
    made = folder / f"long-{number}.flac"
    source, loud = EPISODES[number % len(EPISODES)], "volume='1-0.1*mod(t,97)/97':eval=frame"
    command = [executable(), "-v", "error", "-y", "-stream_loop", "-1", "-i", source, "-t", str(seconds), "-af", loud, "-ac", "1", made]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return made


def converted(folder: Path) -> Path:
    """The demonstration model for faster-whisper."""
    from tools.demo_model.convert_ct2 import convert

    convert(DEMO, folder / "demo")
    return folder / "demo"


# What each process measures -----------------------------------------------------------------------------------------------------------


def overhead(recording: str, checkpoint: str) -> dict[str, float]:
    """Seconds that the whole step takes, and the engine alone on windows that are cut already; twice, in both orders."""
    from concurrent.futures import ThreadPoolExecutor

    from pipeline.speech.engines import load
    from pipeline.speech.recording import RATE_HZ, blocks
    from pipeline.speech.transcribe import transcribe
    from pipeline.speech.windows import windows

    network = load("auto", "demo", checkpoint)
    cut = list(windows(blocks(Path(recording)), RATE_HZ))
    network.hear(cut[0].samples, "fr", "")

    def bare() -> None:
        with ThreadPoolExecutor(network.workers) as pool:
            list(pool.map(lambda window: network.hear(window.samples, "fr", ""), cut))

    def whole() -> None:
        with tempfile.TemporaryDirectory() as place:
            out, kept = Path(place) / "words.json", str(Path(place) / "chunks")
            transcribe(Path(recording), words=out, model="demo", language="fr", checkpoint=Path(checkpoint), chunks=kept)

    bare_s = whole_s = 0.0
    for measured in (bare, whole, whole, bare):
        seconds = timed(measured)
        bare_s, whole_s = (bare_s + seconds, whole_s) if measured is bare else (bare_s, whole_s + seconds)
    return {"bare_s": bare_s / 2, "whole_s": whole_s / 2}


def base_openai(threads: int, windows: int) -> dict[str, float]:
    """Seconds for so many windows in openai-whisper."""
    import torch
    import whisper

    torch.set_num_threads(threads)
    network = random_base()
    options = {"temperature": 0.0, "language": "fr", "without_timestamps": True, "sample_len": TOKENS, "fp16": False}
    options |= {"word_timestamps": True, "suppress_tokens": TEXT_ONLY, "no_speech_threshold": None, "condition_on_previous_text": False}
    sound = noise()

    def hear(count: int) -> None:
        for _ in range(count):
            whisper.transcribe(network, sound, **options)

    hear(1)
    return {"s": timed(lambda: hear(windows))}


def base_fast(folder: str, threads: int, workers: int, windows: int) -> dict[str, float]:
    """Seconds for so many windows in faster-whisper, `workers` at once on `threads` each."""
    from concurrent.futures import ThreadPoolExecutor

    from faster_whisper import WhisperModel

    network = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads, num_workers=workers)
    options = {"temperature": 0.0, "language": "fr", "without_timestamps": True, "max_new_tokens": TOKENS, "beam_size": 1}
    options |= {"word_timestamps": True, "suppress_tokens": TEXT_ONLY, "no_speech_threshold": None, "condition_on_previous_text": False}
    sound = noise()

    def hear(_: object) -> None:
        list(network.transcribe(sound, **options | {"suppress_tokens": list(TEXT_ONLY)})[0])  # it adds to the list

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(hear, range(workers)))
        return {"s": timed(lambda: list(pool.map(hear, range(windows))))}


def episodes(recordings: list[str], checkpoint: str, workers: int) -> dict[str, float]:
    """Seconds for recordings one after the other, `workers` windows at once."""
    from pipeline.speech import fast_engine
    from pipeline.speech.transcribe import transcribe

    fast_engine.cores = lambda: workers
    out = Path(recordings[0]).with_suffix(f".{os.getpid()}.json")

    def hear() -> None:
        for recording in recordings:
            transcribe(Path(recording), words=out, model="demo", language="fr", checkpoint=Path(checkpoint))

    with tempfile.TemporaryDirectory() as place:
        transcribe(repeated(Path(place), 5), words=out, model="demo", language="fr", checkpoint=Path(checkpoint))
    return {"s": timed(hear)}


def memory(recording: str, checkpoint: str, first: str) -> dict[str, float]:
    """MB at most, before and after a long recording."""
    from pipeline.speech.transcribe import transcribe

    def peak_mb() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 10 if sys.platform == "linux" else 1 << 20)

    with tempfile.TemporaryDirectory() as place:
        options = {"words": Path(place) / "words.json", "model": "demo", "language": "fr", "checkpoint": Path(checkpoint)}
        transcribe(Path(first), **options)
        loaded = peak_mb()
        transcribe(Path(recording), chunks=str(Path(place) / "chunks"), **options)
        return {"loaded_mb": loaded, "peak_mb": peak_mb()}


# Reports -------------------------------------------------------------------------------------------------------------------------------


def report_overhead(folder: Path, minutes: float, hours: float) -> None:
    """≤ 1.05 asked."""
    recording = str(repeated(folder, minutes * 60))
    for name, checkpoint in (("faster-whisper", converted(folder)), ("openai-whisper", DEMO)):
        found = alone("overhead", recording, str(checkpoint))
        ratio = found["whole_s"] / found["bare_s"]
        print(f"overhead, {name}, {minutes:g} min: {found['whole_s']:.1f} s, the engine alone {found['bare_s']:.1f} s: {ratio:.3f}", flush=True)


def report_engines(folder: Path, minutes: float, hours: float) -> None:
    """≥ 3 asked, the best arrangement of each."""
    from tools.demo_model.convert_ct2 import save

    save(BASE, random_base().state_dict(), folder / "base", "int8")
    each, small, rates = 2, str(folder / "base"), {}

    def note(name: str, seconds: float) -> None:
        rates[name] = seconds
        print(f"base, {name}: {seconds:.2f} s a window", flush=True)

    for threads, processes in sorted({(CORES, 1), (1, CORES)}):
        found = at_once(processes, "base_openai", threads, each)
        note(f"openai-whisper, {processes} × {threads} threads", max(part["s"] for part in found) / each / processes)
        found = at_once(processes, "base_fast", small, threads, 1, 2 * each)
        note(f"faster-whisper, {processes} × {threads} threads", max(part["s"] for part in found) / 2 / each / processes)
    found = alone("base_fast", small, 1, CORES, 2 * each * CORES)
    note(f"faster-whisper, one process, {CORES} windows at once of 1 thread", found["s"] / 2 / each / CORES)
    best = [min(value for name, value in rates.items() if name.startswith(engine)) for engine in ("openai", "faster")]
    print(f"faster-whisper int8 against openai-whisper float32, the best of each: {best[0] / best[1]:.2f} times", flush=True)


def report_episodes(folder: Path, minutes: float, hours: float) -> None:
    """Which is the better default."""
    recordings, checkpoint = [str(repeated(folder, minutes * 20, number)) for number in range(2)], str(converted(folder))
    after = alone("episodes", recordings, checkpoint, CORES)["s"]
    started = [start("episodes", [recording], checkpoint, 1) for recording in recordings]
    at_once_s = max(result(process)["s"] for process in started)
    print(f"two episodes of {minutes / 3:g} min: at once {at_once_s:.1f} s, one after the other {after:.1f} s: {at_once_s / after:.2f}", flush=True)


def report_memory(folder: Path, minutes: float, hours: float) -> None:
    """≤ 200 MB asked."""
    first, recording = str(repeated(folder, 60, 1)), str(repeated(folder, hours * 3600))
    for name, checkpoint in (("faster-whisper", converted(folder)), ("openai-whisper", DEMO)):
        found = alone("memory", recording, str(checkpoint), first)
        beside = found["peak_mb"] - found["loaded_mb"]
        print(f"memory, {name}, {hours:g} h: {beside:.0f} MB beside the model ({found['loaded_mb']:.0f} MB once it hears)", flush=True)


def noise() -> object:
    """28 s of something, the same each time."""
    import numpy as np

    return np.random.default_rng(0).standard_normal(28 * 16_000).astype(np.float32) * 0.1


def random_base() -> object:
    """openai-whisper's network at the size of `base`, with random weights."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(0)
    network = Whisper(ModelDimensions(**BASE)).eval()
    torch.nn.init.normal_(network.decoder.positional_embedding, std=0.02)  # the only weights that are not drawn already
    return network


def timed(act: Callable[[], object]) -> float:
    """The seconds it takes."""
    since = time.perf_counter()
    act()
    return time.perf_counter() - since


def start(name: str, *arguments: object) -> subprocess.Popen[str]:
    """A measurement in a process of its own."""
    command = [sys.executable, __file__, "--measure", json.dumps([name, *arguments])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> dict[str, float]:
    """What it found."""
    out, _ = process.communicate()
    return json.loads(out.splitlines()[-1])


def alone(name: str, *arguments: object) -> dict[str, float]:
    """One measurement."""
    return result(start(name, *arguments))


def at_once(processes: int, name: str, *arguments: object) -> list[dict[str, float]]:
    """The same measurement in several processes."""
    return [result(process) for process in [start(name, *arguments) for _ in range(processes)]]


if __name__ == "__main__":
    REPORTS = {"overhead": report_overhead, "engines": report_engines, "episodes": report_episodes, "memory": report_memory}
    parser = argparse.ArgumentParser(description="How fast and how big transcription is.")
    parser.add_argument("what", nargs="*", choices=[*REPORTS, []])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measured, *given = json.loads(asked.measure)
        print(json.dumps(globals()[measured](*given)))
    else:
        with tempfile.TemporaryDirectory() as place:
            for each in asked.what or REPORTS:
                REPORTS[each](Path(place), asked.minutes, asked.hours)
