"""Chapters, soundbites and clips of a guide that begin among words whose times are only estimated, as advice of `causerie check`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.commands.directories import OWN_PACK
from pipeline.engine import read_text
from pipeline.feed.rules import ADVICE, Finding
from pipeline.guide import find_clips, parse_guide
from pipeline.model import CauserieError, Episode, TimedTranscript, format_clock, terminal_safe
from pipeline.plan import published_transcript, work_path
from pipeline.transcript import find_estimated, read_chapters, read_timed

_WHOLE_S = 1.0  # proposed chapters start at whole seconds
_MIN_RUN_S = 2.0  # a shorter run cannot put a time that a person chose far from its words


def starts_of(slug: str) -> tuple[str, str]:
    """The files, beside the times, that say what begins when: the guide and the chapters."""
    return f"guides/{slug}.md", f"feeds/{slug}.chapters.json"


def estimated_starts(root: Path, episode: Episode) -> Iterator[Finding]:
    """A remark for each chapter, soundbite or clip that begins in a run of words without certain times; none before a build."""
    path = root / work_path(episode.slug, "timed.json")
    if not path.is_file():
        return
    runs = _estimated_runs(read_timed(path))
    if not runs:
        return
    shown = root / published_transcript(episode)  # what chapters and clips that nobody wrote are found in
    published = read_timed(shown) if shown.is_file() else read_timed(path)
    where = f"episodes/{episode.slug}/episode.toml"
    chapters = root / f"feeds/{episode.slug}.chapters.json"
    if not episode.chapters and chapters.is_file():
        text = f"transcripts/{episode.slug}.md"
        shown_runs = _estimated_runs(published)
        for chapter in read_chapters(chapters):
            if run := next(((start_s, end_s) for start_s, end_s in shown_runs if start_s - _WHOLE_S < chapter.start_s < end_s), None):
                yield _finding(text, f"chapter “{chapter.title}”", chapter.start_s, run)
    for number, chapter in enumerate(episode.chapters, 1):
        if run := _long_run(runs, chapter.start_s):
            yield _finding(f"{where}: chapters[{number}]", f"chapter “{chapter.title}”", chapter.start_s, run)
    for number, bite in enumerate(episode.soundbites, 1):
        if run := _long_run(runs, bite.start_s):
            yield _finding(f"{where}: soundbites[{number}]", "soundbite", bite.start_s, run)
    yield from _estimated_clips(root, episode, published)


def _estimated_runs(timed: TimedTranscript) -> list[tuple[float, float]]:
    return [(each.start_s, each.end_s) for each in find_estimated(timed)]


def _estimated_clips(root: Path, episode: Episode, timed: TimedTranscript) -> Iterator[Finding]:
    """A remark for each clip of the guide whose first word has an estimated time. Mistakes in the guide are reported elsewhere."""
    where = f"guides/{episode.slug}.md"
    path = root / where
    try:
        clips = find_clips(parse_guide(read_text(path), where), timed, where) if path.is_file() else ()
    except CauserieError:
        return
    for clip in clips:
        if clip.starts_estimated and clip.start_s is not None:
            yield _finding(where, f"clip “{clip.quote[:60]}”", clip.start_s, None)


def _long_run(runs: list[tuple[float, float]], time_s: float) -> tuple[float, float] | None:
    """The run that holds a time and lasts long enough to matter."""
    return next((run for run in runs if run[0] <= time_s < run[1] and run[1] - run[0] >= _MIN_RUN_S), None)


def _finding(where: str, what: str, start_s: float, run: tuple[float, float] | None) -> Finding:
    among = f", among words whose times are estimated ({format_clock(run[0])} to {format_clock(run[1] + 0.999)})" if run else ""
    problem = f"the {terminal_safe(what)} begins at {format_clock(start_s)}{among or ', an estimated time'}"
    clock = format_clock(start_s)
    return Finding(ADVICE, OWN_PACK, "estimated-time", "", where, problem, f"listen there; @{clock} before the paragraph fixes its time")
