"""Decide the arrangement once every file is analysed: gains that level the voices, and the position of everything. No files are opened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.audio.gains import active_range, balance_gains_db, duck_curve_db, lufs_after_gain
from pipeline.audio.level_profile import ABSOLUTE_GATE_LUFS, BLOCKS_PER_S, HOPS_PER_S, SILENCE_DB, Float32Array, LevelProfile, hop_sample
from pipeline.audio.levelling import SpeechTurn, level_turns
from pipeline.audio.mix_validation import part_over_bed
from pipeline.audio.noise_gate import gate_gains_db
from pipeline.audio.speech_detection import speech_mask
from pipeline.audio.stream_info import AudioStream
from pipeline.audio.timeline import Clip, ClipSource, UnplacedPart, loop_bed, overlay, peak_bound, place_parts
from pipeline.model import Bed, CauserieError, Mix, Part, format_clock

MUSIC_OFFSET_LU = -3.0  # music between voices, relative to the programme: at equal loudness it seems louder than speech
CLICK_THRESHOLD = 10 ** (-55 / 20)  # 1.0 is full scale: a cut below this level does not click
GATE_CLOSED_DB = -3.0  # below this gain a gate is closing, and what passes is not the voice of that track


@dataclass(frozen=True, eq=False)
class AnalysedFile:
    """A file after its analysis."""

    name: str  # as in the show's TOML
    source: ClipSource
    stream_info: AudioStream
    start_s: float = 0.0  # start of the source in the file's own time
    cleanup_steps: tuple[str, ...] = ()
    turns: tuple[SpeechTurn, ...] = ()  # turns that were levelled, in the source's time


@dataclass(frozen=True, eq=False)
class Arrangement:
    """The complete arrangement of an episode: clips, duration and gain."""

    parts: tuple[tuple[Clip, ...], ...]
    beds: tuple[tuple[Clip, ...], ...]
    samples: int  # per channel
    gain_db: float  # of the whole programme, so that it cannot clip
    trimmed: tuple[int, int]  # silence removed at the head and the tail of the recordings, samples

    @property
    def all_clips(self) -> tuple[Clip, ...]:
        """Every clip, parts first."""
        return tuple(clip for clips in (*self.parts, *self.beds) for clip in clips)


def level_tracks(tracks: Sequence[AnalysedFile], strength: str) -> list[AnalysedFile]:
    """Level the voices within each track and between tracks, and gate each track where its speaker is silent."""
    profiles = [track.source.profile for track in tracks]
    gate_curves = gate_gains_db(profiles, strength) if len(tracks) > 1 else [None]
    levelled = [_level_file(track, gate, strength) for track, gate in zip(tracks, gate_curves, strict=True)]
    loudness_lufs = [lufs_after_gain(track.source.profile, track.source.gain_curve_db) for track in levelled]
    gains = balance_gains_db(loudness_lufs) if strength != "off" else [0.0] * len(levelled)
    return [_with_gain(track, gain_db) for track, gain_db in zip(levelled, gains, strict=True)]


def mean_loudness_lufs(tracks: Sequence[AnalysedFile]) -> float:
    """Return the mean loudness of the levelled tracks, LUFS."""
    return sum(lufs_after_gain(track.source.profile, track.source.gain_curve_db) + track.source.gain_db for track in tracks) / len(tracks)


def level_against(file: AnalysedFile, part: Part, body_lufs: float, strength: str) -> AnalysedFile:
    """Level a separate file against the recordings: speech to the same loudness, music slightly below."""
    levelled = _level_file(file, None, strength) if part.kind == "speech" else file
    own_lufs = lufs_after_gain(levelled.source.profile, levelled.source.gain_curve_db)
    if own_lufs <= ABSOLUTE_GATE_LUFS or (part.kind == "speech" and strength == "off"):
        return levelled
    gain_db = body_lufs + (MUSIC_OFFSET_LU if part.kind == "music" else 0.0) - own_lufs
    peak = levelled.source.profile.peak
    return _with_gain(levelled, min(gain_db, -20 * math.log10(peak) if part.kind == "music" else gain_db))


def arrange(
    mix: Mix, tracks: Sequence[AnalysedFile], part_files: Mapping[Part, AnalysedFile], beds: Sequence[AnalysedFile], rate_hz: int
) -> Arrangement:
    """Place every part, and the beds under them. Raises `CauserieError` when a part lies outside its file."""
    window = body_window(tracks, rate_hz, trim=mix.trim_silence)
    unplaced = [
        _file_part(part, part_files[part], mix, rate_hz) if part.file else _body_part(part, tracks, window, rate_hz) for part in mix.parts
    ]
    parts = place_parts(unplaced, rate_hz)
    samples = max(clip.end for clips in parts for clip in clips)
    bed_clips = _place_beds(mix, beds, parts, mean_loudness_lufs(tracks), samples, rate_hz)
    peak = peak_bound([clip for clips in (*parts, *bed_clips) for clip in clips], samples, rate_hz)
    gain_db = -20 * math.log10(peak) - 0.01 if peak > 1 else 0.0
    longest = max(track.source.profile.samples for track in tracks)
    return Arrangement(tuple(parts), tuple(bed_clips), samples, gain_db, (window[0], longest - window[1]))


def body_window(tracks: Sequence[AnalysedFile], rate_hz: int, *, trim: bool) -> tuple[int, int]:
    """Return the range of the recordings to keep, samples: from before the first activity on any track to after the last.

    It starts on a hop.
    """
    longest = max(track.source.profile.samples for track in tracks)
    if not trim:
        return 0, longest
    first, last = active_range([track.source.profile for track in tracks])
    return hop_sample(max(0, first), rate_hz), min(longest, hop_sample(last, rate_hz))


def _level_file(file: AnalysedFile, gate: Float32Array | None, strength: str) -> AnalysedFile:
    """Level the turns of a file and apply its gate."""
    if strength == "off":
        return file
    curve = level_turns(_gated_profile(file.source.profile, gate), strength)
    gain_curve_db = curve.gains_db if gate is None else curve.gains_db + gate
    source = replace(file.source, gain_curve_db=gain_curve_db.astype(np.float32) if np.any(gain_curve_db) else None)
    return replace(file, source=source, turns=curve.turns)


def _gated_profile(profile: LevelProfile, gate: Float32Array | None) -> LevelProfile:
    """Silence the profile where the gate is closed: what passes there is another speaker, who must not be raised."""
    if gate is None:
        return profile
    moments = np.minimum(np.arange(len(profile.momentary_lufs)) * 2, len(gate) - 1)
    blocks = np.minimum(np.arange(len(profile.powers)) // 10, len(gate) - 1)
    return replace(
        profile,
        powers=np.where(gate[blocks] < GATE_CLOSED_DB, 0, profile.powers).astype(np.float32),
        momentary_lufs=np.where(gate[moments] < GATE_CLOSED_DB, SILENCE_DB, profile.momentary_lufs).astype(np.float32),
    )


def _with_gain(file: AnalysedFile, gain_db: float) -> AnalysedFile:
    return replace(file, source=replace(file.source, gain_db=file.source.gain_db + gain_db))


def _body_part(part: Part, tracks: Sequence[AnalysedFile], window: tuple[int, int], rate_hz: int) -> UnplacedPart:
    """Return the part that is the recordings, or a range of them given in their own time."""
    start, end = window
    origin, longest = tracks[0].start_s, max(track.source.profile.samples for track in tracks)
    if part.start_s is not None:
        start = round((part.start_s - origin) * rate_hz)
    if part.end_s is not None:
        end = round((part.end_s - origin) * rate_hz)
    if start < 0 or start >= min(end, longest):
        raise _out_of_range_error(part, tracks[0].source.path.name)
    return _unplaced_part(part, tuple(track.source for track in tracks), start, min(end, longest), rate_hz)


def _file_part(part: Part, file: AnalysedFile, mix: Mix, rate_hz: int) -> UnplacedPart:
    """Return the part that is a file, without the silence around its speech."""
    trim = mix.trim_silence and part.kind == "speech" and part.start_s is None and part.end_s is None
    start, end = body_window([file], rate_hz, trim=trim)
    return _unplaced_part(part, (file.source,), start, end, rate_hz)


def _unplaced_part(part: Part, sources: tuple[ClipSource, ...], start: int, end: int, rate_hz: int) -> UnplacedPart:
    gap, crossfade, fade_in, fade_out = (round(each * rate_hz) for each in (part.gap_s, part.crossfade_s, part.fade_in_s, part.fade_out_s))
    return UnplacedPart(
        sources, start, end - start, gap, crossfade, fade_in, fade_out, _cuts_into_sound(sources, start, end, rate_hz), part.gain_db
    )


def _cuts_into_sound(sources: tuple[ClipSource, ...], start: int, end: int, rate_hz: int) -> tuple[bool, bool]:
    """Whether the range starts, and whether it ends, in the middle of sound."""
    blocks = [(each.profile.peaks, start * BLOCKS_PER_S // rate_hz, (end - 1) * BLOCKS_PER_S // rate_hz) for each in sources]

    def loud(side: int) -> bool:
        return any(len(peaks) > (edge := edges[side]) and peaks[edge] > CLICK_THRESHOLD for peaks, *edges in blocks)

    return loud(0), loud(1)


def _place_beds(
    mix: Mix, beds: Sequence[AnalysedFile], parts: Sequence[tuple[Clip, ...]], programme_lufs: float, samples: int, rate_hz: int
) -> list[tuple[Clip, ...]]:
    """Return the clips of each bed, ducked under speech."""
    speech = _programme_speech_mask(mix, parts, samples, rate_hz) if beds else np.zeros(0, bool)
    return [
        _place_bed(mix, bed, file, parts, programme_lufs, duck_curve_db(speech, bed.duck_db), rate_hz)
        for bed, file in zip(mix.beds, beds, strict=True)
    ]


def _place_bed(
    mix: Mix, bed: Bed, file: AnalysedFile, parts: Sequence[tuple[Clip, ...]], programme_lufs: float, moves_db: Float32Array, rate_hz: int
) -> tuple[Clip, ...]:
    clips = parts[mix.parts.index(part_over_bed(mix, bed))]
    at, end = clips[0].start + round(bed.start_s * rate_hz), max(clip.end for clip in clips)
    if bed.end_s is not None:
        end = min(end, clips[0].start + round(bed.end_s * rate_hz))
    if at >= end:
        raise CauserieError("begins after the part it plays under ends", file.name, "correct start and end of that bed in episode.toml")
    fades = (round(bed.fade_in_s * rate_hz), round(bed.fade_out_s * rate_hz))
    levelled = _with_gain(file, programme_lufs - bed.below_lu - file.source.profile.integrated_lufs)
    return loop_bed(levelled.source, at, end - at, fades, moves_db, rate_hz)


def _programme_speech_mask(mix: Mix, parts: Sequence[tuple[Clip, ...]], samples: int, rate_hz: int) -> np.ndarray:
    """Mark the hops of the programme with speech; music parts have none."""
    speech = np.zeros(-(-samples * HOPS_PER_S // rate_hz), bool)
    for part, clips in zip(mix.parts, parts, strict=True):
        for clip in clips if part.kind == "speech" else ():
            overlay(speech, speech_mask(clip.source.profile), clip, HOPS_PER_S, rate_hz, np.logical_or)
    return speech


def _out_of_range_error(part: Part, name: str) -> CauserieError:
    span = f"{format_clock(part.start_s or 0.0)} to {'its end' if part.end_s is None else format_clock(part.end_s)}"
    return CauserieError(f"does not cover {span}, which part {part.number} uses", name, "correct start and end in episode.toml")
