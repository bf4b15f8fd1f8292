"""Keep the ledger and the publication history consistent with the feed that is published."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pipeline.errors import CauserieError
from pipeline.feed import ledger as ledgers
from pipeline.publish import history
from pipeline.publish.target import Target
from pipeline.publish.tree import FEEDS, PublicFile

LEDGER = "feeds/ledger.json"


def settle(root: Path, target: Target) -> None:
    """Finish or undo the records of publications that stopped between `history.begin` and `history.commit`.

    When the target has all their feeds they are recorded in the ledger and committed, else they are aborted.
    """
    folder = root / history.PUBLICATIONS
    for tree in history.trees(folder, target.name):
        if tree.confirmed or tree.feed is None:
            continue
        if all(_is_out(target, feed) for feed in tree.files if feed.rank >= FEEDS):
            record(root / LEDGER, ledgers.publication(target.read(tree.feed_key), at=tree.at, target=target.name))
            history.confirm(folder, tree)
        else:
            history.withdraw(folder, tree)


def given_by(path: Path, at: datetime, target: str) -> ledgers.Publication:
    """Read from a feed file what subscribers get from it. Raises `CauserieError` when it cannot be read."""
    from xml.etree.ElementTree import ParseError

    try:
        return ledgers.publication(path.read_bytes(), at=at, target=target)
    except (ParseError, KeyError, ValueError, OSError) as error:
        raise CauserieError("is not a readable feed", str(path), "delete it and build again") from error


def given_there(target: Target, key: str, at: datetime) -> ledgers.Publication | None:
    """Read from the feed at a target what subscribers get from it; None when it is not a podcast feed."""
    from xml.etree.ElementTree import ParseError

    content = target.read(key)
    try:
        return ledgers.publication(content, at=at, target=target.name)
    except (ParseError, KeyError, ValueError, CauserieError):
        return None


def record(path: Path, given: ledgers.Publication) -> None:
    """Write in the ledger what subscribers got, unless it is there already."""
    before = ledgers.load(path)  # read again: an episode may have got its GUID during the upload
    after = ledgers.record(before, given)
    if after != before:
        ledgers.save(path, after)


def _is_out(target: Target, file: PublicFile) -> bool:
    there = target.find(file.key)
    return there is not None and there.sha256 == file.sha256
