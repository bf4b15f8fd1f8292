"""Empty what stands before the bucket: a command, or one request an address, after the feed is written."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from pipeline.publish.verify import ask

_TIMEOUT_S = 60


def purge(hook: Sequence[str], urls: Iterable[str], folder: Path) -> tuple[str, ...]:
    """Run the hook for addresses whose content changed; notes on what failed. The publication stands whatever happens here."""
    if not hook:
        return ()
    wanted = tuple(urls)
    notes = [_requested(*call) for call in requests(hook, wanted)] + [_ran(argv, folder) for argv in commands(hook, wanted)]
    return tuple(dict.fromkeys(note for note in notes if note))


def requests(hook: Sequence[str], urls: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(method, address) of each request that a one-line hook asks for. Pure."""
    if len(hook) != 1 or " " not in hook[0]:
        return ()
    method, address = hook[0].split(" ", 1)
    return tuple((method, url if address == "{url}" else address.replace("{url}", quote(url, safe=""))) for url in urls)


def commands(hook: Sequence[str], urls: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The argument lists that a command hook is run with: one an address where it says {url}, one in all where not. Pure.

    No shell reads them, and an address always begins with its scheme: it can become neither a command nor an option.
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
    return "" if 200 <= answer.status < 300 else f"the cache was not emptied: {urlsplit(url).hostname} {said}"


def _ran(argv: Sequence[str], folder: Path) -> str:
    """Run one command from the show's folder; its own words are not repeated, they may hold a password."""
    name = shlex.quote(Path(argv[0]).name)
    try:
        done = subprocess.run(argv, cwd=folder, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return f"the cache was not emptied: {name} took more than {_TIMEOUT_S} s"
    except OSError as error:
        return f"the cache was not emptied: {name} could not be run ({error.strerror})"
    return f"the cache was not emptied: {name} ended with status {done.returncode}" if done.returncode else ""
