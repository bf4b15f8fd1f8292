"""Worker processes: one process pool for each kind of work, progress reports through a pipe, and no orphans.

Each worker leads a process group, with the FFmpeg it starts. It watches a lifeline, the read end of a pipe whose write end only the
main process holds: when that process ends, for whatever reason, the lifeline closes and the group is killed.
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
from typing import Any  # the signature of Executor.submit

from pipeline.engine import progress

_REPORT_EVERY_S = 0.2


def available_cores() -> int:
    """The number of processor cores this process may use; an affinity mask can allow fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ProcessPools:
    """The process pools of a run, each started on first use; leaving the `with` block ends every worker."""

    def __init__(self, jobs: int, on_progress: progress.Listener = lambda step, done_s, total_s, left_s: None) -> None:
        self._jobs = {"cpu": max(1, jobs), "model": 1}  # one model in memory at a time
        self._on_progress = on_progress
        self._pools: dict[str, _RestartingPool] = {}
        self._context = multiprocessing.get_context("spawn")  # fork is unsafe with threads
        self._lifeline: tuple[Connection, Connection] | None = None
        self._reports: tuple[Connection, Connection] | None = None

    def __call__(self, pool: str) -> Executor:
        """The executor of a pool, "cpu" or "model"."""
        if self._lifeline is None or self._reports is None:
            self._lifeline, self._reports = self._context.Pipe(duplex=False), self._context.Pipe(duplex=False)
            threading.Thread(target=_forward_reports, args=(self._reports[0], self._on_progress), daemon=True).start()
        if pool not in self._pools:
            shared = (self._lifeline[0], self._reports[1])
            self._pools[pool] = _RestartingPool(lambda: ProcessPoolExecutor(self._jobs[pool], self._context, _start_worker, shared))
        return self._pools[pool]

    def __enter__(self) -> ProcessPools:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=kind is None, cancel_futures=True)
        for pipe in (self._lifeline, self._reports):
            if pipe is not None:
                pipe[1].close()


class _RestartingPool(Executor):
    """A process pool that is replaced when one of its workers was killed, and whose workers never receive SIGINT (Ctrl-C)."""

    def __init__(self, start: Callable[[], ProcessPoolExecutor]) -> None:
        self._start, self._pool = start, start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        # Workers start here and inherit the signal mask: only the main process receives SIGINT, even while workers start.
        previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown(wait=False)
            self._pool = self._start()
            return self._pool.submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def _start_worker(lifeline: Connection, reports: Connection) -> None:
    """Initialise a worker process."""
    gc.set_threshold(100_000)  # a step creates many small objects and ends: garbage collection would cost a tenth of the time
    os.setpgid(0, 0)
    threading.Thread(target=_watch_lifeline, args=(lifeline,), daemon=True).start()
    os.set_blocking(reports.fileno(), False)
    progress.set_listener(_reporter(reports.fileno()))


def _watch_lifeline(lifeline: Connection) -> None:
    """Wait for the main process to end, then kill this worker and its child processes."""
    try:
        lifeline.recv_bytes()
    except (EOFError, OSError):
        os.killpg(0, signal.SIGKILL)


def _reporter(pipe: int) -> progress.Listener:
    """A listener that writes JSON lines to the pipe; writes this short are atomic (POSIX, PIPE_BUF), so workers need no lock."""
    last_s = [0.0]

    def send(step: str, done_s: float, total_s: float, left_s: float | None) -> None:
        if time.monotonic() - last_s[0] >= _REPORT_EVERY_S or done_s >= total_s:
            last_s[0] = time.monotonic()
            try:
                values = [step, round(done_s, 1), round(total_s, 1), None if left_s is None else round(left_s, 1)]
                os.write(pipe, (json.dumps(values) + "\n").encode())
            except OSError:
                pass  # the pipe is full or closed: a lost report does not matter

    return send


def _forward_reports(pipe: Connection, on_progress: progress.Listener) -> None:
    """Pass the workers' reports to the listener, until the last writer closes the pipe."""
    with os.fdopen(os.dup(pipe.fileno()), encoding="utf-8", errors="replace") as lines:
        for line in lines:
            on_progress(*json.loads(line))
