"""Files are replaced whole, with the rights of any other new file, and JSON is written one way."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from pipeline.engine import files
from pipeline.engine.files import read_json, read_text, sha256, to_json, write_atomic, write_json
from pipeline.model.errors import CauserieError


def test_a_digest_is_that_of_the_whole_file(tmp_path: Path) -> None:
    data = b"a" * (1 << 20) + b"bc"
    (tmp_path / "large").write_bytes(data)
    assert sha256(tmp_path / "large") == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("content", "data"), [("é\r\n\n", b"\xc3\xa9\r\n\n"), (b"\xff\x00", b"\xff\x00"), ("", b"")])
def test_a_file_is_written_byte_for_byte_and_nothing_else_stays(tmp_path: Path, content: str | bytes, data: bytes) -> None:
    path = tmp_path / "a/b/out.txt"
    for _ in range(2):  # new, then over itself
        write_atomic(path, content)
        assert path.read_bytes() == data and os.listdir(path.parent) == ["out.txt"]


def test_a_new_file_has_the_rights_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_atomic(tmp_path / "ours", "x")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out.txt").write_text("old")
    seen: list[tuple[list[str], bytes]] = []

    def refuse(source: str, target: Path) -> None:
        seen.append((sorted(os.listdir(tmp_path)), Path(source).read_bytes()))
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "out.txt", "new")
    ((names, written),) = seen
    assert names[0].startswith(".out.txt.") and names[1:] == ["out.txt"] and written == b"new"
    assert os.listdir(tmp_path) == ["out.txt"] and (tmp_path / "out.txt").read_text() == "old"


def test_json_is_indented_readable_in_its_order_and_ends_with_a_line_end(tmp_path: Path) -> None:
    text = '{\n  "z": "é",\n  "a": [\n    1\n  ]\n}\n'
    assert to_json({"z": "é", "a": [1]}) == text
    write_json(tmp_path / "x.json", {"z": "é", "a": [1]})
    assert (tmp_path / "x.json").read_text("utf-8") == text
    with pytest.raises(ValueError):
        to_json(float("nan"))


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf\xc3\xa9", b"\xc3\xa9"])
def test_a_text_is_read_with_and_without_its_byte_order_mark(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.md").write_bytes(data)
    assert read_text(tmp_path / "x.md") == "é"


@pytest.mark.parametrize(("where", "told"), [("", "{path}"), ("text.md", "text.md")])
def test_what_is_not_utf8_is_told_with_what_to_do(tmp_path: Path, where: str, told: str) -> None:
    path = tmp_path / "x.md"
    path.write_bytes(b"\xe9")
    with pytest.raises(CauserieError) as raised:
        read_text(path, where)
    assert str(raised.value) == f"{told.format(path=path)}: is not UTF-8 text; save it again as UTF-8"


@pytest.mark.parametrize("data", [b"{", b"\xff", b""])
def test_what_is_not_json_is_told_with_its_file_and_what_to_do(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(CauserieError, match=r"x\.json: is not readable JSON \(.+\); delete it and build again$") as raised:
        read_json(tmp_path / "x.json")
    assert raised.value.where == str(tmp_path / "x.json")


def test_json_is_read_as_utf8(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes('{"é": [1.5, null]}'.encode())
    assert read_json(tmp_path / "x.json") == {"é": [1.5, None]}
