"""Receipts: the inputs, settings and outputs of each step's last run, kept as lines in one append-only journal.

Appending is the only write, so a kill leaves at worst one truncated last line, which is ignored. A receipt is *prepared* (a line
"promise") before its outputs are renamed into place and *committed* (a line "done") after, so that outputs left by a kill between
the two are recognised as the program's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

from pipeline.engine.files import write_atomic

Digest = str | None  # SHA-256 in hexadecimal; None for a file that does not exist
Digests = Mapping[str, Digest | list[Digest]]  # keyword -> digest, or a list where a step reads several files


@dataclass(frozen=True)
class Receipt:
    """The inputs and outputs of one run of a step; digests are SHA-256 in hexadecimal."""

    step: str
    revision: int  # of the step; see `Step.revision`
    settings: Mapping[str, Any]  # in the form of `to_canonical`
    reads: Digests
    writes: Mapping[str, str]
    tool: str = ""  # Causerie's version, for support; a change of it makes nothing stale


class Journal:
    """The receipts of a show: read once, then appended to as steps finish."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.receipts: dict[str, Receipt] = {}
        self.prepared: dict[str, Receipt] = {}
        self.failures: dict[str, str] = {}  # step -> why its last run failed
        self._line_count = 0
        self._stream: IO[str] | None = None
        self._replay()

    def prepare(self, receipt: Receipt) -> None:
        """Record the outputs that are about to be renamed into place."""
        self._append(_receipt_line("promise", receipt))
        self.prepared[receipt.step] = receipt

    def commit(self, receipt: Receipt) -> None:
        """Record that the step's outputs are in place."""
        self._append(_receipt_line("done", receipt))
        self._apply_commit(receipt)

    def record_failure(self, step: str, why: str) -> None:
        """Record why a step failed; kept until the step is committed."""
        self._append(_failure_line(step, why))
        self.failures[step] = why

    def close(self) -> None:
        """Close the file, and rewrite the journal when most of its lines are obsolete."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        if self._line_count > 2 * len(self.receipts) + 100:
            lines = [_receipt_line("done", receipt) for receipt in self.receipts.values()]
            lines += [_receipt_line("promise", receipt) for receipt in self.prepared.values()]
            write_atomic(self.path, "".join(lines + [_failure_line(step, why) for step, why in self.failures.items()]))

    def _append(self, line: str) -> None:
        if self._stream is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.path.open("a", encoding="utf-8")
            if self.path.stat().st_size and not self.path.read_bytes().endswith(b"\n"):
                self._stream.write("\n")  # after a truncated line
        self._stream.write(line)
        self._stream.flush()
        self._line_count += 1

    def _replay(self) -> None:
        text = self.path.read_text(encoding="utf-8", errors="replace") if self.path.exists() else ""
        for line in filter(None, text.split("\n")):  # not splitlines: JSON leaves U+2028 and U+0085 as they are
            self._line_count += 1
            try:
                self._apply_line(*json.loads(line))
            except (ValueError, TypeError):
                continue  # truncated by a kill: its step runs again

    def _apply_line(self, state: str, *values: Any) -> None:  # Any: values that `json` read
        if state == "failed":
            step, why = values
            self.failures[step] = why
        elif state == "done":
            self._apply_commit(_parse_receipt(*values))
        else:
            receipt = _parse_receipt(*values)
            self.prepared[receipt.step] = receipt

    def _apply_commit(self, receipt: Receipt) -> None:
        self.receipts[receipt.step] = receipt
        self.prepared.pop(receipt.step, None)
        self.failures.pop(receipt.step, None)


def to_canonical(value: Any) -> Any:
    """A setting as JSON values: dataclasses become objects, dates text; empty fields are omitted.

    Because of that, a field added to a dataclass later, with an empty default, makes nothing stale.
    """
    if isinstance(value, (str, int, float)) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): to_canonical(item) for key, item in sorted(value.items()) if not _is_empty(item)}
    if isinstance(value, (tuple, list)):
        return [to_canonical(item) for item in value]
    if is_dataclass(value):
        return {name: to_canonical(item) for name, item in vars(value).items() if not _is_empty(item)}
    return value.isoformat() if isinstance(value, date) else value


def _is_empty(value: Any) -> bool:
    return not value and (value is None or isinstance(value, (str, tuple, list, Mapping)))


def _parse_receipt(step: str, revision: int | str, *values: Any) -> Receipt:
    """A receipt from the values of its line; version 0.1 wrote the dotted name of the step's function in place of the revision."""
    return Receipt(step, revision if isinstance(revision, int) else 1, *values)


def _receipt_line(state: str, receipt: Receipt) -> str:
    return json.dumps([state, *vars(receipt).values()], ensure_ascii=False) + "\n"


def _failure_line(step: str, why: str) -> str:
    return json.dumps(["failed", step, why], ensure_ascii=False) + "\n"
