"""Steps, and what makes one stale: the only file that knows about staleness.

    steps ─ graph ─ for each that is ready: facts ─ decide ┬ current, edited: nothing runs
                                                           ├ blocked: something before it failed
                                                           └ stale: execute (in a worker) ─ promise ─ rename ─ receipt

A worker writes into `.causerie/work/`; only this process renames into place and writes receipts, so a kill at any moment leaves
old files or new ones, and an orphan can make nothing visible.
"""

from __future__ import annotations

import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pipeline import __version__, progress
from pipeline.drafts import untouched
from pipeline.errors import CauserieError
from pipeline.files import sha256
from pipeline.receipts import DigestCache, Journal, Receipt, canonical
from pipeline.steps import Step, execute, graph, in_order, move


@dataclass(frozen=True)
class Facts:
    """How things are now: what a receipt is compared with. A file that is not there has the digest None."""

    function: str
    settings: Mapping[str, Any]
    reads: Mapping[str, Any]
    writes: Mapping[str, str | None]


@dataclass(frozen=True)
class Result:
    """What became of a step: current | stale | built | edited | drafted | failed | blocked, and why, in a sentence."""

    step: Step
    status: str
    why: str = ""
    seconds: float = 0.0
    traceback: str = ""  # of a bug; a user's mistake has none


def why_stale(now: Facts, receipt: Receipt | None) -> str | None:
    """Why a step must run, as a sentence, or None when what it made is what it would make again."""
    if receipt is None:
        return "never made"
    if now.function != receipt.function:
        return f"made by {receipt.function} before, by {now.function} now"
    if now.settings != receipt.settings:
        return "; ".join(_changes(receipt.settings, now.settings))
    if now.reads != receipt.reads:
        changed = sorted(key for key in {*now.reads, *receipt.reads} if now.reads.get(key) != receipt.reads.get(key))
        return f"{', '.join(changed)} changed"
    missing = [key for key, digest in now.writes.items() if digest is None or key not in receipt.writes]
    return f"{', '.join(missing)} missing" if missing else None


def edited(now: Facts, receipt: Receipt) -> list[str]:
    """The outputs that are there and are not what the step made."""
    return [key for key, digest in now.writes.items() if digest is not None and digest != receipt.writes.get(key)]


class Workshop:
    """A show's folder with its receipts: what `build` looks at and writes to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hidden = root / ".causerie"
        self.journal = Journal(self.hidden / "receipts.jsonl")
        self.digests = DigestCache(root)
        self._spelt: dict[int, tuple[Any, Any]] = {}  # settings that many steps share are spelt once

    def facts(self, step: Step) -> Facts:
        """How things are now for a step; a `CauserieError` names an input that is not there."""
        reads = {key: self._read(paths) for key, paths in step.reads.items()}
        spelt = {key: self._spell(value) for key, value in step.settings.items()}
        settings = {key: value for key, value in spelt.items() if value not in (None, "", [], {})}
        return Facts(_name(step.run), settings, reads, self._outputs(step))

    def decide(self, step: Step, now: Facts, force: bool = False) -> Result:
        """Whether a step must run, purely from the facts and its receipt."""
        receipt = self._receipt(step, now)
        why = "asked for" if force else why_stale(now, receipt)
        if step.drafts and any(now.writes.values()) and not self._still_ours(step):
            unknown = receipt is None and not force
            return Result(step, "edited" if why is None or unknown else "stale", "corrected by hand" if why is None or unknown else why)
        if why is None and receipt is not None and (hand := edited(now, receipt)):
            return Result(step, "edited", f"{', '.join(hand)} changed by hand; left alone")
        return Result(step, "stale", why) if why else Result(step, "current")

    def install(self, step: Step, now: Facts, digests: Mapping[str, str], parts: Path) -> Result:
        """Rename a step's outputs into place and write its receipt; what a person made is kept, never overwritten."""
        receipt = Receipt(step.name, now.function, now.settings, now.reads, digests, __version__)
        beside = step.drafts and any(now.writes.values()) and not self._still_ours(step)
        ours = {*_digests(self.journal.receipts.get(step.name)), *_digests(self.journal.promises.get(step.name))}
        last = self.journal.receipts.get(step.name)
        if beside and last is not None and last.writes == digests:
            self.journal.done(receipt)
            return Result(step, "edited", "the machine would draft what it drafted before")
        if not beside:
            self.journal.promise(receipt)
        for key, path in step.writes.items():
            target = self.root / path
            if beside:
                target = target.with_suffix(f".draft{target.suffix}")
            elif self.digests.digest(path) not in (None, digests[key], *ours):
                _keep(target, self.hidden / "kept")
            move(parts / path, target)
            self.digests.remember(target.relative_to(self.root).as_posix(), digests[key])
        self.journal.done(receipt)
        if beside:
            return Result(step, "drafted", f"a fresh draft lies beside the corrected text, as {target.name}")
        return Result(step, "built")

    def adopt(self, step: Step, now: Facts) -> None:
        """Take a text that a person wrote, and that no receipt knows, as made from what is there now."""
        if step.drafts and step.name not in self.journal.receipts and None not in now.writes.values():
            self.journal.done(Receipt(step.name, now.function, now.settings, now.reads, dict(now.writes), __version__))

    def close(self) -> None:
        """Keep what was learnt."""
        self.digests.save()
        self.journal.close()

    def _receipt(self, step: Step, now: Facts) -> Receipt | None:
        """The receipt, or the promise when a kill came after every output of it was in place."""
        promise = self.journal.promises.get(step.name)
        return promise if promise and promise.writes == now.writes else self.journal.receipts.get(step.name)

    def _spell(self, value: Any) -> Any:
        """A setting as a receipt spells it; the value is kept beside, so that its identity stays its own."""
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
    """Run every step that is stale, each as soon as what it reads is ready; one failure stops only what follows it.

    `executor` gives the executor of a lane; `say` and `started` hear of every step; kinds in `rebuild` run in any case.
    """
    run = _Run(Workshop(root), root, executor, say, started, frozenset(rebuild))
    shutil.rmtree(run.parts, ignore_errors=True)  # left by a run that was killed
    try:
        return run.all(steps)
    finally:
        run.shop.close()
        shutil.rmtree(run.parts, ignore_errors=True)


def look(steps: tuple[Step, ...], root: Path) -> Iterator[Result]:
    """What `build` would do, without doing it: each step current, edited, or stale and why."""
    shop, before, moving = Workshop(root), graph(steps), set()
    for step in in_order(steps, before):
        result = shop.decide(step, shop.facts(step))
        follows = sorted(name.rpartition("/")[2] for name in before[step.name] & moving)
        if follows and result.status != "stale":
            result = Result(step, "stale", f"follows {', '.join(follows)}")
        if result.status == "stale":
            moving.add(step.name)
        yield result
    shop.digests.save()


@dataclass
class _Run:
    """One run of `build`: what is under way, and what became of the rest."""

    shop: Workshop
    root: Path
    executor: Callable[[str], Executor]
    say: Callable[[Result], None]
    started: Callable[[Step], None]
    rebuild: frozenset[str]
    under_way: dict[Future[tuple[dict[str, str], float]], tuple[Step, Facts]] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)

    @property
    def parts(self) -> Path:
        return self.shop.hidden / "work"

    def all(self, steps: tuple[Step, ...]) -> list[Result]:
        before, by_name = graph(steps), {step.name: step for step in steps}
        order = TopologicalSorter(before)
        order.prepare()
        while order.is_active():
            for name in order.get_ready():
                self.begin(by_name[name], before[name])
                if name in self.results:
                    order.done(name)
            if self.under_way:
                for future in wait(self.under_way, return_when=FIRST_COMPLETED).done:
                    order.done(self.finish(future))
        return [self.results[step.name] for step in steps]

    def begin(self, step: Step, before: set[str]) -> None:
        if broken := sorted(name for name in before if self.results[name].status in ("failed", "blocked")):
            return self.note(Result(step, "blocked", f"waits for {', '.join(broken)}"))
        try:
            now = self.shop.facts(step)
        except OSError as error:
            return self.note(Result(step, "failed", f"{error.filename}: cannot be read ({error.strerror}); see to its permissions"))
        result = self.shop.decide(step, now, step.kind in self.rebuild)
        if result.status != "stale":
            self.shop.adopt(step, now)
            return self.note(result)
        self.started(step)
        future = self.executor(step.lane).submit(_execute, step, self.root, self.parts / step.name)
        self.under_way[future] = (step, now)

    def finish(self, future: Future[tuple[dict[str, str], float]]) -> str:
        (step, now), seconds = self.under_way.pop(future), 0.0
        try:
            digests, seconds = future.result()
            result = self.shop.install(step, now, digests, self.parts / step.name)
        except CauserieError as error:
            result = Result(step, "failed", str(error))
        except BrokenExecutor:
            result = Result(step, "failed", "the worker was stopped from outside, perhaps for want of memory; build again with --jobs 1")
        except Exception as error:  # a bug: the others go on, and the traceback is kept
            result = Result(step, "failed", f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
        self.note(replace(result, seconds=seconds))
        return step.name

    def note(self, result: Result) -> None:
        self.results[result.step.name] = result
        self.say(result)


def _execute(step: Step, root: Path, parts: Path) -> tuple[dict[str, str], float]:
    """In a worker: the digests of what was made, and how long it took, without the time spent waiting for a worker."""
    since = time.monotonic()
    progress.begin(step.name)
    return execute(step, root, parts), time.monotonic() - since


def _keep(path: Path, folder: Path) -> None:
    """Put a file that somebody changed by hand out of the way, where it can be found again."""
    folder.mkdir(parents=True, exist_ok=True)
    os.replace(path, folder / f"{path.stem}-{sha256(path)[:8]}{path.suffix}")


def _changes(old: Any, new: Any, name: str = "") -> list[str]:
    """Each setting that differs, by its dotted name, old and new value."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
        return [change for key in keys for change in _changes(old.get(key), new.get(key), f"{name}.{key}".lstrip("."))]
    return [f"{name} changed from {_short(old)} to {_short(new)}"]


def _short(value: Any) -> str:
    text = "nothing" if value is None else f"“{value}”" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _digests(receipt: Receipt | None) -> Iterable[str]:
    return receipt.writes.values() if receipt else ()


def _name(function: Callable[..., None]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
