"""Where the tests' browser comes from, and what is said when there is none."""

import io
import os
import stat
import tarfile

import pytest

from tests.support.browser import Untested
from tools import browser
from tools.browser import Machine

pytestmark = pytest.mark.slow

DEBIAN = Machine("Linux", "x86_64", True, "debian")
MAC = Machine("Darwin", "arm64", False, "")


def program(path, says="exit 0"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (DEBIAN, ("package", "apt", "playwright")),
        (DEBIAN._replace(root=False), ("package", "playwright")),
        (DEBIAN._replace(processor="aarch64"), ("apt", "playwright")),
        (DEBIAN._replace(distribution="ubuntu"), ("package", "playwright")),
        (MAC, ("playwright",)),
    ],
)
def test_what_is_kept_in_the_environment_comes_before_what_changes_the_machine(machine, expected):
    assert browser.ways(machine) == expected


@pytest.mark.parametrize("machine", [DEBIAN, DEBIAN._replace(distribution="arch"), MAC])
@pytest.mark.parametrize("named", ["", "none", "/nowhere"])
def test_the_closing_line_says_how_many_and_what_to_do(machine, named):
    line = browser.closing(59, named, machine)
    assert "59 tests" in line and "make test" in line and "\n" not in line


def test_the_one_brought_comes_first_then_the_path_then_playwrights(tmp_path):
    own = program(tmp_path / "pw/chromium_headless_shell-9/linux/chrome-headless-shell")
    order = list(browser.candidates(tmp_path / "brought", tmp_path / "pw", {"google-chrome": "/usr/bin/google-chrome"}.get))
    assert [str(path) for path in order if "Applications" not in str(path)] == [
        str(tmp_path / "brought/chromium"),
        "/usr/bin/google-chrome",
        str(own),
    ]


def test_one_that_is_named_is_the_only_one(tmp_path, monkeypatch):
    mine = program(tmp_path / "mine")
    for value, expected in ((str(mine), [mine]), ("none", []), (str(tmp_path / "other"), [])):
        monkeypatch.setenv("CAUSERIE_BROWSER", value)
        assert browser.found() == expected


def test_what_does_not_start_is_no_browser(tmp_path):
    assert browser.runs(program(tmp_path / "good"))
    assert not browser.runs(program(tmp_path / "stub", "exit 1"))
    assert not browser.runs(tmp_path / "absent")


def test_a_package_becomes_a_program_with_its_libraries_and_fonts(tmp_path):
    brotli = pytest.importorskip("brotli")
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    for name in ("al2023", "fonts", "swiftshader"):
        (tmp_path / f"{name}.tar.br").write_bytes(brotli.compress(empty.getvalue()))
    (tmp_path / "chromium.br").write_bytes(brotli.compress(b'#!/bin/sh\necho "$LD_LIBRARY_PATH $1"\n'))
    browser.unpack(tmp_path, tmp_path / "out")
    assert os.stat(tmp_path / "out/chromium").st_mode & stat.S_IXUSR
    assert os.popen(f"{tmp_path}/out/chromium --version").read().split() == [f"{tmp_path}/out/lib", "--version"]


@pytest.mark.parametrize(("named", "status"), [("/nowhere", 1), ("none", 0)])
def test_a_run_without_a_browser_fails_unless_that_was_asked(pytester_like, named, status, monkeypatch, capsys):
    monkeypatch.setenv("CAUSERIE_BROWSER", named)
    plugin, session = Untested(), pytester_like
    plugin.count = 3
    plugin.pytest_sessionfinish(session)
    plugin.pytest_unconfigure(session.config)
    assert session.exitstatus == status
    assert "3 tests" in capsys.readouterr().out


@pytest.fixture
def pytester_like():
    """As much of a session as the closing line needs."""
    from types import SimpleNamespace

    return SimpleNamespace(exitstatus=0, config=SimpleNamespace())
