"""Two spellings of the same words are normalised alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transcript.normalisation import french_number, word_tokens


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("d’Orvalle,", "d orvalle"),
        ("«\u202fDites-le-moi", "dites le moi"),
        ("SŒUR\u202f!", "soeur"),
        ("À", "a"),
        ("1978.", "mille neuf cent soixante dix huit"),
        ("2\u202f050", "deux mille cinquante"),
        ("80\u00a0%", "quatre vingt pour cent"),
        ("0,05", "zero virgule zero cinq"),
        ("06", "zero six"),
        ("1\u202f200\u202f000", "un million deux cent mille"),
        ("1er", "premier"),
        ("1re", "premiere"),
        ("21e", "vingt et unieme"),
        ("XXIe", "vingt et unieme"),
        ("XIV,", "quatorze"),
        ("IXe", "neuvieme"),
        ("8\u00a0h", "huit heures"),
        ("8h30", "huit heures trente"),
        ("12\u00a0€", "douze euros"),
        ("mi-temps", "mi temps"),
        ("Vie", "vie"),
        ("quatre-vingts", "quatre vingt"),
        ("12345678901", "12345678901"),
        ("[musique]", ""),
        ("[…]", ""),
        ("—", ""),
    ],
)
def test_a_word_is_compared_without_accents_case_or_punctuation(word, expected):
    assert " ".join(word_tokens(word, "fr")) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "zero"),
        (21, "vingt et un"),
        (71, "soixante et onze"),
        (81, "quatre-vingt-un"),
        (99, "quatre-vingt-dix-neuf"),
        (1000, "mille"),
        (200, "deux cent"),
    ],
)
def test_numbers_are_said_in_french(value, expected):
    assert french_number(value) == expected


@given(st.integers(0, 999_999_999), st.integers(0, 999_999_999))
def test_two_numbers_are_never_said_alike(first, second):
    assert (french_number(first) == french_number(second)) == (first == second)


def test_digits_stay_digits_in_other_languages():
    assert word_tokens("1978", "en") == ("1978",)
