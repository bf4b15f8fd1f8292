"""Serials, seasons, trailers, private shows, shows that move, additional feeds, and episodes that are not due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import lxml.html
import pytest

from pipeline.commands.workspace import load_show
from pipeline.feed.ledger import load_ledger
from pipeline.model.feed import ChannelOptions, FeedVariant
from pipeline.plan import due_episodes, plan_steps
from pipeline.publish.http_headers import REVALIDATE, cache_control, content_type
from pipeline.publish.public_tree import FEEDS, collect_public_files
from pipeline.publish.publisher import publish
from tests.config.test_loader import EPISODE, SHOW, add
from tests.support.publishing import build, episode, put, show
from tests.support.site_sample import SHOW as SITE_SHOW
from tests.support.site_sample import publish_sample as pages

AT = datetime(2026, 3, 1, tzinfo=UTC)
OTHERS = """
[[feeds]]
name = "leger"
audio = "light"
[[feeds]]
name = "amis"
private = true
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A serial with a trailer, an episode and one that is not due."""
    (tmp_path / "show.toml").write_text('type = "serial"\n' + SHOW + OTHERS)
    (tmp_path / "cover.png").write_bytes(b"x")
    add(tmp_path, "un", EPISODE)
    add(tmp_path, "annonce", EPISODE.replace("number = 1", 'kind = "trailer"').replace("15T", "02T"))
    add(tmp_path, "plus-tard", EPISODE.replace("number = 1", "number = 2").replace("2026-01", "2027-01"))
    return tmp_path


def test_other_feeds_get_an_address_and_a_guid_once(root: Path) -> None:
    first, again = (load_show(root, save_guids=True).feed.others for _ in range(2))
    assert first == again and len({each.guid for each in first}) == 2
    assert first[0].key == "feeds/leger/feed.xml"
    assert len(first[1].key) == len("feeds//feed.xml") + 32 and "amis" not in first[1].key
    assert load_ledger(root / "feeds/ledger.json").feeds["amis"]["key"] == first[1].key


def test_a_private_show_has_an_unguessable_address_and_no_page_links_to_it(root: Path) -> None:
    (root / "show.toml").write_text('type = "serial"\n' + SHOW + "[feed]\nprivate = true\n")
    private = load_show(root, save_guids=True)
    assert private.feed.key == load_ledger(root / "feeds/ledger.json").feeds["feed"]["key"] != "feed.xml"
    assert private.info.feed_key == "" and len(private.feed.key) > 32


def test_pages_of_a_private_show_link_to_no_feed_and_are_noindex(tmp_path: Path) -> None:
    site = pages(tmp_path, show=replace(SITE_SHOW, feed_key="")).root
    for path in site.rglob("index.html"):
        assert "feed.xml" not in path.read_text("utf-8") and "webFeed" not in path.read_text("utf-8")
        assert lxml.html.parse(str(path)).xpath("//meta[@name='robots']/@content") == ["noindex"]


def test_an_episode_that_is_not_due_is_in_no_public_step(root: Path) -> None:
    now = load_show(root)
    public = [step for step in plan_steps(now, AT) if step.episode == "show" or step.kind in ("page", "index", "feed")]
    assert public and "plus-tard" not in repr(public)
    later = [step for step in plan_steps(now, datetime(2027, 2, 1, tzinfo=UTC)) if step.kind == "feed"]
    assert "plus-tard" in repr(later)
    assert [one.slug for one in due_episodes(now, AT)] == ["annonce", "un"]


def test_a_trailer_needs_no_number_even_in_a_serial(root: Path) -> None:
    assert [(one.info.kind, one.info.number) for one in load_show(root).episodes][:2] == [("trailer", None), ("full", 1)]


def test_one_step_makes_every_feed(root: Path) -> None:
    (step,) = (step for step in plan_steps(load_show(root), AT) if step.kind == "feed")
    assert dict(step.writes) == {"feed": "feeds/feed.xml", "feed_leger": "feeds/leger.xml", "feed_amis": "feeds/amis.xml"}


def test_every_feed_is_published_last_and_always_fresh(tmp_path: Path) -> None:
    others = (FeedVariant("leger", key="feeds/leger/feed.xml"), FeedVariant("amis", private=True, key="feeds/0123/feed.xml"))
    several = replace(show("un"), feed=ChannelOptions(others=others))
    built = build(tmp_path, "un")
    for other in others:
        put(built / f"feeds/{other.name}.xml", b"<rss/>")
    last = [file for file in collect_public_files(several, (episode("un"),), built) if file.rank >= FEEDS]
    assert {file.key for file in last} == {"feed.xml", "feeds/leger/feed.xml", "feeds/0123/feed.xml"}
    assert {cache_control(file.key, file.sha256) for file in last} == {REVALIDATE}
    assert {content_type(file.key) for file in last} == {"application/rss+xml; charset=utf-8"}
    done = publish(several, several.episodes, built, at=AT)
    assert set(done.sent[-3:]) == {file.key for file in last}
    assert (built / "public/feeds/leger/feed.xml").read_bytes() == b"<rss/>"
    put(built / "feeds/leger.xml", b"<rss >x</rss>")
    assert publish(several, several.episodes, built, at=AT).sent == ("feeds/leger/feed.xml",)


def test_a_private_main_feed_is_published_there_and_nowhere_else(tmp_path: Path) -> None:
    private = replace(show("un"), feed=ChannelOptions(private=True, key="feeds/0123/feed.xml"))
    publish(private, private.episodes, build(tmp_path, "un"), at=AT)
    assert (tmp_path / "public/feeds/0123/feed.xml").exists() and not (tmp_path / "public/feed.xml").exists()
