"""`causerie build` and the commands that stop earlier: which steps they run, and what they print."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pipeline.commands.console import Console, to_dict
from pipeline.commands.pending import folders_left_out, orphaned_texts
from pipeline.commands.review import draw_report
from pipeline.commands.workspace import load_show, show_lock
from pipeline.engine import DaskCluster, ProcessPools, Result, Step, available_cores, preview, read_json, run_steps, with_dependencies
from pipeline.model import SHOW_PAGES, CauserieError, Show, format_clock, pluralise, suggest
from pipeline.plan import plan_steps, work_path
from pipeline.publish import read_release

# The kinds of step each command runs, together with the steps they depend on
TARGET_STEPS: dict[str, frozenset[str]] = {
    "normalise": frozenset({"encode", "m4a", "light", "soundbites"}),
    "draft": frozenset({"draft"}),
    "transcribe": frozenset({"captions", "translate", "edited-en"}),
    "tag": frozenset({"tag", "tag-m4a", "tag-light"}),
    "guide": frozenset({"guide", "guide-clips", "guide-screen", "series-guide"}),
    "feed": frozenset({"feed"}),
    "site": (PAGES := frozenset({"page", *SHOW_PAGES, "style", "found"})),
    "publish --due": (DATE_DEPENDENT := PAGES | {"feed"}),  # the steps that become stale when an episode's date comes
}
SHOW_WIDE = frozenset({"feed", "site"})  # commands whose output covers every episode

# The kinds of step whose output an episode's audio report shows
REPORTED = frozenset({"encode", "align", "chapters"})


def select_steps(show: Show, command: str, slugs: Sequence[str], at: datetime) -> tuple[Step, ...]:
    """The steps a command runs: every step, those up to its target, or only those of some episodes.

    The feed and the pages of the show cover every episode, so a command with slugs skips them unless they are its target.
    """
    steps, kinds = plan_steps(show, at), TARGET_STEPS.get(command)
    if not kinds and not slugs:
        return steps
    groups = {*slugs, *(("show",) if command in SHOW_WIDE else ())}
    skipped = frozenset() if show.is_complete else frozenset({"page"})  # it links to its neighbours, and one of them could not be read
    return with_dependencies(
        steps, lambda step: (not kinds or step.kind in kinds) and (not slugs or step.episode in groups) and step.kind not in skipped
    )


def build_show(
    root: Path,
    target: str = "build",
    slugs: Sequence[str] = (),
    *,
    at: datetime,
    jobs: int = 0,
    cluster: str = "",
    dry_run: bool = False,
    rebuild: Sequence[str] = (),
    console: Console | None = None,
) -> bool:
    """Build what is out of date, up to the target of a command; returns whether nothing failed.

    Without a `console`, only failures are printed, on stderr.
    """
    console = console or Console(quiet=True)
    with show_lock(root):
        show = load_show(root, save_guids=not dry_run, slugs=() if target in SHOW_WIDE else slugs)
        steps = select_steps(show, target, slugs, at)
        kinds = {step.kind for step in steps}
        for kind in rebuild:
            if kind not in kinds:
                raise CauserieError(f"there is no kind of step “{kind}”", "--rebuild", suggest(kind, kinds))
        if dry_run:
            return _print_plan(steps, root, rebuild, console)
        with _make_executor(root, jobs, cluster, console) as workers, console:
            results = run_steps(steps, root, workers, console.on_finish, console.on_start, rebuild)
            draw_reports(root, show, results, console)
        if console.counts["built"]:
            for line in summary_lines(root, show):
                console.print_message(line)
        for sentence in orphaned_texts(root, [episode.slug for episode in show.episodes]) if show.is_complete and not slugs else ():
            console.print_message(f"waits for you: {sentence}")
        for sentence in folders_left_out(root) if not slugs else ():
            console.print_message(f"waits for you: {sentence}", always=not console.as_json)
        console.print_summary(len(slugs) or len(show.episodes))
        return all(result.status not in ("failed", "blocked") for result in results)


def _make_executor(root: Path, jobs: int, cluster: str, console: Console) -> ProcessPools | DaskCluster:
    """The executor of the steps: local processes, or the workers of a cluster."""
    return DaskCluster(cluster, root, console.on_progress) if cluster else ProcessPools(jobs or available_cores(), console.on_progress)


def draw_reports(root: Path, show: Show, results: Sequence[Result], console: Console) -> None:
    """Write the audio report of every episode whose audio, transcript or chapters this run built."""
    rebuilt = {result.step.episode for result in results if result.status == "built" and result.step.kind in REPORTED}
    for episode in show.episodes:
        if episode.slug in rebuilt and (root / work_path(episode.slug, "encoded.json")).exists():
            try:
                draw_report(root, show, episode)
            except (CauserieError, OSError, ValueError, KeyError) as error:  # a failed report does not fail the build
                console.print_message(f"{episode.slug}: no report: {error}", always=True)


def summary_lines(root: Path, show: Show) -> Iterator[str]:
    """One line for each finished episode: its duration, the measured loudness and true peak of its MP3, its number of files."""
    for episode in show.episodes:
        release, encoded = (root / work_path(episode.slug, name) for name in ("release.json", "encoded.json"))
        if release.exists() and encoded.exists():
            files, measurement = read_release(release), read_json(encoded)
            levels = f"{measurement['integrated_lufs']:.1f} LUFS, {measurement['true_peak_dbtp']:.1f} dBTP"
            yield f"{episode.slug}: {format_clock(files.duration_s)}, {levels}, {pluralise(len(files.files), 'file')} to publish"


def _print_plan(steps: tuple[Step, ...], root: Path, rebuild: Sequence[str], console: Console) -> bool:
    """Print what would be built, and why."""
    results: list[Result] = list(preview(steps, root, rebuild))
    for result in results:
        console.counts[result.status] += 1
        if console.as_json:
            print(json.dumps(to_dict(result), ensure_ascii=False))
        elif result.status in ("stale", "omitted"):
            console.print_message(f"would {'build' if result.status == 'stale' else 'try'} {result.step.name}: {result.why}", always=True)
    if not any(result.status in ("stale", "omitted") for result in results):
        console.print_message("Nothing to do.", always=not console.as_json)
    return True
