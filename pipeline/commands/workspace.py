"""A show's folder: loading it, with GUIDs, and holding its lock."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipeline.commands.scaffold import has_own_website
from pipeline.config import load_config
from pipeline.engine import exclusive_lock
from pipeline.feed import assign_feed_keys, assign_guids, load_ledger, save_ledger
from pipeline.model import CauserieError, Show, TimedTranscript
from pipeline.plan import work_path
from pipeline.transcript import read_timed


def load_show(root: Path, save_guids: bool = False, slugs: Sequence[str] = ()) -> Show:
    """The show in a folder, with its GUIDs; `save_guids` writes new ones to the ledger. `slugs` as in `load_config`."""
    show = load_config(root, slugs)
    path = root / "feeds/ledger.json"
    recorded = load_ledger(path)
    website, others = show.info.website, show.feed.others
    assigned = assign_guids(recorded, f"{website}feed.xml", [episode.slug for episode in show.episodes])
    private_feeds = {**({"feed": True} if show.feed.private else {}), **{other.name: other.private for other in others}}
    assigned = assign_feed_keys(assigned, website, private_feeds, lambda: secrets.token_hex(16))
    if (
        save_guids and assigned != recorded and (recorded.guid or has_own_website(show.info))
    ):  # the address `init` writes would give every new show the same GUIDs
        save_ledger(path, assigned)
    episodes = tuple(replace(each, info=replace(each.info, guid=assigned.episodes[each.slug])) for each in show.episodes)
    feeds = replace(
        show.feed,
        key=assigned.feeds["feed"]["key"] if show.feed.private else "feed.xml",
        others=tuple(replace(other, key=assigned.feeds[other.name]["key"], guid=assigned.feeds[other.name]["guid"]) for other in others),
    )
    return replace(show, info=replace(show.info, guid=assigned.guid), episodes=episodes, feed=feeds)


def load_transcript(root: Path, slug: str) -> TimedTranscript:
    """An episode's transcript as it was last built, with the time of each word. Raises `CauserieError` when it was not."""
    path = root / work_path(slug, "timed.json")
    if not path.is_file():
        raise CauserieError("has no timed transcript yet", slug, f"run causerie transcribe {slug}")
    return read_timed(path)


@contextmanager
def show_lock(root: Path) -> Iterator[None]:
    """Hold the show's lock while a command writes: two builds at once would take each other's files for hand edits.

    Raises `CauserieError` when another process holds it.
    """
    if not (root / "show.toml").is_file():
        raise CauserieError(
            "there is no show here: show.toml is missing", str(root), "use --show DIR, or create a show with causerie init DIR"
        )
    (root / ".causerie").mkdir(exist_ok=True)
    when_held = CauserieError("another causerie command is running on this show", str(root), "wait until it has finished")
    with exclusive_lock(root / ".causerie/lock", when_held):
        yield
