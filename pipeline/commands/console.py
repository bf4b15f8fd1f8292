"""The output of a run: a progress line for each running step, sentences for results, JSON lines for scripts."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING

from pipeline.engine import Result, Step
from pipeline.model import format_clock, format_elapsed, pluralise, terminal_safe

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Console:
    """Progress on stderr, data on stdout. On a terminal each running step has a progress bar; elsewhere a line when it finishes."""

    def __init__(self, quiet: bool = False, as_json: bool = False) -> None:
        self.quiet, self.as_json = quiet, as_json
        self._started_at = time.monotonic()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._bytes_shown_at = self._bytes_started_at = 0.0  # monotonic times: bytes last shown, first bytes
        self.counts: Counter[str] = Counter()
        self._reasons: dict[str, str] = {}  # a reason for a failure or a draft -> the first step with it

    def __enter__(self) -> Console:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()

    def on_start(self, step: Step) -> None:
        """Show that a step starts."""
        if progress := self._live_display():
            self._tasks[step.name] = progress.add_task(f"{step.episode}  {step.kind}", total=None, detail="")

    def on_progress(self, step: str, done_s: float, total_s: float, left_s: float | None = None) -> None:
        """Show the progress of a step, in seconds of audio, and the time left, as the step knows it or by the share that is done."""
        task = self._tasks.get(step)
        if self._progress is not None and task is not None:
            try:
                ends_at = None if left_s is None else time.monotonic() + left_s
                detail = f"{format_clock(done_s)} of {format_clock(total_s)}"
                self._progress.update(task, completed=done_s, total=total_s, detail=detail, ends_at=ends_at)
            except KeyError:
                pass  # the step finished in another thread before its last report arrived

    def on_finish(self, result: Result) -> None:
        """Show the result of a step."""
        self.counts[result.status] += 1
        if self._progress is not None and (task := self._tasks.pop(result.step.name, None)) is not None:
            self._progress.remove_task(task)
        if self.as_json:
            print(json.dumps(to_dict(result), ensure_ascii=False), flush=True)
        if result.status in ("failed", "omitted", "drafted"):
            first = self._reasons.setdefault(
                result.why, result.step.name
            )  # one wrong quote fails three steps: its sentence is printed once
            why = result.why if first == result.step.name else f"same reason as {first}"
            status = "left out, and tried again next time" if result.status == "omitted" else result.status
            self.print_message(f"{result.step.name}: {status}: {why}", always=result.status != "drafted")
            if result.traceback:
                self.print_message(result.traceback, always=True)
        elif result.status == "built":
            self.print_message(f"{result.step.name} ({result.seconds:.1f} s){f': {result.why}' if result.why else ''}")

    def show_status(self, text: str) -> None:
        """Show what is being done now: one progress line on a terminal, nothing elsewhere."""
        if progress := self._live_display():
            if "" not in self._tasks:
                self._tasks[""] = progress.add_task("", total=None, detail="")
            progress.update(self._tasks[""], description=terminal_safe(text))

    def on_bytes_fetched(self, done: int, total: int) -> None:
        """Show how many bytes of a model are here, on a terminal; `total` may be an estimate, or 0 when it is unknown."""
        if progress := self._live_display():
            if "model" not in self._tasks:
                self._tasks["model"] = progress.add_task("fetching", total=None, detail="")
            of = f" of {total / 1e6:.0f}" if total else ""
            progress.update(
                self._tasks["model"], completed=min(done, total or done), total=total or None, detail=f"{done / 1e6:.0f}{of} MB"
            )

    def on_bytes_sent(self, done: int, total: int) -> None:
        """Show how many bytes of a publication have been uploaded, with rate and time left, on a terminal."""
        now = time.monotonic()
        if now - self._bytes_shown_at < 0.1 and done < total:
            return
        self._bytes_shown_at = now
        if progress := self._live_display():
            if "bytes" not in self._tasks:
                self._tasks["bytes"] = progress.add_task("uploading", total=total, detail="")
                self._bytes_started_at = now
            rate = done / max(now - self._bytes_started_at, 0.1) / 1e6
            detail = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB, {rate:.1f} MB/s"
            progress.update(self._tasks["bytes"], completed=done, total=total, detail=detail)

    def print_message(self, text: str, always: bool = False) -> None:
        """Print lines on stderr, unless the run is quiet and `always` is false."""
        if self.quiet and not always:
            return
        lines = "\n".join(terminal_safe(line) for line in text.split("\n"))
        if self._progress is not None:
            self._progress.console.print(lines, markup=False, highlight=False)
        else:
            print(lines, file=sys.stderr, flush=True)

    def _live_display(self) -> Progress | None:
        """The progress display, started on first use; None when quiet or when stderr is no terminal."""
        if self._progress is None and not self.quiet and sys.stderr.isatty():
            self._progress = _make_progress()
            self._progress.start()
        return self._progress

    def print_summary(self, episodes: int) -> None:
        """Print the summary of a build."""
        counts, seconds = self.counts, time.monotonic() - self._started_at
        if not any(counts[status] for status in ("built", "failed", "omitted", "drafted")):
            self.print_message(f"Nothing to do: {pluralise(episodes, 'episode')}, all steps current.")
            return
        parts = [
            f"{pluralise(counts['built'] + counts['drafted'], 'step')} built",
            f"{counts['current'] + counts['edited']} already current",
        ]
        names = {"failed": "failed", "blocked": "blocked", "omitted": "left out"}
        parts += [f"{counts[status]} {name}" for status, name in names.items() if counts[status]]
        self.print_message(
            f"{pluralise(episodes, 'episode')}: {', '.join(parts)}, in {format_elapsed(seconds)}.", always=bool(counts["failed"])
        )


def to_dict(result: Result) -> dict[str, object]:
    """A result as a JSON object."""
    value = {"episode": result.step.episode, "step": result.step.kind, "status": result.status, "why": result.why}
    return {**value, "seconds": round(result.seconds, 2)}


def _make_progress() -> Progress:
    from rich.console import Console as Terminal
    from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.text import Text

    class TimeLeftColumn(TimeRemainingColumn):
        """Counts down to the end that a step expects; without one, rich's own estimate by the share that is done."""

        max_refresh = 0.5

        def render(self, task: Task) -> Text:
            ends_at = task.fields.get("ends_at")
            if ends_at is None or task.finished:
                return super().render(task)
            return Text(f"-{format_clock(max(0.0, ends_at - time.monotonic()))}", style="progress.remaining")

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24), TextColumn("{task.fields[detail]}"))
    times = (TimeElapsedColumn(), TimeLeftColumn(elapsed_when_finished=True))
    return Progress(*columns, *times, console=Terminal(stderr=True), transient=True)
