"""The output of a run: a progress line for each running step, sentences for results, JSON lines for scripts."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING

from pipeline.build import Result
from pipeline.steps import Step
from pipeline.text import hms, printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Console:
    """Progress on stderr, data on stdout. On a terminal each running step has a progress bar; elsewhere a line when it finishes."""

    def __init__(self, quiet: bool = False, as_json: bool = False) -> None:
        self.quiet, self.as_json = quiet, as_json
        self._since = time.monotonic()
        self._progress: Progress | None = None
        self._lines: dict[str, TaskID] = {}
        self._told = self._began = 0.0  # monotonic times: bytes last shown, first bytes
        self.counts: Counter[str] = Counter()
        self._reasons: dict[str, str] = {}  # a reason for a failure or a draft -> the first step with it

    def __enter__(self) -> Console:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()

    def started(self, step: Step) -> None:
        """Show that a step starts."""
        if progress := self._moving():
            self._lines[step.name] = progress.add_task(f"{step.episode}  {step.kind}", total=None, detail="")

    def moved(self, step: str, done_s: float, total_s: float) -> None:
        """Show the progress of a step, in seconds of audio."""
        line = self._lines.get(step)
        if self._progress is not None and line is not None:
            try:
                self._progress.update(line, completed=done_s, total=total_s, detail=f"{hms(done_s)} of {hms(total_s)}")
            except KeyError:
                pass  # the step finished in another thread before its last report arrived

    def ended(self, result: Result) -> None:
        """Show the result of a step."""
        self.counts[result.status] += 1
        if self._progress is not None and (line := self._lines.pop(result.step.name, None)) is not None:
            self._progress.remove_task(line)
        if self.as_json:
            print(json.dumps(as_value(result), ensure_ascii=False), flush=True)
        if result.status in ("failed", "drafted"):
            first = self._reasons.setdefault(
                result.why, result.step.name
            )  # one wrong quote fails three steps: its sentence is printed once
            why = result.why if first == result.step.name else f"same reason as {first}"
            self.say(f"{result.step.name}: {result.status}: {why}", always=result.status == "failed")
            if result.traceback:
                self.say(result.traceback, always=True)
        elif result.status == "built":
            self.say(f"{result.step.name} ({result.seconds:.1f} s){f': {result.why}' if result.why else ''}")

    def tell(self, text: str) -> None:
        """Show what is being done now: one progress line on a terminal, nothing elsewhere."""
        if progress := self._moving():
            if "" not in self._lines:
                self._lines[""] = progress.add_task("", total=None, detail="")
            progress.update(self._lines[""], description=printable(text))

    def moved_bytes(self, done: int, total: int) -> None:
        """Show how many bytes of a publication have been uploaded, with rate and time left, on a terminal."""
        now = time.monotonic()
        if now - self._told < 0.1 and done < total:
            return
        self._told = now
        if progress := self._moving():
            if "bytes" not in self._lines:
                self._lines["bytes"] = progress.add_task("uploading", total=total, detail="")
                self._began = now
            rate = done / max(now - self._began, 0.1) / 1e6
            detail = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB, {rate:.1f} MB/s"
            progress.update(self._lines["bytes"], completed=done, total=total, detail=detail)

    def say(self, text: str, always: bool = False) -> None:
        """Print lines on stderr, unless the run is quiet and `always` is false."""
        if self.quiet and not always:
            return
        lines = "\n".join(printable(line) for line in text.split("\n"))
        if self._progress is not None:
            self._progress.console.print(lines, markup=False, highlight=False)
        else:
            print(lines, file=sys.stderr, flush=True)

    def _moving(self) -> Progress | None:
        """The progress display, started on first use; None when quiet or when stderr is no terminal."""
        if self._progress is None and not self.quiet and sys.stderr.isatty():
            self._progress = _moving_lines()
            self._progress.start()
        return self._progress

    def sum_up(self, episodes: int) -> None:
        """Print the summary of a build."""
        counts, seconds = self.counts, time.monotonic() - self._since
        if not counts["built"] and not counts["failed"] and not counts["drafted"]:
            self.say(f"Nothing to do: {count(episodes, 'episode')}, all steps current.")
            return
        parts = [f"{count(counts['built'] + counts['drafted'], 'step')} built", f"{counts['current'] + counts['edited']} already current"]
        parts += [f"{counts[status]} {status}" for status in ("failed", "blocked") if counts[status]]
        self.say(f"{count(episodes, 'episode')}: {', '.join(parts)}, in {duration(seconds)}.", always=bool(counts["failed"]))


def as_value(result: Result) -> dict[str, object]:
    """A result as a JSON object."""
    value = {"episode": result.step.episode, "step": result.step.kind, "status": result.status, "why": result.why}
    return {**value, "seconds": round(result.seconds, 2)}


def count(number: int, noun: str) -> str:
    """«1 episode», «3 episodes»."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """«4 s», «2 min 05 s»."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60):02} s"


def _moving_lines() -> Progress:
    from rich.console import Console as Terminal
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24), TextColumn("{task.fields[detail]}"))
    times = (TimeElapsedColumn(), TimeRemainingColumn(elapsed_when_finished=True))
    return Progress(*columns, *times, console=Terminal(stderr=True), transient=True)
