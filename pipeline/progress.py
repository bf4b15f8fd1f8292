"""How far a long step is: steps call `report`, whoever runs them decides where it is shown."""

from __future__ import annotations

from collections.abc import Callable

_listener: Callable[[float, float], None] | None = None


def report(done_s: float, total_s: float) -> None:
    """Say that `done_s` of `total_s` seconds of audio are done; nothing happens when nobody listens."""
    if _listener is not None:
        _listener(done_s, total_s)


def listen(listener: Callable[[float, float], None] | None) -> None:
    """From now on, pass every report of this process to `listener`."""
    global _listener
    _listener = listener
