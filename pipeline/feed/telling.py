"""The state of an import: its options, its callbacks, and its notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.errors import CauserieError
from pipeline.feed.fetching import Fetched, Limits, fetched
from pipeline.feed.importing import Note
from pipeline.text import printable

PATIENCE = 5  # failures in a row after which a host is skipped


@dataclass
class Run:
    """An import. `on_message` receives lines to print, `on_status` the current activity."""

    allow_private: bool = False
    offline: bool = False
    media: bool = False
    dry_run: bool = False
    website: str = ""  # where the show will be published; guessed when empty
    say: Callable[..., None] = lambda text, always=False: None  # always: even with --quiet
    tell: Callable[[str], None] = lambda text: None
    notes: list[Note] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def note(self, where: str, text: str) -> None:
        """Add a note, reported at the end."""
        self.notes.append(Note(where, text))

    def get(self, url: str, most_bytes: int, where: str, what: str) -> Fetched | None:
        """Fetch a file of the feed; None, with a note, on failure. A host that keeps failing is skipped."""
        host = urlsplit(url).netloc
        if self.offline or self.failures[host] >= PATIENCE:
            why = "--offline was given" if self.offline else f"{printable(host)} failed {PATIENCE} times"
            self.note(where, f"{what}: not downloaded from {url}: {why}")
            return None
        self.tell(f"{where}: {what}")
        try:
            found = fetched(url, Limits(most_bytes, allow_private=self.allow_private))
        except CauserieError as error:
            self.failures[host] += 1
            self.note(where, f"{what}: {error}")
            return None
        self.failures[host] = 0
        return found
