"""`causerie import-text`: what is written where, and what is asked first."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from pipeline.transcript.freeform.word_audit import split_words

TEXT = """Le bac et la rive
Un village attend son bac.
BAC_EP2_VF
Durée : 00h08
(début fichier audio « BAC_EP2_VF »)
Il pleut.
« Je vous écris. »
Générique de fin : [musique]
Réalisation : Jean Roche.
(fin fichier audio « BAC_EP2_VF »)
"""
WORDS = len(split_words(TEXT))
COUNT = f"{WORDS} words in, {WORDS} out"


@pytest.fixture
def show(tmp_path: Path) -> Path:
    """A new show with one episode, and a text to import."""
    root = tmp_path / "show"
    CliRunner().invoke(main, ["init", str(root)], catch_exceptions=False)
    folder = root / "episodes/02-le-bac"
    folder.mkdir()
    (folder / "x.wav").write_bytes(b"RIFF")
    toml = 'title = "Le bac"  # à revoir\nnumber = 1\npublished = 2026-10-06T06:00:00+02:00\nsummary = "Résumé à écrire : une ou deux phrases."\n'
    (folder / "episode.toml").write_text(f'{toml}\n[[recordings]]\nfile = "x.wav"\n', encoding="utf-8")
    (tmp_path / "bac.txt").write_text(TEXT, encoding="utf-8")
    return root


def run(show: Path, *options: str, answer: str = "") -> str:
    result = CliRunner().invoke(
        main,
        ["import-text", "02-le-bac", str(show.parent / "bac.txt"), "--show", str(show), *options],
        input=answer,
        catch_exceptions=False,
    )
    return result.output


def episode(show: Path) -> dict[str, object]:
    return tomllib.loads((show / "episodes/02-le-bac/episode.toml").read_text(encoding="utf-8"))


def test_the_transcript_is_written_and_the_questions_are_counted(show):
    output = run(show)
    assert COUNT in output
    assert "1 question about who speaks: causerie status" in output
    assert "Jean Roche." in (show / "transcripts/02-le-bac.md").read_text(encoding="utf-8")
    assert episode(show)["title"] == "Le bac"


@pytest.mark.parametrize(("answer", "title"), [("y\n", "Le bac et la rive"), ("n\n", "Le bac")])
def test_facts_are_written_when_the_difference_is_agreed_to(show, answer, title):
    output = run(show, "--write", answer=answer)
    assert '-title = "Le bac"  # à revoir' in output
    assert episode(show)["title"] == title
    people = tomllib.loads((show / "show.toml").read_text(encoding="utf-8"))["people"]
    assert ("jean-roche" in people) == (answer == "y\n")


def test_with_yes_nothing_is_asked_and_a_second_time_nothing_changes(show):
    assert "Wrote the facts of the text to show.toml and episodes/02-le-bac/episode.toml." in run(show, "--write", "--yes")
    assert episode(show)["credits"] == {"Director": ["jean-roche"]}
    assert "are in show.toml and episode.toml already" in run(show, "--write", "--yes")


def test_a_page_of_two_episodes_is_refused_until_one_is_chosen(show):
    page = show.parent / "bac.txt"
    page.write_text(TEXT.replace("EP2", "EP1") + TEXT, encoding="utf-8")
    assert "holds 2 episodes: 1 at line 1, 2 at line 11" in run(show)
    assert not (show / "transcripts/02-le-bac.md").exists()
    assert COUNT in run(show, "--episode", "2")
