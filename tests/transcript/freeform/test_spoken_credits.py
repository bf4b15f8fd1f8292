"""Credits as people say them."""

import pytest

from pipeline.transcript.freeform.converter import convert
from pipeline.transcript.freeform.spoken_credits import find_spoken_credits


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("C’était « Un pont », écrit par Anne Petit et réalisé par Léa Roy.", [("écriture", "Anne Petit"), ("réalisation", "Léa Roy")]),
        ("Un podcast écrit et réalisé par Anne Petit.", [("écriture", "Anne Petit"), ("réalisation", "Anne Petit")]),
        ("Une production Îles Sonores.", [("production", "Îles Sonores")]),
        ("Musique originale de Orso Nello, montage de Léa Roy.", [("musique", "Orso Nello"), ("montage", "Léa Roy")]),
        ("Avec les voix de Anne Petit et Jean Roche.", [("voix", "Anne Petit et Jean Roche")]),
        ("Avec Anne Petit, Jean Roche.", [("avec", "Anne Petit, Jean Roche")]),
        ("This was The Ferry, written by Ada Brown.", [("écriture", "Ada Brown")]),
        ("C’était « Le bac », écrit par les habitants.", []),
        ("Il a été écrit par la mairie.", []),
    ],
)
def test_a_credit_is_found_in_a_sentence(text, found):
    assert [(credit.role, credit.who) for credit in find_spoken_credits(text)] == found


def test_what_is_told_in_the_middle_of_an_episode_is_no_credit():
    head = convert("Titre\n\nLe livre écrit par Jean Roche est beau.\nIl pleut.").header
    assert (head.credits, head.cast) == ((), ())


def test_the_sentences_of_the_closing_are():
    head = convert("Titre\n\nIl pleut.\n\nC’était « Le bac », un podcast réalisé par Jean Roche.\n").header
    assert head.credits == (("réalisation", "Jean Roche"),)
