"""How fast sound becomes what is published, in how much memory, and how exactly; figures are ratios within this one run.

    python benchmarks/audio.py [--minutes 60] [--quick] [--peer PYTHON]

PEER is a Python that has `ffmpeg-normalize` (1.43 or later); it works with the same FFmpeg, at the same target, into the same codec.
Judges are other people's: pyloudnorm for loudness, scipy at eight times the rate for peaks, libsndfile for decoding.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyloudnorm
import soundfile
from scipy.signal import butter, resample_poly, sosfilt

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.audio import ffmpeg, loudness  # noqa: E402
from pipeline.audio.encode import encode_m4a, encode_mp3, encode_opus  # noqa: E402
from pipeline.audio.level_profile import save_profiles  # noqa: E402
from pipeline.engine.files import read_json  # noqa: E402
from pipeline.model.audio import Mix, Recording  # noqa: E402
from tests.support import programmes  # noqa: E402

RATE_HZ = 44_100
TARGET = {"target_lufs": -16.0, "ceiling_dbtp": -1.0}
EXAMPLES = ("01-la-file-d-attente/prise-unique.flac", "02-une-voix-au-bout-du-fil/montage final.wav", "03-le-metier-d-ecouter/nora.m4a")


def material(path: Path, minutes: float) -> Path:
    """A stereo WAV (48 kHz, 16 bit) of so many minutes: the sample recordings over and over, never twice at the same level."""
    takes = []
    for name in EXAMPLES:
        take = path.with_suffix(".take.wav")
        ffmpeg.run(
            [*ffmpeg.input_arguments(ROOT / "episodes" / name), "-ac", "2", "-ar", "48000", "-c:a", "pcm_f32le", ffmpeg.file_url(take)]
        )
        takes.append(soundfile.read(take, dtype="float32")[0])
        take.unlink()
    left, random, once = round(minutes * 60 * 48_000), np.random.default_rng(0), np.concatenate(takes)
    with soundfile.SoundFile(path, "w", 48_000, 2, "PCM_16") as out:
        while left:
            piece = once[:left] * 10 ** (random.uniform(-6, 3) / 20)
            out.write(np.clip(piece + 2e-4 * random.standard_normal(piece.shape, dtype=np.float32), -1, 1))
            left -= len(piece)
    return path


def levelled(wav: Path, folder: Path) -> None:
    """What a producer waits for, from a recording to its verified MP3."""
    from pipeline.audio.ingest import ingest_recordings

    made = {name: folder / name for name in ("master.flac", "levels.npz", "activity.json", "sound.json")}
    master, levels, activity, sound = made.values()
    mix = Mix((Recording(wav.name),))
    ingest_recordings((wav,), master=master, levels=levels, activity=activity, sound=sound, mix=mix, sample_rate_hz=48_000, channels=2)
    published(master, levels, folder)


def published(master: Path, levels: Path, folder: Path) -> dict[str, float]:
    """The verified MP3 of a master, and what it says of itself."""
    encode_mp3(master, levels, audio=folder / "a.mp3", report=folder / "a.json", curve=folder / "a.npz", kbps=128, **TARGET)
    return read_json(folder / "a.json")


def lame(wav: Path, folder: Path) -> None:
    """The encoder alone."""
    ffmpeg.run([*ffmpeg.input_arguments(wav), "-c:a", "libmp3lame", "-b:a", "128k", ffmpeg.file_url(folder / "lame.mp3")])


def peer(python: str, wav: Path, folder: Path) -> None:
    """ffmpeg-normalize at the same target."""
    asked = ["-t", "-16", "-tp", "-1", "-c:a", "libmp3lame", "-b:a", "128k", "-ar", "48000", "-f", "-o", str(folder / "peer.mp3")]
    command = [python, "-m", "ffmpeg_normalize", str(wav), *asked]
    subprocess.run(command, check=True, env={**os.environ, "FFMPEG_PATH": ffmpeg.executable()})


def cost(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of all processors."""
    used, start = _used_s(), time.perf_counter()
    work()
    return time.perf_counter() - start, _used_s() - used


def _used_s() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def largest_mb(work: list[str]) -> float:
    """The most memory that any one process of a command had resident, in MB."""
    process, most = subprocess.Popen(work), 0
    watching = threading.Event()
    while process.poll() is None:
        most = max([most, *map(_resident_kb, _family(process.pid))])
        watching.wait(0.2)
    if process.returncode:
        raise SystemExit(f"{work} gave {process.returncode}")
    return most / 1024


def _family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = tasks.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _family(int(child))


def _resident_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def kinds() -> Iterator[tuple[str, np.ndarray]]:
    """Programmes of different kinds at 44.1 kHz, half a minute each."""
    random = np.random.default_rng(5)
    voice, other = programmes.synthetic_voice(30, 0, seed=1), programmes.synthetic_voice(30, 1, seed=2)
    there = np.arange(len(voice)) / RATE_HZ
    claps = np.zeros(len(voice))
    for at in range(RATE_HZ, len(voice) - 2000, 3 * RATE_HZ):
        claps[at : at + 2000] += random.standard_normal(2000) * np.exp(-np.arange(2000) / 200)
    yield "speech", voice
    yield "quiet speech", voice * 0.02
    yield "hot clipped speech", np.clip(voice * 20, -0.9, 0.9)
    yield "claps over speech", voice * 0.3 + claps * 0.25
    yield "two voices 14 LU apart", np.where((there // 5 % 2).astype(bool), voice, other[: len(voice)] * 0.2)
    yield "music", programmes.music(30)[: len(voice)]
    yield "speech over music", voice + 0.3 * programmes.music(30)[: len(voice)]
    yield "white noise", 0.1 * random.standard_normal(len(voice))
    breath = sosfilt(butter(4, (1500, 7000), "bandpass", fs=RATE_HZ, output="sos"), random.standard_normal(len(voice)))
    yield "whisper", breath * np.abs(voice)
    yield "telephone", sosfilt(butter(6, (300, 3400), "bandpass", fs=RATE_HZ, output="sos"), voice)
    yield "very dynamic", voice * 10 ** (-30 * np.abs(np.sin(there / 6)) / 20)
    yield "long pauses", voice * ((there % 12) < 3)
    yield "wide stereo", np.column_stack([voice, other[: len(voice)]])
    yield "out of phase", np.column_stack([voice, -voice])
    yield "one side only", np.column_stack([voice, 0 * voice])


def judged(path: Path) -> tuple[float, float]:
    """Loudness (as two loudspeakers play it) and true peak, by other people's meters and decoders."""
    if path.suffix == ".m4a":
        decoded = path.with_suffix(".wav")
        ffmpeg.run([*ffmpeg.input_arguments(path), "-c:a", "pcm_f32le", ffmpeg.file_url(decoded)])
        path = decoded
    samples, rate_hz = soundfile.read(path, always_2d=True)
    both = samples if samples.shape[1] == 2 else np.repeat(samples, 2, axis=1)
    peak = np.abs(resample_poly(samples, 8, 1, axis=0)).max()
    return float(pyloudnorm.Meter(rate_hz).integrated_loudness(both)), float(20 * np.log10(peak))


def exactness(folder: Path) -> None:
    """How near each programme comes, as MP3, AAC and Opus."""
    print("| programme | as | LUFS − asked | dBTP − ceiling | attempts |\n| --- | --- | --- | --- | --- |")
    misses, overs = [], []
    for name, samples in kinds():
        wav, master, levels = folder / "k.wav", folder / "k.flac", folder / "k.npz"
        soundfile.write(wav, samples / max(1.0, np.abs(samples).max()), RATE_HZ, "PCM_24")
        ffmpeg.run([*ffmpeg.input_arguments(wav), ffmpeg.file_url(master)])
        save_profiles(levels, master=loudness.measure_profile(master, 0.25))
        attempts = published(master, levels, folder)["attempts"]
        encode_m4a(master, levels, audio=folder / "a.m4a", kbps=96, **TARGET)
        encode_opus(master, levels, audio=folder / "a.opus", kbps=24, **TARGET)
        for form in ("mp3", "m4a", "opus"):
            lufs, peak_dbtp = judged(folder / f"a.{form}")
            misses.append(abs(lufs - TARGET["target_lufs"]))
            overs.append(peak_dbtp - TARGET["ceiling_dbtp"])
            said = attempts if form == "mp3" else ""
            print(f"| {name} | {form} | {lufs - TARGET['target_lufs']:+.2f} | {overs[-1]:+.2f} | {said} |", flush=True)
    print(f"\nfurthest from the target {max(misses):.2f} LU (0.3 asked); highest peak {max(overs):+.2f} dB from the ceiling (0 asked)\n")


def speed(folder: Path, minutes: float, python: str) -> None:
    """Clock and processor beside LAME alone and, when there is one, the peer."""
    wav = material(folder / "long.wav", minutes)
    alone_s, lame_cpu_s = cost(lambda: lame(wav, folder))
    clock_s, cpu_s = cost(lambda: levelled(wav, folder))
    print(f"{minutes:g} min: LAME alone {alone_s:.1f} s; levelled, encoded and verified {clock_s:.1f} s")
    print(f"processor time {cpu_s:.1f} s, {cpu_s / lame_cpu_s:.2f} × LAME's own {lame_cpu_s:.1f} s (1.6 asked)", flush=True)
    if python:
        peer_s, _ = cost(lambda: peer(python, wav, folder))
        print(f"ffmpeg-normalize {peer_s:.1f} s: {clock_s / peer_s:.2f} of it (0.35 asked)", flush=True)
    wav.unlink()


def show_of(wav: Path, folder: Path) -> list[str]:
    """The command that levels, encodes and verifies a show of this one recording; it is moved there."""
    command = [sys.executable, str(ROOT / "cli.py")]
    show, quiet = folder / "show", {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*command, "init", str(show)], **quiet)
    tiny = wav.with_name("tiny.wav")
    soundfile.write(tiny, 0.1 * np.sin(np.arange(2 * 48_000) / 10), 48_000)
    subprocess.run([*command, "new", "--show", str(show), "long", str(tiny)], **quiet)
    wav.replace(show / "episodes" / "long" / tiny.name)
    return [*command, "normalise", "--show", str(show), "--quiet"]


def memory(folder: Path) -> None:
    """The largest process of the product on a stereo file of three hours."""
    most = largest_mb(show_of(material(folder / "three-hours.wav", 180), folder))
    print(f"3 h stereo: the largest process had {most:.0f} MB (250 asked)")


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--quick", action="store_true", help="leave out the three hours")
    parser.add_argument("--peer", default="", help="a Python that has ffmpeg-normalize")
    parser.add_argument("--only", choices=["exactness", "speed", "memory"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.only in (None, "exactness"):
            exactness(folder)
        if given.only in (None, "speed"):
            speed(folder, given.minutes, given.peer)
        if given.only == "memory" or (given.only is None and not given.quick):
            memory(folder)


if __name__ == "__main__":
    main()
