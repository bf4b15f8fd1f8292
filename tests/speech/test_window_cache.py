"""The window cache: what is stored is found again, and deleted when no window uses it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.transcript import Word
from pipeline.speech.hallucinations import Segment
from pipeline.speech.segmentation import Window
from pipeline.speech.window_cache import Hearing, WindowCache, hearing_from_json, hearing_to_json, model_fingerprint

numbers = st.floats(allow_nan=False, allow_infinity=False)
words = st.lists(st.builds(Word, st.text(), numbers, numbers, numbers, estimated=st.just(False))).map(tuple)
segments = st.lists(st.builds(Segment, words, numbers, numbers, st.sampled_from(["", "en"])), max_size=5).map(tuple)
spans = st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple)
HEARD = Hearing((Segment((Word(" l'", 0.1, 0.2, 0.3), Word("été", 0.2, 0.5, 0.123456789)), 0.01, -0.5),), ((1.5, 4.0),))


def window(seed: int = 0, start_s: float = 0.0) -> Window:
    return Window(start_s, np.random.default_rng(seed).standard_normal(100).astype(np.float32), 1000)


@given(st.builds(Hearing, segments, spans))
@settings(max_examples=30)
def test_what_is_written_is_read_again(heard):
    assert hearing_from_json(hearing_to_json(heard)) == heard


def test_the_same_sound_is_found_wherever_it_is(tmp_path):
    WindowCache(tmp_path, ("a",)).put(window(), HEARD)
    assert WindowCache(tmp_path, ("a",)).get(window(start_s=60.0)) == HEARD


@pytest.mark.parametrize(("made_with", "seed"), [(("b",), 0), (("a", ""), 0), (("a",), 1)])
def test_another_sound_or_another_setting_is_not_found(made_with, seed, tmp_path):
    WindowCache(tmp_path, ("a",)).put(window(), HEARD)
    assert WindowCache(tmp_path, made_with).get(window(seed)) is None


@pytest.mark.parametrize("content", ["", "[", "[[1]]", "{}", '{"segments": [[0, 0, 5]], "wordless": []}', "\x00", "7"])
def test_a_damaged_file_is_as_good_as_none(content, tmp_path):
    chunks = WindowCache(tmp_path, ())
    chunks.put(window(), HEARD)
    next(tmp_path.iterdir()).write_text(content)
    assert chunks.get(window()) is None


def test_without_a_folder_nothing_is_kept():
    chunks = WindowCache(None, ())
    chunks.put(window(), HEARD)
    chunks.delete_unused()
    assert chunks.get(window()) is None


def test_what_nobody_asked_for_is_swept_and_nothing_else(tmp_path):
    WindowCache(tmp_path, ("before",)).put(window(), HEARD)
    (tmp_path / "notes.json").write_text("mine")
    now = WindowCache(tmp_path, ("now",))
    now.put(window(), HEARD)
    now.delete_unused()
    assert now.get(window()) == HEARD
    assert len(list(tmp_path.iterdir())) == 2
    assert (tmp_path / "notes.json").read_text() == "mine"


def test_a_model_is_known_by_its_file_also_in_a_folder(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"weights")
    assert model_fingerprint(tmp_path) == model_fingerprint(tmp_path / "model.bin") != ""
    before = model_fingerprint(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"weighty")
    assert model_fingerprint(tmp_path) != before
    assert model_fingerprint(None) == ""
