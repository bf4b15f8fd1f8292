"""Rolling back to an earlier publication, and recovering from one that was interrupted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.feed import ledger as ledgers
from pipeline.model.errors import CauserieError
from pipeline.publish import history
from pipeline.publish.folder import FolderTarget
from pipeline.publish.publication_report import PublishReport
from pipeline.publish.publisher import publish, rollback
from tests.support.publishing import AT, build, names, put, show

pytestmark = pytest.mark.slow


def send(root: Path, *slugs: str, **options: object) -> PublishReport:
    some = show(*slugs)
    return publish(some, some.episodes, root, at=AT, **options)


def back(root: Path, *slugs: str, **options: object) -> PublishReport:
    return rollback(show(*slugs), root, at=AT, **options)


@pytest.fixture
def twice(tmp_path: Path) -> Path:
    """A show published with one episode, then with two and with other titles."""
    send(build(tmp_path, "un"), "un")
    send(build(tmp_path, "un", "deux", titles="Autre"), "un", "deux")
    return tmp_path


def test_going_back_restores_feed_and_pages_byte_for_byte_and_sends_no_media(tmp_path: Path) -> None:
    send(build(tmp_path, "un"), "un")
    before = {name: (tmp_path / "public" / name).read_bytes() for name in names(tmp_path / "public")}
    send(build(tmp_path, "un", "deux", titles="Autre"), "un", "deux")
    done = back(tmp_path, "un", "deux")
    assert {name: (tmp_path / "public" / name).read_bytes() for name in before} == before
    assert set(done.sent) == {"index.html", "un/index.html", "un/embed.html", "feed.xml"} and done.sent[-1] == "feed.xml"
    assert done.subscribers == (
        "1 text corrected, 1 episode withdrawn, 0 downloads repeated",
        "  corrected: Titre un",
        "  withdrawn: Autre deux",
    )


def test_what_was_gone_back_from_can_be_published_again(twice: Path) -> None:
    back(twice, "un", "deux")
    assert set(send(twice, "un", "deux").sent) == {"index.html", "un/index.html", "un/embed.html", "feed.xml"}
    assert (twice / "public/feed.xml").read_bytes() == (twice / "feeds/feed.xml").read_bytes()


def test_going_back_twice_goes_further_back_and_a_number_goes_anywhere(twice: Path) -> None:
    send(build(twice, "un", "deux", titles="Encore"), "un", "deux")
    assert [back(twice, "un").back_to for _ in range(2)] == [2, 1]
    with pytest.raises(CauserieError, match="no earlier publication to roll back to"):
        back(twice, "un")
    assert back(twice, "un", number=3).back_to == 3
    with pytest.raises(CauserieError, match=r"publication 9 does not exist; publications you can roll back to: 1, 2, 3, 4, 5, 6"):
        back(twice, "un", number=9)


def test_a_rehearsal_of_going_back_says_it_and_changes_nothing(twice: Path) -> None:
    before = {name: (twice / name).read_bytes() for name in names(twice)}
    assert back(twice, "un", dry_run=True).sent[-1] == "feed.xml"
    assert {name: (twice / name).read_bytes() for name in names(twice)} == before


def test_nothing_is_gone_back_to_when_a_file_it_names_is_lost(twice: Path) -> None:
    for path in (twice / "public/un").glob("*.mp3"):
        path.unlink()
    before = (twice / "public/feed.xml").read_bytes()
    with pytest.raises(CauserieError, match=r"cannot roll back to publication 1: the target no longer has un/un-\w+\.mp3"):
        back(twice, "un")
    assert (twice / "public/feed.xml").read_bytes() == before


def test_only_the_last_publications_are_kept_and_their_reports_stay(tmp_path: Path) -> None:
    from dataclasses import replace

    from pipeline.model.show import PublishSettings

    few = replace(show("un"), publish=PublishSettings(keep=2))
    for title in "ABCD":
        publish(few, few.episodes, build(tmp_path, "un", titles=title), at=AT)
    folder = tmp_path / "feeds/publications"
    assert [tree.number for tree in history.load_trees(folder, "public")] == [3, 4]
    assert {path.name for path in folder.glob("*.json")} == {f"000{number}.json" for number in range(1, 5)}
    kept = {path.read_bytes() for path in (folder / "files").iterdir()}
    assert {f"<h1>{title} un</h1>".encode() in kept for title in "AB"} == {False}
    assert {f"<h1>{title} un</h1>".encode() in kept for title in "CD"} == {True}


def test_a_publication_killed_after_its_feed_is_known_for_ours_the_next_time(twice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(twice, "un", "deux", "trois")
    original = FolderTarget.put_feed

    def killed(self: FolderTarget, *what: object) -> str:
        original(self, *what)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(FolderTarget, "put_feed", killed)
        send(twice, "un", "deux", "trois")
    assert len(ledgers.load_ledger(twice / "feeds/ledger.json").publications) == 2
    build(twice, "un", "deux", "trois", titles="Corrigé")
    assert "feed.xml" in send(twice, "un", "deux", "trois").sent  # nobody is asked to take over what is theirs
    assert len(ledgers.load_ledger(twice / "feeds/ledger.json").publications) == 4


def test_a_publication_killed_before_its_feed_cannot_be_gone_back_to(twice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(twice, "un", "deux", titles="Jamais")

    def killed(self: FolderTarget, *what: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(FolderTarget, "put_feed", killed)
        send(twice, "un", "deux")
    assert back(twice, "un").back_to == 1
    assert [tree.number for tree in history.load_trees(twice / "feeds/publications", "public")] == [1, 2, 3]


def test_a_damaged_record_is_told_and_left(twice: Path) -> None:
    path = put(twice / "feeds/publications/trees/0002.json", b'{"files": [["a", 1, "../../../etc/passwd", "t", "c", 0]]}')
    with pytest.raises(CauserieError, match="0002.json: is damaged; restore it"):
        back(twice, "un")
    assert path.exists()


def test_records_that_were_deleted_cost_only_the_way_back(twice: Path) -> None:
    shutil.rmtree(twice / "feeds/publications")
    assert send(build(twice, "un", titles="Suite"), "un").sent[-1] == "feed.xml"
    with pytest.raises(CauserieError, match="only the current publication is kept"):
        back(twice, "un")


def test_a_report_is_kept_for_people_and_for_programs(twice: Path) -> None:
    build(twice, "un", titles="<script>alert(1)</script>")
    done = send(twice, "un")
    value = json.loads((twice / f"feeds/publications/{done.number:04}.json").read_text())
    assert [row["key"] for row in value["sent"]] == list(done.sent)
    assert (value["number"], value["target"], sum(row["bytes"] for row in value["sent"])) == (3, "public", done.bytes)
    assert "<script>" not in (twice / "feeds/publications/0003.html").read_text()
