"""Validate an episode's mix against the durations of its files: times beyond an end, fades longer than the part. No files are opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from pipeline.model import Bed, CauserieError, Mix, Part, Soundbite, format_clock

ROUNDING_TOLERANCE_S = 1.0  # players show whole seconds, so an end may exceed the duration by this much


StreamDurations = Mapping[tuple[str, str], float]  # duration, s, by file and stream as the show names them; unknown ones are absent
_TIMES_HINT = "correct start and end"
MixProblem = tuple[str, str, str]  # key, message, hint


def validate_mix(
    mix: Mix, durations_s: StreamDurations, soundbites: Sequence[Soundbite] = (), file_name: str = "episode.toml"
) -> list[CauserieError]:
    """Return an error for everything an episode uses that its files do not contain; `file_name` is the episode's TOML file."""
    problems = [*_check_recordings(mix, durations_s), *_check_parts(mix, durations_s), *_check_beds(mix, durations_s)]
    episode_s = _episode_duration_s(mix, durations_s)
    if episode_s is not None:
        problems += [
            (
                f"soundbites[{n}]",
                f"ends at {format_clock(bite.start_s + bite.duration_s)}, but the episode lasts {format_clock(episode_s)} at most",
                _TIMES_HINT,
            )
            for n, bite in enumerate(soundbites, 1)
            if bite.start_s + bite.duration_s > episode_s + ROUNDING_TOLERANCE_S
        ]
    return [CauserieError(message, f"{file_name}: {key}", hint) for key, message, hint in problems]


def _check_recordings(mix: Mix, lengths_s: StreamDurations) -> Iterator[MixProblem]:
    length_s = _body_duration_s(mix, lengths_s)
    if length_s is not None:
        yield from _check_range("", mix.start_s, mix.end_s, length_s, "the longest recording")


def _check_parts(mix: Mix, lengths_s: StreamDurations) -> Iterator[MixProblem]:
    previous_s: float | None = None
    for part in mix.parts:
        source_s = _source_duration_s(mix, part, lengths_s)
        kept_s = _part_duration_s(mix, part, lengths_s)
        if part.number and source_s is not None and kept_s is not None:
            name = PurePosixPath(part.file).name if part.file else "the longest recording"
            yield from _check_range(f"parts[{part.number}].", part.start_s, part.end_s, source_s, name)
            yield from _check_transitions(part, kept_s, previous_s)
        previous_s = kept_s


def _check_transitions(part: Part, kept_s: float, previous_s: float | None) -> Iterator[MixProblem]:
    """Check the gap, crossfade and fades of a part."""
    key = f"parts[{part.number}]"
    if part.gap_s and part.crossfade_s:
        yield f"{key}.gap", "cannot be combined with crossfade", "remove one of them"
    shorter_s = min(kept_s, previous_s if previous_s is not None else kept_s)
    if part.crossfade_s > shorter_s / 2:
        yield f"{key}.crossfade", f"is more than half of the shorter of the two parts, {shorter_s:.1f} s", "shorten it"
    if part.fade_in_s + part.fade_out_s > kept_s + ROUNDING_TOLERANCE_S:
        yield f"{key}.fade_in", f"and fade_out together are longer than the part, {kept_s:.1f} s", "shorten them"


def _check_beds(mix: Mix, lengths_s: StreamDurations) -> Iterator[MixProblem]:
    for number, bed in enumerate(mix.beds, 1):
        part_s = _part_over_bed_s(mix, bed, lengths_s)
        if part_s is not None and bed.start_s >= part_s:
            yield (
                f"beds[{number}].start",
                f"is {format_clock(bed.start_s)}, but the part it plays under lasts {format_clock(part_s)}",
                _TIMES_HINT,
            )


def _part_over_bed_s(mix: Mix, bed: Bed, lengths_s: StreamDurations) -> float | None:
    """Maximum duration of the part that a bed plays under, seconds."""
    return _part_duration_s(mix, part_over_bed(mix, bed), lengths_s)


def part_over_bed(mix: Mix, bed: Bed) -> Part:
    """Return the part a bed plays under: the one it names, else the recordings; of several parts with recordings, the uncut or last one."""
    if bed.under:
        return next(part for part in mix.parts if part.name == bed.under)
    body = [part for part in mix.parts if not part.file]
    return next((part for part in body if part.start_s is None and part.end_s is None), body[-1])


def _check_range(key: str, start_s: float | None, end_s: float | None, length_s: float, name: str) -> Iterator[MixProblem]:
    if start_s is not None and start_s > 0 and start_s >= length_s:
        yield f"{key}start", f"is {format_clock(start_s)}, but {name} lasts {format_clock(length_s)}", _TIMES_HINT
    elif end_s is not None and end_s > length_s + ROUNDING_TOLERANCE_S:
        yield (
            f"{key}end",
            f"is {format_clock(end_s)}, but {name} lasts {format_clock(length_s)}",
            "correct it, or remove it to play to the end",
        )


def _part_duration_s(mix: Mix, part: Part, lengths_s: StreamDurations) -> float | None:
    """Maximum duration of a part, seconds; None when unknown."""
    whole_s = _source_duration_s(mix, part, lengths_s)
    if whole_s is None:
        return None
    first_s, last_s = (0.0, None) if part.file else (mix.start_s, mix.end_s)  # the mix keeps only this range of the recordings
    start_s = max(first_s, part.start_s or 0.0)
    return max(0.0, min(each for each in (whole_s, last_s, part.end_s) if each is not None) - start_s)


def _source_duration_s(mix: Mix, part: Part, lengths_s: StreamDurations) -> float | None:
    """Duration of a part's file, or of the recordings, seconds; None when unknown."""
    return lengths_s.get((part.file, part.stream)) if part.file else _body_duration_s(mix, lengths_s)


def _body_duration_s(mix: Mix, lengths_s: StreamDurations) -> float | None:
    """Duration of the longest recording, seconds; None when the duration of any recording is unknown."""
    known = [lengths_s.get((recording.file, recording.stream)) for recording in mix.recordings]
    return None if None in known else max(each for each in known if each is not None)


def _episode_duration_s(mix: Mix, lengths_s: StreamDurations) -> float | None:
    """Maximum duration of the episode, before silence is trimmed and parts overlap, seconds; None when unknown."""
    durations_s = [_part_duration_s(mix, part, lengths_s) for part in mix.parts]
    return None if None in durations_s else sum(each for each in durations_s if each is not None) + sum(part.gap_s for part in mix.parts)
