"""`causerie import-text` and `import-feed`: texts and shows that exist elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.commands.console import Console
from pipeline.commands.facts import fact_changes, read_tomls, toml_diff, write_tomls
from pipeline.commands.workspace import load_show, show_lock
from pipeline.engine import is_unedited_draft, read_text, write_atomic
from pipeline.model import CauserieError, pluralise, terminal_safe
from pipeline.transcript.freeform import ImportedText, import_file, open_questions


def import_text(
    root: Path, slug: str, file: Path, *, episode: int | None = None, write: bool = False, agrees: Callable[[str], bool] = lambda diff: True
) -> Iterator[str]:
    """Convert a text or Word file into an episode's transcript, and report what was found and what could not be converted.

    A hand-edited transcript is kept: the new one is then written to `<slug>.draft.md`. `episode` chooses one of a page's episodes. With
    `write`, the facts of the text go into episode.toml and [people], when `agrees` accepts the difference.
    """
    show = load_show(root)
    language = next((each.info.language for each in show.episodes if each.slug == slug), "") or show.info.language
    found = import_file(file, slug, {key: person.name for key, person in show.people.items()}, language, episode)
    with show_lock(root):
        target = root / f"transcripts/{slug}.md"
        if target.exists() and not is_unedited_draft(read_text(target)):
            target = target.with_suffix(".draft.md")
        if target.name.endswith(".draft.md") and target.exists():
            raise CauserieError("exists already", f"transcripts/{target.name}", "compare it with your text, delete it, and try again")
        write_atomic(target, found.text)
    yield f"Wrote transcripts/{target.name}:"
    yield from (f"  {line}" for line in found.report)
    if questions := open_questions(found.text):
        yield f"  {pluralise(len(questions), 'question')} about who speaks: causerie status"
    if write:
        yield from _write_facts(root, slug, found, agrees)


def _write_facts(root: Path, slug: str, found: ImportedText, agrees: Callable[[str], bool]) -> Iterator[str]:
    """Write the facts of a text into the TOML files, when the difference is agreed to."""
    seen = read_tomls(root, slug)
    show_toml, episode_toml = seen.values()
    changes = fact_changes(show_toml, episode_toml, found.header, slug, has_fiction=found.has_fiction)
    proposed = dict(zip(seen, (changes.show, changes.episode), strict=True))
    yield from (terminal_safe(f"  {remark}") for remark in changes.remarks)
    diff = "\n".join(terminal_safe(line) for line in toml_diff(seen, proposed))
    if not diff:
        yield "The facts of the text are in show.toml and episode.toml already."
    elif agrees(diff):
        with show_lock(root):
            write_tomls(root, seen, proposed)
        yield f"Wrote the facts of the text to {' and '.join(path for path in seen if seen[path] != proposed[path])}."
    else:
        yield "The facts of the text were not written."


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
