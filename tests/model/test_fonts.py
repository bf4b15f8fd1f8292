"""Which characters a font has."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.errors import CauserieError
from pipeline.model.fonts import font_characters, font_family

FONT = Path(__file__).parents[1] / "data/fonts/arabic.ttf"
TEXT = "مرحبا بكم في الحلقة الأولى"


def test_a_font_has_the_characters_it_draws_and_no_others() -> None:
    assert set(TEXT) <= font_characters(FONT)
    assert not set("aé漢ש") & font_characters(FONT)
    assert font_family(FONT) == "DejaVu Sans"


def test_a_character_whose_glyph_is_that_of_missing_ones_is_missing(tmp_path: Path) -> None:
    glyphs, size = (1, 0, 2), 2 * 2  # of A, B, C; bytes of an array of two segments
    arrays = struct.pack(">2H", 0x43, 0xFFFF) + b"\0\0" + struct.pack(">6H", 0x41, 0xFFFF, 0, 1, size, 0) + struct.pack(">3H", *glyphs)
    subtable = struct.pack(">7H", 4, 14 + len(arrays), 0, size, 0, 0, 0) + arrays
    table = struct.pack(">HHHHL", 0, 1, 3, 1, 12) + subtable
    path = tmp_path / "a.ttf"
    path.write_bytes(b"\0\1\0\0" + struct.pack(">4H", 1, 0, 0, 0) + struct.pack(">4sLLL", b"cmap", 0, 28, len(table)) + table)
    assert font_characters(path) == set("AC")


@pytest.mark.parametrize("content", [b"", b"wOF2 and more", FONT.read_bytes()[:40], b"\0\1\0\0" + b"\xff" * 400])
def test_what_is_no_font_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.ttf"
    path.write_bytes(content)
    with pytest.raises(CauserieError, match="is not a TrueType or OpenType font; name a .ttf or .otf file"):
        font_characters(path)


@given(st.integers(0, len(FONT.read_bytes()) - 1), st.integers(0, 255))
def test_a_damaged_font_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, place: int, byte: int) -> None:
    data = bytearray(FONT.read_bytes())
    data[place] = byte
    path = tmp_path_factory.mktemp("font") / "a.ttf"
    path.write_bytes(data)
    try:
        assert all(len(char) == 1 for char in font_characters(path))
        assert isinstance(font_family(path), str)
    except CauserieError:
        pass
