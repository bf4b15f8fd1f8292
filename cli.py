"""The command line: parses, calls, prints, sets the exit status. 0 done, 1 something failed, 2 wrong usage."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pipeline import __version__
from pipeline.errors import CauserieError, Problems
from pipeline.text import nearest, printable

COMMON = (click.option("--show", "root", type=click.Path(path_type=Path), default=".", help="The folder of the show, if not this one."),)
JOBS = (
    click.option("--jobs", type=click.IntRange(1), help="How many steps at once; as many as there are processors if not given."),
    click.option(
        "--cluster", metavar="ADDRESS", default="", help="Do them on the workers of a Dask scheduler, such as tcp://10.0.0.1:8786."
    ),
)
MOMENT = click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"])
DIFF = (click.option("--diff", is_flag=True, help="Say what subscribers will notice, against what was published last."),)
LONG = (
    *COMMON,
    click.option("--dry-run", is_flag=True, help="Say what would be done and why, and do nothing."),
    click.option("--quiet", is_flag=True, help="Say only what failed."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object a line on standard output."),
    click.option("--at", type=MOMENT, help="Act as if it were that moment."),
)


class Group(click.Group):
    """Commands in the order they are written, and every error of ours as one sentence with exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Problems as problems:
            click.echo("\n".join(printable(str(problem)) for problem in problems.problems), err=True)
        except CauserieError as error:
            click.echo(printable(str(error)), err=True)
            if error.where.startswith("--"):  # a wrong option is wrong usage
                sys.exit(2)
        except OSError as error:
            click.echo(printable(f"{error.filename or 'the system'}: {error.strerror or error}; see to it and try again"), err=True)
        except KeyboardInterrupt:
            click.echo("Stopped; what was finished is kept, and the next run goes on from there.", err=True)
        sys.exit(1)


def options(which: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    """Put several click options on a command."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
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
    """Make a new show in FOLDER: a show.toml to fill in and a cover to replace."""
    from pipeline.newcomers import new_show

    _say(new_show(folder, language))


@main.command()
@click.argument("slug")
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path))
@options(COMMON)
def new(slug: str, recordings: tuple[Path, ...], root: Path) -> None:
    """Make a new episode around one or more RECORDINGS: they are looked at, copied in, and named in its episode.toml."""
    from pipeline.newcomers import new_episode

    _say(new_episode(root, slug, recordings, at=_now().astimezone()))


def _make(name: str, help_text: str, more: tuple[Callable[..., Any], ...] = ()) -> None:
    """Add a command that makes the show up to some step; `more` are options of its own."""

    @main.command(name, help=help_text)
    @click.argument("slugs", nargs=-1, metavar="[SLUG]...")
    @click.option("--rebuild", multiple=True, metavar="STEP", help="Run this kind of step even when it is current: encode, captions…")
    @options((*LONG, *JOBS, *more))
    def command(root: Path, slugs: tuple[str, ...], jobs: int | None, quiet: bool, as_json: bool, at: datetime | None, **rest: Any) -> None:
        from pipeline.commands import compare, make
        from pipeline.console import Console

        _must_exist(root, slugs)
        console, diff = Console(quiet, as_json), rest.pop("diff", False)
        if not make(root.resolve(), name, slugs, at=_moment(at), jobs=jobs or 0, console=console, **rest):
            sys.exit(1)
        if diff:
            lines = compare(root.resolve(), at=_moment(at))
            _say(json.dumps({"subscribers": lines}, ensure_ascii=False) if as_json else "\n".join(lines))


_make("build", "Make everything that is out of date, up to and including feed, guides and pages; with SLUGs, those episodes' own files.")
_make("normalise", "Stop at audio that is even and loud enough, with a report of what was done to it.")
_make("draft", "Stop at the transcript to correct: Whisper, its doubts, the draft.")
_make("transcribe", "Stop at captions: Whisper, the draft to correct, the times of the corrected text.")
_make("tag", "Stop at audio that carries its title, credits, cover and chapters.")
_make("guide", "Stop at the discussion guides.")
_make("feed", "Stop at the feed; --diff says what subscribers will notice of it.", DIFF)
_make("site", "Stop at the listening pages.")


@main.command()
@options(COMMON)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on standard output.")
def status(root: Path, as_json: bool) -> None:
    """Episodes and steps: current, stale and why, corrected by hand; and what waits for a person."""
    from pipeline.commands import status

    _say(status(root.resolve(), at=_now(), as_json=as_json))


@main.command("import-text")
@click.argument("slug")
@click.argument("file", type=click.Path(path_type=Path))
@options(COMMON)
def import_text(slug: str, file: Path, root: Path) -> None:
    """Make an episode's transcript from FILE, a text or Word document typed elsewhere; what could not be placed is told."""
    from pipeline.commands import bring_text

    _must_exist(root, (slug,))
    _say("\n".join(bring_text(root.resolve(), slug, file)))


@main.command()
@click.argument("slug")
@options(COMMON)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port to listen on; a free one if not given.")
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
def review(slug: str, root: Path, port: int, opens: bool) -> None:
    """Correct an episode's transcript in the browser while listening: a page on 127.0.0.1 that plays, shows the doubts, and saves."""
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
    "--website", default="", metavar="ADDRESS", help="Where the show will be published, like https://podcast.example.org/my-show/."
)
@click.option("--media", is_flag=True, help="Fetch each episode's sound and cover too; run it again to go on after a stop.")
@click.option("--offline", is_flag=True, help="Fetch nothing at all: a feed in a file, and only what stands in it.")
@click.option("--allow-private", is_flag=True, help="Follow addresses on this machine or a private network, too (for tests on 127.0.0.1).")
@click.option("--dry-run", is_flag=True, help="Fetch the feed, say what would be made and what could not be kept, and write nothing.")
@click.option("--quiet", is_flag=True, help="Say only what failed.")
def import_feed(source: str, root: Path, quiet: bool, **rest: bool | str) -> None:
    """Make a show, in an empty folder, of the feed at URL_OR_FILE: its GUIDs, texts, people, chapters; what could not be kept is told."""
    from pipeline.commands import bring_feed
    from pipeline.console import Console

    if not bring_feed(root.resolve(), source, console=Console(quiet), **rest):
        sys.exit(1)


@main.command()
@click.argument("slug")
@options(COMMON)
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@click.option("--json", "as_json", is_flag=True, help="The same figures as JSON on standard output.")
def report(slug: str, root: Path, opens: bool, as_json: bool) -> None:
    """Draw what was done to an episode's sound, before and after, and print where the page is."""
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
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on standard output.")
@click.option("--online", is_flag=True, help="Also ask the servers of the feed's addresses: HEAD, byte ranges, types, sizes.")
def check(root: Path, as_json: bool, online: bool) -> None:
    """Every mistake in the show at once: its TOML, recordings, cover, texts, and what directories ask of the feed; then advice."""
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
        click.echo("No mistake found.")
        for line in shown(found):
            _say(str(line))
    sys.exit(1 if wrong else 0)


@main.command()
@options(LONG)
@click.option("--prune", is_flag=True, help="Delete what no page or feed names any more; without it nothing is ever deleted.")
@click.option("--take-over", is_flag=True, help="Replace a feed that was published from another copy of the show.")
@click.option("--new-guids", is_flag=True, help="Give subscribers episodes they have again, under another GUID: they download them again.")
@click.option("--due", is_flag=True, help="For a timer: publish when an episode's date has come, and do nothing otherwise.")
@click.option("--setup", is_flag=True, help="Prepare the bucket once (CORS, conditional writes…), say what was done, and publish nothing.")
@click.option("--public-read", is_flag=True, help="With --setup: let everybody read what is below the prefix, by a bucket policy.")
def publish(
    root: Path, quiet: bool, as_json: bool, at: datetime | None, due: bool, setup: bool, public_read: bool, **options: bool
) -> None:
    """Upload what was built to the folder or bucket of show.toml, the feed last; --dry-run says what would be sent."""
    from pipeline.commands import prepare, send, send_due
    from pipeline.console import Console

    given = [name for name in ("dry_run", "prune", "take_over", "new_guids") if options[name]]
    if (due and setup) or ((due or setup) and given) or (public_read and not setup):
        raise click.UsageError("--due and --setup stand alone, --public-read goes with --setup")
    console = Console(quiet)
    if setup:
        prepare(root.resolve(), public_read=public_read, console=console)
        return
    common = {"at": _moment(at), "console": console}
    _tell_publication(send_due(root.resolve(), **common) if due else send(root.resolve(), **common, **options), as_json)


@main.command()
@click.argument("number", type=click.IntRange(1), required=False)
@options(LONG)
@click.option("--list", "listing", is_flag=True, help="Say which publications can be gone back to.")
def rollback(root: Path, number: int | None, quiet: bool, as_json: bool, at: datetime | None, dry_run: bool, listing: bool) -> None:
    """Go back to the publication before the one that is out, or to publication NUMBER: its feed and pages are written back."""
    from pipeline.commands import go_back, publications
    from pipeline.console import Console

    if listing:
        _say("\n".join(publications(root.resolve())))
        return
    _tell_publication(go_back(root.resolve(), at=_moment(at), number=number, dry_run=dry_run, console=Console(quiet)), as_json)


@main.command()
@options(COMMON)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; any but this one shows it to others.")
@click.option("--watch", is_flag=True, help="Serve what is built, published or not, and build again on each change; open pages follow.")
@click.option("--at", type=MOMENT, help="With --watch: show it as it will be at that moment, with the episodes that are due by then.")
def serve(root: Path, port: int, host: str, watch: bool, at: datetime | None) -> None:
    """Serve the published folder on 127.0.0.1, with byte ranges, so that it can be looked at and listened to."""
    if watch:
        from pipeline import preview

        preview.watch(root.resolve(), host=host, port=port, now=lambda: _moment(at), say=_say)
        return
    if at:
        raise CauserieError("shows what is not published yet", "--at", "give it with --watch")
    from pipeline.catalog import load
    from pipeline.serve import serve

    folder = root.resolve() / load(root.resolve()).publish.folder
    if not (folder / "index.html").is_file():
        raise CauserieError("nothing is published yet", str(folder), "run causerie build, then causerie publish")
    serve(folder, host=host, port=port, ready=lambda address: click.echo(f"{address}  (Ctrl-C to stop)"))


@main.command()
@options(COMMON)
def doctor(root: Path) -> None:
    """What is installed, which Whisper model the show asks for, what is missing and the command that mends it."""
    from pipeline.doctor import examine

    findings = examine(root.resolve())
    for finding in findings:
        click.echo(printable(str(finding)))
    sys.exit(0 if all(finding.good for finding in findings) else 1)


def _tell_publication(done: Any, as_json: bool) -> None:
    """A publication as one JSON object, when that was asked for."""
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps(asdict(done) if done else {"sent": []}, ensure_ascii=False))


def _must_exist(root: Path, slugs: tuple[str, ...]) -> None:
    """A slug nobody has is wrong usage: exit status 2."""
    known = [path.parent.name for path in root.glob("episodes/*/episode.toml")]
    for slug in slugs:
        if slug not in known:
            raise click.UsageError(printable(f"there is no episode {slug}; {nearest(slug, known) if known else 'the show has none yet'}"))


def _say(text: str) -> None:
    """Lines on standard output, safe on a terminal whatever was typed in a title."""
    click.echo("\n".join(map(printable, text.split("\n"))))


def _now() -> datetime:
    """The present: the only place the program reads the clock for anything but progress."""
    return datetime.now(UTC)


def _moment(at: datetime | None) -> datetime:
    """The moment asked for, in UTC when it names no zone, or the present."""
    return _now() if at is None else at if at.tzinfo else at.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
