"""Writes an imported show, except its audio, to a staging folder: TOML, ledger, cover, chapters and transcripts."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from pipeline.engine import write_atomic, write_json
from pipeline.feed import save_ledger
from pipeline.feed.imports.captions import best_transcript, captions_to_transcript, transcript_extension
from pipeline.feed.imports.converter import ImportedShow, ImportNote
from pipeline.feed.imports.field_parsers import parse_json_chapters
from pipeline.feed.imports.item import ImportedItem
from pipeline.feed.imports.session import ImportSession
from pipeline.feed.imports.toml_writer import format_episode_toml, format_show_toml, import_manifest, initial_ledger
from pipeline.model import CauserieError, Chapter, Problems, check_cover, image_size
from pipeline.templates import folder as templates_folder
from pipeline.transcript.freeform import convert_file, decode_text

IMAGE_BYTES, TEXT_BYTES = 20_000_000, 20_000_000
MAX_PARALLEL = 4
DONE_MARKER = "done"  # created when everything is written


def stage_show(staging_folder: Path, imported_show: ImportedShow, data: bytes, source: str, session: ImportSession) -> None:
    """Write the imported show, except its audio, to the staging folder; `data` is its feed."""
    session.notes += imported_show.notes
    write_atomic(staging_folder / "feeds/imported.xml", data)
    cover = _save_cover(staging_folder, imported_show, session)
    shutil.copyfile(templates_folder("init") / "gitignore", staging_folder / ".gitignore")
    for folder in ("transcripts", "guides"):
        (staging_folder / folder).mkdir()
    names = {person.key: person.name for person in imported_show.people}
    _stage_items(imported_show.items, lambda item, mine: _stage_item(staging_folder, item, imported_show, names, mine), session)
    write_atomic(staging_folder / "show.toml", format_show_toml(imported_show, cover))
    save_ledger(staging_folder / "feeds/ledger.json", initial_ledger(imported_show))
    notes = [{"where": note.where, "text": note.text} for note in session.notes]
    write_json(
        staging_folder / "feeds/imported.json", {**import_manifest(imported_show, source, hashlib.sha256(data).hexdigest()), "notes": notes}
    )
    (staging_folder / DONE_MARKER).touch()


def _stage_items(items: tuple[ImportedItem, ...], stage_one: Callable[[ImportedItem, ImportSession], None], session: ImportSession) -> None:
    """Stage every item, `MAX_PARALLEL` at once, since most of the time is network waiting; notes keep the order of the items."""

    def stage_with_notes(item: ImportedItem) -> list[ImportNote]:
        own_session = replace(session, notes=[])  # failures are shared
        stage_one(item, own_session)
        return own_session.notes

    pool = ThreadPoolExecutor(MAX_PARALLEL)
    try:
        for number, notes in enumerate(pool.map(stage_with_notes, items), 1):
            session.notes += notes
            session.on_status(f"{number} of {len(items)} episodes")
    finally:
        pool.shutdown(cancel_futures=True)


def _stage_item(
    staging_folder: Path, item: ImportedItem, imported_show: ImportedShow, names: dict[str, str], session: ImportSession
) -> None:
    slug = item.info.slug
    chapters = item.chapters or (_fetch_chapters(item, session) if item.chapters_url else ())
    if item.transcripts:
        _save_transcript(staging_folder, item, names, imported_show.info.language, session)
    folder = staging_folder / "episodes" / slug
    folder.mkdir(parents=True)
    cover = ""
    if item.image and item.image != imported_show.image:
        if session.media:
            cover = _save_image(folder, item.image, slug, "cover", session)
        else:
            session.add_note(slug, f"cover: not downloaded from {item.image}: import with --media to get it")
    text = format_episode_toml(item, imported_show.info.explicit, chapters, cover)
    (folder / "episode.toml").write_text(text, encoding="utf-8", newline="\n")  # not synced one by one: `DONE_MARKER` comes last


def _save_cover(staging_folder: Path, imported_show: ImportedShow, session: ImportSession) -> str:
    """The name of the show's cover, or of a placeholder."""
    name = _save_image(staging_folder, imported_show.image, "show", "cover", session) if imported_show.image else ""
    if not name:
        if not imported_show.image:
            session.add_note("show", "the feed has no cover")
        session.add_note("show", "cover.png is a placeholder: replace it, square, 1400 to 3000 pixels a side")
        shutil.copyfile(templates_folder("init") / "cover.png", staging_folder / "cover.png")
        return "cover.png"
    try:
        check_cover(staging_folder / name, name)
    except CauserieError as error:
        session.add_note("show", str(error))
    return name


def _save_image(folder: Path, url: str, where: str, label: str, session: ImportSession) -> str:
    """Download a JPEG or PNG into `folder`; its name, or empty, with a note, when that fails."""
    body = session.fetch(url, IMAGE_BYTES, where, label)
    if body is None:
        return ""
    try:
        extension = image_size(body[0], label)[0]
    except CauserieError as error:
        session.add_note(where, f"{error} ({url})")
        return ""
    (folder / f"cover{extension}").write_bytes(body[0])
    return f"cover{extension}"


def _fetch_chapters(item: ImportedItem, session: ImportSession) -> tuple[Chapter, ...]:
    body = session.fetch(item.chapters_url, TEXT_BYTES, item.info.slug, "chapters")
    if body is None:
        return ()
    try:
        chapters, notes = parse_json_chapters(json.loads(body[0]), item.chapters_url)
    except (ValueError, RecursionError):
        chapters, notes = (), ("the chapters file is not JSON: left out",)
    for note in notes:
        session.add_note(item.info.slug, note)
    return chapters


def _save_transcript(staging_folder: Path, item: ImportedItem, names: dict[str, str], language: str, session: ImportSession) -> None:
    """Download the best transcript and keep it unchanged; VTT, SRT and plain text also become an editable transcript."""
    slug, best = item.info.slug, best_transcript(item.transcripts, language)
    extension = transcript_extension(best)
    body = session.fetch(best.url, TEXT_BYTES, slug, f"transcript ({extension[1:]})")
    if body is None:
        return
    path = staging_folder / f"transcripts/{slug}.imported{extension}"
    write_atomic(path, body[0])
    if extension not in (".vtt", ".srt", ".txt"):
        session.add_note(
            slug, f"transcript kept as transcripts/{path.name}: only VTT, SRT and plain text can be converted to an editable transcript"
        )
        return
    try:
        text = convert_file(path, slug, names, language)[0] if extension == ".txt" else captions_to_transcript(decode_text(body[0]), names)
    except Problems as problems:
        session.add_note(slug, f"transcript kept as transcripts/{path.name}, but not converted: {problems.problems[0]}")
    except CauserieError as error:
        session.add_note(slug, f"transcript kept as transcripts/{path.name}, but not converted: {error}")
    else:
        write_atomic(staging_folder / f"transcripts/{slug}.md", text)
        session.add_note(slug, f"transcripts/{slug}.md was converted from {extension[1:].upper()}: review it; the times are computed again")
