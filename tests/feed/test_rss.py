"""The feed, read by the XML library, by podcastparser and by feedparser."""

from __future__ import annotations

import os
import re
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import feedparser
import podcastparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pipeline.engine.files import write_json
from pipeline.feed.ledger import read_publication
from pipeline.feed.namespaces import NAMESPACES
from pipeline.feed.rss import render_feed, write_feed
from pipeline.feed.rss_item import DESCRIPTION_BYTES, FeedContext, FeedEpisode, html_paragraphs, item_description
from pipeline.feed.subscriber_changes import describe_changes
from pipeline.model.feed import ChannelOptions, FeedVariant
from pipeline.model.show import Chapter, Credit, EpisodeInfo, Person, ShowInfo, Soundbite
from pipeline.publish.release import MEDIA_TYPES, Release, ReleaseFile, write_release
from pipeline.transcript.chapters import chapters_to_json

GOLDEN = Path(__file__).parents[1] / "golden" / "feed"
NS = {**NAMESPACES, "atom": "http://www.w3.org/2005/Atom"}
NORA = Credit(Person("nora", "Nora Belkacem", "https://example.org/nora", "https://example.org/nora.jpg"), "Host", "Cast")
MALIK = Credit(Person("malik", "Malik Sørensen"), "Sound Designer", "Audio Post-Production")
SHOW = ShowInfo(
    title="Demain, le guichet",
    description="Ce que deviennent les guichets\u202f: archives, rues, fictions.\n\nUne série en trois épisodes.",
    author="Mission & prospective",
    website="https://example.org/guichet/",
    email="podcast@example.org",
    copyright="Ville d’Orvalle",
    license="cc-by-4.0",
    categories=(("Society & Culture", "Documentary"), ("Government",)),
    cover_alt="Un ticket d’attente, numéro 42",
    credits=(NORA,),
)
FILE = EpisodeInfo(
    slug="la-file",
    title="La file d’attente",
    summary="Nous prenons un ticket.",
    published=datetime(2026, 1, 15, 19, 30, tzinfo=timezone(timedelta(hours=1))),
    number=1,
    season=2,
    description="Nous prenons un ticket, et nous attendons.\n\n«\u202fJe leur apprendrai à dire bonjour\u202f!\u202f»",
    credits=(NORA, MALIK),
)
VOICE = EpisodeInfo("une-voix", "Une voix <au bout> & du fil", "Bientôt.", datetime(2026, 2, 1, 6, 0, tzinfo=UTC), kind="trailer")
MARKS = (Chapter(0, "Ouverture"), Chapter(20, "L’archive & le reste", "https://example.org/a?b=1&c=2"), Chapter(90, "Fiction"))
ROLES = {
    "audio": ("{0}/{0}-0123456789.mp3", "audio/mpeg"),
    "light": ("{0}/{0}-0123456789.opus", "audio/ogg"),
    **{f"transcript_{form}": (f"{{0}}/transcript-0123456789.{form}", MEDIA_TYPES[f".{form}"]) for form in ("html", "json", "srt", "vtt")},
    "chapters": ("{0}/chapters-0123456789.json", "application/json+chapters"),
}


def release(slug: str) -> Release:
    """An episode's release, as long as a real one."""
    files = (ReleaseFile(role, key.format(slug), f"src/{role}", 1_331_200, "ab" * 32, kind) for role, (key, kind) in ROLES.items())
    return Release(slug, 95.62, tuple(files))


def made(tmp_path: Path, episodes: tuple[EpisodeInfo, ...], show: ShowInfo = SHOW) -> bytes:
    """The feed that the step writes."""
    for episode in episodes:
        write_release(tmp_path / f"{episode.slug}.json", release(episode.slug))
        write_json(tmp_path / f"{episode.slug}.chapters.json", chapters_to_json(MARKS))
    cover = ReleaseFile("cover", "cover-0123456789.jpg", "cover.jpg", 1, "00", "image/jpeg")
    write_release(tmp_path / "cover.json", Release("", 0.0, (cover,)))
    paths = [tmp_path / f"{episode.slug}.json" for episode in episodes]
    marks = [tmp_path / f"{episode.slug}.chapters.json" for episode in episodes]
    write_feed(tuple(paths), tmp_path / "cover.json", tuple(marks), feed=tmp_path / "feed.xml", show=show, episodes=episodes)
    return (tmp_path / "feed.xml").read_bytes()


def published(episode: EpisodeInfo, marks: tuple[Chapter, ...] = MARKS) -> FeedEpisode:
    """The same in memory."""
    return FeedEpisode(episode, 95.62, {file.role: vars(file) for file in release(episode.slug).files}, marks)


def find(data: bytes, path: str) -> list[Any]:
    """What an XPath finds in the feed."""
    return etree.fromstring(data).xpath(path, namespaces=NS)


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    """A feed of two episodes, given oldest first."""
    return made(tmp_path, (FILE, VOICE))


@pytest.mark.parametrize(("name", "episodes"), [("two-episodes", (FILE, VOICE)), ("none", ())])
def test_the_feed_is_the_one_that_was_looked_at(tmp_path: Path, name: str, episodes: tuple[EpisodeInfo, ...]) -> None:
    golden = GOLDEN / f"{name}.xml"
    found = made(tmp_path, episodes)
    if os.environ.get("CAUSERIE_GOLDEN") == "write":
        golden.write_bytes(found)
    assert found.decode() == golden.read_text("utf-8")


def test_the_same_values_make_the_same_bytes(tmp_path: Path, data: bytes) -> None:
    assert made(tmp_path, (FILE, VOICE)) == data


def test_podcastparser_reads_the_newest_first_with_audio_and_chapters(data: bytes) -> None:
    parsed = podcastparser.parse("https://example.org/guichet/feed.xml", BytesIO(data))
    assert (parsed["title"], parsed["link"], parsed["language"]) == (SHOW.title, SHOW.website, "fr")
    assert parsed["cover_url"] == "https://example.org/guichet/cover-0123456789.jpg"
    assert [episode["title"] for episode in parsed["episodes"]] == [VOICE.title, FILE.title]
    first = parsed["episodes"][1]
    assert first["published"] == FILE.published.timestamp()
    assert (first["total_time"], first["number"], first["explicit"]) == (96, 1, False)
    assert first["enclosures"][0] == {
        "url": "https://example.org/guichet/la-file/la-file-0123456789.mp3",
        "file_size": 1_331_200,
        "mime_type": "audio/mpeg",
    }
    assert [(chapter["start"], chapter["title"]) for chapter in first["chapters"]] == [(mark.start_s, mark.title) for mark in MARKS]


def test_feedparser_finds_nothing_wrong(data: bytes) -> None:
    parsed = feedparser.parse(data)
    assert not parsed.bozo and parsed.version == "rss20"
    assert [entry.link for entry in parsed.entries] == ["https://example.org/guichet/une-voix/", "https://example.org/guichet/la-file/"]
    assert [tag.term for tag in parsed.feed.tags] == ["Society & Culture", "Documentary", "Government"]


def test_namespaces_have_the_names_that_apple_matches(data: bytes) -> None:
    start = data[:700].decode()
    assert start.startswith("<?xml version='1.0' encoding='UTF-8'?>\n<rss ")
    for prefix, address in {**NS, "content": "http://purl.org/rss/1.0/modules/content/"}.items():
        assert f'xmlns:{prefix}="{address}"' in start
    assert b"ns0" not in data and data.count(b"xmlns:itunes") == 1


def test_what_is_explicit_is_said_as_true_or_false_once_everywhere(tmp_path: Path) -> None:
    data = made(tmp_path, (replace(FILE, explicit=True), VOICE))
    assert find(data, "//channel/itunes:explicit/text()") == ["false"]
    assert find(data, "//item/itunes:explicit/text()") == ["false", "true"]


def test_no_date_comes_from_the_clock(tmp_path: Path, data: bytes) -> None:
    newest = "Sun, 01 Feb 2026 06:00:00 +0000"
    assert find(data, "//channel/lastBuildDate/text()|//channel/pubDate/text()") == [newest, newest]
    assert find(data, "//item/pubDate/text()") == [newest, "Thu, 15 Jan 2026 19:30:00 +0100"]
    assert find(made(tmp_path, ()), "//lastBuildDate|//pubDate|//item") == []


def test_transcripts_come_vtt_first_and_name_their_language(data: bytes) -> None:
    found = [dict(tag.attrib) for tag in find(data, "//item[2]/podcast:transcript")]
    assert [tag["url"].rpartition(".")[2] for tag in found] == ["vtt", "srt", "json", "html"]
    assert {tag["language"] for tag in found} == {"fr"}
    assert [tag.get("rel") for tag in found] == ["captions", "captions", None, None]
    assert found[3]["type"] == "text/html"


def test_a_translation_is_listed_last_in_its_language_and_said_to_be_a_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROLES, "transcript_en_vtt", ("{0}/transcript-fedcba9876.vtt", "text/vtt"))
    translated = made(tmp_path, (FILE,))
    last = find(translated, "//item/podcast:transcript")[-1]
    assert (last.get("language"), last.get("rel"), last.get("url")[-14:]) == ("en", "captions", "fedcba9876.vtt")
    assert "Sous-titres en anglais\u00a0: traduction automatique." in find(translated, "//item/description/text()")[0]


def test_episodes_restate_the_hosts(data: bytes) -> None:
    assert find(data, "//channel/podcast:person/text()") == ["Nora Belkacem"]
    people = find(data, "//item[2]/podcast:person")
    assert [(tag.text, tag.get("role"), tag.get("group")) for tag in people] == [
        ("Nora Belkacem", "host", "cast"),
        ("Malik Sørensen", "sound designer", "audio post-production"),
    ]
    assert people[0].get("img") == "https://example.org/nora.jpg" and "img" not in people[1].attrib


def test_the_light_version_carries_its_digest(data: bytes) -> None:
    (light,) = find(data, "//item[2]/podcast:alternateEnclosure")
    assert light.get("length") == "1331200" and len(light.get("title")) <= 32
    assert light[0].get("uri") == "https://example.org/guichet/la-file/la-file-0123456789.opus"
    kind, _, digest = light[1].get("value").partition("-")
    assert (light[1].get("type"), kind, b64decode(digest).hex()) == ("sri", "sha256", "ab" * 32)


def test_identities_are_the_ledgers_else_those_it_would_give(tmp_path: Path, data: bytes) -> None:
    kept = made(tmp_path, (replace(FILE, guid="https://old.example/?p=1"),), replace(SHOW, guid="0d1f1b9e-0000-5000-8000-000000000000"))
    assert find(kept, "//podcast:guid/text()|//guid/text()") == ["0d1f1b9e-0000-5000-8000-000000000000", "https://old.example/?p=1"]
    assert find(data, "//guid/@isPermaLink") == ["false", "false"]
    renamed = made(tmp_path, (replace(FILE, title="Autre titre"), VOICE))
    assert find(renamed, "//guid/text()") == find(data, "//guid/text()")


def test_a_new_title_repeats_no_download(tmp_path: Path, data: bytes) -> None:
    before, after = (
        read_publication(bytes_, at=FILE.published, target="public")
        for bytes_ in (data, made(tmp_path, (replace(FILE, title="Autre titre"), VOICE)))
    )
    assert describe_changes(before, after) == ("1 text corrected, 0 downloads repeated", "  corrected: Autre titre")


def test_a_description_has_paragraphs_chapters_and_the_way_to_the_transcript() -> None:
    lines = re.findall(r"<p>(.*?)</p>", item_description(published(FILE), "https://example.org/guichet/la-file/", "fr"))
    assert lines == [
        "Nous prenons un ticket, et nous attendons.",
        "«\u202fJe leur apprendrai à dire bonjour\u202f!\u202f»",
        "00:00:00 Ouverture",
        "00:00:20 L’archive &amp; le reste",
        "00:01:30 Fiction",
        '<a href="https://example.org/guichet/la-file/">Lire la transcription</a>',
    ]


def test_a_long_description_is_cut_after_a_word_and_keeps_its_chapters() -> None:
    long = published(replace(FILE, description="été & hiver " * 900))
    html = item_description(long, "https://example.org/", "fr")
    assert DESCRIPTION_BYTES - 20 < len(html.encode()) <= DESCRIPTION_BYTES
    assert re.search(r" (été|&amp;|hiver)…</p><p>00:00:00", html) and html.endswith("</a></p>")


@pytest.mark.parametrize(
    ("count", "title_length", "is_listed"),
    [(2, 5, False), (3, 5, True), (50, 34, True), (50, 35, False)],  # 7 bytes of tags, 9 of the time and its space
)
def test_chapters_are_listed_from_three_and_up_to_their_share_of_bytes(count: int, title_length: int, is_listed: bool) -> None:
    marks = tuple(Chapter(60 * number, "x" * title_length) for number in range(count))
    html = item_description(published(FILE, marks), "https://example.org/", "fr")
    lines = [f"<p>{number // 60:02}:{number % 60:02}:00 {'x' * title_length}</p>" for number in range(count)]
    assert ("".join(lines) in html) is is_listed and ("xxx" in html) is is_listed
    assert html.endswith("</a></p>") and html.startswith("<p>Nous prenons")


def test_accents_count_double_in_a_list_of_chapters() -> None:
    marks = tuple(Chapter(60 * number, "é" * 20) for number in range(50))
    assert "é" * 20 not in item_description(published(FILE, marks), "https://example.org/", "fr")


@pytest.mark.parametrize(("duration_s", "text"), [(0.0, "1"), (0.4, "1"), (1.4, "1"), (95.4, "95"), (95.62, "96"), (3600.0, "3600")])
def test_a_duration_is_in_whole_seconds_and_at_least_one(duration_s: float, text: str) -> None:
    assert find(told(SHOW, replace(published(FILE), duration_s=duration_s)), "//itunes:duration/text()") == [text]


def test_a_bitrate_follows_from_the_bytes_and_the_duration() -> None:
    rates = [
        find(told(SHOW, replace(published(FILE), duration_s=duration_s)), "//podcast:alternateEnclosure/@bitrate")
        for duration_s in (95.62, 0.5)
    ]
    assert rates == [["111374"], ["10649600"]]


def test_a_soundbite_has_its_times_without_needless_zeros() -> None:
    bites = (Soundbite(31.5, 60.0, "Un"), Soundbite(0.0, 0.1234, ""), Soundbite(600.0, 20.0, ""))
    found = find(told(SHOW, replace(published(FILE), soundbites=bites)), "//podcast:soundbite")
    assert [(tag.get("startTime"), tag.get("duration"), tag.text) for tag in found] == [
        ("31.5", "60", "Un"),
        ("0", "0.123", None),
        ("600", "20", None),
    ]


@given(st.text(max_size=400), st.integers(0, 300))
@settings(max_examples=100)
def test_paragraphs_never_pass_their_limit_and_are_well_formed(text: str, limit_bytes: int) -> None:
    html = html_paragraphs(text, limit_bytes)
    assert len(html.encode()) <= limit_bytes
    assert re.fullmatch(r"(?:<p>(?:[^<>&]|&(?:amp|lt|gt);)+</p>)*", html)


HOSTILE = st.one_of(
    st.text(min_size=1, max_size=40),
    st.sampled_from(
        ["]]>", "a]]>b", "<script>&amp;", "\x00\x0b\ufffe", "👩‍🚒 🇫🇷", "שלום \u202eevil\u202c", "\ud800", "&lt;b&gt;", "a\r\nb"]
    ),
)


def told(show: ShowInfo, *ones: FeedEpisode) -> bytes:
    """A feed in memory."""
    newest = sorted(ones, key=lambda one: one.episode.published, reverse=True)
    whole = FeedContext(show, ChannelOptions(), ({"key": "c.jpg", "type": "image/jpeg"},), FeedVariant("feed", key="feed.xml"))
    return render_feed(whole, [one.episode for one in newest], (), newest)


PLAIN = told(SHOW, published(FILE))


@given(HOSTILE, HOSTILE, HOSTILE)
@settings(max_examples=100, deadline=None)
def test_whatever_a_stranger_types_survives_or_is_left_out(title: str, name: str, chapter: str) -> None:
    credits = (Credit(Person("x", name), "Guest", "Cast"),)
    episode = replace(FILE, title=f"T{title}", summary=f"R{title}", credits=credits)
    data = told(replace(SHOW, title=f"S{title}", cover_alt=name), published(episode, (Chapter(0, f"C{chapter}"),)))
    kept = re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", f"T{title}")
    assert find(data, "//item/title")[0].text == kept
    parsed = podcastparser.parse("https://example.org/feed.xml", BytesIO(data))
    assert parsed["episodes"][0]["title"] == podcastparser.squash_whitespace(kept)
    assert {tag.tag for tag in find(data, "//item/*")} == {tag.tag for tag in find(PLAIN, "//item/*")}


def test_a_light_copy_that_could_not_be_made_is_not_in_the_feed(tmp_path: Path) -> None:
    whole = release(FILE.slug)
    write_release(tmp_path / "r.json", replace(whole, files=tuple(file for file in whole.files if file.role != "light")))
    write_json(tmp_path / "c.json", chapters_to_json(MARKS))
    write_release(
        tmp_path / "cover.json", Release("", 0.0, (ReleaseFile("cover", "cover-0123456789.jpg", "c.jpg", 1, "00", "image/jpeg"),))
    )
    places = {"feed": tmp_path / "feed.xml"}
    write_feed((tmp_path / "r.json",), tmp_path / "cover.json", (tmp_path / "c.json",), **places, show=SHOW, episodes=(FILE,))
    assert b".opus" not in (tmp_path / "feed.xml").read_bytes()


def test_a_feed_of_aac_gives_the_mp3_of_an_episode_that_has_no_aac() -> None:
    episode = published(FILE)
    assert episode.audio("m4a")["role"] == "audio"
    with_aac = replace(episode, files={**episode.files, "m4a": {**episode.files["audio"], "role": "m4a"}})
    assert with_aac.audio("m4a")["role"] == "m4a"
