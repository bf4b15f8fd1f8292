"""The rules for HTTP responses: `causerie check --online`."""

from __future__ import annotations

from pipeline.feed.rules.channel import HOSTING
from pipeline.feed.rules.rule import ADDRESS, ADVICE, ERROR, FileReference, HttpProbe, Rule

_AUDIO_KINDS = ("audio", "alternate")
_TYPE_ALIASES = {"audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4", "application/srt": "application/x-subrip"}


def _bad_status(_: FileReference, probe: HttpProbe) -> str:
    if probe.status == 200:
        return ""
    return f"answers {probe.status} to HEAD" if probe.status else "cannot be reached"


def _no_byte_ranges(use: FileReference, probe: HttpProbe) -> str:
    if use.kind not in _AUDIO_KINDS or probe.status != 200:
        return ""
    has_range = probe.range_status == 206 and probe.content_range.startswith("bytes 0-1/")
    return "" if has_range else f"answers {probe.range_status} to a request for a byte range"


def _wrong_length(use: FileReference, probe: HttpProbe) -> str:
    served_length, declared = probe.headers.get("content-length", ""), use.tag.get("length")
    if use.kind not in _AUDIO_KINDS or probe.status != 200 or not served_length or served_length == declared:
        return ""
    return f"has {served_length[:20]} bytes on the server, but the feed declares {declared[:20]}"


def _wrong_type(use: FileReference, probe: HttpProbe) -> str:
    served_type, declared = (
        kind.partition(";")[0].strip().lower() for kind in (probe.headers.get("content-type", ""), use.tag.get("type"))
    )
    if probe.status != 200 or use.kind == "feed" or (use.kind == "cover" and served_type in ("image/jpeg", "image/png")):
        return ""
    return (
        ""
        if use.kind != "cover" and _TYPE_ALIASES.get(served_type, served_type) == _TYPE_ALIASES.get(declared, declared)
        else f"is sent as {served_type[:40] or 'nothing'}"
    )


def _no_cors(use: FileReference, probe: HttpProbe) -> str:
    if use.kind not in ("transcript", "chapters") or probe.status != 200 or probe.headers.get("access-control-allow-origin"):
        return ""
    return "is sent without Access-Control-Allow-Origin"


def _no_validators(use: FileReference, probe: HttpProbe) -> str:
    if use.kind != "feed" or probe.status != 200 or probe.headers.get("etag") or probe.headers.get("last-modified"):
        return ""
    return "is sent without ETag and Last-Modified"


_DOCS = "podcast-namespace, docs/tags"

RULES = (
    Rule("Apple", "served", ERROR, ADDRESS, f"{HOSTING}, HTTP HEAD", _bad_status, "publish it, or make it publicly readable"),
    Rule(
        "Apple",
        "served-ranges",
        ERROR,
        ADDRESS,
        f"{HOSTING}, byte-range requests",
        _no_byte_ranges,
        "use a server that supports byte ranges, so that players can seek",
    ),
    Rule("Apple", "served-bytes", ERROR, ADDRESS, f"{HOSTING}, Enclosure", _wrong_length, "publish again, and purge the CDN cache"),
    Rule(
        "Apple",
        "served-type",
        ERROR,
        ADDRESS,
        f"{HOSTING}, Enclosure",
        _wrong_type,
        "configure the server to send the type declared in the feed",
    ),
    Rule(
        "Apple",
        "served-validators",
        ADVICE,
        ADDRESS,
        f"{HOSTING}, ETag and Last-Modified",
        _no_validators,
        "configure the server to send one of them",
    ),
    Rule(
        "Podcast Index",
        "served-elsewhere",
        ADVICE,
        ADDRESS,
        f"{_DOCS}/transcript.md",
        _no_cors,
        "allow other origins (CORS): web players need it",
    ),
)
