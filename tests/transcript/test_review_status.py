"""Who has checked a text: what is stated, what is inferred, and the sentence for readers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.drafts import add_stamp
from pipeline.model.errors import CauserieError
from pipeline.model.transcript import TextReview
from pipeline.transcript.document import format_transcript
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.review_status import add_check_off, open_doubts, parse_check_off, review_notice, text_review

WRITTEN = '+++\n[voices.Nora]\nrole = "récit"\n+++\n\nNora : Bonjour.\n'
DRAFTED = add_stamp(WRITTEN, "un commentaire")
CHECKED = TextReview("reviewed", "2026-10-05", "H. Marchand")


def review_of(text: str) -> TextReview:
    return text_review(text, parse_transcript(text))


def test_a_draft_is_the_machines_until_somebody_states_that_they_have_checked_it():
    assert review_of(DRAFTED).state == "draft"
    assert review_of(DRAFTED.replace("Bonjour", "Bonsoir")).state == "edited"
    assert review_of(add_check_off(DRAFTED, "2026-10-05", "H. Marchand")) == CHECKED


def test_a_text_that_a_person_wrote_needs_no_statement():
    assert review_of(WRITTEN) == TextReview()
    assert review_notice(TextReview(), "fr") == ""


@pytest.mark.parametrize(
    ("review", "french", "english"),
    [
        (TextReview("draft"), "Transcription automatique, non relue", "Automatic transcript, not checked"),
        (TextReview("edited"), "Transcription automatique, en cours de correction", "Automatic transcript, being corrected"),
        (
            CHECKED,
            "Transcription relue le 5\u00a0octobre 2026 par H. Marchand",
            "Transcript checked on 5\u00a0October 2026 by H. Marchand",
        ),
        (
            TextReview("reviewed", "2026-12-01"),
            "Transcription relue le 1er\u00a0décembre 2026",
            "Transcript checked on 1\u00a0December 2026",
        ),
    ],
)
def test_readers_are_told_in_their_language(review, french, english):
    assert (review_notice(review, "fr-CA"), review_notice(review, "en")) == (french, english)


def test_a_name_in_braces_is_printed_as_it_is():
    assert review_notice(TextReview("reviewed", "2026-10-05", "{date}"), "en").endswith("by {date}")


@pytest.mark.parametrize(
    "wrong", ["hier", "5 octobre 2026", "20261005", "2026-13-01, X", "", "2026-10-05, " + "x" * 81, "2026-10-05, a\x1bb"]
)
def test_a_check_off_without_a_date_or_with_an_unsafe_name_is_a_mistake_at_its_line(wrong):
    with pytest.raises(CauserieError):
        parse_check_off(wrong)
    text = WRITTEN.replace("+++\n", "+++\nreviewed = 12\n", 1)
    with pytest.raises(CauserieError, match=r"x\.md:2: “reviewed” is “12”, which does not begin with a date; write reviewed = "):
        parse_transcript(text, "x.md")


def test_a_date_of_toml_is_a_date_too():
    assert review_of(WRITTEN.replace("+++\n", "+++\nreviewed = 2026-10-05\n", 1)) == TextReview("reviewed", "2026-10-05")


def test_a_text_without_front_matter_gets_one():
    assert add_check_off("Bonjour.\n", "2026-10-05", "") == '+++\nreviewed = "2026-10-05"\n+++\n\nBonjour.\n'


def test_what_is_written_again_keeps_the_check_off():
    parsed = parse_transcript(add_check_off(WRITTEN, "2026-10-05", "H. Marchand"))
    assert parse_transcript(format_transcript(parsed)) == parsed


@given(st.text(max_size=30).filter(lambda name: name.isprintable()), st.sampled_from((WRITTEN, DRAFTED, "Bonjour.\n")), st.booleans())
def test_a_check_off_changes_nothing_else_and_replaces_an_earlier_one(name, text, twice):
    before = add_check_off(text, "2025-01-01", "Une autre") if twice else text
    after = add_check_off(before, "2026-10-05", name)
    assert review_of(after).date == "2026-10-05"
    assert after.count("reviewed =") == 1
    line = next(line for line in after.splitlines(keepends=True) if line.startswith("reviewed ="))
    plain = text if text.startswith("+++") else f"+++\n+++\n\n{text}"
    assert after.replace(line, "", 1) == plain


def test_doubts_are_open_until_their_note_is_deleted():
    text = "%% ? 1:05–1:09 « la file » (mots peu sûrs)\n\nBonjour.\n\n%% ? [musique] ou silence (0:10–1:02:20)\n\n%% ? vérifier\n\n%% 1:05–1:09\n"
    assert open_doubts(parse_transcript(text)) == ((65.0, 69.0), (10.0, 3740.0))
