"""Feeds as hosts make them, and our own, read as shows."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.loader import RESERVED_SLUGS, read_config
from pipeline.engine.files import read_json
from pipeline.feed.imports.converter import ImportedShow, assign_slugs, convert_feed
from pipeline.feed.imports.importer import import_show
from pipeline.feed.imports.session import ImportSession
from pipeline.model.errors import CauserieError
from pipeline.model.roles import TAXONOMY
from pipeline.model.show import Chapter, Credit, EpisodeInfo, Person, ShowInfo
from pipeline.model.text import is_slug
from tests.feed.test_rss import FILE, MALIK, MARKS, NORA, SHOW, VOICE, published
from tests.feed.test_rss import told as told_as_feed

FEEDS = sorted((Path(__file__).parents[2] / "data/feeds").glob("*.xml"))
GOLDEN = Path(__file__).parents[2] / "golden/imported"
HEAD = (
    '<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0">'
)
SOUND = '<enclosure url="https://example.org/{}.mp3" length="9" type="audio/mpeg"/>'


def show(*items: str, of_show: str = "") -> ImportedShow:
    """A feed with these items, newest first."""
    inside = "".join(f"<item>{item}</item>" for item in items)
    return convert_feed(f"{HEAD}<channel><title>T</title>{of_show}{inside}</channel></rss>".encode(), "x", "https://example.org/feed")


def told(found: ImportedShow, where: str) -> str:
    """All that is said of an episode, or of the show."""
    return "\n".join(note.text for note in found.notes if note.where == where)


def everything(root: Path, name: str) -> str:
    """What a person sees of an import: each text file, and each sentence."""
    files = [root / "show.toml", *sorted(root.glob("episodes/*/*.toml")), root / "feeds/ledger.json"]
    texts = [f"=== {path.relative_to(root)}\n{path.read_text('utf-8')}" for path in files]
    notes = "".join(f"{note['where']}: {note['text']}\n" for note in read_json(root / "feeds/imported.json")["notes"])
    problems = "".join(f"{problem}\n" for problem in read_config(root)[1])
    return "\n".join([*texts, f"=== told of {name}\n{notes}", f"=== what catalog.read says\n{problems}"])


@pytest.mark.parametrize("feed", FEEDS, ids=lambda path: path.stem)
def test_the_workspace_of_each_kind_of_feed_is_the_one_that_was_looked_at(feed: Path, tmp_path: Path) -> None:
    assert import_show(tmp_path / "show", str(feed), ImportSession(offline=True))
    found = everything(tmp_path / "show", feed.name).replace(str(feed.parent), "")
    golden = GOLDEN / f"{feed.stem}.txt"
    if os.environ.get("CAUSERIE_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(found, "utf-8")
    assert found == golden.read_text("utf-8")
    assert (tmp_path / "show/feeds/imported.xml").read_bytes() == feed.read_bytes()


def test_a_guid_is_kept_to_the_letter() -> None:
    found = show(f"<title>a</title><guid>  http://x.example/?p=1&amp;a=É \n</guid>{SOUND.format(1)}")
    assert found.items[0].info.guid == "  http://x.example/?p=1&a=É \n"


def test_a_guid_that_some_players_complete_is_told() -> None:
    for attribute, guid, is_told in (("", "42", True), (" isPermaLink='false'", "42", False), ("", "https://example.org/42", False)):
        found = show(f"<title>a</title><guid{attribute}>{guid}</guid>{SOUND.format(1)}")
        assert ("a few players" in told(found, "a")) == is_told and found.items[0].info.guid == guid


def test_an_item_without_a_guid_has_its_sounds_address_as_players_have_it() -> None:
    found = show(f"<title>a</title><guid> </guid>{SOUND.format(1)}")
    assert found.items[0].info.guid == "https://example.org/1.mp3"
    assert "the URL of its audio file becomes its GUID" in told(found, "a")


def test_of_two_episodes_with_one_guid_the_first_in_the_feed_keeps_it() -> None:
    found = show(f"<title>new</title><guid>g</guid>{SOUND.format(2)}", f"<title>old</title><guid>g</guid>{SOUND.format(1)}")
    guids = {item.info.slug: item.info.guid for item in found.items}
    assert guids["new"] == "g" and guids["old"] not in ("", "g")
    assert "will appear as new" in told(found, "old")


def test_an_item_that_stands_there_twice_is_taken_once() -> None:
    item = f"<title>a</title><guid>g</guid>{SOUND.format(1)}"
    found = show(item, item)
    assert len(found.items) == 1 and "imported once" in told(found, "show")


@pytest.mark.parametrize(
    ("link", "website", "said"),
    [
        ("http://emission.example.fr/?from=rss", "https://emission.example.fr/", "is a guess"),
        ("https://podcast.ausha.co/x", "https://podcast.example.org/t/", "belongs to the podcast host"),
        ("https://notacast.com/x", "https://notacast.com/x/", "is a guess"),
        ("", "https://podcast.example.org/t/", "is a placeholder"),
    ],
)
def test_where_a_show_goes_is_guessed_from_a_site_of_its_own(link: str, website: str, said: str) -> None:
    found = show(f"<title>a</title>{SOUND.format(1)}", of_show=f"<link>{link}</link>")
    assert found.info.website == website and said in told(found, "show")


def test_a_feed_without_a_podcast_guid_has_that_of_its_address() -> None:
    feed = f"{HEAD}<channel><title>T</title><item><title>a</title>{SOUND.format(1)}</item></channel></rss>".encode()
    assert convert_feed(feed, "x", "https://podnews.net/rss/").info.guid == "9b024349-ccf0-5f69-a609-6b82873eab3c"
    assert convert_feed(feed, "x").info.guid == ""


def test_hosts_are_the_shows_when_every_episode_that_names_anybody_names_them() -> None:
    host, guest = ('<podcast:person role="host">Nora</podcast:person>', '<podcast:person role="guest">Ali</podcast:person>')
    items = [f"<title>{i}</title><guid>{i}</guid>{SOUND.format(i)}" for i in range(3)]
    found = show(items[0] + host + guest, items[1] + host, items[2], of_show=host)
    assert [credit.person.name for credit in found.info.credits] == ["Nora"]
    assert [[credit.person.name for credit in item.info.credits] for item in found.items] == [[], [], ["Ali"]]
    alone = show(items[0] + guest, items[1], of_show=host)
    assert alone.info.credits == ()
    assert [[credit.person.name for credit in item.info.credits] for item in alone.items] == [["Nora"], ["Ali"]]


def test_a_serial_show_says_which_episodes_lack_a_number() -> None:
    found = show(f"<title>a</title><guid>1</guid>{SOUND.format(1)}", of_show="<itunes:type>serial</itunes:type>")
    assert "has no number in a serial show" in told(found, "a")


def test_a_number_that_stands_twice_is_the_elders() -> None:
    items = [f"<title>t{i}</title><guid>{i}</guid>{SOUND.format(i)}<itunes:episode>4</itunes:episode>" for i in (2, 1)]
    found = show(*items)
    assert [item.info.number for item in found.items] == [4, None]
    assert "has the same number as t1" in told(found, "t2")


def test_what_has_no_place_is_told_by_its_tag() -> None:
    found = show(f"<title>a</title>{SOUND.format(1)}<podcast:value type='x'/>", of_show="<podcast:liveItem/>")
    assert "item <podcast:value type=>, 1 time" in told(found, "show") and "<podcast:liveItem>, 1 time" in told(found, "show")


@pytest.mark.parametrize("inside", ["", "<item><title>a</title></item>", '<item><enclosure url="ftp://x/1.mp3"/></item>'])
def test_a_feed_without_a_sound_is_refused(inside: str) -> None:
    with pytest.raises(CauserieError, match="has no episode with audio"):
        convert_feed(f"{HEAD}<channel><title>T</title>{inside}</channel></rss>".encode(), "x")


@given(
    st.lists(
        st.tuples(st.one_of(st.text(max_size=120), st.sampled_from(["a", "a 2", "show", "Guides", "lock", "!"])), st.text()), max_size=12
    )
)
@settings(max_examples=40, deadline=None)
def test_slugs_are_usable_unique_and_not_reserved(found: list[tuple[str, str]]) -> None:
    given = assign_slugs(found)
    assert len(set(given)) == len(found)
    assert all(is_slug(slug) and slug not in RESERVED_SLUGS for slug in given)


def test_slugs_of_older_episodes_stay_when_a_newer_one_has_their_title() -> None:
    before = assign_slugs([("Météo", "1"), ("Météo", "2")])
    assert assign_slugs([("Météo", "1"), ("Météo", "2"), ("Météo", "3")])[:2] == before == ["meteo", "meteo-2"]


LINE = st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="<>&"), min_size=1, max_size=30)
ROLE = st.sampled_from([(role, group) for group, roles in TAXONOMY.items() for role in roles])
PEOPLE = st.lists(LINE, min_size=1, max_size=4, unique_by=str.casefold)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, FILE.published.tzinfo]))


@st.composite
def episodes(draw: st.DrawFn) -> tuple[tuple[EpisodeInfo, tuple[Chapter, ...]], ...]:
    """Episodes as `catalog.read` may give them: hosts first, numbers once."""
    names = draw(PEOPLE)
    made = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        credits = {Credit(Person(name, name), *draw(ROLE)): None for name in draw(st.lists(st.sampled_from(names), max_size=3))}
        starts = sorted(draw(st.sets(st.integers(1, 9000), max_size=4)))
        marks = tuple(Chapter(start, draw(LINE)) for start in (0, *starts))
        title, guid = draw(LINE), draw(st.text(st.characters(exclude_categories=("C",)), min_size=1).filter(str.strip))
        when = draw(MOMENTS).replace(microsecond=0)
        summary, text = draw(LINE), "\n\n".join(draw(st.lists(LINE, max_size=3)))
        made.append(
            (
                EpisodeInfo(f"e-{number}", title, summary, when, number, 1, "full", "", text, False, (NORA, *credits), f"{number}{guid}"),
                marks,
            )
        )
    return tuple(made)


@given(episodes(), LINE)
@settings(max_examples=30, deadline=None)
def test_what_our_own_feed_says_comes_back(made: tuple[tuple[EpisodeInfo, tuple[Chapter, ...]], ...], name: str) -> None:
    feed = told_as_feed(replace(SHOW, title=name), *(published(episode, marks) for episode, marks in made))
    found = convert_feed(feed, "feed.xml", "https://example.org/guichet/feed.xml")
    assert found.info.title == name
    back = {item.info.guid: item for item in found.items}
    assert back.keys() == {episode.guid for episode, _ in made}
    for episode, marks in made:
        item = back[episode.guid]
        assert (item.info.title, item.info.summary, item.info.number, item.info.season) == (
            episode.title,
            episode.summary,
            episode.number,
            1,
        )
        assert item.info.published == episode.published and item.info.published.utcoffset() == episode.published.utcoffset()
        assert [(mark.start_s, mark.title) for mark in item.chapters] == [(mark.start_s, mark.title) for mark in marks]
        assert {(c.person.name, c.role, c.group) for c in (*found.info.credits, *item.info.credits)} == {
            (c.person.name, c.role, c.group) for c in episode.credits
        }
        assert item.info.description in ("", episode.description)


def test_the_show_of_our_own_feed_comes_back_whole() -> None:
    feed = told_as_feed(SHOW, published(FILE), published(VOICE))
    found = convert_feed(feed, "feed.xml", "https://example.org/guichet/feed.xml")
    keys = {"nora-belkacem": NORA.person, "malik-sorensen": MALIK.person}
    assert {person.key: replace(person, key=keys[person.key].key) for person in found.people} == keys
    back = replace(found.info, credits=(), guid="", license=SHOW.license)
    assert back == ShowInfo(**{**vars(SHOW), "credits": ()})
    assert found.items[0].info.description == FILE.description and found.items[0].chapters == MARKS


@pytest.mark.parametrize(
    ("files", "sound"),
    [
        ((("5.jpg", "image/jpeg"), ("5.mp3", "audio/mpeg")), "5.mp3"),
        ((("a.mp4", "video/mp4"), ("a.ogg", "application/ogg")), "a.ogg"),
        ((("a.bin", ""), ("a.mp3", "application/octet-stream")), "a.mp3"),
        ((("a", ""), ("b.pdf", "application/pdf")), "a"),
        ((("a.mp3", "text/plain"),), "a.mp3"),
        ((("one.mp3", "audio/mpeg"), ("two.mp3", "audio/mpeg")), "one.mp3"),
    ],
)
def test_the_sound_of_several_enclosures_is_the_episodes(files: tuple[tuple[str, str], ...], sound: str) -> None:
    enclosures = "".join(f'<enclosure url="https://example.org/{name}" type="{kind}"/>' for name, kind in files)
    found = show(f"<title>a</title><guid>g</guid>{enclosures}")
    assert found.items[0].enclosure.url == f"https://example.org/{sound}"
    assert all(name in told(found, "a") for name, _ in files if len(files) > 1)


def test_an_item_with_a_picture_alone_is_no_episode() -> None:
    picture = '<enclosure url="https://example.org/a.jpg" type="image/jpeg"/>'
    assert "“picture” has no audio" in told(show(f"<title>picture</title>{picture}", f"<title>a</title>{SOUND.format(1)}"), "show")


def test_a_bonus_leaves_its_number_to_the_full_episode() -> None:
    numbered = "<itunes:season>1</itunes:season><itunes:episode>4</itunes:episode><pubDate>{}, 06:00:00 +0100</pubDate>"
    bonus = f"<title>bonus</title><itunes:episodeType>bonus</itunes:episodeType>{SOUND.format(1)}{numbered.format('2 Mar 2026')}"
    found = show(f"<title>full</title>{SOUND.format(2)}{numbered.format('3 Mar 2026')}", bonus)
    assert {item.info.slug: item.info.number for item in found.items} == {"bonus": None, "full": 4}
    assert "has the same number as full, 4" in told(found, "bonus")


def test_a_text_that_is_long_and_alone_is_kept() -> None:
    text = "Une phrase de notes. " * 300
    found = show(f"<title>a</title><description>{text}</description>{SOUND.format(1)}")
    assert found.items[0].info.description == text.strip() and found.items[0].info.summary.startswith("Une phrase")


def test_a_text_beyond_every_limit_is_shortened_and_told() -> None:
    found = show(f"<title>a</title><description>{'mot ' * 20_000}</description>{SOUND.format(1)}")
    assert len(found.items[0].info.description) > 49_000 and "characters are shortened to 50000" in told(found, "a")


@pytest.mark.parametrize(
    "text",
    [
        "℗ &amp; © 2014 Jean &amp; Fils",
        "© 2014-2026 Jean &amp; Fils",
        "Copyright (c) 2020, Jean &amp; Fils. All rights reserved.",
        "(P) et (C) 2021 par Jean &amp; Fils",
    ],
)
def test_the_copyright_is_the_holder_alone(text: str) -> None:
    assert show(f"<title>a</title>{SOUND.format(1)}", of_show=f"<copyright>{text}</copyright>").info.copyright == "Jean & Fils"
