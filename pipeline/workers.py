"""Worker processes: one pool a lane, progress back through a pipe, and nobody left behind.

Each worker is the head of a process group of its own, with the FFmpeg it starts. It watches a lifeline, the read end of a pipe whose
write end only the main process has: when that process ends, however it ends, the lifeline closes and the group is killed.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from pipeline import progress

_REPORT_EVERY_S = 0.2


def cores() -> int:
    """The processor cores this process may use: a container, or a person, may have given it fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """The executors of a run, started when first asked for; leaving the `with` block ends every worker."""

    def __init__(self, jobs: int, hear: progress.Listener = lambda step, done_s, total_s: None) -> None:
        self._jobs = {"cpu": max(1, jobs), "model": 1}  # one model in memory at a time
        self._hear = hear
        self._pools: dict[str, _Lane] = {}
        self._context = multiprocessing.get_context("spawn")  # fork is unsafe beside threads
        self._lifeline: tuple[Connection, Connection] | None = None
        self._reports: tuple[Connection, Connection] | None = None

    def __call__(self, lane: str) -> Executor:
        """The executor of a lane."""
        if self._lifeline is None or self._reports is None:
            self._lifeline, self._reports = self._context.Pipe(duplex=False), self._context.Pipe(duplex=False)
            threading.Thread(target=_pass_on, args=(self._reports[0], self._hear), daemon=True).start()
        if lane not in self._pools:
            shared = (self._lifeline[0], self._reports[1])
            self._pools[lane] = _Lane(lambda: ProcessPoolExecutor(self._jobs[lane], self._context, _start_worker, shared))
        return self._pools[lane]

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=kind is None, cancel_futures=True)
        for pipe in (self._lifeline, self._reports):
            if pipe is not None:
                pipe[1].close()


class _Lane(Executor):
    """A process pool that is replaced when one of its workers was killed, and whose workers never hear Ctrl-C."""

    def __init__(self, start: Callable[[], ProcessPoolExecutor]) -> None:
        self._start, self._pool = start, start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        # Workers start here, and inherit what is blocked: Ctrl-C is for the main process alone, even before they are ready.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown(wait=False)
            self._pool = self._start()
            return self._pool.submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def _start_worker(lifeline: Connection, reports: Connection) -> None:
    """Runs first in each worker."""
    gc.set_threshold(100_000)  # a step makes many small values and ends: looking for garbage meanwhile costs a tenth
    os.setpgid(0, 0)
    threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()
    os.set_blocking(reports.fileno(), False)
    progress.listen(_reporter(reports.fileno()))


def _watch(lifeline: Connection) -> None:
    """Wait for the main process to end, then end this worker and whatever it started."""
    try:
        lifeline.recv_bytes()
    except (EOFError, OSError):
        os.killpg(0, signal.SIGKILL)


def _reporter(pipe: int) -> progress.Listener:
    """A listener that writes lines to the pipe: a write this short is whole, so workers need no lock."""
    last_s = [0.0]

    def tell(step: str, done_s: float, total_s: float) -> None:
        if time.monotonic() - last_s[0] >= _REPORT_EVERY_S or done_s >= total_s:
            last_s[0] = time.monotonic()
            try:
                os.write(pipe, (json.dumps([step, round(done_s, 1), round(total_s, 1)]) + "\n").encode())
            except OSError:
                pass  # the pipe is full or gone: a missed report is no loss

    return tell


def _pass_on(pipe: Connection, hear: Callable[[str, float, float], None]) -> None:
    """Read the workers' lines until the last writer is gone."""
    with os.fdopen(os.dup(pipe.fileno()), encoding="utf-8", errors="replace") as lines:
        for line in lines:
            hear(*json.loads(line))
