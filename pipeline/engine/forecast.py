"""What a run would do, without doing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.engine.runner import BuildState, Result
from pipeline.engine.step import Step, dependency_graph, output_paths, topological_order


def preview(steps: tuple[Step, ...], root: Path, rebuild: Iterable[str] = ()) -> Iterator[Result]:
    """What `run_steps` would do, without doing it: each step current, edited, or stale with the reason; omitted when it failed before."""
    state, dependencies = BuildState(root), dependency_graph(steps)
    stale: set[str] = set()
    omitted: dict[str, Step] = {}
    for step in topological_order(steps, dependencies):
        missing = sorted(dependencies[step.name] & omitted.keys())
        read = step.without_inputs(output_paths(omitted[name] for name in missing))
        result = replace(state.decide(read, state.snapshot(read), step.kind in rebuild), step=step)
        stale_dependencies = sorted({name.rpartition("/")[2] for name in dependencies[step.name] & stale})
        if stale_dependencies and result.status != "stale":
            result = Result(step, "stale", f"depends on {', '.join(stale_dependencies)}, to be built")
        result = _after_failures(result, state.journal.failures, missing)
        if result.status == "stale":
            stale.add(step.name)
        elif result.status == "omitted":
            omitted[step.name] = step
        yield result
    state.digests.save()


def _after_failures(result: Result, failures: Mapping[str, str], missing: Sequence[str]) -> Result:
    """The result of a preview with the failure of the last run; `missing` are the omitted steps that this one reads."""
    step, failure = result.step, failures.get(result.step.name)
    if step.is_optional and missing:
        return Result(step, "omitted", f"needs {', '.join(missing)}, left out")
    if result.status == "stale" and failure:
        if step.is_optional:
            return Result(step, "omitted", f"its last run failed: {failure}; the next build tries it again")
        return replace(result, why=f"its last run failed: {failure}")
    return result
