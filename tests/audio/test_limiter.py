import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.level_profile import BLOCKS_PER_S, LevelProfile
from pipeline.audio.limiter import (
    REDUCTION_MARGIN_DB,
    LimiterSettings,
    apply_gains,
    gain_reduction_db,
    limiter_gains,
    limiting_s,
    predicted_lufs,
    solve_gain,
    with_lower_limits,
)
from tests.support.programmes import lufs, profile_of, synthetic_voice

pytestmark = pytest.mark.slow

RATE_HZ = 44_100
VOICE = synthetic_voice(6, seed=3)
HEARD = profile_of(VOICE)


def of_peaks(peaks):
    """A profile in which only peaks matter."""
    peaks = np.array(peaks, np.float32)
    return LevelProfile(RATE_HZ, len(peaks) * RATE_HZ // BLOCKS_PER_S, peaks**2 / 4, peaks, np.full(len(peaks) // 20, -20, np.float32))


PEAKS = st.lists(st.floats(0.01, 1), min_size=40, max_size=120).map(of_peaks)


@given(PEAKS, st.floats(-6, 20), st.floats(-6, 0))
def test_no_block_passes_the_limit(profile, gain_db, limit_dbtp):
    edges = limiter_gains(profile, LimiterSettings(gain_db, limit_dbtp))
    loudest = profile.peaks * np.maximum(edges[:-1], edges[1:])
    assert 20 * np.log10(loudest.max()) <= limit_dbtp + 0.01


@given(PEAKS)
def test_what_fits_gets_the_gain_and_nothing_else(profile):
    level = LimiterSettings(-3.0, 20 * np.log10(profile.peak) - 3.0 + 0.01)
    assert not gain_reduction_db(profile, level).any() and limiting_s(profile, level) == 0
    assert limiter_gains(profile, level) == pytest.approx(10 ** (-3 / 20))


def test_a_dip_is_short_and_around_its_peak():
    profile = of_peaks([0.1] * 50 + [1.0] + [0.1] * 49)
    level = LimiterSettings(0.0, -6.0)
    acted = np.flatnonzero(gain_reduction_db(profile, level) < 0)
    assert 42 <= acted[0] < 50 < acted[-1] <= 59
    assert limiting_s(profile, level) <= 0.09
    assert gain_reduction_db(profile, level).min() == pytest.approx(-6, abs=0.01)


def test_what_is_predicted_is_what_comes_out():
    level = solve_gain(HEARD, -16.0, -6.0)
    limited = apply_gains(VOICE[:, None].astype(np.float32), 0, limiter_gains(HEARD, level), RATE_HZ)
    assert limiting_s(HEARD, level) > 0.5
    assert predicted_lufs(HEARD, level) == pytest.approx(-16, abs=0.02)
    assert lufs(limited) == pytest.approx(-16, abs=0.15)
    assert 20 * np.log10(np.abs(limited).max()) <= -6 + 0.01


def test_without_peaks_in_the_way_the_gain_is_the_difference():
    assert solve_gain(HEARD, -30.0, -1.0) == LimiterSettings(round(-30 - HEARD.integrated_lufs, 3), -1.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=8), st.integers(0, RATE_HZ))
def test_gains_are_the_same_in_pieces_as_at_once(sizes, first):
    edges = np.random.default_rng(len(sizes)).uniform(0.5, 2, 3 * BLOCKS_PER_S).astype(np.float32)
    frames = np.ones((sum(sizes), 2), np.float32)
    starts = np.cumsum([0, *sizes[:-1]])
    pieces = [apply_gains(frames[at : at + size], first + int(at), edges, RATE_HZ) for at, size in zip(starts, sizes, strict=True)]
    assert np.concatenate(pieces) == pytest.approx(apply_gains(frames, first, edges, RATE_HZ))


def test_where_the_encoder_overshot_the_limit_is_lower_and_nowhere_else():
    profile = of_peaks([0.2] * 100)
    published = profile.peaks.copy()
    published[60] = 10 ** (-0.6 / 20)  # 0.4 dB over
    level = with_lower_limits(profile, LimiterSettings(0.0, -1.5), published, -1.0)
    assert [block for block, _ in level.reductions] == [59, 60, 61]
    dips = gain_reduction_db(profile, level)
    assert dips[60:62] == pytest.approx(-0.4 - REDUCTION_MARGIN_DB, abs=0.01) and not dips[:50].any() and not dips[72:].any()
