"""The RSS feed, the ledger of GUIDs, and what subscribers notice of a change."""

from pipeline.feed.ledger import (
    Ledger,
    PublicationRecord,
    PublishedItem,
    adopt_guids,
    assign_feed_keys,
    assign_guids,
    episode_guid,
    load_ledger,
    podcast_guid,
    read_publication,
    record_publication,
    save_ledger,
)
from pipeline.feed.rss import write_feed
from pipeline.feed.subscriber_changes import describe_changes, refuse_changed_guids, withdrawn_files

__all__ = [
    "Ledger",
    "PublicationRecord",
    "PublishedItem",
    "adopt_guids",
    "assign_feed_keys",
    "assign_guids",
    "describe_changes",
    "episode_guid",
    "load_ledger",
    "podcast_guid",
    "read_publication",
    "record_publication",
    "refuse_changed_guids",
    "save_ledger",
    "withdrawn_files",
    "write_feed",
]
