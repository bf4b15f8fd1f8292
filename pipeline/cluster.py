"""Workers on other machines: the same steps given to a Dask scheduler, for a show whose folder every machine sees under the same path.

    dask scheduler                                       on one machine
    dask worker tcp://…:8786 --nthreads 1                on each, once for each step it may do at the same time
    dask worker tcp://…:8786 --nthreads 1 --resources model=1    where Whisper should listen; anywhere when no worker says so

Workers only write into `.causerie/work/`; renaming and receipts stay with the process that was asked to build.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pipeline import __version__, progress
from pipeline.errors import CauserieError

if TYPE_CHECKING:
    from distributed import Client

_OPTION = "--cluster"
_TOPIC = "causerie-progress"
_PATIENCE_S = 10


class Cluster:
    """The executors of a run on a cluster, in place of `workers.Workers`; leaving the `with` block gives back what is not done.

    `CauserieError` when nobody answers at `address`, or a worker cannot do this show's work.
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
        """The executor of a lane."""
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
    """Dask's executor, which speaks of a worker that died as `concurrent.futures` does."""

    def __init__(self, remote: Any) -> None:
        self._remote = remote

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        mine: Future[Any] = Future()
        self._remote.submit(_told, fn, *args, **kwargs).add_done_callback(lambda theirs: _hand_on(theirs, mine))
        return mine

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._remote.shutdown(wait)


def _hand_on(theirs: Future[Any], mine: Future[Any]) -> None:
    """The outcome of Dask's future, to ours."""
    from distributed.scheduler import KilledWorker

    if theirs.cancelled():
        mine.cancel()
        mine.set_running_or_notify_cancel()
    elif error := theirs.exception():
        mine.set_exception(BrokenExecutor(str(error)) if isinstance(error, KilledWorker) else error)
    else:
        mine.set_result(theirs.result())


def _told(fn: Callable[..., Any], *args: Any) -> Any:
    """On a worker: call a function, and send on how far it says it is."""
    from distributed import get_worker

    worker = get_worker()
    progress.listen(lambda step, done_s, total_s: worker.log_event(_TOPIC, (step, round(done_s, 1), round(total_s, 1))))
    try:
        return fn(*args)
    finally:
        progress.listen(None)


def _connected(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError as error:
        raise CauserieError("Dask is not installed", _OPTION, 'pip install "causerie[cluster]"') from error
    try:
        return Client(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CauserieError(f"no Dask scheduler answers at {address}", _OPTION, "start one with: dask scheduler") from error


def _workers(client: Client) -> dict[str, Any]:
    """What each worker can do; some may still be starting."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
    except TimeoutError as error:
        raise CauserieError("the cluster has no worker", _OPTION, "start some with: dask worker ADDRESS --nthreads 1") from error
    return client.scheduler_info(n_workers=-1)["workers"]


def _refuse_misfits(client: Client, root: Path) -> None:
    """Every worker must run this Causerie, see this folder, and do one step at a time: a process reports on one."""
    workers = _workers(client)
    for name, found in client.run(_standing, str(root), on_error="return").items():
        version, sees = found if isinstance(found, tuple) else ("", False)  # an error: it has no `pipeline` to ask
        if version != __version__:
            problem, hint = f"has {f'Causerie {version}' if version else 'no Causerie'}, this is {__version__}", "install this one there"
        elif not sees:
            problem, hint = f"does not see {root}", "share the folder under the same path on every machine"
        elif name in workers and workers[name]["nthreads"] != 1:
            problem, hint = "does several steps in one process", "start it with --nthreads 1"
        else:
            continue
        raise CauserieError(f"the worker at {name} {problem}", _OPTION, hint)


def _standing(root: str) -> tuple[str, bool]:
    """On a worker: which Causerie it has, and whether it sees the show."""
    return __version__, (Path(root) / "show.toml").is_file()
