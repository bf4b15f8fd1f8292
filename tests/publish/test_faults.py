"""Publishing with faults: it ends published, or with an error; never a feed that refers to a missing file, never a leaked secret.

Each quick fault is run once; `benchmarks/faults.py` runs all of them as often as requested.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faulty_proxy import Proxy, faulty_proxy
from tests.support.publishing import s3_server
from tests.support.publishing_faults import (
    MUST_FAIL,
    MUST_PUBLISH,
    credentials,
    fast_retries,
    run_fault,
    run_killed,
    run_killed_into_folder,
    run_two_publishers,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running() -> Iterator[Proxy]:
    with s3_server() as server, faulty_proxy(server.url) as proxy, fast_retries():
        yield proxy


@pytest.fixture
def proxy(running: Proxy, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    for name, value in credentials().items():
        monkeypatch.setenv(name, value)
    return running


QUICK = (
    "one request in five answers 503",
    "answers dropped in mid-body",
    "the answer to the feed lost",
    "credentials that expire half way",
    "access denied on one key",
    "a bit flipped on the way to a server that checks nothing",
    "a public address that learns of nothing new",
    "a public address that keeps what it has shown",
)


@pytest.mark.parametrize("name", QUICK)
def test_a_publication_ends_well_or_changes_nothing_under(name: str, proxy: Proxy, tmp_path: Path) -> None:
    outcome = run_fault(name, 4, proxy, tmp_path)
    assert (outcome != "published") or name not in MUST_FAIL
    assert (outcome == "published") or name not in MUST_PUBLISH


def test_of_two_publishers_at_once_one_is_told_though_the_server_knows_no_conditions(proxy: Proxy, tmp_path: Path) -> None:
    run_two_publishers(1, proxy, tmp_path)


def test_a_killed_publication_is_taken_up_by_the_next(proxy: Proxy, tmp_path: Path) -> None:
    run_killed(3, proxy, tmp_path)


def test_a_folder_is_whole_for_its_readers_whenever_its_publisher_is_killed(proxy: Proxy, tmp_path: Path) -> None:
    run_killed_into_folder(1, proxy, tmp_path)
