"""Purge a CDN or cache in front of the bucket after the feed is written: a command, or one request for each URL."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from pipeline.publish.verify import request

_TIMEOUT_S = 60


def purge(hook: Sequence[str], urls: Iterable[str], folder: Path) -> tuple[str, ...]:
    """Run the purge hook for URLs whose content changed; return notes on what failed. A failure does not undo the publication."""
    if not hook:
        return ()
    url_list = tuple(urls)
    notes = [_send_purge(*call) for call in purge_requests(hook, url_list)] + [
        _run_command(argv, folder) for argv in purge_commands(hook, url_list)
    ]
    return tuple(dict.fromkeys(note for note in notes if note))


def purge_requests(hook: Sequence[str], urls: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return (method, URL) of each request of a hook written as one line, `PURGE {url}`. Pure."""
    if len(hook) != 1 or " " not in hook[0]:
        return ()
    method, pattern = hook[0].split(" ", 1)
    return tuple((method, url if pattern == "{url}" else pattern.replace("{url}", quote(url, safe=""))) for url in urls)


def purge_commands(hook: Sequence[str], urls: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return the argument lists of a command hook: one for each URL when it contains {url}, else a single one. Pure.

    They run without a shell, and a URL always begins with its scheme: it can become neither a command nor an option.
    """
    url_list = tuple(urls)
    if not url_list or purge_requests(hook, url_list):
        return ()
    if any("{url}" in word for word in hook):
        return tuple(tuple(word.replace("{url}", url) for word in hook) for url in url_list)
    return (tuple(word for each in hook for word in (url_list if each == "{urls}" else (each,))),)


def _send_purge(method: str, url: str) -> str:
    response = request(url, method)
    outcome = f"answered {response.status}" if response.status else f"cannot be reached ({response.reason})"
    return "" if 200 <= response.status < 300 else f"the cache was not purged: {urlsplit(url).hostname} {outcome}"


def _run_command(argv: Sequence[str], folder: Path) -> str:
    """Run one command from the show's folder. Its output is not shown: it may contain a password."""
    name = shlex.quote(Path(argv[0]).name)
    try:
        process = subprocess.run(argv, cwd=folder, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return f"the cache was not purged: {name} took more than {_TIMEOUT_S} s"
    except OSError as error:
        return f"the cache was not purged: {name} could not be run ({error.strerror})"
    return f"the cache was not purged: {name} ended with exit status {process.returncode}" if process.returncode else ""
