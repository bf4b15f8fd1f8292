"""Spellings that are said alike have one key, and others have not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.sound_keys import sound_key, sounds_alike


@pytest.mark.parametrize(
    "spellings",
    [
        ("Fignon", "Finion"),
        ("Père Lachaise", "Père la Chèse"),
        ("Malik Aubry", "malicobri"),
        ("Beauregard", "beau regard"),
        ("Houellebecq", "ouelbec"),
        ("Quentin", "Kantin"),
        ("Haudiquet", "au diquet"),
        ("Gognich", "Gonnich"),
        ("Philippe", "Filip"),
    ],
)
def test_what_is_said_alike_in_french_has_one_key(spellings):
    assert len({sound_key(spelling.split(), "fr") for spelling in spellings}) == 1


@pytest.mark.parametrize("names", [("Martin", "Morin"), ("Dubois", "Dumas"), ("Laurent", "Lambert"), ("Malik", "Mélanie")])
def test_names_that_are_said_otherwise_have_two_keys(names):
    assert len({sound_key([name], "fr-CA") for name in names}) == 2


@pytest.mark.parametrize("name", ["Li", "3", "Léo 3", "Ng", ""])
def test_what_is_short_or_a_number_has_no_key(name):
    assert sound_key(name.split(), "fr") == ""


@given(st.text(max_size=30), st.sampled_from(["fr", "en", "de", ""]))
def test_any_text_has_a_key_or_none(text, language):
    assert isinstance(sound_key(text.split(), language), str)


def test_english_spellings_with_one_key_must_share_letters():
    assert sound_key(["kind"], "en") == sound_key(["Kennedy"], "en")
    assert not sounds_alike("kind", "Kennedy", "en") and sounds_alike("Kathryn", "Catherine", "en")
