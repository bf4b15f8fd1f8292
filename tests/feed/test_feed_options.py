"""Feeds with all that a show can say, and feeds beside the main one."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import feedparser
import podcastparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pipeline.engine.files import write_json
from pipeline.feed.namespaces import NAMESPACES, TAG_SPECS
from pipeline.feed.rss import render_feed, write_feed
from pipeline.feed.rss_item import FeedContext, image_node
from pipeline.model.audio import Soundbite
from pipeline.model.feed import ChannelOptions, FeedImage, FeedTag, FeedVariant, ItemOptions
from pipeline.model.show import EpisodeInfo
from pipeline.publish.release import Release, ReleaseFile, write_release
from pipeline.transcript.chapters import chapters_to_json
from tests.feed.test_rss import FILE, GOLDEN, MARKS, SHOW, VOICE, find, published, release

GUID = "917393e3-1b1e-5cef-ace4-edaa54e1f810"
ALL = ChannelOptions(
    medium="audiobook",
    locked=False,
    owner=True,
    hidden=True,
    complete=True,
    moved_to="https://new.example.org/feed.xml",
    built=datetime(2026, 3, 1, 6, tzinfo=UTC),
    license_url="https://example.org/licence",
    seasons=((2, "Les guichets"),),
    images=(FeedImage("large.png", "Un guichet ouvert", "banner"),),
    tags=(
        FeedTag("podcast:funding", "Soutenir l’émission", (("url", "https://example.org/soutien"),)),
        FeedTag("podcast:location", "Orvalle", (("rel", "creator"), ("geo", "geo:48.85,2.35"), ("osm", "R7444"), ("country", "FR"))),
        FeedTag("podcast:txt", "S6lpp-7ZCn8", (("purpose", "verify"),)),
        FeedTag("podcast:socialInteract", "", (("protocol", "activitypub"), ("uri", "https://social.example/@x/1"))),
        FeedTag("podcast:updateFrequency", "Chaque mardi", (("rrule", "FREQ=WEEKLY;BYDAY=TU"),)),
        FeedTag("podcast:remoteItem", "", (("feedGuid", GUID),), "podcast:podroll"),
        FeedTag("podcast:remoteItem", "", (("feedGuid", GUID), ("medium", "publisher")), "podcast:publisher"),
        FeedTag("podcast:block", "yes", (("id", "amazon"),)),
    ),
)
ITEM = ItemOptions(
    hidden=True,
    license="cc0-1.0",
    number_label="1 bis",
    tags=(FeedTag("podcast:contentLink", "Regarder", (("href", "https://video.example/1"),)),),
)
LIGHT = FeedVariant(
    "leger", "Demain, en léger", "light", moved_to="https://new.example.org/leger.xml", key="feeds/leger/feed.xml", guid=GUID
)
SEASON = FeedVariant("saison-2", season=2, private=True, key="feeds/0123456789abcdef/feed.xml", guid=GUID)


def made(folder: Path, options: ChannelOptions, episodes: tuple[EpisodeInfo, ...] = (FILE, VOICE)) -> dict[str, bytes]:
    """The feeds that the step writes, by name."""
    art = [ReleaseFile("cover", "cover-01.jpg", "cover.jpg", 1, "00", "image/jpeg", 3000, 3000)]
    art += [ReleaseFile("image", "large-02.png", image.file, 1, "00", "image/png", 1920, 1080) for image in options.images]
    write_release(folder / "cover.json", Release("", 0.0, tuple(art)))
    own = ReleaseFile("cover", "la-file/cover-03.jpg", "c.jpeg", 1, "00", "image/jpeg", 1400, 1400)
    m4a = ReleaseFile("m4a", "la-file/la-file-04.m4a", "x.m4a", 9_000_000, "cd" * 32, "audio/mp4")
    for episode in episodes:
        known = release(episode.slug)
        extra = (own, m4a) if episode == FILE else ()
        write_release(folder / f"{episode.slug}.json", replace(known, files=(*known.files, *extra)))
        write_json(folder / f"{episode.slug}.chapters.json", chapters_to_json(MARKS))
    names = [f"feed_{other.name}" for other in options.others]
    write_feed(
        tuple(folder / f"{episode.slug}.json" for episode in episodes),
        folder / "cover.json",
        tuple(folder / f"{episode.slug}.chapters.json" for episode in episodes),
        feed=folder / "feed.xml",
        show=SHOW,
        episodes=episodes,
        options=options,
        items=(ITEM, *[ItemOptions()] * (len(episodes) - 1)),
        soundbites=((Soundbite(20.5, 30.0, "Le ticket"), Soundbite(60, 15)), *[()] * (len(episodes) - 1)),
        **{name: folder / f"{name}.xml" for name in names},
    )
    return {name: (folder / f"{name}.xml").read_bytes() for name in ("feed", *names)}


@pytest.fixture
def feeds(tmp_path: Path) -> dict[str, bytes]:
    """Three feeds of a show that says everything."""
    return made(tmp_path, replace(ALL, others=(LIGHT, SEASON)))


@pytest.mark.parametrize("name", ["feed", "feed_leger", "feed_saison-2"])
def test_the_feeds_are_those_that_were_looked_at(feeds: dict[str, bytes], name: str) -> None:
    golden = GOLDEN / f"all-{name}.xml"
    if os.environ.get("CAUSERIE_GOLDEN") == "write":
        golden.write_bytes(feeds[name])
    assert feeds[name].decode() == golden.read_text("utf-8")


def test_every_tag_there_is_a_row_for_is_written(feeds: dict[str, bytes]) -> None:
    prefixes = {address: prefix for prefix, address in NAMESPACES.items()}
    found = {etree.QName(tag) for data in feeds.values() for tag in etree.fromstring(data).iter()}
    written = {f"{prefixes[name.namespace]}:{name.localname}" for name in found if name.namespace in prefixes}
    assert written >= {name for name in TAG_SPECS if ":" in name}


def test_apples_switches_have_the_only_values_that_act(feeds: dict[str, bytes]) -> None:
    data = feeds["feed"]
    assert find(data, "//channel/itunes:block/text()|//channel/itunes:complete/text()|//item/itunes:block/text()") == ["Yes"] * 3
    assert find(data, "//itunes:new-feed-url/text()") == ["https://new.example.org/feed.xml"]
    assert find(data, "//channel/lastBuildDate/text()") == ["Sun, 01 Mar 2026 06:00:00 +0000"]


def test_an_episode_shows_its_own_cover_and_players_read_it(feeds: dict[str, bytes]) -> None:
    parsed = podcastparser.parse("https://example.org/feed.xml", BytesIO(feeds["feed"]))
    covers = {episode["title"]: episode.get("episode_art_url") for episode in parsed["episodes"]}
    assert covers == {FILE.title: "https://example.org/guichet/la-file/cover-03.jpg", VOICE.title: None}
    assert parsed["cover_url"] == "https://example.org/guichet/cover-01.jpg"
    assert feedparser.parse(feeds["feed"]).entries[1].image.href == "https://example.org/guichet/la-file/cover-03.jpg"


def test_a_picture_says_its_shape_and_what_it_shows(feeds: dict[str, bytes]) -> None:
    wide = dict(find(feeds["feed"], "//channel/podcast:image")[1].attrib)
    assert (wide["aspect-ratio"], wide["width"], wide["height"], wide["alt"]) == ("16/9", "1920", "1080", "Un guichet ouvert")


@pytest.mark.parametrize(("width", "height", "shape"), [(1921, 1080, "1921/1080"), (1080, 1080, "1/1"), (0, 0, "1/1")])
def test_a_shape_that_cannot_be_reduced_is_written_as_it_is(width: int, height: int, shape: str) -> None:
    file = {"key": "a.png", "type": "image/png", "width_px": width, "height_px": height}
    assert f'aspect-ratio="{shape}"' in image_node(SHOW, file, "", "")


def test_a_show_describes_itself_in_plain_words(feeds: dict[str, bytes]) -> None:
    assert find(feeds["feed"], "//channel/description/text()") == [SHOW.description]


def test_the_owner_can_be_reached_while_a_show_is_claimed(feeds: dict[str, bytes]) -> None:
    assert feedparser.parse(feeds["feed"]).feed.publisher_detail == {"name": SHOW.author, "email": SHOW.email}


def test_a_trailer_is_offered_before_the_episodes(feeds: dict[str, bytes]) -> None:
    (trailer,) = find(feeds["feed"], "//channel/podcast:trailer")
    (enclosure,) = find(feeds["feed"], "//item[itunes:episodeType='trailer']/enclosure")
    assert trailer.text == VOICE.title and trailer.get("pubdate") == "Sun, 01 Feb 2026 06:00:00 +0000"
    assert {name: trailer.get(name) for name in ("url", "length", "type")} == dict(enclosure.attrib)


def test_soundbites_are_in_seconds(feeds: dict[str, bytes]) -> None:
    bites = find(feeds["feed"], "//item/podcast:soundbite")
    assert [(bite.get("startTime"), bite.get("duration"), bite.text) for bite in bites] == [("20.5", "30", "Le ticket"), ("60", "15", None)]


def test_a_light_feed_has_its_own_address_identity_and_sound(feeds: dict[str, bytes]) -> None:
    data = feeds["feed_leger"]
    parsed = podcastparser.parse("https://example.org/feed.xml", BytesIO(data))
    assert parsed["title"] == "Demain, en léger"
    assert {each["enclosures"][0]["mime_type"] for each in parsed["episodes"]} == {"audio/ogg"}
    assert find(data, "//channel/podcast:guid/text()|//atom:link/@href") == ["https://example.org/guichet/feeds/leger/feed.xml", GUID]
    assert find(data, "//item/guid/text()") == find(feeds["feed"], "//item/guid/text()")
    addresses = find(data, "//enclosure/@url|//podcast:source/@uri")
    assert len(addresses) == len(set(addresses)) == 5
    assert find(data, "//podcast:trailer/@url") == find(data, "//item[itunes:episodeType='trailer']/enclosure/@url")
    assert find(data, "//itunes:new-feed-url/text()") == ["https://new.example.org/leger.xml"]
    assert not find(feeds["feed_saison-2"], "//itunes:new-feed-url")  # each feed moves by itself


def test_a_season_has_a_feed_with_its_episodes_only_that_no_directory_lists(feeds: dict[str, bytes]) -> None:
    data = feeds["feed_saison-2"]
    assert find(data, "//item/title/text()") == [FILE.title]
    assert find(data, "//item/podcast:season/@name") == ["Les guichets"]
    assert find(data, "//channel/itunes:block/text()") == ["Yes"] and "yes" in find(data, "//channel/podcast:block/text()")


def test_a_show_that_asks_for_nothing_is_open_and_listed(tmp_path: Path) -> None:
    data = made(tmp_path, ChannelOptions(), (VOICE, FILE))["feed"]
    assert not find(
        data, "//itunes:block[parent::channel]|//podcast:block|//itunes:complete|//itunes:new-feed-url|//itunes:owner|//podcast:funding"
    )


HOSTILE = st.one_of(
    st.text(max_size=30), st.sampled_from(["]]>", "<a>&amp;", "a\r\nb", "\u202eשלום", "👩‍🚒", "\x00\x1f\ud800\ufffe", "&#0;"])
)


@given(HOSTILE, HOSTILE)
@settings(max_examples=60, deadline=None)
def test_whatever_a_tag_says_reads_back_equal_but_for_what_xml_forbids(text: str, value: str) -> None:
    safe = [
        each.translate(dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF])) for each in (text, value)
    ]
    options = ChannelOptions(tags=(FeedTag("podcast:funding", text, (("url", f"x{value}"),)),), seasons=((2, f"s{text}"),))
    whole = FeedContext(SHOW, options, ({"key": "c.jpg", "type": "image/jpeg"},), FeedVariant("feed", key="feed.xml"))
    data = render_feed(whole, [FILE], (), [published(FILE)])
    (funding,) = find(data, "//podcast:funding")
    assert ((funding.text or ""), funding.get("url")) == (safe[0], f"x{safe[1]}")
    assert find(data, "//item/podcast:season/@name") == [f"s{safe[0]}"]
