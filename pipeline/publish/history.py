"""The history of publications, in `feeds/publications/` next to the ledger: what `causerie rollback` needs.

`NNNN.json` and `NNNN.html` are reports and are kept. `trees/NNNN.json` lists the files of one publication, and `files/` holds copies, named
by digest, of files without a digest in their name (feeds, pages, guides): both for the last `keep` publications only. Media are not copied:
they stay at the target, under names that include their digest.

A tree is written before the feed and committed after it, so that a publication killed between the two is recognised.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any  # of JSON values

from pipeline.engine import read_json, write_atomic
from pipeline.model import CauserieError
from pipeline.publish.http_headers import IMMUTABLE
from pipeline.publish.public_tree import PublicFile

PUBLICATIONS = "feeds/publications"


@dataclass(frozen=True)
class PublishedTree:
    """The files of one publication. `back_to` is the publication that a rollback restored, 0 when it was not a rollback."""

    number: int
    at: datetime
    target: str
    feed_key: str
    files: tuple[PublicFile, ...]
    back_to: int = 0
    committed: bool = False

    @property
    def feed(self) -> PublicFile | None:
        """The main feed; None when it has none."""
        return next((file for file in self.files if file.key == self.feed_key), None)


def load_trees(folder: Path, target: str) -> tuple[PublishedTree, ...]:
    """Load the publications to `target` that `folder` keeps, oldest first. Raises `CauserieError` when one is damaged."""
    found = (_read_tree(folder, path) for path in sorted((folder / "trees").glob("[0-9]*.json")))
    return tuple(sorted((tree for tree in found if tree.target == target), key=lambda tree: tree.number))


def next_number(folder: Path) -> int:
    """Return the number of the next publication; all targets share one sequence."""
    known = [int(path.stem) for path in (*folder.glob("[0-9]*.json"), *(folder / "trees").glob("[0-9]*.json")) if path.stem.isdigit()]
    return max(known, default=0) + 1


def sent_keys(folder: Path, target: str) -> frozenset[str]:
    """Return every key that a publication to `target` has sent, from the reports; unreadable reports are skipped."""
    keys: set[str] = set()
    for path in folder.glob("[0-9]*.json"):
        with suppress(CauserieError, KeyError, TypeError):
            value = read_json(path)
            keys |= {row["key"] for row in value["sent"]} if value["target"] == target else set()
    return frozenset(keys)


def begin(folder: Path, tree: PublishedTree) -> None:
    """Record a publication before its feed is written: copies of its mutable files, then the list of files."""
    for file in tree.files:
        copy_path = folder / "files" / file.sha256
        if is_mutable(file) and file.source != copy_path and not copy_path.exists():
            copy_path.parent.mkdir(parents=True, exist_ok=True)
            temporary = copy_path.with_name(f".{copy_path.name}")
            shutil.copyfile(file.source, temporary)
            temporary.replace(copy_path)
    _write_tree(folder, tree)


def commit(folder: Path, tree: PublishedTree) -> None:
    """Record that the feed was written."""
    _write_tree(folder, replace(tree, committed=True))


def abort(folder: Path, tree: PublishedTree) -> None:
    """Delete the record of a publication whose feed was not written."""
    _tree_path(folder, tree.number).unlink(missing_ok=True)


def trim(folder: Path, target: str, keep: int) -> None:
    """Delete all but the last `keep` publications to `target`, and the copies that no remaining publication, to any target, needs."""
    for tree in load_trees(folder, target)[:-keep]:
        _tree_path(folder, tree.number).unlink()
    remaining = (_read_tree(folder, path) for path in (folder / "trees").glob("[0-9]*.json"))
    needed = {file.sha256 for tree in remaining for file in tree.files}
    for path in (folder / "files").glob("*"):
        if path.name not in needed:
            path.unlink()


def select_rollback(trees: Iterable[PublishedTree], number: int | None) -> PublishedTree:
    """Choose the publication to restore: the one with that number, or the one before the current one. Pure; raises `CauserieError`."""
    committed = [tree for tree in trees if tree.committed]
    numbers = [tree.number for tree in committed]
    current = (committed[-1].back_to or committed[-1].number) if committed else 0
    wanted = number if number is not None else max((each for each in numbers if each < current), default=0)
    for tree in committed:
        if tree.number == wanted:
            return tree
    hint = "only the current publication is kept" if numbers else "nothing was published from this copy of the show"
    hint = f"publications you can roll back to: {', '.join(map(str, numbers))}" if len(numbers) > 1 else hint
    message = f"publication {number} does not exist" if number is not None else "there is no earlier publication to roll back to"
    raise CauserieError(message, PUBLICATIONS, hint)


def is_mutable(file: PublicFile) -> bool:
    """Whether a file's content can change under its name, which has no digest; a copy of it is kept for rollbacks."""
    return file.cache_control != IMMUTABLE


def _tree_path(folder: Path, number: int) -> Path:
    return folder / f"trees/{number:04}.json"


def _write_tree(folder: Path, tree: PublishedTree) -> None:
    rows = [[file.key, file.bytes, file.sha256, file.content_type, file.cache_control, file.rank] for file in tree.files]
    about = {"number": tree.number, "at": tree.at.isoformat(), "target": tree.target, "feed_key": tree.feed_key}
    value = {"version": 1, **about, "back_to": tree.back_to, "confirmed": tree.committed, "files": rows}
    write_atomic(_tree_path(folder, tree.number), _format_tree(value))


def _format_tree(value: dict[str, Any]) -> str:
    """Format as JSON with one line for each file, so that version control shows which ones changed."""
    import json

    rows = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in value["files"])
    head = json.dumps({key: item for key, item in value.items() if key != "files"}, ensure_ascii=False)
    return f'{head[:-1]}, "files": [\n  {rows}\n]}}\n'


def _read_tree(folder: Path, path: Path) -> PublishedTree:
    """Read one tree. Each file's source is the path of its copy, which may not exist."""
    try:
        value = read_json(path)
        files = tuple(PublicFile(row[0], folder / "files" / _checked_sha256(row[2]), *row[1:]) for row in value["files"])
        at, numbers = datetime.fromisoformat(value["at"]), (int(value["number"]), int(value["back_to"]))
        return PublishedTree(numbers[0], at, value["target"], value["feed_key"], files, numbers[1], value["confirmed"])
    except (CauserieError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        hint = "restore it from version control, or delete it: you then cannot roll back to that publication"
        raise CauserieError("is damaged", str(path), hint) from error


def _checked_sha256(text: str) -> str:
    """Return a hexadecimal SHA-256 unchanged; `ValueError` for anything else, which must not become a path."""
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ValueError(text)
    return text
