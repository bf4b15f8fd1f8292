"""`causerie import-text` and `import-feed`: texts and shows that exist elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.commands.console import Console
from pipeline.commands.workspace import load_show, show_lock
from pipeline.engine import is_unedited_draft, read_text, write_atomic
from pipeline.model import CauserieError
from pipeline.transcript.freeform import convert_file


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


def import_feed(
    root: Path, source: str, *, website: str, media: bool, offline: bool, allow_private: bool, dry_run: bool, console: Console
) -> bool:
    """Create a show from an existing feed, an address or a file; returns whether nothing failed. Options as in `ImportSession`."""
    from pipeline.feed.imports import ImportSession, import_show

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
