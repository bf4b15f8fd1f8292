"""Downloads of audio files into a `.part` file, resumed after a lost connection or an interrupted run."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import CauserieError
from pipeline.feed.fetching import Answer, Cut, Limits, asked, shown, too_large
from pipeline.files import write_json

MOST_BYTES = 5_000_000_000
ATTEMPTS = 5  # in a row without a new byte
MOST_ATTEMPTS = 50
Progress = Callable[[int, int], None]  # bytes done, bytes in all (0 when unknown)


def download(url: str, target: Path, limits: Limits, moved: Progress = lambda done, of: None) -> int:
    """Download `url` to `target`, completely or not at all, and return its size in bytes; an interrupted download is resumed.

    The size must match the server's Content-Length. Raises `CauserieError` for an unusable URL or server.
    """
    part = target.with_name(f".{target.name}.part")
    failures = 0
    for attempt in range(1, MOST_ATTEMPTS + 1):
        before = part.stat().st_size if part.exists() else 0
        try:
            size = _go_on(url, part, limits, moved)
            os.replace(part, target)
            _notes(part).unlink(missing_ok=True)
            return size
        except Cut as error:
            gained = part.exists() and part.stat().st_size > before
            failures = 0 if gained else failures + 1
            if failures >= ATTEMPTS or attempt == MOST_ATTEMPTS:
                what = f"is cut off at every attempt ({error})"
                raise CauserieError(what, shown(url), "try again later; the download is resumed") from error
    raise AssertionError("the last attempt returns or raises")


def _go_on(url: str, part: Path, limits: Limits, moved: Progress) -> int:
    """One request: from the end of `part_file` while the server has the same file, else from the start."""
    known = _remembered(part, url)
    start = part.stat().st_size if known and part.exists() else 0
    headers = {"Range": f"bytes={start}-", "If-Range": known} if start and known else {}
    start = start if headers else 0
    with asked(url, limits, headers) as answer:
        if answer.status == 416 and start:  # complete, or the file has changed
            if answer.headers.get("content-range", "").endswith(f"/{start}"):
                return start
            part.unlink()
            raise Cut("the file has changed on the server")
        total = _total(answer, start, url)
        if answer.status == 200:
            start = 0
        write_json(_notes(part), {"url": url, "mark": _mark(answer), "bytes": total})
        size = start
        with part.open("ab" if start else "wb") as stream:
            for block in answer.blocks:
                stream.write(block)
                size += len(block)
                if size > limits.most_bytes:
                    part.unlink()
                    raise too_large(url, limits)
                moved(size, total)
            stream.flush()
            os.fsync(stream.fileno())
    if total and size != total:
        if size > total:
            part.unlink()
        raise Cut(f"{size} of {total} bytes")
    if not size:
        raise CauserieError("is empty", shown(url), "ask the podcast host")
    return size


def _total(answer: Answer, start: int, url: str) -> int:
    """The size of the whole file, 0 when unknown; raises `CauserieError` when the response is not an audio file."""
    if answer.status not in (200, 206):
        raise CauserieError(f"cannot be downloaded (HTTP status {answer.status})", shown(url), "open it in a browser to see")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise CauserieError("is a web page, not an audio file", shown(url), "open it in a browser to see")
    if answer.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise CauserieError("is sent compressed, so its length cannot be checked", shown(url), "download it with a browser")
    if answer.status == 200:
        said = answer.headers.get("content-length", "")
        return int(said) if re.fullmatch(r"[0-9]{1,15}", said) else 0
    found = re.fullmatch(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15}|\*)", answer.headers.get("content-range", ""))
    if not found or int(found[1]) != start:
        raise CauserieError("is sent from another position than requested", shown(url), "delete its .part file and try again")
    return int(found[2]) if found[2] != "*" else 0


def _mark(answer: Answer) -> str:
    """The validator of this version of the file (RFC 9110, 8.8): a strong ETag, else Last-Modified; empty when there is none."""
    tag = answer.headers.get("etag", "")
    return tag if tag.startswith('"') else answer.headers.get("last-modified", "")


def _notes(part: Path) -> Path:
    return part.with_suffix(".part.json")


def _remembered(part: Path, url: str) -> str:
    """The validator stored for a `.part` file of that URL; empty when it cannot be resumed."""
    try:
        value = json.loads(_notes(part).read_text(encoding="utf-8"))
        return str(value["mark"]) if value["url"] == url else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
