"""`import-feed`: create a workspace from an existing show. Files are prepared in `.importing/` and moved into place when complete.

After an interrupted run the folder has no `show.toml`; the next run starts again, or finishes when everything was prepared. Audio files
are downloaded after that, one by one; `feeds/imported.json` holds their URLs, so that downloads can be resumed later.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeGuard

from pipeline.config import WEBSITE
from pipeline.engine import exclusive_lock, read_json
from pipeline.feed.imports import download
from pipeline.feed.imports.converter import ImportedShow, convert_feed
from pipeline.feed.imports.http import FetchLimits, fetch, redact_url
from pipeline.feed.imports.session import ImportSession
from pipeline.feed.imports.staging import DONE_MARKER, stage_show
from pipeline.feed.imports.toml_writer import Manifest, MediaRow, are_media_rows
from pipeline.feed.imports.xml_reader import MAX_FEED_BYTES
from pipeline.model import CauserieError

_STAGING_FOLDER = ".importing"


def import_show(root: Path, source: str, session: ImportSession) -> bool:
    """Create a workspace in `root`, empty or new, from the feed at `source`, a URL or a file; with `media`, download audio too.

    True when nothing failed. If `root` already holds an import of the same source, only missing audio is downloaded. Raises
    `CauserieError` when there is no readable feed, or when the folder is not empty; then nothing is written.
    """
    if session.website and not re.fullmatch(WEBSITE, session.website):
        raise CauserieError("is not a valid website", redact_url(session.website), "write it like https://podcast.example.org/my-show/")
    session.website = f"{session.website.rstrip('/')}/" if session.website else ""
    previous = _previous_import(root, source)
    if previous is None:
        _check_empty(root)
        if session.dry_run:
            return _preview_import(source, session)
        with _staging_lock(root) as staging_folder:
            if not (staging_folder / DONE_MARKER).exists():
                imported_show, data = _read_show(source, session)
                stage_show(staging_folder, imported_show, data, source, session)
            _check_same_source(staging_folder, root, source)
            _install(staging_folder, root)
        made: Manifest = read_json(root / "feeds/imported.json")
        previous = made
        session.on_message(
            f"Created {root / 'show.toml'} and {len(previous['media'])} episodes, with the GUIDs that subscribers already have."
        )
    elif not session.media:
        raise CauserieError("already holds this import", str(root), "use --media to download its audio, or choose another folder")
    elif session.dry_run:
        missing_slugs = [row["slug"] for row in previous["media"] if not (root / row["file"]).exists()]
        session.on_message(f"would download {len(missing_slugs)} audio files: {', '.join(missing_slugs)}", always=True)
        return True
    shutil.rmtree(root / _STAGING_FOLDER, ignore_errors=True)  # left by a run that was killed at its very end
    succeeded = _fetch_media(root, previous["media"], session) if session.media else True
    _report_notes(root, session, previous)
    return succeeded


def _read_show(source: str, session: ImportSession) -> tuple[ImportedShow, bytes]:
    """The show at `source`, and the bytes of its feed."""
    data, final_url = _read_source(source, session)
    return convert_feed(data, redact_url(source), source if final_url else "", session.website, final_url), data


def _read_source(source: str, session: ImportSession) -> tuple[bytes, str]:
    """The feed's bytes, and its URL after redirects; empty for a file."""
    if "://" in source:
        if session.offline:
            raise CauserieError("is a URL, which --offline does not allow", redact_url(source), "give a file, or remove --offline")
        session.on_status("the feed")
        body = fetch(source, FetchLimits(MAX_FEED_BYTES, allow_private=session.allow_private))
        return body.data, body.url
    try:
        with Path(source).open("rb") as stream:
            return stream.read(MAX_FEED_BYTES + 1), ""
    except OSError as error:
        hint = "give a URL that starts with https://, or an existing file"
        raise CauserieError(f"cannot be read ({error.strerror})", source, hint) from error


def _preview_import(source: str, session: ImportSession) -> bool:
    """Report what an import would create, and its notes; only the feed is downloaded."""
    imported_show, _ = _read_show(source, session)
    for note in imported_show.notes:
        session.on_message(f"{note.where}: {note.text}")
    session.on_message(
        f"would create {len(imported_show.items)} episodes: {', '.join(item.info.slug for item in imported_show.items)}", always=True
    )
    return True


def _check_same_source(staging_folder: Path, root: Path, source: str) -> None:
    """Raise `CauserieError` when an interrupted import of another feed was prepared here."""
    path = next(path for path in (staging_folder / "feeds/imported.json", root / "feeds/imported.json") if path.exists())
    if (other := read_json(path)["source"]) != source:
        raise CauserieError(f"has an unfinished import of {redact_url(other)}", str(root), "finish it, or delete the folder")


def _previous_import(root: Path, source: str) -> Manifest | None:
    """The manifest of an earlier import of the same source; None when there is none."""
    path = root / "feeds/imported.json"
    if not (root / "show.toml").exists() or not path.exists():
        return None
    manifest = read_json(path)
    if not _is_import_of(manifest, source):
        return None
    if not are_media_rows(manifest.get("media")):  # the file is as untrusted as the feed
        raise CauserieError("is not a valid import manifest", str(path), "restore it from version control")
    return manifest


def _is_import_of(value: object, source: str) -> TypeGuard[Manifest]:
    """Whether a manifest is of that source; its `media` are not checked yet."""
    return isinstance(value, dict) and value.get("source") == source


def _check_empty(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise CauserieError("is not a folder", str(root), "choose another name with --show; nothing was written")
    has_staging_folder = (root / _STAGING_FOLDER).is_dir()  # by a run that was killed; everything except show.toml may be in place
    if root.exists() and not has_staging_folder and any(root.iterdir()) or (has_staging_folder and (root / "show.toml").exists()):
        raise CauserieError("is not an empty folder", str(root), "choose another one with --show; nothing was written")


@contextmanager
def _staging_lock(root: Path) -> Iterator[Path]:
    """Lock the staging folder; it is emptied first unless complete, and removed when the import fails."""
    staging_folder, is_new = root / _STAGING_FOLDER, not root.exists()
    staging_folder.mkdir(parents=True, exist_ok=True)
    when_held = CauserieError("another import is running in this folder", str(root), "wait until it has finished")
    with exclusive_lock(staging_folder / ".lock", when_held):
        if not (staging_folder / DONE_MARKER).exists():
            for path in staging_folder.iterdir():
                if path.name != ".lock":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        try:
            yield staging_folder
        except BaseException:
            if not (staging_folder / DONE_MARKER).exists():
                shutil.rmtree(staging_folder, ignore_errors=True)
                if is_new:
                    root.rmdir()
            raise


def _install(staging_folder: Path, root: Path) -> None:
    """Move everything into place, `show.toml` last: without it no command accepts the folder."""
    entries = [path for path in sorted(staging_folder.iterdir()) if path.name not in (".lock", DONE_MARKER, "show.toml")]
    for path in entries:
        os.rename(path, root / path.name)
    if (staging_folder / "show.toml").exists():
        os.rename(staging_folder / "show.toml", root / "show.toml")
    shutil.rmtree(staging_folder)


def _fetch_media(root: Path, rows: list[MediaRow], session: ImportSession) -> bool:
    """Download all missing audio files; a failure does not stop the others. True when nothing failed."""
    succeeded, limits = (
        True,
        FetchLimits(download.MAX_MEDIA_BYTES, idle_timeout_s=30, total_timeout_s=6 * 3600, allow_private=session.allow_private),
    )
    when_held = CauserieError("another import is downloading audio here", str(root), "wait until it has finished")
    with exclusive_lock(root / "feeds/imported.json", when_held, lock_file=False):
        for number, row in enumerate(rows, 1):
            succeeded = _fetch_audio(root, row, f"{number} of {len(rows)}", limits, session) and succeeded
    return succeeded


def _fetch_audio(root: Path, row: MediaRow, position: str, limits: FetchLimits, session: ImportSession) -> bool:
    """Download one audio file, unless it exists or its episode was deleted. False when it failed."""
    slug, target = row["slug"], root / row["file"]
    if target.exists() or not target.parent.is_dir():
        return True

    def on_progress(done: int, total: int) -> None:
        session.on_status(
            f"{position}: {slug}, {done / 1e6:.1f} of {total / 1e6:.1f} MB" if total else f"{position}: {slug}, {done / 1e6:.1f} MB"
        )

    try:
        size = download.download_file(row["url"], target, limits, on_progress)
    except CauserieError as error:
        session.on_message(f"{slug}: audio: {error}", always=True)
        return False
    if row["bytes"] and row["bytes"] != size:
        session.add_note(slug, f"audio has {size} bytes, the feed declares {row['bytes']}")
    session.on_message(f"{slug}: {size / 1e6:.1f} MB")
    return True


def _report_notes(root: Path, session: ImportSession, previous: Manifest) -> None:
    """Print the notes, one a line: the show first, then its episodes from the oldest."""
    for note in session.notes:
        session.on_message(f"{note.where}: {note.text}")
    missing = [row for row in previous["media"] if not (root / row["file"]).exists()]
    if missing:
        session.on_message(f"{len(missing)} audio files are not downloaded yet: run causerie import-feed --media before a build.")
    session.on_message(f"Next: causerie check --show {root}")
