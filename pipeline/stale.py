"""Why a step must run: a pure comparison of how things are with what its receipt says, answered in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.receipts import Receipt


@dataclass(frozen=True)
class Facts:
    """How things are now: what a receipt is compared with. A file that is not there has the digest None."""

    revision: int
    settings: Mapping[str, Any]
    reads: Mapping[str, Any]
    writes: Mapping[str, str | None]


def why_stale(now: Facts, receipt: Receipt | None) -> str | None:
    """Why a step must run, as a sentence, or None when what it made is what it would make again."""
    if receipt is None:
        return "never made"
    if now.revision != receipt.revision:
        return f"made by revision {receipt.revision} of this step, which is at revision {now.revision} now"
    if now.settings != receipt.settings:
        return "; ".join(_changes(receipt.settings, now.settings))
    if now.reads != receipt.reads:
        changed = sorted(key for key in {*now.reads, *receipt.reads} if now.reads.get(key) != receipt.reads.get(key))
        return f"{', '.join(changed)} changed"
    missing = [key for key, digest in now.writes.items() if digest is None or key not in receipt.writes]
    return f"{', '.join(missing)} missing" if missing else None


def edited(now: Facts, receipt: Receipt) -> list[str]:
    """The outputs that are there and are not what the step made."""
    return [key for key, digest in now.writes.items() if digest is not None and digest != receipt.writes.get(key)]


def _changes(old: Any, new: Any, name: str = "") -> list[str]:
    """Each setting that differs, by its dotted name, old and new value."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
        return [change for key in keys for change in _changes(old.get(key), new.get(key), f"{name}.{key}".lstrip("."))]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(number, *pair) for number, pair in enumerate(zip(old, new, strict=True), 1) if pair[0] != pair[1]]
        return [change for number, *pair in pairs for change in _changes(*pair, f"{name}[{number}]")]
    return [f"{name} changed from {_short(old)} to {_short(new)}"]


def _short(value: Any) -> str:
    """A value in a few words; a table, or a list of several things, by how much there is of it."""
    if isinstance(value, Mapping) or (isinstance(value, list) and (len(value) > 1 or isinstance(next(iter(value), 0), Mapping))):
        return f"{len(value)} {'entry' if len(value) == 1 else 'entries'}"
    text = "nothing" if value is None else f"“{value}”" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
