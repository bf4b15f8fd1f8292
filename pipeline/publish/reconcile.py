"""Keep the ledger and the publication history consistent with the feed that is published."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pipeline.feed import PublicationRecord, load_ledger, read_publication, record_publication, save_ledger
from pipeline.model import CauserieError
from pipeline.publish import history
from pipeline.publish.public_tree import FEEDS, PublicFile
from pipeline.publish.target import Target

LEDGER = "feeds/ledger.json"


def recover_interrupted(root: Path, target: Target) -> None:
    """Finish or undo the records of publications that stopped between `history.begin` and `history.commit`.

    When the target has all their feeds they are recorded in the ledger and committed, else they are aborted.
    """
    folder = root / history.PUBLICATIONS
    for tree in history.load_trees(folder, target.name):
        if tree.committed or tree.feed is None:
            continue
        if all(_is_published(target, feed) for feed in tree.files if feed.rank >= FEEDS):
            record_in_ledger(root / LEDGER, read_publication(target.read(tree.feed_key), at=tree.at, target=target.name))
            history.commit(folder, tree)
        else:
            history.abort(folder, tree)


def items_in_feed(path: Path, at: datetime, target: str) -> PublicationRecord:
    """Read from a feed file what subscribers get from it. Raises `CauserieError` when it cannot be read."""
    from xml.etree.ElementTree import ParseError

    try:
        return read_publication(path.read_bytes(), at=at, target=target)
    except (ParseError, KeyError, ValueError, OSError) as error:
        raise CauserieError("is not a readable feed", str(path), "delete it and build again") from error


def items_at_target(target: Target, key: str, at: datetime) -> PublicationRecord | None:
    """Read from the feed at a target what subscribers get from it; None when it is not a podcast feed."""
    from xml.etree.ElementTree import ParseError

    content = target.read(key)
    try:
        return read_publication(content, at=at, target=target.name)
    except (ParseError, KeyError, ValueError, CauserieError):
        return None


def record_in_ledger(path: Path, record: PublicationRecord) -> None:
    """Write in the ledger what subscribers got, unless it is there already."""
    ledger = load_ledger(path)  # read again: an episode may have got its GUID during the upload
    updated = record_publication(ledger, record)
    if updated != ledger:
        save_ledger(path, updated)


def _is_published(target: Target, file: PublicFile) -> bool:
    current = target.stat(file.key)
    return current is not None and current.sha256 == file.sha256
