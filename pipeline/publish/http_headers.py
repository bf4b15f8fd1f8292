"""The HTTP headers of a published file: Content-Type and Cache-Control.

The table is written out because guesses differ: `mimetypes` reads the machine's own files, and upload tools send
`binary/octet-stream` for a feed and `text/plain` for SRT (seen in aws-cli, s3cmd and boto3's own `upload_file`).
"""

from __future__ import annotations

from pathlib import PurePosixPath

from pipeline.model import HASH_DIGITS
from pipeline.publish.release import MEDIA_TYPES

IMMUTABLE = "public, max-age=31536000, immutable"
PAGES_MAX_AGE_S = 300
REVALIDATE = "no-cache"  # may be stored, but is revalidated each time: apps get 304 from the ETag

_MEDIA_TYPES = {
    **{extension: type_ for extension, type_ in MEDIA_TYPES.items() if extension.startswith(".")},
    ".css": "text/css; charset=utf-8",
    ".flac": "audio/flac",
    ".jpeg": "image/jpeg",
    ".otf": "font/otf",
    ".ttf": "font/ttf",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".js": "text/javascript; charset=utf-8",
    ".ogg": "audio/ogg",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".xml": "application/xml",
}


def content_type(key: str) -> str:
    """Return the Content-Type of a published path; `application/octet-stream` for types that Causerie does not publish."""
    path = PurePosixPath(key)
    if path.name == "feed.xml":
        return "application/rss+xml; charset=utf-8"
    if path.suffix == ".json" and path.name.startswith("chapters-"):
        return MEDIA_TYPES["chapters"]
    return _MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")


def cache_control(key: str, sha256: str, feed_max_age_s: int = 0, pages_max_age_s: int = PAGES_MAX_AGE_S) -> str:
    """Return the Cache-Control of a published path: a year when its name contains the content's digest; 0 s means revalidate each time."""
    if f"-{sha256[:HASH_DIGITS]}." in PurePosixPath(key).name:
        return IMMUTABLE
    seconds = feed_max_age_s if PurePosixPath(key).name == "feed.xml" else pages_max_age_s
    return f"public, max-age={seconds}" if seconds else REVALIDATE
