"""Where cuts are made."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.audio.cut_points import MAX_FADE_S, MIN_KEPT_S, SEARCH_S, CutPoint, crossfade, join_words, merge_cuts, place_cut, quietest
from pipeline.model import CauserieError, Removal

RATE_HZ, SAMPLES = 8000, 80_000
WHOLE = Removal(0, SAMPLES / RATE_HZ)
NOISE = np.random.default_rng(1).standard_normal((SAMPLES, 1)).astype(np.float32) * np.linspace(0.01, 1, SAMPLES)[:, None].astype(
    np.float32
)


def read(first, end):
    return NOISE[first:end]


def place(start_s, end_s, words=(), part=WHOLE, frames=read):
    return place_cut(Removal(start_s, end_s), part, join_words(words, RATE_HZ), SAMPLES, RATE_HZ, frames)


@st.composite
def spoken(draw):
    """Words of a recording of ten seconds: some touch, some overlap, some last no time."""
    starts = draw(st.lists(st.integers(0, 980), max_size=30))
    return [(start / 100, min(1000, start + draw(st.integers(0, 60))) / 100) for start in starts]  # none lasts longer than it


@given(spoken(), st.integers(0, 900), st.integers(10, 400))
def test_a_cut_is_never_inside_a_word(words, start, length):
    try:
        point = place(start / 100, min(10, (start + length) / 100), words)
    except CauserieError:
        return
    assert 0 <= point.first < point.end <= SAMPLES
    for start_s, end_s in words:
        for edge in (point.first, point.end):
            assert not start_s * RATE_HZ + 0.5 < edge < end_s * RATE_HZ - 0.5 or edge in (0, SAMPLES)


@given(spoken(), st.integers(0, 900), st.integers(10, 400))
def test_a_word_is_cut_when_its_middle_is_and_kept_whole_when_it_is_not(words, start, length):
    joined = join_words(words, RATE_HZ)
    assume(joined == sorted({(round(a * RATE_HZ), round(b * RATE_HZ)) for a, b in words}))  # none overlap
    first, end = start / 100, min(10.0, (start + length) / 100)
    try:
        point = place(first, end, words)
    except CauserieError:
        return
    for start_s, end_s in words:
        is_cut = point.first <= round(start_s * RATE_HZ) and round(end_s * RATE_HZ) <= point.end
        if first + SEARCH_S < (start_s + end_s) / 2 < end - SEARCH_S:
            assert is_cut
        if (start_s + end_s) / 2 < first - SEARCH_S or (start_s + end_s) / 2 > end + SEARCH_S:
            assert not is_cut or start_s == end_s


def test_a_cut_goes_to_the_quietest_ten_milliseconds_near_it():
    quiet = np.ones((SAMPLES, 1), np.float32)
    quiet[8480:8560] = 0.01  # 1.065 s
    quiet[24800:24880] = 0.01  # 3.105 s
    point = place(1.0, 3.0, frames=lambda first, end: quiet[first:end])
    assert (point.first, point.end) == (8520, 24840)


def test_it_does_not_go_further_than_a_person_would_accept():
    quiet = np.ones((SAMPLES, 1), np.float32)
    quiet[11200:11280] = 0.0  # 1.4 s
    assert abs(place(1.0, 3.0, frames=lambda first, end: quiet[first:end]).first - 8000) <= SEARCH_S * RATE_HZ + 80


def test_a_cut_inside_one_word_is_a_mistake():
    with pytest.raises(CauserieError, match="lies inside one word, from 0:02 to 0:02 of the master"):
        place(2.2, 2.5, [(2.0, 3.0)])


def test_a_cut_of_most_of_a_word_takes_all_of_it():
    point = place(2.1, 3.4, [(1.0, 2.0), (2.0, 3.0), (3.0, 4.0)])
    assert (point.first, point.end) == (16000, 24000)


def test_the_shortest_crossfade_between_words_that_touch_the_longest_in_a_pause():
    tight = place(2.1, 2.9, [(1.0, 2.0), (2.0, 3.0), (3.0, 4.0)])
    wide = place(4.0, 6.0, [(1.0, 2.0), (9.0, 9.5)])
    assert (2 * tight.half_fade, 2 * wide.half_fade) == (80, MAX_FADE_S * RATE_HZ)


def test_a_cut_at_the_edge_of_its_part_stays_there():
    point = place(2.0, 5.0, part=Removal(2.0, 6.0))
    assert point.first == 16000
    assert place(0, 3).first == 0 and place(7, 10).end == SAMPLES
    assert place(3.0, 5.999, part=Removal(2.0, 6.0)).end == 48000


@given(st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 3000)), max_size=12), st.randoms())
def test_the_order_of_cuts_does_not_matter_and_their_crossfades_never_meet(ranges, chance):
    points = [CutPoint(first, first + length, 100) for first, length in ranges]
    shuffled = chance.sample(points, len(points))
    merged = merge_cuts(points, 12_000, RATE_HZ)
    assert merge_cuts(shuffled, 12_000, RATE_HZ) == merged
    for before, after in zip(merged, merged[1:], strict=False):
        assert after.first - before.end >= MIN_KEPT_S * RATE_HZ
        assert before.end + before.half_fade <= after.first - after.half_fade


def test_cuts_that_leave_a_click_between_them_are_one():
    assert merge_cuts([CutPoint(0, 100, 9), CutPoint(150, 300, 5)], 1000, RATE_HZ) == (CutPoint(0, 300, 5),)


def test_the_earliest_of_several_quietest_runs():
    assert quietest(np.zeros((100, 2), np.float32), 10) == 0


@given(st.integers(0, 1000), st.integers(2, 1000))
def test_no_step_in_a_crossfade_is_larger_than_those_of_its_two_sounds(seed, length):
    left, right = np.random.default_rng(seed).standard_normal((2, length, 2)).astype(np.float32)
    mixed, sounds = crossfade(left, right), np.stack([left, right])
    assert (mixed <= sounds.max(axis=0) + 1e-6).all() and (mixed >= sounds.min(axis=0) - 1e-6).all()
    steps = np.abs(np.diff(sounds, axis=1)).max(axis=0) + np.abs(left - right).max() / length
    assert (np.abs(np.diff(mixed, axis=0)) <= steps + 1e-5).all()


def test_a_crossfade_of_a_sound_with_itself_is_that_sound():
    sound = np.sin(np.arange(500) / 7)[:, None].astype(np.float32)
    assert np.allclose(crossfade(sound, sound), sound, atol=1e-6)
