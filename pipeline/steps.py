"""A step is one function call written down; a plan is a tuple of them, and their graph is read from their files."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pipeline.errors import CauserieError, Problems
from pipeline.files import sha256

Paths = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Step:
    """One function call written down: what it reads, writes and is told. Paths are relative to the show's folder."""

    name: str  # "<slug>/encode"; unique
    run: Callable[..., None]  # importable, so that a Step can travel to another process
    reads: Paths = field(default_factory=dict)  # keyword -> file or files that must exist
    writes: Mapping[str, str] = field(default_factory=dict)  # keyword -> file it makes; one writer a file
    settings: Mapping[str, Any] = field(default_factory=dict)  # every other value that can change the result
    hints: Mapping[str, Any] = field(default_factory=dict)  # values that only help: when they change, what was made stays as it is
    lane: str = "cpu"  # "cpu" | "model": one model listens at a time
    drafts: bool = False  # whether what it writes is a person's from the first letter they change
    revision: int = 1  # raised by hand when the same inputs give another result; moving or renaming the function is none

    @property
    def kind(self) -> str:
        """What the step does, without the episode: `encode`."""
        return self.name.rpartition("/")[2]

    @property
    def episode(self) -> str:
        """The slug the step belongs to, or `show`."""
        return self.name.rpartition("/")[0]


def needed(steps: Iterable[Step], wanted: Callable[[Step], bool]) -> tuple[Step, ...]:
    """The wanted steps and everything they are made from, in the order given."""
    steps = tuple(steps)
    before = graph(steps)
    keep, look = set(), [step.name for step in steps if wanted(step)]
    while look:
        name = look.pop()
        if name not in keep:
            keep.add(name)
            look.extend(before[name])
    return tuple(step for step in steps if step.name in keep)


def graph(steps: Iterable[Step]) -> dict[str, set[str]]:
    """For each step, the steps that write what it reads. Two writers of one file are a bug in the plan."""
    writer: dict[str, str] = {}
    for step in steps:
        for path in step.writes.values():
            if path in writer:
                raise ValueError(f"{step.name} and {writer[path]} both write {path}")
            writer[path] = step.name
    return {step.name: {writer[path] for path in _flat(step.reads) if path in writer} for step in steps}


def in_order(steps: tuple[Step, ...], before: Mapping[str, set[str]]) -> list[Step]:
    """Every step after the steps it reads from."""
    by_name = {step.name: step for step in steps}
    return [by_name[name] for name in TopologicalSorter(before).static_order()]


def execute(step: Step, root: Path, parts: Path) -> dict[str, str]:
    """Run a step's function on its files, in this process: outputs go to `parts`, and their digests come back."""
    for path in _flat(step.reads):
        if not (root / path).is_file():
            raise CauserieError("is missing", path, "put it back, or correct the key that names it")
    writes = {key: parts / path for key, path in step.writes.items()}
    for path in writes.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    reads = {key: tuple(root / path for path in paths) if isinstance(paths, tuple) else root / paths for key, paths in step.reads.items()}
    try:
        step.run(**reads, **writes, **step.settings, **step.hints)
    except Problems as several:
        raise Problems(tuple(_from_show(problem, root, parts) for problem in several.problems)) from several
    except CauserieError as error:
        raise _from_show(error, root, parts) from error
    except OSError as error:
        raise CauserieError(error.strerror or str(error), str(error.filename or step.name), _remedy(error)) from error
    return {key: sha256(path) for key, path in writes.items()}


def _from_show(error: CauserieError, root: Path, parts: Path) -> CauserieError:
    """The error with its file named by its place in the show, which is how a person knows it."""
    return CauserieError(error.message, error.where.replace(f"{parts}/", "").replace(f"{root}/", ""), error.hint)


def move(source: Path, target: Path) -> None:
    """Rename `source` to `target`; across file systems, copy beside the target first, so that it still appears whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}.part")
        shutil.copyfile(source, beside)
        os.replace(beside, target)


def _flat(paths: Paths) -> Iterator[str]:
    for path in paths.values():
        yield from path if isinstance(path, tuple) else (path,)


def _remedy(error: OSError) -> str:
    return "free some space and build again" if error.errno == errno.ENOSPC else "see to it and build again"
