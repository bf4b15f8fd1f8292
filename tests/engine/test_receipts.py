"""The journal of receipts and the cache of digests: their bytes on disk, and what a damaged or older one gives."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipeline.engine.file_cache import DigestCache
from pipeline.engine.receipts import Journal, Receipt, to_canonical

RECEIPT = Receipt("a/shout", 2, {"title": "Été"}, {"source": "aa"}, {"loud": "bb"}, "0.2")
LINE = ', "a/shout", 2, {"title": "Été"}, {"source": "aa"}, {"loud": "bb"}, "0.2"]\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".causerie/receipts.jsonl"


@dataclass(frozen=True)
class Setting:
    """A setting with fields of every kind."""

    at: date
    name: str = ""
    count: int = 0
    flag: bool = False
    maybe: float | None = None
    several: tuple[str, ...] = ()
    by_name: Mapping[object, object] | None = None


def test_a_setting_is_written_without_its_empty_fields_but_with_zero_and_false() -> None:
    assert to_canonical(Setting(date(2026, 1, 2))) == {"at": "2026-01-02", "count": 0, "flag": False}
    full = Setting(datetime(2026, 1, 2, 3, tzinfo=UTC), "n", 1, True, 0.5, ("x", ""), {2: [], 1: {"b": None, "a": ()}, 3: 0})
    assert to_canonical(full) == {
        "at": "2026-01-02T03:00:00+00:00",
        "name": "n",
        "count": 1,
        "flag": True,
        "maybe": 0.5,
        "several": ["x", ""],
        "by_name": {"1": {}, "3": 0},
    }


def test_the_keys_of_a_table_have_one_order() -> None:
    assert list(to_canonical({"b": 1, "a": 2})) == ["a", "b"]


def test_the_lines_of_a_journal_are_those_of_earlier_versions(path: Path) -> None:
    journal = Journal(path)
    journal.prepare(RECEIPT)
    journal.commit(RECEIPT)
    journal.record_failure("b/shout", "Été: trop court")
    assert path.read_text("utf-8") == f'["promise"{LINE}["done"{LINE}["failed", "b/shout", "Été: trop court"]\n'
    again = Journal(path)
    assert (again.receipts, again.prepared, again.failures) == ({"a/shout": RECEIPT}, {}, {"b/shout": "Été: trop court"})


def test_a_journal_is_the_same_in_memory_and_read_again(path: Path) -> None:
    journal = Journal(path)
    journal.record_failure("a/shout", "no")
    journal.commit(RECEIPT)
    other = replace(RECEIPT, step="b/shout")
    journal.prepare(other)
    journal.record_failure("c/shout", "never")
    for each in (journal, Journal(path)):
        assert (each.receipts, each.prepared, each.failures) == ({"a/shout": RECEIPT}, {"b/shout": other}, {"c/shout": "never"})


def test_version_0_1_wrote_a_functions_name_where_the_revision_stands(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('["done", "a/shout", "pipeline.old.shout", {}, {}, {"loud": "bb"}]\n')
    assert Journal(path).receipts == {"a/shout": Receipt("a/shout", 1, {}, {}, {"loud": "bb"}, "")}


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_a_setting_may_hold_the_line_separators_of_unicode(path: Path, separator: str) -> None:
    odd = replace(RECEIPT, settings={"title": f"one{separator}two"})
    Journal(path).commit(odd)
    assert Journal(path).receipts == {"a/shout": odd}


@pytest.mark.parametrize("damage", ["{}", "3", "[]", '["done"]', '["done", "a"]', '["failed", "a"]', '["done", "a/sh', "\x00", "[[]]"])
def test_a_damaged_line_is_ignored_and_the_others_are_read(path: Path, damage: str) -> None:
    path.parent.mkdir()
    path.write_text(f'{damage}\n["done"{LINE}', "utf-8")
    journal = Journal(path)
    assert (journal.receipts, journal.prepared, journal.failures) == ({"a/shout": RECEIPT}, {}, {})


def test_a_line_with_other_bytes_than_text_is_ignored(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'["done", "\xff\xfe"\n' + f'["done"{LINE}'.encode())
    assert Journal(path).receipts == {"a/shout": RECEIPT}


def test_a_line_after_a_truncated_one_begins_a_new_line(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('["done", "a/sh')
    journal = Journal(path)
    journal.commit(RECEIPT)
    journal.close()
    journal.commit(RECEIPT)
    assert path.read_text("utf-8") == f'["done", "a/sh\n["done"{LINE}["done"{LINE}'


@pytest.mark.parametrize(("lines", "is_rewritten"), [(101, False), (102, True)])
def test_a_journal_of_mostly_obsolete_lines_is_rewritten_with_all_it_knows(path: Path, lines: int, is_rewritten: bool) -> None:
    journal, open_one = Journal(path), replace(RECEIPT, step="b/shout")
    journal.prepare(open_one)
    for _ in range(lines - 1):
        journal.commit(RECEIPT)
    journal.close()
    assert len(path.read_text().splitlines()) == lines
    journal = Journal(path)
    journal.record_failure("c/shout", "no")
    journal.close()
    states = [json.loads(line)[0] for line in path.read_text("utf-8").splitlines()]
    assert states == (["done", "promise", "failed"] if is_rewritten else ["promise", *["done"] * (lines - 1), "failed"])
    again = Journal(path)
    assert (again.receipts, again.prepared, again.failures) == ({"a/shout": RECEIPT}, {"b/shout": open_one}, {"c/shout": "no"})


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_digest_is_taken_once_a_run_unless_it_must_be_fresh(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    digests = DigestCache(tmp_path)
    assert digests.digest("a") == sha("one")
    (tmp_path / "a").write_text("longer")
    assert digests.digest("a") == sha("one")
    assert digests.digest("a", fresh=True) == digests.digest("a") == sha("longer")
    (tmp_path / "a").unlink()
    assert (digests.digest("a"), digests.digest("a", fresh=True), digests.digest("a")) == (sha("longer"), None, None)


@pytest.mark.parametrize(
    ("text", "later_ns", "digest"),
    [
        ("one", 0, sha("one")),
        ("two", 0, sha("one")),  # what nothing shows is not read again: that is what makes a second build quick
        ("two", 1, sha("two")),
        ("three", 0, sha("three")),
    ],
)
def test_the_next_run_reads_a_file_whose_size_or_time_is_another(tmp_path: Path, text: str, later_ns: int, digest: str) -> None:
    (tmp_path / "a").write_text("one")
    before = DigestCache(tmp_path)
    before.digest("a")
    before.save()
    was = (tmp_path / "a").stat()
    (tmp_path / "a").write_text(text)
    os.utime(tmp_path / "a", ns=(was.st_atime_ns, was.st_mtime_ns + later_ns))
    assert DigestCache(tmp_path).digest("a") == digest


def test_the_cache_of_digests_has_the_form_of_earlier_versions_and_is_written_only_when_it_changed(tmp_path: Path) -> None:
    (tmp_path / "é").write_text("one")
    digests = DigestCache(tmp_path)
    digests.save()
    assert not digests.path.exists()
    digests.digest("é")
    digests.save()
    stat = (tmp_path / "é").stat()
    assert digests.path == tmp_path / ".causerie/digests.json"
    assert digests.path.read_text("utf-8") == json.dumps({"é": [3, stat.st_mtime_ns, sha("one")]}, ensure_ascii=False)
    digests.path.unlink()
    digests.save()
    again = DigestCache(tmp_path)
    again.digest("missing")
    again.save()
    assert not digests.path.exists()


def test_a_digest_computed_elsewhere_is_believed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    digests = DigestCache(tmp_path)
    digests.store("a", "from a worker")
    digests.save()
    assert digests.digest("a") == DigestCache(tmp_path).digest("a") == "from a worker"


def test_what_is_not_there_has_no_digest_and_a_file_elsewhere_has_one(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (tmp_path / "a").write_text("one")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "b"
    elsewhere.write_text("two")
    digests = DigestCache(tmp_path)
    assert [digests.digest(path) for path in ("missing", "a/below", str(elsewhere))] == [None, None, sha("two")]


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"a": 3}', '{"a": [1, 2]}', "\x00"])
def test_a_damaged_cache_of_digests_counts_as_empty(tmp_path: Path, damage: str) -> None:
    (tmp_path / ".causerie").mkdir()
    (tmp_path / ".causerie/digests.json").write_text(damage)
    (tmp_path / "a").write_text("one")
    assert DigestCache(tmp_path).digest("a") == sha("one")
