"""What an import may do, whom it tells, and what it has to tell at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.errors import CauserieError
from pipeline.feed.fetching import Fetched, Limits, fetched
from pipeline.feed.importing import Note
from pipeline.text import printable

PATIENCE = 5  # failures in a row, after which a host is left alone


@dataclass
class Run:
    """A run. `say` hears sentences, `tell` each thing as it goes."""

    allow_private: bool = False
    offline: bool = False
    media: bool = False
    dry_run: bool = False
    website: str = ""  # where the show will be published; a guess when empty
    say: Callable[..., None] = lambda text, always=False: None  # always: even when the run is quiet
    tell: Callable[[str], None] = lambda text: None
    notes: list[Note] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def note(self, where: str, text: str) -> None:
        """Something to be told at the end."""
        self.notes.append(Note(where, text))

    def get(self, url: str, most_bytes: int, where: str, what: str) -> Fetched | None:
        """A file of the feed's, or None and a note; a host that keeps failing is left alone."""
        host = urlsplit(url).netloc
        if self.offline or self.failures[host] >= PATIENCE:
            why = "nothing was to be fetched" if self.offline else f"{printable(host)} failed {PATIENCE} times"
            self.note(where, f"{what}: left where it is, {url}: {why}")
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
