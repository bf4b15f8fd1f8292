"""The folder target: `public/` holds exactly what a bucket would."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import CauserieError
from pipeline.files import sha256
from pipeline.publish.state import load_manifest, save_manifest
from pipeline.publish.target import nobody
from pipeline.publish.tree import FEED_KEY, PublicFile
from pipeline.publish.upload import RemoteFile

_BLOCK_BYTES = 1 << 20


class FolderTarget:
    """A folder of our own. A folder that holds somebody else's files is refused: nothing there is ever overwritten."""

    def __init__(self, folder: Path, website: str, memory: Path, *, name: str = "") -> None:
        """`website` is the show's address, by which our feed is known; `memory` is the folder for what is remembered."""
        self.name = name or folder.name
        self._folder = folder
        self._manifest = memory / "folder.json"
        self._ours = load_manifest(self._manifest, self.name)
        self._refuse_foreign(website)

    def list(self, keys: Collection[str]) -> dict[str, RemoteFile]:
        """Every visible file; those of `keys` are read unless they are as we last saw them. A folder keeps no headers."""
        files = {path.relative_to(self._folder): path for path in sorted(self._folder.rglob("*")) if path.is_file()}
        found = {key.as_posix(): path for key, path in files.items() if not any(part.startswith(".") for part in key.parts)}
        self._ours = {key: file for key, file in self._ours.items() if key in found}
        self._ours.update({key: self._look(key, found[key]) for key in keys if key in found})
        return {key: self._ours[key] if key in keys else RemoteFile(path.stat().st_size, "") for key, path in found.items()}

    def find(self, key: str) -> RemoteFile | None:
        """One file as it is now."""
        place = self._place(key)
        return self._look(key, place) if place.is_file() else None

    def ready(self) -> None:
        """Nothing: a rename is enough."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock the folder itself: the system frees it when we end."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            self._lock(handle)
            yield
        finally:
            os.close(handle)

    def put(self, file: PublicFile, moved: Callable[[int], None] = nobody) -> None:
        """Copy beside its place, check the copy's digest, rename."""
        place = self._place(file.key)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
            try:
                with os.fdopen(handle, "wb") as copy:
                    digest = _copied(file.source, copy, moved)
                if digest != file.sha256:
                    raise CauserieError("changed while it was being published", str(file.source), "build again, then publish")
                os.chmod(name, 0o644)  # mkstemp makes it private; a web server must read it
                os.replace(name, place)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise CauserieError(f"could not be written ({error.strerror})", str(place), "make room or allow writing there") from error
        self._ours[file.key] = RemoteFile(file.bytes, file.sha256, None, _version(place))

    def put_headers(self, file: PublicFile) -> None:
        """Nothing: whoever serves the folder says the headers."""

    def put_feed(self, file: PublicFile, expected: RemoteFile | None) -> str:
        """Replace the feed if it is still the one that was there at the start."""
        place = self._place(file.key)
        there = self.find(file.key)
        if (there.sha256 if there else "") not in {expected.sha256 if expected else "", file.sha256}:
            raise CauserieError("was published by somebody else meanwhile", str(place), "publish again")
        self.put(file)
        return ""

    def read(self, key: str) -> bytes:
        """The content of one file."""
        try:
            return self._place(key).read_bytes()
        except FileNotFoundError as error:
            raise CauserieError("is not there", str(self._place(key)), "publish again") from error

    def delete(self, keys: Collection[str], ours: Collection[str] = ()) -> tuple[str, ...]:
        """Delete those of `keys` that we put there, and the folders this empties."""
        gone = tuple(key for key in keys if key in self._ours or key in ours)
        for key in gone:
            place = self._place(key)
            try:
                place.unlink(missing_ok=True)
            except OSError as error:
                raise CauserieError(f"could not be deleted ({error.strerror})", str(place), "allow writing there") from error
            self._ours.pop(key, None)
            with suppress(OSError):  # the first that is not empty
                for above in place.relative_to(self._folder).parents[:-1]:
                    (self._folder / above).rmdir()
        return gone

    def close(self) -> None:
        """Remember what we put there."""
        save_manifest(self._manifest, self.name, self._ours)

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            said = "somebody else is publishing at this moment, pages and feed were left as they are"
            raise CauserieError(said, str(self._folder), "fetch their work, build, and publish again") from error
        except OSError:
            return  # a network folder that knows no locks: what is there is compared once more before the feed is written

    def _look(self, key: str, path: Path) -> RemoteFile:
        """A file as it lies there, read only when it is not as we last saw it."""
        version, known = _version(path), self._ours.get(key)
        return known if known is not None and known.tag == version else RemoteFile(path.stat().st_size, sha256(path), None, version)

    def _place(self, key: str) -> Path:
        """Where a key lies; never outside the folder, whatever is linked there."""
        place = self._folder / key
        if not place.parent.resolve().is_relative_to(self._folder.resolve()):
            raise CauserieError("leads out of the folder to publish into", str(place), "remove the link")
        return place

    def _refuse_foreign(self, website: str) -> None:
        """Ours is an empty folder, one we remember, or one of whose feeds carries the show's address."""
        if self._folder.exists() and not self._folder.is_dir():
            raise CauserieError("is a file, not a folder", str(self._folder), "choose another publish.folder in show.toml")
        if self._ours or not self._folder.exists() or not any(self._folder.iterdir()):
            return
        feeds = (self._folder / FEED_KEY, *self._folder.glob("feeds/*/feed.xml"))  # a private show's has a folder nobody guesses
        if not website or not any(feed.is_file() and website.encode("utf-8") in feed.read_bytes() for feed in feeds):
            raise CauserieError(
                "holds files that Causerie did not put there", str(self._folder), "empty it, or choose another publish.folder in show.toml"
            )


def _version(path: Path) -> str:
    """What changes whenever a file does: bytes, and in ns when content and file last changed, of which nobody can set the second."""
    stat = path.stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}-{stat.st_ctime_ns}"


def _copied(source: Path, copy: BinaryIO, moved: Callable[[int], None]) -> str:
    """Copy a file's content into an open stream; its SHA-256."""
    digest = hashlib.sha256()
    with source.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
            copy.write(block)
            moved(len(block))
    return digest.hexdigest()
