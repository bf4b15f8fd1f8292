"""Voices of one recording are levelled; everything else is left unchanged."""

import functools
import math

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from pipeline.audio.analysis import analyse
from pipeline.audio.level_profile import HOPS_PER_S, LevelProfile
from pipeline.audio.levelling import MAX_GAIN_DB, MAX_SLOPE_DB, level_turns
from tests.support import audio_tools, programmes
from tests.support.programmes import (
    RATE_HZ,
    VoiceSpan,
    cut,
    envelope,
    join_with_pauses,
    music,
    profile_of,
    room,
    sample_turns,
    separate_tracks,
    synthetic_voice,
)

pytestmark = pytest.mark.slow

METER = pyloudnorm.Meter(RATE_HZ)  # an independent meter


def ridden(sound, strength="gentle"):
    gains_db = level_turns(profile_of(sound), strength).gains_db
    return sound * envelope(gains_db, len(sound)), gains_db


def apart_lu(sound, spans):
    loud = [METER.integrated_loudness(np.concatenate([cut(sound, s) for s in spans if s.who == who])) for who in {s.who for s in spans}]
    return max(loud) - min(loud)


def between(spans):
    return [VoiceSpan(a.end_s, b.start_s, "") for a, b in zip(spans, spans[1:], strict=False) if b.start_s - a.end_s > 0.25]


def raised_db(after, before, spans):
    return [audio_tools.rms_db(cut(after, span)) - audio_tools.rms_db(cut(before, span)) for span in spans]


@functools.cache
def real(under_db, pauses_s):
    rng = np.random.default_rng(5)
    turns = [(sound * 10 ** (-under_db[i % len(under_db)] / 20), i % len(under_db)) for i, (_, sound) in enumerate(sample_turns()[:8])]
    return join_with_pauses(turns, lambda: rng.uniform(*pauses_s), -60)


@pytest.mark.parametrize("strength", ["gentle", "strong"])
@pytest.mark.parametrize(
    "programme",
    [
        lambda: real((0, 14), (0.3, 2)),
        lambda: real((0, 14), (0, 0)),
        lambda: real((0, 7, 14), (0.3, 1)),
        lambda: separate_tracks(30, 14, seed=2, turn_s=(2, 9)),
    ],
    ids=["real", "no pauses", "three voices", "made"],
)
def test_voices_that_were_14_lu_apart_are_within_1(programme, strength):
    sound, spans = programme()
    assert apart_lu(sound, spans) > 12
    after, gains_db = ridden(sound, strength)
    assert apart_lu(after, spans) < 1
    assert np.abs(np.diff(gains_db)).max() <= MAX_SLOPE_DB + 0.01  # never a step


def test_noise_in_pauses_comes_up_by_less_than_6_db():
    sound, spans = separate_tracks(30, 14, (0.5, 2.5), seed=3, turn_s=(2, 8))
    assert max(raised_db(ridden(sound)[0], sound, between(spans))) < 6


def test_a_quiet_voice_is_raised_when_its_first_word_begins():
    sound, spans = separate_tracks(20, 14, 1.0, seed=4, turn_s=(3, 6))
    gains_db = ridden(sound)[1]
    for span in spans:
        wanted_db = 14 if span.who else 0
        assert gains_db[math.ceil(span.start_s * HOPS_PER_S)] == pytest.approx(wanted_db, abs=1), span


def test_no_click_is_added_where_turns_meet():
    sound, _ = real((0, 14), (0.3, 2))
    gains_db = ridden(sound)[1]
    tone = np.sin(2 * np.pi * 220 * np.arange(len(sound)) / RATE_HZ)
    far_off = butter(6, 3000, "highpass", fs=RATE_HZ, output="sos")  # where a tone has nothing and a click has as much as anywhere
    splashed = sosfilt(far_off, tone * envelope(gains_db, len(tone)))[RATE_HZ:]
    assert gains_db.max() > 12 and np.abs(splashed).max() < 1e-3  # 74 dB under the raised tone


@pytest.mark.parametrize(
    "sound", [lambda: real((0,), (0.3, 1))[0], lambda: separate_tracks(30, 0, (0.3, 1), seed=6)[0]], ids=["real", "made"]
)
def test_an_even_recording_is_left_alone(sound):
    assert not ridden(sound())[1].any()


def test_music_between_voices_is_not_touched():
    parts = [
        (synthetic_voice(7, 0, seed=1), 0),
        (synthetic_voice(7, 1, seed=2, level_lufs=-34), 1),
        (music(8, -22), "music"),
        (synthetic_voice(7, 1, seed=3, level_lufs=-34), 1),
    ]
    sound, spans = join_with_pauses(parts, lambda: 0.5, -60)
    after, _ = ridden(sound)
    assert raised_db(after, sound, [span for span in spans if span.who == "music"]) == [pytest.approx(0, abs=0.1)]
    assert apart_lu(after, [span for span in spans if span.who != "music"]) < 1


def test_what_is_hardly_above_the_noise_is_not_raised():
    sound, spans = join_with_pauses(
        [(synthetic_voice(6, who, seed=who, level_lufs=-20 - 18 * who), who) for who in (0, 1, 0, 1)], lambda: 1.0, -40
    )
    assert max(raised_db(ridden(sound)[0], sound, [span for span in spans if span.who])) < 3


def test_strong_follows_a_voice_that_fades():
    sound = synthetic_voice(40, seed=8) * 10 ** (np.linspace(0, -6, 40 * RATE_HZ) / 20)
    thirds = np.array_split(ridden(sound, "strong")[0], 3)
    assert METER.integrated_loudness(thirds[0]) - METER.integrated_loudness(thirds[2]) < 2


def test_off_does_nothing():
    assert not level_turns(profile_of(separate_tracks(10, 14, seed=1)[0]), "off").gains_db.any()


def test_turns_say_when_how_loud_and_what_was_done():
    sound, spans = join_with_pauses([(synthetic_voice(5, 0), 0), (synthetic_voice(5, 1, level_lufs=-34), 1)], lambda: 1.0, -60)
    turns = level_turns(profile_of(sound), "gentle").turns
    assert [turn.start_s for turn in turns] == pytest.approx([span.start_s for span in spans], abs=0.15)
    assert [turn.end_s for turn in turns] == pytest.approx([span.end_s for span in spans], abs=0.15)
    assert [turn.loudness_lufs for turn in turns] == pytest.approx([-20, -34], abs=0.7)
    assert [turn.gain_db for turn in turns] == pytest.approx([0, 14], abs=0.7)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(0),
        np.zeros(1),
        np.ones(4410) * 0.5,
        np.zeros(5 * RATE_HZ),
        room(5),
        music(10),
        synthetic_voice(5, level_lufs=-75),
        synthetic_voice(1)[:4410],
    ],
    ids=["nothing", "a sample", "0.1 s", "silence", "noise", "music", "below the gate", "a syllable"],
)
@pytest.mark.parametrize("strength", ["gentle", "strong"])
def test_what_holds_no_turns_is_left_alone(sound, strength):
    profile = profile_of(sound)
    gains_db = level_turns(profile, strength).gains_db
    assert len(gains_db) == len(profile.levels_db) + 1 and not gains_db.any()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 400)), max_size=12), st.integers(0, 9), st.sampled_from(["gentle", "strong"]))
def test_whatever_the_levels_gains_are_bounded_and_smooth(pieces, seed, strength):
    rng = np.random.default_rng(seed)
    powers = np.concatenate([np.zeros(0), *(level**4 * rng.exponential(size=blocks * 10) for level, blocks in pieces)]).astype(np.float32)
    moments = np.maximum(10 * np.log10(np.maximum(powers[: len(powers) // 20 * 20 : 20], 1e-12)), -120).astype(np.float32)
    profile = LevelProfile(RATE_HZ, len(powers) * RATE_HZ // 200, powers, np.sqrt(powers), moments)
    gains_db = level_turns(profile, strength).gains_db
    assert len(gains_db) == len(profile.levels_db) + 1
    assert np.abs(gains_db).max() <= MAX_GAIN_DB + 1e-3 and np.abs(np.diff(gains_db)).max(initial=0) <= MAX_SLOPE_DB + 1e-3


def test_made_profiles_are_those_of_a_pass_over_the_file(tmp_path):
    sound = separate_tracks(6, 14, seed=1, turn_s=(1, 2))[0]
    path = audio_tools.write(tmp_path / "a.wav", sound, subtype="FLOAT")
    made, found = programmes.profile_of(sound), analyse(path, [], RATE_HZ, 1).profile
    assert made.momentary_lufs[3:] == pytest.approx(found.momentary_lufs[3:], abs=0.01)
    assert made.levels_db == pytest.approx(found.levels_db, abs=0.01)
