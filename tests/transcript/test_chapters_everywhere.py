"""One list of chapters and one of credits, read back by independent parsers from every file that carries them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import podcastparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.id3 import ID3
from mutagen.mp4 import MP4
from mutagen.oggopus import OggOpus

from pipeline.audio.tags import tag_m4a, tag_mp3, tag_opus
from pipeline.engine.files import sha256
from pipeline.model.show import Chapter
from pipeline.model.transcript import TimedTranscript
from pipeline.publish.release import read_release, release_episode
from pipeline.transcript.chapters import chapters_from_json, chapters_to_json, write_chapters
from pipeline.transcript.chapters import read_chapters as from_json
from pipeline.transcript.timed_json import write_timed
from tests.audio.test_tags import COVER, EPISODE, SHOW, folder, mp3, read_chapters  # noqa: F401
from tests.feed.test_rss import find, published, told
from tests.publish.test_release import png

pytestmark = pytest.mark.slow

SITE = "https://example.org/guichet/"
BY_HAND = (
    Chapter(0, "Ouverture"),
    Chapter(20.25, "L’archive, 1978 & après", "https://example.org/a"),
    Chapter(40.0014, "«\u202fOù\u202f?\u202f»", "", "p.png"),
)
STARTS_S = [0, 20.25, 40.001]
TITLES = [chapter.title for chapter in BY_HAND]


@pytest.fixture(scope="module")
def made(folder: Path) -> Path:  # noqa: F811
    """The three files of an episode with those chapters, one with a picture, and the list itself."""
    where = folder / "everywhere"
    where.mkdir()
    (where / "p.png").write_bytes(png(600, 600))
    write_timed(where / "timed.json", TimedTranscript(60.0, "fr", ()))
    write_chapters(where / "timed.json", (where / "p.png",), chapters=where / "list.json", by_hand=BY_HAND, website=SITE, slug="la-file")
    about = {"show": SHOW, "episode": EPISODE}
    tag_mp3(folder / "raw.mp3", COVER, where / "list.json", (where / "p.png",), tagged=where / "x.mp3", **about)
    tag_opus(folder / "raw.opus", where / "list.json", tagged=where / "x.opus", **about)
    tag_m4a(folder / "raw.m4a", where / "list.json", COVER, tagged=where / "x.m4a", **about)
    return where


def test_the_list_is_json_chapters_1_2(made: Path) -> None:
    value = json.loads((made / "list.json").read_text("utf-8"))
    assert value["version"] == "1.2.0" and [one["startTime"] for one in value["chapters"]] == STARTS_S
    assert value["chapters"][2]["img"] == f"{SITE}la-file/chapter-{sha256(made / 'p.png')[:10]}.png"


def test_a_chapters_picture_is_published_where_the_list_says(made: Path) -> None:
    sources = {"audio": "x.mp3", "chapter_image_01": "episodes/la-file/p.jpg"}
    release_episode(release=made / "r.json", slug="la-file", sources=sources, audio=made / "x.mp3", chapter_image_01=made / "p.png")
    picture = read_release(made / "r.json").file("chapter_image_01")
    assert SITE + picture.key == from_json(made / "list.json")[2].image
    assert (picture.type, picture.width_px) == ("image/png", 600)


def test_the_mp3_has_them_to_the_millisecond_without_a_gap_with_link_and_picture(made: Path) -> None:
    tags = ID3(made / "x.mp3", translate=False)
    (contents,) = tags.getall("CTOC")
    marks = [tags[f"CHAP:{name}"] for name in contents.child_element_ids]
    assert [mark.start_time for mark in marks] == [0, 20_250, 40_001]
    assert [mark.end_time for mark in marks[:-1]] == [mark.start_time for mark in marks[1:]]
    assert [str(mark.sub_frames["TIT2"]) for mark in marks] == TITLES
    assert marks[1].sub_frames["WXXX:"].url == "https://example.org/a"
    assert marks[2].sub_frames["APIC:"].data == (made / "p.png").read_bytes() and "APIC:" not in marks[1].sub_frames
    assert {(mark.start_offset, mark.end_offset) for mark in marks} == {(0xFFFFFFFF, 0xFFFFFFFF)}


def test_the_m4a_has_them_to_the_millisecond(made: Path) -> None:
    found = MP4(made / "x.m4a").chapters
    assert [(round(mark.start, 3), mark.title) for mark in found] == list(zip(STARTS_S, TITLES, strict=True))


def test_the_opus_file_has_them_to_the_millisecond(made: Path) -> None:
    comments = OggOpus(made / "x.opus").tags
    assert [comments[f"chapter00{i}"][0] for i in (1, 2, 3)] == ["00:00:00.000", "00:00:20.250", "00:00:40.001"]
    assert [comments[f"chapter00{i}name"][0] for i in (1, 2, 3)] == TITLES


@pytest.mark.parametrize("name", ["x.mp3", "x.m4a", "x.opus"])
def test_ffmpeg_reads_the_same_from_each_file(made: Path, name: str) -> None:
    found = read_chapters(made / name)
    assert [title for _, _, title in found] == TITLES
    delay_s = 0.03 if name.endswith("mp3") else 0.0011  # FFmpeg subtracts the 25 ms of the MP3's encoder delay
    assert [start_s for start_s, _, _ in found] == pytest.approx(STARTS_S, abs=delay_s)


def test_the_feed_says_them_twice_the_same(made: Path) -> None:
    episode = replace(EPISODE, slug="la-file")
    data = told(SHOW, published(episode, from_json(made / "list.json")))
    (read,) = podcastparser.parse("https://example.org/feed.xml", BytesIO(data))["episodes"]
    assert [(mark["start"], mark["title"]) for mark in read["chapters"]] == list(
        zip([0, 20, 40], TITLES, strict=True)
    )  # this parser rounds down
    assert find(data, "//psc:chapter/@start") == ["00:00:00.000", "00:00:20.250", "00:00:40.001"]
    assert find(data, "//psc:chapter/@href|//psc:chapter/@image") == ["https://example.org/a", from_json(made / "list.json")[2].image]
    lines = re.findall(r"<p>(\d\d:\d\d:\d\d) (.*?)</p>", read["description_html"])
    assert lines == [("00:00:00", TITLES[0]), ("00:00:20", TITLES[1].replace("&", "&amp;")), ("00:00:40", TITLES[2])]


def test_credits_are_the_same_everywhere(made: Path) -> None:
    people = [(credit.role, credit.person.name) for credit in EPISODE.credits]
    feed = find(told(SHOW, published(replace(EPISODE, slug="la-file"))), "//item/podcast:person")
    assert [(tag.get("role"), tag.text) for tag in feed] == [(role.lower(), name) for role, name in people]
    tags, atoms, comments = ID3(made / "x.mp3", translate=False), MP4(made / "x.m4a").tags, OggOpus(made / "x.opus").tags
    assert [name for _, name in tags["IPLS"].people] == [name for _, name in people]
    assert [(role, bytes(atoms[f"----:com.apple.iTunes:{role.upper()}"][0]).decode()) for role, _ in people] == people
    assert [line.partition(" (")[0] for line in comments["performer"]] == [name for _, name in people]
    assert (str(tags["TCOM"]), atoms["\xa9wrt"], comments["composer"]) == ("Malik Sørensen", ["Malik Sørensen"], ["Malik Sørensen"])


@given(st.lists(st.integers(1, 3_599_999), min_size=1, max_size=6, unique=True))
@settings(max_examples=60)
def test_no_millisecond_is_lost_between_the_list_and_the_feed(starts_ms: list[int]) -> None:
    marks = (Chapter(0, "A"), *(Chapter(ms / 1000, "B") for ms in sorted(starts_ms)))
    data = told(SHOW, published(replace(EPISODE, slug="la-file"), chapters_from_json(chapters_to_json(marks))))
    written = [start.split(":") for start in find(data, "//psc:chapter/@start")]
    assert [round(int(h) * 3_600_000 + int(m) * 60_000 + float(s) * 1000) for h, m, s in written] == [0, *sorted(starts_ms)]
