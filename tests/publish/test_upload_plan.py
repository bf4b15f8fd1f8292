"""The upload plan: local files compared with remote ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.publish.public_tree import FEED, MEDIA, PAGES, PublicFile
from pipeline.publish.upload_plan import RemoteFile, plan_summary, plan_upload

HEADERS = ("text/plain", "no-cache")


def local(key: str, digest: str = "a", rank: int = MEDIA) -> PublicFile:
    return PublicFile(key, Path(key), 4, digest, *HEADERS, rank)


def there(digest: str = "a", headers: tuple[str, str] | None = HEADERS, count: int = 4) -> RemoteFile:
    return RemoteFile(count, digest, headers)


KEYS = st.sampled_from(["a.mp3", "b.vtt", "c/index.html", "feed.xml", "old.mp3"])
LOCAL = st.dictionaries(KEYS, st.tuples(st.sampled_from("ab"), st.integers(MEDIA, FEED)))
REMOTE = st.dictionaries(KEYS, st.tuples(st.sampled_from(["a", "b", ""]), st.sampled_from([HEADERS, ("x", "y"), None])))


@settings(max_examples=100)
@given(LOCAL, REMOTE)
def test_each_file_is_in_exactly_one_part_of_the_plan_and_doing_it_leaves_nothing_to_do(here: dict, far: dict) -> None:
    files = [local(key, *value) for key, value in here.items()]
    remote = {key: there(*value) for key, value in far.items()}
    plan = plan_upload(files, remote)
    parts = [*plan.uploads, *plan.unchanged, *plan.header_changes]
    assert sorted(file.key for file in parts) == sorted(here)
    assert set(plan.orphans) == set(far) - set(here)
    after = remote | {file.key: there(file.sha256) for file in plan.changes}
    assert not plan_upload(files, after).changes


def test_the_feed_is_the_last_change() -> None:
    plan = plan_upload([local("feed.xml", rank=FEED), local("z.html", rank=PAGES), local("a.mp3")], {"a.mp3": there(headers=("", ""))})
    assert [file.key for file in plan.changes] == ["a.mp3", "z.html", "feed.xml"]


@pytest.mark.parametrize("remote", [there("b"), there(""), there(count=5)], ids=["other content", "nobody knows", "other size"])
def test_what_may_differ_is_sent(remote: RemoteFile) -> None:
    assert plan_upload([local("a")], {"a": remote}).uploads


def test_other_headers_do_not_send_the_content_again() -> None:
    plan = plan_upload([local("a")], {"a": there(headers=("binary/octet-stream", ""))})
    assert (plan.uploads, len(plan.header_changes), plan.bytes) == ((), 1, 0)


def test_a_target_without_headers_has_none_to_correct() -> None:
    assert not plan_upload([local("a")], {"a": there(headers=None)}).changes


def test_the_plan_can_be_read() -> None:
    plan = plan_upload([local("a.mp3"), local("feed.xml", rank=FEED), local("b")], {"old": there(), "b": there(headers=("", ""))})
    assert plan_summary(plan, "public") == (
        "keep 1 file no longer referenced (older copies of the feed may still use them)",
        "total: 3 files, 8 bytes, to public; 0 unchanged",
    )
    assert "delete old if Causerie wrote it" in plan_summary(plan, "public", prune=True)


def test_a_plan_that_does_nothing_says_so() -> None:
    assert plan_summary(plan_upload([local("a")], {"a": there()}), "public") == ("nothing to send: public is up to date",)
