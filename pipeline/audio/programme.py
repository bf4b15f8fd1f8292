"""Decide the arrangement once every file is analysed: gains that level the voices, and the position of everything. No files are opened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.audio.fits import lies_under
from pipeline.audio.gate import gates
from pipeline.audio.levels import balance_db, duck, heard, moved_lufs
from pipeline.audio.profile import BLOCKS_PER_S, FLOOR_DB, HOPS_PER_S, SILENT_LUFS, Floats, Profile, hop_sample
from pipeline.audio.ride import Turn, ride
from pipeline.audio.streams import Stream
from pipeline.audio.timeline import Clip, Source, Stretch, lay, placed, repeated, worst_peak
from pipeline.audio.voice import talking
from pipeline.errors import CauserieError
from pipeline.sound_model import Bed, Mix, Part
from pipeline.text import hms

MUSIC_LU = -3.0  # music between voices, relative to the programme: at equal loudness it seems louder than speech
CUT = 10 ** (-55 / 20)  # 1.0 is full scale: a cut below this level does not click
CLOSED_DB = -3.0  # below this gain a gate is closing, and what passes is not the voice of that track


@dataclass(frozen=True, eq=False)
class File:
    """A file after its analysis."""

    name: str  # as in the show's TOML
    source: Source
    found: Stream
    start_s: float = 0.0  # start of the source in the file's own time
    cleaned: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()  # turns that were levelled, in the source's time


@dataclass(frozen=True, eq=False)
class Programme:
    """The complete arrangement of an episode: clips, duration and gain."""

    parts: tuple[tuple[Clip, ...], ...]
    beds: tuple[tuple[Clip, ...], ...]
    samples: int  # per channel
    gain_db: float  # of the whole programme, so that it cannot clip
    trimmed: tuple[int, int]  # silence removed at the head and the tail of the recordings, samples

    @property
    def clips(self) -> tuple[Clip, ...]:
        """Every clip, parts first."""
        return tuple(clip for clips in (*self.parts, *self.beds) for clip in clips)


def even(tracks: Sequence[File], level: str) -> list[File]:
    """Level the voices within each track and between tracks, and gate each track where its speaker is silent."""
    profiles = [track.source.profile for track in tracks]
    closed = gates(profiles, level) if len(tracks) > 1 else [None]
    moved = [_ridden(track, gate, level) for track, gate in zip(tracks, closed, strict=True)]
    loud = [moved_lufs(track.source.profile, track.source.moves_db) for track in moved]
    gains = balance_db(loud) if level != "off" else [0.0] * len(moved)
    return [_raised(track, gain_db) for track, gain_db in zip(moved, gains, strict=True)]


def loudness_of(tracks: Sequence[File]) -> float:
    """Return the mean loudness of the levelled tracks, LUFS."""
    return sum(moved_lufs(track.source.profile, track.source.moves_db) + track.source.gain_db for track in tracks) / len(tracks)


def beside(file: File, part: Part, body_lufs: float, level: str) -> File:
    """Level a separate file against the recordings: speech to the same loudness, music slightly below."""
    ridden = _ridden(file, None, level) if part.kind == "speech" else file
    own_lufs = moved_lufs(ridden.source.profile, ridden.source.moves_db)
    if own_lufs <= SILENT_LUFS or (part.kind == "speech" and level == "off"):
        return ridden
    wanted_db = body_lufs + (MUSIC_LU if part.kind == "music" else 0.0) - own_lufs
    peak = ridden.source.profile.peak
    return _raised(ridden, min(wanted_db, -20 * math.log10(peak) if part.kind == "music" else wanted_db))


def arranged(mix: Mix, tracks: Sequence[File], others: Mapping[Part, File], beds: Sequence[File], rate_hz: int) -> Programme:
    """Place every part, and the beds under them. Raises `CauserieError` when a part lies outside its file."""
    window = body_window(tracks, rate_hz, trim=mix.trim_silence)
    stretches = [_of_file(part, others[part], mix, rate_hz) if part.file else _of_body(part, tracks, window, rate_hz) for part in mix.parts]
    parts = placed(stretches, rate_hz)
    samples = max(clip.end for clips in parts for clip in clips)
    under = _beds(mix, beds, parts, loudness_of(tracks), samples, rate_hz)
    worst = worst_peak([clip for clips in (*parts, *under) for clip in clips], samples, rate_hz)
    gain_db = -20 * math.log10(worst) - 0.01 if worst > 1 else 0.0
    longest = max(track.source.profile.samples for track in tracks)
    return Programme(tuple(parts), tuple(under), samples, gain_db, (window[0], longest - window[1]))


def body_window(tracks: Sequence[File], rate_hz: int, *, trim: bool) -> tuple[int, int]:
    """Return the range of the recordings to keep, samples: from before the first activity on any track to after the last.

    It starts on a hop.
    """
    longest = max(track.source.profile.samples for track in tracks)
    if not trim:
        return 0, longest
    first, last = heard([track.source.profile for track in tracks])
    return hop_sample(max(0, first), rate_hz), min(longest, hop_sample(last, rate_hz))


def _ridden(file: File, gate: Floats | None, level: str) -> File:
    """Level the turns of a file and apply its gate."""
    if level == "off":
        return file
    found = ride(_behind(file.source.profile, gate), level)
    moves = found.gains_db if gate is None else found.gains_db + gate
    still = not np.any(moves)
    return replace(file, source=replace(file.source, moves_db=None if still else moves.astype(np.float32)), turns=found.turns)


def _behind(profile: Profile, gate: Floats | None) -> Profile:
    """Silence the profile where the gate is closed: what passes there is another speaker, who must not be raised."""
    if gate is None:
        return profile
    moments = np.minimum(np.arange(len(profile.momentary_lufs)) * 2, len(gate) - 1)
    blocks = np.minimum(np.arange(len(profile.powers)) // 10, len(gate) - 1)
    return replace(
        profile,
        powers=np.where(gate[blocks] < CLOSED_DB, 0, profile.powers).astype(np.float32),
        momentary_lufs=np.where(gate[moments] < CLOSED_DB, FLOOR_DB, profile.momentary_lufs).astype(np.float32),
    )


def _raised(file: File, gain_db: float) -> File:
    return replace(file, source=replace(file.source, gain_db=file.source.gain_db + gain_db))


def _of_body(part: Part, tracks: Sequence[File], window: tuple[int, int], rate_hz: int) -> Stretch:
    """Return the part that is the recordings, or a range of them given in their own time."""
    start, end = window
    origin, longest = tracks[0].start_s, max(track.source.profile.samples for track in tracks)
    if part.start_s is not None:
        start = round((part.start_s - origin) * rate_hz)
    if part.end_s is not None:
        end = round((part.end_s - origin) * rate_hz)
    if start < 0 or start >= min(end, longest):
        raise _outside(part, tracks[0].source.path.name)
    return _stretch(part, tuple(track.source for track in tracks), start, min(end, longest), rate_hz)


def _of_file(part: Part, file: File, mix: Mix, rate_hz: int) -> Stretch:
    """Return the part that is a file, without the silence around its speech."""
    trim = mix.trim_silence and part.kind == "speech" and part.start_s is None and part.end_s is None
    start, end = body_window([file], rate_hz, trim=trim)
    return _stretch(part, (file.source,), start, end, rate_hz)


def _stretch(part: Part, sources: tuple[Source, ...], start: int, end: int, rate_hz: int) -> Stretch:
    gap, crossfade, fade_in, fade_out = (round(each * rate_hz) for each in (part.gap_s, part.crossfade_s, part.fade_in_s, part.fade_out_s))
    return Stretch(sources, start, end - start, gap, crossfade, fade_in, fade_out, _cut(sources, start, end, rate_hz), part.gain_db)


def _cut(sources: tuple[Source, ...], start: int, end: int, rate_hz: int) -> tuple[bool, bool]:
    """Whether the range starts, and whether it ends, in the middle of sound."""
    blocks = [(each.profile.peaks, start * BLOCKS_PER_S // rate_hz, (end - 1) * BLOCKS_PER_S // rate_hz) for each in sources]

    def loud(side: int) -> bool:
        return any(len(peaks) > (edge := edges[side]) and peaks[edge] > CUT for peaks, *edges in blocks)

    return loud(0), loud(1)


def _beds(
    mix: Mix, beds: Sequence[File], parts: Sequence[tuple[Clip, ...]], programme_lufs: float, samples: int, rate_hz: int
) -> list[tuple[Clip, ...]]:
    """Return the clips of each bed, ducked under speech."""
    spoken = _talking(mix, parts, samples, rate_hz) if beds else np.zeros(0, bool)
    return [
        _bed(mix, bed, file, parts, programme_lufs, duck(spoken, bed.duck_db), rate_hz) for bed, file in zip(mix.beds, beds, strict=True)
    ]


def _bed(
    mix: Mix, bed: Bed, file: File, parts: Sequence[tuple[Clip, ...]], programme_lufs: float, moves_db: Floats, rate_hz: int
) -> tuple[Clip, ...]:
    clips = parts[mix.parts.index(lies_under(mix, bed))]
    at, end = clips[0].at + round(bed.start_s * rate_hz), max(clip.end for clip in clips)
    if bed.end_s is not None:
        end = min(end, clips[0].at + round(bed.end_s * rate_hz))
    if at >= end:
        raise CauserieError("begins after the part it plays under ends", file.name, "correct start and end of that bed in episode.toml")
    fades = (round(bed.fade_in_s * rate_hz), round(bed.fade_out_s * rate_hz))
    loud = _raised(file, programme_lufs - bed.below_lu - file.source.profile.integrated_lufs)
    return repeated(loud.source, at, end - at, fades, moves_db, rate_hz)


def _talking(mix: Mix, parts: Sequence[tuple[Clip, ...]], samples: int, rate_hz: int) -> np.ndarray:
    """Mark the hops of the programme with speech; music parts have none."""
    spoken = np.zeros(-(-samples * HOPS_PER_S // rate_hz), bool)
    for part, clips in zip(mix.parts, parts, strict=True):
        for clip in clips if part.kind == "speech" else ():
            lay(spoken, talking(clip.source.profile), clip, HOPS_PER_S, rate_hz, np.logical_or)
    return spoken


def _outside(part: Part, name: str) -> CauserieError:
    span = f"{hms(part.start_s or 0.0)} to {'its end' if part.end_s is None else hms(part.end_s)}"
    return CauserieError(f"does not cover {span}, which part {part.number} uses", name, "correct start and end in episode.toml")
