"""A lock is held by one process at a time, dies with it, and harms no file."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.engine import locks
from pipeline.engine.locks import exclusive_lock
from pipeline.model import CauserieError

ROOT = Path(__file__).parents[2]
HELD = CauserieError("somebody else holds it", "here", "wait")
HOLDER = """
import sys
from pathlib import Path
from pipeline.engine.locks import exclusive_lock
from pipeline.model import CauserieError
with exclusive_lock(Path(sys.argv[1]), CauserieError("held"), lock_file=sys.argv[2] == "file"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(path: Path, kind: str = "file") -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until its standard input is closed, or until it is killed."""
    command = [sys.executable, "-c", HOLDER, str(path), kind]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_another_process_holds_is_refused_until_that_process_is_killed(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lock" if kind == "file" else tmp_path
    with another_process(path, kind) as process:
        with pytest.raises(CauserieError, match="somebody else holds it"), exclusive_lock(path, HELD, lock_file=kind == "file"):
            pytest.fail("both hold it")
        process.kill()
        process.wait()
        with exclusive_lock(path, HELD, lock_file=kind == "file"):
            pass


def test_a_refusal_leaves_the_lock_with_its_holder(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path / "lock", HELD):
        for _ in range(2):
            with pytest.raises(CauserieError), exclusive_lock(tmp_path / "lock", HELD):
                pytest.fail("both hold it")


def test_an_error_in_the_block_frees_the_lock_and_leaves_its_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive_lock(tmp_path / "lock", HELD):
        1 / 0  # noqa: B018
    assert (tmp_path / "lock").read_bytes() == b""
    with exclusive_lock(tmp_path / "lock", HELD):
        pass


def test_a_file_that_stands_there_keeps_its_content(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("notes")
    with exclusive_lock(tmp_path / "lock", HELD), pytest.raises(CauserieError), exclusive_lock(tmp_path / "lock", HELD):
        pass
    assert (tmp_path / "lock").read_text() == "notes"


@pytest.mark.parametrize("target", ["letter", "missing"])
def test_a_link_in_the_place_of_a_lock_file_is_not_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "letter").write_text("dear all")
    (tmp_path / "lock").symlink_to(tmp_path / target)
    with pytest.raises(CauserieError, match="is a link"), exclusive_lock(tmp_path / "lock", HELD):
        pytest.fail("locked what the link leads to")
    assert (tmp_path / "letter").read_text() == "dear all" and not (tmp_path / "missing").exists()


def test_a_data_file_is_locked_as_it_is_and_never_created(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("{}")
    (tmp_path / "data.json").chmod(0o444)
    with exclusive_lock(tmp_path / "data.json", HELD, lock_file=False):
        assert (tmp_path / "data.json").read_text() == "{}"
    with pytest.raises(FileNotFoundError), exclusive_lock(tmp_path / "other.json", HELD, lock_file=False):
        pytest.fail("locked a file that is not there")
    assert not (tmp_path / "other.json").exists()


def test_a_folder_without_locks_is_an_error_unless_the_lock_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", no_locks)
    with pytest.raises(OSError, match="No locks available"), exclusive_lock(tmp_path, HELD, lock_file=False):
        pytest.fail("went on without a lock")
    entered = []
    with exclusive_lock(tmp_path, HELD, lock_file=False, required=False):
        entered.append(True)
    assert entered
