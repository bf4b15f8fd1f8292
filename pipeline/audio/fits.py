"""Validate an episode's mix against the durations of its files: times beyond an end, fades longer than the part. No files are opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from pipeline.errors import CauserieError
from pipeline.sound_model import Bed, Mix, Part, Soundbite
from pipeline.text import hms

ROUNDED_S = 1.0  # players show whole seconds, so an end may exceed the duration by this much


Lengths = Mapping[tuple[str, str], float]  # duration, s, by file and stream as the show names them; unknown ones are absent
_TIMES = "correct start and end"
Misfit = tuple[str, str, str]  # key, message, hint


def misfits(mix: Mix, lengths_s: Lengths, bites: Sequence[Soundbite] = (), where: str = "episode.toml") -> list[CauserieError]:
    """Return an error for everything an episode uses that its files do not contain; `where` is the episode's TOML file."""
    found = [*_recordings(mix, lengths_s), *_parts(mix, lengths_s), *_beds(mix, lengths_s)]
    longest_s = _longest_s(mix, lengths_s)
    if longest_s is not None:
        found += [
            (f"soundbites[{n}]", f"ends at {hms(bite.start_s + bite.duration_s)}, but the episode lasts {hms(longest_s)} at most", _TIMES)
            for n, bite in enumerate(bites, 1)
            if bite.start_s + bite.duration_s > longest_s + ROUNDED_S
        ]
    return [CauserieError(message, f"{where}: {key}", hint) for key, message, hint in found]


def _recordings(mix: Mix, lengths_s: Lengths) -> Iterator[Misfit]:
    length_s = _body_s(mix, lengths_s)
    if length_s is not None:
        yield from _beyond("", mix.start_s, mix.end_s, length_s, "the longest recording")


def _parts(mix: Mix, lengths_s: Lengths) -> Iterator[Misfit]:
    before_s: float | None = None
    for part in mix.parts:
        whole_s = _whole_s(mix, part, lengths_s)
        kept_s = _kept_s(mix, part, lengths_s)
        if part.number and whole_s is not None and kept_s is not None:
            name = PurePosixPath(part.file).name if part.file else "the longest recording"
            yield from _beyond(f"parts[{part.number}].", part.start_s, part.end_s, whole_s, name)
            yield from _joined(part, kept_s, before_s)
        before_s = kept_s


def _joined(part: Part, kept_s: float, before_s: float | None) -> Iterator[Misfit]:
    """Check the gap, crossfade and fades of a part."""
    key = f"parts[{part.number}]"
    if part.gap_s and part.crossfade_s:
        yield f"{key}.gap", "cannot be combined with crossfade", "remove one of them"
    shorter_s = min(kept_s, before_s if before_s is not None else kept_s)
    if part.crossfade_s > shorter_s / 2:
        yield f"{key}.crossfade", f"is more than half of the shorter of the two parts, {shorter_s:.1f} s", "shorten it"
    if part.fade_in_s + part.fade_out_s > kept_s + ROUNDED_S:
        yield f"{key}.fade_in", f"and fade_out together are longer than the part, {kept_s:.1f} s", "shorten them"


def _beds(mix: Mix, lengths_s: Lengths) -> Iterator[Misfit]:
    for number, bed in enumerate(mix.beds, 1):
        under_s = _under_s(mix, bed, lengths_s)
        if under_s is not None and bed.start_s >= under_s:
            yield f"beds[{number}].start", f"is {hms(bed.start_s)}, but the part it plays under lasts {hms(under_s)}", _TIMES


def _under_s(mix: Mix, bed: Bed, lengths_s: Lengths) -> float | None:
    """Maximum duration of the part that a bed plays under, seconds."""
    return _kept_s(mix, lies_under(mix, bed), lengths_s)


def lies_under(mix: Mix, bed: Bed) -> Part:
    """Return the part a bed plays under: the one it names, else the recordings; of several parts with recordings, the uncut or last one."""
    if bed.under:
        return next(part for part in mix.parts if part.name == bed.under)
    body = [part for part in mix.parts if not part.file]
    return next((part for part in body if part.start_s is None and part.end_s is None), body[-1])


def _beyond(key: str, start_s: float | None, end_s: float | None, length_s: float, name: str) -> Iterator[Misfit]:
    if start_s is not None and start_s > 0 and start_s >= length_s:
        yield f"{key}start", f"is {hms(start_s)}, but {name} lasts {hms(length_s)}", _TIMES
    elif end_s is not None and end_s > length_s + ROUNDED_S:
        yield f"{key}end", f"is {hms(end_s)}, but {name} lasts {hms(length_s)}", "correct it, or remove it to play to the end"


def _kept_s(mix: Mix, part: Part, lengths_s: Lengths) -> float | None:
    """Maximum duration of a part, seconds; None when unknown."""
    whole_s = _whole_s(mix, part, lengths_s)
    if whole_s is None:
        return None
    first_s, last_s = (0.0, None) if part.file else (mix.start_s, mix.end_s)  # the mix keeps only this range of the recordings
    start_s = max(first_s, part.start_s or 0.0)
    return max(0.0, min(each for each in (whole_s, last_s, part.end_s) if each is not None) - start_s)


def _whole_s(mix: Mix, part: Part, lengths_s: Lengths) -> float | None:
    """Duration of a part's file, or of the recordings, seconds; None when unknown."""
    return lengths_s.get((part.file, part.stream)) if part.file else _body_s(mix, lengths_s)


def _body_s(mix: Mix, lengths_s: Lengths) -> float | None:
    """Duration of the longest recording, seconds; None when the duration of any recording is unknown."""
    known = [lengths_s.get((recording.file, recording.stream)) for recording in mix.recordings]
    return None if None in known else max(each for each in known if each is not None)


def _longest_s(mix: Mix, lengths_s: Lengths) -> float | None:
    """Maximum duration of the episode, before silence is trimmed and parts overlap, seconds; None when unknown."""
    kept = [_kept_s(mix, part, lengths_s) for part in mix.parts]
    return None if None in kept else sum(each for each in kept if each is not None) + sum(part.gap_s for part in mix.parts)
