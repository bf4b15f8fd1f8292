"""The JSON files that ingest writes for later steps and the report: activity on each track, and what was found and done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.audio.gate import references_db
from pipeline.audio.levels import floor_db
from pipeline.audio.profile import HOP_S, HOPS_PER_S, SILENT_LUFS, decibels
from pipeline.audio.programme import File, Programme
from pipeline.audio.timeline import Clip, levels_of
from pipeline.sound_model import Mix, Part


def activity_of(mix: Mix, programme: Programme, tracks: Sequence[File], rate_hz: int) -> dict[str, Any]:
    """Build `activity.json`: the levels of each speaker's track along the master, before any gain, and their reference levels, dB."""
    hops = -(-programme.samples * HOPS_PER_S // rate_hz)
    bodies = [clips for part, clips in zip(mix.parts, programme.parts, strict=True) if not part.file]
    voices = [recording.voice for recording in mix.recordings] if len(mix.recordings) > 1 else []
    over_db = references_db([file.source.profile for file in tracks]) if voices else []
    heard = [levels_of([clips[i] for clips in bodies if i < len(clips)], hops, rate_hz) for i in range(len(voices))]
    told = [
        {"voice": voice, "reference_db": round(over, 1), "levels_db": _rounded(levels)}
        for voice, over, levels in zip(voices, over_db, heard, strict=True)
    ]
    kept = [_kept(clips[0], tracks[0].start_s, rate_hz) for clips in bodies]
    return {"version": 1, "duration_s": round(programme.samples / rate_hz, 3), "hop_s": HOP_S, "kept": kept, "tracks": told}


def sound_of(
    mix: Mix, programme: Programme, tracks: Sequence[File], others: Mapping[Part, File], beds: Sequence[File], rate_hz: int
) -> dict[str, Any]:
    """Build `sound.json`: the properties of every file, the position of everything in the master, and each gain."""
    voices = [recording.voice for recording in mix.recordings]
    beside = {file.name: file for file in (*(others[part] for part in mix.parts if part in others), *beds)}
    files = [*zip(tracks, voices, strict=True), *((file, "") for file in beside.values())]
    return {
        "version": 1,
        "duration_s": round(programme.samples / rate_hz, 3),
        "level": mix.level,
        "recordings": [_recording(file, voice) for file, voice in files],
        "parts": [_part(part, clips, rate_hz) for part, clips in zip(mix.parts, programme.parts, strict=True)],
        "beds": [_bed(file, clips, bed.duck_db, rate_hz) for bed, file, clips in zip(mix.beds, beds, programme.beds, strict=True)],
        "turns": sorted(_turns(mix, programme, tracks, others, rate_hz), key=lambda turn: turn["start_s"]),
        "trimmed_s": [round(samples / rate_hz, 2) for samples in programme.trimmed],
    }


def _kept(clip: Clip, origin_s: float, rate_hz: int) -> dict[str, float]:
    """A range of the recordings: its start in their own time, its start and end in the published audio, seconds."""
    times = (origin_s + clip.first / rate_hz, clip.at / rate_hz, clip.end / rate_hz)
    return dict(zip(("from_s", "start_s", "end_s"), (round(each, 3) for each in times), strict=True))


def _recording(file: File, voice: str) -> dict[str, Any]:
    profile, found = file.source.profile, file.found
    return {
        "file": file.name,
        "voice": voice,
        "codec": found.codec,
        "sample_rate_hz": found.sample_rate_hz,
        "channels": found.channels,
        "duration_s": round(profile.duration_s, 3),
        "integrated_lufs": round(profile.integrated_lufs, 1) if profile.integrated_lufs > SILENT_LUFS else None,
        "peak_dbfs": round(float(decibels(profile.peaks.max(keepdims=True) ** 2)[0]), 1),
        "noise_floor_db": round(floor_db(profile), 1),
        "gain_db": round(file.source.gain_db, 1),
        "cleaned": list(file.cleaned),
    }


def _part(part: Part, clips: tuple[Clip, ...], rate_hz: int) -> dict[str, Any]:
    start, end = clips[0].at, max(clip.end for clip in clips)
    gain_db = clips[0].source.gain_db if part.file else part.gain_db
    span = {"start_s": round(start / rate_hz, 3), "end_s": round(end / rate_hz, 3)}
    return {"name": part.name, "file": part.file, "kind": part.kind, **span, "gain_db": round(gain_db, 1)}


def _bed(file: File, clips: tuple[Clip, ...], duck_db: float, rate_hz: int) -> dict[str, Any]:
    span = {"start_s": round(clips[0].at / rate_hz, 3), "end_s": round(clips[-1].end / rate_hz, 3)}
    return {"file": file.name, **span, "gain_db": round(clips[0].source.gain_db, 1), "duck_db": duck_db}


def _turns(mix: Mix, programme: Programme, tracks: Sequence[File], others: Mapping[Part, File], rate_hz: int) -> Iterable[dict[str, Any]]:
    """Every detected turn in published time, including those whose gain is unchanged."""
    for part, clips in zip(mix.parts, programme.parts, strict=True):
        files = [others[part]] if part.file else tracks
        voices = [""] if part.file else [recording.voice for recording in mix.recordings]
        for clip, file, voice in zip(clips, files, voices, strict=True):
            shift_s, end_s = (clip.at - clip.first) / rate_hz, clip.end / rate_hz
            for turn in file.turns:
                start_s, stop_s = max(turn.start_s + shift_s, clip.at / rate_hz), min(turn.end_s + shift_s, end_s)
                if start_s < stop_s:
                    span = {"start_s": round(start_s, 2), "end_s": round(stop_s, 2), "voice": voice}
                    yield {**span, "loudness_lufs": round(turn.loudness_lufs, 1), "gain_db": round(turn.gain_db, 1)}


def _rounded(levels: Iterable[float]) -> list[float]:
    return [round(float(level), 1) for level in levels]
