"""The rules of directories: a good feed breaks none; each is broken once, alone, by changing one thing in the feed or its files."""

from __future__ import annotations

import os
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.feed.rules.feed_reader import parse_feed
from pipeline.feed.rules.registry import PACKS, RULES, check_feed, file_references, group_findings, rules_table
from pipeline.feed.rules.rule import AudioProperties, HttpProbe, ImageHeader, LocalFile
from tests.feed.test_rss import FILE, VOICE, made

ROOT = Path(__file__).parents[3]
GOOD = (ROOT / "tests/data/directories/good.xml").read_text("utf-8")
AT = "https://example.org/guichet/"
MP3 = AudioProperties("audio/mpeg", 96.2, 128, 44_100, 2, id3=(2, 3), title="La file d’attente")
COVER = ImageHeader("jpeg", 3000, 3000, "RGB", False)
DIGEST = b64decode("q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=").hex()
FILES = {
    f"{AT}cover-1.jpg": LocalFile(200_000, image=COVER),
    f"{AT}la-file-1.mp3": LocalFile(1000, audio=MP3),
    f"{AT}la-file-1.opus": LocalFile(500, DIGEST, audio=AudioProperties("audio/ogg", 96.2)),
    f"{AT}la-file-1.vtt": LocalFile(300),
    f"{AT}la-file-1.json": LocalFile(300),
}

ITUNES = ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
ATOM = ' xmlns:atom="http://www.w3.org/2005/Atom"'
LICENSE = "<podcast:license>cc-by-4.0</podcast:license>"
FUNDING = '<podcast:funding url="https://example.org/dons">'
DATE = "Thu, 15 Jan 2026 19:30:00 +0100"

# rule -> what to replace in the good feed, by what, and which occurrence of it (the last item's is the last)
BROKEN: dict[str, tuple[str, str] | tuple[str, str, int]] = {
    "show-title": ("<title>Demain, le guichet</title>", "<title> </title>"),
    "show-title-length": ("<title>Demain, le guichet</title>", f"<title>{'é' * 256}</title>"),
    "show-description": ("<description>&lt;p&gt;Ce que deviennent les guichets.&lt;/p&gt;</description>", ""),
    "show-description-bytes": ("Ce que deviennent", "é" * 2000),
    "show-image": ('<itunes:image href="https://example.org/guichet/cover-1.jpg"/>', ""),
    "show-language": ("<language>fr</language>", "<language>français</language>"),
    "show-category": ('<itunes:category text="Society &amp; Culture"><itunes:category text="Documentary"/></itunes:category>', ""),
    "category-known": ('text="Documentary"', 'text="documentary"'),
    "show-explicit": ("<itunes:explicit>false</itunes:explicit>", ""),
    "show-explicit-value": ("<itunes:explicit>false", "<itunes:explicit>clean"),
    "show-type": ("<itunes:type>serial", "<itunes:type>daily"),
    "show-once": ("<language>fr</language>", "<language>fr</language><language>fr</language>"),
    "block-value": ("<itunes:complete>Yes", "<itunes:complete>yes"),
    "new-feed-url": ("<itunes:new-feed-url>https://", "<itunes:new-feed-url>//"),
    "public-address": ("<link>https://example.org/guichet/<", "<link>http://localhost:8000/<"),
    "show-author": ("<itunes:author>Mission &amp; prospective</itunes:author>", ""),
    "websub-hub": ("https://hub.example.org/", "hub.example.org"),
    "self-link": ('rel="self"', 'rel="alternate"'),
    "show-link": ("<link>https://example.org/guichet/</link>", ""),
    "copyright-holder": ("<copyright>Ville", "<copyright>© 2026 Ville"),
    "show-locked": ('<podcast:locked owner="podcast@example.org">yes</podcast:locked>', ""),
    "show-guid": ("<podcast:guid>e02a6f74-8c73-5a8d-8872-8a83775ff45a</podcast:guid>", ""),
    "build-date-form": ("<lastBuildDate>Sun, 01 Mar", "<lastBuildDate>Mon, 01 Mar"),
    "build-date": ("<lastBuildDate>Sun, 01 Mar", "<lastBuildDate>Sun, 01 Feb"),
    "owner-mail": ("<itunes:email>podcast@example.org</itunes:email>", ""),
    "owner-mail-form": ("<itunes:email>podcast@example.org", "<itunes:email>nobody"),
    "show-url-characters": ("cover-1.jpg", "couverture-été.jpg"),
    "serial-numbers": ("<itunes:episodeType>trailer", "<itunes:episodeType>full"),
    "guid-unique": (">guid-2<", ">guid-1<"),
    "enclosure-unique": ("/une-voix-1.mp3", "/bonus-1.mp3"),
    "titles-unique": ("Une voix &lt;au bout&gt; du fil", "Le ticket en plus"),
    "numbers-unique": ("<itunes:episodeType>bonus", "<itunes:episodeType>full"),
    "bonus-belongs": ("<itunes:episode>1", "<itunes:episode>7"),
    "one-trailer": ("<itunes:season>2</itunes:season>\n      <itunes:episode>1</itunes:episode>\n      <itunes:episodeType>bonus", "<itunes:episodeType>trailer"),
    "item-title": ("<title>Le ticket en plus</title>", ""),
    "item-title-length": ("Le ticket en plus", "é" * 256),
    "item-title-plain": ("Le ticket en plus", "Épisode 3 : le ticket"),
    "outer-spaces": (">guid-1<", "> guid-1\n<"),
    "enclosure": ('<enclosure url="https://example.org/guichet/bonus-1.mp3" length="3000" type="audio/mpeg"/>', ""),
    "one-enclosure": ("<guid isPermaLink", f'<enclosure url="{AT}other-1.m4a" length="1" type="audio/x-m4a"/><guid isPermaLink'),
    "enclosure-type": ("bonus-1.mp3", "bonus-1.ogg"),
    "enclosure-length": ('length="3000"', 'length="0"'),
    "guid": ('<guid isPermaLink="false">guid-3</guid>', ""),
    "guid-permalink": (' isPermaLink="false"', ""),
    "date-form": (DATE, "2026-01-15T19:30:00+01:00"),
    "item-description": ("<description>&lt;p&gt;Un bonus.&lt;/p&gt;</description>", ""),
    "item-description-bytes": ("Un bonus.", "é" * 2000),
    "item-description-html": ("Un bonus.", "Un bonus.&lt;script src=x&gt;"),
    "duration": ("<itunes:duration>30</itunes:duration>", ""),
    "duration-form": ("<itunes:duration>30", "<itunes:duration>0:30"),
    "item-explicit": ("<itunes:explicit>false</itunes:explicit>", "", 1),
    "item-explicit-value": ("<itunes:explicit>false", "<itunes:explicit>no", 1),
    "numbers": ("<itunes:duration>20<", "<itunes:season>deux</itunes:season><itunes:duration>20<"),
    "episode-type": ("<itunes:episodeType>bonus", "<itunes:episodeType>Bonus"),
    "plain-http": ("https://example.org/guichet/bonus-1.mp3", "http://example.org/guichet/bonus-1.mp3"),
    "url-characters": ("bonus-1.vtt", "bonus é.vtt"),
    "listed-chapters": ("Un bonus.", "&lt;p&gt;00:00 Début&lt;/p&gt;&lt;p&gt;(00:30) Suite&lt;/p&gt;"),
    "chapters-agree": ("00:00:20 L’archive", "00:00:25 L’archive"),
    "date": ("<pubDate>Sun, 01 Feb 2026 06:00:00 +0000</pubDate>", ""),
    "listed-chapter-titles": ("00:01:30 Fiction", f"00:01:30 {'x' * 40}"),
    "podlove-chapters": ('title="Fiction"', 'title=""'),
    "item-link": ("<link>https://example.org/guichet/bonus/</link>", ""),
    "item-transcript": ('<podcast:transcript url="https://example.org/guichet/bonus-1.vtt" type="text/vtt"/>', ""),
    "show-https": (FUNDING, FUNDING.replace("https", "http")),
    "item-https": (FUNDING, FUNDING.replace("https", "http"), 1),
    "show-podcast-once": ("<podcast:medium>podcast</podcast:medium>", "<podcast:medium>podcast</podcast:medium>" * 2),
    "item-podcast-once": ('<podcast:season name="Les guichets">2</podcast:season>', "<podcast:season>2</podcast:season>" * 2),
    "show-person": (">Nora Belkacem<", "> <"),
    "item-person": (">Malik Sørensen<", "><"),
    "show-person-role": ('role="host"', 'role="présentatrice"'),
    "item-person-role": ('group="audio post-production"', 'group="sound"'),
    "show-license": (LICENSE, LICENSE.replace("cc-by", "CC-BY")),
    "item-license": (LICENSE, LICENSE.replace("cc-by", "CC-BY"), 1),
    "show-podcast-image": ('<podcast:image href="https://example.org/guichet/cover-1.jpg"', "<podcast:image"),
    "item-podcast-image": (' href="https://example.org/guichet/la-file.jpg"', ""),
    "show-funding": (FUNDING, "<podcast:funding>"),
    "item-funding": (FUNDING, "<podcast:funding>", 1),
    "show-location": (">Orvalle<", "><"),
    "item-location": (">Orvalle<", "> <", 1),
    "show-long-text": (">abc<", f">{'a' * 4001}<"),
    "item-long-text": ('display="Un"', f'display="{"U" * 33}"'),
    "show-social": ('protocol="disabled"', ""),
    "item-social": (' uri="https://example.org/@guichet/1"', ""),
    "guid-form": ("8c73-5a8d", "8c73-4a8d"),
    "locked-value": (">yes<", ">true<"),
    "medium-value": (">podcast<", ">radio<"),
    "trailer-tag": ('pubdate="Thu, 01 Jan', 'pubdate="Fri, 01 Jan'),
    "transcript": (' type="text/vtt" language="fr"', ' language="fr"'),
    "transcript-type": ('type="text/vtt" language="fr"', 'type="text/webvtt" language="fr"'),
    "transcript-rel": ('rel="captions"', 'rel="caption"'),
    "chapters": (' type="application/json+chapters"', ""),
    "chapters-type": ('type="application/json+chapters"', 'type="application/json"'),
    "season": ('name="Les guichets">2<', 'name="Les guichets">deux<'),
    "episode": ('display="Un">1<', 'display="Un">un<'),
    "soundbite": ('startTime="3.5"', 'startTime="0:03"'),
    "soundbite-length": ('duration="40"', 'duration="400"'),
    "alternate": (f'<podcast:source uri="{AT}la-file-1.opus" contentType="audio/ogg"/>', ""),
}  # fmt: skip
BY_HAND = {"itunes-namespace", "namespaces", "an-episode", "feed-size"}  # below: not one replacement

# rule -> the file of FILES, and what it is instead
DAMAGED: dict[str, tuple[str, LocalFile]] = {
    "cover-format": ("cover-1.jpg", LocalFile(1)),
    "cover-square": ("cover-1.jpg", LocalFile(1, image=replace(COVER, height_px=2999))),
    "cover-size": ("cover-1.jpg", LocalFile(1, image=replace(COVER, width_px=3001, height_px=3001))),
    "cover-largest": ("cover-1.jpg", LocalFile(1, image=replace(COVER, width_px=1400, height_px=1400))),
    "cover-colour": ("cover-1.jpg", LocalFile(1, image=replace(COVER, colour="CMYK"))),
    "cover-alpha": ("cover-1.jpg", LocalFile(1, image=replace(COVER, alpha=True))),
    "cover-extension": ("cover-1.jpg", LocalFile(1, image=replace(COVER, type="png"))),
    "audio-bytes": ("la-file-1.mp3", LocalFile(1001, audio=MP3)),
    "audio-type": ("la-file-1.mp3", LocalFile(1000)),
    "audio-duration": ("la-file-1.mp3", LocalFile(1000, audio=replace(MP3, duration_s=99.0))),
    "audio-constant": ("la-file-1.mp3", LocalFile(1000, audio=replace(MP3, constant=False))),
    "audio-info": ("la-file-1.mp3", LocalFile(1000, audio=replace(MP3, has_info=False))),
    "audio-least-rate": ("la-file-1.mp3", LocalFile(1000, audio=replace(MP3, kbps=56))),
    "audio-advised-rate": ("la-file-1.mp3", LocalFile(1000, audio=replace(MP3, kbps=64, channels=1))),
    "audio-sample-rate": ("la-file-1.mp3", LocalFile(1000, audio=replace(MP3, rate_hz=22_050))),
    "audio-id3": ("la-file-1.mp3", LocalFile(1000, audio=replace(MP3, id3=(2, 4)))),
    "audio-title": ("la-file-1.mp3", LocalFile(1000, audio=replace(MP3, title="La file"))),
    "alternate-bytes": ("la-file-1.opus", replace(FILES[f"{AT}la-file-1.opus"], bytes=501)),
    "alternate-type": ("la-file-1.opus", replace(FILES[f"{AT}la-file-1.opus"], audio=MP3)),
    "alternate-integrity": ("la-file-1.opus", replace(FILES[f"{AT}la-file-1.opus"], sha256="00" * 32)),
    "transcript-content": ("la-file-1.vtt", LocalFile(1, error="has no cue")),
    "chapters-content": ("la-file-1.json", LocalFile(1, error="has chapters out of order")),
}

# rule -> the address, and what its server says instead of what it says in SERVED
SERVED = {
    f"{AT}feed.xml": HttpProbe(200, {"etag": "1"}),
    f"{AT}cover-1.jpg": HttpProbe(200, {"content-type": "image/jpeg"}),
    f"{AT}la-file-1.mp3": HttpProbe(200, {"content-type": "audio/mpeg", "content-length": "1000"}, 206, "bytes 0-1/1000"),
    f"{AT}la-file-1.vtt": HttpProbe(200, {"content-type": "text/vtt; charset=utf-8", "access-control-allow-origin": "*"}),
}
ILL_SERVED: dict[str, tuple[str, HttpProbe]] = {
    "served": ("la-file-1.mp3", HttpProbe(403, {})),
    "served-ranges": ("la-file-1.mp3", replace(SERVED[f"{AT}la-file-1.mp3"], range_status=200, content_range="")),
    "served-bytes": ("la-file-1.mp3", replace(SERVED[f"{AT}la-file-1.mp3"], headers={"content-type": "audio/mpeg", "content-length": "9"})),
    "served-type": ("cover-1.jpg", HttpProbe(200, {"content-type": "text/html"})),
    "served-validators": ("feed.xml", HttpProbe(200, {})),
    "served-elsewhere": ("la-file-1.vtt", HttpProbe(200, {"content-type": "text/vtt"})),
}


def broken(text: str, files: dict[str, LocalFile] = FILES) -> set[str]:
    """The rules that a feed and its files break."""
    return {finding.rule for finding in check_feed(parse_feed(text.encode()), files)}


def replaced(old: str, new: str, which: int = 0) -> str:
    """The good feed with one occurrence of a text replaced."""
    parts = GOOD.split(old)
    assert len(parts) > which + 1, f"the good feed does not hold {old!r} {which + 1} times"
    return old.join(parts[: which + 1]) + new + old.join(parts[which + 1 :])


def test_a_good_feed_breaks_no_rule() -> None:
    assert check_feed(parse_feed(GOOD.encode()), FILES) == ()


def test_the_feed_that_is_built_breaks_no_rule_but_names_no_owner(tmp_path: Path) -> None:
    found = check_feed(parse_feed(made(tmp_path, (FILE, VOICE))), {})
    assert {(finding.level, finding.rule) for finding in found} == {("advice", "owner-mail")}


@pytest.mark.parametrize("name", BROKEN)
def test_a_feed_that_breaks_one_rule_is_told_of_that_one(name: str) -> None:
    assert broken(replaced(*BROKEN[name])) == {name}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_that_breaks_one_rule_is_told_of_that_one(name: str) -> None:
    key, file = DAMAGED[name]
    assert broken(GOOD, {**FILES, AT + key: file}) == {name}


@pytest.mark.parametrize("name", ILL_SERVED)
def test_a_server_that_breaks_one_rule_is_told_of_that_one(name: str) -> None:
    key, said = ILL_SERVED[name]
    assert check_feed(parse_feed(GOOD.encode()), FILES, served=SERVED) == ()
    assert {finding.rule for finding in check_feed(parse_feed(GOOD.encode()), FILES, served={**SERVED, AT + key: said})} == {name}


@pytest.mark.parametrize(("name", "declaration"), [("itunes-namespace", ITUNES), ("namespaces", ATOM)])
def test_namespaces_must_stand_on_rss(name: str, declaration: str) -> None:
    assert broken(GOOD.replace(declaration, "").replace("<channel>", f"<channel{declaration}>")) == {name}


def test_a_licence_in_ones_own_words_is_one_where_it_can_be_read() -> None:
    own = '<podcast:license url="https://example.org/l">Usage libre à Orvalle</podcast:license>'
    assert broken(GOOD.replace(LICENSE, own)) == set()
    assert broken(GOOD.replace(LICENSE, own.replace(' url="https://example.org/l"', ""))) == {"show-license", "item-license"}


def test_a_feed_without_episode_is_told_so() -> None:
    assert broken(GOOD[: GOOD.index("<item>")] + GOOD[GOOD.rindex("</item>") + 7 :], {}) == {"an-episode"}


def test_a_feed_larger_than_podcast_index_reads_is_told_so() -> None:
    assert {finding.rule for finding in check_feed(parse_feed(GOOD.encode())._replace(bytes=25_000_001), FILES)} == {"feed-size"}


def test_every_rule_is_broken_once_here() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert {*BROKEN, *DAMAGED, *ILL_SERVED, *BY_HAND} == set(names)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_its_pack_level_source_and_remedy(rule) -> None:
    assert rule.pack in PACKS and rule.level in ("error", "advice")
    assert rule.source and rule.remedy and "|" not in rule.source + rule.remedy


def test_the_table_in_the_manual_is_that_of_the_rules() -> None:
    manual = ROOT / "docs/directories.md"
    before, _, rest = manual.read_text("utf-8").partition("<!-- rules -->\n")
    rows, _, after = rest.partition("\n<!-- /rules -->")
    if os.environ.get("CAUSERIE_GOLDEN") == "write":
        manual.write_text(f"{before}<!-- rules -->\n{rules_table()}\n<!-- /rules -->{after}", "utf-8")
    else:
        assert rows == rules_table()


@pytest.mark.parametrize(
    ("title", "numbered"), [("Demain, le guichet : la file", True), ("Demain, le guichet ouvre", False), ("S2 E3", True), ("#4", True)]
)
def test_titles_that_repeat_what_tags_say_are_told(title: str, numbered: bool) -> None:
    assert ("item-title-plain" in broken(replaced("Le ticket en plus", title))) is numbered


def test_a_finding_says_where_what_and_what_to_do() -> None:
    (found,) = check_feed(parse_feed(replaced(*BROKEN["date-form"]).encode()), FILES)
    assert found.where == "feeds/feed.xml:57"
    assert (
        found.problem == "“La file d’attente” has pubDate “2026-01-15T19:30:00+01:00”, which is not an RFC 2822 date with the right weekday"
    )
    assert found.remedy.startswith("write it like Thu, 15 Jan 2026")


def test_one_thing_wrong_everywhere_is_told_once_with_how_often() -> None:
    found = check_feed(parse_feed(GOOD.replace(' isPermaLink="false"', "").encode()), FILES)
    (one,) = group_findings(found)
    assert len(found) == 3 and one.problem.endswith(", and 2 more like it") and one.where == found[0].where


def test_a_cover_that_several_episodes_share_is_told_once() -> None:
    shared = GOOD.replace("<itunes:duration>", f'<itunes:image href="{AT}cover-1.jpg"/><itunes:duration>')
    files = {**FILES, f"{AT}cover-1.jpg": LocalFile(1)}
    assert [finding.rule for finding in check_feed(parse_feed(shared.encode()), files)] == ["cover-format"]
    assert len([use for use in file_references(parse_feed(shared.encode())) if use.kind == "cover"]) == 4


def listed(*lines: str) -> str:
    """The good feed, with lines in the description of the bonus."""
    return replaced("Un bonus.", "&lt;/p&gt;".join(f"&lt;p&gt;{line}" for line in lines))


START, MIDDLE, END = "00:00 Début", "00:30 Suite", "01:00 Fin"


@pytest.mark.parametrize(
    ("lines", "rules"),
    [
        ((START, MIDDLE, END), set()),
        (("Rendez-vous à 12:30.",), set()),  # a time within a sentence is no chapter
        (("00:00:00 Début", "(00:30) Suite", "1:00:00 – Fin"), set()),
        (("00:01 Début", MIDDLE, END), {"listed-chapters"}),  # the first is not at the start
        ((START, END), {"listed-chapters"}),  # two
        ((START,), {"listed-chapters"}),
        ((START, END, MIDDLE), {"listed-chapters"}),  # out of order
        ((START, MIDDLE, "00:30 Fin"), {"listed-chapters"}),  # twice the same time
        (("00:00 " + "x" * 39, MIDDLE, END), set()),
        ((START, MIDDLE, "01:00 " + "x" * 40), {"listed-chapter-titles"}),
        (("01:00 " + "x" * 40,), {"listed-chapters", "listed-chapter-titles"}),
    ],
)
def test_chapters_listed_in_a_description_are_those_that_apps_recognise(lines: tuple[str, ...], rules: set[str]) -> None:
    assert broken(listed(*lines)) == rules


def test_a_list_of_chapters_is_told_with_its_number_and_its_first_time() -> None:
    found = check_feed(parse_feed(listed("01:00:05 Début", "x" * 50 + " 00:30", "02:00:00 " + "é" * 70).encode()), FILES)
    assert {finding.rule: finding.problem for finding in found} == {
        "listed-chapters": "“Le ticket en plus” lists 2 chapters in its description, the first at 3605 s",
        "listed-chapter-titles": f"“Le ticket en plus” lists the chapter “{'é' * 60}”, of 70 characters",
    }


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("1", False),
        ("96", False),
        ("999999999", False),
        ("0", True),
        ("-1", True),
        ("096", True),
        ("96.5", True),
        ("1:36", True),
        ("00:01:36", True),
    ]
    + [("1e3", True), ("٣٠", True), ("9999999999", True), (" 30 ", False)],
)
def test_a_duration_is_a_whole_number_of_seconds_from_one(text: str, is_told: bool) -> None:
    assert broken(replaced("<itunes:duration>30<", f"<itunes:duration>{text}<")) == ({"duration-form"} if is_told else set())


@pytest.mark.parametrize(
    ("starts", "rules"),
    [
        (("00:00:00.000", "00:00:20.000", "00:01:30.000"), set()),
        (("0", "20.9", "1:30"), set()),  # other forms of Normal Play Time, and a part of a second
        (("00:00:00.000", "00:00:20.000", "00:01:31.000"), {"chapters-agree"}),
        (("00:00:20.000", "00:00:00.000", "00:01:30.000"), {"podlove-chapters"}),  # the start, second
        (("00:00:00.000", "00:01:30.000", "00:00:20.000"), {"podlove-chapters"}),
        (("00:00:00.000", "00:00:20.000", "later"), {"podlove-chapters", "chapters-agree"}),
        (("00:00:00.000", "00:00:20.000", ""), {"podlove-chapters", "chapters-agree"}),
        (("00:00:00.000", "00:00:20.000", "00:61:30.000"), {"podlove-chapters", "chapters-agree"}),
    ],
)
def test_chapters_of_podlove_have_valid_starts_in_order_and_agree_with_the_list(starts: tuple[str, ...], rules: set[str]) -> None:
    feed = GOOD
    for before, after in zip(("00:00:00.000", "00:00:20.000", "00:01:30.000"), starts, strict=True):
        feed = feed.replace(f'start="{before}" title', f'START="{after}" title')
    assert feed.count("START") == 3
    assert broken(feed.replace("START", "start")) == rules


def test_podlove_chapters_without_a_chapter_are_told() -> None:
    first, last = GOOD.index("<psc:chapter start"), GOOD.index("</psc:chapters>")
    assert broken(GOOD[:first] + GOOD[last:]) == {"podlove-chapters"}


@pytest.mark.parametrize(
    ("name", "text", "is_told"), [("episode", "0", True), ("season", "0", True), ("episode", "1", False), ("season", "02", True)]
)
def test_numbers_count_from_one(name: str, text: str, is_told: bool) -> None:
    old = {"episode": "<itunes:episode>1<", "season": "<itunes:season>2<"}[name]
    assert ("numbers" in broken(replaced(old, f"<itunes:{name}>{text}<", GOOD.count(old) - 1))) is is_told
