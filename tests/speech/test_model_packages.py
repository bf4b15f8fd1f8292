"""Whisper base is joined out of its two packages, and nothing but the real one is kept."""

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from pipeline.model.errors import CauserieError
from pipeline.speech import model_packages
from pipeline.speech.model_packages import SHA256, check_parts, is_joined, join_parts, joined_folder


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def packages(monkeypatch, tmp_path):
    """Two small packages, and the sums of what they hold."""
    contents = {"model.bin": b"first second", "config.json": b"{}", "tokenizer.json": b"{}", "vocabulary.txt": b"a"}
    folders = [tmp_path / name / "data" for name in ("one", "two")]
    for folder in folders:
        folder.mkdir(parents=True)
    for name, content in contents.items():
        (folders[0] / name).write_bytes(content)
    (folders[0] / "model.bin.part1").write_bytes(b"first ")
    (folders[1] / "model.bin.part2").write_bytes(b"second")
    specs = {
        name: SimpleNamespace(origin=str(folder.parent / "__init__.py"))
        for name, folder in zip(model_packages.PACKAGES, folders, strict=True)
    }
    monkeypatch.setattr(model_packages, "find_spec", specs.get)
    monkeypatch.setattr(model_packages, "SHA256", {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()})
    return folders


def files(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_halves_are_joined_once_and_nothing_else_is_left(packages, cache):
    folder = join_parts()
    assert folder == joined_folder()
    assert files(folder)["model.bin"] == b"first second"
    assert set(files(folder)) == set(SHA256)
    assert list(folder.parent.iterdir()) == [folder]


def test_several_processes_at_once_all_have_it(packages):
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: join_parts(), range(4)))
    assert [files(folder)["model.bin"] for folder in folders] == [b"first second"]


def test_a_damaged_copy_is_replaced(packages):
    folder = join_parts()
    (folder / "model.bin").write_bytes(b"fir")
    assert files(join_parts())["model.bin"] == b"first second"


def test_a_wrong_sum_is_told_and_nothing_is_kept(packages):
    (packages[1] / "model.bin.part2").write_bytes(b"third!")
    with pytest.raises(CauserieError, match=r"model.bin has another SHA-256; pip install --force-reinstall"):
        join_parts()
    assert not joined_folder().exists()


def test_a_half_that_is_missing_is_named(packages):
    (packages[1] / "model.bin.part2").unlink()
    for ask in (join_parts, check_parts):
        with pytest.raises(CauserieError, match=r"model.bin.part2 is missing; pip install"):
            ask()


def test_what_joining_would_say_is_said_without_writing(packages, cache):
    check_parts()
    (packages[0] / "config.json").write_bytes(b"[]")
    with pytest.raises(CauserieError, match="config.json has another SHA-256"):
        check_parts()
    assert not cache.exists()


def test_a_joined_file_that_was_touched_has_its_sum_compared_again(packages):
    folder = join_parts()
    assert is_joined()
    os.utime(folder / "model.bin")
    assert is_joined()
    (folder / "model.bin").write_bytes(b"first secund")
    assert not is_joined()


def test_a_full_disk_is_told_before_anything_is_written(packages, monkeypatch, cache):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20_000_000))
    with pytest.raises(CauserieError, match="needs 150 MB, and 20 MB are free.*make room"):
        join_parts()
    assert not joined_folder().exists()


def test_a_cache_that_cannot_be_written_is_told(packages, cache):
    cache.write_text("a file where the folder should be")
    with pytest.raises(CauserieError, match="cannot be kept in .*set XDG_CACHE_HOME"):
        join_parts()
