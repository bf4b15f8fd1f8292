"""The glossary: how it is read, what the recogniser is prompted with, what is corrected and what is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.glossary import read_glossary
from pipeline.config.table import Table
from pipeline.model.glossary import apply_glossary, find_near_terms
from pipeline.model.show import Glossary, Person, Term

PEOPLE = {"nora": Person("nora", "Nora Belkacem"), "malik": Person("malik", "Malik Aubry")}
NAMES = Glossary((Term("Orvalle", ("or val", "Orval")), Term("CAF"), Term("Val-d'Orne", ("Valdorne",)), Term("Noémie"), Term("Aurore")))


def recognition(text: str) -> dict:
    """`words.json` of words of one second."""
    words = [{"text": word, "start_s": float(i), "end_s": i + 1.0, "probability": 0.9} for i, word in enumerate(text.split(" "))]
    return {"language": "fr", "duration_s": 60.0, "segments": [{"text": text, "words": words}]}


def corrected_text(text: str) -> str:
    """The corrected text."""
    return apply_glossary(recognition(text), NAMES)[0]["segments"][0]["text"]


def read(values: dict) -> tuple[Glossary, list[str]]:
    """The glossary of a file, and its problems."""
    problems = []
    glossary = read_glossary(Table(values, "glossary.toml", problems), PEOPLE)
    return glossary, [str(problem) for problem in problems]


def test_terms_are_plain_texts_or_tables_and_the_people_come_with_them():
    glossary, problems = read({"terms": ["CAF", {"say": "Orvalle", "heard": ["or val"], "note": "la ville"}]})
    assert not problems
    assert [term.say for term in glossary.terms] == ["CAF", "Orvalle", "Nora Belkacem", "Malik Aubry", "Belkacem"]


def test_without_a_file_there_are_still_the_people():
    assert read_glossary(None, PEOPLE).terms[0] == Term("Nora Belkacem")


def test_a_person_whose_name_holds_no_letter_is_nothing_to_listen_for():
    assert read_glossary(None, {"x": Person("x", "🎧 « … »")}).terms == ()


def test_what_is_said_of_a_person_replaces_the_bare_name():
    glossary, _ = read({"terms": [{"say": "Malik Aubry", "heard": ["Malik O'Brien"]}]})
    assert [term.heard for term in glossary.terms if term.say == "Malik Aubry"] == [("Malik O'Brien",)]


def test_every_mistake_is_told_at_once_with_its_place():
    _, problems = read({"terms": [{"heard": ["x"]}, {"say": "CAF", "herd": []}, "CAF", {"say": "Or", "heard": ["caf"]}, 3], "term": 1})
    places = [problem.split(": ")[1] for problem in problems]
    assert places == ["terms[1].say", "terms[2].herd", "terms[3].say", "terms[5].say", "term", "terms"]


def test_one_wrong_spelling_belongs_to_one_term():
    _, problems = read({"terms": [{"say": "Orvalle", "heard": ["Orval"]}, {"say": "Orvault", "heard": ["orval"]}]})
    assert len(problems) == 1 and "terms[2].heard" in problems[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("à la mairie d’Or Val, oui", "à la mairie d’Orvalle, oui"),
        ("« Orval ! »", "« Orvalle ! »"),
        ("au Valdorne.", "au Val-d’Orne."),
        ("le Val d’Orne", "le Val-d’Orne"),
        ("une Caf et Noemie", "une CAF et Noémie"),
    ],
)
def test_known_wrong_spellings_are_corrected_and_all_around_them_stays(text, expected):
    assert corrected_text(text) == expected


@pytest.mark.parametrize(
    "text",
    ["l’aurore et le café", "de l’or, val", "l’or. Val", "post-Orval", "Or Val-sur-Mer", "la caf", "Orvalle", "Orvallet", "chorval"],
)
def test_what_may_be_another_word_is_left_alone(text):
    assert apply_glossary(recognition(text), NAMES)[1] == ()


def test_a_correction_takes_the_time_of_what_it_replaces_and_is_listed():
    value, corrections = apply_glossary(recognition("oui d’Or Val, non"), NAMES)
    assert value["segments"][0]["words"][1] == {"text": "d’Orvalle,", "start_s": 1.0, "end_s": 3.0, "probability": 0.9}
    assert [each.to_value() for each in corrections] == [{"start_s": 1.0, "end_s": 3.0, "heard": "Or Val", "written": "Orvalle"}]


def test_a_term_of_two_words_shares_the_time():
    value, _ = apply_glossary(recognition("la Secu."), Glossary((Term("Sécurité sociale", ("secu",)),)))
    assert [(word["text"], word["start_s"]) for word in value["segments"][0]["words"][1:]] == [("Sécurité", 1.0), ("sociale.", 1.5)]


def test_what_was_heard_is_never_changed_itself():
    what = recognition("Or Val")
    apply_glossary(what, NAMES)
    assert what == recognition("Or Val")


@given(
    st.lists(
        st.sampled_from(["or", "Val", "Orval,", "d’Or", "Caf.", "«", "Orval-Orval", "Noemie", "l’aurore", "Val-d’", "Orne"]), max_size=12
    )
)
@settings(max_examples=100, deadline=None)
def test_what_is_corrected_needs_no_correction_and_time_still_runs_forward(words):
    once, _ = apply_glossary(recognition(" ".join(words)), NAMES)
    done = once["segments"][0]["words"]
    assert all(before["end_s"] <= after["start_s"] + 1e-9 for before, after in zip(done, done[1:], strict=False))
    assert sum(word["end_s"] - word["start_s"] for word in done) == pytest.approx(max(1, len(words)))


def test_what_is_nearly_a_name_is_doubted_not_corrected():
    words = recognition("Orvale et l’orvalle, Orvalle")["segments"][0]["words"]
    assert find_near_terms(words, NAMES) == ((0, "Orvalle"),)


def test_a_wrong_spelling_that_is_somebody_s_name_is_refused():
    _, problems = read({"terms": [{"say": "Belka", "heard": ["Belkacem"]}]})
    assert len(problems) == 1 and "“Belkacem” is both a term and a wrong spelling of “Belka”" in problems[0]


FRENCH = Glossary(
    (Term("Fignon"), Term("Père-Lachaise"), Term("Belkacem"), Term("Claire"), Term("Mathieu"), Term("Mattieu"), Term("Paris 20"))
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("à Laurent Finion, adieu", "à Laurent Fignon, adieu"),
        ("du Père la Chèse à Paris", "du Père-Lachaise à Paris"),
        ("Nora Belkassem.", "Nora Belkacem."),
        ("chez Bel Qassem ?", "chez Belkacem ?"),
    ],
)
def test_what_sounds_exactly_like_a_name_and_is_written_as_one_becomes_it(text, expected):
    assert apply_glossary(recognition(text), FRENCH)[0]["segments"][0]["text"] == expected


@pytest.mark.parametrize(
    "text", ["il fait clair", "le père la chaise", "le bel Qassem", "oui. Finion", "Bel, Qassem", "Matthieu dit", "à Pari vingt", "X"]
)
def test_what_is_an_ordinary_word_or_two_names_at_once_is_left_alone(text):
    assert apply_glossary(recognition(text), FRENCH)[1] == ()


def test_english_names_are_compared_by_their_english_sound():
    words = {**recognition("we met Kathryn Shawnessy, kind"), "language": "en"}
    fixed, _ = apply_glossary(words, Glossary((Term("Catherine"), Term("Shaughnessy"), Term("Kennedy"))))
    assert fixed["segments"][0]["text"] == "we met Catherine Shaughnessy, kind"


def test_a_language_without_rules_keeps_what_was_heard():
    words = {**recognition("a Bel Qassem"), "language": "de"}
    assert apply_glossary(words, FRENCH)[1] == ()
