"""What directories ask of a feed and of the files it names, one function a rule."""

from pipeline.feed.rules.channel import is_http_url
from pipeline.feed.rules.feed_reader import parse_feed
from pipeline.feed.rules.local_files import ReleasedFile, files_by_url, fingerprint, inspect_files
from pipeline.feed.rules.registry import check_feed, file_references, group_findings, self_references
from pipeline.feed.rules.rule import ADVICE, ERROR, FileReference, Finding, HttpProbe

__all__ = [
    "ADVICE",
    "ERROR",
    "FileReference",
    "Finding",
    "HttpProbe",
    "ReleasedFile",
    "check_feed",
    "file_references",
    "files_by_url",
    "fingerprint",
    "group_findings",
    "inspect_files",
    "is_http_url",
    "parse_feed",
    "self_references",
]
