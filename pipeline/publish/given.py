"""What a feed gives subscribers, and the ledger and the records in line with what is out."""

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
    """Bring the records in line with what is out, after a publication that was stopped between its promise and its confirmation."""
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
    """What a feed gives subscribers; `CauserieError` when it cannot be read."""
    from xml.etree.ElementTree import ParseError

    try:
        return ledgers.publication(path.read_bytes(), at=at, target=target)
    except (ParseError, KeyError, ValueError, OSError) as error:
        raise CauserieError("is not a readable feed", str(path), "delete it and build again") from error


def given_there(target: Target, key: str, at: datetime) -> ledgers.Publication | None:
    """What the feed at a target gives subscribers; None when it is no feed of episodes."""
    from xml.etree.ElementTree import ParseError

    content = target.read(key)
    try:
        return ledgers.publication(content, at=at, target=target.name)
    except (ParseError, KeyError, ValueError, CauserieError):
        return None


def record(path: Path, given: ledgers.Publication) -> None:
    """Write in the ledger what subscribers have been given, unless it says so already."""
    before = ledgers.load(path)  # again: an episode may have got its GUID while files were on their way
    after = ledgers.record(before, given)
    if after != before:
        ledgers.save(path, after)


def _is_out(target: Target, file: PublicFile) -> bool:
    there = target.find(file.key)
    return there is not None and there.sha256 == file.sha256
