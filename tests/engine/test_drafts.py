"""The stamp that tells an unedited draft from a hand-edited text."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.drafts import add_stamp, is_unedited_draft

BODY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


@given(BODY)
def test_a_stamped_draft_is_unedited(body):
    assert is_unedited_draft(add_stamp(f"+++\n+++\n{body}", "a remark"))


@given(BODY)
def test_one_more_letter_makes_it_hand_edited(body):
    assert not is_unedited_draft(add_stamp(f"+++\n+++\n{body}") + "x")


def test_a_text_without_stamp_counts_as_hand_edited():
    assert not is_unedited_draft("+++\n+++\nBonjour.")
