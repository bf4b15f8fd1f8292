"""Checks that keep a publication from overwriting what was published from another copy of the show. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import CauserieError
from pipeline.feed.ledger import Ledger, Publication
from pipeline.publish.given import LEDGER
from pipeline.publish.history import Tree
from pipeline.publish.upload import RemoteFile, UploadPlan
from pipeline.text import printable


def refuse_unknown_feed(
    ledger: Ledger,
    target: str,
    there: RemoteFile | None,
    plan: UploadPlan,
    key: str,
    kept: Iterable[Tree],
) -> None:
    """Raise `CauserieError` when the feed to replace was never published by this copy of the show. Pure.

    The conditional write of the feed only covers the minutes of one upload; this covers the time between two publications.
    """
    given = {publication.feed_sha256 for publication in ledger.publications if publication.target == target}
    given |= {tree.feed.sha256 for tree in kept if tree.feed}
    if there is not None and given and key in plan.replaced and there.sha256 not in given:
        raise CauserieError(
            "the published feed comes from another copy of this show",
            f"{target}/{key}",
            f"get {LEDGER} and the episodes from the person who published it, then build and publish; or publish with --take-over",
        )


def refuse_taking_away(there: Publication | None, given: Publication, where: str) -> None:
    """Raise `CauserieError` when replacing an unknown feed would take episodes from its subscribers. Pure.

    Such a feed belongs to another show, or was published from a copy of this show whose ledger is missing here. `remote` is None when
    the feed cannot be read.
    """
    kept = {episode.guid for episode in given.episodes}
    lost = [] if there is None else [episode.title for episode in there.episodes if episode.guid not in kept]
    other = there is None or bool(there.podcast and given.podcast and there.podcast != given.podcast)
    if lost or other:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        what = f"contains episodes that are not in this show: {lost[0]}{more}" if lost else "is not this show's"
        hint = f"publish under another prefix; or get {LEDGER} from the person who published it; or replace it with --take-over"
        raise CauserieError(f"the published feed {printable(what)}", where, hint)
