"""The house: data flows one way, effects live in one place each, rooms stay small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A module may import only from those before it; `plan` and what uses it see everything.
ORDER = """
    errors files text drafts progress roles directories pictures colours feed_model sound_model site_model model looked toml fields feed_keys site_keys sounds glossary catalog receipts stale steps build workers cluster
    audio speech transcript tags feed guide release report site publish serve review plan
    newcomers staging bringing check doctor waiting console commands preview
""".split()
HEAVY = {
    "torch",
    "whisper",
    "faster_whisper",
    "ctranslate2",
    "numpy",
    "boto3",
    "docx",
    "typst",
    "feedgen",
    "pydub",
    "jinja2",
    "mutagen",
    "lxml",
    "rich",
    "segno",
}
NUMERIC = {
    "profile",
    "voice",
    "apart",
    "ride",
    "gate",
    "limiter",
    "truepeak",
    "timeline",
    "mixer",
    "hearing",
    "clean",
    "levels",
    "programme",
    "facts",
}  # numpy from end to end; steps import them late
HOME = {
    "boto3": "publish",
    "botocore": "publish",
    "whisper": "speech",
    "torch": "speech",
    "faster_whisper": "speech",
    "ctranslate2": "speech",
    "typst": "guide site",
    "feedgen": "feed",
    "click": "cli",
}
FILES = sorted(path for path in ROOT.glob("pipeline/**/*.py") if "templates" not in path.parts)


def module(path: Path) -> str:
    """The room a file is in: `audio` for `pipeline/audio/encode.py`."""
    parts = path.relative_to(ROOT / "pipeline").parts
    return parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> set[str]:
    """Every dotted name imported anywhere in it, `from a import b` as both `a` and `a.b`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_imports_only_from_those_before_it(path):
    here = module(path)
    for name in imports(ast.parse(path.read_text())):
        parts = name.split(".")
        if parts[0] == "pipeline" and len(parts) > 1 and parts[1] in ORDER and here != "__init__":
            assert ORDER.index(parts[1]) <= ORDER.index(here), f"{here} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_heavy_libraries_are_imported_where_they_are_used(path):
    top = [node for node in ast.parse(path.read_text()).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    allowed = {"numpy"} if module(path) == "audio" and path.stem in NUMERIC else set()
    assert not {name.split(".")[0] for node in top for name in imports(node)} & (HEAVY - allowed)


def test_each_effect_lives_in_one_room():
    for path in FILES:
        for name in imports(ast.parse(path.read_text())):
            home = HOME.get(name.split(".")[0])
            assert home is None or module(path) in home.split() or (name.split(".")[0] == "torch" and module(path) == "speech"), (
                f"{path}: {name}"
            )


def test_the_present_is_read_only_at_the_edge():
    for path in FILES:
        called = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
        assert not {name for name in called if name.endswith((".now", ".today", ".utcnow")) or name == "time.time"}, path


def test_functions_and_modules_stay_small():
    lengths = []
    for path in FILES:
        source = path.read_text()
        assert source.count("\n") <= 350, path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lengths.append(node.end_lineno - node.lineno + 1)
                assert lengths[-1] <= 60, f"{path}: {node.name}"
    lengths.sort()
    assert lengths[len(lengths) // 2] <= 10
    assert lengths[int(len(lengths) * 0.95)] <= 35


def test_public_functions_are_annotated_and_explained():
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path}: {node.name} has no docstring"
                assert node.returns is not None, f"{path}: {node.name} does not say what it returns"


@pytest.mark.parametrize("code", ["import cli", "import pipeline.commands.build, pipeline.commands.check"])
def test_help_and_status_need_no_heavy_library(code):
    program = f"import sys; {code}; print(sorted(set(sys.modules) & {HEAVY!r}))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"
