"""The audio report of an episode: its sound before and after, what the pipeline changed and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def report(
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
    from pipeline.audio.profile import load
    from pipeline.feed.chapters import read_chapters
    from pipeline.files import read_json, write_json, write_whole
    from pipeline.report.figures import About, figures_of
    from pipeline.report.view import page_of
    from pipeline.report.voices import from_sound, from_transcript
    from pipeline.report.wording import labels
    from pipeline.transcript.timed import read_timed

    about = About(title, slug, language, read_json(sound), read_json(encoded), read_chapters(chapters) if chapters else ())
    words = labels(language)["voices"]
    turns = from_transcript(read_timed(timed), names, words) if timed else from_sound(about.sound["turns"], names, words)
    before, after = load(levels, "before"), load(curve, "published")
    found = figures_of(about, turns, before, after)
    write_json(figures, found)
    write_whole(page, page_of(found, before, after))
