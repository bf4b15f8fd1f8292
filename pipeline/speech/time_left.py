"""How long hearing will still take: windows are counted as they come, in whatever order, and those from the cache tell nothing of the rest.

windows heard so far (seconds of audio, seconds of work) ─ remaining_s ─ seconds left
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from pipeline.engine import progress

_HALF_LIFE = 24  # windows after which one counts half: the machine, and what is said, change in the course of an hour


@dataclass(frozen=True)
class HeardWindow:
    """A window that was heard: its length in seconds, and for how many seconds a worker was busy with it."""

    length_s: float
    work_s: float


def remaining_s(heard: Sequence[HeardWindow], to_hear_s: float, running: Sequence[float], workers: int) -> float | None:
    """How many seconds it takes to hear the `to_hear_s` seconds of audio that are not heard yet; None before the first window.

    `heard` are the windows so far, in the order in which they ended; `running` says for how many seconds each worker has been busy with its
    window, which is part of what is left. Silence costs nothing: its share so far is taken for its share of the rest.
    """
    spoken = [each for each in heard if each.work_s > 0]
    heard_s, spoken_s = sum(each.length_s for each in heard), sum(each.length_s for each in spoken)
    if not spoken_s:
        return None
    weights: list[float] = [0.5 ** (age / _HALF_LIFE) for age in range(len(spoken) - 1, -1, -1)]
    weighted = list(zip(weights, spoken, strict=True))
    work_per_s = sum(weight * each.work_s for weight, each in weighted) / sum(weight * each.length_s for weight, each in weighted)
    mean_s = spoken_s / len(spoken)
    work_s = to_hear_s * spoken_s / heard_s * work_per_s
    done_s = sum(min(busy_s, mean_s * work_per_s) for busy_s in running)
    busy_workers = max(1, min(workers, math.ceil(to_hear_s / mean_s)))
    return max(0.0, work_s - done_s) / busy_workers + _last_one_s([each.work_s for each in spoken], busy_workers)


def _last_one_s(work_s: Sequence[float], workers: int) -> float:
    """How long the last of several workers goes on after the others on average: it has the slowest of their windows; 0 for one."""
    in_order = sorted(work_s)
    slowest, middle = (in_order[min(len(in_order) - 1, int(len(in_order) * share))] for share in (workers / (workers + 1), 0.5))
    return slowest - middle


@dataclass
class HearingProgress:
    """Reports the progress of a recording of `total_s` seconds, of which `cached_s` are in the cache: from several threads at once."""

    total_s: float
    cached_s: float = 0.0
    workers: int = 1
    clock: Callable[[], float] = time.monotonic
    _heard: list[HeardWindow] = field(default_factory=list)
    _running: dict[float, float] = field(default_factory=dict)  # the start of a window in the recording -> when a worker took it
    _done_s: float = 0.0
    _from_cache_s: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def hearing(self, start_s: float, length_s: float) -> Iterator[None]:
        """While the window that starts at `start_s` is heard."""
        began_s = self.clock()
        with self._lock:
            self._running[start_s] = began_s
        try:
            yield
        finally:
            with self._lock:
                del self._running[start_s]
        with self._lock:
            self._heard.append(HeardWindow(length_s, self.clock() - began_s))
            self._done(length_s)

    def skip(self, length_s: float, *, is_silent: bool = False) -> None:
        """Count a window that took no time: of digital silence, or out of the cache."""
        with self._lock:
            if is_silent:
                self._heard.append(HeardWindow(length_s, 0.0))
            else:
                self._from_cache_s += length_s
            self._done(length_s)

    def left_s(self) -> float | None:
        """The seconds left, from what was heard so far; None before the first window."""
        to_hear_s = self.total_s - self._done_s - max(0.0, self.cached_s - self._from_cache_s)
        now_s = self.clock()
        return remaining_s(self._heard, max(0.0, to_hear_s), [now_s - began_s for began_s in self._running.values()], self.workers)

    def _done(self, length_s: float) -> None:
        self._done_s += length_s
        self.total_s = max(self.total_s, self._done_s)  # a header may announce less than there is
        progress.report(self._done_s, self.total_s, self.left_s())
