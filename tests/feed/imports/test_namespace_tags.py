"""What only a feed says, from other people's tags to a show's own keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import loader
from pipeline.feed.imports.converter import convert_feed
from pipeline.feed.imports.importer import import_show
from pipeline.feed.imports.namespace_tags import feed_toml_lines
from pipeline.feed.imports.session import ImportSession
from pipeline.feed.imports.toml_writer import toml_string
from pipeline.model.show import Show
from tests.feed.imports.test_converter import SOUND, show, told
from tests.feed.test_feed_options import ALL, ITEM, made


def brought(tmp_path: Path, feed: bytes) -> Show:
    """The show that an import makes, as a build would read it."""
    (tmp_path / "feed.xml").write_bytes(feed)
    import_show(tmp_path / "show", str(tmp_path / "feed.xml"), ImportSession(offline=True))
    return loader.load_config(tmp_path / "show")


def test_what_a_feed_of_ours_says_comes_back_as_it_was(tmp_path: Path) -> None:
    feed = made(tmp_path, ALL)["feed"]
    found = brought(tmp_path, feed)
    assert found.feed == replace(ALL, moved_to="", owner=False, built=None, images=(), license_url=found.feed.license_url)
    assert [episode.feed for episode in found.episodes if episode.feed.hidden] == [ITEM]


def test_tags_of_before_the_podcast_namespace_become_todays() -> None:
    older = "<rawvoice:donate href='https://don.example.org'>Donner</rawvoice:donate><rawvoice:frequency>Weekly</rawvoice:frequency>"
    with_space = f"<rss version='2.0' xmlns:rawvoice='http://www.rawvoice.com/rawvoiceRssModule/'><channel><title>T</title>{older}<item>{SOUND}</item></channel></rss>"
    found = convert_feed(with_space.encode(), "x")
    assert found.feed == {"funding": [{"url": "https://don.example.org", "text": "Donner"}], "updates": {"text": "Weekly"}}


@pytest.mark.parametrize(
    ("tag", "said", "kept"),
    [
        ("<podcast:funding url='javascript:alert(1)'>x</podcast:funding>", "url “javascript:alert(1)” is not like", {}),
        ("<podcast:funding url='/don'>x</podcast:funding>", "", {"funding": [{"url": "https://example.org/don", "text": "x"}]}),
        ("<podcast:location geo='Paris'>Paris</podcast:location>", "geo “Paris” is not like", {"locations": [{"name": "Paris"}]}),
        ("<podcast:location geo='geo:1,2'/>", "<podcast:location>: has no text", {}),
        ("<podcast:socialInteract protocol='activitypub'/>", "has no URL of a post", {}),
        ("<podcast:updateFrequency>a</podcast:updateFrequency><podcast:updateFrequency>b</podcast:updateFrequency>", "there are 2", {"updates": {"text": "a"}}),
        ("<podcast:medium>opera</podcast:medium>", "podcast:medium “opera” is unknown", {}),
        ("<podcast:license>All rights reserved</podcast:license>", "is not an identifier", {}),
        ("<podcast:license url='https://example.org/l'>Ours</podcast:license>", "", {"license_url": "https://example.org/l"}),
        ("<podcast:block id='amazon'>yes</podcast:block><podcast:block id='A B'>yes</podcast:block>", "", {"not_on": ["amazon"]}),
        ("<podcast:block id='amazon'>no</podcast:block><itunes:block>no</itunes:block>", "", {}),
        ("<podcast:locked>no</podcast:locked>", "", {"locked": False}),
        ("<itunes:complete>Yes</itunes:complete>", "remove complete = true", {"complete": True}),
    ],
)  # fmt: skip
def test_each_tag_is_kept_or_told(tag: str, said: str, kept: dict[str, object]) -> None:
    found = show(f"<title>a</title>{SOUND.format(1)}", of_show=tag)
    assert found.feed == kept and said in told(found, "show")


def test_what_was_hidden_stays_hidden(tmp_path: Path) -> None:
    item = f"<title>a</title><pubDate>Thu, 15 Jan 2026 19:00:00 +0100</pubDate>{SOUND.format(1)}<itunes:block>yes</itunes:block>"
    found = show(item, of_show="<itunes:block>Yes</itunes:block>")
    assert found.feed == found.items[0].feed == {"hidden": True}
    assert "stays hidden" in told(found, "a") and "stays hidden" in told(found, "show")


def test_seasons_keep_their_names() -> None:
    names = (
        "<podcast:season name='Les guichets'>2</podcast:season>",
        "<podcast:season name='Autre'>2</podcast:season>",
        "<podcast:season name=''>1</podcast:season>",
    )
    assert show(*(f"<title>{n}</title>{SOUND.format(n)}{name}" for n, name in enumerate(names))).seasons == {2: "Les guichets"}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=80))
def test_whatever_is_typed_into_a_tag_makes_a_show_that_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, text: str, value: str
) -> None:
    from lxml.builder import ElementMaker
    from lxml.etree import tostring

    make = ElementMaker(namespace="https://podcastindex.org/namespace/1.0", nsmap={"podcast": "https://podcastindex.org/namespace/1.0"})
    try:
        tags = [
            make.funding(text, url="https://example.org/" + value),
            make.location(text, geo=value, osm=value),
            make.txt(text, purpose=value),
            make.license(text, url=value),
        ]
    except ValueError:  # what XML cannot hold
        return
    root = tmp_path_factory.mktemp("typed")
    written = "".join(tostring(tag, encoding="unicode") for tag in tags)
    one = show(f"<title>a</title><pubDate>Thu, 15 Jan 2026 19:00:00 +0100</pubDate>{SOUND.format(1)}{written}", of_show=written)
    (root / "show.toml").write_text("\n".join(feed_toml_lines(one.feed, toml_string)), "utf-8")
    problems: list[object] = []
    from pipeline.config.feed import read_channel_options
    from pipeline.config.table import read_toml

    table = read_toml(root / "show.toml", "show.toml", problems)
    options = table and read_channel_options(table, root, one.info.license, one.info.email)
    assert not problems and options is not None
    assert len(options.tags) == sum(len(tables) for tables in one.feed.values() if isinstance(tables, list))
