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
from pipeline.model import CauserieError, Problems, suggest, terminal_safe

if TYPE_CHECKING:
    from pipeline.publish import PublishReport

Command = Callable[..., None]
Decorator = Callable[[Command], Command]

SHOW_OPTION = (
    click.option("--show", "root", type=click.Path(path_type=Path), default=".", help="The show's folder; by default the current one."),
)
JOB_OPTIONS = (
    click.option("--jobs", type=click.IntRange(1), help="How many steps run at once; by default one for each processor core."),
    click.option(
        "--cluster", metavar="ADDRESS", default="", help="Run the steps on the workers of a Dask scheduler, such as tcp://10.0.0.1:8786."
    ),
)
TIMESTAMP = click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"])
DIFF_OPTION = (click.option("--diff", is_flag=True, help="Print what subscribers will notice, compared with the last publication."),)
RUN_OPTIONS = (
    *SHOW_OPTION,
    click.option("--dry-run", is_flag=True, help="Print what would be done and why, and change nothing."),
    click.option("--quiet", is_flag=True, help="Print only failures."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line on standard output."),
    click.option("--at", type=TIMESTAMP, help="Act as if this were the current time."),
)


class CommandGroup(click.Group):
    """Lists commands in the order of this file, and prints a `CauserieError` as one sentence with exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Problems as problems:
            click.echo("\n".join(terminal_safe(str(problem)) for problem in problems.problems), err=True)
        except CauserieError as error:
            click.echo(terminal_safe(str(error)), err=True)
            if error.where.startswith("--"):  # a wrong option is wrong usage
                sys.exit(2)
        except OSError as error:
            click.echo(terminal_safe(f"{error.filename or 'the system'}: {error.strerror or error}; fix this and try again"), err=True)
        except KeyboardInterrupt:
            click.echo("Stopped. Finished steps are kept, and the next run resumes from them.", err=True)
        sys.exit(1)


def add_options(decorators: tuple[Decorator, ...]) -> Decorator:
    """Add several click options to a command."""

    def decorate(command: Command) -> Command:
        for option in reversed(decorators):
            command = option(command)
        return command

    return decorate


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="causerie")
def main() -> None:
    """Raw recordings in, a published podcast out: audio, transcripts, feed, pages and discussion guides."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="The language of the show.")
def init(folder: Path, language: str) -> None:
    """Create a show in FOLDER, with a show.toml to fill in and a cover to replace."""
    from pipeline.commands import create_show

    _echo(create_show(folder, language))


@main.command()
@click.argument("slug")
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path))
@add_options(SHOW_OPTION)
def new(slug: str, recordings: tuple[Path, ...], root: Path) -> None:
    """Create an episode from one or more RECORDINGS: they are checked, copied in, and listed in its episode.toml."""
    from pipeline.commands import create_episode

    _echo(create_episode(root, slug, recordings, at=_utc_now().astimezone()))


def _add_build_command(name: str, help_text: str, extra_options: tuple[Decorator, ...] = ()) -> None:
    """Add a command that builds the show up to some kind of step; `extra_options` are its own."""

    @main.command(name, help=help_text)
    @click.argument("slugs", nargs=-1, metavar="[SLUG]...")
    @click.option(
        "--rebuild", multiple=True, metavar="STEP", help="Run this kind of step even when it is current, such as encode or captions."
    )
    @add_options((*RUN_OPTIONS, *JOB_OPTIONS, *extra_options))
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
        from pipeline.commands import Console, build_show, subscriber_diff

        _require_episodes(root, slugs)
        if not build_show(
            root.resolve(),
            name,
            slugs,
            at=_resolve_time(at),
            jobs=jobs or 0,
            cluster=cluster,
            dry_run=dry_run,
            rebuild=rebuild,
            console=Console(quiet, as_json),
        ):
            sys.exit(1)
        if diff:
            lines = subscriber_diff(root.resolve(), at=_resolve_time(at))
            _echo(json.dumps({"subscribers": lines}, ensure_ascii=False) if as_json else "\n".join(lines))


_add_build_command(
    "build", "Build everything that is out of date, up to feed, guides and pages; with SLUGs, only those episodes' own files."
)
_add_build_command("normalise", "Build up to the levelled, encoded audio, with a report of how it was processed.")
_add_build_command("draft", "Build up to the draft transcript to correct, with its doubtful passages.")
_add_build_command("transcribe", "Build up to the captions: speech recognition, draft transcript, alignment of the corrected text.")
_add_build_command("tag", "Build up to the audio files tagged with title, credits, cover and chapters.")
_add_build_command("guide", "Build up to the discussion guides.")
_add_build_command("feed", "Build up to the feed; --diff prints what subscribers will notice.", DIFF_OPTION)
_add_build_command("site", "Build up to the listening pages.")


@main.command()
@add_options(SHOW_OPTION)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line on standard output.")
def status(root: Path, as_json: bool) -> None:
    """Show which steps of each episode are current, stale (and why), hand-edited or failed, and what needs a person."""
    from pipeline.commands import format_status

    _echo(format_status(root.resolve(), at=_utc_now(), as_json=as_json))


@main.command("import-text")
@click.argument("slug")
@click.argument("file", type=click.Path(path_type=Path))
@add_options(SHOW_OPTION)
@click.option("--episode", type=click.IntRange(min=1), help="The number of the episode to take, when FILE holds several.")
@click.option("--write", is_flag=True, help="Also put title, number, summary and credits into episode.toml and [people], after asking.")
@click.option("--yes", is_flag=True, help="With --write: do not ask.")
def import_text(slug: str, file: Path, root: Path, episode: int | None, write: bool, yes: bool) -> None:
    """Convert FILE, a text or Word document, into an episode's transcript, and report the lines that could not be converted."""
    from pipeline.commands import import_text

    def agrees(diff: str) -> bool:
        _echo(diff)
        return yes or click.confirm("Write this?")

    _require_episodes(root, (slug,))
    for line in import_text(root.resolve(), slug, file, episode=episode, write=write, agrees=agrees):
        _echo(line)


@main.command()
@click.argument("slug")
@add_options(SHOW_OPTION)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port to listen on; by default a free one.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
def review(slug: str, root: Path, port: int, opens: bool) -> None:
    """Correct an episode's transcript in the browser while listening; the page on 127.0.0.1 marks doubtful passages and saves."""
    from pipeline.commands import review_session
    from pipeline.web.review import serve_review

    _require_episodes(root, (slug,))

    def on_ready(address: str) -> None:
        click.echo(f"{address}  (Ctrl-C to stop)")
        if opens:
            click.launch(address)

    serve_review(review_session(root.resolve(), slug), port=port, on_ready=on_ready)


@main.command()
@click.argument("slug")
@add_options(SHOW_OPTION)
@click.option("--take", default="", metavar="NUMBERS", help="Write the proposals with these numbers into episode.toml, such as 1,3-5.")
@click.option("--yes", is_flag=True, help="Write all of them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line on standard output.")
def cuts(slug: str, root: Path, take: str, yes: bool, as_json: bool) -> None:
    """Propose cuts in an episode: long pauses, “um”, starts said twice; with --take or --yes, write them into its episode.toml."""
    from pipeline.commands import describe_proposals, proposed_cuts, take_cuts

    if take and yes:
        raise click.UsageError("--take and --yes exclude each other")
    _require_episodes(root, (slug,))
    proposals = proposed_cuts(root.resolve(), slug)
    if take or yes:
        _echo("\n".join(take_cuts(root.resolve(), slug, proposals, take)))
    elif as_json:
        from dataclasses import asdict

        for each in proposals:
            click.echo(json.dumps({"number": each.number, **asdict(each.proposal), "cut": asdict(each.cut)}, ensure_ascii=False))
    else:
        _echo("\n".join(describe_proposals(slug, proposals)))


@main.command()
@click.argument("slug")
@add_options(SHOW_OPTION)
@click.option("--clip", type=click.IntRange(1, 999), help="The number of a soundbite.")
@click.option("--quote", type=click.IntRange(1, 999), help="The number of a quote of the guide.")
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    type=click.Choice(["square", "vertical", "wide"]),
    help="Its shape, square by default; may be repeated.",
)
def audiogram(slug: str, root: Path, clip: int | None, quote: int | None, shapes: tuple[str, ...]) -> None:
    """Make a video to share of a soundbite or quote: cover, waveform, captions; without --clip or --quote, list what there is."""
    from pipeline.commands import list_passages, make_audiogram

    if clip and quote:
        raise click.UsageError("--clip and --quote exclude each other")
    _require_episodes(root, (slug,))
    if not clip and not quote:
        _echo("\n".join(list_passages(root.resolve(), slug)))
        return
    name = f"clip-{clip:02}" if clip else f"quote-{quote:02}"
    for path in make_audiogram(root.resolve(), slug, name, tuple(dict.fromkeys(shapes)) or ("square",)):
        click.echo(path)


@main.command("import-feed")
@click.argument("source", metavar="URL_OR_FILE")
@add_options(SHOW_OPTION)
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
    from pipeline.commands import Console, import_feed

    if not import_feed(
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
@add_options(SHOW_OPTION)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the same figures as JSON on standard output.")
def report(slug: str, root: Path, opens: bool, as_json: bool) -> None:
    """Draw an episode's audio before and after processing, and print the path of the page."""
    from pipeline.commands import draw_report, load_show

    _require_episodes(root, (slug,))
    show = load_show(root.resolve(), slugs=(slug,))
    page, figures = draw_report(root.resolve(), show, next(episode for episode in show.episodes if episode.slug == slug))
    if as_json:
        click.echo(figures.read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(page)
    if opens:
        click.launch(str(page))


@main.command()
@add_options(SHOW_OPTION)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line on standard output.")
@click.option("--online", is_flag=True, help="Also request the feed's addresses from their servers: HEAD, byte ranges, types, sizes.")
def check(root: Path, as_json: bool, online: bool) -> None:
    """Report every mistake at once: in TOML files, recordings, cover, texts, and the directories' rules for the feed; then advice."""
    from pipeline.commands import Console, as_errors, check_show

    with Console() as console:
        findings = check_show(root.resolve(), online, console.show_status)
    errors = [finding for finding in findings if finding.level == "error"]
    if as_json:
        from dataclasses import asdict

        for finding in findings:
            click.echo(json.dumps(asdict(finding), ensure_ascii=False))
    elif errors:
        raise Problems(tuple(as_errors(errors)))
    else:
        click.echo("No mistakes found.")
        for line in as_errors(findings):
            _echo(str(line))
    sys.exit(1 if errors else 0)


@main.command()
@add_options(RUN_OPTIONS)
@click.option("--prune", is_flag=True, help="Delete files that no page or feed links to any more; without it nothing is ever deleted.")
@click.option("--take-over", is_flag=True, help="Replace a feed that was published from another copy of the show.")
@click.option("--new-guids", is_flag=True, help="Publish episodes whose GUID changed: subscribers download them again.")
@click.option("--as-written", is_flag=True, help="Publish a transcript most of whose words were not heard in its recording.")
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
    as_written: bool,
    due: bool,
    setup: bool,
    public_read: bool,
) -> None:
    """Upload what was built to the folder or bucket of show.toml, the feed last; --dry-run prints what would be uploaded."""
    from pipeline.commands import Console, publish_due, publish_show, set_up_target

    has_options = dry_run or prune or take_over or new_guids or as_written
    if (due and setup) or ((due or setup) and has_options) or (public_read and not setup):
        raise click.UsageError("--due and --setup take no other option; --public-read needs --setup")
    console = Console(quiet)
    if setup:
        set_up_target(root.resolve(), public_read=public_read, console=console)
        return
    if due:
        _echo_publication(publish_due(root.resolve(), at=_resolve_time(at), console=console), as_json)
        return
    done = publish_show(
        root.resolve(),
        at=_resolve_time(at),
        dry_run=dry_run,
        prune=prune,
        take_over=take_over,
        new_guids=new_guids,
        as_written=as_written,
        console=console,
    )
    _echo_publication(done, as_json)


@main.command()
@click.argument("number", type=click.IntRange(1), required=False)
@add_options(RUN_OPTIONS)
@click.option("--list", "listing", is_flag=True, help="List the publications that can be restored.")
def rollback(root: Path, number: int | None, quiet: bool, as_json: bool, at: datetime | None, dry_run: bool, listing: bool) -> None:
    """Restore the feed and pages of the previous publication, or of publication NUMBER."""
    from pipeline.commands import Console, list_publications, rollback_show

    if listing:
        _echo("\n".join(list_publications(root.resolve())))
        return
    _echo_publication(rollback_show(root.resolve(), at=_resolve_time(at), number=number, dry_run=dry_run, console=Console(quiet)), as_json)


@main.command()
@add_options(SHOW_OPTION)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port to listen on.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; any other than the default is visible to other machines.",
)
@click.option("--watch", is_flag=True, help="Serve what is built, published or not; rebuild on each change and reload open pages.")
@click.option("--at", type=TIMESTAMP, help="With --watch: show the pages as they will be at that time, with the episodes due by then.")
def serve(root: Path, port: int, host: str, watch: bool, at: datetime | None) -> None:
    """Serve the published folder on 127.0.0.1, with byte ranges, to view and listen to it."""
    if watch:
        from pipeline.commands import watch as watch_show

        watch_show(root.resolve(), host=host, port=port, now=lambda: _resolve_time(at), on_message=_echo)
        return
    if at:
        raise CauserieError("only works with --watch", "--at", "add --watch")
    from pipeline.config import load_config
    from pipeline.web import serve_folder

    folder = root.resolve() / load_config(root.resolve()).publish.folder
    if not (folder / "index.html").is_file():
        raise CauserieError("nothing is published yet", str(folder), "run causerie build, then causerie publish")
    serve_folder(folder, host=host, port=port, on_ready=lambda address: click.echo(f"{address}  (Ctrl-C to stop)"))


@main.command()
@add_options(SHOW_OPTION)
@click.option("--fetch", metavar="NAME", help="Bring this Whisper model to the machine, such as base, to work without a network later.")
def doctor(root: Path, fetch: str | None) -> None:
    """Show what is installed, which Whisper model the show uses, what is missing and the command that installs it."""
    from pipeline.commands import Console, diagnose, fetch_named_model

    if fetch is not None:
        with Console() as console:
            console.print_message(f"Fetching the Whisper model “{fetch}”…")
            sentence = fetch_named_model(root.resolve(), fetch, console.on_bytes_fetched)
        _echo(sentence)
        return
    findings = diagnose(root.resolve())
    for finding in findings:
        click.echo(terminal_safe(str(finding)))
    sys.exit(0 if all(finding.is_ok for finding in findings) else 1)


def _echo_publication(report: PublishReport | None, as_json: bool) -> None:
    """Print a publication as one JSON object with `--json`; `report` is None when nothing was published."""
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps(asdict(report) if report else {"sent": []}, ensure_ascii=False))


def _require_episodes(root: Path, slugs: tuple[str, ...]) -> None:
    """Exit with status 2, wrong usage, when a slug names no episode."""
    known = [path.parent.name for path in root.glob("episodes/*/episode.toml")]
    for slug in slugs:
        if slug not in known:
            raise click.UsageError(
                terminal_safe(f"there is no episode {slug}; {suggest(slug, known) if known else 'the show has no episodes yet'}")
            )


def _echo(text: str) -> None:
    """Print lines on standard output, with control characters of titles replaced."""
    click.echo("\n".join(map(terminal_safe, text.split("\n"))))


def _utc_now() -> datetime:
    """The current time; the program reads the clock nowhere else, except for progress and durations."""
    return datetime.now(UTC)


def _resolve_time(at: datetime | None) -> datetime:
    """The time given on the command line, in UTC when it has no zone, or the current time."""
    return _utc_now() if at is None else at if at.tzinfo else at.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
