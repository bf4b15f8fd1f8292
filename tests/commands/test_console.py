"""The time left on a terminal: what the step foretells, counted down, or the share that is done."""

import io
import time

from pipeline.commands import console
from pipeline.commands.console import Console
from pipeline.engine.step import Step


def shown(monkeypatch, left_s: float | None, after_s: float = 0.0) -> str:
    """The progress line of a step, some seconds after its last report."""
    from rich.console import Console as Terminal

    progress = console._make_progress()
    live = Console()
    live._progress = progress
    monkeypatch.setattr(live, "_live_display", lambda: progress)
    live.on_start(Step("un/transcribe", shown))
    live.on_progress("un/transcribe", 60.0, 3600.0, left_s)
    now_s = time.monotonic() + after_s
    monkeypatch.setattr(console.time, "monotonic", lambda: now_s)
    out = Terminal(file=io.StringIO(), width=120)
    out.print(progress.get_renderable())
    return out.file.getvalue()


def test_the_time_that_a_step_foretells_is_counted_down(monkeypatch):
    assert "1:00 of 1:00:00" in shown(monkeypatch, 125.4)
    assert "-1:55" in shown(monkeypatch, 125.4, after_s=10)
    assert "-0:00" in shown(monkeypatch, 5.0, after_s=60)


def test_a_step_that_foretells_nothing_has_the_estimate_of_the_bar(monkeypatch):
    assert "-:--:--" in shown(monkeypatch, None)


def test_the_bytes_of_a_model_are_shown_with_what_is_expected_where_that_is_known(monkeypatch):
    progress = console._make_progress()
    live = Console()
    monkeypatch.setattr(live, "_live_display", lambda: progress)
    for total, detail in ((490_000_000, "12 of 490 MB"), (0, "12 MB")):
        live.on_bytes_fetched(12_000_000, total)
        assert progress.tasks[0].fields["detail"] == detail
