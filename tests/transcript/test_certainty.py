"""A time is either near the truth or marked: whatever a recogniser leaves out, repeats or replaces."""

import json
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.alignment import Spoken, heard_value, perturb, truth_words
from pipeline.model.transcript import Word
from pipeline.transcript.align import align_turns, assign_times
from pipeline.transcript.certainty import TimedToken
from pipeline.transcript.matching import align_affine, match_tokens
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.similarity import agreement
from pipeline.transcript.timed_json import find_estimated, read_timed, write_timed
from pipeline.transcript.turns import build_turns

ROOT = Path(__file__).parents[2]
TRUTH = [truth_words(path) for path in sorted((ROOT / "tests/data/sample_truth").glob("*.json"))]
KINDS = ("delete", "repeat over", "repeat squeezed", "replace", "replace with own", "scramble")


def placed(said: list[Spoken], heard: list[Spoken]) -> list[Word]:
    """The words said, with the times that what was heard gives them."""
    return assign_times([Word(text) for text, _, _ in said], (), heard_value(heard, said[-1][2] + 3))


@given(st.sampled_from(range(len(TRUTH))), st.sampled_from(KINDS), st.integers(0, 250), st.integers(1, 50), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_a_run_left_out_repeated_or_replaced_gives_no_unmarked_time_over_two_seconds_off(episode, kind, first, count, seed):
    said = TRUTH[episode]
    first %= len(said)
    if kind == "replace with own":  # what is heard late to the very end, all of it in the text, cannot be told from what was spoken then
        count = min(count, len(said) - 20 - first)
    heard = perturb(said, kind, first, max(count, 1), TRUTH[episode - 1], seed)
    for word, (text, start_s, _) in zip(placed(said, heard), said, strict=True):
        assert word.text == text
        assert word.start_s is None or word.estimated or abs(word.start_s - start_s) <= 2.0


@given(st.sampled_from(range(len(TRUTH))), st.data())
@settings(max_examples=60, deadline=None)
def test_several_short_runs_misheard_give_no_unmarked_time_over_two_seconds_off(episode, data):
    said = heard = TRUTH[episode]
    for first in data.draw(st.lists(st.integers(0, 200), max_size=6, unique_by=lambda value: value // 20)):
        kind, count = data.draw(st.sampled_from(("delete", "replace", "scramble"))), data.draw(st.integers(1, 6))
        heard = perturb(heard, kind, first, count, TRUTH[episode - 1], first)
    for word, (_, start_s, _) in zip(placed(said, heard), said, strict=True):
        assert word.start_s is None or word.estimated or abs(word.start_s - start_s) <= 2.0


@pytest.mark.parametrize("said", TRUTH)
def test_what_was_heard_right_is_placed_to_the_millisecond_and_not_marked(said):
    words = placed(said, said)
    assert not any(word.estimated for word in words)
    assert median(abs((word.start_s or 0.0) - start_s) for word, (_, start_s, _) in zip(words, said, strict=True)) == 0.0


def spread(text: str, start_s: float = 0.0, step_s: float = 0.5) -> list[TimedToken]:
    """Recognised tokens of 0.4 s, one each `step_s`; `_` is a step of silence."""
    return [TimedToken(token, start_s + i * step_s, start_s + i * step_s + 0.4) for i, token in enumerate(text.split()) if token != "_"]


def certain(written: str, heard: str) -> list[str]:
    """The words of the text with a certain match."""
    tokens = written.split()
    matches = match_tokens(tokens, spread(heard), "fr", (0.0, 120.0))
    return [" ".join(tokens[match.first : match.last]) for match in matches if match.certain]


LONG = "bonjour nous voici dans la grande salle de la mairie avec une soixantaine de personnes venues attendre leur tour"


def test_as_many_other_words_are_no_evidence():
    words = placed_by(LONG.replace("la grande salle de la mairie", "un vieux moulin sous trop pluie"))
    assert all(words[text].estimated for text in ("grande", "salle", "mairie"))
    assert not words["bonjour"].estimated and not words["soixantaine"].estimated


def placed_by(heard: str) -> dict[str, Word]:
    """The words of LONG by text, aligned with what was heard, a word each half second."""
    segment = {"words": [{"text": text, "start_s": i / 2, "end_s": i / 2 + 0.4, "probability": 1} for i, text in enumerate(heard.split())]}
    found = assign_times([Word(text) for text in LONG.split()], (), {"language": "fr", "duration_s": 90.0, "segments": [segment]})
    return {word.text: word for word in found}


@pytest.mark.parametrize(("written", "heard"), [("soixantaine", "soissantaine"), ("mairie", "mérie"), ("salle", "sale")])
def test_a_word_that_sounds_like_the_one_recognised_takes_its_time(written, heard):
    words = placed_by(LONG.replace(written, heard))
    assert (words[written].start_s, words[written].estimated) == (LONG.split().index(written) / 2, False)


@pytest.mark.parametrize("language", ["fr", "en", "de", "pl"])
def test_a_language_without_rules_of_its_own_is_compared_too(language):
    assert agreement("orvalle", "orval", language) > 0.0
    assert agreement("orvalle", "mairie", language) == 0.0


def test_words_heard_a_second_time_are_not_certain_until_one_knows_which_was_meant():
    loop = "avec une soixantaine de personnes"
    words = placed_by(LONG.replace(loop, f"{loop} {loop} {loop}"))
    assert words["soixantaine"].estimated and words["personnes"].estimated
    assert not words["bonjour"].estimated


def test_a_word_drawn_out_over_a_pause_is_not_certain_and_keeps_its_end():
    segment = {"words": [{"text": "vous", "start_s": 0.0, "end_s": 9.0, "probability": 1}]}
    (word,) = assign_times([Word("vous")], (), {"language": "fr", "duration_s": 90.0, "segments": [segment]})
    assert (word.end_s, word.estimated) == (9.0, True)
    assert word.start_s is not None and word.start_s > 7.0


def test_words_missing_between_equal_ones_stand_where_the_pause_is():
    (first, *_, last) = match_tokens("a de la b de la c".split(), spread("a de la _ _ _ _ _ _ c"), "fr", (0.0, 60.0))[0:4]
    assert (first.first, last.first) == (0, 6)
    assert [match.first for match in match_tokens("a de la b de la c".split(), spread("a _ _ _ _ _ _ de la c"), "fr")] == [0, 4, 5, 6]


def test_a_paragraph_that_was_never_spoken_leaves_what_is_around_it_certain():
    half = len(LONG) // 2
    assert certain(f"{LONG} jamais dit {LONG[:half]}", f"{LONG} {LONG[:half]}")[:5] == LONG.split()[:5]


@pytest.mark.parametrize(
    ("written", "heard"), [(["a", "b"] * 400, ["b", "c"] * 400), (["la"] * 800, ["la"] * 700), (["a"] * 900, ["b"] * 900)]
)
def test_a_long_text_of_the_same_few_words_is_aligned_too(written, heard):
    matches = match_tokens(written, [TimedToken(text, i / 2, i / 2 + 0.4) for i, text in enumerate(heard)], "fr", (0.0, 900.0))
    assert len(matches) == sum(min(written.count(word), heard.count(word)) for word in set(written))


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
@settings(max_examples=100, deadline=None)
def test_pairs_never_cross_and_only_agreeing_words_are_paired(written, heard):
    pairs = align_affine(written, heard, "fr")
    assert all(written[i] == heard[j] for i, j in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in zip(pairs, pairs[1:], strict=False))


def test_estimated_words_are_marked_in_the_timed_transcript(tmp_path):
    segment = {"words": [{"text": t, "start_s": i / 2, "end_s": i / 2 + 0.4} for i, t in enumerate(LONG.replace("salle", "pluie").split())]}
    found = align_turns(build_turns(parse_transcript(LONG), "fr"), {"language": "fr", "duration_s": 90.0, "segments": [segment]})
    write_timed(tmp_path / "timed.json", found)
    assert read_timed(tmp_path / "timed.json") == found
    assert [(span.first, span.last) for span in find_estimated(found)] == [(6, 6)]
    assert json.loads((tmp_path / "timed.json").read_text(encoding="utf-8"))["estimated"] == [[0, 6, 6]]
