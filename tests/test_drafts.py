"""The stamp that tells an unedited draft from a hand-edited text."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.drafts import stamp, untouched

BODY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


@given(BODY)
def test_a_stamped_draft_is_unedited(body):
    assert untouched(stamp(f"+++\n+++\n{body}", "a remark"))


@given(BODY)
def test_one_more_letter_makes_it_hand_edited(body):
    assert not untouched(stamp(f"+++\n+++\n{body}") + "x")


def test_a_text_without_stamp_counts_as_hand_edited():
    assert not untouched("+++\n+++\nBonjour.")
