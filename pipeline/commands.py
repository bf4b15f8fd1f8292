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

from pipeline import catalog
from pipeline.build import Result, build, look
from pipeline.cluster import Cluster
from pipeline.console import Console, as_value, count
from pipeline.drafts import untouched
from pipeline.errors import CauserieError
from pipeline.feed import ledger, noticed
from pipeline.files import read_json, read_text, write_whole
from pipeline.model import Episode, Show
from pipeline.newcomers import has_address
from pipeline.plan import due, plan, work
from pipeline.publish import history
from pipeline.publish.given import given_by
from pipeline.publish.report import Publication
from pipeline.publish.run import Hears, publish, rollback, set_up, target_name
from pipeline.release import read_release
from pipeline.review.server import Desk, desk
from pipeline.steps import Step, needed
from pipeline.text import hms, nearest
from pipeline.transcript.importer import import_text
from pipeline.waiting import orphans, waiting
from pipeline.workers import Workers, cores

# The kinds of step each command runs, together with the steps they depend on
STOPS: dict[str, frozenset[str]] = {
    "normalise": frozenset({"encode", "m4a", "light", "soundbites"}),
    "draft": frozenset({"draft"}),
    "transcribe": frozenset({"captions", "translate"}),
    "tag": frozenset({"tag", "tag-m4a", "tag-light"}),
    "guide": frozenset({"guide", "guide-clips", "series-guide"}),
    "feed": frozenset({"feed"}),
    "site": (PAGES := frozenset({"page", "index", "people", "themes", "transcripts", "style", "found"})),
    "publish --due": (DATED := PAGES | {"feed"}),  # the steps that become stale when an episode's date comes
}
OF_THE_SHOW = frozenset({"feed", "site"})  # commands whose output covers every episode

# The kinds of step whose output an episode's audio report shows
DRAWN = frozenset({"encode", "align", "chapters"})


def open_show(root: Path, keep: bool = False, slugs: Sequence[str] = ()) -> Show:
    """The show in a folder, with its GUIDs; `save_guids` writes new ones to the ledger. `slugs` as in `load_config`."""
    show = catalog.load(root, slugs)
    path = root / "feeds/ledger.json"
    before = ledger.load(path)
    website, others = show.info.website, show.feed.others
    known = ledger.assign(before, f"{website}feed.xml", [episode.slug for episode in show.episodes])
    wanted = {**({"feed": True} if show.feed.private else {}), **{other.name: other.private for other in others}}
    known = ledger.assign_feeds(known, website, wanted, lambda: secrets.token_hex(16))
    if (
        keep and known != before and (before.guid or has_address(show.info))
    ):  # the address `init` writes would give every new show the same GUIDs
        ledger.save(path, known)
    episodes = tuple(replace(each, info=replace(each.info, guid=known.episodes[each.slug])) for each in show.episodes)
    feeds = replace(
        show.feed,
        key=known.feeds["feed"]["key"] if show.feed.private else "feed.xml",
        others=tuple(replace(other, key=known.feeds[other.name]["key"], guid=known.feeds[other.name]["guid"]) for other in others),
    )
    return replace(show, info=replace(show.info, guid=known.guid), episodes=episodes, feed=feeds)


def steps_for(show: Show, command: str, slugs: Sequence[str], at: datetime) -> tuple[Step, ...]:
    """The steps a command runs: every step, those up to its target, or only those of some episodes.

    The feed and the pages of the show cover every episode, so a command with slugs skips them unless they are its target.
    """
    steps, kinds = plan(show, at), STOPS.get(command)
    if not kinds and not slugs:
        return steps
    owners = {*slugs, *(("show",) if command in OF_THE_SHOW else ())}
    left = frozenset() if show.whole else frozenset({"page"})  # it links to its neighbours, and one of them could not be read
    return needed(steps, lambda step: (not kinds or step.kind in kinds) and (not slugs or step.episode in owners) and step.kind not in left)


def make(
    root: Path,
    command: str,
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
    with only_build(root):
        show = open_show(root, keep=not dry_run, slugs=() if command in OF_THE_SHOW else slugs)
        steps = steps_for(show, command, slugs, at)
        kinds = {step.kind for step in steps}
        for kind in rebuild:
            if kind not in kinds:
                raise CauserieError(f"there is no kind of step “{kind}”", "--rebuild", nearest(kind, kinds))
        if dry_run:
            return _foresee(steps, root, rebuild, console)
        with _workers(root, jobs, cluster, console) as workers, console:
            results = build(steps, root, workers, console.ended, console.started, rebuild)
            draw_reports(root, show, results, console)
        if console.counts["built"]:
            for line in described(root, show):
                console.say(line)
        for sentence in orphans(root, [episode.slug for episode in show.episodes]) if show.whole and not slugs else ():
            console.say(f"waits for you: {sentence}")
        console.sum_up(len(slugs) or len(show.episodes))
        return all(result.status not in ("failed", "blocked") for result in results)


def _workers(root: Path, jobs: int, cluster: str, console: Console) -> Workers | Cluster:
    """The executor of the steps: local processes, or the workers of a cluster."""
    return Cluster(cluster, root, console.moved) if cluster else Workers(jobs or cores(), console.moved)


def draw_reports(root: Path, show: Show, results: Sequence[Result], console: Console) -> None:
    """Write the audio report of every episode whose audio, transcript or chapters this run built."""
    made = {result.step.episode for result in results if result.status == "built" and result.step.kind in DRAWN}
    for episode in show.episodes:
        if episode.slug in made and (root / work(episode.slug, "encoded.json")).exists():
            try:
                draw(root, show, episode)
            except (CauserieError, OSError, ValueError, KeyError) as error:  # a failed report does not fail the build
                console.say(f"{episode.slug}: no report: {error}", always=True)


def draw(root: Path, show: Show, episode: Episode) -> tuple[Path, Path]:
    """Write an episode's audio report, with or without a transcript; returns the paths of the page and of its figures (JSON)."""
    from pipeline.report import report

    slug = episode.slug
    page, figures = (root / f".causerie/reports/{slug}.{form}" for form in ("html", "json"))
    inputs = (sound, levels, encoded, curve) = tuple(
        root / work(slug, name) for name in ("sound.json", "levels.npz", "encoded.json", "published.npz")
    )
    for path in inputs:
        if not path.exists():
            raise CauserieError("its audio has not been built yet", f"episodes/{slug}", f"run causerie normalise {slug} first")
    timed, chapters = root / work(slug, "timed.json"), root / f"feeds/{slug}.chapters.json"
    page.parent.mkdir(parents=True, exist_ok=True)
    report(
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


def described(root: Path, show: Show) -> Iterator[str]:
    """One line for each finished episode: its duration, the measured loudness and true peak of its MP3, its number of files."""
    for episode in show.episodes:
        release, encoded = (root / work(episode.slug, name) for name in ("release.json", "encoded.json"))
        if release.exists() and encoded.exists():
            files, measured = read_release(release), read_json(encoded)
            levels = f"{measured['integrated_lufs']:.1f} LUFS, {measured['true_peak_dbtp']:.1f} dBTP"
            yield f"{episode.slug}: {hms(files.duration_s)}, {levels}, {count(len(files.files), 'file')} to publish"


def status(root: Path, *, at: datetime, as_json: bool) -> str:
    """The status of every step by episode, with the reason when it is not current, and what waits for a person."""
    show = open_show(root)
    results = list(look(plan(show, at), root))
    if as_json:
        return "\n".join(json.dumps(as_value(result), ensure_ascii=False) for result in results)
    lines = []
    for name in (*(episode.slug for episode in show.episodes), "show"):
        mine = [result for result in results if result.step.episode == name]
        counts = Counter(result.status for result in mine)
        lines.append(f"{name}: {', '.join(f'{number} {status}' for status, number in sorted(counts.items()))}")
        lines += [f"  {', '.join(kinds)}: {what}" for what, kinds in _by_reason(mine).items()]
    lines += [f"waits for you: {sentence}" for episode in show.episodes for sentence in waiting(root, episode, at)]
    lines += [f"waits for you: {sentence}" for sentence in orphans(root, [episode.slug for episode in show.episodes])]
    return "\n".join(lines)


def _by_reason(results: Sequence[Result]) -> dict[str, list[str]]:
    """The kinds of step that are not current, by status and reason."""
    found: dict[str, list[str]] = {}
    for result in results:
        if result.status != "current":
            why = "depends on a stale step" if result.why.startswith("depends on ") else result.why
            found.setdefault(f"{result.status}: {why}", []).append(result.step.kind)
    return found


def bring_text(root: Path, slug: str, file: Path) -> Iterator[str]:
    """Convert a text or Word file into an episode's transcript, and report the lines that could not be converted.

    A hand-edited transcript is kept: the new one is then written to `<slug>.draft.md`.
    """
    show = open_show(root)
    language = next((episode.info.language for episode in show.episodes if episode.slug == slug), "") or show.info.language
    text, report = import_text(file, slug, {key: person.name for key, person in show.people.items()}, language)
    with only_build(root):
        place = root / f"transcripts/{slug}.md"
        if place.exists() and not untouched(read_text(place)):
            place = place.with_suffix(".draft.md")
        if place.name.endswith(".draft.md") and place.exists():
            raise CauserieError("exists already", f"transcripts/{place.name}", "compare it with your text, delete it, and try again")
        write_whole(place, text)
    yield f"Wrote transcripts/{place.name}:"
    yield from (f"  {line}" for line in report)


def at_the_desk(root: Path, slug: str) -> Desk:
    """The session in which a person corrects an episode's transcript in the browser."""
    show = open_show(root, slugs=(slug,))
    title = next(episode.info.title for episode in show.episodes if episode.slug == slug)
    return desk(root, slug, title, show.info.language, tuple(show.people))


def bring_feed(
    root: Path, source: str, *, website: str, media: bool, offline: bool, allow_private: bool, dry_run: bool, console: Console
) -> bool:
    """Create a show from an existing feed, an address or a file; returns whether nothing failed. Options as in `ImportSession`."""
    from pipeline.bringing import bring
    from pipeline.feed.telling import Run

    run = Run(
        allow_private=allow_private, offline=offline, media=media, dry_run=dry_run, website=website, say=console.say, tell=console.tell
    )
    with console:
        return bring(root, source, run)


def compare(root: Path, *, at: datetime) -> tuple[str, ...]:
    """What subscribers will notice when the built feed is published, as sentences."""
    show, place = open_show(root), root / "feeds/feed.xml"
    if not place.exists():
        raise CauserieError("has not been built", str(place), "run causerie feed first")
    target = target_name(show)
    before = ledger.load(root / "feeds/ledger.json").known(target)
    return noticed.differences(before, given_by(place, at, target)) or ("Subscribers will notice nothing.",)


def send(
    root: Path, *, at: datetime, dry_run: bool, prune: bool, take_over: bool, new_guids: bool = False, console: Console
) -> Publication:
    """Publish what was built. Raises `CauserieError` when something is out of date, so that no partly built show is published."""
    with only_build(root):
        show = open_show(root)
        if not has_address(show.info):
            said = "is still the placeholder of causerie init; the feed's addresses and GUIDs are made from it"
            raise CauserieError(said, "show.toml: website", "enter the address of your show; until then, causerie serve --watch shows it")
        shown = due(show, at)
        live = {"show", *(episode.slug for episode in shown)}
        steps = needed(plan(show, at), lambda step: step.episode in live)
        behind = [result for result in look(steps, root) if result.status == "stale"]
        if behind:
            hint = "run causerie build first" + (f" ({behind[0].step.name}: {behind[0].why})" if behind[0].why else "")
            raise CauserieError(f"{count(len(behind), 'step')} out of date", str(root), hint)
        for sentence in (sentence for episode in shown for sentence in waiting(root, episode, at)):
            console.say(f"waits for you: {sentence}")
        hears = Hears(console.say, console.tell, console.moved_bytes)
        with console:
            return publish(show, shown, root, at=at, dry_run=dry_run, prune=prune, take_over=take_over, new_guids=new_guids, hears=hears)


def send_due(root: Path, *, at: datetime, console: Console) -> Publication | None:
    """Build feed and pages and publish if an episode has come due since the last publication; None when none has. For timers.

    Only steps that depend on the date are built, so that a timer never publishes a partly corrected text.
    """
    show = open_show(root)
    target = target_name(show)
    last = ledger.load(root / "feeds/ledger.json").last(target)
    given = {one.guid for one in last.episodes} if last else set()
    new = [episode for episode in due(show, at) if episode.info.guid not in given]
    if not new:
        later = sorted(episode.info.published for episode in show.episodes if episode.info.published > at)
        console.say(f"nothing is due{f' before {later[0].isoformat()}' if later else ''}")
        return None
    if any(tree.back_to for tree in history.trees(root / history.PUBLICATIONS, target)[-1:]):
        said = f"{new[0].slug} is due, but causerie rollback restored an earlier publication, so nothing is published automatically"
        raise CauserieError(said, target, "run causerie publish to resume publishing")
    stale = [result for result in look(plan(show, at), root) if result.status == "stale" and result.step.kind not in DATED]
    live = {"show", *(episode.slug for episode in due(show, at))}
    if not [result for result in stale if result.step.episode in live]:
        make(root, "publish --due", (), at=at, jobs=1, console=console)
    return send(root, at=at, dry_run=False, prune=False, take_over=False, console=console)


def go_back(root: Path, *, at: datetime, number: int | None, dry_run: bool, console: Console) -> Publication:
    """Restore the feed and pages of an earlier publication."""
    with only_build(root), console:
        hears = Hears(console.say, console.tell, console.moved_bytes)
        return rollback(open_show(root), root, at=at, number=number, dry_run=dry_run, hears=hears)


def publications(root: Path) -> tuple[str, ...]:
    """The publications that can be restored, one line each, the latest first."""
    kept = [tree for tree in history.trees(root / history.PUBLICATIONS, target_name(open_show(root))) if tree.confirmed]
    lines = [
        f"{tree.number}  {tree.at.isoformat(timespec='seconds')}  {count(len(tree.files), 'file')}"
        + (f", rollback to {tree.back_to}" if tree.back_to else "")
        for tree in reversed(kept)
    ]
    return tuple(lines) or ("no publication can be restored: nothing has been published yet, or its records were deleted",)


def prepare(root: Path, *, public_read: bool, console: Console) -> None:
    """Configure the bucket or folder the show is published to."""
    with only_build(root), console:
        set_up(open_show(root), root, public_read=public_read, say=console.say)


@contextmanager
def only_build(root: Path) -> Iterator[None]:
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


def _foresee(steps: tuple[Step, ...], root: Path, rebuild: Sequence[str], console: Console) -> bool:
    """Print what would be built, and why."""
    results: list[Result] = list(look(steps, root, rebuild))
    for result in results:
        console.counts[result.status] += 1
        if console.as_json:
            print(json.dumps(as_value(result), ensure_ascii=False))
        elif result.status == "stale":
            console.say(f"would build {result.step.name}: {result.why}", always=True)
    if not any(result.status == "stale" for result in results):
        console.say("Nothing to do.", always=not console.as_json)
    return True
