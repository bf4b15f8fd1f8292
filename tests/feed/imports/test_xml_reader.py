"""Strangers' XML and HTML: what is read, what is mended, what is refused."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config.fields import parse_time
from pipeline.feed.imports import field_parsers
from pipeline.feed.imports.captions import captions_to_transcript, parse_cues
from pipeline.feed.imports.html_text import clean_title, html_to_text, remove_controls, truncate
from pipeline.feed.imports.toml_writer import format_toml_time, toml_string, toml_text
from pipeline.feed.imports.xml_reader import Element, parse_channel
from pipeline.model.errors import CauserieError
from pipeline.transcript.parser import parse_transcript

LAUGHS = '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel><title>&b;</title></channel></rss>'
OUTSIDE = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><title>&x;</title></channel></rss>'


def read(text: str) -> Element:
    """The channel of a feed with this inside."""
    return parse_channel(f"<rss><channel>{text}</channel></rss>".encode(), "x")[0]


@pytest.mark.parametrize(
    "feed", [LAUGHS, OUTSIDE, '<!DOCTYPE rss SYSTEM "http://127.0.0.1/x.dtd"><rss/>', f"<!-- <rss> --><?x <rss>?>\n{LAUGHS}"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_document_type_is_refused_however_it_is_written(feed: str, encoding: str) -> None:
    with pytest.raises(CauserieError, match="document type"):
        parse_channel(feed.encode(encoding), "x")


def test_a_document_type_in_utf_7_is_refused() -> None:
    with pytest.raises(CauserieError):
        parse_channel(b'<?xml version="1.0" encoding="UTF-7"?>' + LAUGHS.encode("utf-7"), "x")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is not XML"),
        (b"{}", "is not XML"),
        (b"<!DOCTYPE html><html></html>", "is a web page"),
        (b"<html><body/></html>", "is a web page"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "is an Atom feed"),
        (b"<rss/>", "has no channel"),
        (b"<rss><channel><item><title>a</title>", "not well-formed"),
        (b"\xff" * 50, "is not XML"),
        (b"<rss><channel>" + b"<a>" * 5000, "not well-formed"),
        (b"<rss><channel><title>" + b"x" * 11_000_000 + b"</title></channel></rss>", "not well-formed"),
    ],
)
def test_what_is_no_feed_is_refused_in_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(CauserieError, match=said):
        parse_channel(data, "feed.xml")


def test_what_hosts_break_is_mended_and_told() -> None:
    data = b"\n <?xml version='1.0'?><rss><channel><title>R&D &eacute;t&eacute; \x0b&unknown; <![CDATA[a & b &eacute;]]></title></channel></rss>"
    found, notes = parse_channel(data, "x")
    assert found.find_text("title") == "R&D été &unknown; a & b &eacute;"
    assert "lone &" in notes[0]


ITEM = "<item><title>{}</title></item>"


@pytest.mark.parametrize(
    ("declared", "written", "said"),
    [
        ("UTF-8", "latin-1", "says it is UTF-8 and is not"),
        ("UTF-8", "cp1252", "says it is UTF-8 and is not"),
        ("ISO-8859-1", "utf-8", "says it is ISO-8859-1 and is UTF-8"),
        ("windows-1252", "utf-8-sig", "and is UTF-8"),
        ("UTF-16", "utf-8", "and is UTF-8"),
        ("ISO-8859-1", "latin-1", ""),
        ("UTF-16", "utf-16", ""),
        ("UTF-8", "utf-8-sig", ""),
    ],
)
def test_accents_are_read_whatever_encoding_is_declared(declared: str, written: str, said: str) -> None:
    feed = f'<?xml version="1.0" encoding="{declared}"?><rss><channel><title>Été à Orvalle</title></channel></rss>'
    found, notes = parse_channel(feed.encode(written), "x")
    assert found.find_text("title") == "Été à Orvalle"
    assert said in notes[0] if said else not notes


def test_one_word_in_another_encoding_leaves_the_others() -> None:
    found, notes = parse_channel("<rss><channel><title>Été ".encode() + b"\x93\xe0\x94 \x81</title></channel></rss>", "x")
    assert found.find_text("title") == "Été “à” \ufffd" and "1 bytes are no character" in notes[0]


def test_a_namespace_around_rss_is_left_and_told() -> None:
    prefixed = '<r:rss xmlns:r="urn:r"><r:channel><r:title>T</r:title></r:channel></r:rss>'
    for feed in (
        '<rss xmlns="http://example.net/rss"><channel>{}</channel></rss>',
        '<rss><channel xmlns="urn:x">{}</channel></rss>',
        prefixed,
    ):
        found, notes = parse_channel(feed.format("<title>T</title>").encode(), "x")
        assert found.find_text("title") == "T" and "read as RSS 2.0" in notes[0]


def test_prefixes_without_a_declaration_are_read_and_told() -> None:
    inside = '<itunes:author my:key="&lt;not:one&gt;">A</itunes:author><x:y/><!-- <no:a/> --><title><![CDATA[<no:b>]]></title>'
    found, notes = parse_channel(f"<?xml version='1.0'?><!-- <a:b> --><rss version='2.0'><channel>{inside}</channel></rss>".encode(), "x")
    assert found.find_text("itunes:author") == "A" and found.find_text("title") == "<no:b>"
    assert notes == ("the feed uses itunes:, x:, my: without declaring it: read as usual, check those texts",)


def test_a_space_in_a_namespace_is_mended_and_told() -> None:
    feed = b"<rss xmlns:itunes=' http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><itunes:author>A</itunes:author></channel></rss>"
    found, notes = parse_channel(feed, "x")
    assert found.find_text("itunes:author") == "A" and notes


def test_a_lone_less_than_and_a_forbidden_reference_are_mended() -> None:
    found, notes = parse_channel(b"<rss><channel><title>a < b &#11;&#x1F;c</title></channel></rss>", "x")
    assert found.find_text("title") == "a < b c" and "lone & and <" in notes[0]


def test_cdata_comments_and_markup_inside_a_text_are_read() -> None:
    assert read("<title>a<![CDATA[<b>]]><!-- c -->d</title>").find_text("title") == "a<b>d"
    assert read("<description>Du <b>gras</b>.</description>").find_text("description") == "Du <b>gras</b>."


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_whatever_is_typed_is_plain_and_has_no_markup_of_its_own(text: str) -> None:
    found = html_to_text(text).text
    assert remove_controls(found) == found
    assert html_to_text(f"<p>{text.replace('&', '&amp;').replace('<', '&lt;')}</p>").text.count("<") == text.count("<")


def test_html_becomes_paragraphs_with_addresses_behind_words() -> None:
    html = (
        "<h2>Un</h2>Deux<br>trois&nbsp;! <a href='https://x.fr/?a=1&amp;b=2'>ici</a>, <a href='https://x.fr/'>x.fr</a><ul><li>q<li>r</ul>"
    )
    assert html_to_text(html).text.split("\n\n") == ["Un", "Deux", "trois\u00a0! ici (https://x.fr/?a=1&b=2), x.fr", "• q", "• r"]


def test_what_plain_text_cannot_hold_is_told() -> None:
    lost = html_to_text(
        "<img src=a.png><iframe src='https://v'></iframe><style>p{}</style><a href='javascript:x'>y</a><!-- <b> -->"
    ).dropped
    assert lost == ("an image or player, a.png", "an image or player, https://v", "a <style>", "a link, javascript:x")


def test_titles_lose_entities_and_tags_that_hosts_leave_in_them() -> None:
    assert clean_title(" L&#8217;été &amp;\n <b>l&rsquo;hiver</b> a < b\t") == "L’été & l’hiver a < b"


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=200))
@settings(max_examples=60)
def test_what_is_quoted_reads_back(text: str) -> None:
    text = remove_controls(text)
    assert tomllib.loads(f"a = {toml_string(text)}")["a"] == text
    assert tomllib.loads(f"a = {toml_text(text)}")["a"].rstrip("\n") == text.rstrip("\n") or not text.strip("\n")


@given(st.text(max_size=80), st.integers(10, 60))
@settings(max_examples=60)
def test_what_is_shortened_fits(text: str, most: int) -> None:
    assert len(truncate(text, most)) <= most


@given(st.integers(0, 10**8))
@settings(max_examples=60)
def test_a_time_that_is_written_reads_back(thousandths: int) -> None:
    assert round(parse_time(format_toml_time(thousandths / 1000)) * 1000) == thousandths


@pytest.mark.parametrize(
    ("text", "hours", "note"),
    [
        ("Thu, 15 Jan 2026 19:00:00 +0100", 1, ""),
        ("15 Jan 2026 19:00 +0100", 1, ""),
        ("Fri, 15 Jan 2026 19:00:00 EST", -5, ""),
        ("jeu., 15 janvier 2026 19:00:00 +0100", 1, ""),
        ("Thu, 15 Jan 2026 19:00:00 CEST", 2, ""),
        ("2026-01-15T19:00:00-03:00", -3, ""),
        ("Thu, 15 Jan 2026 19:00:00 GMT", 0, ""),
        ("Thu, 15 Jan 2026 19:00:00 -0000", 0, ""),
        ("Thu, 15 Jan 2026 19:00:00 +01:00", 1, ""),
        ("Thu, 15 Jan 2026 19:00:00 GMT+0100", 1, ""),
        ("Thu Jan 15 2026 19:00:00 GMT+0100 (CET)", 1, ""),
        ("Thu, 15 Jan 2026 19:00:00 -12:00", -12, ""),
        ("Thu, 15 Jan 2026 19:00:00 UTC-5", -5, ""),
        ("Thu, 15 Jan 2026 19:00:00 \u22120500", -5, ""),
        ("Thu, 15 Jan 2026 07:00:00 PM +0100", 1, ""),
        ("Thu, 15 Jan 2026 19:00:00 Europe/Paris", 1, ""),
        ("2026-01-15 19:00:00 +0100", 1, ""),
        ("2026-01-15T19:00:00+01", 1, ""),
        ("2026-01-15T19:00:00Z", 0, ""),
        ("Thu, 15 Jan 2026 19:00:00 NZDT", 13, ""),
        ("Thu, 15 Jan 2026 19:00:00", 0, "read as UTC"),
        ("Thu, 15 Jan 2026 19:00:00 Mars/Olympus", 0, "read as UTC"),
    ],
)
def test_dates_keep_their_zone(text: str, hours: int, note: str) -> None:
    found, said = field_parsers.parse_date(text)
    assert found == datetime(2026, 1, 15, 19, tzinfo=timezone(timedelta(hours=hours))) and found.utcoffset() == timedelta(hours=hours)
    assert note in said if note else not said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "demain",
        "Thu, 32 Jan 2026 19:00:00 GMT",
        "0000-00-00 00:00:00",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "1 Jan 2026 10:00 +9999",
        "9" * 400,
    ],
)
def test_what_is_no_date_is_told(text: str) -> None:
    found, said = field_parsers.parse_date(text)
    assert found is None and said


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/été 1.mp3", "https://x.fr/%C3%A9t%C3%A9%201.mp3"),
        ("https://é.fr/a%20b?q=é#f", "https://xn--9ca.fr/a%20b?q=%C3%A9#f"),
        ("//y.fr:8080/a", "https://y.fr:8080/a"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("http://[bad", ""),
        ('https://x.fr"><b>/', ""),
        ("http://x:99999/", ""),
        ("https://x.fr/\ud800", ""),
        ("", ""),
    ],
)
def test_addresses_are_made_whole_and_plain(text: str, found: str) -> None:
    assert field_parsers.normalise_url(text, "https://x.fr/feed/") == found


@settings(max_examples=100, deadline=None)
@given(st.from_regex(field_parsers._NORMAL_URL, fullmatch=True), st.sampled_from(["", "https://x.fr/feed/", "http://y.fr/a/b?c"]))
@example("http://0/;", "http://y.fr/a/b?c")
def test_an_address_that_needs_no_mending_would_be_mended_to_itself(text: str, base: str) -> None:
    assert field_parsers._repair_url(text, base) == text


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("society & culture", "documentary"), ("Society & Culture", "Documentary")),
        (("Society &amp; Culture", ""), ("Society & Culture",)),
        (("News & Politics", ""), ("News",)),
        (("Sports and Recreation", "Amateur"), None),
        (("Sports & Recreation", "Amateur"), ("Sports",)),
        (("Business", "Nonsense"), ("Business",)),
        (("Nonsense", "Design"), None),
    ],
)
def test_categories_are_those_of_today(names: tuple[str, str], found: tuple[str, ...] | None) -> None:
    assert field_parsers.match_category(clean_title(names[0]), names[1]) == found


@pytest.mark.parametrize(
    "value",
    [None, [], {"chapters": {}}, {"chapters": [1, {"startTime": []}, {"startTime": True, "title": "x"}, {"startTime": "9" * 9000}]}],
)
def test_json_chapters_of_another_shape_give_none(value: object) -> None:
    assert field_parsers.parse_json_chapters(value, "")[0] == ()


def test_json_chapters_are_sorted_and_silent_ones_left_out() -> None:
    rows = [
        {"startTime": 9.5, "title": "b", "url": "http://x"},
        {"startTime": 0, "title": "a"},
        {"startTime": 3, "title": "c", "toc": False},
    ]
    found, notes = field_parsers.parse_json_chapters({"chapters": rows}, "")
    assert [(chapter.start_s, chapter.title) for chapter in found] == [(0, "a"), (9.5, "b")]
    assert "not an https URL" in notes[0] and "toc = false" in notes[1]


VTT = """WEBVTT

NOTE made elsewhere

1
00:00.000 --> 00:02.000
<v Nora Belkacem>Bonjour &amp; bienvenue « ici.</v>

00:02.000 --> 00:04.000 align:start
<v Nora Belkacem>On <b>commence</b>.
<v.loud Ali : lui>[rires] Oui ! ]
"""


def test_vtt_becomes_a_text_with_its_voices() -> None:
    text = captions_to_transcript(VTT, {"nora": "Nora Belkacem"})
    assert 'person = "nora"' in text
    assert "Nora Belkacem : Bonjour & bienvenue “ ici. On commence." in text
    assert [each.voice for each in parse_transcript(text).blocks] == ["Nora Belkacem", "Ali lui"]


def test_srt_names_before_a_colon_are_voices_when_they_come_twice() -> None:
    srt = "1\r\n00:00:00,000 --> 00:00:01,000\r\nNORA: Un.\r\n\r\n2\r\n00:00:01,000 --> 00:00:02,000\r\nNota : deux.\r\n\r\n3\r\n00:00:02,000 --> 00:00:03,000\r\nNORA: Trois."
    assert [(each.voice, each.text) for each in parse_transcript(captions_to_transcript(srt, {})).blocks] == [
        ("NORA", "Un. Nota : deux. Trois.")
    ]


def test_lines_that_roll_are_said_once() -> None:
    rolling = "WEBVTT\n\n0:00.0 --> 0:01.0\nun deux\n\n0:01.0 --> 0:02.0\nun deux\ntrois"
    assert parse_cues(rolling) == [("", "un deux"), ("", "trois")]


@given(st.text(max_size=60), st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_captions_make_a_text_that_reads_or_are_refused(name: str, words: str) -> None:
    try:
        text = captions_to_transcript(
            f"WEBVTT\n\n00:00.000 --> 00:01.000\n<v {name}>{words}\n\n00:01.000 --> 00:02.000\n{name}: {words}", {}
        )
    except CauserieError:
        return
    assert parse_transcript(text).blocks
    assert not re.search("[\x00-\x08]", text)
