"""Soundbites: short passages of an episode to share, cut sample-accurately from the published audio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.audio.encode import cut_clip
from pipeline.engine import read_json
from pipeline.model import CauserieError, Removal, Soundbite, format_clock, published, removals_from_json, terminal_safe

_MIN_LEFT_S = 1.0  # as for a soundbite that a person writes
_UTF8 = 3  # in a version 2.3 tag mutagen writes UTF-16 with a byte order mark instead


def cut_soundbites(
    master: Path,
    levels: Path,
    report: Path,
    edits: Path | None = None,
    *,
    bites: tuple[Soundbite, ...],
    kbps: int,
    show: str = "",
    episode: str = "",
    **clips: Path,
) -> None:
    """Write each soundbite as a small tagged MP3; `clips` are the output files by name, `clip_01`, `clip_02`… in the same order.

    `show` and `episode` are titles. With `edits`, `master` is the edited one, and the soundbites, whose times are the master's, are moved.
    Raises `CauserieError` for the first soundbite that is not entirely within the audio, or of which too little is left.
    """
    from pipeline.audio.level_profile import load_profile

    values = read_json(edits) if edits else None
    duration_s = values["samples"] / values["rate_hz"] if values else load_profile(levels, "master").duration_s
    for number, bite in enumerate(bites, 1):
        if not 0 <= bite.start_s < bite.start_s + bite.duration_s <= duration_s:
            start, end, length = map(format_clock, (bite.start_s, bite.start_s + bite.duration_s, duration_s))
            message = f"runs from {start} to {end}, but the audio ends at {length}"
            raise CauserieError(message, f"episode.toml: soundbites[{number}]", "correct its start or its duration in episode.toml")
    for bite, clip in zip(publish_soundbites(bites, removals_from_json(values) if values else ()), clips.values(), strict=True):
        cut_clip(master, levels, report, clip=clip, start_s=bite.start_s, end_s=bite.start_s + bite.duration_s, kbps=kbps)
        tag_clip(clip, bite.title or episode, show, episode)


def publish_soundbites(bites: Sequence[Soundbite], removals: Sequence[Removal]) -> tuple[Soundbite, ...]:
    """The soundbites in published time, to the millisecond. Raises `CauserieError` for the first of which too little is left."""
    moved = []
    for number, bite in enumerate(bites, 1):
        start_s, end_s = (round(published(each, removals), 3) for each in (bite.start_s, bite.start_s + bite.duration_s))
        if removals and end_s - start_s < _MIN_LEFT_S:
            message = f"keeps {end_s - start_s:.1f} s of its {bite.duration_s:.0f} s: the rest is cut"
            raise CauserieError(message, f"episode.toml: soundbites[{number}]", "move it, or remove it")
        moved.append(replace(bite, start_s=start_s, duration_s=round(end_s - start_s, 3)) if removals else bite)
    return tuple(moved)


def tag_clip(clip: Path, title: str, show: str, episode: str) -> None:
    """Add an ID3v2.3 tag to an MP3 that has none: its title, the show as album and the episode as subtitle."""
    import mutagen.id3

    id3: Any = mutagen.id3  # mutagen's functions have no types
    tags = id3.ID3()
    for frame, text in ((id3.TIT2, title), (id3.TALB, show), (id3.TIT3, episode)):
        if text:
            tags.add(frame(encoding=_UTF8, text=[terminal_safe(text)]))
    if tags:
        tags.save(clip, v1=0, v2_version=3, padding=lambda info: 0)
