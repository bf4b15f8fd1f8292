"""The command line: parses, calls `pipeline.commands`, prints, sets the exit status (0 done, 1 something failed, 2 wrong usage)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline import __version__
from pipeline.errors import CauserieError, Problems
from pipeline.text import nearest, printable

if TYPE_CHECKING:
    from pipeline.publish.report import Publication

Command = Callable[..., None]
Decorator = Callable[[Command], Command]

COMMON = (
    click.option("--show", "root", type=click.Path(path_type=Path), default=".", help="The show's folder; by default the current one."),
)
JOBS = (
    click.option("--jobs", type=click.IntRange(1), help="How many steps run at once; by default one for each processor core."),
    click.option(
        "--cluster", metavar="ADDRESS", default="", help="Run the steps on the workers of a Dask scheduler, such as tcp://10.0.0.1:8786."
    ),
)
MOMENT = click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"])
DIFF = (click.option("--diff", is_flag=True, help="Print what subscribers will notice, compared with the last publication."),)
LONG = (
    *COMMON,
    click.option("--dry-run", is_flag=True, help="Print what would be done and why, and change nothing."),
    click.option("--quiet", is_flag=True, help="Print only failures."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line on standard output."),
    click.option("--at", type=MOMENT, help="Act as if this were the current time."),
)


class Group(click.Group):
    """Lists commands in the order of this file, and prints a `CauserieError` as one sentence with exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Problems as problems:
            click.echo("\n".join(printable(str(problem)) for problem in problems.problems), err=True)
        except CauserieError as error:
            click.echo(printable(str(error)), err=True)
            if error.where.startswith("--"):  # a wrong option is wrong usage
                sys.exit(2)
        except OSError as error:
            click.echo(printable(f"{error.filename or 'the system'}: {error.strerror or error}; fix this and try again"), err=True)
        except KeyboardInterrupt:
            click.echo("Stopped. Finished steps are kept, and the next run resumes from them.", err=True)
        sys.exit(1)


def options(which: tuple[Decorator, ...]) -> Decorator:
    """Add several click options to a command."""

    def decorate(command: Command) -> Command:
        for option in reversed(which):
            command = option(command)
        return command

    return decorate


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="causerie")
def main() -> None:
    """Raw recordings in, a published podcast out: audio, transcripts, feed, pages and discussion guides."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="The language of the show.")
def init(folder: Path, language: str) -> None:
    """Create a show in FOLDER, with a show.toml to fill in and a cover to replace."""
    from pipeline.newcomers import new_show

    _say(new_show(folder, language))


@main.command()
@click.argument("slug")
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path))
@options(COMMON)
def new(slug: str, recordings: tuple[Path, ...], root: Path) -> None:
    """Create an episode from one or more RECORDINGS: they are checked, copied in, and listed in its episode.toml."""
    from pipeline.newcomers import new_episode

    _say(new_episode(root, slug, recordings, at=_now().astimezone()))


def _make(name: str, help_text: str, more: tuple[Decorator, ...] = ()) -> None:
    """Add a command that builds the show up to some kind of step; `extra_options` are its own."""

    @main.command(name, help=help_text)
    @click.argument("slugs", nargs=-1, metavar="[SLUG]...")
    @click.option(
        "--rebuild", multiple=True, metavar="STEP", help="Run this kind of step even when it is current, such as encode or captions."
    )
    @options((*LONG, *JOBS, *more))
    def command(
        root: Path,
        slugs: tuple[str, ...],
        jobs: int | None,
        cluster: str,
        rebuild: tuple[str, ...],
        dry_run: bool,
        quiet: bool,
        as_json: bool,
        at: datetime | None,
        diff: bool = False,
    ) -> None:
        from pipeline.commands import compare, make
        from pipeline.console import Console

        _must_exist(root, slugs)
        if not make(
            root.resolve(),
            name,
            slugs,
            at=_moment(at),
            jobs=jobs or 0,
            cluster=cluster,
            dry_run=dry_run,
            rebuild=rebuild,
            console=Console(quiet, as_json),
        ):
            sys.exit(1)
        if diff:
            lines = compare(root.resolve(), at=_moment(at))
            _say(json.dumps({"subscribers": lines}, ensure_ascii=False) if as_json else "\n".join(lines))


_make("build", "Build everything that is out of date, up to feed, guides and pages; with SLUGs, only those episodes' own files.")
_make("normalise", "Build up to the levelled, encoded audio, with a report of how it was processed.")
_make("draft", "Build up to the draft transcript to correct, with its doubtful passages.")
_make("transcribe", "Build up to the captions: speech recognition, draft transcript, alignment of the corrected text.")
_make("tag", "Build up to the audio files tagged with title, credits, cover and chapters.")
_make("guide", "Build up to the discussion guides.")
_make("feed", "Build up to the feed; --diff prints what subscribers will notice.", DIFF)
_make("site", "Build up to the listening pages.")


@main.command()
@options(COMMON)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line on standard output.")
def status(root: Path, as_json: bool) -> None:
    """Show which steps of each episode are current, stale (and why), hand-edited or failed, and what needs a person."""
    from pipeline.commands import status

    _say(status(root.resolve(), at=_now(), as_json=as_json))


@main.command("import-text")
@click.argument("slug")
@click.argument("file", type=click.Path(path_type=Path))
@options(COMMON)
def import_text(slug: str, file: Path, root: Path) -> None:
    """Convert FILE, a text or Word document, into an episode's transcript, and report the lines that could not be converted."""
    from pipeline.commands import bring_text

    _must_exist(root, (slug,))
    _say("\n".join(bring_text(root.resolve(), slug, file)))


@main.command()
@click.argument("slug")
@options(COMMON)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port to listen on; by default a free one.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
def review(slug: str, root: Path, port: int, opens: bool) -> None:
    """Correct an episode's transcript in the browser while listening; the page on 127.0.0.1 marks doubtful passages and saves."""
    from pipeline.commands import at_the_desk
    from pipeline.review.server import serve_review

    _must_exist(root, (slug,))

    def ready(address: str) -> None:
        click.echo(f"{address}  (Ctrl-C to stop)")
        if opens:
            click.launch(address)

    serve_review(at_the_desk(root.resolve(), slug), port=port, ready=ready)


@main.command("import-feed")
@click.argument("source", metavar="URL_OR_FILE")
@options(COMMON)
@click.option(
    "--website", default="", metavar="ADDRESS", help="The address the show will be published at, like https://podcast.example.org/my-show/."
)
@click.option("--media", is_flag=True, help="Download each episode's audio and cover too; run it again to resume after an interruption.")
@click.option("--offline", is_flag=True, help="Download nothing: read the feed from a file, and use only what it contains.")
@click.option("--allow-private", is_flag=True, help="Also follow addresses on this machine or a private network (for tests on 127.0.0.1).")
@click.option("--dry-run", is_flag=True, help="Fetch the feed, print what would be created and what cannot be imported, and write nothing.")
@click.option("--quiet", is_flag=True, help="Print only failures.")
def import_feed(source: str, root: Path, website: str, media: bool, offline: bool, allow_private: bool, dry_run: bool, quiet: bool) -> None:
    """Create a show in an empty folder from the feed at URL_OR_FILE, with its GUIDs, texts, people and chapters; report what was lost."""
    from pipeline.commands import bring_feed
    from pipeline.console import Console

    if not bring_feed(
        root.resolve(),
        source,
        website=website,
        media=media,
        offline=offline,
        allow_private=allow_private,
        dry_run=dry_run,
        console=Console(quiet),
    ):
        sys.exit(1)


@main.command()
@click.argument("slug")
@options(COMMON)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the same figures as JSON on standard output.")
def report(slug: str, root: Path, opens: bool, as_json: bool) -> None:
    """Draw an episode's audio before and after processing, and print the path of the page."""
    from pipeline.commands import draw, open_show

    _must_exist(root, (slug,))
    show = open_show(root.resolve(), slugs=(slug,))
    page, figures = draw(root.resolve(), show, next(episode for episode in show.episodes if episode.slug == slug))
    if as_json:
        click.echo(figures.read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(page)
    if opens:
        click.launch(str(page))


@main.command()
@options(COMMON)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line on standard output.")
@click.option("--online", is_flag=True, help="Also request the feed's addresses from their servers: HEAD, byte ranges, types, sizes.")
def check(root: Path, as_json: bool, online: bool) -> None:
    """Report every mistake at once: in TOML files, recordings, cover, texts, and the directories' rules for the feed; then advice."""
    from pipeline.check import check, shown
    from pipeline.console import Console

    with Console() as console:
        found = check(root.resolve(), online, console.tell)
    wrong = [finding for finding in found if finding.level == "error"]
    if as_json:
        from dataclasses import asdict

        for finding in found:
            click.echo(json.dumps(asdict(finding), ensure_ascii=False))
    elif wrong:
        raise Problems(tuple(shown(wrong)))
    else:
        click.echo("No mistakes found.")
        for line in shown(found):
            _say(str(line))
    sys.exit(1 if wrong else 0)


@main.command()
@options(LONG)
@click.option("--prune", is_flag=True, help="Delete files that no page or feed links to any more; without it nothing is ever deleted.")
@click.option("--take-over", is_flag=True, help="Replace a feed that was published from another copy of the show.")
@click.option("--new-guids", is_flag=True, help="Publish episodes whose GUID changed: subscribers download them again.")
@click.option("--due", is_flag=True, help="For a timer: publish if an episode's date has come, and do nothing otherwise.")
@click.option(
    "--setup", is_flag=True, help="Configure the bucket once (CORS, conditional writes…), print what was done, and publish nothing."
)
@click.option("--public-read", is_flag=True, help="With --setup: make everything below the prefix public, by a bucket policy.")
def publish(
    root: Path,
    quiet: bool,
    as_json: bool,
    at: datetime | None,
    dry_run: bool,
    prune: bool,
    take_over: bool,
    new_guids: bool,
    due: bool,
    setup: bool,
    public_read: bool,
) -> None:
    """Upload what was built to the folder or bucket of show.toml, the feed last; --dry-run prints what would be uploaded."""
    from pipeline.commands import prepare, send, send_due
    from pipeline.console import Console

    has_options = dry_run or prune or take_over or new_guids
    if (due and setup) or ((due or setup) and has_options) or (public_read and not setup):
        raise click.UsageError("--due and --setup take no other option; --public-read needs --setup")
    console = Console(quiet)
    if setup:
        prepare(root.resolve(), public_read=public_read, console=console)
        return
    if due:
        _tell_publication(send_due(root.resolve(), at=_moment(at), console=console), as_json)
        return
    done = send(root.resolve(), at=_moment(at), dry_run=dry_run, prune=prune, take_over=take_over, new_guids=new_guids, console=console)
    _tell_publication(done, as_json)


@main.command()
@click.argument("number", type=click.IntRange(1), required=False)
@options(LONG)
@click.option("--list", "listing", is_flag=True, help="List the publications that can be restored.")
def rollback(root: Path, number: int | None, quiet: bool, as_json: bool, at: datetime | None, dry_run: bool, listing: bool) -> None:
    """Restore the feed and pages of the previous publication, or of publication NUMBER."""
    from pipeline.commands import go_back, publications
    from pipeline.console import Console

    if listing:
        _say("\n".join(publications(root.resolve())))
        return
    _tell_publication(go_back(root.resolve(), at=_moment(at), number=number, dry_run=dry_run, console=Console(quiet)), as_json)


@main.command()
@options(COMMON)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port to listen on.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; any other than the default is visible to other machines.",
)
@click.option("--watch", is_flag=True, help="Serve what is built, published or not; rebuild on each change and reload open pages.")
@click.option("--at", type=MOMENT, help="With --watch: show the pages as they will be at that time, with the episodes due by then.")
def serve(root: Path, port: int, host: str, watch: bool, at: datetime | None) -> None:
    """Serve the published folder on 127.0.0.1, with byte ranges, to view and listen to it."""
    if watch:
        from pipeline import preview

        preview.watch(root.resolve(), host=host, port=port, now=lambda: _moment(at), say=_say)
        return
    if at:
        raise CauserieError("only works with --watch", "--at", "add --watch")
    from pipeline.catalog import load
    from pipeline.serve import serve

    folder = root.resolve() / load(root.resolve()).publish.folder
    if not (folder / "index.html").is_file():
        raise CauserieError("nothing is published yet", str(folder), "run causerie build, then causerie publish")
    serve(folder, host=host, port=port, ready=lambda address: click.echo(f"{address}  (Ctrl-C to stop)"))


@main.command()
@options(COMMON)
def doctor(root: Path) -> None:
    """Show what is installed, which Whisper model the show uses, what is missing and the command that installs it."""
    from pipeline.doctor import examine

    findings = examine(root.resolve())
    for finding in findings:
        click.echo(printable(str(finding)))
    sys.exit(0 if all(finding.good for finding in findings) else 1)


def _tell_publication(done: Publication | None, as_json: bool) -> None:
    """Print a publication as one JSON object with `--json`; `done` is None when nothing was published."""
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps(asdict(done) if done else {"sent": []}, ensure_ascii=False))


def _must_exist(root: Path, slugs: tuple[str, ...]) -> None:
    """Exit with status 2, wrong usage, when a slug names no episode."""
    known = [path.parent.name for path in root.glob("episodes/*/episode.toml")]
    for slug in slugs:
        if slug not in known:
            raise click.UsageError(
                printable(f"there is no episode {slug}; {nearest(slug, known) if known else 'the show has no episodes yet'}")
            )


def _say(text: str) -> None:
    """Print lines on standard output, with control characters of titles replaced."""
    click.echo("\n".join(map(printable, text.split("\n"))))


def _now() -> datetime:
    """The current time; the program reads the clock nowhere else, except for progress and durations."""
    return datetime.now(UTC)


def _moment(at: datetime | None) -> datetime:
    """The time given on the command line, in UTC when it has no zone, or the current time."""
    return _now() if at is None else at if at.tzinfo else at.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
