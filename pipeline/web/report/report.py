"""The audio report of an episode: its sound before and after, what the pipeline changed and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.templates import labels


def write_report(
    *,
    sound: Path,
    levels: Path,
    encoded: Path,
    curve: Path,
    timed: Path | None,
    chapters: Path | None,
    page: Path,
    figures: Path,
    title: str,
    slug: str,
    language: str,
    names: Mapping[str, str],
    edits: Path | None = None,
) -> None:
    """Write an episode's report as one self-contained HTML file, and the same figures as JSON.

    `levels` holds the profiles "before" and "master", `curve` the profile "published"; `names` gives people's names by key. Without a
    transcript (`timed`) the voices are those of the tracks; without `chapters` none are marked. Where the episode has cuts (`edits`), all
    other files are in published time, and `sound` is brought to it. Raises `CauserieError` when a file is damaged.
    """
    from pipeline.audio import load_profile
    from pipeline.engine import read_json, write_atomic, write_json
    from pipeline.model import removals_from_json
    from pipeline.transcript import read_chapters, read_timed
    from pipeline.web.report.edits import cut_figures, publish_sound
    from pipeline.web.report.figures import ReportSource, compute_figures
    from pipeline.web.report.page import render_report
    from pipeline.web.report.speakers import turns_from_ingest, turns_from_transcript

    removed = read_json(edits) if edits else None
    published_sound = publish_sound(read_json(sound), removals_from_json(removed)) if removed else read_json(sound)
    cuts = cut_figures(removed) if removed else []
    source = ReportSource(title, slug, language, published_sound, read_json(encoded), read_chapters(chapters) if chapters else (), cuts)
    voice_labels = labels("report", language)["voices"]
    speaker_turns = (
        turns_from_transcript(read_timed(timed), names, voice_labels)
        if timed
        else turns_from_ingest(source.sound["turns"], names, voice_labels)
    )
    before, after = load_profile(levels, "before"), load_profile(curve, "published")
    computed = compute_figures(source, speaker_turns, before, after)
    write_json(figures, computed)
    write_atomic(page, render_report(computed, before, after))
