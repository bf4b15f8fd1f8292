"""`import-feed`: an existing show becomes a workspace. What is made lies in `.importing/` until all of it is there.

A run that is killed leaves a folder without a `show.toml`, and the next one begins again, or ends what was nearly done. The sounds come
after that, one by one; `feeds/imported.json` says where each is, so that they can be fetched, or gone on with, later.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.errors import CauserieError, Problems
from pipeline.feed import ledger, media
from pipeline.feed.captions import best_transcript, captions_text, form_of
from pipeline.feed.fetching import Limits, fetched, shown
from pipeline.feed.imported_item import Item
from pipeline.feed.importing import Imported, Note, imported
from pipeline.feed.reading import MOST_BYTES
from pipeline.feed.telling import Run
from pipeline.feed.terms import json_chapters
from pipeline.feed.workspace import are_sounds, episode_toml, ledger_of, manifest, show_toml
from pipeline.files import read_json, write_json, write_whole
from pipeline.model import Chapter
from pipeline.release import check_cover, image_size
from pipeline.transcript.importer import decoded, import_text

IMAGE_BYTES, TEXT_BYTES = 20_000_000, 20_000_000
AT_ONCE = 4
_TEMPLATES = Path(__file__).parent / "templates" / "init"
_STAGED, _DONE = ".importing", "done"


def bring(root: Path, source: str, run: Run) -> bool:
    """Make a workspace of the feed at `source`, an address or a file, in `root`, empty or new; with `run.media`, fetch the sounds too.

    True when nothing failed. Where an import of the same source is already, only sounds that are missing are fetched. Raises
    `CauserieError` when there is no feed to read, or when the folder holds anything else; then nothing is written.
    """
    earlier = _earlier(root, source)
    if earlier is None:
        _must_be_empty(root)
        if run.dry_run:
            return _foresee(source, run)
        with _only_import(root) as staged:
            if not (staged / _DONE).exists():
                _stage(staged, source, run)
            _same_source(staged, root, source)
            _install(staged, root)
        earlier = read_json(root / "feeds/imported.json")
        run.say(f"Made {root / 'show.toml'} and {len(earlier['media'])} episodes, with the identities their subscribers know.")
    elif not run.media:
        raise CauserieError("holds this import already", str(root), "give --media to fetch its sounds, or another folder")
    elif run.dry_run:
        missing = [row["slug"] for row in earlier["media"] if not (root / row["file"]).exists()]
        run.say(f"would fetch {len(missing)} sounds: {', '.join(missing)}", always=True)
        return True
    shutil.rmtree(root / _STAGED, ignore_errors=True)  # of a run that was killed at its very end
    good = _fetch_media(root, earlier["media"], run) if run.media else True
    _report(root, run, earlier)
    return good


def read_source(source: str, run: Run) -> tuple[bytes, str]:
    """The feed's bytes, and its address; empty for a file."""
    if "://" in source:
        if run.offline:
            raise CauserieError("is an address, and nothing is to be fetched", shown(source), "give a file, or leave --offline out")
        run.tell("the feed")
        return fetched(source, Limits(MOST_BYTES, allow_private=run.allow_private))[0], source
    try:
        with Path(source).open("rb") as stream:
            return stream.read(MOST_BYTES + 1), ""
    except OSError as error:
        hint = "give an address that begins with https://, or a file that exists"
        raise CauserieError(f"cannot be read ({error.strerror})", source, hint) from error


def _foresee(source: str, run: Run) -> bool:
    """What an import would tell before it fetches anything but the feed."""
    data, address = read_source(source, run)
    found = imported(data, shown(source), address)
    for note in found.notes:
        run.say(f"{note.where}: {note.text}")
    run.say(f"would make {len(found.items)} episodes: {', '.join(item.info.slug for item in found.items)}", always=True)
    return True


def _same_source(staged: Path, root: Path, source: str) -> None:
    """What a run that was killed had prepared is put in place only for the feed it was made of."""
    path = next(path for path in (staged / "feeds/imported.json", root / "feeds/imported.json") if path.exists())
    if (other := read_json(path)["source"]) != source:
        raise CauserieError(f"an import of {shown(other)} was not finished here", str(root), "finish it, or delete the folder")


def _earlier(root: Path, source: str) -> dict[str, Any] | None:
    """What an import from the same place left here."""
    path = root / "feeds/imported.json"
    if not (root / "show.toml").exists() or not path.exists():
        return None
    value = read_json(path)
    if not isinstance(value, dict) or value.get("source") != source:
        return None
    if not are_sounds(value.get("media")):  # the file may come from a stranger, like the feed
        raise CauserieError("is not as an import writes it", str(path), "restore it from version control")
    return value


def _must_be_empty(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise CauserieError("is not a folder", str(root), "choose a new name with --show; nothing was written")
    begun = (root / _STAGED).is_dir()  # by a run that was killed; all but show.toml may be in place then
    if root.exists() and not begun and any(root.iterdir()) or (begun and (root / "show.toml").exists()):
        raise CauserieError("is not an empty folder", str(root), "choose a new one with --show; nothing was written")


@contextmanager
def _only_import(root: Path) -> Iterator[Path]:
    """Hold the folder where everything is prepared; it is emptied unless all of it is there, and is gone when the import fails."""
    staged, is_new = root / _STAGED, not root.exists()
    staged.mkdir(parents=True, exist_ok=True)
    with (staged / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CauserieError("another import is at work in this folder", str(root), "wait until it has finished") from error
        if not (staged / _DONE).exists():
            for path in staged.iterdir():
                if path.name != ".lock":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        try:
            yield staged
        except BaseException:
            if not (staged / _DONE).exists():
                shutil.rmtree(staged, ignore_errors=True)
                if is_new:
                    root.rmdir()
            raise


def _stage(staged: Path, source: str, run: Run) -> None:
    """Everything but the sounds, in `staged`."""
    data, address = read_source(source, run)
    found = imported(data, shown(source), address)
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
    (staged / _DONE).touch()


def _each(items: tuple[Item, ...], stage: Callable[[Item, Run], None], run: Run) -> None:
    """Every item, some at once, since most of the time is waiting; what is noted is in the items' order all the same."""

    def one(item: Item) -> list[Note]:
        mine = replace(run, notes=[])  # failures are counted together
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
            cover = _picture(folder, item.image, slug, "its cover", run)
        else:
            run.note(slug, f"its cover: left where it is, {item.image}: an import with --media brings it")
    text = episode_toml(item, found.info.explicit, chapters, cover)
    (folder / "episode.toml").write_text(text, encoding="utf-8", newline="\n")  # not synced one by one: `_DONE` comes after all


def _install(staged: Path, root: Path) -> None:
    """Put all of it in place; `show.toml` last, without which no command works here."""
    entries = [path for path in sorted(staged.iterdir()) if path.name not in (".lock", _DONE, "show.toml")]
    for path in entries:
        os.rename(path, root / path.name)
    if (staged / "show.toml").exists():
        os.rename(staged / "show.toml", root / "show.toml")
    shutil.rmtree(staged)


def _cover(staged: Path, found: Imported, run: Run) -> str:
    """The show's cover, or the one to replace."""
    name = _picture(staged, found.image, "show", "the cover", run) if found.image else ""
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
    """A JPEG or PNG beside the TOML that names it; its name, empty and a note when it cannot be had."""
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
    got = run.get(item.chapters_url, TEXT_BYTES, item.info.slug, "its chapters")
    if got is None:
        return ()
    try:
        chapters, notes = json_chapters(json.loads(got[0]), item.chapters_url)
    except (ValueError, RecursionError):
        chapters, notes = (), ("its chapters are not JSON: left out",)
    for note in notes:
        run.note(item.info.slug, note)
    return chapters


def _transcript(staged: Path, item: Item, names: dict[str, str], language: str, run: Run) -> None:
    """The best of its transcripts, kept as it came; VTT, SRT and plain text also become the text that a person corrects."""
    slug, best = item.info.slug, best_transcript(item.transcripts, language)
    form = form_of(best)
    got = run.get(best.url, TEXT_BYTES, slug, f"its transcript ({form[1:]})")
    if got is None:
        return
    path = staged / f"transcripts/{slug}.imported{form}"
    write_whole(path, got[0])
    if form not in (".vtt", ".srt", ".txt"):
        run.note(slug, f"its transcript is kept as transcripts/{path.name}: a text to correct is made from VTT, SRT or plain text only")
        return
    try:
        text = import_text(path, slug, names, language)[0] if form == ".txt" else captions_text(decoded(got[0]), names)
    except Problems as several:
        run.note(slug, f"its transcript is kept as transcripts/{path.name}, and could not be read as a text: {several.problems[0]}")
    except CauserieError as error:
        run.note(slug, f"its transcript is kept as transcripts/{path.name}, and could not be read as a text: {error}")
    else:
        write_whole(staged / f"transcripts/{slug}.md", text)
        run.note(slug, f"transcripts/{slug}.md was made from its {form[1:].upper()}: read it over, Causerie finds the times again")


def _fetch_media(root: Path, rows: list[dict[str, Any]], run: Run) -> bool:
    """Every sound that is not there yet; one that fails does not stop the others."""
    good, limits = True, Limits(media.MOST_BYTES, idle_s=30, whole_s=6 * 3600, allow_private=run.allow_private)
    with (root / "feeds/imported.json").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CauserieError("another import fetches its sounds", str(root), "wait until it has finished") from error
        for number, row in enumerate(rows, 1):
            good = _fetch_sound(root, row, f"{number} of {len(rows)}", limits, run) and good
    return good


def _fetch_sound(root: Path, row: dict[str, Any], place: str, limits: Limits, run: Run) -> bool:
    """One sound, unless it is there, or its episode is not there any more."""
    slug, target = row["slug"], root / row["file"]
    if target.exists() or not target.parent.is_dir():
        return True

    def moved(done: int, of: int) -> None:
        run.tell(f"{place}: {slug}, {done / 1e6:.1f} of {of / 1e6:.1f} MB" if of else f"{place}: {slug}, {done / 1e6:.1f} MB")

    try:
        size = media.download(row["url"], target, limits, moved)
    except CauserieError as error:
        run.say(f"{slug}: its sound: {error}", always=True)
        return False
    if row["bytes"] and row["bytes"] != size:
        run.note(slug, f"its sound has {size} bytes, the feed said {row['bytes']}")
    run.say(f"{slug}: {size / 1e6:.1f} MB")
    return True


def _report(root: Path, run: Run, earlier: dict[str, Any]) -> None:
    """What could not be kept, or needs a person, line by line: the show first, then its episodes from the oldest."""
    for note in run.notes:
        run.say(f"{note.where}: {note.text}")
    missing = [row for row in earlier["media"] if not (root / row["file"]).exists()]
    if missing:
        run.say(f"{len(missing)} sounds are where they were: causerie import-feed --media fetches them here before a build.")
    run.say(f"Next: causerie check --show {root}")
