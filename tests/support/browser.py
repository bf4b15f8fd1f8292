"""The browser of every test that looks at a page, and what is said when there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tools import browser

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
]


@contextmanager
def chromium(path: str) -> Iterator:
    """A running browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield running
        running.close()


class Untested:
    """Takes the tests that need a browser out of a run that has none, and says so on its last line."""

    def __init__(self) -> None:
        self.count = 0

    def pytest_collection_modifyitems(self, config, items) -> None:
        if browser.found():
            return
        left_out = [item for item in items if "browser_path" in item.fixturenames]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
        self.count = len(left_out)

    @pytest.hookimpl(optionalhook=True)  # pytest-xdist's
    def pytest_testnodedown(self, node, error) -> None:
        """A worker of pytest-xdist ended: it collected, and this process did not."""
        self.count = max(self.count, getattr(node, "workeroutput", {}).get("untested", 0))

    def pytest_sessionfinish(self, session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["untested"] = self.count
        elif self.count and browser.named() != "none":
            session.exitstatus = 1

    def pytest_unconfigure(self, config) -> None:
        if self.count and not hasattr(config, "workeroutput"):
            print(browser.closing(self.count, browser.named(), browser.this_machine()), flush=True)
