import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.gains import MAX_BALANCE_DB, active_range, activity_threshold_db, balance_gains_db, duck_curve_db, lufs_after_gain
from pipeline.audio.level_profile import LevelProfile

LOUDNESS = st.floats(-60, -5)


def like(levels_db: list[float], momentary_lufs: float = -18.0) -> LevelProfile:
    """A profile with these levels, one a hop."""
    powers = np.repeat(10 ** (np.array(levels_db) / 10), 10).astype(np.float32)
    return LevelProfile(1000, len(levels_db) * 50, powers, np.sqrt(powers), np.full(len(levels_db) // 2, momentary_lufs, np.float32))


@given(st.lists(LOUDNESS, min_size=1, max_size=5))
def test_balance_is_bounded_and_brings_tracks_together(loudness):
    gains = balance_gains_db(loudness)
    after = [level + gain for level, gain in zip(loudness, gains, strict=True)]
    assert all(abs(gain) <= MAX_BALANCE_DB for gain in gains)
    assert max(after) - min(after) <= max(loudness) - min(loudness) + 1e-9
    if max(loudness) - min(loudness) <= MAX_BALANCE_DB:
        assert max(after) - min(after) < 1e-9


def test_a_single_recording_is_left_alone():
    assert balance_gains_db([-31.0]) == [0.0]


def test_room_noise_is_silence_and_a_loud_background_is_not():
    assert -70 < activity_threshold_db(like([-70.0] * 50 + [-20.0] * 50)) <= -60
    assert activity_threshold_db(like([-35.0] * 50 + [-20.0] * 50)) == pytest.approx(-48, abs=0.1)


def test_what_any_track_lets_hear_is_kept_with_a_margin():
    nora, malik = [-80.0] * 40, [-80.0] * 40
    nora[10] = malik[20] = -30.0
    assert active_range([like(nora), like(malik)]) == (10 - 6, 21 + 6)


def test_loudness_follows_the_gain_that_moves():
    profile = like([-20.0] * 200)
    assert lufs_after_gain(profile, None) == pytest.approx(-18, abs=0.01)
    assert lufs_after_gain(profile, np.full(201, 4, np.float32)) == pytest.approx(-14, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=8), st.floats(0, 30))
def test_music_is_down_under_every_word_and_never_jumps(runs, depth_db):
    talking = np.concatenate([np.full(length, speaks) for length, speaks in runs])
    gains_db = duck_curve_db(talking, depth_db)
    assert len(gains_db) == len(talking) + 1
    assert gains_db[:-1][talking] == pytest.approx(-depth_db, abs=1e-3) and gains_db.max() <= 1e-3
    assert np.abs(np.diff(gains_db)).max(initial=0) <= depth_db / 12 + 1e-3
