"""Staleness: a pure comparison of a step's current inputs and outputs with its receipt, with the difference as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.engine.receipts import Digests, Receipt


@dataclass(frozen=True)
class Snapshot:
    """The current inputs, settings and outputs of a step, to compare with a receipt. A file that does not exist has the digest None."""

    revision: int
    settings: Mapping[str, Any]  # JSON values, from `to_canonical`
    reads: Digests
    writes: Mapping[str, str | None]


def why_stale(snapshot: Snapshot, receipt: Receipt | None) -> str | None:
    """Why a step must run, as a sentence, or None when its outputs are up to date."""
    if receipt is None:
        return "never built"
    if snapshot.revision != receipt.revision:
        return f"built by revision {receipt.revision} of this step; the current revision is {snapshot.revision}"
    if snapshot.settings != receipt.settings:
        return "; ".join(_setting_changes(receipt.settings, snapshot.settings))
    if snapshot.reads != receipt.reads:
        changed = sorted(key for key in {*snapshot.reads, *receipt.reads} if snapshot.reads.get(key) != receipt.reads.get(key))
        return f"{', '.join(changed)} changed"
    missing = [key for key, digest in snapshot.writes.items() if digest is None or key not in receipt.writes]
    return f"{', '.join(missing)} missing" if missing else None


def hand_edited(snapshot: Snapshot, receipt: Receipt) -> list[str]:
    """The keys of the outputs that exist with another digest than in the receipt."""
    return [key for key, digest in snapshot.writes.items() if digest is not None and digest != receipt.writes.get(key)]


def _setting_changes(old: Any, new: Any, name: str = "") -> list[str]:
    """Each setting that differs, with its dotted name, old and new value."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
        return [change for key in keys for change in _setting_changes(old.get(key), new.get(key), f"{name}.{key}".lstrip("."))]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(number, before, after) for number, (before, after) in enumerate(zip(old, new, strict=True), 1) if before != after]
        return [change for number, before, after in pairs for change in _setting_changes(before, after, f"{name}[{number}]")]
    return [f"{name} changed from {_abbreviate(old)} to {_abbreviate(new)}"]


def _abbreviate(value: Any) -> str:
    """A value in at most 60 characters; a table or a list of several values as its number of entries."""
    if isinstance(value, Mapping) or (isinstance(value, list) and (len(value) > 1 or isinstance(next(iter(value), 0), Mapping))):
        return f"{len(value)} {'entry' if len(value) == 1 else 'entries'}"
    text = "nothing" if value is None else f"“{value}”" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
