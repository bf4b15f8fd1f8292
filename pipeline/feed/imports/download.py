"""Downloads of audio files into a `.part` file, resumed after a lost connection or an interrupted run."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from pipeline.engine import write_json
from pipeline.feed.imports.http import FetchLimits, FetchResponse, TruncatedBody, open_url, redact_url, too_large_error
from pipeline.model import CauserieError

MAX_MEDIA_BYTES = 5_000_000_000
MAX_STALLED_ATTEMPTS = 5  # in a row without a new byte
MAX_ATTEMPTS = 50
ProgressCallback = Callable[[int, int], None]  # bytes done, bytes in all (0 when unknown)


def download_file(url: str, target: Path, limits: FetchLimits, on_progress: ProgressCallback = lambda done, of: None) -> int:
    """Download `url` to `target`, completely or not at all, and return its size in bytes; an interrupted download is resumed.

    The size must match the server's Content-Length. Raises `CauserieError` for an unusable URL or server.
    """
    part_file = target.with_name(f".{target.name}.part")
    failures = 0
    for attempt in range(1, MAX_ATTEMPTS + 1):
        before = part_file.stat().st_size if part_file.exists() else 0
        try:
            size = _resume(url, part_file, limits, on_progress)
            os.replace(part_file, target)
            _state_path(part_file).unlink(missing_ok=True)
            return size
        except TruncatedBody as error:
            has_progressed = part_file.exists() and part_file.stat().st_size > before
            failures = 0 if has_progressed else failures + 1
            if failures >= MAX_STALLED_ATTEMPTS or attempt == MAX_ATTEMPTS:
                what = f"is cut off at every attempt ({error})"
                raise CauserieError(what, redact_url(url), "try again later; the download is resumed") from error
    raise AssertionError("the last attempt returns or raises")


def _resume(url: str, part_file: Path, limits: FetchLimits, on_progress: ProgressCallback) -> int:
    """One request: from the end of `part_file` while the server has the same file, else from the start."""
    state = _load_state(part_file, url)
    start = part_file.stat().st_size if state and part_file.exists() else 0
    headers = {"Range": f"bytes={start}-", "If-Range": state} if start and state else {}
    start = start if headers else 0
    with open_url(url, limits, headers) as response:
        if response.status == 416 and start:  # complete, or the file has changed
            if response.headers.get("content-range", "").endswith(f"/{start}"):
                return start
            part_file.unlink()
            raise TruncatedBody("the file has changed on the server")
        total = _total_bytes(response, start, url)
        if response.status == 200:
            start = 0
        write_json(_state_path(part_file), {"url": url, "mark": _validator(response), "bytes": total})
        size = start
        with part_file.open("ab" if start else "wb") as stream:
            for chunk in response.chunks:
                stream.write(chunk)
                size += len(chunk)
                if size > limits.max_bytes:
                    part_file.unlink()
                    raise too_large_error(url, limits)
                on_progress(size, total)
            stream.flush()
            os.fsync(stream.fileno())
    if total and size != total:
        if size > total:
            part_file.unlink()
        raise TruncatedBody(f"{size} of {total} bytes")
    if not size:
        raise CauserieError("is empty", redact_url(url), "ask the podcast host")
    return size


def _total_bytes(response: FetchResponse, start: int, url: str) -> int:
    """The size of the whole file, 0 when unknown; raises `CauserieError` when the response is not an audio file."""
    if response.status not in (200, 206):
        raise CauserieError(f"cannot be downloaded (HTTP status {response.status})", redact_url(url), "open it in a browser to see")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise CauserieError("is a web page, not an audio file", redact_url(url), "open it in a browser to see")
    if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise CauserieError("is sent compressed, so its length cannot be checked", redact_url(url), "download it with a browser")
    if response.status == 200:
        content_length = response.headers.get("content-length", "")
        return int(content_length) if re.fullmatch(r"[0-9]{1,15}", content_length) else 0
    content_range = re.fullmatch(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15}|\*)", response.headers.get("content-range", ""))
    if not content_range or int(content_range[1]) != start:
        raise CauserieError("is sent from another position than requested", redact_url(url), "delete its .part file and try again")
    return int(content_range[2]) if content_range[2] != "*" else 0


def _validator(response: FetchResponse) -> str:
    """The validator of this version of the file (RFC 9110, 8.8): a strong ETag, else Last-Modified; empty when there is none."""
    etag = response.headers.get("etag", "")
    return etag if etag.startswith('"') else response.headers.get("last-modified", "")


def _state_path(part_file: Path) -> Path:
    return part_file.with_suffix(".part.json")


def _load_state(part_file: Path, url: str) -> str:
    """The validator stored for a `.part` file of that URL; empty when it cannot be resumed."""
    try:
        value = json.loads(_state_path(part_file).read_text(encoding="utf-8"))
        return str(value["mark"]) if value["url"] == url else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
