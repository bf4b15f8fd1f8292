"""The sample show through the whole of hearing, with the real Whisper base: what it hears, when, and what it does not say."""

import json
import statistics

import numpy as np
import pytest
import soundfile
from rapidfuzz.distance import Levenshtein

from pipeline.audio.ingest import ingest_recordings
from pipeline.config.loader import load_config
from pipeline.speech.transcribe import transcribe_master
from pipeline.transcript.normalisation import word_tokens
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow

SHOW = load_config(REPOSITORY)
MAX_WRONG = 0.15  # of the words; the voices are natural and the model is small
IN_FIGURES = {
    "mille neuf cent soixante-dix-huit": "1978",
    "mille neuf cent quatre-vingt-trois": "1983",
    "deux mille cinquante": "2050",
    "neuf heures": "9 heures",
}


def hear(master, words) -> list[dict]:
    transcribe_master(master, words=words, model="base", language="fr")
    return [word for segment in json.loads(words.read_text())["segments"] for word in segment["words"]]


def tokens_and_starts(words) -> tuple[list[str], list[float | None]]:
    """Comparable tokens, and the start of those that begin a word."""
    pairs = [(token, start_s if i == 0 else None) for text, start_s in words for i, token in enumerate(word_tokens(text, "fr"))]
    return [token for token, _ in pairs], [start_s for _, start_s in pairs]


@pytest.mark.parametrize("episode", SHOW.episodes[::2], ids=lambda episode: episode.slug)  # one take of everything, and two tracks
def test_an_episode_is_heard_and_timed(episode, tmp_path):
    master, mix = tmp_path / "master.flac", episode.mix
    places = {name: tmp_path / name for name in ("activity", "levels", "sound")}
    files = tuple(REPOSITORY / file for file in mix.files)
    ingest_recordings(files, master=master, **places, mix=mix, sample_rate_hz=SHOW.audio.sample_rate_hz, channels=SHOW.audio.channels)
    heard, heard_s = tokens_and_starts((word["text"], word["start_s"]) for word in hear(master, tmp_path / "words.json"))
    truth = json.loads((REPOSITORY / f"tests/data/sample_truth/{episode.slug}.json").read_text())
    spoken, spoken_s = tokens_and_starts((word, start_s) for line in truth for word, start_s, _ in line["words"])
    text = " ".join(line["text"] for line in truth)
    for letters, figures in IN_FIGURES.items():
        text = text.replace(letters, figures)
    assert Levenshtein.normalized_distance(word_tokens(text, "fr"), heard) <= MAX_WRONG
    same = [block for block in Levenshtein.opcodes(spoken, heard) if block.tag == "equal"]
    pairs = [(spoken_s[b.src_start + i], heard_s[b.dest_start + i]) for b in same for i in range(b.src_end - b.src_start)]
    shifts_s = [there - here for here, there in pairs if here is not None and there is not None]
    shift_s = statistics.median(shifts_s)  # what ingest trimmed or put before, the same for every word
    assert statistics.median(abs(each - shift_s) for each in shifts_s) <= 0.1


def test_nothing_is_said_over_music(tmp_path):
    assert hear(REPOSITORY / "episodes/jingle-intro.flac", tmp_path / "words.json") == []


def test_nothing_is_said_over_the_tone_of_a_room(tmp_path):
    soundfile.write(tmp_path / "room.flac", np.random.default_rng(1).standard_normal(12 * 16_000) * 1e-4, 16_000)
    assert hear(tmp_path / "room.flac", tmp_path / "words.json") == []
