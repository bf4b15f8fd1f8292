"""One step: its name, what its function receives, its errors, and how its outputs are moved."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.engine.step import Step, dependency_graph, execute_step, move_file, topological_order, with_dependencies
from pipeline.model.errors import CauserieError, Problems


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    (tmp_path / "raw.txt").write_text("bonjour")
    return tmp_path / ".causerie/work/abc"


def failing_with(error: Exception) -> Step:
    """A step whose function raises `error`."""

    def fail(source: Path) -> None:
        raise error

    return Step("a/fail", fail, {"source": "raw.txt"})


def test_a_name_holds_the_episode_and_the_kind() -> None:
    assert [(step.episode, step.kind) for step in (Step("a/b/encode", print), Step("show/feed", print))] == [
        ("a/b", "encode"),
        ("show", "feed"),
    ]


def test_a_step_is_by_default_an_ordinary_one_of_the_first_revision() -> None:
    step = Step("a/shout", print)
    assert (step.reads, step.writes, step.settings, step.hints, step.pool, step.is_draft, step.revision) == (
        {},
        {},
        {},
        {},
        "cpu",
        False,
        1,
    )


def test_the_function_receives_paths_settings_and_hints_and_its_outputs_are_digested(tmp_path: Path, work_dir: Path) -> None:
    (tmp_path / "other.txt").write_text("bonsoir")
    received: dict[str, object] = {}

    def join(*, out: Path, **rest: object) -> None:
        received.update(rest)
        out.write_text("joined")

    reads = {"one": "raw.txt", "all": ("raw.txt", "other.txt")}
    digests = execute_step(Step("a/join", join, reads, {"out": "a/b/out.txt"}, {"mark": "!"}, {"names": ("Nora",)}), tmp_path, work_dir)
    assert received == {
        "one": tmp_path / "raw.txt",
        "all": (tmp_path / "raw.txt", tmp_path / "other.txt"),
        "mark": "!",
        "names": ("Nora",),
    }
    assert digests == {"out": hashlib.sha256(b"joined").hexdigest()}
    assert (work_dir / "a/b/out.txt").read_text() == "joined" and not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("paths", "missing"), [("gone.txt", "gone.txt"), (("raw.txt", "gone.txt"), "gone.txt"), (".causerie", ".causerie")]
)
def test_a_missing_input_is_told_before_the_function_is_called(
    tmp_path: Path, work_dir: Path, paths: str | tuple[str, ...], missing: str
) -> None:
    with pytest.raises(CauserieError) as raised:
        execute_step(Step("a/never", pytest.fail, {"source": paths}), tmp_path, work_dir)
    assert str(raised.value) == f"{missing}: is missing; restore it, or correct the key that names it"


def test_an_error_names_its_file_as_the_show_does(tmp_path: Path, work_dir: Path) -> None:
    inside, made = (CauserieError("is odd", f"{folder}/a/x.txt:3", "look") for folder in (tmp_path, work_dir))
    for error in (inside, made):
        with pytest.raises(CauserieError) as raised:
            execute_step(failing_with(error), tmp_path, work_dir)
        assert (raised.value.message, raised.value.where, raised.value.hint) == ("is odd", "a/x.txt:3", "look")
    with pytest.raises(Problems) as several:
        execute_step(failing_with(Problems((inside, made))), tmp_path, work_dir)
    assert [(problem.message, problem.where, problem.hint) for problem in several.value.problems] == [("is odd", "a/x.txt:3", "look")] * 2


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/x/out.wav"),
            "/x/out.wav: No space left on device; free some space and build again",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "/x/out.wav"), "/x/out.wav: Permission denied; fix this and build again"),
        (OSError("a word"), "a/fail: a word; fix this and build again"),
    ],
)
def test_an_error_of_the_system_is_one_sentence_with_what_to_do(tmp_path: Path, work_dir: Path, error: OSError, sentence: str) -> None:
    with pytest.raises(CauserieError) as raised:
        execute_step(failing_with(error), tmp_path, work_dir)
    assert str(raised.value) == sentence


def test_a_bug_stays_a_bug(tmp_path: Path, work_dir: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        execute_step(failing_with(ZeroDivisionError()), tmp_path, work_dir)


def renamer(code: int, calls: list[tuple[Path, Path]]) -> Callable[[Path, Path], None]:
    """`os.replace`, on a machine where the first rename fails with `code`."""
    replace = os.replace

    def rename(source: Path, target: Path) -> None:
        calls.append((source, target))
        if len(calls) == 1:
            raise OSError(code, os.strerror(code))
        replace(source, target)

    return rename


def test_a_file_is_moved_into_folders_that_do_not_exist_yet_and_over_an_older_one(tmp_path: Path) -> None:
    for text in ("one", "two"):
        (tmp_path / "source").write_text(text)
        move_file(tmp_path / "source", tmp_path / "a/b/target")
        assert (tmp_path / "a/b/target").read_text() == text and not (tmp_path / "source").exists()


def test_across_file_systems_a_file_is_copied_beside_its_target_and_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Path, Path]] = []
    monkeypatch.setattr(os, "replace", renamer(errno.EXDEV, calls))
    (tmp_path / "source").write_text("new")
    (tmp_path / "target").write_text("old")
    move_file(tmp_path / "source", tmp_path / "target")
    assert calls[1] == (tmp_path / ".target.part", tmp_path / "target")
    assert (tmp_path / "target").read_text() == "new" and not (tmp_path / ".target.part").exists()


def test_another_error_of_a_rename_is_raised_and_nothing_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "replace", renamer(errno.EACCES, []))
    (tmp_path / "source").write_text("new")
    with pytest.raises(PermissionError):
        move_file(tmp_path / "source", tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


ONE = Step("a/one", print, {"source": "raw.txt"}, {"out": "1.txt"})
TWO = Step("a/two", print, {"source": "raw.txt"}, {"out": "2.txt"})
JOIN = Step("a/join", print, {"first": "1.txt", "rest": ("2.txt", "raw.txt")}, {"out": "3.txt"})
LAST = Step("b/last", print, {"source": "3.txt"}, {"out": "4.txt"})


def test_the_graph_follows_from_the_files() -> None:
    graph = {"a/one": set(), "a/two": set(), "a/join": {"a/one", "a/two"}, "b/last": {"a/join"}}
    assert dependency_graph((LAST, JOIN, TWO, ONE)) == graph
    order = topological_order((LAST, JOIN, TWO, ONE), graph)
    assert {step.name for step in order[:2]} == {"a/one", "a/two"} and order[2:] == [JOIN, LAST]


def test_two_writers_of_one_file_are_both_named() -> None:
    with pytest.raises(ValueError, match=r"^a/other and a/one both write 1\.txt$"):
        dependency_graph((ONE, Step("a/other", print, {}, {"x": "1.txt"})))


@pytest.mark.parametrize(("wanted", "names"), [("last", "two join one last"), ("join", "two join one"), ("one", "one"), ("none", "")])
def test_wanted_steps_come_with_what_they_need_in_the_given_order(wanted: str, names: str) -> None:
    found = with_dependencies(iter((TWO, JOIN, ONE, LAST)), lambda step: step.kind == wanted)
    assert [step.kind for step in found] == names.split()
