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
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from pathlib import Path, PurePosixPath
from queue import SimpleQueue
from typing import Any

from pipeline import __version__, progress
from pipeline.drafts import untouched
from pipeline.errors import CauserieError
from pipeline.files import sha256
from pipeline.receipts import DigestCache, Journal, Receipt, canonical
from pipeline.stale import Facts, edited, why_stale
from pipeline.steps import Step, execute, graph, in_order, move

BY_HAND = "by hand"  # replaces the version in the receipt of a hand-written text
Work = Future[tuple[dict[str, str], float]]  # the digests of the outputs, and the duration in seconds


@dataclass(frozen=True)
class Result:
    """The outcome of a step: current | stale | built | edited | drafted | failed | blocked, and the reason as a sentence."""

    step: Step
    status: str
    why: str = ""
    seconds: float = 0.0
    traceback: str = ""  # only for a bug, not for a user's mistake


class Workshop:
    """A show's folder with its receipts and digests: the state that a run reads and updates."""

    def __init__(self, root: Path) -> None:
        gc.set_threshold(
            100_000
        )  # a thousand episodes are many long-lived small objects: garbage collection would take a third of the time
        self.root = root
        self.hidden = root / ".causerie"
        self.journal = Journal(self.hidden / "receipts.jsonl")
        self.digests = DigestCache(root)
        self._spelt: dict[int, tuple[Any, Any]] = {}  # settings that many steps share are converted once

    def facts(self, step: Step) -> Facts:
        """The current inputs, settings and outputs of a step."""
        reads = {key: self._read(paths) for key, paths in step.reads.items()}
        spelt = {key: self._spell(value) for key, value in step.settings.items()}
        settings = {key: value for key, value in spelt.items() if value not in (None, "", [], {})}
        return Facts(step.revision, settings, reads, self._outputs(step))

    def decide(self, step: Step, now: Facts, force: bool = False) -> Result:
        """Whether a step must run, from its snapshot and its receipt."""
        receipt = self._receipt(step, now)
        why = "requested with --rebuild" if force else why_stale(now, receipt)
        if step.drafts and self._is_a_persons(step, now, receipt):
            unknown = receipt is None and not force
            return Result(step, "edited" if why is None or unknown else "stale", "hand-edited" if why is None or unknown else why)
        if why is None and receipt is not None and (hand := edited(now, receipt)):
            if all(step.writes[key].startswith(".causerie/") for key in hand):
                return Result(step, "stale", f"{', '.join(hand)} damaged")  # intermediate files are not edited by hand
            if step.name in self.journal.promises:
                return Result(step, "stale", "interrupted before all outputs were in place")
            return Result(step, "edited", f"{', '.join(hand)} hand-edited; left unchanged")
        return Result(step, "stale", why) if why else Result(step, "current")

    def install(self, step: Step, now: Facts, digests: Mapping[str, str], parts: Path) -> Result:
        """Rename a step's outputs into place and write its receipt; hand-edited files are backed up, hand-edited drafts kept."""
        receipt = Receipt(step.name, now.revision, now.settings, now.reads, digests, __version__)
        last = self.journal.receipts.get(step.name)
        if step.drafts and not self._still_ours(step):  # checked only now: a person may have edited it while the step ran
            return self._lay_beside(step, receipt, last, parts)
        ours = {None, *digests.values(), *_digests(last), *_digests(self.journal.promises.get(step.name))}
        self.journal.promise(receipt)
        kept = [self._keep(path) for path in step.writes.values() if self.digests.digest(path, fresh=True) not in ours]
        for key, path in step.writes.items():
            move(parts / path, self.root / path)
            self.digests.remember(path, digests[key])
        self.journal.done(receipt)
        return Result(step, "built", f"the hand-edited version is kept as {', '.join(kept)}" if kept else "")

    def accept(self, step: Step, now: Facts) -> None:
        """Write the missing receipt of an up-to-date step: one killed before its commit, or a hand-written text without receipt."""
        promise = self.journal.promises.get(step.name)
        if promise is not None and promise.writes == now.writes:
            self.journal.done(promise)
        elif step.drafts and step.name not in self.journal.receipts:
            writes = {key: digest for key, digest in now.writes.items() if digest is not None}
            if len(writes) == len(now.writes):
                self.journal.done(Receipt(step.name, now.revision, now.settings, now.reads, writes, BY_HAND))

    def close(self) -> None:
        """Save the digests and close the journal."""
        self.digests.save()
        self.journal.close()

    def _receipt(self, step: Step, now: Facts) -> Receipt | None:
        """The receipt, or the prepared one when the run was killed after all outputs were in place."""
        promise = self.journal.promises.get(step.name)
        return promise if promise and promise.writes == now.writes else self.journal.receipts.get(step.name)

    def _is_a_persons(self, step: Step, now: Facts, receipt: Receipt | None) -> bool:
        """Whether a draft is hand-edited; a file whose digest is that of the receipt need not be read."""
        if receipt is not None and now.writes == receipt.writes:
            return receipt.tool == BY_HAND
        return not self._still_ours(step)

    def _lay_beside(self, step: Step, receipt: Receipt, last: Receipt | None, parts: Path) -> Result:
        """Write a new draft next to the hand-edited text, unless it is the same draft as before."""
        self.journal.done(receipt)
        if last is not None and last.writes == receipt.writes:
            return Result(step, "edited", "hand-edited; a new draft would be the same as before")
        for path in step.writes.values():
            target = (self.root / path).with_suffix(f".draft{PurePosixPath(path).suffix}")
            if target.exists() and not untouched(_text(target)):
                self._keep(target.relative_to(self.root).as_posix())
            move(parts / path, target)
        return Result(step, "drafted", f"your text is kept; the new draft is {target.name}: {_news(target, self.root / path)}")

    def _keep(self, path: str) -> str:
        """Move a hand-edited file to `kept/`; returns its new path relative to the show."""
        there = self.root / path
        kept = self.root / "kept" / f"{there.stem}-{sha256(there)[:8]}{there.suffix}"
        move(there, kept)
        return kept.relative_to(self.root).as_posix()

    def _spell(self, value: Any) -> Any:
        """A setting in canonical form, cached by `id`; the cache holds the value, so that its id is not reused."""
        if id(value) not in self._spelt:
            self._spelt[id(value)] = (value, canonical(value))
        return self._spelt[id(value)][1]

    def _read(self, paths: str | tuple[str, ...]) -> Any:
        return [self._read(path) for path in paths] if isinstance(paths, tuple) else self.digests.digest(paths)

    def _outputs(self, step: Step) -> dict[str, str | None]:
        return {key: self.digests.digest(path) for key, path in step.writes.items()}

    def _still_ours(self, step: Step) -> bool:
        return all(untouched(_text(self.root / path)) for path in step.writes.values() if (self.root / path).exists())


def build(
    steps: tuple[Step, ...],
    root: Path,
    executor: Callable[[str], Executor],
    say: Callable[[Result], None] = lambda result: None,
    started: Callable[[Step], None] = lambda step: None,
    rebuild: Iterable[str] = (),
) -> list[Result]:
    """Run every stale step as soon as its inputs are ready; a failure blocks only the steps that depend on it.

    `executor_for` returns the executor of a pool; `on_start` and `on_finish` are called for every step; kinds in `rebuild` run even
    when current. Returns the results in the order of `steps`.
    """
    run = _Run(Workshop(root), root, executor, say, started, frozenset(rebuild))
    shutil.rmtree(run.parts.parent, ignore_errors=True)  # left by a killed run
    try:
        return run.all(steps)
    finally:
        run.shop.close()
        shutil.rmtree(run.parts.parent, ignore_errors=True)


def look(steps: tuple[Step, ...], root: Path, rebuild: Iterable[str] = ()) -> Iterator[Result]:
    """What `run_steps` would do, without doing it: each step current, edited, or stale with the reason."""
    shop, before = Workshop(root), graph(steps)
    moving: set[str] = set()
    for step in in_order(steps, before):
        result = shop.decide(step, shop.facts(step), step.kind in rebuild)
        follows = sorted({name.rpartition("/")[2] for name in before[step.name] & moving})
        if follows and result.status != "stale":
            result = Result(step, "stale", f"depends on {', '.join(follows)}, to be built")
        if result.status == "stale":
            moving.add(step.name)
            if failure := shop.journal.failures.get(step.name):
                result = replace(result, why=f"its last run failed: {failure}")
        yield result
    shop.digests.save()


@dataclass
class _Run:
    """One run: the running steps, and the results of the others."""

    shop: Workshop
    root: Path
    executor: Callable[[str], Executor]
    say: Callable[[Result], None]
    started: Callable[[Step], None]
    rebuild: frozenset[str]
    under_way: dict[Work, tuple[Step, Facts]] = field(default_factory=dict)
    ended: SimpleQueue[Work] = field(default_factory=SimpleQueue)  # `concurrent.futures.wait` would check every running future each time
    suspects: list[tuple[Step, Facts]] = field(default_factory=list)
    tried_again: set[str] = field(default_factory=set)
    results: dict[str, Result] = field(default_factory=dict)
    name: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def parts(self) -> Path:
        """The folder the workers of this run write to; a worker orphaned by a killed run writes to another one."""
        return self.shop.hidden / "work" / self.name

    def all(self, steps: tuple[Step, ...]) -> list[Result]:
        """Run the stale steps in topological order; returns the results in the order of the steps."""
        before, by_name = graph(steps), {step.name: step for step in steps}
        order = TopologicalSorter(before)
        order.prepare()
        while order.is_active():
            for name in order.get_ready():
                self.begin(by_name[name], before[name])
                if name in self.results:
                    order.done(name)
            if self.suspects and not self.under_way:
                self.submit(*self.suspects.pop(0))
            if self.under_way:
                future = self.ended.get()
                step, now = self.under_way.pop(future)
                if not self.again(future, step, now):
                    self.finish(future, step, now)
                    order.done(step.name)
        return [self.results[step.name] for step in steps]

    def begin(self, step: Step, before: set[str]) -> None:
        """Decide on a step whose inputs are ready: record its result, or submit it to a worker."""
        if broken := sorted(name for name in before if self.results[name].status in ("failed", "blocked")):
            return self.note(Result(step, "blocked", f"needs {', '.join(broken)}, which was not built"))
        try:
            now = self.shop.facts(step)
        except OSError as error:
            return self.note(Result(step, "failed", f"{error.filename}: cannot be read ({error.strerror}); check its permissions"))
        result = self.shop.decide(step, now, step.kind in self.rebuild)
        if result.status != "stale":
            self.shop.accept(step, now)
            return self.note(result)
        self.started(step)
        return self.submit(step, now)

    def submit(self, step: Step, now: Facts) -> None:
        """Submit a step to the executor of its pool."""
        future = self.executor(step.lane).submit(_execute, step, self.root, self.parts)
        self.under_way[future] = (step, now)
        future.add_done_callback(self.ended.put)

    def again(self, future: Work, step: Step, now: Facts) -> bool:
        """Schedule one retry of a step whose worker was killed: its whole pool failed, so each step is retried alone to find the cause."""
        if not isinstance(future.exception(), BrokenExecutor) or step.name in self.tried_again:
            return False
        self.tried_again.add(step.name)
        self.suspects.append((step, now))
        return True

    def finish(self, future: Work, step: Step, now: Facts) -> None:
        """Install the outputs of a finished step, or record why it failed."""
        seconds = 0.0
        try:
            digests, seconds = future.result()
            result = self.shop.install(step, now, digests, self.parts)
        except CauserieError as error:
            result = Result(step, "failed", str(error))
        except BrokenExecutor:
            result = Result(step, "failed", "its worker process was killed twice; the machine may have too little memory for this step")
        except Exception as error:  # a bug: the other steps continue, and the traceback is kept
            result = Result(step, "failed", f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
        self.note(replace(result, seconds=seconds))

    def note(self, result: Result) -> None:
        """Record a result, and pass it to `on_finish`."""
        self.results[result.step.name] = result
        if result.status == "failed":
            self.shop.journal.failed(result.step.name, result.why)
        self.say(result)


def _execute(step: Step, root: Path, parts: Path) -> tuple[dict[str, str], float]:
    """Run a step in a worker; returns the digests of its outputs, and its duration in seconds without the wait for a worker."""
    since = time.monotonic()
    progress.begin(step.name)
    return execute(step, root, parts), time.monotonic() - since


def _news(draft: Path, text: Path) -> str:
    """How many lines of a new draft are not in the hand-edited text, as a sentence."""
    have = set(_text(text).splitlines())
    new = [line for line in _text(draft).splitlines() if line and line not in have and not line.startswith(("draft = ", "#", "%%"))]
    return f"{len(new)} of its lines are not in your text"


def _digests(receipt: Receipt | None) -> Iterable[str]:
    return receipt.writes.values() if receipt else ()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
