"""Turn raw recordings into one master: cleaned, levelled, arranged and resampled once.

Every file is streamed twice: once to analyse it, once to mix it. All decisions are made in between, on profiles. Positions are counted
in samples at the published rate, so that tracks stay in sync and every later time is exact. The master is lossless and carries no name:
the same samples in another file, or under another name, give the same bytes.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio.fits import misfits
from pipeline.audio.probe import chosen, refuse_damage
from pipeline.audio.streams import Stream
from pipeline.errors import CauserieError, Problems
from pipeline.files import write_json
from pipeline.progress import report
from pipeline.sound_model import Clean, Mix, Part
from pipeline.workers import cores

if TYPE_CHECKING:
    from pipeline.audio.profile import Profile
    from pipeline.audio.programme import File

HEADROOM_LU = 10.0  # peaks less than this above programme loudness stay under any ceiling, so their true peak is not needed
SOXR = "resampler=soxr:precision=20"  # images and aliases at −140 dB, flat to 20 kHz


@dataclass(frozen=True)
class Take:
    """A file to analyse: the selected stream, the range to keep, the cleanup to apply."""

    name: str
    path: Path
    found: Stream
    start_s: float = 0.0
    end_s: float | None = None
    clean: Clean = Clean(highpass=False)
    voices: bool = True  # whether silence is an error
    smoothed_from: Path | None = None  # the user's file, when `path` is a temporary copy of it with faded edges

    @property
    def given(self) -> Path:
        """The user's file."""
        return self.smoothed_from or self.path

    @property
    def stream(self) -> int:
        """The index of the audio stream, from 0; a jingle with faded edges has only one."""
        return self.found.index

    @property
    def length_s(self) -> float:
        """The expected duration of the kept range, seconds; 0 when the duration of the file is unknown."""
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
    """Write the master (FLAC, 24 bits), the activity of each track, the profiles before and after mixing, and the sound report.

    `files` are those of `mix.files`, in that order. Raises `CauserieError` when one is missing, damaged, silent, or shorter than the
    range to keep.
    """
    from pipeline.audio import facts, mixer, profile, programme, timeline

    with tempfile.TemporaryDirectory(dir=master.parent, prefix=".jingles.") as place:
        takes = takes_of(mix, dict(zip(mix.files, files, strict=True)), Path(place))
        refuse_misfits(mix, takes)
        heard = hear_all(takes, sample_rate_hz, channels)
        count, named = len(mix.recordings), [part for part in mix.parts if part.file]
        tracks = programme.even(heard[:count], mix.level)
        body_lufs = programme.loudness_of(tracks)
        parts = {part: programme.beside(file, part, body_lufs, mix.level) for part, file in zip(named, heard[count:], strict=False)}
        beds = heard[count + len(named) :]
        made = programme.arranged(mix, tracks, parts, beds, sample_rate_hz)
        whole_s = made.samples / sample_rate_hz
        form = (made.clips, made.samples, sample_rate_hz, channels)
        floor = 10 ** ((body_lufs + made.gain_db + HEADROOM_LU) / 20)

        def tell(done_s: float) -> None:
            report(whole_s + done_s, 2 * whole_s)

        mixed = mixer.mix(*form, master=master, gain_db=made.gain_db, floor=floor, tell=tell)
    plain = timeline.before(made.clips, made.samples, sample_rate_hz)
    profile.save(levels, master=mixed, before=plain)
    write_json(activity, facts.activity_of(mix, made, tracks, sample_rate_hz))
    write_json(sound, facts.sound_of(mix, made, tracks, parts, beds, sample_rate_hz))


def takes_of(mix: Mix, paths: Mapping[str, Path], place: Path) -> list[Take]:
    """List every file to analyse: recordings, then parts, then beds. Short music is copied to `place` with faded edges."""
    recordings = [
        Take(each.file, paths[each.file], chosen(paths[each.file], each.stream), mix.start_s, mix.end_s, each.clean)
        for each in mix.recordings
    ]
    named = [(i, part) for i, part in enumerate(mix.parts) if part.file]
    parts = [_part(part, paths[part.file], place / f"{i}.wav") for i, part in named]
    beds = [Take(each.file, paths[each.file], chosen(paths[each.file], each.stream)) for each in mix.beds]
    return recordings + parts + beds


def _part(part: Part, path: Path, place: Path) -> Take:
    """Return the input for a part; short music that is played whole is copied to `place` with faded edges."""
    from pipeline.audio.jingle import smoothed

    found = chosen(path, part.stream)
    whole = part.kind == "music" and not found.index and part.start_s is None and part.end_s is None
    heard = smoothed(path, place) if whole else path
    return Take(part.file, heard, found, part.start_s or 0.0, part.end_s, voices=part.kind == "speech", smoothed_from=path)


def refuse_misfits(mix: Mix, takes: list[Take]) -> None:
    """Raise `CauserieError`, or `Problems` for several, when the mix uses what its files do not contain, as far as durations are known."""
    sounds = zip(mix.sounds, takes, strict=True)
    lengths_s = {(each.file, each.stream): take.found.duration_s for each, take in sounds if take.found.duration_s is not None}
    if found := misfits(mix, lengths_s):
        raise found[0] if len(found) == 1 else Problems(tuple(found))


def hear_all(takes: list[Take], rate_hz: int, channels: int) -> list[File]:
    """Analyse every file, in as many threads as there are processors. The first failure cancels the others."""
    total_s, done_s, stop = sum(take.length_s for take in takes), [0.0] * len(takes), threading.Event()

    def tell(which: int) -> Callable[[float], None]:
        def told(seconds: float) -> None:
            if stop.is_set():
                raise CauserieError("was cancelled because another file failed", takes[which].name)
            done_s[which] = seconds
            report(sum(done_s), 2 * total_s)

        return told

    with ThreadPoolExecutor(cores()) as pool:
        heard = [pool.submit(hear_one, take, rate_hz, channels, tell(i)) for i, take in enumerate(takes)]
        try:
            for each in as_completed(heard):
                each.result()
            return [each.result() for each in heard]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def hear_one(take: Take, rate_hz: int, channels: int, tell: Callable[[float], None]) -> File:
    """Analyse one file; raises `CauserieError` when it is damaged or silent."""
    from pipeline.audio.hearing import hear
    from pipeline.audio.programme import File
    from pipeline.audio.timeline import Source

    cleaners, cleaned = cleaning(take)
    filters = (*cleaners, *to_channels(take.found.channels, channels), to_rate(rate_hz), kept(take.start_s, take.end_s, rate_hz))
    found = hear(take.path, filters, rate_hz, channels, stream=take.stream, tell=tell)
    refuse(take, found.profile, found.log)
    return File(take.name, Source(take.path, take.stream, filters, found.profile), take.found, take.start_s, cleaned)


def cleaning(take: Take) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the filters that clean a file and a description of each; the file is inspected only if the filters depend on findings."""
    from pipeline.audio import clean

    found = clean.look(take.path, take.stream, take.found.sample_rate_hz) if clean.must_look(take.clean) else clean.Found()
    return tuple(clean.filters(take.clean, found)), tuple(clean.described(take.clean, found))


def refuse(take: Take, profile: Profile, log: str) -> None:
    """Raise `CauserieError` when a file is damaged, shorter than the range to keep, or silent."""
    from pipeline.audio.profile import SHORTEST_S, SILENT_LUFS

    length_s = take.found.duration_s
    if not profile.samples and take.start_s and (length_s is None or take.start_s >= length_s):
        raise CauserieError(f"has no sound after {take.start_s:.0f} s", str(take.given), "correct start and end in episode.toml")
    expected_s = None if length_s is None else take.length_s
    refuse_damage(take.given, take.found, expected_s=expected_s, decoded_s=profile.duration_s, log=log)
    if profile.duration_s < SHORTEST_S:
        raise CauserieError(f"lasts {profile.duration_s:.2f} s, too short to measure its loudness", str(take.given), "use 0.4 s or more")
    if take.voices and not profile.integrated_lufs > SILENT_LUFS:
        raise CauserieError("holds only silence", str(take.given), "check the microphone, or leave the recording out")


def to_rate(rate_hz: int) -> str:
    """Return the filter that resamples; it does nothing when the rate is already right."""
    return f"aresample={rate_hz}:{SOXR}"


def kept(start_s: float, end_s: float | None, rate_hz: int) -> str:
    """Return the filter that keeps a range; it counts samples and renumbers them, so that container timestamps cannot shift a track."""
    end = f":end_sample={round(end_s * rate_hz)}" if end_s is not None else ""
    return f"atrim=start_sample={round(start_s * rate_hz)}{end},asetpts=N/SR/TB"


def to_channels(has: int, wants: int) -> tuple[str, ...]:
    """Return the filter for a channel count: mono is duplicated, stereo averaged; FFmpeg downmixes other layouts."""
    if has == wants:
        return ()
    known = {(1, 2): "pan=stereo|c0=c0|c1=c0", (2, 1): "pan=mono|c0=0.5*c0+0.5*c1"}
    return (known.get((has, wants), f"aformat=channel_layouts={'mono' if wants == 1 else 'stereo'}"),)
