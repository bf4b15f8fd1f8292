"""Typography, times, slugs and terminals."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.text import (
    add_french_spaces,
    apply_typography,
    format_clock,
    is_slug,
    join_heard,
    join_words,
    slugify,
    split_unspaced,
    suggest,
    terminal_safe,
)


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("« Quoi ? »", "«\u202fQuoi\u202f?\u202f»"),
        ("Ah! Oui: non;", "Ah\u202f! Oui: non\u202f;"),
        ("Notre défi est posé : proposer", "Notre défi est posé\u00a0: proposer"),
        ("à 12:30, 10 % des gens", "à 12:30, 10\u00a0% des gens"),
        ("https://exemple.fr/a?b=c;d", "https://exemple.fr/a?b=c;d"),
    ],
)
def test_french_spaces(typed, printed):
    assert add_french_spaces(typed) == printed


@given(st.text())
def test_french_spaces_twice_are_french_spaces_once(text):
    assert add_french_spaces(add_french_spaces(text)) == add_french_spaces(text)


def test_an_english_text_gets_its_apostrophe_and_no_french_space():
    assert apply_typography("It's true? Yes!", "en") == "It’s true? Yes!"


@pytest.mark.parametrize(("seconds", "text"), [(7.9, "0:07"), (486, "8:06"), (3723, "1:02:03")])
def test_format_clock(seconds, text):
    assert format_clock(seconds) == text


def test_format_clock_can_always_show_hours():
    assert format_clock(486, always_hours=True) == "00:08:06"


@given(st.text())
def test_what_slugify_gives_is_a_slug_or_nothing(text):
    assert slugify(text) == "" or is_slug(slugify(text))


def test_slugify_keeps_french_words_apart():
    assert slugify("L’œuvre d'Été, n° 2 !") == "l-oeuvre-d-ete-n-2"


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Łódź", "lodz"),
        ("Straße", "strasse"),
        ("STRASSE, GROẞ", "strasse-gross"),
        ("Ørsted", "orsted"),
        ("Cœur", "coeur"),
        ("Ælfric", "aelfric"),
        ("Þór og Guðrún", "thor-og-gudrun"),
        ("Đặng", "dang"),
        ("Hawaiʻi", "hawaii"),
        ("L’été d’Łukasz", "l-ete-d-lukasz"),
        ("Ɓaɗe, ɛ et ŋ", "bade-e-et-ng"),
        ("Владимир, 日本, שלום", ""),
        ("5 °C, ½ €", "5-c-12"),
    ],
)
def test_a_slug_loses_no_latin_letter(title, slug):
    assert slugify(title) == slug == slugify(unicodedata.normalize("NFD", title))


def slug_of_0_1(text):
    """What `slugify` gave in 0.1, when it dropped every letter that is no ASCII letter with an accent."""
    expanded = re.sub(r"['’ʼ]", " ", text.lower()).replace("œ", "oe").replace("æ", "ae")
    ascii_text = unicodedata.normalize("NFKD", expanded).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:80].strip("-")


LATIN_1 = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x100))))
FRENCH_AND_ENGLISH = "".join(char for char in LATIN_1 if char not in "ØøÐðÞþßµ") + "ŒœŸ’‘“”«»–—…€™№\u202f\u0301\u0300\u0302\u0308\u0327"


@given(st.text(FRENCH_AND_ENGLISH))
def test_a_text_in_french_or_english_keeps_the_slug_it_had(text):
    assert slugify(text) == slug_of_0_1(text)


@pytest.mark.parametrize("name", ["../x", "a/b", "A", "", "-a", "é", "a--b", ".", "x" * 81])
def test_an_unsafe_name_is_not_a_slug(name):
    assert not is_slug(name)


@given(st.text())
def test_terminal_safe_text_cannot_move_the_cursor(text):
    assert not set(terminal_safe(text)) & {"\x1b", "\r", "\n", "\u202e", "\x07"}


def test_suggest_names_the_closest_word():
    assert suggest("titel", ["title", "number"]) == "did you mean “title”?"


@given(st.text(alphabet="あ漢ー。「」ァab1 ", max_size=30))
def test_what_is_split_between_unspaced_characters_is_joined_again(text):
    token = text.replace(" ", "")
    assert join_words(split_unspaced(token)) == token


@pytest.mark.parametrize(
    ("token", "pieces"),
    [
        ("気が、実。", ["気", "が、", "実。"]),
        ("「ニュース」", ["「ニュー", "ス」"]),
        ("été", ["été"]),
        ("iPhoneを使う", ["iPhoneを", "使", "う"]),
    ],
)
def test_a_line_of_japanese_may_end_between_characters_but_not_before_a_mark(token, pieces):
    assert split_unspaced(token) == pieces


def test_words_heard_stand_side_by_side_in_languages_without_spaces():
    assert (join_heard(["気", "が"], "ja"), join_heard(["สวัส", "ดี"], "th"), join_heard(["il", "dit"], "fr")) == ("気が", "สวัสดี", "il dit")
    assert join_words(["le", "mot", "気", "が", "fin"]) == "le mot 気が fin"
