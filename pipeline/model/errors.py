"""The exceptions for mistakes a user can fix; any other exception is a bug."""

from __future__ import annotations


class CauserieError(Exception):
    """A mistake a user can fix, printed as one sentence: `where: message; hint`.

    `message` states what is wrong, `where` the file with its key or line if any, `hint` what to do. Any other exception is a bug
    and keeps its traceback.
    """

    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        super().__init__(message, where, hint)  # all three, so that it survives pickling to a worker
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        start = f"{self.where}: " if self.where else ""
        end = f"; {self.hint}" if self.hint else ""
        return f"{start}{self.message}{end}"


class Problems(CauserieError):
    """Every mistake found in a show at once, so that a person can fix them together."""

    def __init__(self, problems: tuple[CauserieError, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems

    def __reduce__(self) -> tuple[type, tuple[tuple[CauserieError, ...]]]:
        return type(self), (self.problems,)
