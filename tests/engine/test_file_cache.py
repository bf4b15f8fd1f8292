"""Values computed from files are computed again only when the files change."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from pipeline.engine.file_cache import DigestCache, FileCache, source_signature


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


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b'{"size a": 1}', b'{"size a": [1, 2]}', b'{"size a": [1, "me", 2]}', b"\xff", b"null", b"[" * 9999]
)
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


def test_a_read_only_show_is_checked_without_a_cache(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / ".causerie").write_text("a file where the folder would be")
    assert cached_value(tmp_path) == ("one", True)


def recorded_digest(root: Path, path: str = "a") -> str | None:
    """The digest in a new run, which is saved."""
    digests = DigestCache(root)
    found = digests.digest(path)
    digests.save()
    return found


def test_a_digest_is_taken_from_the_cache_until_the_file_changes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    assert recorded_digest(tmp_path) == hashlib.sha256(b"one").hexdigest()
    stat, cache = (tmp_path / "a").stat(), tmp_path / ".causerie/digests.json"
    assert json.loads(cache.read_text()) == {"a": [3, stat.st_mtime_ns, hashlib.sha256(b"one").hexdigest()]}
    cache.write_text(json.dumps({"a": [3, stat.st_mtime_ns, "from the cache"]}))
    assert recorded_digest(tmp_path) == "from the cache"
    os.utime(tmp_path / "a", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert recorded_digest(tmp_path) == hashlib.sha256(b"one").hexdigest()


def test_a_file_is_checked_once_a_run_unless_it_is_asked_for_afresh(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    digests = DigestCache(tmp_path)
    digests.digest("a")
    (tmp_path / "a").write_text("three")
    assert digests.digest("a") == hashlib.sha256(b"one").hexdigest()
    assert digests.digest("a", fresh=True) == digests.digest(str(tmp_path / "a")) == hashlib.sha256(b"three").hexdigest()
    assert digests.digest("b") is None and digests.digest("a/b") is None


def test_a_digest_computed_elsewhere_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    digests = DigestCache(tmp_path)
    digests.store("a", "theirs")
    digests.save()
    assert digests.digest("a") == recorded_digest(tmp_path) == "theirs"


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b'{"a": 1}', b'{"a": [3, 4]}', b'{"a": [3, 4, 5]}', b'{"a": [[], {}, null]}', b"\xff", b"null"]
)
def test_damaged_digests_count_as_missing(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / ".causerie").mkdir()
    (tmp_path / ".causerie/digests.json").write_bytes(damage)
    assert recorded_digest(tmp_path) == hashlib.sha256(b"one").hexdigest()


def test_the_cache_has_the_form_of_earlier_versions_and_is_written_only_when_it_changed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("é")
    cached_value(tmp_path)
    stat, path = (tmp_path / "a").stat(), tmp_path / ".causerie/looked.json"
    stored = json.dumps({"size a": [[2, stat.st_mtime_ns, stat.st_ino], "me", "é"]}, ensure_ascii=False)
    assert path.read_text("utf-8") == stored
    path.write_text(stored + " ", "utf-8")  # a mark that another write would remove
    assert cached_value(tmp_path) == ("é", False)
    assert path.read_text("utf-8") == stored + " "


def test_a_cache_is_written_once_and_not_where_nothing_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    cache = FileCache(tmp_path)
    cache.get_or_compute(tmp_path / "a", "size a", "me", lambda: 1)
    cache.save()
    cache.path.unlink()
    cache.save()
    assert not cache.path.exists()
    cache.get_or_compute(tmp_path / "a", "another", "me", lambda: 1)
    cache.path.parent.rmdir()
    cache.path.parent.touch()  # no folder can be made there
    cache.save()


def test_values_of_one_file_are_kept_apart_by_key_and_a_value_may_be_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    cache, asked = FileCache(tmp_path), []
    for key, value in (("x", None), ("y", 2), ("x", 3), ("y", 4)):
        asked.append(cache.get_or_compute(tmp_path / "a", key, "me", lambda value=value: value))
    assert asked == [None, 2, None, 2]


def test_a_signature_is_short_and_is_that_of_the_source_in_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.py").write_text(name)
    (tmp_path / "c.txt").write_text("no module")
    assert source_signature(tmp_path) == hashlib.sha256(b"ab").hexdigest()[:12]
