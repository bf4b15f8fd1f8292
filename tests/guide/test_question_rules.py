"""Questions a room can answer: what is wrong with the others is said, and never stops a guide."""

from __future__ import annotations

import pytest

from pipeline.guide.document import parse_guide
from pipeline.guide.glyphs import missing_glyphs, replace_missing_glyphs
from pipeline.guide.question_rules import guide_warnings, is_open, question_fault
from tests.support.guide_sample import GUIDE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Est-ce que l’accueil vous plaît ?", "yes or no"),
        ("Pensez-vous que cela marche ?", "yes or no"),
        ("Qui décide ? Et pour quand ?", "two things"),
        (f"Que faire de {'tout ' * 25}?", "25 at most"),
        ("Qu’est-ce que nous ne comptons pas ?", ""),
        ("L’épisode demande : « Faut-il choisir ? » Et chez nous, que répondrait-on ?", ""),
        ("Que pourrait-on essayer, qui s’en charge et avec quel appui ? « Rien » est une réponse.", ""),
    ],
)
def test_a_question_is_open_short_and_asks_one_thing(text: str, says: str) -> None:
    assert says in question_fault(text, "fr") if says else question_fault(text, "fr") == ""


@pytest.mark.parametrize(
    ("text", "opens"),
    [("Comment accueillir ?", True), ("Faut-il choisir ?", True), ("Vous venez souvent ?", False), ("Voulez-vous lire ?", False)],
)
def test_an_interrogative_word_opens(text: str, opens: bool) -> None:
    assert is_open(text, "fr") == opens


def test_a_guide_written_with_care_gets_no_advice() -> None:
    assert list(guide_warnings(parse_guide(GUIDE.read_text(encoding="utf-8"), "x"), "fr")) == []


def test_advice_names_the_line_and_what_is_missing() -> None:
    guide = parse_guide("## Débattre\nQue pensez-vous de cela ?\n## Agir\nQue faire ?\n", "x")
    assert [(line, "sceptic" in said or "support" in said) for line, said in guide_warnings(guide, "fr")] == [(4, True), (2, True)]


def test_a_question_that_the_summary_answers_is_told() -> None:
    guide = parse_guide("## Comprendre\nQui ouvre la lettre du département ?\n", "x")
    assert "summary" in next(iter(guide_warnings(guide, "fr", "Qui ouvre la lettre du département ? Une agente.")))[1]


def test_a_missing_glyph_is_named_once_with_its_line_and_drawn_as_a_box() -> None:
    text = "## But de la rencontre\n%% 🎈 note\nUn 🎉 et encore 🎉, 漢 et \u200b rien\n"
    found = list(missing_glyphs(text))
    assert [(line, "U+" in said) for line, said in found] == [(3, True), (3, True)]
    assert "party popper" in found[0][1] and replace_missing_glyphs("a🎉\u200bb") == "a□b"


def test_an_accent_typed_apart_is_drawn_with_its_letter() -> None:
    apart = "de\u0301bat"
    assert replace_missing_glyphs(apart) == "débat" and not list(missing_glyphs(apart))


def test_words_under_no_part_of_a_meeting_are_told() -> None:
    guide = parse_guide("## Mots à dire\nÉcoute : Écoutons.\nAcueil et cadre : Bonjour.\nBonjour.\n", "x")
    found = [(line, said) for line, said in guide_warnings(guide, "fr") if "printed nowhere" in said]
    assert [line for line, _ in found] == [3, 4] and "accueil et cadre" in found[0][1]
