"""Voice activity: none in silence, hiss and music, and some in every line of the sample show."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.speech.decoding import RATE_HZ, decode
from pipeline.speech.voice_activity import (
    FRAME_S,
    VOICED_PROBABILITY,
    highest,
    mean,
    voice_probabilities,
    voiced_s,
    voiced_span,
    voiced_stretches,
)
from tools.sample_show import music

ROOT = Path(__file__).parents[2]
SLUG = "01-la-file-d-attente"


@pytest.fixture(scope="module")
def lines() -> list[dict]:
    return json.loads((ROOT / "tests/data/sample_truth" / f"{SLUG}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recording() -> np.ndarray:
    return decode(ROOT / "episodes" / SLUG / "prise-unique.flac")


def test_silence_and_hiss_hold_no_voice():
    hiss = np.random.default_rng(0).normal(0, 0.05, 5 * RATE_HZ).astype(np.float32)
    assert voice_probabilities(np.zeros(5 * RATE_HZ, np.float32)).max() < VOICED_PROBABILITY
    assert voice_probabilities(hiss).max() < VOICED_PROBABILITY


def test_an_empty_recording_has_no_frames():
    assert voice_probabilities(np.zeros(0, np.float32)).size == 0


def test_every_line_of_an_episode_is_heard_even_the_quietest(recording, lines):
    found = voice_probabilities(recording)
    assert len(lines) > 10
    for line in lines:
        assert voiced_s(found, line["start_s"], line["end_s"]) > 0.5 * (line["end_s"] - line["start_s"]), line["text"]


@pytest.mark.parametrize("jingle", ["jingle-intro", "jingle-outro"])
def test_music_is_no_voice(jingle):
    assert voice_probabilities(decode(ROOT / f"episodes/{jingle}.flac")).max() < VOICED_PROBABILITY


def test_a_voice_over_music_as_loud_as_itself_is_heard(recording):
    voice = recording[5 * RATE_HZ : 35 * RATE_HZ]
    under = music.piece(30, RATE_HZ, 1000).astype(np.float32)
    under *= np.sqrt(np.mean(voice**2) / np.mean(under**2))
    assert voiced_s(voice_probabilities(voice + under), 0, 30) > 0.8 * voiced_s(voice_probabilities(voice), 0, 30)


def test_a_voice_forty_decibels_below_another_is_heard(recording, lines):
    first = lines[0]
    line = recording[int(first["start_s"] * RATE_HZ) : int(first["end_s"] * RATE_HZ)]
    pause = np.random.default_rng(0).normal(0, 1e-4, 2 * RATE_HZ).astype(np.float32)
    found = voice_probabilities(np.concatenate([line, pause, 0.01 * line]))
    length_s = len(line) / RATE_HZ
    assert voiced_s(found, length_s + 2, 2 * length_s + 2) > 0.4 * voiced_s(found, 0, length_s)


def test_a_span_of_frames_is_asked_for_in_seconds():
    found = np.zeros(100, np.float32)
    found[50:60] = 1
    assert voiced_s(found, 0, 99) == pytest.approx(10 * FRAME_S)
    assert voiced_span(found, 0, 99) == (pytest.approx(50 * FRAME_S), pytest.approx(60 * FRAME_S))
    assert voiced_span(found, 0, 1) is None
    assert (highest(found, 1.5, 1.7), highest(found, 0, 1), highest(found, 9, 10)) == (1, 0, 0)
    assert mean(found, 49 * FRAME_S, 50.5 * FRAME_S) == pytest.approx(0.5)
    assert mean(found, 9, 10) == 0


def test_stretches_leave_long_music_out_and_keep_pauses():
    found = np.zeros(2000, np.float32)
    found[300:400] = found[500:520] = found[1000:1010] = 0.9
    (first, second) = voiced_stretches(found)
    assert first == (pytest.approx(300 * FRAME_S - 0.8), pytest.approx(520 * FRAME_S + 0.8))
    assert second == (pytest.approx(1000 * FRAME_S - 0.8), pytest.approx(1010 * FRAME_S + 0.8))
    assert voiced_stretches(found[:0]) == voiced_stretches(found[:100]) == []


def test_a_short_pause_at_an_edge_belongs_to_the_stretch():
    found = np.zeros(1000, np.float32)
    found[200:800] = 0.9
    assert voiced_stretches(found) == [(0.0, pytest.approx(1000 * FRAME_S))]


def test_a_click_is_no_stretch():
    found = np.zeros(1000, np.float32)
    found[500:504] = 0.9
    assert voiced_stretches(found) == []


@given(st.lists(st.sampled_from([0.0, 0.9]), max_size=80).map(lambda values: np.repeat(values, 5)))
def test_no_voice_is_outside_a_stretch_and_stretches_are_in_order(values):
    found = np.array(values, np.float32)
    stretches = voiced_stretches(found)
    assert all(
        any(start_s <= frame * FRAME_S and (frame + 1) * FRAME_S <= end_s for start_s, end_s in stretches) for frame in found.nonzero()[0]
    )
    assert all(before[1] < after[0] for before, after in itertools.pairwise(stretches))
