"""The step `edit_master`: the master without what was cut, its levels, and where the cuts are. It exists only where there are cuts.

Cuts are applied last, to the mixed master: all tracks, parts and beds are cut together, and everything that was found on the master's
timeline stays true. The master is decoded once; outside the crossfades its samples are copied bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any  # Any: of JSON values

from pipeline.audio import ffmpeg
from pipeline.audio.probe import probe_file
from pipeline.engine import read_json, report, write_json
from pipeline.model import CauserieError, Cut, KeptRange, Removal, format_clock, kept_from_json, master_ranges

if TYPE_CHECKING:
    from pipeline.audio.cut_points import CutPoint
    from pipeline.audio.cutting import WindowReader
    from pipeline.audio.level_profile import LevelProfile

Words = list[tuple[str, float, float]]


def edit_master(
    master: Path,
    levels: Path,
    activity: Path,
    words: Path,
    *,
    edited: Path,
    edited_levels: Path,
    edits: Path,
    cuts: tuple[Cut, ...],
    slug: str,
) -> None:
    """Write the master without `cuts` (FLAC, 24 bits), its levels, and `edits.json`: see docs/formats.md.

    Raises `CauserieError` when a cut lies inside a word, or nothing is left.
    """
    from pipeline.audio.cut_points import merge_cuts
    from pipeline.audio.cutting import ForwardReader, WindowReader, cut_frames, cut_profile, decode_arguments, with_true_peaks
    from pipeline.audio.level_profile import load_profile, save_profiles
    from pipeline.audio.mixer import write_master

    profile, before = load_profile(levels, "master"), load_profile(levels, "before")
    rate_hz, channels = profile.rate_hz, probe_file(master).channels
    heard = _heard_words(words)
    placed = _place_cuts(cuts, kept_from_json(read_json(activity)), heard, profile, WindowReader(master, rate_hz, channels), slug)
    points = merge_cuts([point for _, found in placed for point in found], profile.samples, rate_hz)
    left = profile.samples - sum(point.end - point.first for point in points)
    if left <= 0:
        raise CauserieError("leave nothing of the episode", f"episodes/{slug}/episode.toml: cuts", "remove some of them")
    with ffmpeg.open_process(decode_arguments(master)) as decoder:
        frames = cut_frames(ForwardReader(decoder, channels), points, profile.samples, rate_hz)
        new = write_master(frames, rate_hz, channels, edited, None, lambda done_s: report(done_s, left / rate_hz))
    save_profiles(edited_levels, master=with_true_peaks(new, profile, points), before=cut_profile(before, points, new.samples))
    write_json(edits, edits_to_json(placed, points, heard, profile))


def edits_to_json(
    placed: Sequence[tuple[Cut, tuple[CutPoint, ...]]], points: Sequence[CutPoint], heard: Words, profile: LevelProfile
) -> dict[str, Any]:
    """Build `edits.json`: what is removed of the master, in samples, and of each cut what it removes and what was heard there."""
    from pipeline.audio.cutting import is_in_sound

    rate_hz = profile.rate_hz

    def row(cut: Cut, found: tuple[CutPoint, ...]) -> dict[str, Any]:
        texts = [" ".join(text for text, start_s, end_s in heard if _is_inside((start_s + end_s) / 2 * rate_hz, each)) for each in found]
        spans = [{"start_s": round(each.first / rate_hz, 3), "end_s": round(each.end / rate_hz, 3)} for each in found]
        values = {"start_s": cut.start_s, "end_s": cut.end_s, "said": cut.said, "heard": texts[0] if texts else "", "master": spans}
        return {**values, "in_sound": any(is_in_sound(each, profile) for each in found)}

    removed = [{"first": each.first, "end": each.end, "fade": 2 * each.half_fade} for each in points]
    return {
        "version": 1,
        "rate_hz": rate_hz,
        "samples": profile.samples,
        "removed": removed,
        "cuts": [row(cut, found) for cut, found in placed],
    }


def _heard_words(words: Path) -> Words:
    """The text, start and end of every word in a `words.json`, in seconds of the master."""
    return [(word["text"], word["start_s"], word["end_s"]) for segment in read_json(words)["segments"] for word in segment["words"]]


def _place_cuts(
    cuts: Sequence[Cut], kept: Sequence[KeptRange], heard: Words, profile: LevelProfile, read: WindowReader, slug: str
) -> list[tuple[Cut, tuple[CutPoint, ...]]]:
    """Each cut with its places in the master."""
    from pipeline.audio.cut_points import MIN_CUT_S, join_words, place_cut

    joined = join_words(((start_s, end_s) for _, start_s, end_s in heard), profile.rate_hz)

    def place(cut: Cut, wanted: Removal, part: KeptRange) -> CutPoint:
        try:
            return place_cut(wanted, Removal(part.start_s, part.end_s), joined, profile.samples, profile.rate_hz, read)
        except CauserieError as error:
            where = f"episodes/{slug}/episode.toml: the cut at {format_clock(cut.start_s)}"
            raise CauserieError(error.message, where, error.hint) from error

    def places(cut: Cut) -> tuple[CutPoint, ...]:
        wanted = ((each, part) for part in kept for each in master_ranges(cut.start_s, cut.end_s, (part,)))
        return tuple(place(cut, each, part) for each, part in wanted if each.end_s - each.start_s >= MIN_CUT_S)

    return [(cut, places(cut)) for cut in sorted(cuts)]


def _is_inside(sample: float, point: CutPoint) -> bool:
    return point.first <= sample < point.end
