"""The JSON files that ingest writes for later steps and the report: activity on each track, and what was found and done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any  # of JSON values

from pipeline.audio.arrangement import AnalysedFile, Arrangement
from pipeline.audio.gains import noise_floor_db
from pipeline.audio.level_profile import ABSOLUTE_GATE_LUFS, HOP_S, HOPS_PER_S, power_to_db
from pipeline.audio.noise_gate import gate_references_db
from pipeline.audio.timeline import Clip, programme_levels_db
from pipeline.model import Mix, Part


def activity_report(mix: Mix, programme: Arrangement, tracks: Sequence[AnalysedFile], rate_hz: int) -> dict[str, Any]:
    """Build `activity.json`: the levels of each speaker's track along the master, before any gain, and their reference levels, dB."""
    hops = -(-programme.samples * HOPS_PER_S // rate_hz)
    body_clips = [clips for part, clips in zip(mix.parts, programme.parts, strict=True) if not part.file]
    voices = [recording.voice for recording in mix.recordings] if len(mix.recordings) > 1 else []
    reference_levels_db = gate_references_db([file.source.profile for file in tracks]) if voices else []
    track_levels = [programme_levels_db([clips[i] for clips in body_clips if i < len(clips)], hops, rate_hz) for i in range(len(voices))]
    track_reports = [
        {"voice": voice, "reference_db": round(reference_db, 1), "levels_db": _rounded_levels(levels)}
        for voice, reference_db, levels in zip(voices, reference_levels_db, track_levels, strict=True)
    ]
    kept_ranges = [_kept_range(clips[0], tracks[0].start_s, rate_hz) for clips in body_clips]
    return {"version": 1, "duration_s": round(programme.samples / rate_hz, 3), "hop_s": HOP_S, "kept": kept_ranges, "tracks": track_reports}


def sound_report(
    mix: Mix,
    programme: Arrangement,
    tracks: Sequence[AnalysedFile],
    part_files: Mapping[Part, AnalysedFile],
    beds: Sequence[AnalysedFile],
    rate_hz: int,
) -> dict[str, Any]:
    """Build `sound.json`: the properties of every file, the position of everything in the master, and each gain."""
    voices = [recording.voice for recording in mix.recordings]
    other_files = {file.name: file for file in (*(part_files[part] for part in mix.parts if part in part_files), *beds)}
    files = [*zip(tracks, voices, strict=True), *((file, "") for file in other_files.values())]
    return {
        "version": 1,
        "duration_s": round(programme.samples / rate_hz, 3),
        "level": mix.level,
        "recordings": [_recording_report(file, voice) for file, voice in files],
        "parts": [_part_report(part, clips, rate_hz) for part, clips in zip(mix.parts, programme.parts, strict=True)],
        "beds": [_bed_report(file, clips, bed.duck_db, rate_hz) for bed, file, clips in zip(mix.beds, beds, programme.beds, strict=True)],
        "turns": sorted(_turn_reports(mix, programme, tracks, part_files, rate_hz), key=lambda turn: turn["start_s"]),
        "trimmed_s": [round(samples / rate_hz, 2) for samples in programme.trimmed],
    }


def _kept_range(clip: Clip, origin_s: float, rate_hz: int) -> dict[str, float]:
    """A range of the recordings: its start in their own time, its start and end in the published audio, seconds."""
    times = (origin_s + clip.source_start / rate_hz, clip.start / rate_hz, clip.end / rate_hz)
    return dict(zip(("from_s", "start_s", "end_s"), (round(each, 3) for each in times), strict=True))


def _recording_report(file: AnalysedFile, voice: str) -> dict[str, Any]:
    profile, stream_info = file.source.profile, file.stream_info
    return {
        "file": file.name,
        "voice": voice,
        "codec": stream_info.codec,
        "sample_rate_hz": stream_info.sample_rate_hz,
        "channels": stream_info.channels,
        "duration_s": round(profile.duration_s, 3),
        "integrated_lufs": round(profile.integrated_lufs, 1) if profile.integrated_lufs > ABSOLUTE_GATE_LUFS else None,
        "peak_dbfs": round(float(power_to_db(profile.peaks.max(keepdims=True) ** 2)[0]), 1),
        "noise_floor_db": round(noise_floor_db(profile), 1),
        "gain_db": round(file.source.gain_db, 1),
        "cleaned": list(file.cleanup_steps),
    }


def _part_report(part: Part, clips: tuple[Clip, ...], rate_hz: int) -> dict[str, Any]:
    start, end = clips[0].start, max(clip.end for clip in clips)
    gain_db = clips[0].source.gain_db if part.file else part.gain_db
    span = {"start_s": round(start / rate_hz, 3), "end_s": round(end / rate_hz, 3)}
    return {"name": part.name, "file": part.file, "kind": part.kind, **span, "gain_db": round(gain_db, 1)}


def _bed_report(file: AnalysedFile, clips: tuple[Clip, ...], duck_db: float, rate_hz: int) -> dict[str, Any]:
    span = {"start_s": round(clips[0].start / rate_hz, 3), "end_s": round(clips[-1].end / rate_hz, 3)}
    return {"file": file.name, **span, "gain_db": round(clips[0].source.gain_db, 1), "duck_db": duck_db}


def _turn_reports(
    mix: Mix, programme: Arrangement, tracks: Sequence[AnalysedFile], part_files: Mapping[Part, AnalysedFile], rate_hz: int
) -> Iterable[dict[str, Any]]:
    """Every detected turn in published time, including those whose gain is unchanged."""
    for part, clips in zip(mix.parts, programme.parts, strict=True):
        files = [part_files[part]] if part.file else tracks
        voices = [""] if part.file else [recording.voice for recording in mix.recordings]
        for clip, file, voice in zip(clips, files, voices, strict=True):
            shift_s, end_s = (clip.start - clip.source_start) / rate_hz, clip.end / rate_hz
            for turn in file.turns:
                start_s, turn_end_s = max(turn.start_s + shift_s, clip.start / rate_hz), min(turn.end_s + shift_s, end_s)
                if start_s < turn_end_s:
                    span = {"start_s": round(start_s, 2), "end_s": round(turn_end_s, 2), "voice": voice}
                    yield {**span, "loudness_lufs": round(turn.loudness_lufs, 1), "gain_db": round(turn.gain_db, 1)}


def _rounded_levels(levels: Iterable[float]) -> list[float]:
    return [round(float(level), 1) for level in levels]
