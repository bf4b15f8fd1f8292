"""Lines one word from a line of another text."""

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from pipeline.transcript.freeform.near_duplicates import LineIndex, line_keys

CREDITS = "Une émission préparée par toute l’équipe de la mairie."
WORDS = ("la", "mairie", "un", "guichet", "le", "soir")


def advice(texts: dict[str, str], name: str) -> list[tuple[int, str]]:
    index = LineIndex(texts.__getitem__)
    for each, text in texts.items():
        index.add(each, line_keys(text))
    found = index.near_duplicates(name)
    assert found == index.compare(name, texts[name])
    return [(remark.line, remark.message) for remark in found]


def test_a_line_one_word_from_another_text_s_is_told_with_its_place():
    texts = {"un.md": f"Bonjour.\n\n{CREDITS}\n", "deux.md": CREDITS.replace("toute", "notre")}
    assert advice(texts, "deux.md") == [(1, "one word differs from un.md:3: “notre” here, “toute” there")]


def test_a_word_too_few_is_told_too():
    texts = {"un.md": CREDITS, "deux.md": CREDITS.replace("préparée ", "")}
    assert advice(texts, "deux.md")[0][1].endswith("“” here, “préparée” there")
    assert advice(texts, "un.md")[0][1].endswith("“préparée” here, “” there")


def test_a_line_that_another_text_has_word_for_word_is_right():
    slip = CREDITS.replace("toute", "notre")
    assert advice({"un.md": CREDITS, "deux.md": CREDITS, "trois.md": slip}, "deux.md") == []


def test_a_slip_beside_the_right_line_in_the_same_text_is_told_only_against_others():
    assert advice({"un.md": f"{CREDITS}\n\n{CREDITS.replace('toute', 'notre')}\n"}, "un.md") == []


def test_lines_that_differ_by_a_number_are_meant_to():
    jingle = "Vous écoutez le tout premier podcast, épisode {}."
    assert advice({"un.md": jingle.format(1), "deux.md": jingle.format(2)}, "deux.md") == []


def test_a_text_that_became_shorter_meanwhile_is_not_compared():
    texts = {"un.md": f"Bonjour.\n\n{CREDITS}\n", "deux.md": CREDITS.replace("toute", "notre")}
    index = LineIndex({**texts, "un.md": ""}.__getitem__)
    for name, text in texts.items():
        index.add(name, line_keys(text))
    assert index.near_duplicates("deux.md") == []


@given(st.lists(st.sampled_from(WORDS), min_size=6, max_size=12), st.integers(0, 11), st.sampled_from(("", "jardin", "le jardin")))
def test_wherever_one_word_is_changed_left_out_or_added_it_is_found(words, place, instead):
    place %= len(words)
    added = instead.startswith("le ")
    changed = [*words[:place], *([words[place]] if added else []), *([instead.removeprefix("le ")] if instead else []), *words[place + 1 :]]
    if len(changed) >= 6:
        assert advice({"un.md": " ".join(words), "deux.md": " ".join(changed)}, "deux.md")


@given(*(st.lists(st.sampled_from(WORDS), min_size=6, max_size=9) for _ in range(2)))
def test_what_is_told_differs_by_one_word_and_what_differs_by_more_is_not_told(words, other):
    assert bool(advice({"un.md": " ".join(other), "deux.md": " ".join(words)}, "deux.md")) == (Levenshtein.distance(words, other) == 1)
