"""A show with several feeds: in which order they are written, and how its publications are known again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from publishing import AT, SITE, build, put, show

from pipeline.feed_model import ChannelOptions, OtherFeed
from pipeline.model import Show
from pipeline.publish import history
from pipeline.publish.folder import FolderTarget
from pipeline.publish.run import publish, rollback

OTHER = "feeds/leger/feed.xml"


def several(root: Path, *slugs: str, titles: str = "Titre") -> Show:
    """A built show with a second feed, whose path comes after the main one's in any list."""
    build(root, *slugs, titles=titles)
    put(root / "feeds/leger.xml", f"<rss><channel><link>{SITE}</link><title>{titles}</title></channel></rss>".encode())
    return replace(show(*slugs), feed=ChannelOptions(others=(OtherFeed("leger", key=OTHER),)))


def test_the_main_feed_is_written_after_the_others(tmp_path: Path) -> None:
    some = several(tmp_path, "un")
    assert publish(some, some.episodes, tmp_path, at=AT).sent[-2:] == (OTHER, "feed.xml")


def test_going_back_is_written_down_under_the_main_feed(tmp_path: Path) -> None:
    for titles in ("Titre", "Autre"):
        some = several(tmp_path, "un", titles=titles)
        publish(some, some.episodes, tmp_path, at=AT)
    rollback(some, tmp_path, at=AT)
    last = history.trees(tmp_path / history.PUBLICATIONS, "public")[-1]
    assert (last.feed_key, last.back_to) == ("feed.xml", 1)


def test_a_publication_killed_between_two_feeds_was_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = several(tmp_path, "un")
    publish(some, some.episodes, tmp_path, at=AT)
    put(tmp_path / "feeds/leger.xml", f"<rss><channel><link>{SITE}</link></channel></rss>".encode())  # the main feed stays as it is

    def killed(*what: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(FolderTarget, "put_feed", killed)
        publish(some, some.episodes, tmp_path, at=AT)
    assert publish(some, some.episodes, tmp_path, at=AT).sent == (OTHER,)
    assert [tree.number for tree in history.trees(tmp_path / history.PUBLICATIONS, "public")] == [1, 2]
