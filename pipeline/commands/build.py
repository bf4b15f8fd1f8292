"""What each command does, with the current time as an argument; `cli.py` parses arguments and prints."""

from __future__ import annotations

import fcntl
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pipeline.commands.console import Console, pluralise, to_dict
from pipeline.commands.pending import orphaned_texts, pending_work
from pipeline.commands.scaffold import has_own_website
from pipeline.config import loader
from pipeline.engine.dask_cluster import DaskCluster
from pipeline.engine.drafts import is_unedited_draft
from pipeline.engine.files import read_json, read_text, write_atomic
from pipeline.engine.process_pool import ProcessPools, available_cores
from pipeline.engine.runner import Result, preview, run_steps
from pipeline.engine.step import Step, with_dependencies
from pipeline.feed import ledger, subscriber_changes
from pipeline.model.errors import CauserieError
from pipeline.model.show import Episode, Show
from pipeline.model.text import format_clock, suggest
from pipeline.plan import due_episodes, plan_steps, work_path
from pipeline.publish import history
from pipeline.publish.publication_report import PublishReport
from pipeline.publish.publisher import PublishCallbacks, publish, rollback, set_up, target_name
from pipeline.publish.reconcile import items_in_feed
from pipeline.publish.release import read_release
from pipeline.transcript.freeform.import_text import convert_file
from pipeline.web.review.server import ReviewSession, open_session

# The kinds of step each command runs, together with the steps they depend on
TARGET_STEPS: dict[str, frozenset[str]] = {
    "normalise": frozenset({"encode", "m4a", "light", "soundbites"}),
    "draft": frozenset({"draft"}),
    "transcribe": frozenset({"captions", "translate"}),
    "tag": frozenset({"tag", "tag-m4a", "tag-light"}),
    "guide": frozenset({"guide", "guide-clips", "series-guide"}),
    "feed": frozenset({"feed"}),
    "site": (PAGES := frozenset({"page", "index", "people", "themes", "transcripts", "style", "found"})),
    "publish --due": (DATE_DEPENDENT := PAGES | {"feed"}),  # the steps that become stale when an episode's date comes
}
SHOW_WIDE = frozenset({"feed", "site"})  # commands whose output covers every episode

# The kinds of step whose output an episode's audio report shows
REPORTED = frozenset({"encode", "align", "chapters"})


def load_show(root: Path, save_guids: bool = False, slugs: Sequence[str] = ()) -> Show:
    """The show in a folder, with its GUIDs; `save_guids` writes new ones to the ledger. `slugs` as in `load_config`."""
    show = loader.load_config(root, slugs)
    path = root / "feeds/ledger.json"
    recorded = ledger.load_ledger(path)
    website, others = show.info.website, show.feed.others
    assigned = ledger.assign_guids(recorded, f"{website}feed.xml", [episode.slug for episode in show.episodes])
    private_feeds = {**({"feed": True} if show.feed.private else {}), **{other.name: other.private for other in others}}
    assigned = ledger.assign_feed_keys(assigned, website, private_feeds, lambda: secrets.token_hex(16))
    if (
        save_guids and assigned != recorded and (recorded.guid or has_own_website(show.info))
    ):  # the address `init` writes would give every new show the same GUIDs
        ledger.save_ledger(path, assigned)
    episodes = tuple(replace(each, info=replace(each.info, guid=assigned.episodes[each.slug])) for each in show.episodes)
    feeds = replace(
        show.feed,
        key=assigned.feeds["feed"]["key"] if show.feed.private else "feed.xml",
        others=tuple(replace(other, key=assigned.feeds[other.name]["key"], guid=assigned.feeds[other.name]["guid"]) for other in others),
    )
    return replace(show, info=replace(show.info, guid=assigned.guid), episodes=episodes, feed=feeds)


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
    target: str,
    slugs: Sequence[str],
    *,
    at: datetime,
    jobs: int = 0,
    cluster: str = "",
    dry_run: bool = False,
    rebuild: Sequence[str] = (),
    console: Console,
) -> bool:
    """Build what is out of date, up to the target of a command; returns whether nothing failed."""
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


def draw_report(root: Path, show: Show, episode: Episode) -> tuple[Path, Path]:
    """Write an episode's audio report, with or without a transcript; returns the paths of the page and of its figures (JSON)."""
    from pipeline.web.report.report import write_report

    slug = episode.slug
    page, figures = (root / f".causerie/reports/{slug}.{form}" for form in ("html", "json"))
    inputs = (sound, levels, encoded, curve) = tuple(
        root / work_path(slug, name) for name in ("sound.json", "levels.npz", "encoded.json", "published.npz")
    )
    for path in inputs:
        if not path.exists():
            raise CauserieError("its audio has not been built yet", f"episodes/{slug}", f"run causerie normalise {slug} first")
    timed, chapters = root / work_path(slug, "timed.json"), root / f"feeds/{slug}.chapters.json"
    page.parent.mkdir(parents=True, exist_ok=True)
    write_report(
        sound=sound,
        levels=levels,
        encoded=encoded,
        curve=curve,
        timed=timed if timed.exists() else None,
        chapters=chapters if chapters.exists() else None,
        page=page,
        figures=figures,
        title=episode.info.title,
        slug=slug,
        language=show.info.language,
        names={key: person.name for key, person in show.people.items()},
    )
    return page, figures


def summary_lines(root: Path, show: Show) -> Iterator[str]:
    """One line for each finished episode: its duration, the measured loudness and true peak of its MP3, its number of files."""
    for episode in show.episodes:
        release, encoded = (root / work_path(episode.slug, name) for name in ("release.json", "encoded.json"))
        if release.exists() and encoded.exists():
            files, measurement = read_release(release), read_json(encoded)
            levels = f"{measurement['integrated_lufs']:.1f} LUFS, {measurement['true_peak_dbtp']:.1f} dBTP"
            yield f"{episode.slug}: {format_clock(files.duration_s)}, {levels}, {pluralise(len(files.files), 'file')} to publish"


def format_status(root: Path, *, at: datetime, as_json: bool) -> str:
    """The status of every step by episode, with the reason when it is not current, and what waits for a person."""
    show = load_show(root)
    results = list(preview(plan_steps(show, at), root))
    if as_json:
        return "\n".join(json.dumps(to_dict(result), ensure_ascii=False) for result in results)
    lines = []
    for name in (*(episode.slug for episode in show.episodes), "show"):
        own = [result for result in results if result.step.episode == name]
        counts = Counter(result.status for result in own)
        lines.append(f"{name}: {', '.join(f'{number} {status}' for status, number in sorted(counts.items()))}")
        lines += [f"  {', '.join(kinds)}: {what}" for what, kinds in _group_by_reason(own).items()]
    lines += [f"waits for you: {sentence}" for episode in show.episodes for sentence in pending_work(root, episode, at)]
    lines += [f"waits for you: {sentence}" for sentence in orphaned_texts(root, [episode.slug for episode in show.episodes])]
    return "\n".join(lines)


def _group_by_reason(results: Sequence[Result]) -> dict[str, list[str]]:
    """The kinds of step that are not current, by status and reason."""
    groups: dict[str, list[str]] = {}
    for result in results:
        if result.status != "current":
            why = "depends on a stale step" if result.why.startswith("depends on ") else result.why
            groups.setdefault(f"{result.status}: {why}", []).append(result.step.kind)
    return groups


def import_text(root: Path, slug: str, file: Path) -> Iterator[str]:
    """Convert a text or Word file into an episode's transcript, and report the lines that could not be converted.

    A hand-edited transcript is kept: the new one is then written to `<slug>.draft.md`.
    """
    show = load_show(root)
    language = next((episode.info.language for episode in show.episodes if episode.slug == slug), "") or show.info.language
    text, report = convert_file(file, slug, {key: person.name for key, person in show.people.items()}, language)
    with show_lock(root):
        target = root / f"transcripts/{slug}.md"
        if target.exists() and not is_unedited_draft(read_text(target)):
            target = target.with_suffix(".draft.md")
        if target.name.endswith(".draft.md") and target.exists():
            raise CauserieError("exists already", f"transcripts/{target.name}", "compare it with your text, delete it, and try again")
        write_atomic(target, text)
    yield f"Wrote transcripts/{target.name}:"
    yield from (f"  {line}" for line in report)


def review_session(root: Path, slug: str) -> ReviewSession:
    """The session in which a person corrects an episode's transcript in the browser."""
    show = load_show(root, slugs=(slug,))
    title = next(episode.info.title for episode in show.episodes if episode.slug == slug)
    return open_session(root, slug, title, show.info.language, tuple(show.people))


def import_feed(
    root: Path, source: str, *, website: str, media: bool, offline: bool, allow_private: bool, dry_run: bool, console: Console
) -> bool:
    """Create a show from an existing feed, an address or a file; returns whether nothing failed. Options as in `ImportSession`."""
    from pipeline.feed.imports.importer import import_show
    from pipeline.feed.imports.session import ImportSession

    run = ImportSession(
        allow_private=allow_private,
        offline=offline,
        media=media,
        dry_run=dry_run,
        website=website,
        on_message=console.print_message,
        on_status=console.show_status,
    )
    with console:
        return import_show(root, source, run)


def subscriber_diff(root: Path, *, at: datetime) -> tuple[str, ...]:
    """What subscribers will notice when the built feed is published, as sentences."""
    show, feed_path = load_show(root), root / "feeds/feed.xml"
    if not feed_path.exists():
        raise CauserieError("has not been built", str(feed_path), "run causerie feed first")
    target = target_name(show)
    before = ledger.load_ledger(root / "feeds/ledger.json").baseline(target)
    return subscriber_changes.describe_changes(before, items_in_feed(feed_path, at, target)) or ("Subscribers will notice nothing.",)


def publish_show(
    root: Path, *, at: datetime, dry_run: bool, prune: bool, take_over: bool, new_guids: bool = False, console: Console
) -> PublishReport:
    """Publish what was built. Raises `CauserieError` when something is out of date, so that no partly built show is published."""
    with show_lock(root):
        show = load_show(root)
        if not has_own_website(show.info):
            message = "is still the placeholder of causerie init; the feed's addresses and GUIDs are made from it"
            raise CauserieError(
                message, "show.toml: website", "enter the address of your show; until then, causerie serve --watch shows it"
            )
        due_now = due_episodes(show, at)
        published = {"show", *(episode.slug for episode in due_now)}
        steps = with_dependencies(plan_steps(show, at), lambda step: step.episode in published)
        stale = [result for result in preview(steps, root) if result.status == "stale"]
        if stale:
            hint = "run causerie build first" + (f" ({stale[0].step.name}: {stale[0].why})" if stale[0].why else "")
            raise CauserieError(f"{pluralise(len(stale), 'step')} out of date", str(root), hint)
        for sentence in (sentence for episode in due_now for sentence in pending_work(root, episode, at)):
            console.print_message(f"waits for you: {sentence}")
        hears = PublishCallbacks(console.print_message, console.show_status, console.on_bytes_sent)
        with console:
            return publish(
                show, due_now, root, at=at, dry_run=dry_run, prune=prune, take_over=take_over, new_guids=new_guids, callbacks=hears
            )


def publish_due(root: Path, *, at: datetime, console: Console) -> PublishReport | None:
    """Build feed and pages and publish if an episode has come due since the last publication; None when none has. For timers.

    Only steps that depend on the date are built, so that a timer never publishes a partly corrected text.
    """
    show = load_show(root)
    target = target_name(show)
    last = ledger.load_ledger(root / "feeds/ledger.json").latest(target)
    published_guids = {one.guid for one in last.episodes} if last else set()
    new = [episode for episode in due_episodes(show, at) if episode.info.guid not in published_guids]
    if not new:
        upcoming = sorted(episode.info.published for episode in show.episodes if episode.info.published > at)
        console.print_message(f"nothing is due{f' before {upcoming[0].isoformat()}' if upcoming else ''}")
        return None
    if any(tree.back_to for tree in history.load_trees(root / history.PUBLICATIONS, target)[-1:]):
        message = f"{new[0].slug} is due, but causerie rollback restored an earlier publication, so nothing is published automatically"
        raise CauserieError(message, target, "run causerie publish to resume publishing")
    stale = [
        result for result in preview(plan_steps(show, at), root) if result.status == "stale" and result.step.kind not in DATE_DEPENDENT
    ]
    live = {"show", *(episode.slug for episode in due_episodes(show, at))}
    if not [result for result in stale if result.step.episode in live]:
        build_show(root, "publish --due", (), at=at, jobs=1, console=console)
    return publish_show(root, at=at, dry_run=False, prune=False, take_over=False, console=console)


def rollback_show(root: Path, *, at: datetime, number: int | None, dry_run: bool, console: Console) -> PublishReport:
    """Restore the feed and pages of an earlier publication."""
    with show_lock(root), console:
        hears = PublishCallbacks(console.print_message, console.show_status, console.on_bytes_sent)
        return rollback(load_show(root), root, at=at, number=number, dry_run=dry_run, callbacks=hears)


def list_publications(root: Path) -> tuple[str, ...]:
    """The publications that can be restored, one line each, the latest first."""
    confirmed = [tree for tree in history.load_trees(root / history.PUBLICATIONS, target_name(load_show(root))) if tree.committed]
    lines = [
        f"{tree.number}  {tree.at.isoformat(timespec='seconds')}  {pluralise(len(tree.files), 'file')}"
        + (f", rollback to {tree.back_to}" if tree.back_to else "")
        for tree in reversed(confirmed)
    ]
    return tuple(lines) or ("no publication can be restored: nothing has been published yet, or its records were deleted",)


def set_up_target(root: Path, *, public_read: bool, console: Console) -> None:
    """Configure the bucket or folder the show is published to."""
    with show_lock(root), console:
        set_up(load_show(root), root, public_read=public_read, on_message=console.print_message)


@contextmanager
def show_lock(root: Path) -> Iterator[None]:
    """Hold the show's lock while a command writes: two builds at once would take each other's files for hand edits.

    The operating system releases the lock when the process ends. Raises `CauserieError` when another process holds it.
    """
    if not (root / "show.toml").is_file():
        raise CauserieError(
            "there is no show here: show.toml is missing", str(root), "use --show DIR, or create a show with causerie init DIR"
        )
    (root / ".causerie").mkdir(exist_ok=True)
    with (root / ".causerie/lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CauserieError("another causerie command is running on this show", str(root), "wait until it has finished") from error
        yield


def _print_plan(steps: tuple[Step, ...], root: Path, rebuild: Sequence[str], console: Console) -> bool:
    """Print what would be built, and why."""
    results: list[Result] = list(preview(steps, root, rebuild))
    for result in results:
        console.counts[result.status] += 1
        if console.as_json:
            print(json.dumps(to_dict(result), ensure_ascii=False))
        elif result.status == "stale":
            console.print_message(f"would build {result.step.name}: {result.why}", always=True)
    if not any(result.status == "stale" for result in results):
        console.print_message("Nothing to do.", always=not console.as_json)
    return True
