"""The time left of a hearing: within half as much again of the truth, nine times in ten, on hours as they are."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine import progress
from pipeline.speech.time_left import HeardWindow, HearingProgress, remaining_s

FIRST_MINUTE_S = 60.0


@dataclass(frozen=True)
class SimulatedWindow:
    """A window of a recording: its length, how long a worker needs for it, and whether it is in the cache."""

    length_s: float
    work_s: float
    is_cached: bool = False


def simulated_hour(random_: random.Random, speed: float, variation: float) -> list[SimulatedWindow]:
    """An hour: work varies with what is said, a window in 25 is heard a second time, one in 30 is silence, the machine gets slower or faster."""
    windows = []
    drift = random_.uniform(0.8, 1.25)
    while (at_s := sum(each.length_s for each in windows)) < 3600:
        length_s = random_.uniform(14, 28)
        work_s = length_s / speed * random_.lognormvariate(0, variation) * drift ** (at_s / 3600)
        work_s *= 3 if random_.random() < 0.04 else 1
        windows.append(SimulatedWindow(length_s, 0.0 if random_.random() < 1 / 30 else work_s))
    return windows


def estimates(windows: list[SimulatedWindow], workers: int) -> list[tuple[float, float]]:
    """Hear the windows in simulated time. After each that ends and after the first minute: the estimated and the true time left."""
    now = [0.0]
    total_s, cached_s = sum(each.length_s for each in windows), sum(each.length_s for each in windows if each.is_cached)
    counted = HearingProgress(total_s, cached_s, workers, clock=lambda: now[0])
    running: list[tuple[float, SimulatedWindow, object]] = []
    seen: list[tuple[float, float | None]] = []
    queue = list(windows)
    while queue or running:
        while queue and len(running) < workers:
            window = queue.pop(0)
            if window.is_cached or not window.work_s:
                counted.skip(window.length_s, is_silent=not window.is_cached)
            else:
                hearing = counted.hearing(float(len(queue)), window.length_s)
                hearing.__enter__()
                running.append((now[0] + window.work_s, window, hearing))
        if running:
            running.sort(key=lambda each: each[0])
            now[0], _, hearing = running.pop(0)
            hearing.__exit__(None, None, None)  # type: ignore[attr-defined]
            seen.append((now[0], counted.left_s()))
    return [(left_s, now[0] - at_s) for at_s, left_s in seen if at_s >= FIRST_MINUTE_S and left_s is not None and at_s < now[0]]


def share_within(pairs: list[tuple[float, float]], factor: float = 1.5) -> float:
    return sum(truth_s / factor <= left_s <= truth_s * factor for left_s, truth_s in pairs) / len(pairs)


@pytest.mark.parametrize(("workers", "speed"), [(1, 1.0), (1, 12.0), (2, 1.0), (2, 4.0), (2, 12.0), (4, 1.0), (4, 4.0), (8, 1.0)])
@pytest.mark.parametrize("variation", [0.2, 0.5])
def test_on_hours_as_they_are_nine_estimates_in_ten_are_within_half_as_much_again(workers, speed, variation):
    hours = [simulated_hour(random.Random(seed), speed, variation) for seed in range(10)]
    pairs = [pair for hour in hours for pair in estimates(hour, workers)]
    assert pairs
    assert share_within(pairs) >= 0.9


@pytest.mark.parametrize(("first", "last"), [(0.0, 0.6), (0.5, 1.0), (0.2, 0.7)])
def test_what_is_in_the_cache_tells_nothing_of_the_rest_and_is_no_part_of_it(first, last):
    for seed in range(10):
        hour = simulated_hour(random.Random(seed), 4.0, 0.4)
        hour = [SimulatedWindow(each.length_s, each.work_s, is_cached=first <= i / len(hour) < last) for i, each in enumerate(hour)]
        assert share_within(estimates(hour, 2)) >= 0.85


positive = st.floats(0.1, 1e4)
heard_windows = st.lists(st.builds(HeardWindow, positive, st.one_of(st.just(0.0), positive)), max_size=30)


@given(heard_windows, st.floats(0, 1e5), st.lists(st.floats(0, 1e4), max_size=8), st.integers(1, 64))
def test_it_is_never_negative_and_nothing_is_known_before_the_first_window(heard, to_hear_s, running, workers):
    left_s = remaining_s(heard, to_hear_s, running, workers)
    assert (left_s is None) == all(each.work_s == 0 for each in heard)
    assert left_s is None or left_s >= 0


@given(heard_windows, st.floats(0, 1e5), st.floats(0, 1e5), st.integers(1, 64))
def test_more_to_hear_by_one_worker_never_takes_less(heard, one_s, other_s, workers):
    less_s, more_s = (remaining_s(heard, each_s, (), 1) for each_s in sorted((one_s, other_s)))
    assert less_s is None or more_s is None or less_s <= more_s


@given(st.integers(1, 40), positive, positive)
def test_windows_that_are_all_alike_are_foretold_exactly(count, length_s, work_s):
    left_s = remaining_s([HeardWindow(length_s, work_s)] * count, 7 * length_s, (), 1)
    assert left_s == pytest.approx(7 * work_s)


def test_each_window_is_reported_as_it_ends_and_one_out_of_the_cache_without_a_rate():
    now, heard = [0.0], []
    counted = HearingProgress(60.0, 20.0, 1, clock=lambda: now[0])
    progress.set_current_step("a/transcribe")
    progress.set_listener(lambda *report: heard.append(report))
    try:
        counted.skip(20.0)
        with counted.hearing(20.0, 20.0):
            now[0] = 5.0
    finally:
        progress.set_listener(None)
        progress.set_current_step("")
    assert heard == [("a/transcribe", 20.0, 60.0, None), ("a/transcribe", 40.0, 60.0, 5.0)]
