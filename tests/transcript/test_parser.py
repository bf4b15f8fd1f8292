"""Labels that may or may not be voices."""

import pytest

from pipeline.model.errors import CauserieError
from pipeline.transcript.parser import parse_transcript, undeclared_labels

TEXT = """+++
[voices.Nora]
person = "nora"
+++

Nora : Bonjour.

Malik : Une soixantaine.

Léa : Oui.

Léa : Non.

%% Note : à vérifier
"""


def test_a_name_said_once_and_not_declared_is_asked_about():
    assert undeclared_labels(TEXT) == ((8, "Malik"),)


def test_nothing_is_asked_when_every_name_is_known():
    assert undeclared_labels(TEXT.replace("Malik", "Nora")) == ()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("\n\n+++\n[voices.maud]\n+++\nMaud : Oui.", [3]),
        ("++\n[voices.maud]\nrole = 'récit'\n++\nOui.", [1]),
        ("++++\n[voices.maud]\n++++\nOui.", [1]),
        ("+ + +\n[voices.maud]\n+++\nOui.", [1]),
        ("---\n[voices.maud]\n---\nOui.", [1]),
        ("```toml\n[voices.maud]\n```\nOui.", [1]),
        ("\ufeff\n+++\n+++\nOui.", [2]),
        (" +++\n[voices.maud]\n+++\nOui.", [1]),
        ("+++ toml\n[voices.maud]\n+++\nOui.", [1]),
        ('+++ draft = ""\n[voices.maud]\n+++\nOui.', [1]),
        ("Oui.\n\n[people.nora]\nname = 'Nora'", [3, 4]),
        ("+++\n[voices.maud]\n+++\nOui.\n\n+++\nNon.", [6]),
        ("+++\n[voices.maud]\n+++\nOui.\n\n[voices.paul]\nrole = 'récit'", [6, 7]),
        ("Oui.\n\n[voices.paul]", [3]),
        ("Oui.\n\n[voices]\npaul = { role = 'récit' }", [3, 4]),
        ('Oui.\n\nname = « Maud »\nrole = "récit"', [3, 4]),
    ],
)
def test_front_matter_that_would_be_published_is_a_mistake_with_its_line(text, lines):
    with pytest.raises(CauserieError) as caught:
        parse_transcript(text, "x.md")
    problems = getattr(caught.value, "problems", (caught.value,))
    assert [problem.where for problem in problems] == [f"x.md:{line}" for line in lines]
    assert all(problem.hint for problem in problems)


@pytest.mark.parametrize(
    "line", ["[voices]", "---", "Le + et le +", "\\+++", "\\[voices.maud]", "[voix]", "[M.Durand]", "[Rires. Silence.]", "+1", "***"]
)
def test_what_only_resembles_front_matter_is_said(line):
    assert parse_transcript(f"Oui.\n\n{line}\n\nNon.").blocks[1].text == line.removeprefix("\\")
