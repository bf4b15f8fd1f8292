"""`import-feed`: an existing show becomes a workspace. What is made lies in `.importing/` until all of it is there.

A run that is killed leaves a folder without a `show.toml`, and the next one begins again, or ends what was nearly done. The sounds come
after that, one by one; `feeds/imported.json` says where each is, so that they can be fetched, or gone on with, later.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeGuard

from pipeline.errors import CauserieError
from pipeline.feed import media
from pipeline.feed.fetching import Limits, fetched, shown
from pipeline.feed.importing import Imported, imported
from pipeline.feed.reading import MOST_BYTES
from pipeline.feed.telling import Run
from pipeline.feed.workspace import Manifest, MediaRow, are_sounds
from pipeline.fields import WEBSITE
from pipeline.files import read_json
from pipeline.staging import DONE, stage

_STAGED = ".importing"


def bring(root: Path, source: str, run: Run) -> bool:
    """Make a workspace of the feed at `source`, an address or a file, in `root`, empty or new; with `run.media`, fetch the sounds too.

    True when nothing failed. Where an import of the same source is already, only sounds that are missing are fetched. Raises
    `CauserieError` when there is no feed to read, or when the folder holds anything else; then nothing is written.
    """
    if run.website and not re.fullmatch(WEBSITE, run.website):
        raise CauserieError("cannot be where a show is published", shown(run.website), "write it like https://podcast.example.org/my-show/")
    run.website = f"{run.website.rstrip('/')}/" if run.website else ""
    earlier = _earlier(root, source)
    if earlier is None:
        _must_be_empty(root)
        if run.dry_run:
            return _foresee(source, run)
        with _only_import(root) as staged:
            if not (staged / DONE).exists():
                found, data = _read(source, run)
                stage(staged, found, data, source, run)
            _same_source(staged, root, source)
            _install(staged, root)
        made: Manifest = read_json(root / "feeds/imported.json")
        earlier = made
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


def _read(source: str, run: Run) -> tuple[Imported, bytes]:
    """The show at `source`, and the feed's own bytes."""
    data, at = _source(source, run)
    return imported(data, shown(source), source if at else "", run.website, at), data


def _source(source: str, run: Run) -> tuple[bytes, str]:
    """The feed's bytes, and its address after all redirects; empty for a file."""
    if "://" in source:
        if run.offline:
            raise CauserieError("is an address, and nothing is to be fetched", shown(source), "give a file, or leave --offline out")
        run.tell("the feed")
        found = fetched(source, Limits(MOST_BYTES, allow_private=run.allow_private))
        return found.data, found.url
    try:
        with Path(source).open("rb") as stream:
            return stream.read(MOST_BYTES + 1), ""
    except OSError as error:
        hint = "give an address that begins with https://, or a file that exists"
        raise CauserieError(f"cannot be read ({error.strerror})", source, hint) from error


def _foresee(source: str, run: Run) -> bool:
    """What an import would tell before it fetches anything but the feed."""
    found, _ = _read(source, run)
    for note in found.notes:
        run.say(f"{note.where}: {note.text}")
    run.say(f"would make {len(found.items)} episodes: {', '.join(item.info.slug for item in found.items)}", always=True)
    return True


def _same_source(staged: Path, root: Path, source: str) -> None:
    """What a run that was killed had prepared is put in place only for the feed it was made of."""
    path = next(path for path in (staged / "feeds/imported.json", root / "feeds/imported.json") if path.exists())
    if (other := read_json(path)["source"]) != source:
        raise CauserieError(f"an import of {shown(other)} was not finished here", str(root), "finish it, or delete the folder")


def _earlier(root: Path, source: str) -> Manifest | None:
    """What an import from the same place left here."""
    path = root / "feeds/imported.json"
    if not (root / "show.toml").exists() or not path.exists():
        return None
    value = read_json(path)
    if not _is_of(value, source):
        return None
    if not are_sounds(value.get("media")):  # the file may come from a stranger, like the feed
        raise CauserieError("is not as an import writes it", str(path), "restore it from version control")
    return value


def _is_of(value: object, source: str) -> TypeGuard[Manifest]:
    """Whether a `feeds/imported.json` is of that source; its `media` are yet to be checked."""
    return isinstance(value, dict) and value.get("source") == source


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
        if not (staged / DONE).exists():
            for path in staged.iterdir():
                if path.name != ".lock":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        try:
            yield staged
        except BaseException:
            if not (staged / DONE).exists():
                shutil.rmtree(staged, ignore_errors=True)
                if is_new:
                    root.rmdir()
            raise


def _install(staged: Path, root: Path) -> None:
    """Put all of it in place; `show.toml` last, without which no command works here."""
    entries = [path for path in sorted(staged.iterdir()) if path.name not in (".lock", DONE, "show.toml")]
    for path in entries:
        os.rename(path, root / path.name)
    if (staged / "show.toml").exists():
        os.rename(staged / "show.toml", root / "show.toml")
    shutil.rmtree(staged)


def _fetch_media(root: Path, rows: list[MediaRow], run: Run) -> bool:
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


def _fetch_sound(root: Path, row: MediaRow, place: str, limits: Limits, run: Run) -> bool:
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


def _report(root: Path, run: Run, earlier: Manifest) -> None:
    """What could not be kept, or needs a person, line by line: the show first, then its episodes from the oldest."""
    for note in run.notes:
        run.say(f"{note.where}: {note.text}")
    missing = [row for row in earlier["media"] if not (root / row["file"]).exists()]
    if missing:
        run.say(f"{len(missing)} sounds are where they were: causerie import-feed --media fetches them here before a build.")
    run.say(f"Next: causerie check --show {root}")
