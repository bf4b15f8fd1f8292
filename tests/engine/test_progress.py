"""Progress goes to the listener, under the name of the running step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.engine import progress


@pytest.fixture(autouse=True)
def _no_listener() -> Iterator[None]:
    progress.set_current_step("")  # steps that other tests ran in this process leave theirs
    yield
    progress.set_listener(None)
    progress.set_current_step("")


def test_a_report_names_the_running_step_and_goes_nowhere_without_a_listener() -> None:
    heard: list[tuple[str, float, float, float | None]] = []
    progress.report(0, 9)
    progress.set_listener(lambda *report: heard.append(report))
    progress.report(1, 9)
    progress.set_current_step("a/encode")
    progress.report(2, 9)
    progress.set_listener(None)
    progress.report(3, 9)
    assert heard == [("", 1, 9, None), ("a/encode", 2, 9, None)]
