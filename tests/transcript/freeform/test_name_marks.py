"""Names that stand apart from the words, as people type them."""

import pytest

from pipeline.transcript.document import Paragraph, Section
from pipeline.transcript.freeform.converter import convert

SAID = [("Maud", "À quelle heure\u202f?"), ("Tancrède", "Quand vous voulez."), ("Maud", "Partons."), ("Tancrède", "Larguez l’amarre.")]


def turns(text: str) -> list[tuple[str, str]]:
    return [(block.voice, block.text) for block in convert(text).transcript.blocks if isinstance(block, Paragraph)]


@pytest.mark.parametrize(
    "form",
    [
        "[{0}] {1}",
        "-[{0}] {1}",
        "- [{0}] : {1}",
        "[{0}]\n{1}",
        "[{0}]\n\n{1}\n",
        "- {0} -\n{1}",
        "{0} : {1}",
        "{0} – {1}",
        "{2}\n{1}",
        "{2}\n\n{1}\n",
        "{2}. - {1}",
        "{2}. — {1}",
        "{2}, — {1}",
        "{2} — {1}",
        "{2}. {1}",
        "{2} : {1}",
    ],
)
def test_a_notation_that_is_used_throughout_gives_the_names(form):
    text = "\n".join(form.format(name, said, name.upper()) for name, said in SAID)
    assert turns(text) == SAID


@pytest.mark.parametrize("form", ["{2}, {3}. - {1}", "{2} ({3}). — {1}", "{2}, {3}. {1}", "{0} ({3}) : {1}", "{2}, {3}\n{1}"])
def test_how_something_is_said_becomes_a_sound(form):
    text = "\n".join(form.format(name, said, name.upper(), "en riant") for name, said in SAID)
    assert turns(text) == [(name, f"[en riant] {said}") for name, said in SAID]


def test_who_somebody_is_becomes_the_full_name():
    found = convert("Maud (la passeuse) : Oui.\nTancrède : Non.\nMaud : Si.\nTancrède : Bon.").transcript
    assert [(voice.key, voice.label) for voice in found.voices] == [("Maud", "Maud, la passeuse"), ("Tancrède", "")]


def test_a_name_alone_holds_until_the_next_one():
    text = "[Maud]\n\nBonjour.\n\nIl pleut.\n\n[musique]\n\nVoilà.\n\n[Paul]\n\nOui.\n\n[Maud]\n\nBon.\n"
    assert turns(text) == [
        ("Maud", "Bonjour."),
        ("Maud", "Il pleut."),
        ("", "[musique]"),
        ("", "Voilà."),
        ("Paul", "Oui."),
        ("Maud", "Bon."),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[Musique] Il pleut.\n[Rires] Il neige.\n[Musique] Il vente.",
        "[Tonnerre] Il pleut.\nOn attend.\nEncore.\nToujours.\nOn attend.\n[Cloche] Il neige.\nVoilà.\nOui.\nNon.\n[Cloche] Fin du jour.",
        "OUI. Il pleut.\nNON. Il neige.\nOUI. Encore.",
        "LA VILLE\n\nIl pleut.\n\nLE FLEUVE\n\nIl neige.",
    ],
)
def test_sounds_shouts_and_titles_are_no_names(text):
    assert not any(voice for voice, _ in turns(text))


def test_the_acts_and_scenes_of_a_play_are_parts():
    found = convert("ACTE PREMIER\n\nSCÈNE III.\n\nVALÈRE\nHé quoi ?\nÉLISE\nNon.\nVALÈRE\nSi.").transcript.blocks
    assert [block.label for block in found if isinstance(block, Section)] == ["Acte premier", "Scène III"]


def test_captions_of_a_page_are_joined_to_sentences_with_their_first_time():
    found = convert("00:00Et un grand entretien,\n00:06dans ce studio.\n00:12Bonjour !\n00:15Et voilà.").transcript.blocks
    assert [(block.anchor_s, block.text) for block in found] == [
        (0, "Et un grand entretien, dans ce studio."),
        (12, "Bonjour\u202f!"),
        (15, "Et voilà."),
    ]
