"""Both backends with the same weights: the demonstration checkpoint, and its conversion to CTranslate2."""

import importlib
import json
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
from whisper.tokenizer import get_tokenizer

from pipeline.model.errors import CauserieError
from pipeline.speech.backends import FASTER_WHISPER, OPENAI_WHISPER, load_backend
from pipeline.speech.decoding import RATE_HZ, decode
from pipeline.speech.languages import LANGUAGES
from pipeline.speech.transcribe import transcribe_master
from tests.conftest import REPOSITORY, cut_audio
from tools.demo_model.convert_ct2 import convert

pytestmark = pytest.mark.slow

DEMO = REPOSITORY / "tools/demo_model/demo.pt"
SHOW = ("01-la-file-d-attente/prise-unique.flac", "02-une-voix-au-bout-du-fil/montage final.wav", "03-le-metier-d-ecouter/nora.m4a")


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("ct2") / "demo"
    convert(DEMO, made)
    return made


def transcribe_with(master: Path, words: Path, checkpoint: Path, **settings: object) -> dict:
    transcribe_master(master, words=words, **({"model": "demo", "language": "fr", "checkpoint": checkpoint} | settings))
    return json.loads(words.read_text())


@pytest.mark.parametrize("recording", SHOW, ids=lambda name: name[:2])
def test_both_engines_hear_the_same_words_at_the_same_times(recording, folder, tmp_path):
    """All but the sentence that the end of the excerpt cuts off: what each makes of half a sentence depends on the processor."""
    cut_audio(REPOSITORY / "episodes" / recording, tmp_path / "master.flac", 3, 30)
    slow, fast = (transcribe_with(tmp_path / "master.flac", tmp_path / "words.json", each) for each in (DEMO, folder))
    assert (slow.pop("engine"), fast.pop("engine")) == (OPENAI_WHISPER, FASTER_WHISPER)
    one, other = ([word for part in heard.pop("segments") for word in part["words"]] for heard in (slow, fast))
    assert slow == fast
    same = SequenceMatcher(None, [word["text"] for word in one], [word["text"] for word in other], autojunk=False).get_matching_blocks()
    pairs = list(zip(one[: same[0].size], other[: same[0].size], strict=True))
    assert (same[0].a, same[0].b) == (0, 0) and len(pairs) > 20
    assert max(len(one), len(other)) - len(pairs) <= 15
    assert np.median([abs(one["start_s"] - other["start_s"]) for one, other in pairs]) <= 0.02
    assert np.median([abs(one["probability"] - other["probability"]) for one, other in pairs]) <= 0.05


def test_the_fast_engine_says_nothing_over_music_and_the_same_bytes_twice(folder, tmp_path):
    cut_audio(REPOSITORY / "episodes" / SHOW[0], tmp_path / "master.flac", 0, 12)
    first = transcribe_with(tmp_path / "master.flac", tmp_path / "words.json", folder, chunks="chunks")
    assert first["segments"][0]["start_s"] > 4.0
    assert len(list((tmp_path / "chunks").iterdir())) == 1
    kept = (tmp_path / "words.json").read_bytes()
    for chunks in ("chunks", None):
        transcribe_with(tmp_path / "master.flac", tmp_path / "words.json", folder / "model.bin", chunks=chunks)
        assert (tmp_path / "words.json").read_bytes() == kept


def test_the_language_is_found_once_and_written_down(folder, tmp_path):
    cut_audio(REPOSITORY / "episodes" / SHOW[0], tmp_path / "master.flac", 5, 6)
    for checkpoint in (DEMO, folder):
        heard = transcribe_with(tmp_path / "master.flac", tmp_path / "words.json", checkpoint, language="auto")
        assert heard["language"] == "fr"
        assert heard["language_probability"] > 0.9


def test_auto_takes_what_can_load_the_model(folder):
    assert load_backend("auto", "demo", str(DEMO)).name == OPENAI_WHISPER
    assert load_backend("auto", "demo", str(folder)).name == load_backend("auto", "demo", str(folder / "model.bin")).name == FASTER_WHISPER


def test_a_model_is_loaded_once(folder):
    assert load_backend("auto", "demo", str(folder)) is load_backend("auto", "demo", str(folder))


def test_a_second_try_of_either_engine_is_the_same_each_time(folder):
    sound = decode(REPOSITORY / "episodes" / SHOW[0])[5 * RATE_HZ : 9 * RATE_HZ]
    for checkpoint in (DEMO, folder):
        engine = load_backend("auto", "demo", str(checkpoint))
        first = engine.transcribe(sound, "fr", "Nora.", retry=True)
        assert first
        assert first == engine.transcribe(sound, "fr", "Nora.", retry=True)


@pytest.mark.parametrize(
    ("engine", "model", "checkpoint", "message"),
    [
        ("fast", "small", "", "no engine called “fast”; .*faster-whisper"),
        (FASTER_WHISPER, "demo", DEMO, "only openai-whisper reads"),
        (OPENAI_WHISPER, "demo", REPOSITORY, "only faster-whisper reads"),
        ("auto", "demo", REPOSITORY, "has no model.bin"),
        (FASTER_WHISPER, "smal", "", "did you mean “small”"),
    ],
)
def test_a_model_that_no_engine_reads_is_explained(engine, model, checkpoint, message):
    with pytest.raises(CauserieError, match=message):
        load_backend(engine, model, str(checkpoint))


def test_a_damaged_folder_is_explained(folder, tmp_path):
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "model.bin").write_bytes(b"not a model")
    with pytest.raises(CauserieError, match="is not a CTranslate2 model"):
        load_backend("auto", "demo", str(tmp_path))


def test_the_fast_engine_may_be_missing(monkeypatch):
    engines = importlib.import_module("pipeline.speech.backends")
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "faster_whisper" else object())
    assert engines.installed_backends("auto") == [OPENAI_WHISPER]
    with pytest.raises(CauserieError, match=r"pip install .*\[fast\]"):
        engines.installed_backends(FASTER_WHISPER)


def test_the_converter_spells_as_whisper_does(folder):
    from tokenizers import Tokenizer

    theirs, ours = get_tokenizer(True, num_languages=99), Tokenizer.from_file(str(folder / "tokenizer.json"))
    for text in (" Le bâtiment respire, en 2050 : « l’œuvre ».", "don't  \n\t été", "日本語 ok 🎙", ""):
        assert ours.encode(text).ids == theirs.encode(text)
    assert {ours.token_to_id(name): name for name in theirs.special_tokens} == {
        token: name for name, token in theirs.special_tokens.items()
    }


def test_languages_are_those_of_both_engines():
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from whisper.tokenizer import LANGUAGES as theirs

    assert LANGUAGES == set(theirs) == set(_LANGUAGE_CODES)
