"""The wheel, built as for a release and installed in a new environment outside the repository, makes and publishes a show."""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from importlib.metadata import PackageMetadata, PathDistribution
from pathlib import Path

import pytest

import pipeline
from tests.conftest import REPOSITORY, small_show

pytestmark = pytest.mark.slow

SOURCES = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "cli.py", "pipeline", "tests")  # tests: to see that they are left out


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; its own words when it fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python -m build` makes of a clean copy: the source distribution, and from it the wheel."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    ignored = shutil.ignore_patterns("__pycache__", "data", "golden", "node_modules")
    for path in (REPOSITORY / name for name in SOURCES):
        if path.is_dir():
            shutil.copytree(path, source / path.name, ignore=ignored)
        else:
            shutil.copy(path, source)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, cwd=source)  # with isolation, it would ask the network
    return target


@pytest.fixture(scope="module")
def wheel(built_files: Path) -> Path:
    return next(built_files.glob("causerie-*-py3-none-any.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel alone, which finds the libraries it needs where this one has them.

    A second PyTorch would take minutes. The .pth files of this environment are not followed, so its editable install stays out of sight.
    """
    folder = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin/python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    libraries = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (site / "libraries.pth").write_text("\n".join(libraries) + "\n")
    return folder


def metadata_of(wheel: Path) -> PackageMetadata:
    """The wheel's own metadata."""
    folder = f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info"
    return PathDistribution(zipfile.Path(wheel, f"{folder}/")).metadata


def test_the_wheel_holds_the_program_its_templates_and_stubs_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = [path for path in (REPOSITORY / "pipeline").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert names == {"cli.py", *(path.relative_to(REPOSITORY).as_posix() for path in files)}
    assert names >= {"pipeline/py.typed", "pipeline/audio/__init__.pyi", "pipeline/templates/init/gitignore"}


def test_the_source_distribution_holds_what_the_wheel_is_made_of_and_no_test(built_files):
    with tarfile.open(next(built_files.glob("causerie-*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {"pyproject.toml", "README.md", "LICENSE", "cli.py", "pipeline/py.typed"}
    assert not {name for name in names if name.split("/")[0] in ("tests", "tools")}


def test_the_metadata_name_version_licence_python_and_every_dependency(wheel):
    metadata = metadata_of(wheel)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert (metadata["Name"], metadata["Version"]) == ("causerie", pipeline.__version__)
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("GPL-3.0-or-later", ">=3.11")
    required = [value for value in metadata.get_all("Requires-Dist") or [] if "extra ==" not in value]
    assert len(required) == len(project["dependencies"])
    assert set(metadata.get_all("Provides-Extra") or []) == set(project["optional-dependencies"])


def test_what_is_installed_is_the_wheel(environment, tmp_path):
    found = run(environment / "bin/python", "-c", "import cli, pipeline; print(cli.__file__, pipeline.__file__)", cwd=tmp_path)
    assert all(Path(path).is_relative_to(environment) for path in found.split())
    assert run(environment / "bin/causerie", "--version", cwd=tmp_path) == f"causerie, version {pipeline.__version__}\n"


def test_every_module_can_be_imported_and_every_lazy_name_found(environment, tmp_path):
    program = """
import importlib, pkgutil, pipeline
for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
    loaded = importlib.import_module(module.name)
    for name in getattr(loaded, "__all__", ()):
        getattr(loaded, name)
    print(module.name)
"""
    paths = {path.relative_to(REPOSITORY).with_suffix("") for path in (REPOSITORY / "pipeline").rglob("*.py")}
    modules = {".".join(path.parts).removesuffix(".__init__") for path in paths}
    assert {"pipeline", *run(environment / "bin/python", "-c", program, cwd=tmp_path).split()} == modules


def test_the_installed_command_creates_a_show(environment, tmp_path):
    run(environment / "bin/causerie", "init", "show", cwd=tmp_path)
    assert {path.name for path in (tmp_path / "show").iterdir()} >= {"show.toml", ".gitignore"}


def test_the_installed_command_makes_and_publishes_a_show(environment, tmp_path):
    root = small_show(tmp_path / "show")
    shutil.rmtree(root / "episodes/un")  # one episode makes each kind of file but the guide to a series
    for command in ("build", "publish"):
        run(environment / "bin/causerie", command, "--show", root, cwd=tmp_path)
    public = root / "public"
    assert (public / "feed.xml").read_text().startswith("<?xml")
    assert {path.suffix for path in (public / "deux").iterdir()} >= {".mp3", ".opus", ".vtt", ".html", ".png"}
    assert list((public / "guides").glob("deux.*.pdf"))
