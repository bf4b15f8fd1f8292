"""The sentence that says why a step runs again."""

from __future__ import annotations

import pytest

from pipeline.engine.receipts import Receipt
from pipeline.engine.staleness import Snapshot, hand_edited, why_stale


def why(old: dict[str, object], new: dict[str, object]) -> str | None:
    """Why a step whose settings were `old` is stale with `new`."""
    return why_stale(Snapshot(1, new, {}, {}), Receipt("a/s", 1, old, {}, {}))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, "a changed from 1 to 2; b changed from 1 to 2"),
        ({"a": 1}, {"b": "x"}, "a changed from 1 to nothing; b changed from nothing to “x”"),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 1, "d": 3}}}, "a.b.d changed from 2 to 3"),
        ({"a": [1, 2, 3]}, {"a": [1, 4, 5]}, "a[2] changed from 2 to 4; a[3] changed from 3 to 5"),
        ({"a": [[1]]}, {"a": [[2]]}, "a[1][1] changed from 1 to 2"),
        ({"a": {"b": 1}}, {"a": 3}, "a changed from 1 entry to 3"),
        ({"a": {"b": 1, "c": 2}}, {"a": None}, "a changed from 2 entries to nothing"),
        ({"a": [1]}, {"a": []}, "a changed from [1] to []"),
        ({"a": [{"b": 1}]}, {"a": [1, 2]}, "a changed from 1 entry to 2 entries"),
        ({"a": 1}, {"a": [1]}, "a changed from 1 to [1]"),
        ({"a": "x" * 58}, {"a": "x" * 59}, f"a changed from “{'x' * 58}” to “{'x' * 58}…"),
        ({"a": True}, {"a": False}, "a changed from True to False"),
    ],
)
def test_each_setting_that_changed_is_named_with_both_values(old: dict[str, object], new: dict[str, object], sentence: str) -> None:
    assert why(old, new) == sentence


def test_inputs_that_changed_came_or_went_are_named_in_order() -> None:
    receipt = Receipt("a/s", 1, {}, {"same": "1", "z": "1", "gone": "1", "list": ["1", "2"]}, {})
    snapshot = Snapshot(1, {}, {"same": "1", "z": "2", "new": "1", "list": ["2", "1"]}, {})
    assert why_stale(snapshot, receipt) == "gone, list, new, z changed"


def test_outputs_that_are_missing_or_that_no_receipt_knows_are_named() -> None:
    receipt = Receipt("a/s", 1, {}, {}, {"here": "1", "gone": "1"})
    snapshot = Snapshot(1, {}, {}, {"here": "2", "gone": None, "added": "1"})
    assert why_stale(snapshot, receipt) == "gone, added missing"
    assert hand_edited(snapshot, receipt) == ["here", "added"]
