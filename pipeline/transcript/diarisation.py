"""Who speaks on one recording, as another program found it: an RTTM file becomes tracks, as if each speaker had a microphone.

RTTM is the Rich Transcription Time Marked format of NIST (RT-09 evaluation plan, appendix A), which pyannote.audio, NeMo, Kaldi and
others write: a line for each turn, its fields parted by spaces:

    SPEAKER entretien 1 12.40 3.15 <NA> <NA> SPEAKER_00 <NA> <NA>

Its times are those of the recording; `activity.json` says what of it was kept, and where that lies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import CauserieError, Problems
from pipeline.sound_model import Diarised
from pipeline.text import nearest, printable

MOST_SPEAKERS = 64  # a file that names more was not made for this
_SILENT_DB = -100.0
_SPOKEN_DB = 0.0


@dataclass(frozen=True)
class Stretch:
    """Somebody speaks: the name the program gave them, and when, in the recording's own time."""

    speaker: str
    start_s: float
    end_s: float


def parse_rttm(text: str, where: str, name: str = "") -> tuple[Stretch, ...]:
    """The stretches of an RTTM file in order of time; `where` names it in errors. Lines of other types are left out.

    A file may speak of several recordings: then those of the recording called `name` (without its ending) are taken. `CauserieError`,
    or `Problems`, when a line cannot be read, or nobody speaks.
    """
    problems: list[CauserieError] = []
    found: list[tuple[str, Stretch]] = []
    for number, line in enumerate(text.split("\n"), 1):
        fields = line.split()
        if fields and fields[0] == "SPEAKER":
            try:
                found.append((fields[1], _stretch(fields)))
            except (IndexError, ValueError):
                hint = "a line is: SPEAKER file 1 start duration <NA> <NA> speaker <NA> <NA>"
                problems.append(CauserieError("is no turn of a speaker", f"{where}:{number}", hint))
    if problems:
        raise problems[0] if len(problems) == 1 else Problems(tuple(problems))
    files = {file for file, _ in found}
    if len(files) > 1 and name not in files:
        raise CauserieError(f"speaks of several recordings, and not of “{printable(name)}”", where, nearest(printable(name), sorted(files)))
    stretches = sorted((each for file, each in found if len(files) < 2 or file == name), key=lambda each: (each.start_s, each.speaker))
    if not stretches or len(speakers(stretches)) > MOST_SPEAKERS:
        many = f"more than {MOST_SPEAKERS} speakers" if stretches else "no line of a speaker"
        raise CauserieError(f"has {many}", where, "give the RTTM file that was made of this recording")
    return tuple(stretches)


def speakers(stretches: Sequence[Stretch]) -> tuple[str, ...]:
    """Everybody who speaks, in the order they begin."""
    return tuple(dict.fromkeys(each.speaker for each in stretches))


def unnamed(diarised: Diarised, stretches: Sequence[Stretch]) -> tuple[str, ...]:
    """The speakers of whom nobody has said who they are."""
    return tuple(each for each in speakers(stretches) if each not in dict(diarised.speakers))


def absent(diarised: Diarised, stretches: Sequence[Stretch]) -> tuple[str, ...]:
    """The names `episode.toml` explains that the file does not have: most likely misspelt."""
    return tuple(each for each, _ in diarised.speakers if each not in speakers(stretches))


def with_speakers(activity: Mapping[str, Any], found: Sequence[tuple[Diarised, Sequence[Stretch]]]) -> Mapping[str, Any]:
    """`activity`, the content of `activity.json`, with a track for each speaker in place of that of a recording they share.

    A track is as loud as its recording where its speaker has a turn, and silent elsewhere; with one recording, it is as loud as any.
    """
    if not found:
        return activity
    if "kept" not in activity:
        raise CauserieError("does not say what was kept of the recordings", "activity.json", "run causerie draft with --rebuild ingest")
    hops = math.ceil(activity["duration_s"] / activity["hop_s"])
    alone = {"voice": "", "reference_db": _SPOKEN_DB, "levels_db": [_SPOKEN_DB] * hops}
    tracks: list[Any] = []
    by_recording = {diarised.recording: (diarised, stretches) for diarised, stretches in found}
    for index, track in enumerate(activity["tracks"] or [alone]):
        if index not in by_recording:
            tracks.append(track)
            continue
        diarised, stretches = by_recording[index]
        people = dict(diarised.speakers)
        for speaker in speakers(stretches):
            spans = published([each for each in stretches if each.speaker == speaker], activity["kept"])
            tracks.append(_masked(track, people.get(speaker, ""), spans, activity["hop_s"]))
    return {**activity, "tracks": tracks}


def published(stretches: Sequence[Stretch], kept: Sequence[Mapping[str, float]]) -> list[tuple[float, float]]:
    """When these are heard in what is published, seconds; what was cut away is left out.

    A piece of `kept` lies from `start_s` to `end_s`, and is the recordings from their own second `from_s` on.
    """
    spans = []
    for piece in kept:
        shift_s = piece["start_s"] - piece["from_s"]
        for each in stretches:
            start_s, end_s = max(each.start_s + shift_s, piece["start_s"]), min(each.end_s + shift_s, piece["end_s"])
            if start_s < end_s:
                spans.append((start_s, end_s))
    return spans


def _stretch(fields: list[str]) -> Stretch:
    start_s, length_s = float(fields[3]), float(fields[4])
    if not (math.isfinite(start_s) and math.isfinite(length_s) and start_s >= 0 and length_s >= 0):
        raise ValueError
    return Stretch(fields[7], start_s, start_s + length_s)


def _masked(track: Mapping[str, Any], voice: str, spans: Sequence[tuple[float, float]], hop_s: float) -> dict[str, Any]:
    """The track as it would be on a microphone that hears one voice."""
    levels = [track["reference_db"] + _SILENT_DB] * len(track["levels_db"])
    for start_s, end_s in spans:
        place = slice(round(start_s / hop_s), round(end_s / hop_s))
        levels[place] = track["levels_db"][place]
    return {"voice": voice, "reference_db": track["reference_db"], "levels_db": levels}
