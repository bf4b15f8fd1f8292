from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.level_profile import LevelProfile
from pipeline.audio.timeline import Clip, ClipSource, UnplacedPart, clip_gains, loop_bed, peak_bound, place_parts, unprocessed_profile

RATE_HZ = 1000


def source(seconds: float = 10, peak: float = 0.5, gain_db: float = 0.0, moves_db: list[float] | None = None) -> ClipSource:
    """A sound that is the same from end to end."""
    samples = round(seconds * RATE_HZ)
    blocks, moments = -(-samples * 200 // RATE_HZ), samples * 10 // RATE_HZ
    arrays = np.full(blocks, peak**2, np.float32), np.full(blocks, peak, np.float32), np.full(moments, -20, np.float32)
    moves = None if moves_db is None else np.array(moves_db, np.float32)
    return ClipSource(Path("a.wav"), 0, (), LevelProfile(RATE_HZ, samples, *arrays), gain_db, moves)


STRETCHES = st.lists(
    st.builds(UnplacedPart, st.just((source(),)), st.just(0), st.integers(1, 10_000), st.integers(0, 900), st.integers(0, 3000)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(STRETCHES)
def test_parts_follow_each_other_on_hops_and_overlap_only_in_crossfades(stretches):
    clips = [part[0] for part in place_parts(stretches, RATE_HZ)]
    for one, two, stretch in zip(clips, clips[1:], stretches[1:], strict=False):
        assert two.start % 50 == 0 and two.start >= one.start
        overlap = one.end - two.start
        assert overlap <= stretch.crossfade and (overlap <= 0 or (one.fade_out >= overlap and two.fade_in >= overlap))
        assert overlap <= one.count / 2 and overlap <= two.count / 2
    assert 0 <= clips[0].start - stretches[0].gap < 50


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 400), st.integers(0, 9000))
def test_two_that_cross_keep_their_power(fade, start):
    one, two = Clip(source(), 0, 10_000, 0, fade_out=fade), Clip(source(), 0, 10_000, 10_000 - fade, fade_in=fade)
    power = np.square(clip_gains(one, 10_000 - fade, fade, RATE_HZ)) + np.square(clip_gains(two, 0, fade, RATE_HZ))
    assert power == pytest.approx(np.ones(fade), abs=0.02)


def test_a_gain_that_does_not_move_is_one_number():
    assert clip_gains(Clip(source(gain_db=-6.0206), 0, 5000, 0), 1000, 1000, RATE_HZ) == pytest.approx(0.5, abs=1e-4)
    assert clip_gains(Clip(source(moves_db=[0.0] * 201), 0, 5000, 0), 0, 1000, RATE_HZ) == 1.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3000), st.integers(1, 700), st.integers(0, 4000))
def test_a_moving_gain_is_the_same_however_it_is_cut(start, count, first):
    moves = list(np.random.default_rng(1).uniform(-15, 15, 201))
    clip = Clip(source(moves_db=moves), first, 6000, 0)
    whole = np.broadcast_to(clip_gains(clip, 0, 6000, RATE_HZ), 6000)
    piece = np.broadcast_to(clip_gains(clip, start, count, RATE_HZ), count)
    assert piece == pytest.approx(whole[start : start + count], rel=1e-4)
    at = (first + start) / 50
    edges = 10 ** (np.array(moves) / 20)
    assert piece[0] == pytest.approx(np.interp(at, np.arange(201), edges), rel=1e-3)


def test_a_bed_starts_again_over_its_own_end_until_it_is_long_enough():
    clips = loop_bed(source(3), 500, 7000, (200, 300), np.zeros(1, np.float32), RATE_HZ)
    assert clips[0].start == 500 and clips[-1].end == 7500
    for one, two in zip(clips, clips[1:], strict=False):
        assert one.end - two.start == one.fade_out == two.fade_in > 0
    assert clips[0].fade_in == 200 and clips[-1].fade_out == 300


def test_the_bound_of_a_sum_is_no_less_than_its_peak_and_follows_gains():
    clips = [Clip(source(gain_db=6.0206), 0, 5000, 0), Clip(source(), 0, 5000, 4000)]
    assert peak_bound(clips, 9000, RATE_HZ) == pytest.approx(1.5, abs=0.01)
    assert peak_bound([Clip(source(moves_db=[6.0206] * 201), 0, 5000, 0)], 5000, RATE_HZ) == pytest.approx(1.0, abs=0.01)


def test_what_it_was_before_has_no_gain_of_ours():
    plain = unprocessed_profile([Clip(source(gain_db=12, moves_db=[5.0] * 201), 2000, 3000, 1000)], 5000, RATE_HZ)
    assert plain.samples == 5000 and plain.peaks.max() == pytest.approx(0.5)
    assert (plain.peaks[:200] == 0).all() and (plain.peaks[200:800] == np.float32(0.5)).all()
    assert plain.momentary_lufs[15:35] == pytest.approx([-20] * 20, abs=0.01)
