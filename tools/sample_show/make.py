"""Makes the sample show's raw recordings, its two jingles, and the truth its tests compare with.

    python -m tools.sample_show.make [--root DIR]

Writes ``episodes/*`` (audio only) and ``tests/data/sample_truth/*.json`` under ``--root``. Needs the voices that
``tools.sample_show.kokoro`` assembles. The same script gives the same sound on the same processor; the bytes of the AAC and MP3 files
may change with FFmpeg's version.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from tools.sample_show import effects, music, script
from tools.sample_show.synth import Timing, say

SPEECH_DB = -21.0  # the narrator's RMS level
MUSIC_DB = -25.0
MUSIC_UNDER_SPEECH_DB = -11.0  # relative to MUSIC_DB
ROOM_DB = -78.0
HISS_DB = -47.0
STREET_DB = -47.0
BLEED_DB = -35.0
SILENCE_S = (1.8, 2.0)  # at the two ends
PLACES = {"nora": 0.0, "reporter": -0.1, "ava": 0.3, "ferrand": -0.3}  # -1 left to 1 right; others in the middle
ATMOSPHERES = {"archive": effects.tape, "micro-trottoir": effects.street}
ATMOSPHERE_DB = {"archive": HISS_DB, "micro-trottoir": STREET_DB}
ATMOSPHERE_MARGIN_S = 0.4

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Placed:
    """A line of the script with its sound (mono, at level) and its place on the timeline, in seconds."""

    line: script.Line
    sound: Audio
    start_s: float
    end_s: float
    words: tuple[Timing, ...]


@dataclass(frozen=True)
class Timeline:
    """An episode's lines in place, and its length in seconds."""

    episode: script.Episode
    lines: tuple[Placed, ...]
    seconds: float
    rate: int


def _voiced(line: script.Line, voice: script.Voice, rate: int) -> tuple[Audio, tuple[Timing, ...]]:
    spoken = say(line.text, voice.manner)
    sound = resample_poly(spoken.samples, rate, spoken.rate).astype(np.float32)
    if line.section == "archive":
        sound = effects.telephone(sound, rate)
    return effects.at_level(sound, SPEECH_DB + voice.gain_db), spoken.words


def lay_out(episode: script.Episode, voices: dict[str, script.Voice], rate: int) -> Timeline:
    """Put every line after the one before, leaving room for silence and music at both ends."""
    now = SILENCE_S[0] + (episode.head.seconds - episode.head.overlap_s if episode.head else 0.0)
    placed = []
    for line in episode.lines:
        sound, words = _voiced(line, voices[line.voice], rate)
        end = now + len(sound) / rate
        placed.append(Placed(line, sound, now, end, tuple(word.shifted(now) for word in words)))
        now = end + line.pause_s
    last = placed[-1].end_s
    music_s = episode.tail.seconds - episode.tail.overlap_s if episode.tail else 0.0
    return Timeline(episode, tuple(placed), last + music_s + SILENCE_S[1], rate)


def _add(track: Audio, sound: Audio, at_s: float, rate: int) -> None:
    first = max(0, round(at_s * rate))
    track[first : first + len(sound)] += sound[: len(track) - first]


def _cue_sound(cue: script.Cue, rate: int, speech_first: bool) -> Audio:
    """Music at level, lower where speech lies over it (at its start if ``speech_first``, else at its end)."""
    sound = effects.at_level(music.piece(cue.seconds, rate, cue.seed), MUSIC_DB)
    lowered = np.linspace(0, cue.seconds, len(sound)) - (cue.seconds - cue.overlap_s)
    envelope = np.interp(lowered, [-0.4, 0.2], [1.0, effects.gain(MUSIC_UNDER_SPEECH_DB)])
    return (sound * (envelope[::-1] if speech_first else envelope)).astype(np.float32)


def music_track(timeline: Timeline) -> Audio:
    """The music of an episode alone, mono."""
    track = np.zeros(round(timeline.seconds * timeline.rate), np.float32)
    episode = timeline.episode
    if episode.head:
        _add(track, _cue_sound(episode.head, timeline.rate, speech_first=False), SILENCE_S[0], timeline.rate)
    if episode.tail:
        start = timeline.lines[-1].end_s - episode.tail.overlap_s
        _add(track, _cue_sound(episode.tail, timeline.rate, speech_first=True), start, timeline.rate)
    return track


def _stretches(lines: Iterable[Placed], section: str) -> list[tuple[float, float]]:
    """Where consecutive lines of ``section`` begin and end, in seconds."""
    spans: list[tuple[float, float]] = []
    previous = None
    for placed in lines:
        if placed.line.section == section:
            start = spans.pop()[0] if previous == section else placed.start_s
            spans.append((start, placed.end_s))
        previous = placed.line.section
    return spans


def atmosphere_track(timeline: Timeline, noise: np.random.Generator) -> Audio:
    """Tape and street noise under their sections, over the tone of a quiet room."""
    rate = timeline.rate
    track = effects.room(round(timeline.seconds * rate) / rate, rate, ROOM_DB, noise)
    for section, make_noise in ATMOSPHERES.items():
        for start, end in _stretches(timeline.lines, section):
            seconds = end - start + 2 * ATMOSPHERE_MARGIN_S
            sound = make_noise(seconds, rate, ATMOSPHERE_DB[section], noise)
            _add(track, music.faded(sound, rate, 0.3, 0.3), start - ATMOSPHERE_MARGIN_S, rate)
    return track


def voice_track(timeline: Timeline, keys: Sequence[str]) -> Audio:
    """Only what the voices of these keys say, mono."""
    track = np.zeros(round(timeline.seconds * timeline.rate), np.float32)
    for placed in timeline.lines:
        if placed.line.voice in keys:
            _add(track, placed.sound, placed.start_s, timeline.rate)
    return track


def one_mono(timeline: Timeline, seed: int) -> Audio:
    """The episode as one mono recording."""
    everyone = {placed.line.voice for placed in timeline.lines}
    noise = np.random.default_rng(seed)
    return voice_track(timeline, sorted(everyone)) + music_track(timeline) + atmosphere_track(timeline, noise)


def _widened(sound: Audio, rate: int) -> Audio:
    """Mono music as (samples, 2): each side hears a little of itself 11 ms later, with opposite signs."""
    late = 0.35 * np.concatenate([np.zeros(rate * 11 // 1000, np.float32), sound])[: len(sound)]
    return np.stack([sound + late, sound - late], axis=1)


def one_stereo(timeline: Timeline, seed: int) -> Audio:
    """The episode as one stereo recording, shape (samples, 2); some voices sit to one side."""
    mix = _widened(music_track(timeline), timeline.rate)
    mix += atmosphere_track(timeline, np.random.default_rng(seed))[:, None]
    for key in sorted({placed.line.voice for placed in timeline.lines}):
        side = PLACES.get(key, 0.0)
        mix += voice_track(timeline, [key])[:, None] * np.array([1 - max(0, side), 1 + min(0, side)], np.float32)
    return mix


def two_tracks(timeline: Timeline, keys: tuple[str, str], seed: int) -> tuple[Audio, Audio]:
    """One mono track a voice, on a common timeline; each microphone hears the other voice 5 ms late and dull."""
    rate = timeline.rate
    noise = np.random.default_rng(seed)
    direct = [voice_track(timeline, [key]) for key in keys]
    tracks = []
    for own, other in zip(direct, reversed(direct), strict=True):
        late = np.concatenate([np.zeros(rate * 5 // 1000, np.float32), other])[: len(other)]
        bleed = effects.band(late, rate, None, 3000.0) * effects.gain(BLEED_DB)
        tracks.append(own + bleed + effects.room(len(own) / rate, rate, ROOM_DB, noise)[: len(own)])
    return tracks[0], tracks[1]


def jingle(seconds: float, rate: int, seed: int) -> Audio:
    """A stereo jingle, shape (samples, 2)."""
    return _widened(effects.at_level(music.piece(seconds, rate, seed), -20.0), rate)


def encode(sound: Audio, rate: int, path: Path, *options: str) -> None:
    """Write mono ``sound`` to ``path`` through FFmpeg, which takes the format from the name."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "f32le", "-ar", str(rate), "-ac", "1"]
    command += ["-i", "-", *options, "-fflags", "+bitexact", "-flags:a", "+bitexact", str(path)]
    subprocess.run(command, input=sound.astype("<f4").tobytes(), check=True)


def truth(timeline: Timeline) -> list[dict]:
    """What is said and when, for the tests."""
    return [
        {
            "voice": placed.line.voice,
            "section": placed.line.section,
            "text": placed.line.text,
            "start_s": round(placed.words[0].start_s, 3),
            "end_s": round(placed.words[-1].end_s, 3),
            "words": [[word.label, round(word.start_s, 3), round(word.end_s, 3)] for word in placed.words],
        }
        for placed in timeline.lines
    ]


def write_truth(timeline: Timeline, folder: Path) -> None:
    """One line a sentence, so that a difference can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ",\n".join(" " + json.dumps(row, ensure_ascii=False) for row in truth(timeline))
    (folder / f"{timeline.episode.slug}.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")


def make_show(root: Path) -> None:
    """Write everything; each episode in another shape, as recordings arrive in life."""
    show = script.load()
    episodes = root / "episodes"
    one, two, three = (lay_out(e, show.voices, r) for e, r in zip(show.episodes, (48_000, 24_000, 44_100), strict=True))
    for timeline in (one, two, three):
        (episodes / timeline.episode.slug).mkdir(parents=True, exist_ok=True)
        write_truth(timeline, root / "tests" / "data" / "sample_truth")
        print(f"{timeline.episode.slug}: {timeline.seconds:.1f} s, {len(timeline.lines)} lines")
    soundfile.write(episodes / one.episode.slug / "prise-unique.flac", one_stereo(one, 101), one.rate, "PCM_16")
    soundfile.write(episodes / two.episode.slug / "montage final.wav", one_mono(two, 102), two.rate, "PCM_16")
    nora, malik = two_tracks(three, ("nora", "malik"), 103)
    encode(nora, three.rate, episodes / three.episode.slug / "nora.m4a", "-c:a", "aac", "-b:a", "96k")
    encode(malik, three.rate, episodes / three.episode.slug / "malik.mp3", "-c:a", "libmp3lame", "-b:a", "128k")
    soundfile.write(episodes / "jingle-intro.flac", jingle(5.0, 48_000, 31), 48_000, "PCM_16")
    soundfile.write(episodes / "jingle-outro.flac", jingle(6.0, 48_000, 32), 48_000, "PCM_16")


def main() -> None:
    """Parse the command line and make the show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2])
    make_show(parser.parse_args().root)


if __name__ == "__main__":
    main()
