"""The state of an import: its options, its callbacks, and its notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.feed.imports.converter import ImportNote
from pipeline.feed.imports.http import FetchedBody, FetchLimits, fetch
from pipeline.model import CauserieError, terminal_safe

MAX_HOST_FAILURES = 5  # failures in a row after which a host is skipped


@dataclass
class ImportSession:
    """An import. `on_message` receives lines to print, `on_status` the current activity."""

    allow_private: bool = False
    offline: bool = False
    media: bool = False
    dry_run: bool = False
    website: str = ""  # where the show will be published; guessed when empty
    on_message: Callable[..., None] = lambda text, always=False: None  # always: even with --quiet
    on_status: Callable[[str], None] = lambda text: None
    notes: list[ImportNote] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def add_note(self, where: str, text: str) -> None:
        """Add a note, reported at the end."""
        self.notes.append(ImportNote(where, text))

    def fetch(self, url: str, max_bytes: int, where: str, label: str) -> FetchedBody | None:
        """Fetch a file of the feed; None, with a note, on failure. A host that keeps failing is skipped."""
        host = urlsplit(url).netloc
        if self.offline or self.failures[host] >= MAX_HOST_FAILURES:
            reason = "--offline was given" if self.offline else f"{terminal_safe(host)} failed {MAX_HOST_FAILURES} times"
            self.add_note(where, f"{label}: not downloaded from {url}: {reason}")
            return None
        self.on_status(f"{where}: {label}")
        try:
            body = fetch(url, FetchLimits(max_bytes, allow_private=self.allow_private))
        except CauserieError as error:
            self.failures[host] += 1
            self.add_note(where, f"{label}: {error}")
            return None
        self.failures[host] = 0
        return body
