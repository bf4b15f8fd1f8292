"""`causerie publish`, `rollback` and `feed --diff`: what is sent, what subscribers notice, and going back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pipeline.commands.build import DATE_DEPENDENT, build_show
from pipeline.commands.completeness import other_recording
from pipeline.commands.console import Console
from pipeline.commands.pending import pending_work
from pipeline.commands.scaffold import has_own_website
from pipeline.commands.workspace import load_show, show_lock
from pipeline.engine import FileCache, preview, with_dependencies
from pipeline.feed import describe_changes, load_ledger
from pipeline.model import CauserieError, Episode, Problems, TextReview, pluralise
from pipeline.plan import due_episodes, plan_steps, work_path
from pipeline.publish import (
    PUBLICATIONS,
    PublishCallbacks,
    PublishReport,
    items_in_feed,
    load_trees,
    publish,
    refuse_unchecked,
    rollback,
    set_up,
    target_name,
)
from pipeline.transcript import read_timed


def subscriber_diff(root: Path, *, at: datetime) -> tuple[str, ...]:
    """What subscribers will notice when the built feed is published, as sentences."""
    show, feed_path = load_show(root), root / "feeds/feed.xml"
    if not feed_path.exists():
        raise CauserieError("has not been built", str(feed_path), "run causerie feed first")
    target = target_name(show)
    before = load_ledger(root / "feeds/ledger.json").baseline(target)
    return describe_changes(before, items_in_feed(feed_path, at, target)) or ("Subscribers will notice nothing.",)


def publish_show(
    root: Path,
    *,
    at: datetime,
    dry_run: bool = False,
    prune: bool = False,
    take_over: bool = False,
    new_guids: bool = False,
    as_written: bool = False,
    console: Console | None = None,
) -> PublishReport:
    """Publish what was built. Raises `CauserieError` when something is out of date, so that no partly built show is published.

    It also refuses, unless `as_written`, a text of which most words were not heard: its recording was replaced.
    Without a `console`, nothing is printed.
    """
    console = console or Console(quiet=True)
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
        if show.publish.require_corrected:
            refuse_unchecked({episode.slug: _text_review(root, episode.slug) for episode in due_now})
        if not as_written:
            _refuse_other_recordings(root, due_now)
        for sentence in (sentence for episode in due_now for sentence in pending_work(root, episode, at)):
            console.print_message(f"waits for you: {sentence}")
        hears = PublishCallbacks(console.print_message, console.show_status, console.on_bytes_sent)
        with console:
            return publish(
                show, due_now, root, at=at, dry_run=dry_run, prune=prune, take_over=take_over, new_guids=new_guids, callbacks=hears
            )


def _text_review(root: Path, slug: str) -> TextReview:
    """Who has checked an episode's transcript, as it was built: nothing is out of date here."""
    timed = root / work_path(slug, "timed.json")
    return read_timed(timed).review if timed.is_file() else TextReview()


def _refuse_other_recordings(root: Path, episodes: Sequence[Episode]) -> None:
    """Raise `CauserieError` or `Problems` for the texts that belong to other recordings than those that would be published."""
    cache = FileCache(root)
    errors = [error for episode in episodes if (error := other_recording(root, episode, cache))]
    cache.save()
    if errors:
        flagged = (CauserieError(each.message, each.where, f"{each.hint}; --as-written publishes it all the same") for each in errors)
        raise Problems(tuple(flagged))


def publish_due(root: Path, *, at: datetime, console: Console) -> PublishReport | None:
    """Build feed and pages and publish if an episode has come due since the last publication; None when none has. For timers.

    Only steps that depend on the date are built, so that a timer never publishes a partly corrected text.
    """
    show = load_show(root)
    target = target_name(show)
    last = load_ledger(root / "feeds/ledger.json").latest(target)
    published_guids = {one.guid for one in last.episodes} if last else set()
    new = [episode for episode in due_episodes(show, at) if episode.info.guid not in published_guids]
    if not new:
        upcoming = sorted(episode.info.published for episode in show.episodes if episode.info.published > at)
        console.print_message(f"nothing is due{f' before {upcoming[0].isoformat()}' if upcoming else ''}")
        return None
    if any(tree.back_to for tree in load_trees(root / PUBLICATIONS, target)[-1:]):
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
    confirmed = [tree for tree in load_trees(root / PUBLICATIONS, target_name(load_show(root))) if tree.committed]
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
