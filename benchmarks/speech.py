"""How fast and how big transcription is, as ratios within one run.

    python benchmarks/speech.py [overhead] [engines] [episodes] [memory] [--minutes 30] [--hours 3]

overhead   the whole `transcribe` against the engine alone on the same windows, with the same weights: the sample show, repeated; and in
           faster-whisper with random weights of the dimensions of `base`, 100 tokens a window.
engines    faster-whisper in whole numbers against openai-whisper in floating point, both of the dimensions of `base`, random weights,
           100 tokens a window, without the times of words, which are nonsense here and would decide where to go on; each in the
           arrangements the cores allow, following the best token alone (as the pipeline does) or five sentences at the same time.
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


def overhead(recording: str, checkpoint: str, random: bool = False) -> dict[str, float]:
    """Seconds that the whole step takes, and the engine alone on windows that are cut already; twice, in both orders."""
    from concurrent.futures import ThreadPoolExecutor

    from pipeline.speech import recognition
    from pipeline.speech.backends import load_backend
    from pipeline.speech.decoding import RATE_HZ, decode_blocks
    from pipeline.speech.segmentation import split_windows
    from pipeline.speech.transcribe import transcribe_master

    network = load_backend("auto", "demo", checkpoint)
    if random:  # what they say goes round in circles, and their times are nonsense
        listen, once = network.network.transcribe, {"max_new_tokens": TOKENS, "without_timestamps": True, "word_timestamps": False}
        recognition.repetition_count, network.network.transcribe = (
            lambda segments: 0,
            lambda samples, **options: listen(samples, **options | once),
        )
    cut = list(split_windows(decode_blocks(Path(recording)), RATE_HZ))
    network.transcribe(cut[0].samples, "fr", "")

    def bare() -> None:
        with ThreadPoolExecutor(network.workers) as pool:
            list(pool.map(lambda window: network.transcribe(window.samples, "fr", ""), cut))

    def whole() -> None:
        with tempfile.TemporaryDirectory() as place:
            out, kept = Path(place) / "words.json", str(Path(place) / "chunks")
            transcribe_master(Path(recording), words=out, model="demo", language="fr", checkpoint=Path(checkpoint), chunks=kept)

    found = [measured(act) for act in (bare, whole, whole, bare)]
    both = [{name: found[i][name] + found[j][name] for name in found[0]} for i, j in ((1, 2), (0, 3))]
    return both[0] | {f"bare_{name}": value for name, value in both[1].items()}


def base_openai(threads: int, beam: int, windows: int) -> dict[str, float]:
    """Seconds for so many windows in openai-whisper."""
    import torch
    import whisper

    torch.set_num_threads(threads)
    network = random_base()
    options = {"temperature": 0.0, "language": "fr", "without_timestamps": True, "sample_len": TOKENS, "fp16": False}
    options |= {"beam_size": beam} if beam > 1 else {}
    options |= {"suppress_tokens": TEXT_ONLY, "no_speech_threshold": None, "condition_on_previous_text": False}
    sound = noise()

    def hear(count: int) -> None:
        for _ in range(count):
            whisper.transcribe(network, sound, **options)

    hear(1)
    return measured(lambda: hear(windows))


def base_fast(folder: str, threads: int, workers: int, beam: int, windows: int) -> dict[str, float]:
    """Seconds for so many windows in faster-whisper, `workers` at once on `threads` each."""
    from concurrent.futures import ThreadPoolExecutor

    from faster_whisper import WhisperModel

    network = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads, num_workers=workers)
    options = {"temperature": 0.0, "language": "fr", "without_timestamps": True, "max_new_tokens": TOKENS, "beam_size": beam}
    options |= {"suppress_tokens": TEXT_ONLY, "no_speech_threshold": None, "condition_on_previous_text": False}
    sound = noise()

    def hear(_: object) -> None:
        list(network.transcribe(sound, **options | {"suppress_tokens": list(TEXT_ONLY)})[0])  # it adds to the list

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(hear, range(workers)))
        return measured(lambda: list(pool.map(hear, range(windows))))


def episodes(recordings: list[str], checkpoint: str, workers: int) -> dict[str, float]:
    """Seconds for recordings one after the other, `workers` windows at once."""
    from pipeline.speech import faster_whisper_backend
    from pipeline.speech.transcribe import transcribe_master

    faster_whisper_backend.available_cores = lambda: workers
    out = Path(recordings[0]).with_suffix(f".{os.getpid()}.json")

    def hear() -> None:
        for recording in recordings:
            transcribe_master(Path(recording), words=out, model="demo", language="fr", checkpoint=Path(checkpoint))

    with tempfile.TemporaryDirectory() as place:  # one that is quickly heard, so that the model is there
        transcribe_master(repeated(Path(place), 5), words=out, model="demo", language="fr", checkpoint=Path(checkpoint))
    return measured(hear)


def memory(recording: str, checkpoint: str, first: str) -> dict[str, float]:
    """MB at most, before and after a long recording."""
    from pipeline.speech.transcribe import transcribe_master

    def peak_mb() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 10 if sys.platform == "linux" else 1 << 20)

    with tempfile.TemporaryDirectory() as place:
        options = {"words": Path(place) / "words.json", "model": "demo", "language": "fr", "checkpoint": Path(checkpoint)}
        transcribe_master(Path(first), **options)
        loaded = peak_mb()
        transcribe_master(Path(recording), chunks=str(Path(place) / "chunks"), **options)
        return {"loaded_mb": loaded, "peak_mb": peak_mb()}


# Reports -------------------------------------------------------------------------------------------------------------------------------


def report_overhead(folder: Path, minutes: float, hours: float) -> None:
    """≤ 1.05 asked."""
    from tools.demo_model.convert_ct2 import save

    save(BASE, random_base().state_dict(), folder / "base", "int8")
    recording = str(repeated(folder, minutes * 60))
    for name, checkpoint in (
        ("faster-whisper", converted(folder)),
        ("openai-whisper", DEMO),
        ("faster-whisper of base's dimensions", folder / "base"),
    ):
        found = alone("overhead", recording, str(checkpoint), checkpoint.name == "base")
        print(f"overhead, {name}, {minutes:g} min: {ratio(found['s'], found['bare_s'])} of the engine's time on the clock,", end=" ")
        print(f"{ratio(found['cpu_s'], found['bare_cpu_s'])} of processors", flush=True)


def report_engines(folder: Path, minutes: float, hours: float) -> None:
    """≥ 3 asked, the best arrangement of each."""
    from tools.demo_model.convert_ct2 import save

    save(BASE, random_base().state_dict(), folder / "base", "int8")
    for beam in (1, 5):
        _compare(str(folder / "base"), beam, 2)


def _compare(small: str, beam: int, windows: int) -> None:
    """Both engines, so many windows a process."""
    rates: dict[tuple[str, str], tuple[float, float]] = {}

    def note(engine: str, how: str, heard: int, found: list[dict[str, float]]) -> None:
        rates[engine, how] = (max(part["s"] for part in found) / heard, sum(part["cpu_s"] for part in found) / heard)
        clock_s, spent_s = rates[engine, how]
        print(f"base, beam {beam}, {engine}, {how}: {clock_s:.2f} s a window, {spent_s:.2f} s of processors", flush=True)

    for threads, processes in sorted({(1, CORES), (CORES, 1)}):
        how, heard = f"{processes} × {threads} threads", windows * processes
        note("faster-whisper", how, 2 * heard, at_once(processes, "base_fast", small, threads, 1, beam, 2 * windows))
        note("openai-whisper", how, heard, at_once(processes, "base_openai", threads, beam, windows))
    heard = 2 * windows * CORES
    note("faster-whisper", f"one process, {CORES} windows at once", heard, [alone("base_fast", small, 1, CORES, beam, heard)])
    for number, what in enumerate(("on the clock", "of processors")):
        best = [min(rate[number] for name, rate in rates.items() if name[0] == engine) for engine in ("openai-whisper", "faster-whisper")]
        print(f"beam {beam}: faster-whisper int8 is {best[0] / best[1]:.2f} times as fast, the best of each, {what}", flush=True)


def report_episodes(folder: Path, minutes: float, hours: float) -> None:
    """Which is the better default."""
    recordings, checkpoint = [str(repeated(folder, minutes * 20, number)) for number in range(2)], str(converted(folder))
    after = alone("episodes", recordings, checkpoint, CORES)
    at_the_same_time = [result(each) for each in [start("episodes", [recording], checkpoint, 1) for recording in recordings]]
    clock = ratio(max(each["s"] for each in at_the_same_time), after["s"])
    spent = ratio(sum(each["cpu_s"] for each in at_the_same_time), after["cpu_s"])
    how = "at once, one core each, against one after the other"
    print(f"two episodes of {minutes / 3:g} min {how}: {clock} on the clock, {spent} of processors", flush=True)


def report_memory(folder: Path, minutes: float, hours: float) -> None:
    """≤ 200 MB asked."""
    first, recording = str(repeated(folder, 60, 1)), str(repeated(folder, hours * 3600))
    for name, checkpoint in (("faster-whisper", converted(folder)), ("openai-whisper", DEMO)):
        found = alone("memory", recording, str(checkpoint), first)
        beside = found["peak_mb"] - found["loaded_mb"]
        print(f"memory, {name}, {hours:g} h: {beside:.0f} MB beside the model ({found['loaded_mb']:.0f} MB once it hears)", flush=True)


def ratio(a_s: float, b_s: float) -> str:
    """One duration over another, and both."""
    return f"{a_s / b_s:.3f} ({a_s:.1f} s / {b_s:.1f} s)"


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


def measured(act: Callable[[], object]) -> dict[str, float]:
    """The seconds it takes, on the clock and of processors (with FFmpeg's): other programs slow the first and hardly the second."""
    since, used = time.perf_counter(), processors_s()
    act()
    return {"s": time.perf_counter() - since, "cpu_s": processors_s() - used}


def processors_s() -> float:
    """Seconds of processors used so far, by this process and those it started that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


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
        what, *given = json.loads(asked.measure)
        print(json.dumps(globals()[what](*given)))
    else:
        with tempfile.TemporaryDirectory() as place:
            for each in asked.what or REPORTS:
                REPORTS[each](Path(place), asked.minutes, asked.hours)
