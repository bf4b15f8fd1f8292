"""Tracks of one conversation: each is open for its own speaker and closed for the others."""

import json

import numpy as np
import pytest
import soundfile

from pipeline.audio.level_profile import HOPS_PER_S
from pipeline.audio.noise_gate import DEPTH_DB, OPENING_SLOPE_DB, gate_gains_db
from tests.support.audio_tools import convert, rms_db
from tests.support.programmes import RATE_HZ, ROOT, VoiceSpan, cut, envelope, interview, music, profile_of, room, synthetic_voice

pytestmark = pytest.mark.slow


def gated(tracks, strength="gentle"):
    gains_db = gate_gains_db([profile_of(track) for track in tracks], strength)
    return [track * envelope(gain_db, len(track)) for track, gain_db in zip(tracks, gains_db, strict=True)], gains_db


def said(sound, spans):
    return np.concatenate([cut(sound, span) for span in spans])


def alone(spans):
    return [a for a in spans if all(a is b or b.end_s <= a.start_s or b.start_s >= a.end_s for b in spans)]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    episode, folder = ROOT / "episodes/03-le-metier-d-ecouter", tmp_path_factory.mktemp("tracks")
    files = [convert(episode / name, folder / f"{name}.wav", "-ar", str(RATE_HZ), "-ac", "1") for name in ("nora.m4a", "malik.mp3")]
    lines = json.loads((ROOT / "tests/data/sample_truth/03-le-metier-d-ecouter.json").read_text(encoding="utf-8"))
    who = {"nora": 0, "malik": 1}
    return [soundfile.read(file)[0] for file in files], [VoiceSpan(line["start_s"], line["end_s"], who[line["voice"]]) for line in lines]


@pytest.fixture(scope="module", params=["sample", "two", "three", "unequal gains"])
def conversation(request, sample):
    if request.param == "sample":
        return sample
    tracks, spans = interview(28, -20, -60, seed=4, voices=3 if request.param == "three" else 2)
    return ([tracks[0], tracks[1] * 0.16], spans) if request.param == "unequal gains" else (tracks, spans)


@pytest.mark.parametrize("strength", ["gentle", "strong"])
def test_no_word_is_lost(conversation, strength):
    tracks, spans = conversation
    for me, (before, after) in enumerate(zip(tracks, gated(tracks, strength)[0], strict=True)):
        for span in (span for span in spans if span.who == me):
            assert rms_db(cut(before, span)) - rms_db(cut(after, span)) < 0.1, span


def test_others_are_down_by_the_depth(conversation):
    tracks, spans = conversation
    for me, (before, after) in enumerate(zip(tracks, gated(tracks)[0], strict=True)):
        others = [span for span in alone(spans) if span.who != me]
        assert rms_db(said(before, others)) - rms_db(said(after, others)) > 12


def test_a_gate_is_open_150_ms_before_the_first_word_and_opens_without_a_step(conversation):
    tracks, spans = conversation
    for gains_db, me in zip(gated(tracks)[1], range(len(tracks)), strict=True):
        starts = [int((span.start_s - 0.15) * HOPS_PER_S) for span in spans if span.who == me]
        assert np.abs(gains_db[starts]).max() < 0.01
        assert np.abs(np.diff(gains_db)).max() <= OPENING_SLOPE_DB + 0.01


def test_one_microphone_is_heard_at_any_time_not_three():
    tracks, spans = interview(28, -20, -50, seed=4, voices=3)
    after, gains_db = gated(tracks)
    assert (np.max(gains_db, axis=0)[HOPS_PER_S:] > -0.01).all()  # the room does not fall silent
    quiet = [VoiceSpan(a.end_s + 0.35, b.start_s - 0.25, "") for a, b in zip(spans, spans[1:], strict=False) if b.start_s - a.end_s > 0.75]
    assert rms_db(said(sum(tracks), quiet)) - rms_db(said(sum(after), quiet)) > 4  # 10 log 3 is 4.8


def test_two_who_speak_at_once_are_both_heard():
    first, second = synthetic_voice(12, 0, seed=1), synthetic_voice(12, 1, seed=2)
    silent = np.zeros(6 * RATE_HZ)
    mine, theirs = np.concatenate([first, silent, silent]), np.concatenate([silent, second, silent])
    noise = room(24, -60)
    gains_db = gated([mine + 0.1 * theirs + noise, theirs + 0.1 * mine + noise])[1]
    both = slice(7 * HOPS_PER_S, 11 * HOPS_PER_S)
    assert all((gain_db[both] > -0.01).mean() > 0.95 for gain_db in gains_db)


def test_tracks_that_are_no_conversation_stay_open_when_they_speak():
    gains_db = gated([synthetic_voice(30, who, seed=who) + room(30, -60, seed=who) for who in (0, 1)])[1]
    assert all((gain_db > -0.01).mean() > 0.95 for gain_db in gains_db)


def test_tracks_without_speech_are_left_alone():
    gains_db = gated([synthetic_voice(10) + room(10), music(10), room(10, -45)])[1]
    assert not gains_db[1].any() and not gains_db[2].any()


def test_off_and_a_single_track_are_left_alone(sample):
    assert not any(gain_db.any() for gain_db in gated(sample[0], "off")[1])
    assert not gated(sample[0][:1])[1][0].any()


def test_tracks_may_differ_in_length_and_be_empty():
    tracks = [synthetic_voice(6), np.zeros(0), synthetic_voice(3, 1), np.zeros(100)]
    profiles = [profile_of(track) for track in tracks]
    for profile, gains_db in zip(profiles, gate_gains_db(profiles, "strong"), strict=True):
        assert len(gains_db) == len(profile.levels_db) + 1
        assert gains_db.min() >= -DEPTH_DB["strong"] and gains_db.max() <= 0
