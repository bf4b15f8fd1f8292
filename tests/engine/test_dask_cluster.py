"""Steps on a Dask cluster: a real scheduler and real worker processes, on this machine."""

import pytest
from distributed import LocalCluster

from pipeline.engine.dask_cluster import DaskCluster
from pipeline.engine.runner import run_steps
from pipeline.engine.step import Step
from pipeline.model.errors import CauserieError
from tests.support import little_steps

pytestmark = pytest.mark.slow

SHOUT = Step("a/shout", little_steps.to_upper, {"source": "raw.txt"}, {"loud": "loud.txt"})


@pytest.fixture(scope="module")
def cluster():
    quiet = {"dashboard_address": None, "host": "127.0.0.1", "silence_logs": 50}
    with LocalCluster(2, threads_per_worker=1, processes=True, resources={"model": 1}, **quiet) as cluster:
        yield cluster


@pytest.fixture
def address(cluster) -> str:
    """Where the scheduler is, once the workers are there: what one test killed needs a while to be back."""
    cluster.wait_for_workers(2, timeout=180)
    return cluster.scheduler_address


@pytest.fixture
def show(tmp_path):
    (tmp_path / "show.toml").touch()
    (tmp_path / "raw.txt").write_text("bonjour")
    return tmp_path


def test_steps_run_on_the_cluster_and_their_errors_are_returned(address, show):
    refuse = Step("a/refuse", little_steps.raise_user_error, {"source": "raw.txt"}, {"out": "out.txt"}, pool="model")
    with DaskCluster(address, show) as workers:
        built, failed = run_steps((SHOUT, refuse), show, workers)
    assert (show / "loud.txt").read_text() == "BONJOUR!"
    assert (built.status, failed.why) == ("built", "raw.wav: is not a recording; export it again")


def test_what_a_cluster_built_is_current_here(address, show):
    with DaskCluster(address, show) as workers:
        run_steps((SHOUT,), show, workers)
        assert [result.status for result in run_steps((SHOUT,), show, workers)] == ["current"]


def test_progress_reports_are_forwarded(address, show):
    reports = []
    with DaskCluster(address, show, lambda *report: reports.append(report)) as workers:
        run_steps((Step("a/long", little_steps.report_half_way, {"source": "raw.txt"}, {"out": "out.txt"}),), show, workers)
    assert ("a/long", 1.0, 2.0, 3.0) in reports


def test_a_worker_that_dies_fails_its_step_and_no_other(address, show):
    die = Step("b/die", little_steps.kill_own_process, {"source": "raw.txt"}, {"out": "out.txt"})
    with DaskCluster(address, show) as workers:
        assert [result.status for result in run_steps((die, SHOUT), show, workers)] == ["failed", "built"]


def test_a_worker_that_does_not_see_the_show_is_refused(address, tmp_path):
    with pytest.raises(CauserieError, match="does not see"):
        DaskCluster(address, tmp_path)


def test_an_address_without_scheduler_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.engine.dask_cluster._TIMEOUT_S", 0.5)
    with pytest.raises(CauserieError, match="no Dask scheduler answers at tcp://127.0.0.1:9"):
        DaskCluster("tcp://127.0.0.1:9", tmp_path)
