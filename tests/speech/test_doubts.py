"""Doubts: how phrases are split, which passages come first and why, and how much listening they need."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.level_profile import LevelProfile, save_profiles
from pipeline.model.glossary import NO_TERMS
from pipeline.model.show import Glossary, Term
from pipeline.speech.doubts import (
    MAX_SHARE,
    WEIGHTS,
    Signals,
    doubt_reasons,
    error_probability,
    find_doubts,
    mark_doubts,
    split_phrases,
    summary,
)

GOOD = "Le matin, nous prenons le chemin de la gare. Il longe un vieux canal bordé de tilleuls. Personne ne presse jamais le pas ici."
ALIKE = "Puis vient un autre sujet dont personne n’avait parlé. Chacun écoute alors ce que disent les voisins du quartier."
SURE = {"no_speech_probability": 0.01, "average_log_probability": -0.08}


def words(text: str, start_s: float, letter_s: float = 0.06, probability: float = 0.97) -> list[dict]:
    """Words whose length is proportional to their letters, without pauses."""
    said = []
    for word in text.split():
        end_s = start_s + letter_s * (1 + sum(map(str.isalnum, word)))
        said.append({"text": word, "start_s": round(start_s, 3), "end_s": round(end_s, 3), "probability": probability})
        start_s = end_s
    return said


def recognition(*parts: list[dict], duration_s: float = 60.0, **figures: float) -> dict:
    """`words.json` with a segment for each part; `figures` are the fields of the last one."""
    segments = [{**SURE, "words": part, "text": " ".join(word["text"] for word in part)} for part in parts]
    segments[-1].update(figures)
    return {"language": "fr", "duration_s": duration_s, "segments": segments}


def most_doubtful(value: dict, levels_db: np.ndarray | None = None, glossary: Glossary = NO_TERMS) -> dict:
    """The most doubtful passage."""
    return find_doubts(value, levels_db, glossary)["passages"][0]


def test_a_passage_is_a_sentence_or_so():
    found = split_phrases(recognition(words(GOOD, 1.0)))
    assert [passage.words[0]["text"] for passage in found] == ["Le", "Il", "Personne"]
    assert [passage.words[0]["text"] for passage in split_phrases(recognition(words("Oui. Non. Alors", 0.0), words("donc", 3.0)))] == [
        "Oui.",
        "donc",
    ]


@given(st.lists(st.tuples(st.sampled_from(["oui", "non.", "pourquoi"]), st.floats(0, 3), st.floats(0, 12)), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_every_word_is_in_one_passage_and_scores_are_shares_in_order(said):
    now, made = 0.0, []
    for text, pause_s, length_s in said:
        made.append({"text": text, "start_s": now + pause_s, "end_s": now + pause_s + length_s, "probability": 0.1})
        now += pause_s + length_s
    value = recognition(made, duration_s=now + 1)
    assert [word for passage in split_phrases(value) for word in passage.words] == made
    shown = find_doubts(value, np.zeros(4, np.float32))
    scores = [each["score"] for each in shown["passages"]]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)
    assert sum(each["end_s"] - each["start_s"] for each in shown["passages"] if each["score"] < 0.9) <= MAX_SHARE * 600


def test_nothing_is_doubted_of_what_was_heard_well():
    assert find_doubts(recognition(words(GOOD, 1.0), words(ALIKE, 12.0)), None)["passages"] == []
    assert find_doubts({"language": "fr", "duration_s": 5.0, "segments": []}, None)["doubtful_s"] == 0


def test_improbable_words_come_first():
    unsure = words("Chacun écoute alors ce que disent les voisins.", 12.0, probability=0.4)
    found = most_doubtful(recognition(words(GOOD, 1.0), unsure, average_log_probability=-0.6))
    assert (found["start_s"], found["reasons"][0]) == (12.0, "unsure words")
    assert found["text"].startswith("Chacun écoute")


def test_of_a_phrase_only_the_words_that_are_doubted_are_told():
    said = words("Chacun écoute alors ce que disent les voisins.", 12.0)
    said[1]["probability"] = said[6]["probability"] = said[7]["probability"] = 0.2
    found = most_doubtful(recognition(words(GOOD, 1.0), said))
    assert found["text"] == "écoute … les voisins."
    assert (found["start_s"], found["end_s"]) == (said[1]["start_s"], pytest.approx(said[7]["end_s"], abs=0.001))


def test_what_the_recogniser_holds_for_improbable_is_always_told():
    value = find_doubts(recognition(words(GOOD, 1.0), words(ALIKE, 12.0), average_log_probability=-1.2), None)
    assert any(each["text"].startswith("Puis vient") for each in value["passages"])


def test_the_budget_is_spread_over_the_recording_and_what_is_left_out_is_counted():
    bad = [words("Chacun écoute alors ce que disent les voisins.", 5.0 * index, probability=0.56) for index in range(240)]
    value = find_doubts(recognition(*bad, duration_s=1200.0), None)
    halves = [sum(each["start_s"] < 600 for each in value["passages"]), sum(each["start_s"] >= 600 for each in value["passages"])]
    assert 0.8 < halves[0] / halves[1] < 1.25
    assert value["found"] == 240 > len(value["passages"])


@pytest.mark.parametrize(
    ("amount", "reason"), [({"weak": 0.6, "weakest": 0.9}, "unsure words"), ({"repetition": 1.0}, "repetition"), ({}, "")]
)
def test_the_reasons_are_the_signals_that_tell(amount, reason):
    usual = {name: value for name, (_, value, _) in WEIGHTS.items()}
    assert doubt_reasons(Signals(**usual | amount))[:1] == ([reason] if reason else [])


@given(st.sampled_from(sorted(WEIGHTS)), st.floats(0, 1), st.floats(0, 1))
def test_more_of_any_signal_is_never_less_doubtful(name, one, other):
    low, high = sorted((one, other))
    assert error_probability(Signals(**dict.fromkeys(WEIGHTS, 0.1) | {name: low})) <= error_probability(
        Signals(**dict.fromkeys(WEIGHTS, 0.1) | {name: high})
    )


def test_what_is_nearly_a_name_of_the_glossary_is_doubted_more():
    said = [*words(GOOD, 1.0), *words("Ensuite vient Orville dont on avait parlé.", 12.0, probability=0.8)]
    named = most_doubtful(recognition(said), None, Glossary((Term("Orvalle"),)))
    assert find_doubts(recognition(said), None)["passages"] == []
    assert named["text"] == "Orville"
    assert "glossary" in named["reasons"]


def test_the_glossarys_corrections_are_listed_with_the_doubts():
    value = find_doubts(recognition(words("Voici Orval.", 1.0)), None, Glossary((Term("Orvalle", ("orval",)),)))
    assert [(each["heard"], each["written"]) for each in value["corrections"]] == [("Orval", "Orvalle")]


def test_the_step_writes_the_same_bytes_for_the_same_words(tmp_path):
    levels = np.full(60 * 200, 1e-3, np.float32)
    save_profiles(tmp_path / "levels.npz", master=LevelProfile(16_000, 60 * 16_000, levels, levels, np.zeros(0, np.float32)))
    (tmp_path / "words.json").write_text(json.dumps(recognition(words(GOOD, 1.0, probability=0.3))), encoding="utf-8")
    for name in ("a.json", "b.json"):
        mark_doubts(tmp_path / "words.json", tmp_path / "levels.npz", doubts=tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    value = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert value["passages"] and value["version"] == 1


def test_the_summary_says_how_much_there_is_to_listen_to():
    value = {"passages": [{}] * 9, "doubtful_s": 130.2, "duration_s": 486.0}
    assert summary(value, "fr") == "9 passages, 2 min 10 sur 8 min 06"
    assert summary({**value, "passages": [{}]}, "en") == "1 passage, 2 min 10 of 8 min 06"
    assert summary({**value, "found": 40}, "fr") == "9 passages sur 40, 2 min 10 sur 8 min 06"
