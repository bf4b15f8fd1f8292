"""What keeps a publication from taking away what others published, in the weeks between two. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import CauserieError
from pipeline.feed.ledger import Ledger, Publication
from pipeline.publish.given import LEDGER
from pipeline.publish.history import Tree
from pipeline.publish.tree import FEED_KEY
from pipeline.publish.upload import RemoteFile, UploadPlan
from pipeline.text import printable


def refuse_unknown_feed(
    ledger: Ledger,
    target: str,
    there: RemoteFile | None,
    plan: UploadPlan,
    key: str = FEED_KEY,
    kept: Iterable[Tree] = (),
) -> None:
    """Refuse to replace a feed that this copy of the show never gave: somebody has published from another. Pure.

    The condition on the feed itself only guards the minutes of one upload; this guards the weeks between two.
    """
    given = {publication.feed_sha256 for publication in ledger.publications if publication.target == target}
    given |= {tree.feed.sha256 for tree in kept if tree.feed}
    if there is not None and given and key in plan.replaced and there.sha256 not in given:
        raise CauserieError(
            "the feed there was published from another copy of this show",
            f"{target}/{key}",
            f"fetch {LEDGER} and the episodes from whoever published, then build and publish; or publish with --take-over",
        )


def refuse_taking_away(there: Publication | None, given: Publication, where: str) -> None:
    """Refuse to write over a feed that nobody here knows of when its subscribers would lose something by it. Pure.

    It is another show's, whose place this is, or was published from a copy of this one that kept its ledger to itself. `there` is None
    when it cannot be read.
    """
    kept = {episode.guid for episode in given.episodes}
    lost = [] if there is None else [episode.title for episode in there.episodes if episode.guid not in kept]
    other = there is None or bool(there.podcast and given.podcast and there.podcast != given.podcast)
    if lost or other:
        what = f"holds {lost[0]}{f' and {len(lost) - 1} more episodes' if len(lost) > 1 else ''}, which" if lost else "is one that"
        hint = f"publish under another prefix; or fetch {LEDGER} from whoever published; or replace it with --take-over"
        raise CauserieError(f"the feed there {printable(what)} this show does not know", where, hint)
