"""A show with several feeds: in which order they are written, and how its publications are recognised."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.feed import ledger as ledgers
from pipeline.model.feed import ChannelOptions, FeedVariant
from pipeline.model.show import Show
from pipeline.publish import history
from pipeline.publish.folder import FolderTarget
from pipeline.publish.public_tree import PublicFile
from pipeline.publish.publisher import PublishCallbacks, publish, rollback
from pipeline.publish.upload_plan import RemoteFile
from tests.support.publishing import AT, SITE, build, put, show

OTHER = "feeds/leger/feed.xml"


def several(root: Path, *slugs: str, titles: str = "Titre") -> Show:
    """A built show with a second feed, whose path comes after the main one's in any list."""
    build(root, *slugs, titles=titles)
    put(root / "feeds/leger.xml", f"<rss><channel><link>{SITE}</link><title>{titles}</title></channel></rss>".encode())
    return replace(show(*slugs), feed=ChannelOptions(others=(FeedVariant("leger", key=OTHER),)))


def test_the_main_feed_is_written_after_the_others(tmp_path: Path) -> None:
    some = several(tmp_path, "un")
    assert publish(some, some.episodes, tmp_path, at=AT).sent[-2:] == (OTHER, "feed.xml")


def test_going_back_is_written_down_under_the_main_feed(tmp_path: Path) -> None:
    for titles in ("Titre", "Autre"):
        some = several(tmp_path, "un", titles=titles)
        publish(some, some.episodes, tmp_path, at=AT)
    rollback(some, tmp_path, at=AT)
    last = history.load_trees(tmp_path / history.PUBLICATIONS, "public")[-1]
    assert (last.feed_key, last.back_to) == ("feed.xml", 1)


def test_what_was_public_before_it_became_private_is_told(tmp_path: Path) -> None:
    some, told = several(tmp_path, "un"), list[str]()
    publish(some, some.episodes, tmp_path, at=AT)
    private = replace(some, feed=ChannelOptions(others=(FeedVariant("leger", private=True, key="feeds/0123/feed.xml"),)))
    publish(private, private.episodes, tmp_path, at=AT, callbacks=PublishCallbacks(told.append))
    assert any(line.startswith(f"{OTHER}: is still online for anyone who knows the URL") for line in told)


def test_a_publication_killed_after_its_feeds_is_known_though_its_copies_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some, written = several(tmp_path, "un"), FolderTarget.put_feed

    def killed(self: FolderTarget, feed: PublicFile, expected: RemoteFile | None) -> str:
        written(self, feed, expected)
        if feed.key == "feed.xml":
            raise KeyboardInterrupt
        return ""

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(FolderTarget, "put_feed", killed)
        publish(some, some.episodes, tmp_path, at=AT)
    shutil.rmtree(tmp_path / "feeds/publications/files")
    assert publish(some, some.episodes, tmp_path, at=AT).nothing_changed
    assert ledgers.load_ledger(tmp_path / "feeds/ledger.json").latest("public")


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
    assert [tree.number for tree in history.load_trees(tmp_path / history.PUBLICATIONS, "public")] == [1, 2]
