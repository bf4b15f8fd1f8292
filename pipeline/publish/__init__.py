"""A transaction from what was built to a folder or a bucket: release, upload plan, verification from outside, the feed last."""

from pipeline.publish.guards import refuse_unchecked
from pipeline.publish.history import PUBLICATIONS, load_trees
from pipeline.publish.http_headers import IMMUTABLE, REVALIDATE, content_type
from pipeline.publish.public_tree import COVER_RELEASE, PublicFile, release_files, site_files
from pipeline.publish.publication_report import PublishReport
from pipeline.publish.publisher import PublishCallbacks, publish, rollback, set_up, target_name
from pipeline.publish.reconcile import items_in_feed
from pipeline.publish.release import (
    SERIES_RELEASE,
    Release,
    ReleaseFile,
    read_release,
    release_cover,
    release_episode,
    release_series,
    series_episodes,
)
from pipeline.publish.target import ignore_progress
from pipeline.publish.upload_plan import ONE_PUT_BYTES, PART_BYTES, RemoteFile
from pipeline.publish.upload_state import load_manifest, read_json_object, save_manifest
from pipeline.publish.verify import PLAYER_ORIGIN, request

__all__ = [
    "COVER_RELEASE",
    "IMMUTABLE",
    "ONE_PUT_BYTES",
    "PART_BYTES",
    "PLAYER_ORIGIN",
    "PUBLICATIONS",
    "PublicFile",
    "PublishCallbacks",
    "PublishReport",
    "REVALIDATE",
    "Release",
    "ReleaseFile",
    "RemoteFile",
    "SERIES_RELEASE",
    "content_type",
    "ignore_progress",
    "items_in_feed",
    "load_manifest",
    "load_trees",
    "publish",
    "read_json_object",
    "read_release",
    "refuse_unchecked",
    "release_cover",
    "release_episode",
    "release_files",
    "release_series",
    "request",
    "rollback",
    "save_manifest",
    "series_episodes",
    "set_up",
    "site_files",
    "target_name",
]
