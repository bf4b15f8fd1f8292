"""Child processes that Ctrl-C reaches, and that do not outlive their test."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def child_process(*command: str | Path, stderr: int = subprocess.PIPE, cwd: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """A child that hears SIGINT, which who runs the suite may have it ignore; killed when the test leaves it running."""

    def hear_interrupts() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    pipes = {"stdout": subprocess.PIPE, "stderr": stderr, "cwd": cwd, "start_new_session": True}
    with subprocess.Popen(command, text=True, preexec_fn=hear_interrupts, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()
