"""A feed's bytes as values: names whatever the prefix, and everything hostile refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feed.rules.feed_reader import MAX_BYTES, parse_feed
from pipeline.model.errors import CauserieError

GOOD = (Path(__file__).parents[2] / "data/directories/good.xml").read_bytes()
HEAD = b'<rss version="2.0"><channel><title>T</title>'
TAIL = b"</channel></rss>"
BOMB = (
    b'<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, (b"&%c;" % (97 + i)) * 10) for i in range(9))
    + b"]>"
    + HEAD
    + b"<item><title>&j;</title></item>"
    + TAIL
)


def test_tags_are_named_by_their_namespace_not_by_their_prefix() -> None:
    renamed = GOOD.replace(b"xmlns:podcast", b"xmlns:p").replace(b"<podcast:", b"<p:").replace(b"</podcast:", b"</p:")
    assert parse_feed(renamed).channel.text("podcast:locked") == "yes"
    assert "podcast" in parse_feed(renamed).namespaces


def test_the_channel_and_each_item_keep_their_tags_and_lines() -> None:
    feed = parse_feed(GOOD)
    assert [(item.text("title"), item.line) for item in feed.items] == [
        ("Le ticket en plus", 31),
        ("Une voix <au bout> du fil", 45),
        ("La file d’attente", 57),
    ]
    assert feed.channel.text("title") == "Demain, le guichet" and "item" not in feed.channel.tags
    assert [mark.get("title") for mark in feed.items[2].find_all("psc:chapters")[0].children] == ["Ouverture", "L’archive", "Fiction"]
    assert feed.bytes == len(GOOD)


def test_tags_of_the_channel_after_its_items_are_seen() -> None:
    assert parse_feed(HEAD + b"<item/><language>fr</language><item/>" + TAIL).channel.text("language") == "fr"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (BOMB, "document type"),
        (b'<!DOCTYPE rss SYSTEM "file:///etc/passwd">' + HEAD + TAIL, "document type"),
        (b'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + HEAD + b"&a;" + TAIL, "document type"),
        (HEAD + b"&nbsp;" + TAIL, "well-formed"),
        (HEAD, "well-formed"),
        (HEAD + b"<a>" * 100_000, "well-formed"),
        (HEAD + b"\xff" + TAIL, "well-formed"),
        (b"", "well-formed"),
        (b"\x00\x01", "well-formed"),
        (b"<!-- " + b"a" * 70_000 + b" -->" + HEAD + TAIL, "64 KB"),
        ('<?xml version="1.0" encoding="UTF-16"?>'.encode("utf-16") + (HEAD + TAIL).decode().encode("utf-16-le"), "UTF-8"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + HEAD + TAIL, "UTF-8"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "RSS 2.0"),
        (b'<rss version="0.92"><channel/></rss>', "RSS 2.0"),
        (b"<html/>", "no channel"),
        (b'<rss version="2.0"/>', "no channel"),
    ],
)  # fmt: skip
def test_what_is_no_feed_or_is_hostile_is_refused_in_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(CauserieError) as refused:
        parse_feed(data, "feeds/feed.xml")
    assert refused.value.where == "feeds/feed.xml" and said in refused.value.message and refused.value.hint
    assert len(str(refused.value)) < 250 and "\n" not in str(refused.value)


def test_a_file_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(CauserieError, match="larger than"):
        parse_feed(b" " * (MAX_BYTES + 1))


@given(
    st.binary(max_size=300)
    | st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=9)).map(lambda at: GOOD[: at[0]] + at[1] + GOOD[at[0] + 9 :])
)
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_a_feed_or_are_refused(data: bytes) -> None:
    try:
        parse_feed(data)
    except CauserieError as refused:
        assert refused.where
