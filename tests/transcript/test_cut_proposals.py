"""What is proposed to be cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transcript.cut_proposals import BROKEN, FILLER, KEPT_PAUSE_S, PAUSE, REPEAT, propose_cuts


def heard(text, language="fr", *, pause_s=None, probability=0.9, **more):
    """Words of a quarter of a second each, one after the other; `pause_s` after the word that it is given for."""
    at, words = 1.0, []
    for each in text.split():
        words.append({"text": each, "start_s": at, "end_s": at + 0.25, "probability": probability})
        at += 0.25 + (pause_s or {}).get(each, 0.0)
    return {"language": language, "segments": [{"words": words}], **more}


def levels(recognition, quiet_db=-60.0):
    """The levels of a recording with these words, 20 a second."""
    found = [quiet_db] * 1000
    for word in recognition["segments"][0]["words"]:
        for hop in range(int(word["start_s"] * 20), int(word["end_s"] * 20) + 1):
            found[hop] = -20.0
    return found


def proposals(text, language="fr", **more):
    recognition = heard(text, language, **more)
    return [(each.kind, each.said) for each in propose_cuts(recognition, levels(recognition), 20)]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Bonjour, euh, c’est nous.", "fr", [(FILLER, "euh,")]),
        ("Well, um I think uh yes.", "en", [(FILLER, "um"), (FILLER, "uh")]),
        ("Er kommt um sechs.", "de", []),
        ("je je pense donc", "fr", [(REPEAT, "je")]),
        ("je je je pense", "fr", [(REPEAT, "je"), (REPEAT, "je")]),
        ("on va on va commencer", "fr", [(REPEAT, "on va")]),
        ("nous nous sommes vus très très tôt", "fr", []),
        ("I know that that is so", "en", []),
        ("C’est vrai. C’est vrai.", "fr", []),
        ("au numéro 2 2 4 4", "fr", []),
        ("l’événement de l’événement de l’événement de l’événement de l’an", "fr", []),
        ("minutes minutes minutes minutes mais", "fr", []),
        ("le pro- programme", "fr", [(BROKEN, "pro-")]),
        ("est-ce qu’il vient ? - Il vient.", "fr", []),
        ("", "fr", []),
    ],
)
def test_fillers_and_starts_said_twice(text, language, expected):
    assert proposals(text, language) == expected


def test_a_start_said_twice_is_cut_up_to_the_second_time():
    recognition = heard("mais je veux euh je veux dire")
    found = propose_cuts(recognition, levels(recognition), 20)
    assert [(each.kind, each.start_s, each.end_s) for each in found] == [(FILLER, 1.75, 2.0)]
    recognition = heard("mais je veux je veux dire", pause_s={"veux": 0.5})
    (found,) = propose_cuts(recognition, levels(recognition), 20)
    assert (found.start_s, found.end_s, found.before, found.after) == (1.25, 2.25, "mais", "je veux dire")


def test_of_a_long_pause_some_stays():
    recognition = heard("un deux", pause_s={"un": 4.0})
    (found,) = propose_cuts(recognition, levels(recognition), 20)
    assert found.kind == PAUSE and found.gained_s == pytest.approx(4.0 - KEPT_PAUSE_S) and found.probability == 1.0
    assert (found.start_s, found.end_s) == pytest.approx((1.25 + KEPT_PAUSE_S / 2, 5.25 - KEPT_PAUSE_S / 2))


def test_music_and_voices_without_words_are_no_pause():
    recognition = heard("un deux", pause_s={"un": 4.0})
    assert propose_cuts(recognition, levels(recognition, quiet_db=-30.0), 20) == ()
    with_voice = {**recognition, "wordless_voice": [{"start_s": 2.0, "end_s": 3.0}]}
    assert propose_cuts(with_voice, levels(recognition), 20) == ()


def test_a_short_pause_stays():
    assert proposals("un deux", pause_s={"un": 1.2}) == []


def test_the_probability_is_that_of_the_least_certain_word():
    recognition = heard("je je pense")
    recognition["segments"][0]["words"][1]["probability"] = 0.3
    assert propose_cuts(recognition, levels(recognition), 20)[0].probability == 0.3


@given(st.lists(st.sampled_from(["je", "euh", "vais", "je.", "à", "la-"]), max_size=40), st.integers(0, 3))
def test_no_proposal_overlaps_another(words, pause_s):
    recognition = heard(" ".join(words), pause_s={"à": pause_s})
    found = propose_cuts(recognition, levels(recognition), 20)
    assert all(before.end_s <= after.start_s for before, after in zip(found, found[1:], strict=False))
    assert all(each.gained_s > 0 for each in found)
