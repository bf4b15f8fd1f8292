"""How far a long step is: steps call `report`, whoever runs them decides where it is shown."""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str, float, float], None]  # step name, seconds done, seconds in all

_listener: Listener | None = None
_step = ""


def report(done_s: float, total_s: float) -> None:
    """Say that `done_s` of `total_s` seconds of audio are done; nothing happens when nobody listens."""
    if _listener is not None:
        _listener(_step, done_s, total_s)


def begin(step: str) -> None:
    """From now on, reports are about this step."""
    global _step
    _step = step


def listen(listener: Listener | None) -> None:
    """From now on, pass every report of this process to `listener`."""
    global _listener
    _listener = listener
