"""Transcripts and chapters that are what their type says, and pictures known by their header."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feed.rules.text_formats import first_error
from pipeline.model.images import ImageHeader, parse_header

VTT = "WEBVTT\n\nNOTE écrit à la main\n\n00:01.000 --> 00:02.500\n<v Nora>Bonjour\n\n1\n00:00:02.500 --> 00:00:04.000 align:start\nL’attente\n"
SRT = "1\n00:00:01,000 --> 00:00:02,500\nNora: Bonjour\n\n2\n00:00:02,500 --> 00:00:04,000\nL’attente\n"
JSON = '{"version": "1.0.0", "segments": [{"speaker": "Nora", "startTime": 1.0, "endTime": 2.5, "body": "Bonjour"}]}'
CHAPTERS = '{"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Ouverture"}, {"startTime": 20.5, "title": "Fin"}]}'
CASES = [
    ("text/vtt", VTT, ""),
    ("text/vtt", "\ufeff" + VTT.replace("\n", "\r\n"), ""),
    ("text/vtt", VTT.replace("WEBVTT", "WEBVTT1"), "start with WEBVTT"),
    ("text/vtt", VTT.replace("WEBVTT\n\n", "WEBVTT\n"), "start with WEBVTT"),
    ("text/vtt", "WEBVTT\n", "no cue"),
    ("text/vtt", VTT.replace("00:01.000", "00:01,000"), "no valid timings"),
    ("text/vtt", VTT.replace("00:00:04.000", "00:00:02.000"), "timings out of order"),
    ("text/vtt", VTT.replace("L’attente", "a --> b"), "has --> in the text"),
    ("text/vtt", SRT, "start with WEBVTT"),
    ("application/x-subrip", SRT, ""),
    ("application/srt", SRT.replace("1\n00", "00", 1), "without a number"),
    ("application/x-subrip", SRT.replace("02,500 -->", "00,500 -->"), "timings out of order"),
    ("application/x-subrip", "", "no cue"),
    ("application/json", JSON, ""),
    ("application/json", CHAPTERS, "no list of segments"),
    ("application/json", JSON.replace('"body"', '"text"'), "without startTime and body"),
    ("application/json", JSON.replace("1.0,", "NaN,"), "without startTime and body"),
    ("application/json", "[" * 100_000, "no list of segments"),
    ("application/json", JSON.replace('"version": "1.0.0", ', ""), "no version"),
    ("application/json+chapters", CHAPTERS, ""),
    ("application/json+chapters", CHAPTERS.replace("20.5", "0"), "out of order"),
    ("application/json+chapters", CHAPTERS.replace("20.5", '"0:20"'), "without startTime"),
    ("application/json+chapters", JSON, "no version and chapters"),
    ("text/html", "<cite>Nora:</cite><time>0:01</time><p>Bonjour</p>", ""),
    ("text/html", "Bonjour", "no <cite>"),
    ("text/plain", " \n", "is empty"),
    ("application/unknown", "", ""),
]


@pytest.mark.parametrize(("kind", "text", "said"), CASES)
def test_a_text_is_whole_or_what_is_wrong_in_it_is_said(kind: str, text: str, said: str) -> None:
    found = first_error(kind, text.encode())
    assert (said in found) if said else not found, found


def test_a_text_in_another_encoding_is_said_to_be_so() -> None:
    assert first_error("text/vtt", VTT.encode("latin-1", "replace")) == "is not UTF-8 text"


def png(colour: int, *chunks: bytes) -> bytes:
    """The beginning of a PNG."""
    header = struct.pack(">I4sIIBBBBB", 13, b"IHDR", 30, 20, 8, colour, 0, 0, 0) + b"crc!"
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(struct.pack(">I", len(each) - 4) + each + b"crc!" for each in chunks) + b"\0\0\0\1IDAT"


def jpeg(components: int) -> bytes:
    """The beginning of a JPEG: an application's segment, then a progressive frame."""
    return b"\xff\xd8\xff\xe0\0\x06JFIF\xff\xff\xc2\0\x11\x08" + struct.pack(">HHB", 20, 30, components)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(2), ImageHeader("png", 30, 20, "RGB", False)),
        (png(6), ImageHeader("png", 30, 20, "RGB", True)),
        (png(0), ImageHeader("png", 30, 20, "grey", False)),
        (png(4), ImageHeader("png", 30, 20, "grey", True)),
        (png(3, b"PLTE123"), ImageHeader("png", 30, 20, "RGB", False)),
        (png(3, b"PLTE123", b"tRNS1"), ImageHeader("png", 30, 20, "RGB", True)),
        (png(9), None),
        (jpeg(3), ImageHeader("jpeg", 30, 20, "RGB", False)),
        (jpeg(1), ImageHeader("jpeg", 30, 20, "grey", False)),
        (jpeg(4), ImageHeader("jpeg", 30, 20, "CMYK", False)),
        (jpeg(3)[:-4], None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_header(data: bytes, expected: ImageHeader | None) -> None:
    assert parse_header(data) == expected


@given(st.sampled_from(sorted({kind for kind, _, _ in CASES})), st.text(max_size=60), st.integers(0, 200))
@settings(max_examples=100, deadline=None)
def test_no_text_stops_the_look(kind: str, typed: str, at: int) -> None:
    for text in (VTT, SRT, JSON, CHAPTERS):
        assert isinstance(first_error(kind, (text[:at] + typed + text[at:]).encode("utf-8", "replace")), str)


@given(st.sampled_from((png(2), jpeg(3), b"")), st.binary(max_size=60), st.integers(0, 40))
@settings(max_examples=100)
def test_no_bytes_stop_the_look_at_a_picture(data: bytes, typed: bytes, at: int) -> None:
    parse_header(data[:at] + typed + data[at:])
