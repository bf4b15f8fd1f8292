"""Short forms of a name: one voice when they are, two when they may not be."""

import pytest

from pipeline.transcript.freeform.converter import convert


def voices(text: str) -> list[str]:
    return [voice.key for voice in convert(text).transcript.voices]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nadia Cherif : Un.\nPaul : Deux.\nNadia : Trois.\nPaul : Quatre.\nN. C. : Cinq.", ["Nadia Cherif", "Paul"]),
        ("Nora : Un.\nPaul : Deux.\nNora B. : Trois.\nPaul : Non.", ["Nora", "Paul"]),
        ("HELENE : Un.\nPaul : Oui.\nHélène : Deux.\nPaul : Non.", ["Hélène", "Paul"]),
        ("Ribeiro : Un.\nPaul : Oui.\nMme Ribeiro : Deux.\nPaul : Non.", ["Mme Ribeiro", "Paul"]),
        ("Avec : Nadia Cherif.\n[musique]\nN. C. : Un.\nPaul : Oui.\nN. C. : Deux.", ["Nadia Cherif", "Paul"]),
    ],
)
def test_short_forms_of_a_name_are_one_voice(text, expected):
    assert voices(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Léa Roy : Un.\nLéa : Deux.\nLéa Roy : Trois.\nLéa : Quatre.",
        "Marie : Un.\nPaul : Oui.\nJean-Marie : Deux.\nPaul : Non.\nMarie : Si.\nPaul : Bon.\nJean-Marie : Ah.",
        "M. Tanguy : Un.\nPaul : Oui.\nMme Tanguy : Deux.\nPaul : Non.\nM. Tanguy : Si.\nPaul : Bon.\nMme Tanguy : Ah.",
        "Yves Tanguy : Un.\nPaul : Oui.\nMme Tanguy : Deux.\nPaul : Non.\nYves Tanguy : Si.\nPaul : Bon.\nMme Tanguy : Ah.",
        "Léa Roy : Un.\nPaul : Oui.\nLéa Roy : Si.\nPaul : Bon.\nFiction :\nLéa : Deux.\nTom : Trois.\nLéa : Quatre.",
        "Passant 1 : Un.\nPaul : Oui.\nPassant : Deux.\nPaul : Non.\nPassant 1 : Si.\nPaul : Bon.\nPassant : Ah.",
    ],
)
def test_names_that_may_be_of_two_people_stay_two_voices(text):
    typed = {line.split(" :")[0] for line in text.split("\n")} - {"Fiction"}
    assert set(voices(text)) == typed


def test_a_short_form_of_two_people_is_neither():
    text = "Paul Roy : Un.\nTom : Oui.\nPaul Bo : Deux.\nTom : Non.\nPaul : Si.\nTom : Bon.\nPaul : Ah."
    assert voices(text) == ["Paul Roy", "Tom", "Paul Bo", "Paul"]


def test_what_is_taken_for_a_fuller_name_is_told():
    remarks = convert("Nadia Cherif : Un.\nPaul : Deux.\nNadia : Trois.\nPaul : Quatre.").remarks
    assert any(remark.text == "Nadia" and "Nadia Cherif" in remark.reason for remark in remarks)
