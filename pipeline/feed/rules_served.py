"""The rules for HTTP responses: `causerie check --online`."""

from __future__ import annotations

from pipeline.feed.rule import ADDRESS, ADVICE, ERROR, Rule, Served, Use
from pipeline.feed.rules_show import HOSTING

_SOUND = ("audio", "alternate")
_ALIKE = {"audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4", "application/srt": "application/x-subrip"}


def _answers(_: Use, served: Served) -> str:
    if served.status == 200:
        return ""
    return f"answers {served.status} to HEAD" if served.status else "cannot be reached"


def _ranges(use: Use, served: Served) -> str:
    if use.kind not in _SOUND or served.status != 200:
        return ""
    whole = served.range_status == 206 and served.content_range.startswith("bytes 0-1/")
    return "" if whole else f"answers {served.range_status} to a request for a byte range"


def _length(use: Use, served: Served) -> str:
    said, told = served.headers.get("content-length", ""), use.tag.get("length")
    if use.kind not in _SOUND or served.status != 200 or not said or said == told:
        return ""
    return f"has {said[:20]} bytes on the server, but the feed declares {told[:20]}"


def _type(use: Use, served: Served) -> str:
    said, told = (kind.partition(";")[0].strip().lower() for kind in (served.headers.get("content-type", ""), use.tag.get("type")))
    if served.status != 200 or use.kind == "feed" or (use.kind == "cover" and said in ("image/jpeg", "image/png")):
        return ""
    return "" if use.kind != "cover" and _ALIKE.get(said, said) == _ALIKE.get(told, told) else f"is sent as {said[:40] or 'nothing'}"


def _elsewhere(use: Use, served: Served) -> str:
    if use.kind not in ("transcript", "chapters") or served.status != 200 or served.headers.get("access-control-allow-origin"):
        return ""
    return "is sent without Access-Control-Allow-Origin"


def _validators(use: Use, served: Served) -> str:
    if use.kind != "feed" or served.status != 200 or served.headers.get("etag") or served.headers.get("last-modified"):
        return ""
    return "is sent without ETag and Last-Modified"


_DOCS = "podcast-namespace, docs/tags"

RULES = (
    Rule("Apple", "served", ERROR, ADDRESS, f"{HOSTING}, HTTP HEAD", _answers, "publish it, or make it publicly readable"),
    Rule(
        "Apple",
        "served-ranges",
        ERROR,
        ADDRESS,
        f"{HOSTING}, byte-range requests",
        _ranges,
        "use a server that supports byte ranges, so that players can seek",
    ),
    Rule("Apple", "served-bytes", ERROR, ADDRESS, f"{HOSTING}, Enclosure", _length, "publish again, and purge the CDN cache"),
    Rule(
        "Apple", "served-type", ERROR, ADDRESS, f"{HOSTING}, Enclosure", _type, "configure the server to send the type declared in the feed"
    ),
    Rule(
        "Apple",
        "served-validators",
        ADVICE,
        ADDRESS,
        f"{HOSTING}, ETag and Last-Modified",
        _validators,
        "configure the server to send one of them",
    ),
    Rule(
        "Podcast Index",
        "served-elsewhere",
        ADVICE,
        ADDRESS,
        f"{_DOCS}/transcript.md",
        _elsewhere,
        "allow other origins (CORS): web players need it",
    ),
)
