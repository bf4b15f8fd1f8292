"""A step is one function call as data; a plan is a tuple of steps, and its graph follows from the files they read and write."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pipeline.engine.files import sha256
from pipeline.model import CauserieError, Problems

Paths = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Step:
    """One function call as data: its function, input files, output files and settings. Paths are relative to the show's folder."""

    name: str  # "<slug>/encode"; unique
    run: Callable[..., None]  # importable, so that a Step can be pickled to another process
    reads: Paths = field(default_factory=dict)  # keyword -> input file or files, which must exist
    writes: Mapping[str, str] = field(default_factory=dict)  # keyword -> output file; each file has one writer
    settings: Mapping[str, Any] = field(default_factory=dict)  # every other value that can change the result
    hints: Mapping[str, Any] = field(default_factory=dict)  # values whose change makes nothing stale
    pool: str = "cpu"  # the executor: "cpu" | "model", which runs one step at a time
    is_draft: bool = False  # whether its output is a text for a person to edit, never overwritten after an edit
    explains: tuple[str, ...] = ()  # keywords of the inputs of which `run` itself says what is wrong when they are missing
    is_optional: bool = False  # whether steps that read its outputs do without them when it fails
    revision: int = 1  # raised by hand when the same inputs give another result, but not when the function moves or is renamed

    @property
    def kind(self) -> str:
        """The kind of step, its name without the episode: `encode`."""
        return self.name.rpartition("/")[2]

    @property
    def episode(self) -> str:
        """The slug of the step's episode, or `show`."""
        return self.name.rpartition("/")[0]

    def without_inputs(self, paths: Set[str]) -> Step:
        """This step, reading none of `paths`."""
        reads: dict[str, str | tuple[str, ...]] = {}
        for key, value in self.reads.items():
            if isinstance(value, tuple):
                reads[key] = tuple(path for path in value if path not in paths)
            elif value not in paths:
                reads[key] = value
        return replace(self, reads=reads)


def with_dependencies(steps: Iterable[Step], wanted: Callable[[Step], bool]) -> tuple[Step, ...]:
    """The wanted steps and all their dependencies, in the given order."""
    steps = tuple(steps)
    dependencies = dependency_graph(steps)
    included, queue = set(), [step.name for step in steps if wanted(step)]
    while queue:
        name = queue.pop()
        if name not in included:
            included.add(name)
            queue.extend(dependencies[name])
    return tuple(step for step in steps if step.name in included)


def dependency_graph(steps: Iterable[Step]) -> dict[str, set[str]]:
    """The names of the steps that each step depends on. Raises `ValueError` when two steps write the same file."""
    writer: dict[str, str] = {}
    for step in steps:
        for path in step.writes.values():
            if path in writer:
                raise ValueError(f"{step.name} and {writer[path]} both write {path}")
            writer[path] = step.name
    return {step.name: {writer[path] for path in _flatten(step.reads) if path in writer} for step in steps}


def output_paths(steps: Iterable[Step]) -> set[str]:
    """Every file that these steps write."""
    return {path for step in steps for path in step.writes.values()}


def topological_order(steps: tuple[Step, ...], dependencies: Mapping[str, set[str]]) -> list[Step]:
    """The steps sorted so that each comes after its dependencies."""
    by_name = {step.name: step for step in steps}
    return [by_name[name] for name in TopologicalSorter(dependencies).static_order()]


def execute_step(step: Step, root: Path, work_dir: Path) -> dict[str, str]:
    """Run a step's function in this process, with outputs below `work_dir`; returns the digests of the outputs.

    Raises `CauserieError` for a missing input and for an error of the operating system.
    """
    for path in _flatten({key: paths for key, paths in step.reads.items() if key not in step.explains}):
        if not (root / path).is_file():
            raise CauserieError("is missing", path, "restore it, or correct the key that names it")
    writes = {key: work_dir / path for key, path in step.writes.items()}
    for output in writes.values():
        output.parent.mkdir(parents=True, exist_ok=True)
    reads = {key: tuple(root / path for path in paths) if isinstance(paths, tuple) else root / paths for key, paths in step.reads.items()}
    try:
        step.run(**reads, **writes, **step.settings, **step.hints)
    except Problems as several:
        raise Problems(tuple(_with_show_path(problem, root, work_dir) for problem in several.problems)) from several
    except CauserieError as error:
        raise _with_show_path(error, root, work_dir) from error
    except OSError as error:
        raise CauserieError(error.strerror or str(error), str(error.filename or step.name), _hint_for(error)) from error
    return {key: sha256(path) for key, path in writes.items()}


def _with_show_path(error: CauserieError, root: Path, work_dir: Path) -> CauserieError:
    """The error with the path of its file relative to the show."""
    return CauserieError(error.message, error.where.replace(f"{work_dir}/", "").replace(f"{root}/", ""), error.hint)


def move_file(source: Path, target: Path) -> None:
    """Rename `source` to `target`; across file systems, copy it next to the target first, so that the replacement stays atomic."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        temporary = target.with_name(f".{target.name}.part")
        shutil.copyfile(source, temporary)
        os.replace(temporary, target)


def _flatten(paths: Paths) -> Iterator[str]:
    for path in paths.values():
        yield from path if isinstance(path, tuple) else (path,)


def _hint_for(error: OSError) -> str:
    return "free some space and build again" if error.errno == errno.ENOSPC else "fix this and build again"
