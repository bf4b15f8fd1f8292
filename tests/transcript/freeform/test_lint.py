"""Advice on a transcript."""

from pathlib import Path

import pytest

from pipeline.transcript.freeform.lint import lint_transcript

ROOT = Path(__file__).parents[3]
SLUGS = ("01-la-file-d-attente", "02-une-voix-au-bout-du-fil")
SHOW = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "transcripts").glob("*.md")}
NORA = '+++\n[voices.Nora]\nrole = "entretien"\n+++\nNora : Oui.\n'


def messages(text: str, **more) -> list[tuple[int, str]]:
    return [(remark.line, remark.message) for remark in lint_transcript(text, **more)]


MISTAKE = "Une fin..."  # put after what is right, as a lint that finds nothing must not pass
FOUND = "an ellipsis written as three full stops"


@pytest.mark.parametrize("name", [f"{slug}.md" for slug in SLUGS])
def test_the_sample_gets_no_advice(name):
    text = f"{SHOW[name].rstrip()}\n\n{MISTAKE}\n"
    (found,) = lint_transcript(text, name)
    assert (found.line, found.message) == (len(text.splitlines()), FOUND)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('Il a dit "oui".', "straight quotation marks"),
        ("Deux  espaces.", "two spaces"),
        ("Alors...", "three full stops"),
        ("Une (parenthèse.", "unequal numbers of ( and )"),
        ("Un [son", "unequal numbers of [ and ]"),
        ("Un “mot.", "unequal numbers of “ and ”"),
        ("Voici: oui.", "no space before the colon of “Voici:”"),
        ("Le 12/03/2025.", "a date or a fraction"),
        ("Au 06 12 34 56 78.", "telephone"),
        ("En 2019-2020.", "two numbers with a dash"),
        ("En 1900.", "read in two ways"),
        ("La Boulangère : Bonjour.", "is before a colon only once"),
        ("mot " * 400, "without a voice"),
    ],
)
def test_a_line_is_told_with_its_number_and_a_remedy(line, message):
    (remark,) = lint_transcript(f"Bonjour.\n\n{line}\n")
    assert remark.line == 3
    assert message in remark.message
    assert remark.hint


@pytest.mark.parametrize(
    "line",
    [
        "Voilà, c’est tout : rien.",
        "À 12:30, il pleut.",
        "Il y en a 1 234.",
        "De 12\u202f000 à 35\u00a0000.",
        "Voir https://exemple.org/a?b",
        "Nora : Oui.",
    ],
)
def test_what_is_right_is_left_alone(line):
    assert [message for _, message in messages(f"{NORA}\n{line}\n\n{MISTAKE}\n")] == [FOUND]


def test_plain_spaces_are_counted_once_for_all():
    assert messages("Oui ?\n\nNon !\n\nBon\u202f!\n") == [(1, "2 lines have ordinary spaces, or none, before ; ! ? : » or after «")]


def test_a_voice_that_never_speaks_and_one_that_is_almost_another_are_told():
    text = NORA.replace("+++\nN", "[voices.Malik]\n+++\nN", 1) + "Nora : Oui.\n\nNorah : Non.\n\nNorah : Si.\n\nNorah : Non.\n\n"
    assert messages(text) == [(4, "“Malik” is declared but never speaks"), (6, "“Nora” is almost “Norah”")]


def test_narration_inside_an_archive_is_told():
    (found,) = messages("## Archive\n\n«\u202fOui.\u202f»\n\nVoilà.\n")
    assert found == (5, "the narrator speaks in the section “Archive”")


def test_a_text_with_mistakes_still_gets_advice():
    assert messages("« Jamais fermé.\n\nDeux  espaces.")[-1] == (3, "two spaces in a row")
