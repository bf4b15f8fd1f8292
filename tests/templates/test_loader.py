"""The data of every area is found, in every language it has, and a show's own files override it."""

from __future__ import annotations

import jinja2
import pytest

from pipeline.model import CauserieError
from pipeline.templates import environment, folder, labels

AREAS = ("feed", "guide", "publication", "report", "review", "site", "transcript")


def shape(value: object) -> object:
    """A label's type, or the shapes of a table's labels by key."""
    return {key: shape(item) for key, item in value.items()} if isinstance(value, dict) else type(value)


@pytest.mark.parametrize("area", AREAS)
def test_every_language_has_the_same_labels(area: str) -> None:
    codes = sorted(path.name.split(".")[1] for path in folder(area).glob("labels.*.toml"))
    assert codes == ["en", "fr"]
    assert shape(labels(area, "fr")) == shape(labels(area, "en")) and labels(area, "fr") != labels(area, "en")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", "Épisode"),
        ("fr-CA", "Épisode"),
        ("FR", "Épisode"),
        ("en", "Episode"),
        ("de", "Folge"),
        ("es-MX", "Episodio"),
        ("it", "Episode"),
        ("frr", "Episode"),
    ],
)
def test_a_language_without_labels_has_the_english_ones(language: str, expected: str) -> None:
    assert labels("site", language)["episode"] == expected


def test_labels_of_another_kind_are_in_files_of_that_name() -> None:
    french, english = (labels("guide", code, kind="questions")["words"] for code in ("fr", "xx"))
    assert french["stemmer"] == "french" and english["stemmer"] == "english"


def test_single_labels_are_overridden_unless_they_are_of_another_type() -> None:
    text = 'episode = "Numéro"\nlisten = 3\nunknown = "x"\nlanguages = {fr = "langue d’ici"}\n'
    own = (("labels.fr.toml", text), ("labels.en.toml", "="))
    merged, builtin = labels("site", "fr", own), labels("site", "fr")
    assert merged == {**builtin, "episode": "Numéro", "languages": {**builtin["languages"], "fr": "langue d’ici"}}


def test_labels_that_are_not_toml_are_named() -> None:
    with pytest.raises(CauserieError, match=r"templates/labels.en.toml: is not valid TOML"):
        labels("site", "en", (("labels.en.toml", "episode = "),))


def test_a_template_escapes_its_values_and_leaves_no_lines_of_block_tags() -> None:
    text = "{% if 1 %}\n  {% if 1 %}\n{{ text }}\n  {% endif %}\n{% endif %}\n"
    assert environment("site", (("a.html.j2", text),)).get_template("a.html.j2").render(text="<&>") == "&lt;&amp;&gt;\n"


@pytest.mark.parametrize("area", AREAS)
def test_a_variable_that_does_not_exist_is_an_error(area: str) -> None:
    with pytest.raises(jinja2.UndefinedError):
        environment(area, (("a.html.j2", "{{ nothing }}"),)).get_template("a.html.j2").render()


def test_templates_of_a_show_come_first_and_run_in_the_sandbox() -> None:
    own = (("card.typ", "mine"), ("x.html.j2", "{{ ''.__class__.__mro__ }}"))
    templates = environment("site", own)
    assert templates.get_template("card.typ").render() == "mine"
    assert templates.get_template("card.typ").filename == "templates/card.typ"
    assert templates.get_template("ours/style.css").filename == str(folder("site") / "style.css")
    with pytest.raises(jinja2.exceptions.SecurityError):
        templates.get_template("x.html.j2").render()


def test_a_final_newline_is_kept_on_request() -> None:
    own = (("a.html.j2", "x\n"),)
    assert environment("guide", own).get_template("a.html.j2").render() == "x"
    assert environment("guide", own, keep_trailing_newline=True).get_template("a.html.j2").render() == "x\n"
