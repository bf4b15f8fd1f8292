"""A model folder is whole, or the file that is missing, cut or damaged is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.speech.model_format import folder_problem
from tests.support import tiny_whisper


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return tiny_whisper.write_ct2(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    """A copy of the model, to damage; its files are links until they are written."""
    for path in whole.iterdir():
        (tmp_path / path.name).symlink_to(path)
    return tmp_path


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def test_a_whole_model_has_no_problem(folder):
    assert folder_problem(folder) == ""


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json"])
def test_a_file_that_is_missing_is_named(folder, name):
    (folder / name).unlink()
    assert folder_problem(folder) == f"has no {name}"


def test_a_link_to_nothing_is_a_missing_file(folder):
    (folder / "model.bin").unlink()
    (folder / "model.bin").symlink_to(folder / "blob.incomplete")
    assert folder_problem(folder) == "has no model.bin"


def test_a_vocabulary_that_is_missing_is_named(folder):
    for path in folder.glob("vocabulary.*"):
        path.unlink()
    assert folder_problem(folder) == "has no vocabulary.json or vocabulary.txt"


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_text_that_is_cut_is_named(folder, whole, name):
    replace(folder / name, (whole / name).read_bytes()[:-3])
    assert folder_problem(folder) == f"has a damaged {name}"


def test_another_kind_of_file_is_no_model(folder):
    replace(folder / "model.bin", b"not a model")
    assert "is not a Whisper model" in folder_problem(folder)


@given(share=st.floats(0, 1, exclude_max=True))
def test_no_part_of_a_model_is_taken_for_the_whole(whole, share, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    for path in whole.iterdir():
        if path.name != "model.bin":
            (folder / path.name).symlink_to(path)
    content = (whole / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(content[: int(len(content) * share)])
    assert "cut short" in folder_problem(folder)
