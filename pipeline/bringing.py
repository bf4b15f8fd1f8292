"""`import-feed`: create a workspace from an existing show. Files are prepared in `.importing/` and moved into place when complete.

After an interrupted run the folder has no `show.toml`; the next run starts again, or finishes when everything was prepared. Audio files
are downloaded after that, one by one; `feeds/imported.json` holds their URLs, so that downloads can be resumed later.
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
    """Create a workspace in `root`, empty or new, from the feed at `source`, a URL or a file; with `media`, download audio too.

    True when nothing failed. If `root` already holds an import of the same source, only missing audio is downloaded. Raises
    `CauserieError` when there is no readable feed, or when the folder is not empty; then nothing is written.
    """
    if run.website and not re.fullmatch(WEBSITE, run.website):
        raise CauserieError("is not a valid website", shown(run.website), "write it like https://podcast.example.org/my-show/")
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
        run.say(f"Created {root / 'show.toml'} and {len(earlier['media'])} episodes, with the GUIDs that subscribers already have.")
    elif not run.media:
        raise CauserieError("already holds this import", str(root), "use --media to download its audio, or choose another folder")
    elif run.dry_run:
        missing = [row["slug"] for row in earlier["media"] if not (root / row["file"]).exists()]
        run.say(f"would download {len(missing)} audio files: {', '.join(missing)}", always=True)
        return True
    shutil.rmtree(root / _STAGED, ignore_errors=True)  # left by a run that was killed at its very end
    good = _fetch_media(root, earlier["media"], run) if run.media else True
    _report(root, run, earlier)
    return good


def _read(source: str, run: Run) -> tuple[Imported, bytes]:
    """The show at `source`, and the bytes of its feed."""
    data, at = _source(source, run)
    return imported(data, shown(source), source if at else "", run.website, at), data


def _source(source: str, run: Run) -> tuple[bytes, str]:
    """The feed's bytes, and its URL after redirects; empty for a file."""
    if "://" in source:
        if run.offline:
            raise CauserieError("is a URL, which --offline does not allow", shown(source), "give a file, or remove --offline")
        run.tell("the feed")
        found = fetched(source, Limits(MOST_BYTES, allow_private=run.allow_private))
        return found.data, found.url
    try:
        with Path(source).open("rb") as stream:
            return stream.read(MOST_BYTES + 1), ""
    except OSError as error:
        hint = "give a URL that starts with https://, or an existing file"
        raise CauserieError(f"cannot be read ({error.strerror})", source, hint) from error


def _foresee(source: str, run: Run) -> bool:
    """Report what an import would create, and its notes; only the feed is downloaded."""
    found, _ = _read(source, run)
    for note in found.notes:
        run.say(f"{note.where}: {note.text}")
    run.say(f"would create {len(found.items)} episodes: {', '.join(item.info.slug for item in found.items)}", always=True)
    return True


def _same_source(staged: Path, root: Path, source: str) -> None:
    """Raise `CauserieError` when an interrupted import of another feed was prepared here."""
    path = next(path for path in (staged / "feeds/imported.json", root / "feeds/imported.json") if path.exists())
    if (other := read_json(path)["source"]) != source:
        raise CauserieError(f"has an unfinished import of {shown(other)}", str(root), "finish it, or delete the folder")


def _earlier(root: Path, source: str) -> Manifest | None:
    """The manifest of an earlier import of the same source; None when there is none."""
    path = root / "feeds/imported.json"
    if not (root / "show.toml").exists() or not path.exists():
        return None
    value = read_json(path)
    if not _is_of(value, source):
        return None
    if not are_sounds(value.get("media")):  # the file is as untrusted as the feed
        raise CauserieError("is not a valid import manifest", str(path), "restore it from version control")
    return value


def _is_of(value: object, source: str) -> TypeGuard[Manifest]:
    """Whether a manifest is of that source; its `media` are not checked yet."""
    return isinstance(value, dict) and value.get("source") == source


def _must_be_empty(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise CauserieError("is not a folder", str(root), "choose another name with --show; nothing was written")
    begun = (root / _STAGED).is_dir()  # by a run that was killed; everything except show.toml may be in place
    if root.exists() and not begun and any(root.iterdir()) or (begun and (root / "show.toml").exists()):
        raise CauserieError("is not an empty folder", str(root), "choose another one with --show; nothing was written")


@contextmanager
def _only_import(root: Path) -> Iterator[Path]:
    """Lock the staging folder; it is emptied first unless complete, and removed when the import fails."""
    staged, is_new = root / _STAGED, not root.exists()
    staged.mkdir(parents=True, exist_ok=True)
    with (staged / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CauserieError("another import is running in this folder", str(root), "wait until it has finished") from error
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
    """Move everything into place, `show.toml` last: without it no command accepts the folder."""
    entries = [path for path in sorted(staged.iterdir()) if path.name not in (".lock", DONE, "show.toml")]
    for path in entries:
        os.rename(path, root / path.name)
    if (staged / "show.toml").exists():
        os.rename(staged / "show.toml", root / "show.toml")
    shutil.rmtree(staged)


def _fetch_media(root: Path, rows: list[MediaRow], run: Run) -> bool:
    """Download all missing audio files; a failure does not stop the others. True when nothing failed."""
    good, limits = True, Limits(media.MOST_BYTES, idle_s=30, whole_s=6 * 3600, allow_private=run.allow_private)
    with (root / "feeds/imported.json").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CauserieError("another import is downloading audio here", str(root), "wait until it has finished") from error
        for number, row in enumerate(rows, 1):
            good = _fetch_sound(root, row, f"{number} of {len(rows)}", limits, run) and good
    return good


def _fetch_sound(root: Path, row: MediaRow, place: str, limits: Limits, run: Run) -> bool:
    """Download one audio file, unless it exists or its episode was deleted. False when it failed."""
    slug, target = row["slug"], root / row["file"]
    if target.exists() or not target.parent.is_dir():
        return True

    def moved(done: int, of: int) -> None:
        run.tell(f"{place}: {slug}, {done / 1e6:.1f} of {of / 1e6:.1f} MB" if of else f"{place}: {slug}, {done / 1e6:.1f} MB")

    try:
        size = media.download(row["url"], target, limits, moved)
    except CauserieError as error:
        run.say(f"{slug}: audio: {error}", always=True)
        return False
    if row["bytes"] and row["bytes"] != size:
        run.note(slug, f"audio has {size} bytes, the feed declares {row['bytes']}")
    run.say(f"{slug}: {size / 1e6:.1f} MB")
    return True


def _report(root: Path, run: Run, earlier: Manifest) -> None:
    """Print the notes, one a line: the show first, then its episodes from the oldest."""
    for note in run.notes:
        run.say(f"{note.where}: {note.text}")
    missing = [row for row in earlier["media"] if not (root / row["file"]).exists()]
    if missing:
        run.say(f"{len(missing)} audio files are not downloaded yet: run causerie import-feed --media before a build.")
    run.say(f"Next: causerie check --show {root}")
