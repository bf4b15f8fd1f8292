"""Raw recordings become one master: cleaned, made even, put together, resampled once.

Every file is decoded twice and never held: once to hear what it is like, once to mix it. Between the two everything is decided, on
profiles. All is counted in samples at the published rate, so that tracks stay in sync and every later time is exact. The master is
lossless and carries no name: the same samples in another file, or under another name, give the same bytes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio.probe import Probe, probe, refuse_damage
from pipeline.errors import CauserieError
from pipeline.files import write_json
from pipeline.model import Clean, Mix
from pipeline.progress import report

if TYPE_CHECKING:
    from pipeline.audio.programme import File

SOXR = "resampler=soxr:precision=20"  # images and aliases 140 dB down, flat to 20 kHz


@dataclass(frozen=True)
class Take:
    """A file to hear: which of its streams, what is kept of it, what is cleaned."""

    name: str
    path: Path
    found: Probe
    start_s: float = 0.0
    end_s: float | None = None
    clean: Clean = Clean(highpass=False)
    voices: bool = True  # whether it must hold something to hear

    @property
    def length_s(self) -> float:
        """How long what is kept of it should be, 0 when the file does not say."""
        end_s = min(self.found.duration_s or 0.0, self.end_s or float("inf"))
        return max(0.0, end_s - self.start_s)


def ingest(
    files: tuple[Path, ...],
    *,
    master: Path,
    activity: Path,
    levels: Path,
    sound: Path,
    mix: Mix,
    sample_rate_hz: int,
    channels: int,
) -> None:
    """Write the master (FLAC, 24 bits), who is active on which track, the profiles of both, and what was found and done.

    `files` are those of `mix.files`, in that order. `CauserieError` when one is missing, damaged, silent, or ends before what is
    kept of it.
    """
    from pipeline.audio import facts, mixer, profile, programme, timeline

    with tempfile.TemporaryDirectory(dir=master.parent, prefix=".jingles.") as place:
        takes = takes_of(mix, dict(zip(mix.files, files, strict=True)), Path(place))
        heard = hear_all(takes, sample_rate_hz, channels)
        count, named = len(mix.recordings), [part for part in mix.parts if part.file]
        tracks = programme.even(heard[:count], mix.level)
        body_lufs = programme.loudness_of(tracks)
        parts = {part: programme.beside(file, part, body_lufs, mix.level) for part, file in zip(named, heard[count:], strict=False)}
        beds = heard[count + len(named) :]
        made = programme.arranged(mix, tracks, parts, beds, sample_rate_hz)
        whole_s = made.samples / sample_rate_hz
        form = (made.clips, made.samples, sample_rate_hz, channels)
        mixed = mixer.mix(*form, master=master, gain_db=made.gain_db, tell=lambda done_s: report(whole_s + done_s, 2 * whole_s))
    plain = timeline.before(made.clips, made.samples, sample_rate_hz)
    profile.save(levels, master=mixed, before=plain)
    write_json(activity, facts.activity_of(mix, made, sample_rate_hz))
    write_json(sound, facts.sound_of(mix, made, tracks, parts, beds, sample_rate_hz))


def takes_of(mix: Mix, paths: Mapping[str, Path], place: Path) -> list[Take]:
    """Every file to hear: the recordings, then the parts, then the beds. Short music is smoothed, into files of `place`."""
    from pipeline.audio.jingle import smoothed

    recordings = [
        Take(each.file, paths[each.file], probe(paths[each.file]), mix.start_s, mix.end_s, each.clean) for each in mix.recordings
    ]
    parts = [
        Take(each.file, paths[each.file], probe(paths[each.file]), each.start_s, each.end_s, voices=each.kind == "speech")
        for each in mix.parts
        if each.file
    ]
    beds = [Take(each.file, paths[each.file], probe(paths[each.file]), voices=False) for each in mix.beds]
    for i, part in enumerate(parts):
        if not part.voices and part.start_s == 0 and part.end_s is None:
            parts[i] = replace(part, path=smoothed(part.path, place / f"{i}.wav"))
    return recordings + parts + beds


def hear_all(takes: list[Take], rate_hz: int, channels: int) -> list[File]:
    """Hear every file, as many at once as there are processors."""
    total_s, done_s = sum(take.length_s for take in takes), [0.0] * len(takes)

    def tell(which: int) -> Callable[[float], None]:
        def told(seconds: float) -> None:
            done_s[which] = seconds
            report(sum(done_s), 2 * total_s)

        return told

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        heard = [pool.submit(hear_one, take, rate_hz, channels, tell(i)) for i, take in enumerate(takes)]
        try:
            return [each.result() for each in heard]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def hear_one(take: Take, rate_hz: int, channels: int, tell: Callable[[float], None]) -> File:
    """A file with its profile. `CauserieError` when it is damaged, or when there is nothing to hear in it."""
    from pipeline.audio.hearing import hear
    from pipeline.audio.profile import SILENT_LUFS
    from pipeline.audio.programme import File
    from pipeline.audio.timeline import Source

    filters = (*to_channels(take.found.channels, channels), to_rate(rate_hz), kept(take.start_s, take.end_s, rate_hz))
    found = hear(take.path, filters, rate_hz, channels, tell=tell)
    if not found.profile.samples:
        raise CauserieError(f"holds nothing after {take.start_s:.0f} s", str(take.path), "correct start and end in episode.toml")
    expected_s = take.length_s if take.found.duration_s is not None else None
    refuse_damage(take.path, take.found, expected_s=expected_s, decoded_s=found.profile.duration_s, log=found.log)
    if take.voices and not found.profile.integrated_lufs > SILENT_LUFS:
        raise CauserieError("holds only silence", str(take.path), "check the microphone, or leave the recording out")
    return File(take.name, Source(take.path, 0, filters, found.profile), take.found, take.start_s)


def to_rate(rate_hz: int) -> str:
    """The filter that resamples; it lets samples through when they have that rate."""
    return f"aresample={rate_hz}:{SOXR}"


def kept(start_s: float, end_s: float | None, rate_hz: int) -> str:
    """The filter that keeps a stretch; it counts samples and numbers them again: no container's time stamps move a track."""
    end = f":end_sample={round(end_s * rate_hz)}" if end_s is not None else ""
    return f"atrim=start_sample={round(start_s * rate_hz)}{end},asetpts=N/SR/TB"


def to_channels(has: int, wants: int) -> tuple[str, ...]:
    """Mono to stereo is twice the same, stereo to mono the half of both; other layouts are mixed down the way FFmpeg does."""
    if has == wants:
        return ()
    known = {(1, 2): "pan=stereo|c0=c0|c1=c0", (2, 1): "pan=mono|c0=0.5*c0+0.5*c1"}
    return (known.get((has, wants), f"aformat=channel_layouts={'mono' if wants == 1 else 'stereo'}"),)
