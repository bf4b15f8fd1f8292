"""Voice activity: none in silence and hiss, and some in every line of the sample show."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.speech.decoding import RATE_HZ, decode
from pipeline.speech.voice_activity import FRAME_S, detect_voice_frames, has_voice
from tools.sample_show import music

ROOT = Path(__file__).parents[2]
SLUG = "01-la-file-d-attente"


def test_silence_and_hiss_hold_no_voice():
    hiss = np.random.default_rng(0).normal(0, 0.05, 5 * RATE_HZ).astype(np.float32)
    assert not detect_voice_frames(np.zeros(5 * RATE_HZ, np.float32), RATE_HZ).any()
    assert not detect_voice_frames(hiss, RATE_HZ).any()


def test_an_empty_recording_has_no_frames():
    assert detect_voice_frames(np.zeros(0, np.float32), RATE_HZ).size == 0


def test_a_vowel_in_silence_is_found_where_it_is():
    seconds = np.arange(4 * RATE_HZ) / RATE_HZ
    vowel = sum(np.sin(2 * np.pi * 140 * k * seconds) / k for k in range(1, 8)) * ((seconds > 1) & (seconds < 2))
    frames = detect_voice_frames((0.1 * vowel).astype(np.float32), RATE_HZ)
    assert has_voice(frames, 1.2, 1.8)
    assert not has_voice(frames, 0.0, 0.5)
    assert not has_voice(frames, 2.6, 4.0)


def test_every_line_of_an_episode_is_heard_even_the_quietest():
    frames = detect_voice_frames(decode(ROOT / "episodes" / SLUG / "prise-unique.flac"), RATE_HZ)
    lines = json.loads((ROOT / "tests/data/sample_truth" / f"{SLUG}.json").read_text(encoding="utf-8"))
    assert len(lines) > 10
    for line in lines:
        first, last = int(line["start_s"] / FRAME_S), int(line["end_s"] / FRAME_S)
        assert frames[first:last].mean() > 0.8, line["text"]


@pytest.mark.parametrize("jingle", ["jingle-intro", "jingle-outro"])
def test_music_that_holds_its_notes_is_no_voice(jingle):
    assert not detect_voice_frames(decode(ROOT / f"episodes/{jingle}.flac"), RATE_HZ).any()


def test_a_voice_over_music_as_loud_as_itself_is_heard():
    voice = decode(ROOT / "episodes" / SLUG / "prise-unique.flac")[5 * RATE_HZ : 35 * RATE_HZ]
    alone = detect_voice_frames(voice, RATE_HZ)
    under = music.piece(30, RATE_HZ, 1000).astype(np.float32)
    under *= np.sqrt(np.mean(voice**2) / np.mean(under**2))
    assert detect_voice_frames(voice + under, RATE_HZ)[alone].mean() > 0.99
