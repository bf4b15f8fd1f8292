"""The meeting's minutes add up, whatever the episode."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.guide.agenda import FORMATS_MIN, count_replayable, meeting_format


@given(st.sampled_from(FORMATS_MIN), st.floats(0, 6 * 3600))
@settings(max_examples=100)
def test_every_format_sums_to_its_length_and_no_part_is_empty(total_min: int, duration_s: float) -> None:
    minutes = meeting_format(total_min, duration_s).minutes
    assert sum(minutes.values()) == total_min
    assert min(minutes.values()) >= 1


@given(st.sampled_from(FORMATS_MIN), st.floats(0, 6 * 3600))
@settings(max_examples=100)
def test_listening_holds_the_episode_or_a_fifth_of_the_meeting(total_min: int, duration_s: float) -> None:
    one = meeting_format(total_min, duration_s)
    assert one.plays_full_episode == (duration_s <= 0.3 * total_min * 60)
    assert one.minutes["listen"] * 60 >= duration_s if one.plays_full_episode else one.minutes["listen"] <= 0.2 * total_min


@pytest.mark.parametrize(
    ("total_min", "minutes"),
    [(15, [1, 1, 3, 2, 4, 3, 1]), (30, [3, 2, 8, 2, 8, 5, 2]), (60, [5, 3, 8, 4, 15, 15, 7, 3]), (90, [8, 5, 8, 4, 15, 15, 20, 10, 5])],
)
def test_an_episode_of_eight_minutes_gives_the_model(total_min: int, minutes: list[int]) -> None:
    assert list(meeting_format(total_min, 8 * 60).minutes.values()) == minutes


def test_each_part_starts_where_the_one_before_ends() -> None:
    assert list(meeting_format(30, 480).starts_min().values()) == [0, 3, 5, 13, 15, 23, 28]


def test_longer_meetings_ask_more_questions() -> None:
    assert [len(meeting_format(total_min, 480).families) for total_min in FORMATS_MIN] == [1, 2, 4, 6]


@pytest.mark.parametrize(("clips_s", "listen_min", "count"), [([40, 40, 40], 2, 3), ([41, 40, 40], 2, 2), ([200], 3, 1), ([], 3, 0)])
def test_only_the_clips_that_fit_are_replayed(clips_s: list[int], listen_min: int, count: int) -> None:
    assert count_replayable(clips_s, listen_min) == count
