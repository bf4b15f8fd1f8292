"""Facts of a text in TOML: filled in where they are missing, comments kept."""

import tomllib

import pytest

from pipeline.commands.facts import fact_changes, toml_diff, write_tomls
from pipeline.model.errors import CauserieError
from pipeline.transcript.freeform.classifier import TranscriptHeader

SHOW = '# The show.\ntitle = "T"\n\n[people.nora]\nname = "Nora Belkacem"  # elle\n\n[credits]\nHost = ["nora"]\n'
NEW = 'title = "Le bac"  # à revoir\nnumber = 1\nsummary = "Résumé à écrire : une ou deux phrases."\n\n# le son\n[[recordings]]\nfile = "x.wav"\n'
HEADER = TranscriptHeader(
    title="Le bac et la rive",
    summary="Un village attend.",
    number=3,
    spoken_title="La rive",
    duration_s=480,
    cast=("Nora Belkacem", "Jean Petit"),
    production="Îles & Ondes",
    credits=(("Réalisation et mixage", "Léa Roy, Bo Lu"), ("Cuisine", "Ana Do")),
)


def changed(episode: str = NEW, header: TranscriptHeader = HEADER, *, has_fiction: bool = False):
    return fact_changes(SHOW, episode, header, "02-le-bac", has_fiction=has_fiction)


def test_what_is_missing_or_a_placeholder_is_filled_in_and_comments_stay():
    found = changed()
    episode, show = tomllib.loads(found.episode), tomllib.loads(found.show)
    assert {key: episode[key] for key in ("title", "number", "summary", "spoken_title")} == {
        "title": "Le bac et la rive",
        "number": 3,
        "summary": "Un village attend.",
        "spoken_title": "La rive",
    }
    assert episode["recordings"] == [{"file": "x.wav"}]
    assert {key: person["name"] for key, person in show["people"].items()} == {
        "nora": "Nora Belkacem",
        "jean-petit": "Jean Petit",
        "iles-ondes": "Îles & Ondes",
        "lea-roy": "Léa Roy",
        "bo-lu": "Bo Lu",
    }
    assert show["credits"] == {"Host": ["nora"]}
    assert episode["credits"] == {
        "Guest": ["nora", "jean-petit"],
        "Producer": ["iles-ondes"],
        "Director": ["lea-roy", "bo-lu"],
        "Post Production Engineer": ["lea-roy", "bo-lu"],
    }
    assert all(comment in found.episode + found.show for comment in ("# à revoir", "# le son", "# elle", "# The show.", "lasts 8:00"))
    assert any("Cuisine : Ana Do" in remark for remark in found.remarks)


def test_what_a_person_wrote_stays_and_the_difference_is_told():
    mine = NEW.replace('"Le bac"', '"Mon titre"').replace("Résumé à écrire : une ou deux phrases.", "Mon résumé.")
    found = changed(mine)
    episode = tomllib.loads(found.episode)
    assert (episode["title"], episode["summary"], episode["number"]) == ("Mon titre", "Mon résumé.", 1)
    assert [remark.split(" stays")[0] for remark in found.remarks if " stays " in remark] == ["title", "number", "summary"]


def test_in_a_fiction_those_who_are_named_after_avec_are_its_actors():
    assert tomllib.loads(changed(has_fiction=True).episode)["credits"]["Voice Actor"] == ["nora", "jean-petit"]


def test_a_second_time_nothing_changes():
    once = changed()
    again = fact_changes(once.show, once.episode, HEADER, "02-le-bac", has_fiction=False)
    assert (again.show, again.episode) == (once.show, once.episode)
    assert [*toml_diff({"a": once.show}, {"a": again.show})] == []


def test_the_difference_shows_what_would_be_written():
    found = changed()
    lines = [*toml_diff({"episode.toml": NEW}, {"episode.toml": found.episode})]
    assert '-title = "Le bac"  # à revoir' in lines
    assert '+title = "Le bac et la rive"  # à revoir' in lines


def test_a_file_that_changed_meanwhile_is_left_as_it_is(tmp_path):
    (tmp_path / "show.toml").write_text("a = 1\n", encoding="utf-8")
    with pytest.raises(CauserieError, match="changed meanwhile"):
        write_tomls(tmp_path, {"show.toml": "a = 0\n"}, {"show.toml": "a = 2\n"})
    assert (tmp_path / "show.toml").read_text(encoding="utf-8") == "a = 1\n"
