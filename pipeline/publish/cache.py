"""Purge a CDN or cache in front of the bucket after the feed is written: a command, or one request for each URL."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from pipeline.publish.verify import ask

_TIMEOUT_S = 60


def purge(hook: Sequence[str], urls: Iterable[str], folder: Path) -> tuple[str, ...]:
    """Run the purge hook for URLs whose content changed; return notes on what failed. A failure does not undo the publication."""
    if not hook:
        return ()
    wanted = tuple(urls)
    notes = [_requested(*call) for call in requests(hook, wanted)] + [_ran(argv, folder) for argv in commands(hook, wanted)]
    return tuple(dict.fromkeys(note for note in notes if note))


def requests(hook: Sequence[str], urls: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return (method, URL) of each request of a hook written as one line, `PURGE {url}`. Pure."""
    if len(hook) != 1 or " " not in hook[0]:
        return ()
    method, address = hook[0].split(" ", 1)
    return tuple((method, url if address == "{url}" else address.replace("{url}", quote(url, safe=""))) for url in urls)


def commands(hook: Sequence[str], urls: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return the argument lists of a command hook: one for each URL when it contains {url}, else a single one. Pure.

    They run without a shell, and a URL always begins with its scheme: it can become neither a command nor an option.
    """
    wanted = tuple(urls)
    if not wanted or requests(hook, wanted):
        return ()
    if any("{url}" in word for word in hook):
        return tuple(tuple(word.replace("{url}", url) for word in hook) for url in wanted)
    return (tuple(word for each in hook for word in (wanted if each == "{urls}" else (each,))),)


def _requested(method: str, url: str) -> str:
    answer = ask(url, method)
    said = f"answered {answer.status}" if answer.status else f"cannot be reached ({answer.reason})"
    return "" if 200 <= answer.status < 300 else f"the cache was not purged: {urlsplit(url).hostname} {said}"


def _ran(argv: Sequence[str], folder: Path) -> str:
    """Run one command from the show's folder. Its output is not shown: it may contain a password."""
    name = shlex.quote(Path(argv[0]).name)
    try:
        done = subprocess.run(argv, cwd=folder, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return f"the cache was not purged: {name} took more than {_TIMEOUT_S} s"
    except OSError as error:
        return f"the cache was not purged: {name} could not be run ({error.strerror})"
    return f"the cache was not purged: {name} ended with exit status {done.returncode}" if done.returncode else ""
