"""Steps small enough to reason about, importable by worker processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from pipeline.engine import progress
from pipeline.engine.drafts import add_stamp
from pipeline.model.errors import CauserieError


def to_upper(source: Path, *, loud: Path, mark: str = "!") -> None:
    """The source in capitals."""
    loud.write_text(source.read_text().upper() + mark)


def strip(source: Path, *, bare: Path) -> None:
    """The source without surrounding spaces: many sources give one result."""
    bare.write_text(source.read_text().strip())


def write_draft(source: Path, *, text: Path) -> None:
    """A stamped draft."""
    text.write_text(add_stamp(f"+++\n+++\n{source.read_text()}"))


def raise_user_error(source: Path, *, out: Path) -> None:
    """Fail as with a broken recording."""
    raise CauserieError("is not a recording", "raw.wav", "export it again")


def raise_bug(source: Path, *, out: Path) -> None:
    """Fail as with a bug."""
    raise ZeroDivisionError("one over nothing")


def write_slowly(source: Path, *, out: Path, seconds: float = 0.2) -> None:
    """Half a file, a pause, the other half."""
    with out.open("w") as stream:
        stream.write("half ")
        stream.flush()
        time.sleep(seconds)
        stream.write(source.read_text())


def copy_twice(source: Path, *, one: Path, two: Path) -> None:
    """Two copies."""
    one.write_text(source.read_text())
    two.write_text(source.read_text())


def draft_twice(source: Path, *, one: Path, two: Path) -> None:
    """Two stamped drafts."""
    write_draft(source, text=one)
    write_draft(source, text=two)


def take_anything(source: Path, *, out: Path, **more: object) -> None:
    """A copy, whatever else is given."""
    out.write_text(source.read_text())


def kill_own_process(source: Path, *, out: Path) -> None:
    """Die as a process killed for lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def report_half_way(source: Path, *, out: Path) -> None:
    """Report that half is done and three seconds are left, then finish."""
    progress.report(1.0, 2.0, 3.0)
    out.write_text(source.read_text())


def describe_worker() -> tuple[int, int, bool]:
    """The process, its group, and whether it never receives SIGINT."""
    return os.getpid(), os.getpgid(0), signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
