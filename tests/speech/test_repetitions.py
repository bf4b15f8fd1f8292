"""What counts as a repetition loop, and what people say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.speech.repetitions import find_repetitions, repeats_itself

SENTENCE = "Et c’est ainsi que la ville décida de fermer le pont pour toujours, hélas. "  # 14 words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("non " * 7, 0),
        ("non " * 8, 1),
        ("on y va " * 3, 0),
        ("on y va " * 4, 1),
        ("Merci, à tous. merci à tous " * 2, 1),
        (SENTENCE * 2, 0),
        (SENTENCE * 13, 1),
        ("", 0),
    ],
)
def test_insistence_is_no_loop(text, found):
    assert len(list(find_repetitions(text.split()))) == found


@given(st.lists(st.sampled_from("ab"), max_size=60))
def test_no_word_is_in_two_loops(words):
    spans = [set(range(start, start + size * times)) for start, size, times in find_repetitions(words)]
    assert sum(map(len, spans)) == len(set().union(*spans))


@pytest.mark.parametrize(("text", "repeats"), [("ha" * 300, True), ("ha" * 20, False), (SENTENCE * 5, True), (SENTENCE, False)])
def test_letters_that_repeat_themselves_are_found_without_spaces(text, repeats):
    assert repeats_itself(text.replace(" ", "")) is repeats
