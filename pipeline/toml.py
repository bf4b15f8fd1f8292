"""Reading hand-written TOML: every mistake is collected with its file and key, and none stops the reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from pathlib import Path
from types import EllipsisType
from typing import Any, TypeVar, overload

import tomli  # compiled: the standard library's tomllib takes three times as long

from pipeline.errors import CauserieError
from pipeline.text import nearest, printable

T = TypeVar("T")

_KINDS = {str: "text in quotes", bool: "true or false", int: "a whole number", float: "a number", list: "a list", dict: "a table"}


class Table:
    """One table of a TOML file. Read every key it may hold, then call `reject_unknown` to report the others.

    A getter returns the value of a key, or its default after adding a problem when the value is wrong.
    """

    # Any in this class: the values that tomli read

    def __init__(self, values: dict[str, Any], file: str, problems: list[CauserieError], name: str = "") -> None:
        self.values, self.file, self.problems, self.name = values, file, problems, name
        self._asked: set[str] = set()

    def problem(self, key: str, message: str, hint: str = "") -> None:
        """Add a mistake under a key of this table."""
        where = f"{self.file}: {self.name}.{key}" if self.name else f"{self.file}: {key}"
        self.problems.append(CauserieError(message, printable(where), hint))

    @overload
    def get(self, key: str, kind: type[T], default: None) -> T | None: ...

    @overload
    def get(self, key: str, kind: type[T], default: T | EllipsisType) -> T: ...

    def get(self, key: str, kind: type[Any], default: Any) -> Any:
        """The value of `key` if it is of the expected type; the default `...` means that the key is required."""
        self._asked.add(key)
        value = self.values.get(key)
        if value is None:
            if default is ...:
                self.problem(key, "is missing", f"add it, as {_KINDS[kind]}")
            return _EMPTY[kind] if default is ... else default
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            self.problem(key, f"must be {_KINDS[kind]}, not {printable(str(value))[:40]}")
            return _EMPTY[kind] if default is ... else default
        return value

    def known(self, key: str) -> None:
        """Accept `key`, which other code reads."""
        self._asked.add(key)

    def text(self, key: str, default: str | EllipsisType = "", most: int = 4000) -> str:
        """A string without surrounding spaces, of at most `max_length` characters; a required one must not be empty."""
        value = self.get(key, str, default).strip()
        if default is ... and key in self.values and isinstance(self.values[key], str) and not value:
            self.problem(key, "is empty", "write something between the quotes")
        if bad := _UNPRINTABLE.search(key + value):  # some keys are names, which are printed too
            self.problem(key, f"holds a character that cannot be printed, U+{ord(bad[0]):04X}", "remove it")
            return default if isinstance(default, str) else ""
        if len(value) > most:
            self.problem(key, f"has {len(value)} characters", f"shorten it to {most}")
        return value

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """A number from `minimum` to `maximum`, both included."""
        value = self.get(key, float, default)
        return value if self._between(key, value, low, high) else default

    def whole(self, key: str, default: int | None, low: int, high: int) -> int | None:
        """An integer from `minimum` to `maximum`, both included."""
        value = self.get(key, int, default)
        return value if value is None or self._between(key, value, low, high) else default

    def flag(self, key: str, default: bool) -> bool:
        """A boolean."""
        return self.get(key, bool, default)

    def choice(self, key: str, default: T, allowed: Iterable[T]) -> T:
        """One of the allowed values, which have the type of the default."""
        allowed = tuple(allowed)
        value = self.get(key, type(default), default)
        if value not in allowed:
            hint = nearest(value, map(str, allowed)) if isinstance(value, str) else f"use one of {', '.join(map(str, allowed))}"
            self.problem(key, f"cannot be {printable(str(value))}", hint)
            return default
        return value

    def matching(self, key: str, pattern: str, example: str, default: str | EllipsisType = "") -> str:
        """A string that matches a regular expression from end to end, or is absent; `example` is shown in the error."""
        value = self.text(key, default)
        if value and re.fullmatch(pattern, value) is None:
            self.problem(key, f"cannot be “{printable(value)[:60]}”", f"write it like {example}")
            return ""
        return value

    def texts(self, key: str, default: Iterable[str] | EllipsisType = ()) -> tuple[str, ...]:
        """A list of strings; a single string counts as a list of one."""
        if isinstance(self.values.get(key), str):
            self._asked.add(key)
            return (self.values[key].strip(),)
        values = self.get(key, list, ... if isinstance(default, EllipsisType) else list(default))
        if bad := [value for value in values if not isinstance(value, str)]:
            self.problem(key, f"must hold only texts in quotes, not {printable(str(bad[0]))[:40]}")
        return tuple(value.strip() for value in values if isinstance(value, str))

    def moment(self, key: str) -> datetime | None:
        """A required date and time with a time zone, from 1990 to 2200; None after a mistake."""
        self._asked.add(key)
        value = self.values.get(key)
        if value is None:
            self.problem(key, "is missing", "add it, like 2026-11-10T06:00:00+01:00")
        elif not isinstance(value, datetime):
            what = f"{value} has no time" if isinstance(value, date) else f"{printable(str(value))[:40]} is not a date"
            self.problem(key, what, "write date, time and zone without quotes, like 2026-11-10T06:00:00+01:00")
        elif value.tzinfo is None:
            self.problem(key, f"{value.isoformat()} has no time zone", f"write it like {value.isoformat()}+01:00")
        elif not 1990 <= value.year <= 2200:
            self.problem(key, f"{value.isoformat()} is not a plausible date", "correct the year")
        else:
            return value
        return None

    def table(self, key: str) -> Table:
        """A table inside this one, empty when it is absent."""
        return Table(self.get(key, dict, {}), self.file, self.problems, f"{self.name}.{key}".lstrip("."))

    def tables(self, key: str) -> list[Table]:
        """The tables of an array of tables, `[[key]]`."""
        values = self.get(key, list, [])
        if any(not isinstance(value, dict) for value in values):
            self.problem(key, "must be a list of tables", f"write each as [[{key}]]")
        place = f"{self.name}.{key}".lstrip(".")
        return [Table(value, self.file, self.problems, f"{place}[{i}]") for i, value in enumerate(values, 1) if isinstance(value, dict)]

    def each(self, read: Callable[[str, Table], T]) -> dict[str, T]:
        """The result of `read` for every key of a table of tables."""
        return {key: read(key, self.table(key)) for key in self.values}

    def end(self, above: Collection[str] = ()) -> None:
        """Add a problem for every unknown key, with the closest known one; `top_level_keys` belong above the first table."""
        for key in self.values:
            if key in self._asked:
                continue
            if key in above:
                self.problem(key, "does not belong to this table", "write it above the first line in [brackets]")
            else:
                self.problem(key, "is not a key Causerie knows", nearest(key, self._asked))

    def _between(self, key: str, value: float, low: float, high: float) -> bool:
        """Whether a number is in a range; adds a problem when it is not. NaN never is."""
        if low <= value <= high:
            return True
        self.problem(key, f"cannot be {value:g}", f"give a number from {low:g} to {high:g}")
        return False


# Unicode category Cc without line ends, and the bidirectional overrides (U+2066 to U+2069 are allowed)
_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
_EMPTY: dict[type, Any] = {str: "", bool: False, int: 0, float: 0.0, list: [], dict: {}}


def read_toml(path: Path, name: str, problems: list[CauserieError]) -> Table | None:
    """The file as a table, or None after adding the reason why it cannot be read; `name` is the file's name in messages."""
    try:
        return Table(tomli.loads(path.read_text(encoding="utf-8-sig")), name, problems)
    except FileNotFoundError:
        problems.append(CauserieError("is missing", name, "create one with causerie init, or give the right folder with --show"))
    except UnicodeDecodeError:
        problems.append(CauserieError("is not UTF-8 text", name, "save it again as UTF-8"))
    except tomli.TOMLDecodeError as error:
        problems.append(CauserieError(f"is not valid TOML: {printable(str(error))}", name, "correct that line"))
    except OSError as error:
        problems.append(CauserieError(f"cannot be read: {error.strerror}", name, "check its permissions"))
    return None
