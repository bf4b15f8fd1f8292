"""What each command does, with the moment it is run at as an argument; `cli.py` parses and prints."""

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

# Where each command stops: the kinds of step it wants, with everything they are made from
STOPS: dict[str, frozenset[str]] = {
    "normalise": frozenset({"encode", "m4a", "light", "soundbites"}),
    "draft": frozenset({"draft"}),
    "transcribe": frozenset({"captions", "translate"}),
    "tag": frozenset({"tag", "tag-m4a", "tag-light"}),
    "guide": frozenset({"guide", "guide-clips", "series-guide"}),
    "feed": frozenset({"feed"}),
    "site": (PAGES := frozenset({"page", "index", "people", "themes", "transcripts", "style", "found"})),
    "publish --due": (DATED := PAGES | {"feed"}),  # what an episode's date alone makes stale
}
OF_THE_SHOW = frozenset({"feed", "site"})  # commands that speak of every episode

# The kinds of step whose work is drawn in an episode's report
DRAWN = frozenset({"encode", "align", "chapters"})


def open_show(root: Path, keep: bool = False, slugs: Sequence[str] = ()) -> Show:
    """The show in a folder, each episode with its GUID; new ones are given, and written down when `keep`. `slugs` as in `catalog.load`."""
    show = catalog.load(root, slugs)
    path = root / "feeds/ledger.json"
    before = ledger.load(path)
    website, others = show.info.website, show.feed.others
    known = ledger.assign(before, f"{website}feed.xml", [episode.slug for episode in show.episodes])
    wanted = {**({"feed": True} if show.feed.private else {}), **{other.name: other.private for other in others}}
    known = ledger.assign_feeds(known, website, wanted, lambda: secrets.token_hex(16))
    if keep and known != before and (before.guid or has_address(show.info)):  # GUIDs made from the address of init are everybody's
        ledger.save(path, known)
    episodes = tuple(replace(each, info=replace(each.info, guid=known.episodes[each.slug])) for each in show.episodes)
    feeds = replace(
        show.feed,
        key=known.feeds["feed"]["key"] if show.feed.private else "feed.xml",
        others=tuple(replace(other, **known.feeds[other.name]) for other in others),
    )
    return replace(show, info=replace(show.info, guid=known.guid), episodes=episodes, feed=feeds)


def steps_for(show: Show, command: str, slugs: Sequence[str], at: datetime) -> tuple[Step, ...]:
    """The steps a command is about: all of them, those it stops at, or those of some episodes only.

    The feed and the series page speak of every episode, so a command given slugs leaves them for a whole build, unless they are
    what was asked for.
    """
    steps, kinds = plan(show, at), STOPS.get(command)
    if not kinds and not slugs:
        return steps
    owners = {*slugs, *(("show",) if command in OF_THE_SHOW else ())}
    left = frozenset() if show.whole else frozenset({"page"})  # it names its neighbours, and one of them could not be read
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
    """Make what is out of date; True when nothing failed."""
    with only_build(root):
        show = open_show(root, keep=not dry_run, slugs=() if command in OF_THE_SHOW else slugs)
        steps = steps_for(show, command, slugs, at)
        kinds = {step.kind for step in steps}
        for kind in rebuild:
            if kind not in kinds:
                raise CauserieError(f"there is no step {kind}", "--rebuild", nearest(kind, kinds))
        if dry_run:
            return _foresee(steps, root, rebuild, console)
        with _workers(root, jobs, cluster, console) as workers, console:
            results = build(steps, root, workers, console.ended, console.started, rebuild)
            draw_reports(root, show, results, console)
        if console.counts["built"]:
            for line in described(root, show):
                console.say(line)
        for sentence in orphans(root, [episode.slug for episode in show.episodes]) if show.whole and not slugs else ():
            console.say(f"waits for a person: {sentence}")
        console.sum_up(len(slugs) or len(show.episodes))
        return all(result.status not in ("failed", "blocked") for result in results)


def _workers(root: Path, jobs: int, cluster: str, console: Console) -> Workers | Cluster:
    """Who does the work: processes here, or a cluster's."""
    return Cluster(cluster, root, console.moved) if cluster else Workers(jobs or cores(), console.moved)


def draw_reports(root: Path, show: Show, results: Sequence[Result], console: Console) -> None:
    """Draw the sound of every episode whose sound, transcript or chapters were made in this run."""
    made = {result.step.episode for result in results if result.status == "built" and result.step.kind in DRAWN}
    for episode in show.episodes:
        if episode.slug in made and (root / work(episode.slug, "encoded.json")).exists():
            try:
                draw(root, show, episode)
            except (CauserieError, OSError, ValueError, KeyError) as error:  # a drawing that fails takes nothing from what was made
                console.say(f"{episode.slug}: no report: {error}", always=True)


def draw(root: Path, show: Show, episode: Episode) -> tuple[Path, Path]:
    """Draw what was done to an episode's sound from what there is, with or without a transcript: the page, and its figures."""
    from pipeline.report import report

    slug = episode.slug
    page, figures = (root / f".causerie/reports/{slug}.{form}" for form in ("html", "json"))
    made = {"sound": "sound.json", "levels": "levels.npz", "encoded": "encoded.json", "curve": "published.npz"}
    reads = {key: root / work(slug, name) for key, name in made.items()}
    for path in reads.values():
        if not path.exists():
            raise CauserieError("its sound is not made yet", f"episodes/{slug}", f"run causerie normalise {slug} first")
    timed, chapters = root / work(slug, "timed.json"), root / f"feeds/{slug}.chapters.json"
    texts = {"timed": timed if timed.exists() else None, "chapters": chapters if chapters.exists() else None}
    page.parent.mkdir(parents=True, exist_ok=True)
    names = {key: person.name for key, person in show.people.items()}
    about = {"title": episode.info.title, "slug": slug, "language": show.info.language, "names": names}
    report(**reads, **texts, page=page, figures=figures, **about)
    return page, figures


def described(root: Path, show: Show) -> Iterator[str]:
    """A line on each finished episode: its length, what its MP3 measures, what goes with it."""
    for episode in show.episodes:
        release, encoded = (root / work(episode.slug, name) for name in ("release.json", "encoded.json"))
        if release.exists() and encoded.exists():
            files, measured = read_release(release), read_json(encoded)
            levels = f"{measured['integrated_lufs']:.1f} LUFS, {measured['true_peak_dbtp']:.1f} dBTP"
            yield f"{episode.slug}: {hms(files.duration_s)}, {levels}, {count(len(files.files), 'file')} to publish"


def status(root: Path, *, at: datetime, as_json: bool) -> str:
    """Episodes × steps: how many are current, what is stale and why, and what waits for a person."""
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
    lines += [f"waits for a person: {sentence}" for episode in show.episodes for sentence in waiting(root, episode, at)]
    lines += [f"waits for a person: {sentence}" for sentence in orphans(root, [episode.slug for episode in show.episodes])]
    return "\n".join(lines)


def _by_reason(results: Sequence[Result]) -> dict[str, list[str]]:
    """The kinds of step that are not current, under what there is to say of them."""
    found: dict[str, list[str]] = {}
    for result in results:
        if result.status != "current":
            why = "follows what changed" if result.why.startswith("follows ") else result.why
            found.setdefault(f"{result.status}: {why}", []).append(result.step.kind)
    return found


def bring_text(root: Path, slug: str, file: Path) -> Iterator[str]:
    """Make an episode's transcript from a text typed elsewhere; a transcript that exists stays, the new one goes beside it."""
    show = open_show(root)
    language = next((episode.info.language for episode in show.episodes if episode.slug == slug), "") or show.info.language
    text, report = import_text(file, slug, {key: person.name for key, person in show.people.items()}, language)
    with only_build(root):
        place = root / f"transcripts/{slug}.md"
        if place.exists() and not untouched(read_text(place)):
            place = place.with_suffix(".draft.md")
        if place.name.endswith(".draft.md") and place.exists():
            raise CauserieError("is in the way", f"transcripts/{place.name}", "compare it with your text, and delete it")
        write_whole(place, text)
    yield f"Made transcripts/{place.name}:"
    yield from (f"  {line}" for line in report)


def at_the_desk(root: Path, slug: str) -> Desk:
    """What is needed to correct an episode's transcript in the browser."""
    show = open_show(root, slugs=(slug,))
    title = next(episode.info.title for episode in show.episodes if episode.slug == slug)
    return desk(root, slug, title, show.info.language, tuple(show.people))


def bring_feed(root: Path, source: str, *, console: Console, **options: bool | str) -> bool:
    """Make a workspace of an existing show's feed, an address or a file; True when nothing failed. `options` are `Run`'s."""
    from pipeline.bringing import Run, bring

    with console:
        return bring(root, source, Run(say=console.say, tell=console.tell, **options))


def compare(root: Path, *, at: datetime) -> tuple[str, ...]:
    """What subscribers will notice of the feed as it stands, as sentences."""
    show, place = open_show(root), root / "feeds/feed.xml"
    if not place.exists():
        raise CauserieError("has not been built", str(place), "run causerie feed")
    target = target_name(show)
    before = ledger.load(root / "feeds/ledger.json").known(target)
    return noticed.differences(before, given_by(place, at, target)) or ("Subscribers will notice nothing.",)


def send(
    root: Path, *, at: datetime, dry_run: bool, prune: bool, take_over: bool, new_guids: bool = False, console: Console
) -> Publication:
    """Publish what was built; refused when something is out of date, so that a half-made show is never sent."""
    with only_build(root):
        show = open_show(root)
        if not has_address(show.info):
            said = "is still the one causerie init wrote, and the feed's addresses and identities are made from it"
            raise CauserieError(said, "show.toml: website", "say where the show will be served; causerie serve --watch shows it until then")
        shown = due(show, at)
        live = {"show", *(episode.slug for episode in shown)}
        steps = needed(plan(show, at), lambda step: step.episode in live)
        behind = [result for result in look(steps, root) if result.status == "stale"]
        if behind:
            hint = "run causerie build first" + (f" ({behind[0].step.name}: {behind[0].why})" if behind[0].why else "")
            raise CauserieError(f"{count(len(behind), 'step')} of the show are out of date", str(root), hint)
        options = {"dry_run": dry_run, "prune": prune, "take_over": take_over, "new_guids": new_guids}
        for sentence in (sentence for episode in shown for sentence in waiting(root, episode, at)):
            console.say(f"waits for a person: {sentence}")
        with console:
            return publish(show, shown, root, at=at, hears=Hears(console.say, console.tell, console.moved_bytes), **options)


def send_due(root: Path, *, at: datetime, console: Console) -> Publication | None:
    """What a timer runs: build feed and pages and publish when an episode has come due, else nothing; None then.

    Only what the date alone changes is built: somebody's half-corrected text is never published from a timer.
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
        said = f"{new[0].slug} is due, and is held back because the show went back to an earlier publication"
        raise CauserieError(said, target, "run causerie publish to publish again")
    stale = [result for result in look(plan(show, at), root) if result.status == "stale" and result.step.kind not in DATED]
    live = {"show", *(episode.slug for episode in due(show, at))}
    if not [result for result in stale if result.step.episode in live]:
        make(root, "publish --due", (), at=at, jobs=1, console=console)
    return send(root, at=at, dry_run=False, prune=False, take_over=False, console=console)


def go_back(root: Path, *, at: datetime, number: int | None, dry_run: bool, console: Console) -> Publication:
    """Write back an earlier publication's feed and pages."""
    with only_build(root), console:
        hears = Hears(console.say, console.tell, console.moved_bytes)
        return rollback(open_show(root), root, at=at, number=number, dry_run=dry_run, hears=hears)


def publications(root: Path) -> tuple[str, ...]:
    """The publications that can be gone back to, a line each, the last one first."""
    kept = [tree for tree in history.trees(root / history.PUBLICATIONS, target_name(open_show(root))) if tree.confirmed]
    lines = [
        f"{tree.number}  {tree.at.isoformat(timespec='seconds')}  {count(len(tree.files), 'file')}"
        + (f", went back to {tree.back_to}" if tree.back_to else "")
        for tree in reversed(kept)
    ]
    return tuple(lines) or ("nothing has been published yet, or nothing is kept of it",)


def prepare(root: Path, *, public_read: bool, console: Console) -> None:
    """Set up the place to publish to."""
    with only_build(root), console:
        set_up(open_show(root), root, public_read=public_read, say=console.say)


@contextmanager
def only_build(root: Path) -> Iterator[None]:
    """Hold the show's lock: two builds at once would take each other's files for edits. The system frees it when we end."""
    if not (root / "show.toml").is_file():
        raise CauserieError("there is no show here: show.toml is missing", str(root), "use --show DIR, or make one with causerie init DIR")
    (root / ".causerie").mkdir(exist_ok=True)
    with (root / ".causerie/lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CauserieError("another causerie is at work on this show", str(root), "wait until it has finished") from error
        yield


def _foresee(steps: tuple[Step, ...], root: Path, rebuild: Sequence[str], console: Console) -> bool:
    """Say what would be made, and why."""
    results: list[Result] = list(look(steps, root, rebuild))
    for result in results:
        console.counts[result.status] += 1
        if console.as_json:
            print(json.dumps(as_value(result), ensure_ascii=False))
        elif result.status == "stale":
            console.say(f"would make {result.step.name}: {result.why}", always=True)
    if not any(result.status == "stale" for result in results):
        console.say("Nothing to do.", always=not console.as_json)
    return True
