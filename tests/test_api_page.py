"""The snippets of docs/api.md, run in order as they stand, on a copy of a small show."""

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow

PAGE = REPOSITORY / "docs/api.md"
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
LONGEST = 10  # lines; what needs more wants another function


def snippets() -> list[tuple[int, str]]:
    """The line of the page that each snippet starts on, and its code."""
    text = PAGE.read_text()
    return [(text.count("\n", 0, found.start(1)) + 1, found[1]) for found in SNIPPET.finditer(text)]


def imported(code: str) -> list[str]:
    """The modules of this program that a snippet imports from."""
    froms = (node.module for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom))
    return [module for module in froms if module and module.split(".")[0] == "pipeline"]


@pytest.fixture
def show_beside(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`my-show` in the current folder, built, where one episode has since been given another title."""
    episode = built / "episodes/un/episode.toml"
    episode.write_text(episode.read_text().replace("Épisode un", "Un autre titre"))
    monkeypatch.chdir(built.parent)
    return built.rename(built.parent / "my-show")


def run_page() -> dict[str, object]:
    """What the names of the page stand for after its last snippet; an error names the line of the page."""
    values: dict[str, object] = {}
    for line, code in snippets():
        exec(compile("\n" * (line - 1) + code, str(PAGE), "exec"), values)
    return values


def test_the_page_runs_as_it_stands(show_beside, capsys):
    values = run_page()
    printed = capsys.readouterr().out
    assert "un Un autre titre 2026-01-01 06:00:00+01:00" in printed
    assert re.search(r"^un/tag .*episode", printed, re.M)  # stale, and why
    assert values["succeeded"] is True
    assert {result.status for result in values["results"]} <= {"current", "edited"}
    assert "Un autre titre" in (show_beside / "public/feed.xml").read_text()
    assert values["report"].sent[-1] == "feed.xml"
    assert any(start_s is not None for _, start_s, *_ in values["times"])
    assert "show.toml" in printed.splitlines()[-1]


@pytest.mark.parametrize("code", [pytest.param(code, id=f"line {line}") for line, code in snippets()])
def test_a_snippet_is_short_and_enters_rooms_by_their_faces(code):
    assert code.count("\n") <= LONGEST
    assert all(module.count(".") == 1 for module in imported(code))
