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
) -> None:
    """Write an episode's report as one self-contained HTML file, and the same figures as JSON.

    `levels` holds the profiles "before" and "master", `curve` the profile "published"; `names` gives people's names by key. Without a
    transcript (`timed`) the voices are those of the tracks; without `chapters` none are marked. Raises `CauserieError` when a file is
    damaged.
    """
    from pipeline.audio import load_profile
    from pipeline.engine import read_json, write_atomic, write_json
    from pipeline.transcript import read_chapters, read_timed
    from pipeline.web.report.figures import ReportSource, compute_figures
    from pipeline.web.report.page import render_report
    from pipeline.web.report.speakers import turns_from_ingest, turns_from_transcript

    source = ReportSource(title, slug, language, read_json(sound), read_json(encoded), read_chapters(chapters) if chapters else ())
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
