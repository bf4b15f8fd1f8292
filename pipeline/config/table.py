"""Reading hand-written TOML: every mistake is collected with its file and key, and none stops the reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from pathlib import Path
from types import EllipsisType
from typing import Any, TypeVar, overload

import tomli  # compiled: the standard library's tomllib takes three times as long

from pipeline.model import CauserieError, suggest, terminal_safe

T = TypeVar("T")

_TYPE_NAMES = {str: "text in quotes", bool: "true or false", int: "a whole number", float: "a number", list: "a list", dict: "a table"}


class Table:
    """One table of a TOML file. Read every key it may hold, then call `reject_unknown` to report the others.

    A getter returns the value of a key, or its default after adding a problem when the value is wrong.
    """

    # Any in this class: the values that tomli read

    def __init__(self, values: dict[str, Any], file: str, problems: list[CauserieError], name: str = "") -> None:
        self.values, self.file, self.problems, self.name = values, file, problems, name
        self._known_keys: set[str] = set()

    def add_problem(self, key: str, message: str, hint: str = "") -> None:
        """Add a mistake under a key of this table."""
        where = f"{self.file}: {self.name}.{key}" if self.name else f"{self.file}: {key}"
        self.problems.append(CauserieError(message, terminal_safe(where), hint))

    @overload
    def get(self, key: str, expected_type: type[T], default: None) -> T | None: ...

    @overload
    def get(self, key: str, expected_type: type[T], default: T | EllipsisType) -> T: ...

    def get(self, key: str, expected_type: type[Any], default: Any) -> Any:
        """The value of `key` if it is of the expected type; the default `...` means that the key is required."""
        self._known_keys.add(key)
        value = self.values.get(key)
        if value is None:
            if default is ...:
                self.add_problem(key, "is missing", f"add it, as {_TYPE_NAMES[expected_type]}")
            return _EMPTY_VALUES[expected_type] if default is ... else default
        if expected_type is float and type(value) is int:
            value = float(value)
        if type(value) is not expected_type:
            self.add_problem(key, f"must be {_TYPE_NAMES[expected_type]}, not {terminal_safe(str(value))[:40]}")
            return _EMPTY_VALUES[expected_type] if default is ... else default
        return value

    def mark_known(self, key: str) -> None:
        """Accept `key`, which other code reads."""
        self._known_keys.add(key)

    def string(self, key: str, default: str | EllipsisType = "", max_length: int = 4000) -> str:
        """A string without surrounding spaces, of at most `max_length` characters; a required one must not be empty."""
        value = self.get(key, str, default).strip()
        if default is ... and key in self.values and isinstance(self.values[key], str) and not value:
            self.add_problem(key, "is empty", "write something between the quotes")
        if unprintable := _UNPRINTABLE.search(key + value):  # some keys are names, which are printed too
            self.add_problem(key, f"holds a character that cannot be printed, U+{ord(unprintable[0]):04X}", "remove it")
            return default if isinstance(default, str) else ""
        if len(value) > max_length:
            self.add_problem(key, f"has {len(value)} characters", f"shorten it to {max_length}")
        return value

    def number(self, key: str, default: float, minimum: float, maximum: float) -> float:
        """A number from `minimum` to `maximum`, both included."""
        value = self.get(key, float, default)
        return value if self._check_range(key, value, minimum, maximum) else default

    def integer(self, key: str, default: int | None, minimum: int, maximum: int) -> int | None:
        """An integer from `minimum` to `maximum`, both included."""
        value = self.get(key, int, default)
        return value if value is None or self._check_range(key, value, minimum, maximum) else default

    def boolean(self, key: str, default: bool) -> bool:
        """A boolean."""
        return self.get(key, bool, default)

    def choice(self, key: str, default: T, allowed: Iterable[T]) -> T:
        """One of the allowed values, which have the type of the default."""
        allowed = tuple(allowed)
        value = self.get(key, type(default), default)
        if value not in allowed:
            hint = suggest(value, map(str, allowed)) if isinstance(value, str) else f"use one of {', '.join(map(str, allowed))}"
            self.add_problem(key, f"cannot be {terminal_safe(str(value))}", hint)
            return default
        return value

    def matching(self, key: str, pattern: str, example: str, default: str | EllipsisType = "") -> str:
        """A string that matches a regular expression from end to end, or is absent; `example` is shown in the error."""
        value = self.string(key, default)
        if value and re.fullmatch(pattern, value) is None:
            self.add_problem(key, f"cannot be “{terminal_safe(value)[:60]}”", f"write it like {example}")
            return ""
        return value

    def strings(self, key: str, default: Iterable[str] | EllipsisType = ()) -> tuple[str, ...]:
        """A list of strings; a single string counts as a list of one."""
        if isinstance(self.values.get(key), str):
            self._known_keys.add(key)
            return (self.values[key].strip(),)
        values = self.get(key, list, ... if isinstance(default, EllipsisType) else list(default))
        if others := [value for value in values if not isinstance(value, str)]:
            self.add_problem(key, f"must hold only texts in quotes, not {terminal_safe(str(others[0]))[:40]}")
        return tuple(value.strip() for value in values if isinstance(value, str))

    def timestamp(self, key: str) -> datetime | None:
        """A required date and time with a time zone, from 1990 to 2200; None after a mistake."""
        self._known_keys.add(key)
        value = self.values.get(key)
        if value is None:
            self.add_problem(key, "is missing", "add it, like 2026-11-10T06:00:00+01:00")
        elif not isinstance(value, datetime):
            what = f"{value} has no time" if isinstance(value, date) else f"{terminal_safe(str(value))[:40]} is not a date"
            self.add_problem(key, what, "write date, time and zone without quotes, like 2026-11-10T06:00:00+01:00")
        elif value.tzinfo is None:
            self.add_problem(key, f"{value.isoformat()} has no time zone", f"write it like {value.isoformat()}+01:00")
        elif not 1990 <= value.year <= 2200:
            self.add_problem(key, f"{value.isoformat()} is not a plausible date", "correct the year")
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
            self.add_problem(key, "must be a list of tables", f"write each as [[{key}]]")
        name = f"{self.name}.{key}".lstrip(".")
        return [Table(value, self.file, self.problems, f"{name}[{i}]") for i, value in enumerate(values, 1) if isinstance(value, dict)]

    def map_tables(self, read: Callable[[str, Table], T]) -> dict[str, T]:
        """The result of `read` for every key of a table of tables."""
        return {key: read(key, self.table(key)) for key in self.values}

    def reject_unknown(self, top_level_keys: Collection[str] = ()) -> None:
        """Add a problem for every unknown key, with the closest known one; `top_level_keys` belong above the first table."""
        for key in self.values:
            if key in self._known_keys:
                continue
            if key in top_level_keys:
                self.add_problem(key, "does not belong to this table", "write it above the first line in [brackets]")
            else:
                self.add_problem(key, "is not a key Causerie knows", suggest(key, self._known_keys))

    def _check_range(self, key: str, value: float, minimum: float, maximum: float) -> bool:
        """Whether a number is in a range; adds a problem when it is not. NaN never is."""
        if minimum <= value <= maximum:
            return True
        self.add_problem(key, f"cannot be {value:g}", f"give a number from {minimum:g} to {maximum:g}")
        return False


# Unicode category Cc without line ends, and the bidirectional overrides (U+2066 to U+2069 are allowed)
_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
_EMPTY_VALUES: dict[type, Any] = {str: "", bool: False, int: 0, float: 0.0, list: [], dict: {}}


def read_toml(path: Path, name: str, problems: list[CauserieError]) -> Table | None:
    """The file as a table, or None after adding the reason why it cannot be read; `name` is the file's name in messages."""
    try:
        return Table(tomli.loads(path.read_text(encoding="utf-8-sig")), name, problems)
    except FileNotFoundError:
        problems.append(CauserieError("is missing", name, "create one with causerie init, or give the right folder with --show"))
    except UnicodeDecodeError:
        problems.append(CauserieError("is not UTF-8 text", name, "save it again as UTF-8"))
    except tomli.TOMLDecodeError as error:
        problems.append(CauserieError(f"is not valid TOML: {terminal_safe(str(error))}", name, "correct that line"))
    except OSError as error:
        problems.append(CauserieError(f"cannot be read: {error.strerror}", name, "check its permissions"))
    return None
