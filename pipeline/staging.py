"""Writes an imported show, except its audio, to a staging folder: TOML, ledger, cover, chapters and transcripts."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from pipeline.errors import CauserieError, Problems
from pipeline.feed import ledger
from pipeline.feed.captions import best_transcript, captions_text, form_of
from pipeline.feed.imported_item import Item
from pipeline.feed.importing import Imported, Note
from pipeline.feed.telling import Run
from pipeline.feed.terms import json_chapters
from pipeline.feed.workspace import episode_toml, ledger_of, manifest, show_toml
from pipeline.files import write_json, write_whole
from pipeline.model import Chapter
from pipeline.pictures import image_size
from pipeline.release import check_cover
from pipeline.transcript.importer import decoded, import_text

IMAGE_BYTES, TEXT_BYTES = 20_000_000, 20_000_000
AT_ONCE = 4
DONE = "done"  # created when everything is written
_TEMPLATES = Path(__file__).parent / "templates" / "init"


def stage(staged: Path, found: Imported, data: bytes, source: str, run: Run) -> None:
    """Write the imported show, except its audio, to the staging folder; `data` is its feed."""
    run.notes += found.notes
    write_whole(staged / "feeds/imported.xml", data)
    cover = _cover(staged, found, run)
    shutil.copyfile(_TEMPLATES / "gitignore", staged / ".gitignore")
    for folder in ("transcripts", "guides"):
        (staged / folder).mkdir()
    names = {person.key: person.name for person in found.people}
    _each(found.items, lambda item, mine: _stage_item(staged, item, found, names, mine), run)
    write_whole(staged / "show.toml", show_toml(found, cover))
    ledger.save(staged / "feeds/ledger.json", ledger_of(found))
    notes = [{"where": note.where, "text": note.text} for note in run.notes]
    write_json(staged / "feeds/imported.json", {**manifest(found, source, hashlib.sha256(data).hexdigest()), "notes": notes})
    (staged / DONE).touch()


def _each(items: tuple[Item, ...], stage: Callable[[Item, Run], None], run: Run) -> None:
    """Stage every item, `MAX_PARALLEL` at once, since most of the time is network waiting; notes keep the order of the items."""

    def one(item: Item) -> list[Note]:
        mine = replace(run, notes=[])  # failures are shared
        stage(item, mine)
        return mine.notes

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for number, notes in enumerate(pool.map(one, items), 1):
            run.notes += notes
            run.tell(f"{number} of {len(items)} episodes")
    finally:
        pool.shutdown(cancel_futures=True)


def _stage_item(staged: Path, item: Item, found: Imported, names: dict[str, str], run: Run) -> None:
    slug = item.info.slug
    chapters = item.chapters or (_chapters(item, run) if item.chapters_url else ())
    if item.transcripts:
        _transcript(staged, item, names, found.info.language, run)
    folder = staged / "episodes" / slug
    folder.mkdir(parents=True)
    cover = ""
    if item.image and item.image != found.image:
        if run.media:
            cover = _picture(folder, item.image, slug, "cover", run)
        else:
            run.note(slug, f"cover: not downloaded from {item.image}: import with --media to get it")
    text = episode_toml(item, found.info.explicit, chapters, cover)
    (folder / "episode.toml").write_text(text, encoding="utf-8", newline="\n")  # not synced one by one: `DONE_MARKER` comes last


def _cover(staged: Path, found: Imported, run: Run) -> str:
    """The name of the show's cover, or of a placeholder."""
    name = _picture(staged, found.image, "show", "cover", run) if found.image else ""
    if not name:
        if not found.image:
            run.note("show", "the feed has no cover")
        run.note("show", "cover.png is a placeholder: replace it, square, 1400 to 3000 pixels a side")
        shutil.copyfile(_TEMPLATES / "cover.png", staged / "cover.png")
        return "cover.png"
    try:
        check_cover(staged / name, name)
    except CauserieError as error:
        run.note("show", str(error))
    return name


def _picture(folder: Path, url: str, where: str, what: str, run: Run) -> str:
    """Download a JPEG or PNG into `folder`; its name, or empty, with a note, when that fails."""
    got = run.get(url, IMAGE_BYTES, where, what)
    if got is None:
        return ""
    try:
        extension = image_size(got[0], what)[0]
    except CauserieError as error:
        run.note(where, f"{error} ({url})")
        return ""
    (folder / f"cover{extension}").write_bytes(got[0])
    return f"cover{extension}"


def _chapters(item: Item, run: Run) -> tuple[Chapter, ...]:
    got = run.get(item.chapters_url, TEXT_BYTES, item.info.slug, "chapters")
    if got is None:
        return ()
    try:
        chapters, notes = json_chapters(json.loads(got[0]), item.chapters_url)
    except (ValueError, RecursionError):
        chapters, notes = (), ("the chapters file is not JSON: left out",)
    for note in notes:
        run.note(item.info.slug, note)
    return chapters


def _transcript(staged: Path, item: Item, names: dict[str, str], language: str, run: Run) -> None:
    """Download the best transcript and keep it unchanged; VTT, SRT and plain text also become an editable transcript."""
    slug, best = item.info.slug, best_transcript(item.transcripts, language)
    form = form_of(best)
    got = run.get(best.url, TEXT_BYTES, slug, f"transcript ({form[1:]})")
    if got is None:
        return
    path = staged / f"transcripts/{slug}.imported{form}"
    write_whole(path, got[0])
    if form not in (".vtt", ".srt", ".txt"):
        run.note(
            slug, f"transcript kept as transcripts/{path.name}: only VTT, SRT and plain text can be converted to an editable transcript"
        )
        return
    try:
        text = import_text(path, slug, names, language)[0] if form == ".txt" else captions_text(decoded(got[0]), names)
    except Problems as several:
        run.note(slug, f"transcript kept as transcripts/{path.name}, but not converted: {several.problems[0]}")
    except CauserieError as error:
        run.note(slug, f"transcript kept as transcripts/{path.name}, but not converted: {error}")
    else:
        write_whole(staged / f"transcripts/{slug}.md", text)
        run.note(slug, f"transcripts/{slug}.md was converted from {form[1:].upper()}: review it; the times are computed again")
