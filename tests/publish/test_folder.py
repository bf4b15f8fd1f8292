"""The folder target: complete files, a folder with other files is refused, unchanged files are not read again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pipeline.model.errors import CauserieError
from pipeline.publish import folder, upload_state
from pipeline.publish.folder import FolderTarget
from pipeline.publish.public_tree import FEED, MEDIA, PublicFile
from pipeline.publish.upload_plan import RemoteFile
from tests.support.publishing import SITE, names, put


def target(root: Path) -> FolderTarget:
    return FolderTarget(root / "public", SITE, root / "memory")


def file(root: Path, key: str = "un/a.mp3", content: bytes = b"son", rank: int = MEDIA) -> PublicFile:
    source = put(root / "made" / key, content)
    return PublicFile(key, source, len(content), hashlib.sha256(content).hexdigest(), "audio/mpeg", "", rank)


def test_what_is_put_is_listed_with_its_digest_and_read_back(tmp_path: Path) -> None:
    there, sent = target(tmp_path), file(tmp_path)
    there.put(sent)
    (found,) = there.list({sent.key}).values()
    assert (found.bytes, found.sha256, found.headers) == (3, sent.sha256, None)
    assert there.read(sent.key) == b"son"


def test_a_published_file_is_a_copy_that_others_may_read(tmp_path: Path) -> None:
    sent = file(tmp_path)
    target(tmp_path).put(sent)
    stat = (tmp_path / "public" / sent.key).stat()
    assert (stat.st_nlink, stat.st_ino == sent.source.stat().st_ino, stat.st_mode & 0o777) == (1, False, 0o644)


def test_a_file_that_changes_meanwhile_is_not_published_and_the_old_one_stays(tmp_path: Path) -> None:
    there = target(tmp_path)
    there.put(file(tmp_path))
    late = file(tmp_path, content=b"new")
    late.source.write_bytes(b"newer")
    with pytest.raises(CauserieError, match="changed while"):
        there.put(late)
    assert there.read("un/a.mp3") == b"son"
    assert names(tmp_path / "public") == {"un/a.mp3"}  # nothing half-made is left


def test_an_unchanged_folder_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there, sent = target(tmp_path), file(tmp_path)
    there.put(sent)
    there.close()

    def read(path: Path) -> str:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(folder, "sha256", read)
    assert target(tmp_path).list({sent.key})[sent.key].sha256 == sent.sha256


def test_a_file_changed_by_hand_is_noticed_though_size_and_time_are_the_same(tmp_path: Path) -> None:
    there, sent = target(tmp_path), file(tmp_path)
    there.put(sent)
    place = tmp_path / "public" / sent.key
    before = place.stat()
    place.unlink()
    put(tmp_path / "other", b"???").rename(place)
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert there.list({sent.key})[sent.key].sha256 != sent.sha256


def test_somebody_elses_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "public/these.tex", b"ma these")
    with pytest.raises(CauserieError, match="did not write"):
        target(tmp_path)
    assert names(tmp_path / "public") == {"these.tex"}


def test_the_feed_of_another_show_does_not_make_a_folder_ours(tmp_path: Path) -> None:
    put(tmp_path / "public/feed.xml", b"<rss>https://ailleurs.example/</rss>")
    with pytest.raises(CauserieError, match="did not write"):
        target(tmp_path)


def test_our_folder_is_known_again_when_everything_remembered_is_lost(tmp_path: Path) -> None:
    put(tmp_path / "public/feed.xml", f"<rss>{SITE}</rss>".encode())
    assert set(target(tmp_path).list(set())) == {"feed.xml"}


def test_a_file_instead_of_the_folder_is_told(tmp_path: Path) -> None:
    put(tmp_path / "public", b"")
    with pytest.raises(CauserieError, match="not a folder"):
        target(tmp_path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    there = target(tmp_path)
    there.put(file(tmp_path, "index.html"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "public/un").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CauserieError, match="leads outside"):
        there.put(file(tmp_path))
    assert not names(tmp_path / "elsewhere")


def test_deleting_touches_only_what_we_put_there(tmp_path: Path) -> None:
    there = target(tmp_path)
    there.put(file(tmp_path))
    put(tmp_path / "public/CNAME", b"balado.example")
    assert there.delete(("CNAME", "un/a.mp3")) == ("un/a.mp3",)
    assert names(tmp_path / "public") == {"CNAME"}
    assert not (tmp_path / "public/un").exists()


def test_a_feed_written_meanwhile_is_a_conflict(tmp_path: Path) -> None:
    there, feed = target(tmp_path), file(tmp_path, "feed.xml", b"le mien", FEED)
    put(tmp_path / "public/feed.xml", b"le sien")
    with pytest.raises(CauserieError, match="another publisher"):
        there.put_feed(feed, None)
    assert there.read("feed.xml") == b"le sien"


def test_a_feed_that_nobody_touched_is_replaced(tmp_path: Path) -> None:
    there, old, new = target(tmp_path), file(tmp_path, "feed.xml", b"1", FEED), None
    there.put_feed(old, None)
    expected = there.list({"feed.xml"})["feed.xml"]
    new = file(tmp_path, "feed.xml", b"2", FEED)
    assert there.put_feed(new, expected) == ""
    assert there.read("feed.xml") == b"2"


def test_memory_of_another_folder_or_a_damaged_one_is_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    upload_state.save_manifest(path, "public", {"a": RemoteFile(1, "x", ("t", "c"), '"tag"')})
    assert upload_state.load_manifest(path, "public") == {"a": RemoteFile(1, "x", ("t", "c"), '"tag"')}
    assert upload_state.load_manifest(path, "elsewhere") == {}
    for damaged in (b"{", b"[]", b'{"target": "public", "files": {"a": 1}}', b'{"target": "public"}'):
        path.write_bytes(damaged)
        assert upload_state.load_manifest(path, "public") == {}


def test_while_one_publishes_into_a_folder_another_is_told(tmp_path: Path) -> None:
    mine, theirs = target(tmp_path), target(tmp_path)
    with theirs.lock(), pytest.raises(CauserieError, match="another publisher is writing"), mine.lock():
        raise AssertionError("both were alone")
    with mine.lock():
        mine.put(file(tmp_path))


def test_what_lies_in_hidden_folders_is_nobodys_business(tmp_path: Path) -> None:
    there = target(tmp_path)
    there.put(file(tmp_path))
    put(tmp_path / "public/.git/config", b"[core]")
    assert set(there.list(set())) == {"un/a.mp3"}


def test_folders_that_deleting_empties_go_too(tmp_path: Path) -> None:
    there, one = target(tmp_path), file(tmp_path, "feeds/amis/feed.xml")
    there.put(one)
    assert there.delete([one.key]) == (one.key,)
    assert not names(tmp_path / "public") and not (tmp_path / "public/feeds").exists()


def test_the_folder_of_a_private_show_is_known_again_when_everything_remembered_is_lost(tmp_path: Path) -> None:
    put(tmp_path / "public/feeds/0123/feed.xml", f"<rss>{SITE}</rss>".encode())
    assert set(target(tmp_path).list(set())) == {"feeds/0123/feed.xml"}
