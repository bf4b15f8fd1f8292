"""Worker processes: progress is reported, and no worker outlives the run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pipeline.engine.process_pool import ProcessPools
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
