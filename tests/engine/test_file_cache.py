"""Values computed from files are computed again only when the files change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.engine.file_cache import FileCache, source_signature


def cached_value(root: Path, by: str = "me") -> tuple[object, bool]:
    """The value for a file in a new run, and whether it was computed."""
    asked: list[bool] = []
    looked = FileCache(root)
    found = looked.get_or_compute(root / "a", "size a", by, lambda: asked.append(True) or (root / "a").read_text())
    looked.save()
    return found, bool(asked)


def test_a_value_is_computed_once_until_the_file_or_the_code_changes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    assert [cached_value(tmp_path), cached_value(tmp_path)] == [("one", True), ("one", False)]
    assert cached_value(tmp_path, by="another") == ("one", True)
    (tmp_path / "a").write_text("three")
    assert cached_value(tmp_path) == ("three", True)


def test_another_file_of_the_same_size_and_time_is_another_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    cached_value(tmp_path)
    was = (tmp_path / "a").stat()
    (tmp_path / "b").write_text("two")
    os.utime(tmp_path / "b", ns=(was.st_atime_ns, was.st_mtime_ns))
    (tmp_path / "b").replace(tmp_path / "a")
    assert cached_value(tmp_path) == ("two", True)


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"size a": 1}', b'{"size a": [1, 2]}', b"\xff", b"null"])
def test_a_damaged_cache_counts_as_empty(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / ".causerie").mkdir()
    (tmp_path / ".causerie/looked.json").write_bytes(damage)
    assert cached_value(tmp_path) == ("one", True)


def test_a_failed_computation_is_not_cached(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    with pytest.raises(ZeroDivisionError):
        FileCache(tmp_path).get_or_compute(tmp_path / "a", "size a", "me", lambda: 1 // 0)
    with pytest.raises(FileNotFoundError):
        FileCache(tmp_path).get_or_compute(tmp_path / "b", "size b", "me", lambda: "x")
    assert cached_value(tmp_path) == ("one", True)


def test_another_source_has_another_signature(tmp_path: Path) -> None:
    signatures = set()
    for text in ("a = 1", "a = 2"):
        package = tmp_path / text
        package.mkdir()
        (package / "module.py").write_text(text)
        signatures |= {source_signature(package), source_signature(tmp_path, package)}
    assert len(signatures) == 2
