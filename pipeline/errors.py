"""The one exception a user should ever meet."""

from __future__ import annotations


class CauserieError(Exception):
    """What went wrong, where, and what to do about it, as one sentence.

    `message` says what is wrong; `where` names the file, and the key or line when there is one;
    `hint` says what to do. Anything else that escapes the program is a bug and keeps its traceback.
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
    """Every mistake found in one look at a show, so that a person can mend them in one go."""

    def __init__(self, problems: tuple[CauserieError, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems

    def __reduce__(self) -> tuple[type, tuple[tuple[CauserieError, ...]]]:
        return type(self), (self.problems,)
