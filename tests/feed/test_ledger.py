"""Identities that never change, and what subscribers were given."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feed import ledger as ledgers
from pipeline.feed.ledger import (
    Ledger,
    PublicationRecord,
    PublishedItem,
    adopt_guids,
    assign_feed_keys,
    assign_guids,
    load_ledger,
    podcast_guid,
    read_publication,
    record_publication,
    save_ledger,
)
from pipeline.feed.subscriber_changes import describe_changes, refuse_changed_guids
from pipeline.model.errors import CauserieError

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
A, B = PublishedItem("g1", "La file", "https://x/a.mp3", 10, "t1"), PublishedItem("g2", "La voix", "https://x/b.mp3", 20, "t2")


def held(*episodes: PublishedItem, at: datetime = AT, target: str = "public") -> PublicationRecord:
    """A publication of those episodes; its feed's digest follows from them."""
    return PublicationRecord(at, target, repr(episodes), episodes)


@pytest.mark.parametrize(
    ("address", "guid"),
    [
        ("https://podnews.net/rss", "9b024349-ccf0-5f69-a609-6b82873eab3c"),
        ("http://mp3s.nashownotes.com/pc20rss.xml", "917393e3-1b1e-5cef-ace4-edaa54e1f810"),
        ("podcast.example.org/feed.xml//", "375e050f-7f52-5e9b-9cfc-9414515d1a5b"),
        ("HTTPS://podcast.example.org/feed.xml", "375e050f-7f52-5e9b-9cfc-9414515d1a5b"),
    ],
)
def test_a_podcasts_guid_is_the_one_the_namespace_defines(address: str, guid: str) -> None:
    assert podcast_guid(address) == guid


def test_a_guid_outlives_the_address_and_the_order() -> None:
    first = assign_guids(Ledger(), "https://a.example/feed.xml", ["un", "deux"])
    moved = assign_guids(first, "https://b.example/feed.xml", ["trois", "deux", "un"])
    assert moved.feed_url == first.feed_url == "https://a.example/feed.xml"
    assert moved.guid == first.guid == podcast_guid("https://a.example/feed.xml")
    assert {**moved.episodes, **first.episodes} == moved.episodes
    assert len(set(moved.episodes.values())) == 3


def test_an_imported_shows_identities_win_and_new_ones_join_them() -> None:
    imported = adopt_guids(Ledger(), "0d1f1b9e-0000-5000-8000-000000000000", {"un": "https://old.example/?p=1"})
    grown = assign_guids(imported, "https://new.example/feed.xml", ["un", "deux"])
    assert grown.guid == imported.guid and grown.episodes["un"] == "https://old.example/?p=1"


@pytest.mark.parametrize("episodes", [{"un": "other"}, {"deux": "mine"}, {"trois": "x", "quatre": "x"}])
def test_an_identity_is_never_given_twice(episodes: dict[str, str]) -> None:
    with pytest.raises(CauserieError, match=r"^feeds/ledger\.json: episode \w+ cannot have the GUID \w+: one of them is already assigned$"):
        adopt_guids(Ledger("g", "", {"un": "mine"}), "", episodes)


def test_a_show_keeps_its_own_guid() -> None:
    with pytest.raises(CauserieError, match=r"^feeds/ledger\.json: the show's podcast:guid is already g, not h$"):
        adopt_guids(Ledger("g"), "h", {})
    with pytest.raises(CauserieError, match=r"^feeds/ledger\.json: podcast:guid 'h' is not a UUID; leave it out to get a new one$"):
        adopt_guids(Ledger(), "h", {})


def test_the_same_publication_again_adds_nothing() -> None:
    once = record_publication(Ledger(), held(A))
    assert record_publication(once, held(A, at=LATER)) == once
    assert len(record_publication(once, held(A, target="s3://b")).publications) == 2
    assert len(record_publication(record_publication(once, held(A, B)), held(A, at=LATER)).publications) == 3  # a way back is told too


def test_only_the_latest_publication_to_a_target_keeps_its_episodes() -> None:
    kept = Ledger()
    for publication in (held(A), held(A, target="s3://b"), held(A, B, at=LATER)):
        kept = record_publication(kept, publication)
    assert [(one.target, one.episodes) for one in kept.publications] == [("public", ()), ("s3://b", (A,)), ("public", (A, B))]
    assert [(one.at, one.feed_sha256) for one in kept.publications[:1]] == [(AT, held(A).feed_sha256)]
    assert kept.latest("public") == held(A, B, at=LATER)


def test_subscribers_are_told_what_they_will_notice() -> None:
    assert describe_changes(held(A), held(B, A)) == ("1 new episode, 0 downloads repeated", "  new: La voix")
    after = held(replace(B, url="https://x/b2.mp3"), replace(A, title="La queue"))
    assert describe_changes(held(B, A), after) == (
        "1 text corrected, 1 sound replaced, 0 downloads repeated",
        "  corrected: La queue",
        "  replaced: La voix (subscribers who have downloaded it keep the old one)",
    )
    assert describe_changes(held(B, A), held()) == ("2 episodes withdrawn, 0 downloads repeated", "  withdrawn: La voix, La file")
    assert describe_changes(None, held(A, B))[0] == "2 new episodes, 0 downloads repeated"


def test_an_episode_under_another_guid_is_told_apart_from_a_new_one_and_refused() -> None:
    after = held(B, replace(A, guid="g3", url="https://x/renamed.mp3"))
    assert describe_changes(held(B, A), after) == ("1 GUID changed, 1 download repeated", "  changed: La file")
    with pytest.raises(CauserieError, match="1 episode has a different GUID .* download 1 episode again: La file; .*--new-guids"):
        refuse_changed_guids(held(B, A), after)
    refuse_changed_guids(held(A), held(B, A))
    refuse_changed_guids(None, after)


def test_another_identity_of_the_show_is_told_and_refused() -> None:
    before, after = replace(held(A), podcast="p1"), replace(held(A), podcast="p2")
    assert describe_changes(before, after)[1].startswith("  the show has another podcast:guid")
    with pytest.raises(CauserieError, match="was p1 and is now p2"):
        refuse_changed_guids(before, after)
    refuse_changed_guids(held(A), after)  # an older ledger did not keep it


def test_other_feeds_keep_their_address_and_their_guid() -> None:
    tokens = iter(("abc", "def"))
    show = Ledger("0d1f1b9e-0000-5000-8000-000000000000")
    first = assign_feed_keys(show, "https://x/", {"leger": False, "amis": True}, lambda: next(tokens))
    assert {name: feed["key"] for name, feed in first.feeds.items()} == {"leger": "feeds/leger/feed.xml", "amis": "feeds/abc/feed.xml"}
    assert first.feeds["leger"]["guid"] == podcast_guid("https://x/feeds/leger/feed.xml")
    assert assign_feed_keys(first, "https://moved/", {"leger": False, "amis": True}, lambda: next(tokens)) == first
    opened = assign_feed_keys(first, "https://x/", {"amis": False}, lambda: next(tokens))
    assert opened.feeds["amis"] == {"guid": first.feeds["amis"]["guid"], "key": "feeds/amis/feed.xml"}
    assert assign_feed_keys(opened, "https://x/", {"amis": True}, lambda: next(tokens)).feeds["amis"]["key"] == "feeds/def/feed.xml"
    assert assign_feed_keys(show, "https://x/", {"feed": True}, lambda: "z").feeds["feed"] == {"guid": show.guid, "key": "feeds/z/feed.xml"}


def test_of_many_titles_the_first_are_told() -> None:
    many = held(*(replace(A, guid=f"g{i}", title=f"T{i}", url=f"https://x/{i}.mp3") for i in range(25)))
    assert describe_changes(None, many)[1].endswith("T18, T19 and 5 more")


def test_a_show_that_moves_repeats_no_download() -> None:
    moved = held(replace(A, url="https://y/elsewhere/a.mp3"), target="s3://new")
    assert describe_changes(held(A), moved) == ("1 sound moved, 0 downloads repeated", "  moved: La file")


def test_subscribers_are_the_same_at_a_new_target() -> None:
    kept = record_publication(record_publication(Ledger(), held(A)), held(A, B, at=LATER, target="public2"))
    assert kept.baseline("s3://new") == kept.latest("public2") and kept.baseline("public") == kept.latest("public")
    again = record_publication(kept, held(B, at=LATER, target="public3"))
    assert again.baseline("s3://new") == again.latest("public3")  # the last of all, not any
    assert Ledger().baseline("public") is None


def test_nothing_is_said_when_nothing_changes() -> None:
    assert describe_changes(held(A), held(A, at=LATER)) == ()


NO_GUID = '{"version": 1, "podcast": {"guid": "", "feed_url": ""}, "episodes": {"a": ""}, "publications": []}'
A_NUMBER = NO_GUID.replace('"a": ""', '"a": 3')
NOT_A_UUID = '{"version": 1, "podcast": {"guid": "x", "feed_url": ""}, "episodes": {}, "publications": []}'
FEED = """<rss xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><item>
<title>{title}</title><guid>g1</guid><description>{text}</description><podcast:alternateEnclosure length="{length}"/>
<enclosure url="https://x/a.mp3" length="{length}" type="audio/mpeg"/></item></channel></rss>"""


def test_what_the_show_says_of_itself_is_told_and_its_dates_are_not() -> None:
    feed = "<rss><channel><title>{}</title><pubDate>{}</pubDate></channel></rss>".format
    before, dated, renamed = (
        read_publication(data.encode(), at=AT, target="public")
        for data in (feed("Demain", "un"), feed("Demain", "deux"), feed("Hier", "un"))
    )
    assert describe_changes(before, dated) == ()
    assert describe_changes(before, renamed) == ("0 downloads repeated", "  the show: its texts, images or people changed")


def test_a_publication_is_read_from_the_feed_itself() -> None:
    before = read_publication(FEED.format(title="La file", text="un", length=10).encode(), at=AT, target="public")
    assert before.episodes == (replace(A, text_sha256=before.episodes[0].text_sha256),)
    reworded = read_publication(FEED.format(title="La file", text="deux", length=10).encode(), at=AT, target="public")
    assert describe_changes(before, reworded) == ("1 text corrected, 0 downloads repeated", "  corrected: La file")
    louder = read_publication(FEED.format(title="La file", text="un", length=11).encode(), at=AT, target="public")
    assert describe_changes(before, louder)[0] == "1 sound replaced, 0 downloads repeated"


def test_the_record_of_a_publication_has_the_digests_of_earlier_versions() -> None:
    """They are in ledgers: another way to take them would call every text of every show corrected."""
    feed = (
        b'<rss xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><podcast:guid>p1</podcast:guid><title>Demain</title>'
        b"<pubDate>un</pubDate><lastBuildDate>deux</lastBuildDate>"
        b'<item><title>La file</title><guid>g1</guid><enclosure url="https://x/a.mp3" length="10"/></item>'
        b'<item><enclosure url="https://x/b.mp3" length="20"/></item></channel></rss>'
    )
    found = read_publication(feed, at=AT, target="s3://b")
    assert (found.at, found.target, found.podcast, found.feed_sha256) == (AT, "s3://b", "p1", hashlib.sha256(feed).hexdigest())
    assert found.show_sha256 == "75ae655ab6e1355cbd968883466e67e265faf8c93f9bafa97cf026a0c8ed7498"
    assert found.episodes == (
        PublishedItem("g1", "La file", "https://x/a.mp3", 10, "db7ebd104e265ebf533710c592ddfcc9d69e6870f95909f1ae21cc2239fd63b9"),
        PublishedItem("", "", "https://x/b.mp3", 20, "98bb86ea8eb9d5cd70474f18f40c633e87021308c1ac50988f6f22c0bf9ece35"),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<title>Demain</title>", "<title>\n  Demain </title>"),
        ("<title>Demain</title>", "\n\n  <title >Demain</title>\n"),
        ('<link a="1" b="2"/>', '<link b="2" a="1"></link>'),
        ("<lastBuildDate>un</lastBuildDate>", "<lastBuildDate>deux</lastBuildDate>"),
        ("", "<pubDate>un</pubDate>"),
    ],
)
def test_layout_and_dates_are_not_part_of_what_a_show_says(before: str, after: str) -> None:
    first, second = (read_publication(f"<rss><channel>{text}</channel></rss>".encode(), at=AT, target="public") for text in (before, after))
    assert first.show_sha256 == second.show_sha256 and first.podcast == second.podcast == ""


def test_a_feed_without_audio_or_without_channel_is_no_publication() -> None:
    with pytest.raises(CauserieError, match=r"^feed\.xml: has an episode without audio$"):
        read_publication(b"<rss><channel><item><title>La file</title></item></channel></rss>", at=AT, target="public")
    with pytest.raises(ValueError, match="^no channel$"):
        read_publication(b"<rss/>", at=AT, target="public")


@pytest.mark.parametrize(
    "damage",
    [
        '{"version": 1,',
        "[]",
        '{"version": 2}',
        '{"version": 1, "podcast": {}, "episodes": {"a": 3}}',
        "",
        "\x00",
        NOT_A_UUID,
        NO_GUID,
        A_NUMBER,
    ],
)
def test_a_damaged_ledger_is_refused_and_left_alone(tmp_path: Path, damage: str) -> None:
    (tmp_path / "ledger.json").write_text(damage, "utf-8")
    with pytest.raises(
        CauserieError, match=r"ledger\.json: is damaged; it holds the GUIDs of published episodes: restore it from version control$"
    ):
        load_ledger(tmp_path / "ledger.json")
    assert (tmp_path / "ledger.json").read_text("utf-8") == damage


def test_no_ledger_yet_is_an_empty_one(tmp_path: Path) -> None:
    assert load_ledger(tmp_path / "ledger.json") == Ledger()


text = st.text(min_size=1, max_size=12)
givens = st.builds(PublishedItem, text, text, text, st.integers(0), text)
publications = st.builds(
    PublicationRecord, st.datetimes(timezones=st.just(UTC)), text, text, st.lists(givens, max_size=3).map(tuple), text, text
)
feeds = st.dictionaries(text, st.fixed_dictionaries({"guid": text, "key": text}), max_size=2)


@given(
    st.builds(
        Ledger, st.uuids().map(str), text, st.dictionaries(text, text, max_size=4), st.lists(publications, max_size=3).map(tuple), feeds
    )
)
@settings(max_examples=100)
def test_a_ledger_survives_its_json(kept: Ledger) -> None:
    assert ledgers.ledger_from_json(json.loads(json.dumps(ledgers.ledger_to_json(kept)))) == kept


def test_a_saved_ledger_is_loaded_as_it_was(tmp_path: Path) -> None:
    kept = record_publication(assign_guids(Ledger(), "https://a.example/feed.xml", ["un"]), held(A, B))
    save_ledger(tmp_path / "feeds" / "ledger.json", kept)
    assert load_ledger(tmp_path / "feeds" / "ledger.json") == kept


UUID = "917393e3-1b1e-5cef-ace4-edaa54e1f810"


@pytest.mark.parametrize(
    ("episodes", "said"),
    [
        ('{"un": "a",\n"deux": "b",\n"un": "c"}', r"ledger\.json: line 4: has “un” twice; keep the one whose GUID the published feed has"),
        ('{"un": "a", "deux": "a"}', "gives un and deux the same GUID, a, so players would hide one; remove the line"),
    ],
)
def test_a_ledger_that_says_two_things_is_refused_and_left_alone(tmp_path: Path, episodes: str, said: str) -> None:
    content = f'{{"version": 1, "podcast": {{"guid": "{UUID}", "feed_url": ""}},\n"episodes": {episodes}, "publications": []}}'
    (tmp_path / "ledger.json").write_text(content, "utf-8")
    with pytest.raises(CauserieError, match=said):
        load_ledger(tmp_path / "ledger.json")
    assert (tmp_path / "ledger.json").read_text("utf-8") == content
