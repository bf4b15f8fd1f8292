"""Checks that keep a publication from overwriting what was published from another copy of the show. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.feed import Ledger, PublicationRecord
from pipeline.model import CauserieError, TextReview, pluralise, terminal_safe
from pipeline.publish.history import PublishedTree
from pipeline.publish.reconcile import LEDGER
from pipeline.publish.upload_plan import RemoteFile, UploadPlan


def refuse_unknown_feed(
    ledger: Ledger,
    target: str,
    remote: RemoteFile | None,
    plan: UploadPlan,
    key: str,
    trees: Iterable[PublishedTree],
) -> None:
    """Raise `CauserieError` when the feed to replace was never published by this copy of the show. Pure.

    The conditional write of the feed only covers the minutes of one upload; this covers the time between two publications.
    """
    known_digests = {publication.feed_sha256 for publication in ledger.publications if publication.target == target}
    known_digests |= {tree.feed.sha256 for tree in trees if tree.feed}
    if remote is not None and known_digests and key in plan.replaced and remote.sha256 not in known_digests:
        raise CauserieError(
            "the published feed comes from another copy of this show",
            f"{target}/{key}",
            f"get {LEDGER} and the episodes from the person who published it, then build and publish; or publish with --take-over",
        )


def refuse_unchecked(reviews: Mapping[str, TextReview]) -> None:
    """Raise `CauserieError` when a transcript, by the slug of its episode, is a machine's that nobody has checked. Pure."""
    slugs = [slug for slug, review in reviews.items() if review.is_unchecked]
    if slugs:
        more = f", and {pluralise(len(slugs) - 1, 'other transcript')}" if len(slugs) > 1 else ""
        message = f"is a machine's text that nobody has checked{more}, and show.toml says publish.require_corrected"
        hint = f"check it with causerie review {slugs[0]}, then build again"
        raise CauserieError(message, f"transcripts/{slugs[0]}.md", hint)


def refuse_lost_episodes(remote: PublicationRecord | None, record: PublicationRecord, where: str) -> None:
    """Raise `CauserieError` when replacing an unknown feed would take episodes from its subscribers. Pure.

    Such a feed belongs to another show, or was published from a copy of this show whose ledger is missing here. `remote` is None when
    the feed cannot be read.
    """
    guids = {episode.guid for episode in record.episodes}
    lost = [] if remote is None else [episode.title for episode in remote.episodes if episode.guid not in guids]
    is_foreign = remote is None or bool(remote.podcast and record.podcast and remote.podcast != record.podcast)
    if lost or is_foreign:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        description = f"contains episodes that are not in this show: {lost[0]}{more}" if lost else "is not this show's"
        hint = f"publish under another prefix; or get {LEDGER} from the person who published it; or replace it with --take-over"
        raise CauserieError(f"the published feed {terminal_safe(description)}", where, hint)
