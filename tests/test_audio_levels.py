import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.levels import BALANCE_DB, FLOOR_DB, LevelMeter, balance_db, headroom_db, heard, threshold_db

LOUDNESS = st.floats(-60, -5)


def metered(data: bytes, rate_hz: int, channels: int, size: int = 1 << 16) -> LevelMeter:
    meter = LevelMeter(rate_hz, channels)
    for start in range(0, len(data), size):
        meter.feed(data[start : start + size])
    meter.finish()
    return meter


def test_a_full_scale_sine_is_three_decibels_under_full_scale():
    meter = metered(np.sin(2 * np.pi * 1000 * np.arange(44_100) / 44_100).astype("<f4").tobytes(), 44_100, 1)
    assert len(meter.levels_db) == 20
    assert meter.levels_db == pytest.approx([-3.01] * 20, abs=0.01)


def test_digital_silence_has_a_level_that_json_can_hold():
    assert metered(bytes(4 * 1000), 1000, 1).levels_db == [FLOOR_DB] * 20


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.sampled_from([1, 2]), st.sampled_from([400, 1050, 1102]), st.integers(1, 5000))
def test_levels_do_not_depend_on_how_bytes_arrive(frames, channels, rate_hz, size):
    data = np.random.default_rng(frames).uniform(-1, 1, frames * channels).astype("<f4").tobytes()
    cut, at_once = metered(data, rate_hz, channels, size), metered(data, rate_hz, channels)
    assert cut.levels_db == at_once.levels_db and cut.samples == frames
    assert len(cut.levels_db) in (math.ceil(frames * 20 / rate_hz), math.ceil(frames * 20 / rate_hz) + 1)


@given(st.lists(LOUDNESS, min_size=1, max_size=5))
def test_balance_is_bounded_and_brings_tracks_together(loudness):
    gains = balance_db(loudness)
    after = [level + gain for level, gain in zip(loudness, gains, strict=True)]
    assert all(abs(gain) <= BALANCE_DB for gain in gains)
    assert max(after) - min(after) <= max(loudness) - min(loudness) + 1e-9
    if max(loudness) - min(loudness) <= BALANCE_DB:
        assert max(after) - min(after) < 1e-9


def test_a_single_recording_is_left_alone():
    assert balance_db([-31.0]) == [0.0]
    assert headroom_db([0.99], [0.0]) == 0.0


@given(st.lists(st.tuples(st.floats(0, 4), st.floats(-20, 20)), min_size=1, max_size=4))
def test_headroom_keeps_the_worst_sum_under_full_scale(tracks):
    peaks, gains = zip(*tracks, strict=True)
    low = headroom_db(peaks, gains)
    assert low <= 0
    assert sum(peak * 10 ** ((gain + low) / 20) for peak, gain in tracks) <= 1 + 1e-9


def test_room_noise_is_silence_and_a_loud_background_is_not():
    quiet_room = [-70.0] * 50 + [-20.0] * 50
    music_bed = [-35.0] * 50 + [-20.0] * 50
    assert -70 < threshold_db(quiet_room, -18) <= -60
    assert threshold_db(music_bed, -18) == -48


def test_what_any_track_lets_hear_is_kept_with_a_margin():
    nora, malik = [-80.0] * 40, [-80.0] * 40
    nora[10] = malik[20] = -30.0
    assert heard([(nora, -60.0), (malik, -60.0)]) == (10 - 6, 21 + 6)
