"""Worker processes: progress is reported, and no worker outlives the run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from pipeline.engine import process_pool
from pipeline.engine.process_pool import ProcessPools, available_cores
from pipeline.engine.runner import run_steps
from pipeline.engine.step import Step
from tests.support import little_steps


def test_a_step_runs_in_another_process_and_its_error_is_returned(tmp_path):
    (tmp_path / "raw.txt").write_text("bonjour")
    steps = (
        Step("a/shout", little_steps.to_upper, {"source": "raw.txt"}, {"loud": "loud.txt"}),
        Step("a/refuse", little_steps.raise_user_error, {"source": "raw.txt"}, {"out": "out.txt"}, pool="model"),
    )
    with ProcessPools(2) as workers:
        built, failed = run_steps(steps, tmp_path, workers)
    assert (tmp_path / "loud.txt").read_text() == "BONJOUR!"
    assert (built.status, failed.why) == ("built", "raw.wav: is not a recording; export it again")


def test_a_worker_that_is_killed_fails_its_step_and_no_other(tmp_path):
    (tmp_path / "raw.txt").write_text("bonjour")
    steps = tuple(
        Step(f"{name}/step", function, {"source": "raw.txt"}, {out: f"{name}.txt"}, pool="model")
        for name, function, out in (
            ("a", little_steps.kill_own_process, "out"),
            ("b", little_steps.to_upper, "loud"),
            ("c", little_steps.to_upper, "loud"),
        )
    )
    with ProcessPools(1) as workers:
        statuses = [result.status for result in run_steps(steps, tmp_path, workers)]
    assert statuses == ["failed", "built", "built"]


def test_a_kill_of_the_main_process_ends_the_workers_and_what_they_started(tmp_path):
    program = (
        "import subprocess, sys\n"
        "from pipeline.engine.process_pool import ProcessPools\n"
        "import sleeper\n"
        "if __name__ == '__main__':\n"
        "    with ProcessPools(1) as workers:\n"
        "        workers('cpu').submit(sleeper.sleep, sys.argv[1]).result()\n"
    )
    (tmp_path / "sleeper.py").write_text(
        "import os, subprocess\n"
        "def sleep(path):\n"
        "    child = subprocess.Popen(['sleep', '60'])\n"
        "    with open(path, 'w') as out: out.write(f'{os.getpid()} {child.pid}\\n')\n"
        "    child.wait()\n"
    )
    (tmp_path / "program.py").write_text(program)
    pids, root = tmp_path / "pids", Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}:{tmp_path}"}
    main = subprocess.Popen([sys.executable, tmp_path / "program.py", pids], env=environment)
    _wait_until(lambda: pids.exists() and pids.read_text().endswith("\n"))
    main.send_signal(signal.SIGKILL)
    main.wait()
    _wait_until(lambda: not any(_alive(int(pid)) for pid in pids.read_text().split()))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def _wait_until(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_progress_of_a_worker_reaches_the_listener(tmp_path):
    (tmp_path / "raw.txt").write_text("bonjour")
    heard = []
    with ProcessPools(1, lambda *report: heard.append(report)) as workers:
        run_steps((Step("a/long", little_steps.report_half_way, {"source": "raw.txt"}, {"out": "out.txt"}),), tmp_path, workers)
        _wait_until(lambda: heard)
    assert heard == [("a/long", 1.0, 2.0, 3.0)]


def test_reports_are_lines_of_json_now_and_then_and_always_the_last(monkeypatch):
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    now_s = iter((10.0, 10.0, 10.1, 10.25, 10.25, 10.3, 10.3, 11.0, 11.0))
    monkeypatch.setattr(process_pool, "time", SimpleNamespace(monotonic=lambda: next(now_s)))
    send = process_pool._reporter(writes)
    for done_s, left_s in ((1.26, 7.77), (2, None), (3, None), (9.94, 0)):  # at 10.0, at 10.1, at 10.25, and the end at 10.3
        send("été", done_s, 9.94, left_s)
    lines = os.read(reads, 1000).decode().splitlines()
    assert lines == ['["\\u00e9t\\u00e9", 1.3, 9.9, 7.8]', '["\\u00e9t\\u00e9", 3, 9.9, null]', '["\\u00e9t\\u00e9", 9.9, 9.9, 0]']
    os.close(reads)
    send("a", 1, 1, None)  # nobody listens any more
    os.close(writes)


def test_cores_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(1000)) if pid == 0 else set(), raising=False)
    assert available_cores() == 1000
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert available_cores() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


def test_a_pool_is_started_once_and_one_model_runs_at_a_time():
    with ProcessPools(0) as workers:
        assert workers("cpu") is workers("cpu") and workers("cpu") is not workers("model")
        found = [workers(pool).submit(little_steps.describe_worker).result() for pool in ("cpu", "model")]
        sizes = [workers(pool)._pool._max_workers for pool in ("cpu", "model")]
    assert sizes == [1, 1]
    for pid, group, blocks_interrupts in found:
        assert pid == group != os.getpgid(0) and blocks_interrupts
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with ProcessPools(3) as workers:
        assert [workers(pool)._pool._max_workers for pool in ("cpu", "model")] == [3, 1]
