"""Runs the stale steps of a plan.

    steps ─ graph ─ for each that is ready: snapshot ─ decide ┬ current, edited: nothing runs
                                                              ├ blocked: a dependency failed
                                                              └ stale: execute (in a worker) ─ prepare ─ rename ─ commit

Workers write below `.causerie/work/`; only this process renames outputs into place and writes receipts, so a kill at any moment
leaves old files or new ones, and an orphaned worker cannot change a visible file.
"""

from __future__ import annotations

import gc
import secrets
import shutil
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from pathlib import Path, PurePosixPath
from queue import SimpleQueue
from typing import Any

from pipeline import __version__
from pipeline.engine import progress
from pipeline.engine.drafts import is_unedited_draft
from pipeline.engine.file_cache import DigestCache
from pipeline.engine.files import sha256
from pipeline.engine.process_pool import ProcessPools, available_cores
from pipeline.engine.receipts import Journal, Receipt, to_canonical
from pipeline.engine.staleness import Snapshot, hand_edited, why_stale
from pipeline.engine.step import Step, dependency_graph, execute_step, move_file, output_paths
from pipeline.model import CauserieError

BY_HAND = "by hand"  # replaces the version in the receipt of a hand-written text
StepFuture = Future[tuple[dict[str, str], float]]  # the digests of the outputs, and the duration in seconds


@dataclass(frozen=True)
class Result:
    """The outcome of a step, and the reason as a sentence.

    current | stale | built | edited | drafted | failed | blocked | omitted: optional and failed, the episode does without it.
    """

    step: Step
    status: str
    why: str = ""
    seconds: float = 0.0
    traceback: str = ""  # only for a bug, not for a user's mistake


class BuildState:
    """A show's folder with its receipts and digests: the state that a run reads and updates."""

    def __init__(self, root: Path) -> None:
        gc.set_threshold(
            100_000
        )  # a thousand episodes are many long-lived small objects: garbage collection would take a third of the time
        self.root = root
        self.state_dir = root / ".causerie"
        self.journal = Journal(self.state_dir / "receipts.jsonl")
        self.digests = DigestCache(root)
        self._canonical_cache: dict[int, tuple[Any, Any]] = {}  # settings that many steps share are converted once

    def snapshot(self, step: Step) -> Snapshot:
        """The current inputs, settings and outputs of a step."""
        reads = {key: self._input_digests(paths) for key, paths in step.reads.items()}
        canonical = {key: self._canonical(value) for key, value in step.settings.items()}
        settings = {key: value for key, value in canonical.items() if value not in (None, "", [], {})}
        return Snapshot(step.revision, settings, reads, self._output_digests(step))

    def decide(self, step: Step, snapshot: Snapshot, force: bool = False) -> Result:
        """Whether a step must run, from its snapshot and its receipt."""
        receipt = self._latest_receipt(step, snapshot)
        why = "requested with --rebuild" if force else why_stale(snapshot, receipt)
        if step.is_draft and self._is_hand_written(step, snapshot, receipt):
            if why is None or (receipt is None and not force):
                return Result(step, "edited", "hand-edited")
            return Result(step, "stale", why)
        if why is None and receipt is not None and (changed := hand_edited(snapshot, receipt)):
            if all(step.writes[key].startswith(".causerie/") for key in changed):
                return Result(step, "stale", f"{', '.join(changed)} damaged")  # intermediate files are not edited by hand
            if step.name in self.journal.prepared:
                return Result(step, "stale", "interrupted before all outputs were in place")
            return Result(step, "edited", f"{', '.join(changed)} hand-edited; left unchanged")
        return Result(step, "stale", why) if why else Result(step, "current")

    def install(self, step: Step, snapshot: Snapshot, digests: Mapping[str, str], work_dir: Path) -> Result:
        """Rename a step's outputs into place and write its receipt; hand-edited files are backed up, hand-edited drafts kept."""
        receipt = Receipt(step.name, snapshot.revision, snapshot.settings, snapshot.reads, digests, __version__)
        previous = self.journal.receipts.get(step.name)
        if step.is_draft and not self._is_unedited(step):  # checked only now: a person may have edited it while the step ran
            return self._write_new_draft(step, receipt, previous, work_dir)
        known_digests = {None, *digests.values(), *_output_digests(previous), *_output_digests(self.journal.prepared.get(step.name))}
        self.journal.prepare(receipt)
        edited = (
            [] if step.is_draft else [path for path in step.writes.values() if self.digests.digest(path, fresh=True) not in known_digests]
        )
        backups = [self._back_up(path) for path in edited]
        for key, path in step.writes.items():
            move_file(work_dir / path, self.root / path)
            self.digests.store(path, digests[key])
        self.journal.commit(receipt)
        return Result(step, "built", f"the hand-edited version is kept as {', '.join(backups)}" if backups else "")

    def record_unchanged(self, step: Step, snapshot: Snapshot) -> None:
        """Write the missing receipt of an up-to-date step: one killed before its commit, or a hand-written text without receipt."""
        prepared = self.journal.prepared.get(step.name)
        if prepared is not None and prepared.writes == snapshot.writes:
            self.journal.commit(prepared)
        elif step.is_draft and step.name not in self.journal.receipts:
            writes = {key: digest for key, digest in snapshot.writes.items() if digest is not None}
            if len(writes) == len(snapshot.writes):
                self.journal.commit(Receipt(step.name, snapshot.revision, snapshot.settings, snapshot.reads, writes, BY_HAND))

    def close(self) -> None:
        """Save the digests and close the journal."""
        self.digests.save()
        self.journal.close()

    def _latest_receipt(self, step: Step, snapshot: Snapshot) -> Receipt | None:
        """The receipt, or the prepared one when the run was killed after all outputs were in place."""
        prepared = self.journal.prepared.get(step.name)
        return prepared if prepared and prepared.writes == snapshot.writes else self.journal.receipts.get(step.name)

    def _is_hand_written(self, step: Step, snapshot: Snapshot, receipt: Receipt | None) -> bool:
        """Whether a draft is hand-edited; a file whose digest is that of the receipt need not be read."""
        if receipt is not None and snapshot.writes == receipt.writes:
            return receipt.tool == BY_HAND
        return not self._is_unedited(step)

    def _write_new_draft(self, step: Step, receipt: Receipt, previous: Receipt | None, work_dir: Path) -> Result:
        """Write a new draft next to the hand-edited text, unless it is the same draft as before."""
        self.journal.commit(receipt)
        if previous is not None and previous.writes == receipt.writes:
            return Result(step, "edited", "hand-edited; a new draft would be the same as before")
        for path in step.writes.values():
            target = (self.root / path).with_suffix(f".draft{PurePosixPath(path).suffix}")
            if target.exists() and not is_unedited_draft(_read_lenient(target)):
                self._back_up(target.relative_to(self.root).as_posix())
            move_file(work_dir / path, target)
        return Result(step, "drafted", f"your text is kept; the new draft is {target.name}: {_draft_difference(target, self.root / path)}")

    def _back_up(self, path: str) -> str:
        """Move a hand-edited file to `kept/`; returns its new path relative to the show."""
        source = self.root / path
        backup = self.root / "kept" / f"{source.stem}-{sha256(source)[:8]}{source.suffix}"
        move_file(source, backup)
        return backup.relative_to(self.root).as_posix()

    def _canonical(self, value: Any) -> Any:
        """A setting in canonical form, cached by `id`; the cache holds the value, so that its id is not reused."""
        if id(value) not in self._canonical_cache:
            self._canonical_cache[id(value)] = (value, to_canonical(value))
        return self._canonical_cache[id(value)][1]

    def _input_digests(self, paths: str | tuple[str, ...]) -> Any:
        return [self._input_digests(path) for path in paths] if isinstance(paths, tuple) else self.digests.digest(paths)

    def _output_digests(self, step: Step) -> dict[str, str | None]:
        return {key: self.digests.digest(path) for key, path in step.writes.items()}

    def _is_unedited(self, step: Step) -> bool:
        return all(is_unedited_draft(_read_lenient(self.root / path)) for path in step.writes.values() if (self.root / path).exists())


def run_steps(
    steps: tuple[Step, ...],
    root: Path,
    executor_for: Callable[[str], Executor] | None = None,
    on_finish: Callable[[Result], None] = lambda result: None,
    on_start: Callable[[Step], None] = lambda step: None,
    rebuild: Iterable[str] = (),
) -> list[Result]:
    """Run every stale step as soon as its inputs are ready; a failure blocks only the steps that depend on it.

    `executor_for` returns the executor of a pool, by default processes on this machine, one for each core; `on_start` and `on_finish`
    are called for every step; kinds in `rebuild` run even when current. Returns the results in the order of `steps`.
    """
    if executor_for is None:
        with ProcessPools(available_cores()) as pools:
            return run_steps(steps, root, pools, on_finish, on_start, rebuild)
    run = _Run(BuildState(root), root, executor_for, on_finish, on_start, frozenset(rebuild))
    shutil.rmtree(run.work_dir.parent, ignore_errors=True)  # left by a killed run
    try:
        return run.run(steps)
    finally:
        run.state.close()
        shutil.rmtree(run.work_dir.parent, ignore_errors=True)


@dataclass
class _Run:
    """One run: the running steps, and the results of the others."""

    state: BuildState
    root: Path
    executor_for: Callable[[str], Executor]
    on_finish: Callable[[Result], None]
    on_start: Callable[[Step], None]
    rebuild: frozenset[str]
    running: dict[StepFuture, tuple[Step, Snapshot]] = field(default_factory=dict)
    finished: SimpleQueue[StepFuture] = field(
        default_factory=SimpleQueue
    )  # `concurrent.futures.wait` would check every running future each time
    to_retry: list[tuple[Step, Snapshot]] = field(default_factory=list)
    retried: set[str] = field(default_factory=set)
    results: dict[str, Result] = field(default_factory=dict)
    name: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def work_dir(self) -> Path:
        """The folder the workers of this run write to; a worker orphaned by a killed run writes to another one."""
        return self.state.state_dir / "work" / self.name

    def run(self, steps: tuple[Step, ...]) -> list[Result]:
        """Run the stale steps in topological order; returns the results in the order of the steps."""
        dependencies, by_name = dependency_graph(steps), {step.name: step for step in steps}
        order = TopologicalSorter(dependencies)
        order.prepare()
        while order.is_active():
            for name in order.get_ready():
                self.start_or_record(by_name[name], dependencies[name])
                if name in self.results:
                    order.done(name)
            if self.to_retry and not self.running:
                self.submit(*self.to_retry.pop(0))
            if self.running:
                future = self.finished.get()
                step, snapshot = self.running.pop(future)
                if not self.schedule_retry(future, step, snapshot):
                    self.finish(future, step, snapshot)
                    order.done(step.name)
        return [self.results[step.name] for step in steps]

    def start_or_record(self, step: Step, dependencies: set[str]) -> None:
        """Decide on a step whose inputs are ready: record its result, or submit it to a worker."""
        if failed := sorted(name for name in dependencies if self.results[name].status in ("failed", "blocked")):
            return self.record(Result(step, "blocked", f"needs {', '.join(failed)}, not built"))
        if omitted := sorted(name for name in dependencies if self.results[name].status == "omitted"):
            if step.is_optional:
                return self.record(Result(step, "omitted", f"needs {', '.join(omitted)}, left out"))
            step = step.without_inputs(output_paths(self.results[name].step for name in omitted))
        try:
            snapshot = self.state.snapshot(step)
        except OSError as error:
            return self.record(Result(step, "failed", f"{error.filename}: cannot be read ({error.strerror}); check its permissions"))
        result = self.state.decide(step, snapshot, step.kind in self.rebuild)
        if result.status != "stale":
            self.state.record_unchanged(step, snapshot)
            return self.record(result)
        self.on_start(step)
        return self.submit(step, snapshot)

    def submit(self, step: Step, snapshot: Snapshot) -> None:
        """Submit a step to the executor of its pool."""
        future = self.executor_for(step.pool).submit(_execute_in_worker, step, self.root, self.work_dir)
        self.running[future] = (step, snapshot)
        future.add_done_callback(self.finished.put)

    def schedule_retry(self, future: StepFuture, step: Step, snapshot: Snapshot) -> bool:
        """Schedule one retry of a step whose worker was killed: its whole pool failed, so each step is retried alone to find the cause."""
        if not isinstance(future.exception(), BrokenExecutor) or step.name in self.retried:
            return False
        self.retried.add(step.name)
        self.to_retry.append((step, snapshot))
        return True

    def finish(self, future: StepFuture, step: Step, snapshot: Snapshot) -> None:
        """Install the outputs of a finished step, or record why it failed."""
        seconds = 0.0
        try:
            digests, seconds = future.result()
            result = self.state.install(step, snapshot, digests, self.work_dir)
        except CauserieError as error:
            result = Result(step, "failed", str(error))
        except BrokenExecutor:
            result = Result(step, "failed", "its worker process was killed twice; the machine may have too little memory for this step")
        except Exception as error:  # a bug: the other steps continue, and the traceback is kept
            result = Result(step, "failed", f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
        self.record(replace(result, seconds=seconds))

    def record(self, result: Result) -> None:
        """Record a result, and pass it to `on_finish`. An optional step that failed is omitted, and tried again by the next run."""
        if result.status == "failed":
            self.state.journal.record_failure(result.step.name, result.why)
            result = replace(result, status="omitted") if result.step.is_optional else result
        self.results[result.step.name] = result
        self.on_finish(result)


def _execute_in_worker(step: Step, root: Path, work_dir: Path) -> tuple[dict[str, str], float]:
    """Run a step in a worker; returns the digests of its outputs, and its duration in seconds without the wait for a worker."""
    started_at = time.monotonic()
    progress.set_current_step(step.name)
    return execute_step(step, root, work_dir), time.monotonic() - started_at


def _draft_difference(draft: Path, text: Path) -> str:
    """How many lines of a new draft are not in the hand-edited text, as a sentence."""
    existing = set(_read_lenient(text).splitlines())
    new = [
        line for line in _read_lenient(draft).splitlines() if line and line not in existing and not line.startswith(("draft = ", "#", "%%"))
    ]
    return f"{len(new)} of its lines are not in your text"


def _output_digests(receipt: Receipt | None) -> Iterable[str]:
    return receipt.writes.values() if receipt else ()


def _read_lenient(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
