"""The folder target: `public/` holds the same files as a bucket would."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.engine import exclusive_lock, sha256
from pipeline.model import CauserieError
from pipeline.publish.public_tree import FEED_KEY, PublicFile
from pipeline.publish.target import ignore_progress
from pipeline.publish.upload_plan import RemoteFile
from pipeline.publish.upload_state import load_manifest, save_manifest

_BLOCK_BYTES = 1 << 20


class FolderTarget:
    """A folder that only Causerie writes to. A folder with other files is refused, so that none is overwritten."""

    def __init__(self, folder: Path, website: str, state_folder: Path, *, name: str = "") -> None:
        """`website` is the show's address, which identifies our feed; `state_folder` keeps what is known between publications."""
        self.name = name or folder.name
        self._folder = folder
        self._manifest_path = state_folder / "folder.json"
        self._owned = load_manifest(self._manifest_path, self.name)
        self._refuse_foreign_folder(website)

    def list(self, keys: Collection[str]) -> dict[str, RemoteFile]:
        """Every file that is not hidden, with the digest of those in `keys`: unchanged files are not read again. There are no headers."""
        files = {path.relative_to(self._folder): path for path in sorted(self._folder.rglob("*")) if path.is_file()}
        found = {key.as_posix(): path for key, path in files.items() if not any(part.startswith(".") for part in key.parts)}
        self._owned = {key: file for key, file in self._owned.items() if key in found}
        self._owned.update({key: self._stat_path(key, found[key]) for key in keys if key in found})
        return {key: self._owned[key] if key in keys else RemoteFile(path.stat().st_size, "") for key, path in found.items()}

    def stat(self, key: str) -> RemoteFile | None:
        """One file as it is now; None when there is none."""
        path = self._path_of(key)
        return self._stat_path(key, path) if path.is_file() else None

    def prepare(self) -> None:
        """Do nothing: a rename is atomic."""

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder's lock; a network folder may have none, but the feed is compared once more before it is written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        message = "another publisher is writing to it now, so pages and feed were not changed"
        when_held = CauserieError(message, str(self._folder), "fetch their changes, build, and publish again")
        with exclusive_lock(self._folder, when_held, lock_file=False, required=False):
            yield

    def put(self, file: PublicFile, on_progress: Callable[[int], None] = ignore_progress) -> None:
        """Copy to a temporary file in the same folder, check its digest, rename it."""
        path = self._path_of(file.key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(fd, "wb") as copy:
                    digest = _copy_and_hash(file.source, copy, on_progress)
                if digest != file.sha256:
                    raise CauserieError("changed while it was being published", str(file.source), "build again, then publish")
                os.chmod(temporary, 0o644)  # mkstemp creates it as 0600; a web server must be able to read it
                os.replace(temporary, path)
            finally:
                Path(temporary).unlink(missing_ok=True)
        except OSError as error:
            raise CauserieError(f"could not be written ({error.strerror})", str(path), "free space or allow writing there") from error
        self._owned[file.key] = RemoteFile(file.bytes, file.sha256, None, _version_tag(path))

    def put_headers(self, file: PublicFile) -> None:
        """Do nothing: the web server in front of the folder sets the headers."""

    def put_feed(self, file: PublicFile, expected: RemoteFile | None) -> str:
        """Replace the feed if it is still `expected`; always returns an empty note."""
        path = self._path_of(file.key)
        current = self.stat(file.key)
        if (current.sha256 if current else "") not in {expected.sha256 if expected else "", file.sha256}:
            raise CauserieError("was replaced by another publisher during this publication", str(path), "publish again")
        self.put(file)
        return ""

    def read(self, key: str) -> bytes:
        """The content of one file."""
        try:
            return self._path_of(key).read_bytes()
        except FileNotFoundError as error:
            raise CauserieError("does not exist", str(self._path_of(key)), "publish again") from error

    def delete(self, keys: Collection[str], owned: Collection[str] = ()) -> tuple[str, ...]:
        """Delete those of `keys` that Causerie wrote or that are in `owned`, and the folders left empty; return the deleted keys."""
        deleted = tuple(key for key in keys if key in self._owned or key in owned)
        for key in deleted:
            path = self._path_of(key)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise CauserieError(f"could not be deleted ({error.strerror})", str(path), "allow writing there") from error
            self._owned.pop(key, None)
            with suppress(OSError):  # stops at the first folder that is not empty
                for parent in path.relative_to(self._folder).parents[:-1]:
                    (self._folder / parent).rmdir()
        return deleted

    def close(self) -> None:
        """Save the manifest of what Causerie wrote."""
        save_manifest(self._manifest_path, self.name, self._owned)

    def _stat_path(self, key: str, path: Path) -> RemoteFile:
        """Describe a file; it is read only when its size or times changed since the last time."""
        version, known = _version_tag(path), self._owned.get(key)
        return known if known is not None and known.tag == version else RemoteFile(path.stat().st_size, sha256(path), None, version)

    def _path_of(self, key: str) -> Path:
        """Return the path of a key. Raises `CauserieError` when a link leads outside the folder."""
        path = self._folder / key
        if not path.parent.resolve().is_relative_to(self._folder.resolve()):
            raise CauserieError("leads outside the publishing folder", str(path), "remove the link")
        return path

    def _refuse_foreign_folder(self, website: str) -> None:
        """Accept an empty folder, one that the manifest lists, or one with a feed that contains the show's address; else raise."""
        if self._folder.exists() and not self._folder.is_dir():
            raise CauserieError("is a file, not a folder", str(self._folder), "set another publish.folder in show.toml")
        if self._owned or not self._folder.exists() or not any(self._folder.iterdir()):
            return
        feeds = (self._folder / FEED_KEY, *self._folder.glob("feeds/*/feed.xml"))  # a private show's feed is in an unguessable folder
        if not website or not any(feed.is_file() and website.encode("utf-8") in feed.read_bytes() for feed in feeds):
            raise CauserieError(
                "contains files that Causerie did not write", str(self._folder), "empty it, or set another publish.folder in show.toml"
            )


def _version_tag(path: Path) -> str:
    """Return a string that changes whenever a file does: size in bytes, mtime and ctime in ns (ctime cannot be set by programs)."""
    stat = path.stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}-{stat.st_ctime_ns}"


def _copy_and_hash(source: Path, destination: BinaryIO, on_progress: Callable[[int], None]) -> str:
    """Copy a file into an open stream; return its SHA-256."""
    digest = hashlib.sha256()
    with source.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
            destination.write(block)
            on_progress(len(block))
    return digest.hexdigest()
