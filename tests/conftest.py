"""A small show on real audio, and its build, made once for the whole suite."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import browser

settings.register_profile("causerie", deadline=None)  # the duration of an example depends on the machine
settings.load_profile("causerie")
REPOSITORY = Path(__file__).parents[1]
SHOW = """
title = "Petit essai"
description = "Deux épisodes de quelques secondes."
author = "Nous"
website = "https://podcast.example.org/essai/"
categories = ["Government"]
cover = "cover.jpg"
[people.nora]
name = "Nora Belkacem"
[credits]
Host = ["nora"]
[audio]
loudness_lufs = -16.0
[speech]
model = "base"
"""
EPISODE = """
title = "{title}"
summary = "Un résumé."
published = 2026-01-0{number}T06:00:00+01:00
number = {number}
[[recordings]]
file = "raw.flac"
"""


def causerie(*arguments: str | Path, root: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command line on a show, as a user would."""
    command = [sys.executable, REPOSITORY / "cli.py", arguments[0], "--show", root, *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"}, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{arguments} gave {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def build(root: Path, *arguments: str, check: bool = True) -> dict[str, str]:
    """Build; returns the status of each step by name."""
    lines = causerie("build", "--json", *arguments, root=root, check=check).stdout.splitlines()
    return {f"{value['episode']}/{value['step']}": value["status"] for value in map(json.loads, lines)}


def built_steps(statuses: dict[str, str]) -> set[str]:
    """The steps that ran."""
    return {name for name, status in statuses.items() if status == "built"}


def cut_audio(source: Path, target: Path, start_s: float, length_s: float, *options: str) -> None:
    """Cut a piece out of a recording into its own file."""
    import imageio_ffmpeg

    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-y",
        "-ss",
        str(start_s),
        "-t",
        str(length_s),
        "-i",
        source,
        *options,
        target,
    ]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def small_show(root: Path) -> Path:
    """Two episodes of five to eight seconds, cut from the sample show, heard by Whisper base."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "show.toml").write_text(SHOW)
    shutil.copyfile(REPOSITORY / "episodes/cover.jpg", root / "cover.jpg")
    raw = REPOSITORY / "episodes/01-la-file-d-attente/prise-unique.flac"
    for number, (slug, start_s, length_s) in enumerate((("un", 4.5, 9), ("deux", 23, 7)), 1):
        folder = root / "episodes" / slug
        folder.mkdir(parents=True)
        (folder / "episode.toml").write_text(EPISODE.format(title=f"Épisode {slug}", number=number))
        cut_audio(raw, folder / "raw.flac", start_s, length_s)
    return root


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small show built from scratch, read-only; copy it to change it."""
    root = small_show(tmp_path_factory.mktemp("built") / "show")
    build(root)
    return root


@pytest.fixture
def built(built_once: Path, tmp_path: Path) -> Path:
    """A copy of the built small show, to change."""
    return Path(shutil.copytree(built_once, tmp_path / "show"))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(browser.Untested())


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The browser that looks at the pages; a test that uses it is not run where there is none."""
    return str(browser.browser.found()[0])


@pytest.fixture(scope="module")
def chromium(browser_path: str) -> Iterator:
    """It, running: for one file, since Playwright keeps the thread's event loop for itself meanwhile."""
    with browser.chromium(browser_path) as running:
        yield running
