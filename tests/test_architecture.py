"""The house: twelve rooms, imports in one direction, faces as the only doors, small modules and functions."""

import ast
import subprocess
import sys
from collections import Counter, defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each row imports only from the rows above it. The same plan, with what each room holds, is in CONTRIBUTING.md.
FLOORS = """
    model
    templates
    engine config
    audio transcript
    speech feed guide
    publish
    site web
    plan
    commands
    cli
"""
FLOOR = {room: floor for floor, row in enumerate(FLOORS.split("\n")) for room in row.split()}
HEAVY = set(
    "torch whisper faster_whisper ctranslate2 numpy boto3 docx typst feedgen pydub jinja2 mutagen lxml rich segno watchfiles".split()
)
# Modules of audio/ that compute with arrays from end to end; the steps import them when they run.
NUMERIC = set(
    """analysis arrangement channel_meter cleanup cut_points cutting gains ingest_report level_profile levelling limiter mixer noise_gate
    speech_detection timeline
    track_references true_peak""".split()
)
# The rooms in which a library with an effect, or of great weight, may be used.
HOME = {
    "boto3": {"publish"},
    "botocore": {"publish"},
    "whisper": {"speech"},
    "torch": {"speech"},
    "faster_whisper": {"speech"},
    "ctranslate2": {"speech"},
    "typst": {"guide", "site"},
    "feedgen": {"feed"},
    "click": {"cli"},
    "distributed": {"engine"},
}
TABLES = {"plan", "cli"}  # lists of steps and of commands: their length is their purpose
LONGEST_MODULE, LONGEST_FUNCTION, USUAL_FUNCTION, LONG_FUNCTION = 350, 60, 10, 35  # lines: largest, largest, median, 95th percentile


def _packages() -> list[str]:
    """Every room with a face, and every room inside a room: `audio`, `feed.rules`."""
    faces = (ROOT / "pipeline").glob("*/**/__init__.py")
    return [".".join(path.parent.relative_to(ROOT / "pipeline").parts) for path in faces]


PACKAGES = _packages()
FILES = {
    **{".".join(path.relative_to(ROOT / "pipeline").with_suffix("").parts): path for path in (ROOT / "pipeline").rglob("*.py")},
    "cli": ROOT / "cli.py",
}
MODULES = {name: path for name, path in FILES.items() if not name.endswith("__init__")}


def package_of(module: str) -> str:
    """The innermost room that a module is in: `feed.rules` for `feed.rules.item`; itself for `plan` and `cli`."""
    return max((each for each in PACKAGES if module == each or module.startswith(f"{each}.")), key=len, default=module)


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text())


@cache
def imports(module: str) -> tuple[str, ...]:
    """The modules or faces of `pipeline` that a module imports, wherever in it, without the `pipeline.` before them."""
    found = []
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [name if name.removeprefix("pipeline.") in MODULES else node.module for name in names]
    return tuple(dict.fromkeys(name.removeprefix("pipeline.") for name in found if name.startswith("pipeline.")))


def libraries(node: ast.AST) -> set[str]:
    """The top-level names of everything imported below a node."""
    names = [alias.name for each in ast.walk(node) if isinstance(each, ast.Import) for alias in each.names]
    names += [each.module for each in ast.walk(node) if isinstance(each, ast.ImportFrom) and each.module]
    return {name.split(".")[0] for name in names}


def functions(module: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree_of(module)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines, docstring and all."""
    return (node.end_lineno or 0) - node.lineno + 1


def face(package: str) -> list[str]:
    """A room's `__all__`, as it is written, or the names that the stub of a lazy face lists."""
    stub = FILES[f"{package}.__init__"].with_suffix(".pyi")
    if stub.exists():
        return sorted(alias.name for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom) for alias in node.names)
    for node in tree_of(f"{package}.__init__").body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return ast.literal_eval(node.value)
    return []


def test_the_plan_of_the_floors_names_every_room():
    rooms = {module.split(".")[0] for module in MODULES}
    assert rooms == set(FLOOR)


@pytest.mark.parametrize("module", sorted(FILES))
def test_imports_go_to_rooms_on_lower_floors(module):
    here = module.split(".")[0]
    for name in imports(module) if here in FLOOR else ():
        there = name.split(".")[0]
        assert there == here or FLOOR[there] < FLOOR[here], f"{module} imports {name}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_room_is_entered_by_its_face(module):
    here = package_of(module)
    for name in imports(module):
        there = package_of(name)
        assert there == here or name == there or name.removeprefix(f"{there}.") in face(there), f"{module} reaches into {name}"


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_face_says_what_the_room_is_and_lists_in_order_what_others_use(package):
    used = {
        alias.name
        for module in MODULES
        if package_of(module) != package
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.ImportFrom) and node.module == f"pipeline.{package}"
        for alias in node.names
    }
    used |= {name for name in face(package) if f"from pipeline.{package} import" in API and name in API}
    assert ast.get_docstring(tree_of(f"{package}.__init__")), package
    assert face(package) == sorted(used), package


API = (ROOT / "docs/api.md").read_text()


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_public_name_hides_a_module_of_its_room(package):
    inside = {module.rpartition(".")[2] for module in MODULES if package_of(module) == package}
    namespaces = {name for name in face(package) if f"{package}.{name}" in MODULES}
    defined = {node.name for module in MODULES if package_of(module) == package for node in tree_of(module).body if hasattr(node, "name")}
    assert not defined & inside, package
    assert namespaces <= inside


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_circle_inside_a_room(package):
    graph = defaultdict(set)
    for module in MODULES:
        if package_of(module) == package:
            graph[module] |= {name for name in imports(module) if name in MODULES and package_of(name) == package}
    try:
        assert list(TopologicalSorter(graph).static_order())[: len(graph)] or not graph
    except CycleError as error:
        pytest.fail(f"{' → '.join(error.args[1])}")


def test_a_class_name_has_one_meaning():
    names = Counter(node.name for module in MODULES for node in tree_of(module).body if isinstance(node, ast.ClassDef))
    assert names and {name: count for name, count in names.items() if count > 1} == {}


@pytest.mark.parametrize("module", sorted(FILES))
def test_heavy_libraries_are_imported_where_they_are_used(module):
    top = [node for node in tree_of(module).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    allowed = {"numpy"} if module in {f"audio.{name}" for name in NUMERIC} else set()
    assert not {name for node in top for name in libraries(node)} & (HEAVY - allowed)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_each_effect_lives_in_one_room(module):
    here = module.split(".")[0]
    assert not {name for name in libraries(tree_of(module)) if here not in HOME.get(name, {here})}


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"cli"}))
def test_the_present_is_read_only_at_the_edge(module):
    called = {ast.unparse(node.func) for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call)}
    assert not {name for name in called if name.endswith((".now", ".today", ".utcnow")) or name == "time.time"}


def test_modules_stay_small():
    lines = {module: path.read_text().count("\n") for module, path in FILES.items()}
    assert {module: count for module, count in lines.items() if count > LONGEST_MODULE and module not in TABLES} == {}


def test_functions_stay_small():
    lengths = {f"{module}: {node.name}": length(node) for module in FILES for node in functions(module)}
    assert {name: count for name, count in lengths.items() if count > LONGEST_FUNCTION} == {}
    in_order = sorted(lengths.values())
    assert in_order[len(in_order) // 2] <= USUAL_FUNCTION
    assert in_order[int(len(in_order) * 0.95)] <= LONG_FUNCTION


def test_public_functions_are_annotated_and_explained():
    public = [
        (module, node)
        for module in FILES
        for node in tree_of(module).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    assert len(public) > 500
    assert [f"{module}: {node.name}" for module, node in public if not ast.get_docstring(node) or node.returns is None] == []


def test_help_needs_no_noun_of_the_model():
    program = "import sys, cli; print(sorted(name for name in sys.modules if name.startswith('pipeline.model.')))"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert loaded == "['pipeline.model.errors', 'pipeline.model.text']\n"


@pytest.mark.parametrize("code", ["import cli", "import pipeline.commands", "from pipeline.commands import check_show"])
def test_help_and_status_need_no_heavy_library(code):
    program = f"import sys; {code}; print(sorted(set(sys.modules) & {HEAVY!r}))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"
