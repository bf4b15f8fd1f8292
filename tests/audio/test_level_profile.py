import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.analysis import analyse
from pipeline.audio.level_profile import (
    SILENCE_DB,
    LevelMeter,
    block_edges,
    hop_sample,
    integrated_lufs,
    load_profile,
    loudness_range_lu,
    reduce_groups,
    save_profiles,
    short_term_lufs,
)
from pipeline.model.errors import CauserieError
from tests.support.audio_tools import RATE_HZ, silence, speech_like_noise, write

NONE = np.zeros(0, np.float32)


def profiled(frames: np.ndarray, rate_hz: int, size: int = 1 << 14):
    profiler = LevelMeter(rate_hz, frames.shape[1])
    for first in range(0, len(frames), size):
        profiler.feed(frames[first : first + size].astype(np.float32))
    return profiler.profile(NONE)


def test_a_full_scale_sine_is_three_decibels_under_full_scale():
    profile = profiled(np.sin(2 * np.pi * 1000 * np.arange(44_100) / 44_100)[:, None], 44_100)
    assert profile.levels_db == pytest.approx([-3.01] * 20, abs=0.01)
    assert profile.peak == pytest.approx(1, abs=0.01) and profile.duration_s == 1


def test_digital_silence_has_a_level_that_json_can_hold():
    assert list(profiled(np.zeros((1000, 2)), 1000).levels_db) == [SILENCE_DB] * 20


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.sampled_from([1, 2]), st.sampled_from([400, 1050, 1102]), st.integers(1, 5000))
def test_a_profile_does_not_depend_on_how_samples_arrive(count, channels, rate_hz, size):
    frames = np.random.default_rng(count).uniform(-1, 1, (count, channels)).astype(np.float32)
    cut, at_once = profiled(frames, rate_hz, size), profiled(frames, rate_hz, count)
    assert np.array_equal(cut.powers, at_once.powers) and np.array_equal(cut.peaks, at_once.peaks)
    assert cut.samples == count and cut.peak == np.abs(frames).max()


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """Twelve seconds, louder and softer, for comparison with another meter."""
    parts = (speech_like_noise(4, -22), silence(1.5), speech_like_noise(4, -31, seed=2), speech_like_noise(3, -26, seed=3))
    path = write(tmp_path_factory.mktemp("heard") / "take.wav", *(np.column_stack([part, part / 2]) for part in parts))
    return analyse(path, (), RATE_HZ, 2), np.concatenate([np.column_stack([part, part / 2]) for part in parts])


def test_loudness_is_what_another_meter_finds(heard):
    assert heard[0].profile.integrated_lufs == pytest.approx(pyloudnorm.Meter(RATE_HZ).integrated_loudness(heard[1]), abs=0.1)


def test_the_range_is_what_the_other_meter_of_the_pass_finds(heard):
    line = next(line for line in heard[0].log.splitlines() if "LRA:" in line)
    assert loudness_range_lu(heard[0].profile.momentary_lufs) == pytest.approx(float(line.split()[1]), abs=0.5)


def test_loudness_over_three_seconds_follows_slowly():
    step = np.array([-60.0] * 50 + [-20.0] * 50, np.float32)
    short = short_term_lufs(step)
    assert short[49] == pytest.approx(-60, abs=0.1) and short[79] == pytest.approx(-20, abs=0.1)
    assert -32 < short[52] < short[60] < short[70] <= -20


def test_what_never_passes_the_gate_has_no_loudness():
    assert integrated_lufs(np.full(50, -75, np.float32)) == float("-inf")
    assert loudness_range_lu(np.full(50, -75, np.float32)) == 0.0


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 2000))
def test_a_profile_comes_back_as_it_was_saved(tmp_path_factory, count):
    path = tmp_path_factory.mktemp("saved") / "levels.npz"
    profile = profiled(np.random.default_rng(count).uniform(-1, 1, (count, 1)), 1000)
    save_profiles(path, one=profile, other=profiled(np.zeros((1, 1)), 1000))
    again = load_profile(path, "one")
    assert (again.rate_hz, again.samples) == (1000, count) and np.array_equal(again.powers, profile.powers)
    first = path.read_bytes()
    save_profiles(path, one=profile, other=profiled(np.zeros((1, 1)), 1000))
    assert path.read_bytes() == first


@pytest.mark.parametrize("content", [b"", b"no archive", None], ids=["empty", "something else", "cut short"])
def test_a_damaged_profile_is_told_with_what_to_do(tmp_path, content):
    path = tmp_path / "levels.npz"
    save_profiles(path, one=profiled(np.zeros((1000, 1)), 1000))
    path.write_bytes(path.read_bytes()[:600] if content is None else content)
    with pytest.raises(CauserieError, match="is damaged") as told:
        load_profile(path, "one")
    assert told.value.hint == "delete it and build again"


def test_integrated_loudness_has_its_two_gates_and_starts_with_the_first_whole_window():
    assert integrated_lufs(np.array([0, 0, 0] + [-20] * 50, np.float32)) == pytest.approx(-20)
    assert integrated_lufs(np.full(3, -20, np.float32)) == float("-inf")
    assert integrated_lufs(np.array([-99] * 3 + [-20] * 50 + [-70] * 50 + [-99] * 50, np.float32)) == pytest.approx(-20)
    # the mean of half −20 and half −x is near −23, so the relative gate is near −33
    assert integrated_lufs(np.array([-99] * 3 + [-20] * 50 + [-33.5] * 50, np.float32)) == pytest.approx(-20)
    assert integrated_lufs(np.array([-99] * 3 + [-20] * 50 + [-32] * 50, np.float32)) == pytest.approx(-22.74, abs=0.01)


def steady(*parts):
    """Short-term levels that stay: each level for a number of seconds."""
    return np.repeat(np.array([level for level, _ in parts], np.float32), [seconds * 10 for _, seconds in parts])


def test_the_range_runs_from_the_10th_to_the_95th_percentile():
    ramp = np.linspace(-40, -20, 20_000, dtype=np.float32)
    assert loudness_range_lu(ramp) == pytest.approx(0.85 * 20, abs=0.05)
    assert loudness_range_lu(steady((-30, 500), (-20, 500))) == pytest.approx(10, abs=0.01)
    assert loudness_range_lu(steady((-30, 80), (-20, 920))) == pytest.approx(0, abs=0.01)  # less than a tenth is soft
    assert loudness_range_lu(steady((-30, 120), (-20, 880))) == pytest.approx(10, abs=0.01)
    assert loudness_range_lu(steady((-30, 930), (-20, 70))) == pytest.approx(10, abs=0.01)
    assert loudness_range_lu(steady((-30, 970), (-20, 30))) == pytest.approx(0, abs=0.01)  # less than a twentieth is loud


def test_the_range_has_its_two_gates_and_needs_three_seconds():
    assert loudness_range_lu(steady((-20, 500), (-41, 30), (-44, 500))) == pytest.approx(0, abs=0.1)  # 20 LU under the mean, near −23
    assert loudness_range_lu(steady((-20, 500), (-41, 500))) == pytest.approx(21, abs=0.1)
    assert loudness_range_lu(steady((-60, 200), (-75, 800))) == pytest.approx(0, abs=0.1)  # under −70, though within 20 LU of the mean
    assert loudness_range_lu(np.array([-30] * 10 + [-20] * 19, np.float32)) == 0.0
    assert loudness_range_lu(np.full(30, -20, np.float32)) == 0.0


def test_short_term_loudness_is_that_of_the_three_seconds_before():
    impulse = np.full(100, -100, np.float32)
    impulse[40] = -20
    short = short_term_lufs(impulse)
    assert np.flatnonzero(short > -50).tolist() == list(range(40, 67))  # 27 windows of 400 ms, 100 ms apart, are three seconds
    assert short[50] == pytest.approx(-20 - 10 * np.log10(27), abs=0.01)
    assert short_term_lufs(np.array([-20, -30], np.float32))[0] == pytest.approx(-20, abs=0.01)
    assert short_term_lufs(np.full(1, -150, np.float32))[0] == SILENCE_DB


def test_groups_are_reduced_and_the_last_may_be_shorter():
    values = np.arange(7, dtype=np.float32)
    assert reduce_groups(values, 3, np.max).tolist() == [2, 5, 6] and reduce_groups(values[:6], 3, np.mean).tolist() == [1, 4]
    assert reduce_groups(values[:0], 3, np.max).tolist() == []


def test_hops_and_blocks_divide_a_second_without_a_gap():
    assert [hop_sample(hop, 44_100) for hop in (0, 1, 19, 20)] == [0, 2205, 41_895, 44_100] and hop_sample(1, 22_051) == 1102
    edges = block_edges(11_025)
    assert (len(edges), edges[0], edges[1], edges[-1]) == (200, 0, 55, 11_025 * 199 // 200)
