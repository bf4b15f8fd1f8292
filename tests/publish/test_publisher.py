"""Publishing as a transaction: order, failure, repetition, secrecy, and what the ledger keeps."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import podcastparser
import pytest

from pipeline.feed import ledger as ledgers
from pipeline.model.errors import CauserieError
from pipeline.model.show import PublishSettings, S3Settings, Show
from pipeline.publish.publication_report import PublishReport
from pipeline.publish.publisher import PublishCallbacks, publish
from tests.support.publishing import AT, SECRET, S3Server, build, episode, names, put, s3_client, s3_server, show

pytestmark = pytest.mark.slow

BUCKET = "balado"


@pytest.fixture(scope="module")
def running() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def server(running: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    running.answer = lambda environ: None
    client = s3_client(running.url)
    client.create_bucket(Bucket=BUCKET)
    running.requests.clear()
    yield running
    running.answer = lambda environ: None
    for row in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=row["Key"])
    client.delete_bucket(Bucket=BUCKET)


def in_bucket(server: S3Server, *slugs: str) -> Show:
    return show(*slugs, s3=S3Settings(BUCKET, "", server.url, "us-east-1", "path", acl="public-read"))


def send(root: Path, show: Show, server: S3Server | None = None, **options: Any) -> PublishReport:
    address = {"public_url": f"{server.url}/{BUCKET}/"} if server else {}
    return publish(show, show.episodes, root, at=AT, **address, **options)


def public(server: S3Server, key: str) -> bytes:
    with urllib.request.urlopen(f"{server.url}/{BUCKET}/{key}", timeout=10) as answer:
        return answer.read()  # type: ignore[no-any-return]


def refuse(method: str, ending: str, status: int = 403) -> Callable[[dict[str, Any]], int | None]:
    return lambda environ: status if environ["REQUEST_METHOD"] == method and environ["PATH_INFO"].endswith(ending) else None


def test_a_folder_then_holds_exactly_the_tree(tmp_path: Path) -> None:
    root = build(tmp_path, "un", "deux")
    done = send(root, show("un", "deux"))
    assert names(root / "public") == set(done.sent)
    assert done.sent[-1] == "feed.xml"
    assert (root / "public/feed.xml").read_bytes() == (root / "feeds/feed.xml").read_bytes()


def test_a_bucket_and_a_folder_hold_the_same(server: S3Server, tmp_path: Path) -> None:
    there = send(build(tmp_path / "a", "un"), in_bucket(server, "un"), server)
    here = send(build(tmp_path / "b", "un"), show("un"))
    assert (there.sent, there.bytes) == (here.sent, here.bytes)
    assert len(here.sent) == 18
    assert all(public(server, key) == (tmp_path / "b/public" / key).read_bytes() for key in here.sent)


def test_what_arrives_is_a_podcast(server: S3Server, tmp_path: Path) -> None:
    send(build(tmp_path, "un", "deux"), in_bucket(server, "un", "deux"), server)
    with urllib.request.urlopen(f"{server.url}/{BUCKET}/feed.xml", timeout=10) as answer:
        feed = podcastparser.parse("feed.xml", answer)
    assert [item["title"] for item in feed["episodes"]] == ["Titre un", "Titre deux"]


def test_media_go_first_and_the_feed_last_after_everything_was_looked_at(server: S3Server, tmp_path: Path) -> None:
    send(build(tmp_path, "un"), in_bucket(server, "un"), server)
    written = [key for key in server.puts() if "probe" not in key]
    kinds = [key.rsplit(".", 1)[1] for key in written]
    assert set(kinds[:2]) == {"mp3", "opus"}
    assert set(kinds[2:5]) == {"vtt", "srt", "json"}
    assert written[-2:] == ["index.html", "feed.xml"] and {"un/index.html", "un/embed.html", "people/index.html"} < set(written[5:-2])
    feed = server.requests.index(("PUT", f"/{BUCKET}/feed.xml"))
    assert server.requests[feed - 1][0] in {"HEAD", "GET"}  # the last look, then the feed
    assert server.requests[feed + 1 :] == [("GET", f"/{BUCKET}/feed.xml")]  # as subscribers get it
    first_page = server.requests.index(("PUT", f"/{BUCKET}/un/index.html"))
    looks = [path for method, path in server.requests[:first_page] if method == "HEAD"]
    assert any(path.endswith(".mp3") for path in looks)


def test_a_second_publication_sends_nothing_and_asks_once(server: S3Server, tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    send(root, in_bucket(server, "un"), server)
    ledger = (root / "feeds/ledger.json").read_bytes()
    server.requests.clear()
    done = send(root, in_bucket(server, "un"), server)
    assert (done.nothing_changed, done.sent, done.bytes) == (True, (), 0)
    assert [method for method, _ in server.requests] == ["GET"]
    assert (root / "feeds/ledger.json").read_bytes() == ledger


def test_a_corrected_page_does_not_touch_the_feed(server: S3Server, tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    send(root, in_bucket(server, "un"), server)
    put(root / "site/un/index.html", b"<h1>Titre corrige</h1>")
    assert send(root, in_bucket(server, "un"), server).sent == ("un/index.html",)


def test_wrong_headers_are_corrected_and_nothing_is_sent_again(server: S3Server, tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    send(root, in_bucket(server, "un"), server)
    client = s3_client(server.url)
    before = client.head_object(Bucket=BUCKET, Key="style.css")
    client.put_object(
        Bucket=BUCKET, Key="style.css", Body=b"style.css", Metadata=before["Metadata"], ContentType="text/plain", ACL="public-read"
    )
    (root / ".causerie/publish/s3.json").unlink()
    done = send(root, in_bucket(server, "un"), server)
    assert (done.sent, done.bytes) == (("style.css",), 0)
    assert client.head_object(Bucket=BUCKET, Key="style.css")["ContentType"] == "text/css; charset=utf-8"


@pytest.mark.parametrize("ending", [".mp3", ".pdf", "/index.html"])
def test_a_failure_on_the_way_leaves_the_feed_as_it_was_and_the_rest_follows_next_time(
    server: S3Server, tmp_path: Path, ending: str
) -> None:
    root = build(tmp_path, "un")
    send(root, in_bucket(server, "un"), server)
    before, ledger = public(server, "feed.xml"), (root / "feeds/ledger.json").read_bytes()
    build(root, "un", "deux", titles="Nouveau", audio=b"autre son")
    server.answer = refuse("PUT", ending)
    with pytest.raises(CauserieError, match="access is denied"):
        send(root, in_bucket(server, "un", "deux"), server)
    server.answer = lambda environ: None
    assert public(server, "feed.xml") == before
    assert (root / "feeds/ledger.json").read_bytes() == ledger
    assert send(root, in_bucket(server, "un", "deux"), server).sent[-1] == "feed.xml"
    assert public(server, "feed.xml") == (root / "feeds/feed.xml").read_bytes()


def test_a_file_that_cannot_be_seen_from_outside_stops_before_the_pages(server: S3Server, tmp_path: Path) -> None:
    server.answer = lambda environ: 403 if environ["REQUEST_METHOD"] == "HEAD" and "HTTP_AUTHORIZATION" not in environ else None
    with pytest.raises(CauserieError, match=r"and 8 more: returns 403 instead of 200; check website"):
        send(build(tmp_path, "un"), in_bucket(server, "un"), server)
    assert any(key.endswith(".mp3") for key in server.puts())
    assert not [key for key in server.puts() if key.endswith(("html", "xml"))]
    assert not (tmp_path / "feeds/ledger.json").exists()


def test_a_bucket_opened_after_a_first_try_is_published_without_sending_again(server: S3Server, tmp_path: Path) -> None:
    root, opened = build(tmp_path, "un"), in_bucket(server, "un")
    settings = opened.publish.s3
    assert settings is not None
    closed = replace(opened, publish=replace(opened.publish, s3=replace(settings, acl="")))
    with pytest.raises(CauserieError, match="returns 403"):
        send(root, closed, server)
    done = send(root, opened, server)
    shown = names(root / "site") - {"style.css", "page.js"}  # files sent before are not sent again
    assert done.bytes == sum((root / "site" / name).stat().st_size for name in shown) + (root / "feeds/feed.xml").stat().st_size


def test_a_bucket_is_looked_at_through_the_website_of_the_show(server: S3Server, tmp_path: Path) -> None:
    there = in_bucket(server, "un")
    closed = replace(there, info=replace(there.info, website="http://127.0.0.1:9/"))
    with pytest.raises(CauserieError, match="127.0.0.1:9/.*cannot be reached"):
        send(build(tmp_path, "un"), closed)


def test_nothing_of_an_episode_under_embargo_is_sent_or_named(server: S3Server, tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    for name in ("episodes", "transcripts", "site/secret", "guides"):
        put(root / name / "secret.mp3", b"secret")
    both = in_bucket(server, "un", "secret")
    said: list[str] = []
    publish(both, (episode("un"),), root, at=AT, public_url=f"{server.url}/{BUCKET}", callbacks=PublishCallbacks(on_status=said.append))
    assert "secret" not in repr(server.requests) + repr(said)
    remembered = [path.read_bytes() for path in (root / ".causerie/publish").iterdir()]
    assert any(b"un/index.html" in content for content in remembered)
    assert not any(b"secret" in content for content in remembered)
    assert "secret" not in (root / "feeds/ledger.json").read_text()


def test_a_dry_run_says_what_subscribers_will_see_and_writes_nothing(server: S3Server, tmp_path: Path) -> None:
    root, said = build(tmp_path, "un"), []
    before = names(root)
    done = send(root, in_bucket(server, "un"), server, dry_run=True, callbacks=PublishCallbacks(on_message=said.append))
    assert said[:2] == ["1 new episode, 0 downloads repeated", "  new: Titre un"]
    assert said[-1] == "total: 18 files, 9.0 kB, to s3://balado; 0 unchanged"
    assert (len(done.sent), server.puts(), names(root)) == (18, [], before)


def test_what_no_kept_publication_names_stays_until_it_is_asked_away(tmp_path: Path) -> None:
    root, last_only = build(tmp_path, "un"), replace(show("un"), publish=PublishSettings(keep=1))
    (old,) = (key for key in send(root, last_only).sent if key.endswith(".mp3"))
    put(root / "public/CNAME", b"balado.example")
    build(root, "un", audio=b"nouveau son")
    assert send(root, last_only, prune=True).deleted == ()  # the publication before may still be gone back to
    assert send(root, last_only).deleted == ()
    shutil.rmtree(root / ".causerie/publish")  # what is remembered there is no condition: the reports say what we sent
    assert send(root, last_only, prune=True).deleted == (old,)
    assert (root / "public/CNAME").exists()


def test_the_ledger_keeps_what_was_given_once_for_each_place(tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    before = ledgers.assign_guids(ledgers.Ledger(), "https://balado.example/serie/feed.xml", ["un"])
    ledgers.save_ledger(root / "feeds/ledger.json", before)
    send(root, show("un"))
    send(root, show("un"))
    send(root, show("un", folder="ailleurs"))
    kept = ledgers.load_ledger(root / "feeds/ledger.json")
    assert [(one.at, one.target) for one in kept.publications] == [(AT, "public"), (AT, "ailleurs")]
    assert [given.title for given in kept.publications[0].episodes] == ["Titre un"]
    assert (kept.guid, kept.episodes) == (before.guid, before.episodes)


def test_a_feed_damaged_by_hand_is_not_published(tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    put(root / "feeds/feed.xml", b"<rss><channel>")
    with pytest.raises(CauserieError, match=r"feeds/feed\.xml: is not a readable feed"):
        send(root, show("un"))
    assert not (root / "public").exists()


def test_a_guid_that_changes_needs_a_flag_and_its_price_is_told(tmp_path: Path) -> None:
    root = build(tmp_path, "un", "deux")
    send(root, show("un", "deux"))
    feed = root / "feeds/feed.xml"
    feed.write_bytes(feed.read_bytes().replace(b"<guid>un", b"<guid>autre"))
    said: list[str] = []
    send(root, show("un", "deux"), dry_run=True, callbacks=PublishCallbacks(on_message=said.append))
    assert said[:2] == ["1 GUID changed, 1 download repeated", "  changed: Titre un"]
    with pytest.raises(CauserieError, match="every subscriber's app would download 1 episode again: Titre un; .*--new-guids"):
        send(root, show("un", "deux"))
    assert send(root, show("un", "deux"), new_guids=True).sent == ("feed.xml",)
    assert send(root, show("un", "deux")).nothing_changed


def test_an_old_copy_of_the_show_cannot_undo_a_newer_publication(server: S3Server, tmp_path: Path) -> None:
    mine, theirs = build(tmp_path / "moi", "un"), build(tmp_path / "elle", "un")
    send(mine, in_bucket(server, "un"), server)
    send(theirs, in_bucket(server, "un"), server)  # the same feed: nothing to quarrel about
    send(build(theirs, "un", "deux"), in_bucket(server, "un", "deux"), server)
    newer = public(server, "feed.xml")
    build(mine, "un", titles="Ancien")
    with pytest.raises(CauserieError, match="from another copy of this show.*--take-over"):
        send(mine, in_bucket(server, "un"), server)
    assert public(server, "feed.xml") == newer
    put(mine / "feeds/ledger.json", (theirs / "feeds/ledger.json").read_bytes())
    assert "feed.xml" in send(mine, in_bucket(server, "un"), server).sent


def test_another_copys_feed_can_be_taken_over_on_purpose(tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    send(root, show("un"))
    put(root / "public/feed.xml", b"<rss>l'autre</rss>")
    build(root, "un", titles="Le mien")
    with pytest.raises(CauserieError, match="take-over"):
        send(root, show("un"))
    assert send(root, show("un"), take_over=True).sent[-1] == "feed.xml"


def test_a_feed_that_changes_while_the_rest_is_sent_is_left_alone(server: S3Server, tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    send(root, in_bucket(server, "un"), server)
    build(root, "un", titles="Le mien")
    client = s3_client(server.url)

    def somebody_publishes(line: str) -> None:
        client.put_object(Bucket=BUCKET, Key="feed.xml", Body=b"<rss>le sien</rss>", ACL="public-read")

    with pytest.raises(CauserieError, match="another publisher"):
        send(root, in_bucket(server, "un"), server, callbacks=PublishCallbacks(on_status=somebody_publishes))
    assert public(server, "feed.xml") == b"<rss>le sien</rss>"


def test_a_file_lost_in_the_bucket_is_sent_again(server: S3Server, tmp_path: Path) -> None:
    root = build(tmp_path, "un")
    send(root, in_bucket(server, "un"), server)
    s3_client(server.url).delete_object(Bucket=BUCKET, Key="page.js")
    assert send(root, in_bucket(server, "un"), server).sent == ("page.js",)


def test_the_feed_of_another_show_at_the_same_place_is_not_written_over(server: S3Server, tmp_path: Path) -> None:
    send(build(tmp_path / "elle", "un", "deux"), in_bucket(server, "un", "deux"), server)
    newer, root = public(server, "feed.xml"), build(tmp_path / "moi", "un", titles="Le mien")  # whose ledger knows of no publication
    with pytest.raises(CauserieError, match="contains episodes that are not in this show: Titre deux; publish under another prefix"):
        send(root, in_bucket(server, "un"), server)
    assert public(server, "feed.xml") == newer
    assert "feed.xml" in send(root, in_bucket(server, "un"), server, take_over=True).sent


def test_a_feed_that_this_one_continues_is_replaced_though_the_ledger_does_not_know_it(server: S3Server, tmp_path: Path) -> None:
    send(build(tmp_path / "avant", "un"), in_bucket(server, "un"), server)
    assert "feed.xml" in send(build(tmp_path / "ici", "un", "deux"), in_bucket(server, "un", "deux"), server).sent


def test_something_that_is_no_feed_is_not_written_over_either(server: S3Server, tmp_path: Path) -> None:
    s3_client(server.url).put_object(Bucket=BUCKET, Key="feed.xml", Body="<html>à moi".encode())
    with pytest.raises(CauserieError, match="the published feed is not this show's"):
        send(build(tmp_path, "un"), in_bucket(server, "un"), server)
