"""What a person writes for the feed only, right and wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.feed import TAG_KEYS
from pipeline.config.loader import load_config, read_config
from pipeline.feed.namespaces import TAG_SPECS as ROWS
from pipeline.model.feed import FeedImage, FeedTag, FeedVariant
from tests.config.test_loader import EPISODE, SHOW, add

MAIL = 'email = "nous@example.org"\n'
FEED = """
[feed]
medium = "audiobook"
locked = false
owner = true
hidden = true
complete = true
moved_to = "https://new.example.org/feed.xml"
built = 2026-02-01T06:00:00+01:00
license_url = "https://example.org/licence"
not_on = ["amazon"]
podroll = [{ guid = "917393e3-1b1e-5cef-ace4-edaa54e1f810", url = "https://b.example/feed.xml" }]
publisher = { guid = "917393e3-1b1e-5cef-ace4-edaa54e1f810" }
[[feed.funding]]
url = "https://example.org/soutien"
text = "Soutenir"
[[feed.locations]]
name = "Orvalle"
geo = "geo:48.85,2.35"
country = "FR"
[[feed.notes]]
purpose = "verify"
text = "abc"
[[feed.social]]
protocol = "activitypub"
priority = 1
url = "https://social.example/@x/1"
[feed.updates]
text = "Chaque mardi"
start = 2026-01-06
rule = "FREQ=WEEKLY;BYDAY=TU"
[[feed.images]]
file = "cover.png"
alt = "Un guichet"
purpose = "banner social"
[seasons]
1 = "Les guichets"
[[feeds]]
name = "leger"
audio = "light"
[[feeds]]
name = "saison-1"
moved_to = "https://new.example.org/s1.xml"
season = 1
private = true
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A show with everything a feed can be told."""
    (tmp_path / "show.toml").write_text(MAIL + SHOW + FEED)
    (tmp_path / "cover.png").write_bytes(b"x")
    add(tmp_path, "un", EPISODE.replace("number = 1", "number = 1\nseason = 1"))
    return tmp_path


def mistakes(root: Path) -> list[str]:
    return [str(problem) for problem in read_config(root)[1]]


def test_all_of_it_is_read(root: Path) -> None:
    feed = load_config(root).feed
    assert (feed.medium, feed.locked, feed.hidden, feed.complete) == ("audiobook", False, True, True)
    assert feed.moved_to == "https://new.example.org/feed.xml" and feed.built.isoformat() == "2026-02-01T06:00:00+01:00"
    assert feed.seasons == ((1, "Les guichets"),)
    assert feed.others == (
        FeedVariant("leger", audio="light"),
        FeedVariant("saison-1", season=1, private=True, moved_to="https://new.example.org/s1.xml"),
    )
    assert feed.images == (FeedImage("cover.png", "Un guichet", "banner social"),)
    assert FeedTag("podcast:funding", "Soutenir", (("url", "https://example.org/soutien"),)) in feed.tags
    assert FeedTag("podcast:location", "Orvalle", (("geo", "geo:48.85,2.35"), ("country", "FR"))) in feed.tags
    dated = {"dtstart": "2026-01-06", "rrule": "FREQ=WEEKLY;BYDAY=TU"}
    assert [dict(tag.attributes) for tag in feed.tags if tag.tag == "podcast:updateFrequency"] == [dated]
    assert [dict(tag.attributes)["priority"] for tag in feed.tags if tag.tag == "podcast:socialInteract"] == ["1"]
    assert [tag.inside for tag in feed.tags if tag.tag == "podcast:remoteItem"] == ["podcast:podroll", "podcast:publisher"]
    assert feed.tags[-1] == FeedTag("podcast:block", "yes", (("id", "amazon"),))


def test_an_episode_says_its_own(root: Path) -> None:
    add(
        root,
        "un",
        EPISODE + '[feed]\nnumber_label = "1 bis"\nlicense = "CC0-1.0"\n[[feed.elsewhere]]\nurl = "https://v.example/1"\ntext = "Vidéo"\n',
    )
    (root / "show.toml").write_text(SHOW)
    options = load_config(root).episodes[0].feed
    assert (options.number_label, options.license, options.tags) == (
        "1 bis",
        "cc0-1.0",
        (FeedTag("podcast:contentLink", "Vidéo", (("href", "https://v.example/1"),)),),
    )


@pytest.mark.parametrize(("written", "kept"), [("CC-BY-4.0", "cc-by-4.0"), ("Usage libre à Orvalle", "Usage libre à Orvalle")])
def test_a_licence_of_ones_own_keeps_its_words(root: Path, written: str, kept: str) -> None:
    (root / "show.toml").write_text(f'license = "{written}"\n' + MAIL + SHOW + FEED)
    assert load_config(root).info.license == kept


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('url = "https://example.org/soutien"', "", "show.toml: feed.funding[1].url: is missing; add it, as text in quotes"),
        (
            'url = "https://example.org/soutien"',
            'url = "javascript:1"',
            "show.toml: feed.funding[1].url: cannot be “javascript:1”; write it",
        ),
        ('text = "Soutenir"', f'text = "{"x" * 129}"', "show.toml: feed.funding[1].text: has 129 characters; shorten it to 128"),
        ('geo = "geo:48.85,2.35"', 'geo = "48.85"', "show.toml: feed.locations[1].geo: cannot be “48.85”; write it like geo:48.85,2.35"),
        ('country = "FR"', 'country = "France"', "show.toml: feed.locations[1].country: cannot be “France”; write it like FR"),
        (MAIL, "", "show.toml: feed.owner: needs an email address to publish; set email in show.toml"),
        ('medium = "audiobook"', 'medium = "podcats"', "show.toml: feed.medium: cannot be podcats; did you mean “podcast”?"),
        ('url = "https://social.example/@x/1"', "", "show.toml: feed.social[1].url: is missing; give the URL of the post"),
        ('"banner social"', '"baner"', "show.toml: feed.images[1].purpose: “baner” is not a purpose of an image; use artwork, social"),
        ('file = "cover.png"\nalt', 'file = "no.png"\nalt', "show.toml: feed.images[1].file: there is no file no.png"),
        ('1 = "Les', 'un = "Les', "show.toml: seasons.un: is not a season number"),
        ('name = "leger"', 'name = "Léger"', "show.toml: feeds[1].name: “Léger” is not a valid name of a feed; try leger"),
        ('name = "leger"', 'name = "saison-1"', "show.toml: feeds[2].name: “saison-1” is already the name of another feed"),
        ('audio = "light"', 'audio = "m4a"', "show.toml: feeds[1].audio: asks for AAC, which the show does not make; add m4a_kbps"),
        ("season = 1\nprivate", "season = 2\nprivate", "show.toml: feeds[2].season: no episode is of season 2"),
        ('["amazon"]', '["Amazon Music"]', "show.toml: feed.not_on: “Amazon Music” is not a valid service name"),
        ("hidden = true", "hiden = true", "show.toml: feed.hiden: is not a key Causerie knows; did you mean “hidden”?"),
        ("built = 2026-02-01T06:00:00+01:00", "built = 2026-02-01", "show.toml: feed.built: 2026-02-01 has no time"),
    ],
)
def test_each_mistake_is_a_sentence_that_names_the_key(root: Path, before: str, after: str, sentence: str) -> None:
    text = (root / "show.toml").read_text()
    assert before in text
    (root / "show.toml").write_text(text.replace(before, after, 1))
    assert [line for line in mistakes(root) if line.startswith(sentence)], mistakes(root)


def test_what_the_documentation_shows_is_read_without_a_mistake(root: Path) -> None:
    show, episode, feeds = re.findall(r"```toml\n(.*?)```", (Path(__file__).parents[2] / "docs/feed.md").read_text("utf-8"), re.S)
    (root / "bandeau.png").write_bytes(b"x")
    add(root, "un", EPISODE + episode.split("[feed]")[0].replace('cover = "couverture.jpg"', 'cover = "../../cover.png"'))
    before, after = show.split("[seasons]")
    (root / "show.toml").write_text(before + SHOW + "[seasons]" + after + feeds)
    text = (root / "episodes/un/episode.toml").read_text()
    head, tail = text.split("[[recordings]]", 1)
    tables, keys = tail.split("cover =", 1)
    (root / "episodes/un/episode.toml").write_text(f"{head}cover ={keys}[[recordings]]{tables}[feed]{episode.split('[feed]')[1]}")
    assert mistakes(root) == []


def test_every_kind_of_tag_a_person_may_write_is_one_that_can_be_written() -> None:
    for row in TAG_KEYS.values():
        tag = ROWS[row.tag]
        assert {attribute for attribute, _ in row.keys.values()} <= {*tag.required, *tag.optional}
        assert row.max_chars <= tag.max_chars or not row.text
        assert not row.in_channel or row.parent or "channel" in tag.parents
        assert not row.in_item or "item" in tag.parents


@given(st.text(max_size=20), st.sampled_from(["url", "text"]))
@settings(max_examples=50, deadline=None)
def test_whatever_is_typed_there_is_read_or_refused_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, typed: str, key: str) -> None:
    from pipeline.config.feed import read_channel_options
    from pipeline.config.table import Table

    problems: list = []
    values = {"feed": {"funding": [{"url": "https://x.example/", "text": "x", key: typed}]}}
    (tag,) = read_channel_options(Table(values, "show.toml", problems), tmp_path_factory.getbasetemp(), "", "").tags
    assert problems or (tag.text if key == "text" else dict(tag.attributes)["url"]) == typed.strip()


def test_every_tag_that_has_a_key_can_be_written():
    assert TAG_KEYS and {row.tag for row in TAG_KEYS.values()} <= ROWS.keys()
