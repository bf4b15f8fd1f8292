"""Both backends: the same weights, real ones and those of a model that recites."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from pipeline.model.errors import CauserieError
from pipeline.speech.backends import FASTER_WHISPER, OPENAI_WHISPER, load_backend
from pipeline.speech.decoding import RATE_HZ, decode
from pipeline.speech.languages import LANGUAGES
from tests.conftest import REPOSITORY
from tests.support import ct2_to_pt, tiny_whisper
from tests.support.real_model import base_folder

pytestmark = pytest.mark.slow

EPISODE = REPOSITORY / "episodes/01-la-file-d-attente/prise-unique.flac"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tiny")
    return tiny_whisper.write_pt(folder / "tiny.pt"), tiny_whisper.write_ct2(folder / "tiny")


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> tuple[Path, Path]:
    checkpoint = tmp_path_factory.mktemp("real") / "base.pt"
    ct2_to_pt.convert(base_folder(), checkpoint)
    return checkpoint, base_folder()


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return decode(EPISODE)[5 * RATE_HZ : 14 * RATE_HZ]


def test_both_engines_recite_the_same_words_at_the_same_times(tiny):
    noise = (np.random.default_rng(0).standard_normal(5 * RATE_HZ) * 0.1).astype(np.float32)
    slow, fast = (load_backend("auto", "tiny", str(path)).transcribe(noise, "fr") for path in tiny)
    texts, starts = (
        [[pick(word) for part in heard for word in part.words] for heard in (slow, fast)]
        for pick in (lambda w: w.text, lambda w: w.start_s)
    )
    assert texts[0] == texts[1]
    assert starts[0] == pytest.approx(starts[1], abs=0.03)
    assert [part.text.split() for part in fast] == [tiny_whisper.SENTENCE.split()]


def test_a_converted_model_has_the_weights_it_was_made_of(tiny, tmp_path):
    import torch

    ct2_to_pt.convert(tiny[1], tmp_path / "again.pt")
    ours, theirs = torch.load(tiny[0]), torch.load(tmp_path / "again.pt")
    assert ours["dims"] == theirs["dims"]
    assert set(ours["model_state_dict"]) == set(theirs["model_state_dict"])
    assert all(torch.equal(tensor, theirs["model_state_dict"][name].half()) for name, tensor in ours["model_state_dict"].items())


def test_another_kind_of_model_is_not_converted(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"\x06\0\0\0\x0eTransformerSp\0" + bytes(64))
    with pytest.raises(ValueError, match="not a Whisper"):
        ct2_to_pt.convert(tmp_path, tmp_path / "out.pt")


def test_both_engines_hear_nearly_the_same_words_in_the_same_real_weights(real, speech):
    """One computes with eight bits and the other with thirty-two: a word in ten may differ."""
    from rapidfuzz.distance import Levenshtein

    slow, fast = (
        [word for part in load_backend("auto", "base", str(path)).transcribe(speech, "fr") for word in part.words] for path in real
    )
    assert len(fast) > 15
    assert Levenshtein.normalized_distance([word.text for word in slow], [word.text for word in fast]) <= 0.1
    same = Levenshtein.opcodes([word.text for word in slow], [word.text for word in fast]).as_list()
    pairs = [(slow[a + i], fast[c + i]) for tag, a, b, c, _ in same if tag == "equal" for i in range(b - a)]
    assert np.median([abs(one.start_s - other.start_s) for one, other in pairs]) <= 0.1


def test_the_language_of_speech_is_french_to_both_engines(real, speech):
    for path in real:
        assert load_backend("auto", "base", str(path)).language_probabilities(speech)["fr"] > 0.9


def test_a_model_in_either_format_is_loaded_by_its_engine(tiny):
    checkpoint, folder = tiny
    assert load_backend("auto", "tiny", str(checkpoint)).name == OPENAI_WHISPER
    assert load_backend("auto", "tiny", str(folder)).name == load_backend("auto", "tiny", str(folder / "model.bin")).name == FASTER_WHISPER


def test_a_model_is_loaded_once(tiny):
    assert load_backend("auto", "tiny", str(tiny[1])) is load_backend("auto", "tiny", str(tiny[1]))


def test_a_second_hearing_of_either_engine_is_the_same_each_time(real, speech):
    for path in real:
        backend = load_backend("auto", "base", str(path))
        first = backend.transcribe(speech[: 4 * RATE_HZ], "fr", retry=True)
        assert first
        assert first == backend.transcribe(speech[: 4 * RATE_HZ], "fr", retry=True)


@pytest.mark.parametrize(
    ("engine", "model", "message"),
    [
        ("fast", "small", "no engine called “fast”; .*faster-whisper"),
        (FASTER_WHISPER, "smal", "did you mean “small”"),
        (OPENAI_WHISPER, "distil-large-v3", "openai-whisper has no model called “distil-large-v3”"),
        ("auto", "/nowhere/model", "there is no model at /nowhere/model"),
        ("auto", str(REPOSITORY), "has no model.bin"),
    ],
)
def test_a_model_that_cannot_be_had_is_explained(engine, model, message):
    with pytest.raises(CauserieError, match=message):
        load_backend(engine, model)


def test_a_model_that_the_chosen_engine_does_not_read_is_explained(tiny):
    for engine, checkpoint, other in ((FASTER_WHISPER, tiny[0], OPENAI_WHISPER), (OPENAI_WHISPER, tiny[1], FASTER_WHISPER)):
        with pytest.raises(CauserieError, match=f"only {other} reads"):
            load_backend(engine, "tiny", str(checkpoint))


def test_a_gpu_that_is_not_there_is_explained_by_both_engines(tiny):
    for checkpoint in tiny:
        with pytest.raises(CauserieError, match=r"asks for CUDA, and .* finds no GPU here.*device = .auto."):
            load_backend("auto", "tiny", str(checkpoint), "cuda")


def test_a_gpu_that_does_not_work_is_passed_over_and_told(tiny, monkeypatch, capsys):
    import ctranslate2
    import torch

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for checkpoint, compute_type in zip(tiny, ("float32", "int8"), strict=True):
        load_backend.cache_clear()
        assert load_backend("auto", "tiny", str(checkpoint)).compute_type == compute_type
        assert "CUDA does not work" in capsys.readouterr().err
        with pytest.raises(CauserieError, match=r"asks for CUDA, which does not work .*device = .cpu."):
            load_backend("auto", "tiny", str(checkpoint), "cuda")


def test_the_fast_engine_may_be_missing(monkeypatch):
    engines = importlib.import_module("pipeline.speech.backends")
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "faster_whisper" else object())
    assert engines.installed_backends("auto") == [OPENAI_WHISPER]
    with pytest.raises(CauserieError, match="pip install faster-whisper"):
        engines.installed_backends(FASTER_WHISPER)


def test_languages_are_those_of_both_engines():
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from whisper.tokenizer import LANGUAGES as theirs

    assert LANGUAGES == set(theirs) == set(_LANGUAGE_CODES)
