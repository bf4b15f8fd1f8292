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

from pipeline import __version__
from pipeline.engine import progress
from pipeline.model import CauserieError

_OPTION = "--cluster"
_TOPIC = "causerie-progress"
_TIMEOUT_S = 10


class DaskClient(Protocol):
    """The methods of `distributed.Client` that are used here; `distributed` has no types, hence `Any`."""

    def close(self) -> Any: ...
    def subscribe_topic(self, topic: str, handler: Callable[[Any], None], /) -> Any: ...
    def get_executor(self, **kwargs: Any) -> Any: ...
    def wait_for_workers(self, n_workers: int, /, timeout: float) -> Any: ...
    def scheduler_info(self, n_workers: int) -> Any: ...
    def run(self, function: Callable[..., Any], *args: Any, on_error: Literal["return"]) -> Any: ...


class DaskCluster:
    """The executors of a run on a cluster, in place of `ProcessPools`; leaving the `with` block cancels unfinished steps.

    Raises `CauserieError` when no scheduler answers at `address`, or when a worker cannot run this show's steps.
    """

    def __init__(self, address: str, root: Path, on_progress: progress.Listener = lambda step, done_s, total_s, left_s: None) -> None:
        self._client = _connect(address)
        try:
            _check_workers(self._client, root)
        except CauserieError:
            self._client.close()
            raise
        self._client.subscribe_topic(_TOPIC, lambda event: on_progress(*event[1]))
        resources = [worker["resources"] for worker in _worker_info(self._client).values()]
        self._model_options = {"resources": {"model": 1}} if any("model" in each for each in resources) else {}
        self._pools: dict[str, _DaskExecutor] = {}

    def __call__(self, pool: str) -> Executor:
        """The executor of a pool, "cpu" or "model"."""
        if pool not in self._pools:
            self._pools[pool] = _DaskExecutor(self._client.get_executor(pure=False, **(self._model_options if pool == "model" else {})))
        return self._pools[pool]

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for lane in self._pools.values():
            lane.shutdown(wait=kind is None)
        self._client.close()


class _DaskExecutor(Executor):
    """Dask's executor, with a dead worker reported as `BrokenExecutor`, as in `concurrent.futures`."""

    def __init__(self, remote: Any) -> None:  # Any: `distributed` has no types
        self._executor = remote

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        local: Future[Any] = Future()
        self._executor.submit(_call_on_worker, fn, *args, **kwargs).add_done_callback(lambda remote: _copy_outcome(remote, local))
        return local

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait)


def _copy_outcome(remote: Future[Any], local: Future[Any]) -> None:
    """Copy the outcome of Dask's future to the local one."""
    from distributed.scheduler import KilledWorker

    if remote.cancelled():
        local.cancel()
        local.set_running_or_notify_cancel()
    elif error := remote.exception():
        local.set_exception(BrokenExecutor(str(error)) if isinstance(error, KilledWorker) else error)
    else:
        local.set_result(remote.result())


def _call_on_worker(fn: Callable[..., Any], *args: Any) -> Any:
    """On a worker: call a function, and forward its progress reports."""
    from distributed import get_worker

    worker = get_worker()
    progress.set_listener(
        lambda step, done_s, total_s, left_s: worker.log_event(_TOPIC, (step, round(done_s, 1), round(total_s, 1), left_s))
    )
    try:
        return fn(*args)
    finally:
        progress.set_listener(None)


def _connect(address: str) -> DaskClient:
    try:
        import distributed
    except ImportError as error:
        raise CauserieError("Dask is not installed", _OPTION, 'pip install "causerie[cluster]"') from error
    try:
        client: DaskClient = distributed.Client(address, timeout=_TIMEOUT_S, set_as_default=False)  # type: ignore[no-untyped-call]  # no types
        return client
    except (OSError, ValueError) as error:
        raise CauserieError(f"no Dask scheduler answers at {address}", _OPTION, "start one with: dask scheduler") from error


def _worker_info(client: DaskClient) -> dict[str, Any]:
    """The scheduler's description of each worker by address; waits until one has started."""
    try:
        client.wait_for_workers(1, timeout=_TIMEOUT_S)
    except TimeoutError as error:
        raise CauserieError("the cluster has no worker", _OPTION, "start some with: dask worker ADDRESS --nthreads 1") from error
    workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]  # Any: `distributed` has no types
    return workers


def _check_workers(client: DaskClient, root: Path) -> None:
    """Raise `CauserieError` unless every worker runs this version, sees this folder, and has one thread: progress is per process."""
    workers = _worker_info(client)
    for name, answer in client.run(_describe_worker, str(root), on_error="return").items():
        version, sees_show = answer if isinstance(answer, tuple) else ("", False)  # an exception: the worker cannot import `pipeline`
        if version != __version__:
            problem, hint = (
                f"has {f'Causerie {version}' if version else 'no Causerie'}, not {__version__}",
                "install the same version there",
            )
        elif not sees_show:
            problem, hint = f"does not see {root}", "share the folder under the same path on every machine"
        elif name in workers and workers[name]["nthreads"] != 1:
            problem, hint = "runs several steps in one process", "start it with --nthreads 1"
        else:
            continue
        raise CauserieError(f"the worker at {name} {problem}", _OPTION, hint)


def _describe_worker(root: str) -> tuple[str, bool]:
    """On a worker: its version of Causerie, and whether it sees the show."""
    return __version__, (Path(root) / "show.toml").is_file()
