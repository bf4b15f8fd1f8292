"""Progress of a running step: steps call `report`, the runner sets the listener that receives it."""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str, float, float, float | None], None]  # step name, seconds done, seconds in total, seconds left if it is known

_listener: Listener | None = None
_current_step = ""


def report(done_s: float, total_s: float, left_s: float | None = None) -> None:
    """Report that `done_s` of `total_s` seconds of audio are done; ignored without a listener.

    `left_s` is how long the rest will take, where the step knows better than the share that is done.
    """
    if _listener is not None:
        _listener(_current_step, done_s, total_s, left_s)


def set_current_step(step: str) -> None:
    """Set the step that the next reports of this process are about."""
    global _current_step
    _current_step = step


def set_listener(listener: Listener | None) -> None:
    """Set the listener of every report of this process; None removes it."""
    global _listener
    _listener = listener
