"""Raw recordings become one master: cleaned, made even, put together, resampled once.

Every file is decoded twice and never held: once to hear what it is like, once to mix it. Between the two everything is decided, on
profiles. All is counted in samples at the published rate, so that tracks stay in sync and every later time is exact. The master is
lossless and carries no name: the same samples in another file, or under another name, give the same bytes.
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

HEADROOM_LU = 10.0  # peaks so near the loudness of the programme are under any ceiling it may be brought to
SOXR = "resampler=soxr:precision=20"  # images and aliases 140 dB down, flat to 20 kHz


@dataclass(frozen=True)
class Take:
    """A file to hear: which of its streams, what is kept of it, what is cleaned."""

    name: str
    path: Path
    found: Stream
    start_s: float = 0.0
    end_s: float | None = None
    clean: Clean = Clean(highpass=False)
    voices: bool = True  # whether it must hold something to hear
    smoothed_from: Path | None = None  # what `path` was made from, which is the one a person knows

    @property
    def given(self) -> Path:
        """The file a person gave."""
        return self.smoothed_from or self.path

    @property
    def stream(self) -> int:
        """Which audio stream, from 0; a smoothed jingle has but one."""
        return self.found.index

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
        told = {"tell": lambda done_s: report(whole_s + done_s, 2 * whole_s)}
        mixed = mixer.mix(*form, master=master, gain_db=made.gain_db, floor=floor, **told)
    plain = timeline.before(made.clips, made.samples, sample_rate_hz)
    profile.save(levels, master=mixed, before=plain)
    write_json(activity, facts.activity_of(mix, made, tracks, sample_rate_hz))
    write_json(sound, facts.sound_of(mix, made, tracks, parts, beds, sample_rate_hz))


def takes_of(mix: Mix, paths: Mapping[str, Path], place: Path) -> list[Take]:
    """Every file to hear: the recordings, then the parts, then the beds. Short music is smoothed, into files of `place`."""
    recordings = [
        Take(each.file, paths[each.file], chosen(paths[each.file], each.stream), mix.start_s, mix.end_s, each.clean)
        for each in mix.recordings
    ]
    named = [(i, part) for i, part in enumerate(mix.parts) if part.file]
    parts = [_part(part, paths[part.file], place / f"{i}.wav") for i, part in named]
    beds = [Take(each.file, paths[each.file], chosen(paths[each.file], each.stream)) for each in mix.beds]
    return recordings + parts + beds


def _part(part: Part, path: Path, place: Path) -> Take:
    """A part to hear; music that is played whole is smoothed into `place` when it is short."""
    from pipeline.audio.jingle import smoothed

    found = chosen(path, part.stream)
    whole = part.kind == "music" and not found.index and part.start_s is None and part.end_s is None
    heard = smoothed(path, place) if whole else path
    return Take(part.file, heard, found, part.start_s or 0.0, part.end_s, voices=part.kind == "speech", smoothed_from=path)


def refuse_misfits(mix: Mix, takes: list[Take]) -> None:
    """`CauserieError`, or `Problems`, when the episode asks for what its files do not have, as far as they say how long they are."""
    sounds = zip((*mix.recordings, *(part for part in mix.parts if part.file), *mix.beds), takes, strict=True)
    lengths_s = {(each.file, each.stream): take.found.duration_s for each, take in sounds if take.found.duration_s is not None}
    if found := misfits(mix, lengths_s):
        raise found[0] if len(found) == 1 else Problems(tuple(found))


def hear_all(takes: list[Take], rate_hz: int, channels: int) -> list[File]:
    """Hear every file, as many at once as there are processors."""
    total_s, done_s, stop = sum(take.length_s for take in takes), [0.0] * len(takes), threading.Event()

    def tell(which: int) -> Callable[[float], None]:
        def told(seconds: float) -> None:
            if stop.is_set():
                raise CauserieError("was given up because another file failed", takes[which].name)
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
    """A file with its profile. `CauserieError` when it is damaged, or when there is nothing to hear in it."""
    from pipeline.audio.hearing import hear
    from pipeline.audio.programme import File
    from pipeline.audio.timeline import Source

    cleaners, cleaned = cleaning(take)
    filters = (*cleaners, *to_channels(take.found.channels, channels), to_rate(rate_hz), kept(take.start_s, take.end_s, rate_hz))
    found = hear(take.path, filters, rate_hz, channels, stream=take.stream, tell=tell)
    refuse(take, found.profile, found.log)
    return File(take.name, Source(take.path, take.stream, filters, found.profile), take.found, take.start_s, cleaned)


def cleaning(take: Take) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The filters that clean a file, for which it is looked at when they depend on it, and what they do in words."""
    from pipeline.audio import clean

    found = clean.look(take.path, take.stream, take.found.sample_rate_hz) if clean.must_look(take.clean) else clean.Found()
    return tuple(clean.filters(take.clean, found)), tuple(clean.described(take.clean, found))


def refuse(take: Take, profile: Profile, log: str) -> None:
    """`CauserieError` when a file is damaged, shorter than what is kept of it, or holds nothing to hear."""
    from pipeline.audio.profile import SHORTEST_S, SILENT_LUFS

    length_s = take.found.duration_s
    if not profile.samples and take.start_s and (length_s is None or take.start_s >= length_s):
        raise CauserieError(f"holds nothing after {take.start_s:.0f} s", str(take.given), "correct start and end in episode.toml")
    expected_s = None if length_s is None else take.length_s
    refuse_damage(take.given, take.found, expected_s=expected_s, decoded_s=profile.duration_s, log=log)
    if profile.duration_s < SHORTEST_S:
        raise CauserieError(f"lasts {profile.duration_s:.2f} s, too short to have a loudness", str(take.given), "give 0.4 s or more")
    if take.voices and not profile.integrated_lufs > SILENT_LUFS:
        raise CauserieError("holds only silence", str(take.given), "check the microphone, or leave the recording out")


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
