"""Transcription of natural voices with the real Whisper base."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rapidfuzz.distance import Levenshtein

from pipeline.audio.ffmpeg import executable
from pipeline.engine import progress
from pipeline.model.errors import CauserieError
from pipeline.speech.decoding import RATE_HZ
from pipeline.speech.transcribe import transcribe_master

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXCERPT_S = 14.0  # the first two sentences of the first episode


def run_transcribe(master: Path, folder: Path, **changes: object) -> dict:
    settings = {"model": "base", "language": "fr"} | changes
    transcribe_master(master, words=folder / "words.json", **settings)
    return json.loads((folder / "words.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("speech")


@pytest.fixture(scope="module")
def heard(folder) -> dict:
    source = ROOT / "episodes/01-la-file-d-attente/prise-unique.flac"
    subprocess.run([executable(), "-v", "error", "-i", str(source), "-t", str(EXCERPT_S), str(folder / "excerpt.flac")], check=True)
    reports: list[tuple[float, float]] = []
    progress.set_listener(lambda _, done_s, total_s, left_s: reports.append((done_s, total_s)))
    try:
        value = run_transcribe(folder / "excerpt.flac", folder)
    finally:
        progress.set_listener(None)
    return value | {"reports": reports}


def spoken(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_most_of_what_is_said_is_heard(heard):
    truth = json.loads((ROOT / "tests/data/sample_truth/01-la-file-d-attente.json").read_text(encoding="utf-8"))[:2]
    said = spoken(" ".join(line["text"] for line in truth))
    assert Levenshtein.distance(said, spoken(" ".join(part["text"] for part in heard["segments"]))) / len(said) < 0.3


def test_words_are_in_order_in_the_recording_and_in_the_published_shape(heard):
    words = [word for part in heard["segments"] for word in part["words"]]
    starts = [word["start_s"] for word in words]
    assert starts == sorted(starts)
    assert all(0 <= word["start_s"] <= word["end_s"] <= heard["duration_s"] for word in words)
    assert all(0 <= word["probability"] <= 1 and round(word["probability"], 4) == word["probability"] for word in words)
    assert all(" " not in word["text"] for word in words)
    assert (heard["version"], heard["engine"], heard["model"], heard["language"]) == (1, "faster-whisper", "base", "fr")
    assert heard["duration_s"] == pytest.approx(EXCERPT_S, abs=0.01)


def test_nothing_is_heard_in_the_introductory_music(heard):
    assert heard["segments"][0]["start_s"] > 4.0


def test_progress_reaches_the_end_and_never_goes_back(heard):
    done = [done_s for done_s, _ in heard["reports"]]
    assert done == sorted(done)
    assert heard["reports"][-1] == (heard["duration_s"], heard["duration_s"])


def test_listening_twice_gives_the_same_bytes(heard, folder):
    before = (folder / "words.json").read_bytes()
    run_transcribe(folder / "excerpt.flac", folder)
    assert (folder / "words.json").read_bytes() == before


def test_a_silent_recording_says_nothing(tmp_path):
    soundfile.write(tmp_path / "silence.flac", np.zeros(3 * RATE_HZ), RATE_HZ)
    assert run_transcribe(tmp_path / "silence.flac", tmp_path)["segments"] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "smal"}, "did you mean “small”"),
        ({"checkpoint": Path("nowhere.pt")}, "there is no model at nowhere.pt"),
        ({"checkpoint": Path(__file__)}, "is not a Whisper checkpoint"),
        ({"language": "xx"}, "does not know the language “xx”"),
    ],
)
def test_a_wrong_setting_is_explained(changes, message, tmp_path):
    soundfile.write(tmp_path / "silence.flac", np.zeros(RATE_HZ), RATE_HZ)
    with pytest.raises(CauserieError, match=message):
        run_transcribe(tmp_path / "silence.flac", tmp_path, **changes)


def test_a_model_that_cannot_be_downloaded_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # no copy from an earlier download
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    soundfile.write(tmp_path / "silence.flac", np.zeros(RATE_HZ), RATE_HZ)
    with pytest.raises(CauserieError, match="could not be downloaded.*connect to the network"):
        run_transcribe(tmp_path / "silence.flac", tmp_path, model="tiny")
