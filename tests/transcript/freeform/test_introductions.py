"""Who is introduced in the words of a text."""

import pytest

from pipeline.transcript.freeform.introductions import introduced_names, presented_next, self_introduction


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Je m’appelle Odile, je tiens le kiosque.", "Odile"),
        ("Firmin. Je suis apprenti.", "Firmin"),
        ("Bonjour, je suis Jean-Loup, éclusier.", "Jean-Loup"),
        ("Moi, c’est Aïcha.", "Aïcha"),
        ("Claire, 34 ans, je conduis le bac.", "Claire"),
        ("Je suis Anne Petit, la gardienne.", "Anne Petit"),
        ("My name is Ada Brown.", "Ada Brown"),
        ("Je suis Breton, et alors ?", ""),
        ("Je suis Française, moi.", ""),
        ("Demain. Je suis là.", ""),
        ("Bonjour. Je suis venu à pied.", ""),
        ("On s’appelle Lundi ?", ""),
        ("Je suis le chef.", ""),
    ],
)
def test_a_speaker_who_gives_a_name_is_known_by_it(text, name):
    assert self_introduction(text) == name


@pytest.mark.parametrize(
    ("text", "name", "label"),
    [
        (
            "Paul Guillot, responsable des bacs, nous explique :",
            "Paul Guillot",
            "Paul Guillot, responsable des bacs",
        ),
        ("Il pleut. Soizic raconte ses débuts :", "Soizic", ""),
        ("Le docteur Anna Roy se souvient.", "Anna Roy", ""),
        ("Écoutons Maud Riou, batelière.", "Maud Riou", "Maud Riou, batelière"),
        ("Alors raconte :", "", ""),
        ("Et vous, que feriez-vous ?", "", ""),
    ],
)
def test_whom_the_narrator_presents_speaks_next(text, name, label):
    assert presented_next(text) == (name, label)


def test_a_guest_and_somebody_described_are_introduced():
    found = set(introduced_names(["Aujourd’hui, je reçois Marc.", "Ici travaille Anne Petit, gardienne du pont."]))
    assert {"marc", "anne petit"} <= found
