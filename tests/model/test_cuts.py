"""The three timelines: that of the recordings, that of the master, that of listeners."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.cuts import KeptRange, Removal, is_removed, master_ranges, published, recording_range

TIMES = st.floats(0, 4000, allow_nan=False)


@st.composite
def removals(draw):
    """Removals in order that do not touch."""
    edges = sorted(draw(st.lists(st.integers(0, 3_600_000), max_size=40, unique=True)))
    return tuple(Removal(first / 1000, end / 1000) for first, end in zip(edges[::2], edges[1::2], strict=False))


@given(removals(), TIMES, TIMES)
def test_published_times_never_go_back(cut, one, other):
    first, second = sorted((one, other))
    assert published(first, cut) <= published(second, cut) + 1e-9


@given(removals(), TIMES, TIMES)
def test_outside_cuts_a_distance_without_a_cut_stays_what_it_is(cut, one, other):
    first, second = sorted((one, other))
    if not any(each.start_s < second and each.end_s > first for each in cut):
        assert published(second, cut) - published(first, cut) == pytest.approx(second - first, abs=1e-6)


@given(removals())
def test_all_of_a_cut_is_at_its_join(cut):
    for each in cut:
        times = (each.start_s, (each.start_s + each.end_s) / 2, each.end_s)
        assert {round(published(time_s, cut), 6) for time_s in times} == {round(published(each.start_s, cut), 6)}


@given(removals(), TIMES)
def test_a_time_moves_by_what_was_cut_before_it(cut, time_s):
    before_s = sum(min(each.end_s, time_s) - each.start_s for each in cut if each.start_s < time_s)
    assert published(time_s, cut) == pytest.approx(time_s - before_s, abs=1e-6)


def test_without_cuts_the_two_timelines_are_one():
    assert published(12.345, ()) == 12.345


def test_a_word_is_cut_with_its_middle():
    cut = (Removal(1, 2),)
    assert is_removed(0.6, 1.6, cut) and not is_removed(0.2, 1.6, cut) and not is_removed(1.6, 2.4, cut)


def test_a_part_that_is_played_twice_is_cut_twice():
    kept = (KeptRange(60, 5, 15), KeptRange(0, 20, 120))
    assert master_ranges(65, 67, kept) == (Removal(10, 12), Removal(85, 87))


def test_what_the_master_does_not_hold_is_nowhere():
    assert master_ranges(0, 5, (KeptRange(10, 0, 100),)) == ()
    assert master_ranges(5, 12, (KeptRange(10, 0, 100),)) == (Removal(0, 2),)


@given(st.floats(0, 90), st.floats(0.1, 10))
def test_a_range_of_the_master_comes_back_from_the_recordings(start_s, length_s):
    kept = (KeptRange(12.5, 3, 103.5),)
    there = recording_range(start_s + 3, start_s + 3 + length_s, kept)
    assert master_ranges(*there, kept)[0] == pytest.approx((start_s + 3, start_s + 3 + length_s))


def test_a_range_across_a_jingle_is_nowhere_in_the_recordings():
    assert recording_range(9, 11, (KeptRange(0, 0, 10), KeptRange(10, 10.5, 20))) is None
