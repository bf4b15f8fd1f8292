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


def archive(name: str, **changes: object) -> tarfile.TarFile:
    """An archive with one empty file of this name."""
    content, member = io.BytesIO(), tarfile.TarInfo(name)
    for key, value in changes.items():
        setattr(member, key, value)
    with tarfile.open(fileobj=content, mode="w") as written:
        written.addfile(member)
    content.seek(0)
    return tarfile.open(fileobj=content)


@pytest.mark.parametrize("filtered", [True, False])
def test_an_archive_is_unpacked_with_and_without_pythons_filter(filtered, tmp_path, monkeypatch):
    if not filtered:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
        monkeypatch.setattr(tarfile.TarFile, "extractall", lambda self, path: [self.extract(member, path) for member in self.getmembers()])
    elif not hasattr(tarfile, "data_filter"):
        return  # Python 3.11.0 to 3.11.3 have only the other way
    browser.extract(archive("lib/a.so"), tmp_path)
    assert (tmp_path / "lib/a.so").is_file()


@pytest.mark.parametrize(
    ("name", "changes"), [("../a", {}), ("a", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}), ("a", {"type": tarfile.FIFOTYPE})]
)
def test_an_archive_writes_nothing_outside_its_folder_without_pythons_filter(name, changes, tmp_path, monkeypatch):
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    with pytest.raises(ValueError, match="outside the folder"):
        browser.extract(archive(name, **changes), tmp_path / "out")
    assert not list(tmp_path.iterdir())


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
