"""`guides/<slug>.md`: what is written can be read back, and what cannot be read says where."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engine.drafts import add_stamp, is_unedited_draft
from pipeline.guide.document import (
    ITEM,
    QUOTE,
    TEXT,
    Guide,
    GuideLine,
    GuideSection,
    Question,
    clip_quotes,
    family_questions,
    format_guide,
    parse_guide,
)
from pipeline.guide.labels import FAMILIES, languages, load_labels, question_templates
from pipeline.model.errors import CauserieError
from tests.support.guide_sample import GUIDE

KEYS = list(load_labels("fr")["sections"])
TURNING = "\u202a\u202b\u202c\u202d\u202e"
one_line = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Zs"), exclude_characters=TURNING) | st.just(" "), min_size=1
).map(lambda text: " ".join(text.split()))
texts = one_line.filter(bool)
quotes = st.lists(texts, min_size=1, max_size=3).map("\n".join)
lines = st.builds(GuideLine, st.sampled_from([TEXT, ITEM]), texts) | st.builds(GuideLine, st.just(QUOTE), quotes)
guides = st.builds(
    Guide,
    st.lists(st.builds(GuideSection, st.sampled_from(KEYS), st.lists(lines, max_size=4).map(tuple)), max_size=4).map(tuple),
    texts,
)


@given(guides, st.sampled_from(["fr", "en"]))
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read_back(guide: Guide, language: str) -> None:
    assert parse_guide(format_guide(guide, language), "guides/x.md") == guide


@given(guides)
@settings(max_examples=50, deadline=None)
def test_notes_and_the_stamp_change_nothing_that_is_read(guide: Guide) -> None:
    text = add_stamp(format_guide(guide, "fr", {"": ("pour vous",), "clips": ("## piège",), "+clips": ("> autre",)}))
    assert parse_guide(text, "guides/x.md") == guide
    assert is_unedited_draft(text)


@pytest.mark.parametrize("text", ["## piège", "> citation", "- tiret", "%% note", "+++", "\\ barre", "#panic()", "*gras*", '"""'])
def test_a_text_that_looks_like_a_mark_stays_a_text(text: str) -> None:
    guide = Guide((GuideSection("goal", (GuideLine(TEXT, text), GuideLine(QUOTE, f"{text}\n{text}"))),))
    assert parse_guide(format_guide(guide, "fr"), "x") == guide


def test_headings_are_known_in_both_languages_whatever_their_case_and_apostrophes() -> None:
    guide = parse_guide("## AVANT L'ÉCOUTE\n\nQui ?\n\n# Debate\nWhat?\n", "x")
    assert [section.key for section in guide.sections] == ["before", "debate"]


def test_an_item_below_a_question_is_its_follow_up() -> None:
    guide = parse_guide("## Débattre\nA ?\n- relance\nB ?\n", "x")
    assert family_questions(guide, "debate") == (Question("A ?", ("relance",)), Question("B ?"))


def test_a_blank_line_separates_two_quotes_and_their_introductions_stay_with_them() -> None:
    found = clip_quotes(parse_guide("## Extraits à réécouter\nUn.\n> a\n> b\n\n> c\n", "x"))
    assert [(intro, line.text, line.number) for intro, line in found] == [("Un.", "a\nb", 3), ("", "c", 6)]


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("+++\nversion = 1\n", "g.md:1", "never closed"),
        ("+++\nversion = :\n+++\n", "g.md:2", "not valid TOML"),
        ("perdu\n", "g.md:1", "under no heading"),
        ("+++\n+++\n## Débatre\n", "g.md:3", "débattre"),
    ],
)
def test_a_mistake_names_its_line_and_what_to_do(text: str, where: str, says: str) -> None:
    with pytest.raises(CauserieError) as caught:
        parse_guide(text, "g.md")
    assert caught.value.where == where
    assert says in str(caught.value)
    assert caught.value.hint


def test_the_samples_guide_is_a_persons_and_has_four_clips() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert not is_unedited_draft(text)
    assert len(clip_quotes(parse_guide(text, "x"))) == 4


def test_what_no_form_of_a_guide_may_hold_is_left_out() -> None:
    text = f"## But de la rencontre\r\n\r\nParler\0 de\x1b[2J l’accueil\x85 👩\u200d🚀{TURNING}\r\n"
    assert parse_guide(text, "un.md").sections[0].lines == (GuideLine(TEXT, "Parler de[2J l’accueil 👩\u200d🚀"),)


def test_every_language_has_every_word() -> None:
    def shape(value: object) -> object:
        return {key: shape(one) for key, one in value.items()} if isinstance(value, dict) else type(value)

    assert {"fr", "en"} <= set(languages())
    for language in languages():
        assert shape(load_labels(language)) == shape(load_labels("en"))
        assert shape(question_templates(language)["words"]) == shape(question_templates("en")["words"])
        assert set(question_templates(language)) == {"words", *FAMILIES}
    assert load_labels("fr-CA") == load_labels("fr") and load_labels("xx") == load_labels("en")
