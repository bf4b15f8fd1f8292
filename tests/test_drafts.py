"""The stamp that says whose a text is."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.drafts import stamp, untouched

BODY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


@given(BODY)
def test_a_stamped_draft_is_untouched(body):
    assert untouched(stamp(f"+++\n+++\n{body}", "a remark"))


@given(BODY)
def test_one_more_letter_makes_it_a_persons(body):
    assert not untouched(stamp(f"+++\n+++\n{body}") + "x")


def test_a_text_without_stamp_is_a_persons():
    assert not untouched("+++\n+++\nBonjour.")
