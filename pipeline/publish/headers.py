"""What a published file says of itself over HTTP: its type, and how long it may be kept.

The table is written out because guesses differ: `mimetypes` reads the machine's own files, and upload tools send
`binary/octet-stream` for a feed, `text/plain` for SRT (seen in aws-cli, s3cmd and boto3's own `upload_file`).
"""

from __future__ import annotations

from pathlib import PurePosixPath

from pipeline.release import HASH_DIGITS, TYPES

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT_S = 300
SHORT = f"public, max-age={SHORT_S}"
REVALIDATE = "no-cache"  # keep it, ask each time: apps get 304 from the ETag

_TYPES = {
    **{extension: type_ for extension, type_ in TYPES.items() if extension.startswith(".")},
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
    """The Content-Type of a published path; `application/octet-stream` for what Causerie does not publish."""
    path = PurePosixPath(key)
    if path.name == "feed.xml":
        return "application/rss+xml; charset=utf-8"
    if path.suffix == ".json" and path.name.startswith("chapters-"):
        return TYPES["chapters"]
    return _TYPES.get(path.suffix.lower(), "application/octet-stream")


def cache_control(key: str, sha256: str, feed_max_age_s: int = 0, pages_max_age_s: int = SHORT_S) -> str:
    """The Cache-Control of a published path: a year only when the name carries the content's own digest; 0 s asks each time."""
    if f"-{sha256[:HASH_DIGITS]}." in PurePosixPath(key).name:
        return IMMUTABLE
    seconds = feed_max_age_s if PurePosixPath(key).name == "feed.xml" else pages_max_age_s
    return f"public, max-age={seconds}" if seconds else REVALIDATE
