"""Workers on other machines: runs steps on a Dask cluster whose machines all share the show's folder under the same path.

    dask scheduler                                       on one machine
    dask worker tcp://…:8786 --nthreads 1                on each, once for each step it may run at the same time
    dask worker tcp://…:8786 --nthreads 1 --resources model=1    where Whisper may run; anywhere if no worker has this resource

Workers only write below `.causerie/work/`; renaming and receipts stay with the process that runs the build.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol

from pipeline import __version__, progress
from pipeline.errors import CauserieError

_OPTION = "--cluster"
_TOPIC = "causerie-progress"
_PATIENCE_S = 10


class DaskClient(Protocol):
    """The methods of `distributed.Client` that are used here; `distributed` has no types, hence `Any`."""

    def close(self) -> Any: ...
    def subscribe_topic(self, topic: str, handler: Callable[[Any], None], /) -> Any: ...
    def get_executor(self, **kwargs: Any) -> Any: ...
    def wait_for_workers(self, n_workers: int, /, timeout: float) -> Any: ...
    def scheduler_info(self, n_workers: int) -> Any: ...
    def run(self, function: Callable[..., Any], *args: Any, on_error: Literal["return"]) -> Any: ...


class Cluster:
    """The executors of a run on a cluster, in place of `ProcessPools`; leaving the `with` block cancels unfinished steps.

    Raises `CauserieError` when no scheduler answers at `address`, or when a worker cannot run this show's steps.
    """

    def __init__(self, address: str, root: Path, hear: progress.Listener = lambda step, done_s, total_s: None) -> None:
        self._client = _connected(address)
        try:
            _refuse_misfits(self._client, root)
        except CauserieError:
            self._client.close()
            raise
        self._client.subscribe_topic(_TOPIC, lambda event: hear(*event[1]))
        resources = [worker["resources"] for worker in _workers(self._client).values()]
        self._listens = {"resources": {"model": 1}} if any("model" in each for each in resources) else {}
        self._lanes: dict[str, _Lane] = {}

    def __call__(self, lane: str) -> Executor:
        """The executor of a pool, "cpu" or "model"."""
        if lane not in self._lanes:
            self._lanes[lane] = _Lane(self._client.get_executor(pure=False, **(self._listens if lane == "model" else {})))
        return self._lanes[lane]

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for lane in self._lanes.values():
            lane.shutdown(wait=kind is None)
        self._client.close()


class _Lane(Executor):
    """Dask's executor, with a dead worker reported as `BrokenExecutor`, as in `concurrent.futures`."""

    def __init__(self, remote: Any) -> None:  # Any: `distributed` has no types
        self._remote = remote

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        mine: Future[Any] = Future()
        self._remote.submit(_told, fn, *args, **kwargs).add_done_callback(lambda theirs: _hand_on(theirs, mine))
        return mine

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._remote.shutdown(wait)


def _hand_on(theirs: Future[Any], mine: Future[Any]) -> None:
    """Copy the outcome of Dask's future to the local one."""
    from distributed.scheduler import KilledWorker

    if theirs.cancelled():
        mine.cancel()
        mine.set_running_or_notify_cancel()
    elif error := theirs.exception():
        mine.set_exception(BrokenExecutor(str(error)) if isinstance(error, KilledWorker) else error)
    else:
        mine.set_result(theirs.result())


def _told(fn: Callable[..., Any], *args: Any) -> Any:
    """On a worker: call a function, and forward its progress reports."""
    from distributed import get_worker

    worker = get_worker()
    progress.listen(lambda step, done_s, total_s: worker.log_event(_TOPIC, (step, round(done_s, 1), round(total_s, 1))))
    try:
        return fn(*args)
    finally:
        progress.listen(None)


def _connected(address: str) -> DaskClient:
    try:
        import distributed
    except ImportError as error:
        raise CauserieError("Dask is not installed", _OPTION, 'pip install "causerie[cluster]"') from error
    try:
        client: DaskClient = distributed.Client(address, timeout=_PATIENCE_S, set_as_default=False)  # type: ignore[no-untyped-call]  # no types
        return client
    except (OSError, ValueError) as error:
        raise CauserieError(f"no Dask scheduler answers at {address}", _OPTION, "start one with: dask scheduler") from error


def _workers(client: DaskClient) -> dict[str, Any]:
    """The scheduler's description of each worker by address; waits until one has started."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
    except TimeoutError as error:
        raise CauserieError("the cluster has no worker", _OPTION, "start some with: dask worker ADDRESS --nthreads 1") from error
    workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]  # Any: `distributed` has no types
    return workers


def _refuse_misfits(client: DaskClient, root: Path) -> None:
    """Raise `CauserieError` unless every worker runs this version, sees this folder, and has one thread: progress is per process."""
    workers = _workers(client)
    for name, found in client.run(_standing, str(root), on_error="return").items():
        version, sees = found if isinstance(found, tuple) else ("", False)  # an exception: the worker cannot import `pipeline`
        if version != __version__:
            problem, hint = (
                f"has {f'Causerie {version}' if version else 'no Causerie'}, not {__version__}",
                "install the same version there",
            )
        elif not sees:
            problem, hint = f"does not see {root}", "share the folder under the same path on every machine"
        elif name in workers and workers[name]["nthreads"] != 1:
            problem, hint = "runs several steps in one process", "start it with --nthreads 1"
        else:
            continue
        raise CauserieError(f"the worker at {name} {problem}", _OPTION, hint)


def _standing(root: str) -> tuple[str, bool]:
    """On a worker: its version of Causerie, and whether it sees the show."""
    return __version__, (Path(root) / "show.toml").is_file()
