"""Speaker diarisation by another program: an RTTM file becomes level tracks, as if each speaker had a microphone.

RTTM is the Rich Transcription Time Marked format of NIST (RT-09 evaluation plan, appendix A), which pyannote.audio, NeMo, Kaldi and
others write: a line for each turn, its fields separated by spaces:

    SPEAKER entretien 1 12.40 3.15 <NA> <NA> SPEAKER_00 <NA> <NA>

Its times are those of the recording; `activity.json` lists the parts of it that were kept, with their place in the master.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from pipeline.model import CauserieError, DiarisationSource, Problems, suggest, terminal_safe

MAX_SPEAKERS = 64  # a file with more is not the diarisation of a podcast
_SILENT_DB = -100.0
_SPEECH_DB = 0.0


class ActivityTrack(TypedDict):
    """A track in `activity.json`: its levels in dB, one for each `hop_s`."""

    voice: str  # key of a person, or ""
    reference_db: float  # level of the track while its speaker speaks
    levels_db: list[float]


class KeptPart(TypedDict):
    """A part of the recordings that was kept in the master: seconds of the master, and `from_s` of the recordings."""

    start_s: float
    end_s: float
    from_s: float


class TrackActivity(TypedDict):
    """The content of `activity.json`; see docs/formats.md."""

    version: int
    duration_s: float
    hop_s: float
    tracks: list[ActivityTrack]
    kept: NotRequired[list[KeptPart]]  # missing in files of older versions


@dataclass(frozen=True)
class DiarisedTurn:
    """A turn of a speaker: the label the program gave the speaker, and times in the recording."""

    speaker: str
    start_s: float
    end_s: float


def parse_rttm(text: str, where: str, name: str = "") -> tuple[DiarisedTurn, ...]:
    """The speaker turns of an RTTM file, sorted by time; `where` names the file in errors. Lines of other types are skipped.

    When the file covers several recordings, only those of the recording called `name` (without its extension) are returned.
    `CauserieError`, or `Problems`, when a line cannot be read, or there is no turn.
    """
    problems: list[CauserieError] = []
    found: list[tuple[str, DiarisedTurn]] = []
    for number, line in enumerate(text.split("\n"), 1):
        fields = line.split()
        if fields and fields[0] == "SPEAKER":
            try:
                found.append((fields[1], _parse_turn(fields)))
            except (IndexError, ValueError):
                hint = "a line is: SPEAKER file 1 start duration <NA> <NA> speaker <NA> <NA>"
                problems.append(CauserieError("not a valid SPEAKER line", f"{where}:{number}", hint))
    if problems:
        raise problems[0] if len(problems) == 1 else Problems(tuple(problems))
    files = {file for file, _ in found}
    if len(files) > 1 and name not in files:
        raise CauserieError(
            f"covers several recordings, but not “{terminal_safe(name)}”", where, suggest(terminal_safe(name), sorted(files))
        )
    turns = sorted((each for file, each in found if len(files) < 2 or file == name), key=lambda each: (each.start_s, each.speaker))
    if not turns or len(speaker_labels(turns)) > MAX_SPEAKERS:
        many = f"more than {MAX_SPEAKERS} speakers" if turns else "no SPEAKER line"
        raise CauserieError(f"has {many}", where, "give the RTTM file that was made from this recording")
    return tuple(turns)


def speaker_labels(turns: Sequence[DiarisedTurn]) -> tuple[str, ...]:
    """The labels of the speakers, in order of appearance."""
    return tuple(dict.fromkeys(each.speaker for each in turns))


def unnamed_speakers(diarised: DiarisationSource, turns: Sequence[DiarisedTurn]) -> tuple[str, ...]:
    """The labels in the file that `episode.toml` does not map to a person."""
    return tuple(each for each in speaker_labels(turns) if each not in dict(diarised.speakers))


def unknown_speakers(diarised: DiarisationSource, turns: Sequence[DiarisedTurn]) -> tuple[str, ...]:
    """The labels mapped in `episode.toml` that are not in the file: probably misspelt."""
    return tuple(each for each, _ in diarised.speakers if each not in speaker_labels(turns))


def with_speaker_tracks(activity: TrackActivity, diarisations: Sequence[tuple[DiarisationSource, Sequence[DiarisedTurn]]]) -> TrackActivity:
    """`activity`, the content of `activity.json`, with one track per speaker in place of that of a diarised recording.

    A track has the levels of its recording during its speaker's turns, and silence elsewhere; a single recording has no levels, so its
    turns get a constant one. `CauserieError` when `activity` comes from a version that did not record the parts that were kept.
    """
    if not diarisations:
        return activity
    if "kept" not in activity:
        raise CauserieError("has no “kept” (an older version wrote it)", "activity.json", "run causerie draft with --rebuild ingest")
    hops = math.ceil(activity["duration_s"] / activity["hop_s"])
    single_track: ActivityTrack = {"voice": "", "reference_db": _SPEECH_DB, "levels_db": [_SPEECH_DB] * hops}
    tracks: list[ActivityTrack] = []
    by_recording = {diarised.recording: (diarised, turns) for diarised, turns in diarisations}
    for index, track in enumerate(activity["tracks"] or [single_track]):
        if index not in by_recording:
            tracks.append(track)
            continue
        diarised, stretches = by_recording[index]
        people = dict(diarised.speakers)
        for speaker in speaker_labels(stretches):
            spans = to_published_spans([each for each in stretches if each.speaker == speaker], activity["kept"])
            tracks.append(_mask_track(track, people.get(speaker, ""), spans, activity["hop_s"]))
    return {**activity, "tracks": tracks}


def to_published_spans(turns: Sequence[DiarisedTurn], kept: Sequence[KeptPart]) -> list[tuple[float, float]]:
    """The times of turns in the published audio, (start, end) in seconds, without what was cut.

    A part of `kept` is published from `start_s` to `end_s`, and is the recordings from their own second `from_s` on.
    """
    spans = []
    for part in kept:
        shift_s = part["start_s"] - part["from_s"]
        for each in turns:
            start_s, end_s = max(each.start_s + shift_s, part["start_s"]), min(each.end_s + shift_s, part["end_s"])
            if start_s < end_s:
                spans.append((start_s, end_s))
    return spans


def _parse_turn(fields: list[str]) -> DiarisedTurn:
    start_s, length_s = float(fields[3]), float(fields[4])
    if not (math.isfinite(start_s) and math.isfinite(length_s) and start_s >= 0 and length_s >= 0):
        raise ValueError
    return DiarisedTurn(fields[7], start_s, start_s + length_s)


def _mask_track(track: ActivityTrack, voice: str, spans: Sequence[tuple[float, float]], hop_s: float) -> ActivityTrack:
    """The track, silent outside the spans of one voice."""
    levels = [track["reference_db"] + _SILENT_DB] * len(track["levels_db"])
    for start_s, end_s in spans:
        span = slice(round(start_s / hop_s), round(end_s / hop_s))
        levels[span] = track["levels_db"][span]
    return {"voice": voice, "reference_db": track["reference_db"], "levels_db": levels}
