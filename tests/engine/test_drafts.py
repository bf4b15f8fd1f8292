"""The stamp that tells an unedited draft from a hand-edited text."""

import pytest
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


def test_the_stamp_is_that_of_earlier_versions():
    """It is in people's files: read in another way, an unedited draft would never be renewed, or an edited one overwritten."""
    assert add_stamp("+++\ntitle = 1\n+++\nÉté\n") == '+++\ndraft = "ad9023e0696927b2"\ntitle = 1\n+++\nÉté\n'
    assert add_stamp("+++\ntitle = 1\n+++\nÉté\n", "correct me").splitlines()[1] == 'draft = "ad9023e0696927b2" # correct me'
    assert is_unedited_draft('+++\ndraft = "ad9023e0696927b2" # whatever is written here\ntitle = 1\n+++\nÉté\n')


@pytest.mark.parametrize(
    "stamp", ['draft = "0123456789abcdef"', 'draft = "ad9023e0696927b"', "draft = 'ad9023e0696927b2'", 'draft = "AD9023E0696927B2"']
)
def test_a_stamp_that_is_not_the_texts_own_is_none(stamp):
    assert not is_unedited_draft(f"+++\n{stamp}\ntitle = 1\n+++\nÉté\n")


def test_a_line_like_the_stamp_further_down_is_text():
    draft = add_stamp('+++\n+++\ndraft = "0123456789abcdef"\n')
    assert is_unedited_draft(draft) and not is_unedited_draft(draft.replace("0123", "3210"))
