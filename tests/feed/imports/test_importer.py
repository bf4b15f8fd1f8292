"""`import-feed` from end to end, over a real server, with runs that are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from pipeline.audio.probe import probe_file
from pipeline.commands.workspace import load_show
from pipeline.config import loader
from pipeline.engine.files import read_json
from pipeline.feed import ledger
from pipeline.feed.imports.converter import convert_feed
from pipeline.feed.imports.importer import import_show
from pipeline.feed.imports.session import MAX_HOST_FAILURES, ImportSession
from pipeline.feed.imports.staging import MAX_PARALLEL
from pipeline.feed.subscriber_changes import describe_changes
from pipeline.model.errors import CauserieError
from pipeline.plan import plan_steps
from tests.conftest import REPOSITORY, causerie, cut_audio
from tests.feed.test_rss import published, told
from tests.support.strangers_server import Handler, Page, body, endless, ranges, serving

pytestmark = pytest.mark.slow

COVER = (REPOSITORY / "episodes/cover.jpg").read_bytes()
SOUND = bytes(range(256)) * 400
VTT = b"WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ute Kern>Guten Tag.\n\n00:02.000 --> 00:03.000\n<v Ute Kern>Los!\n"
CHAPTERS = {"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Anfang"}, {"startTime": 61.5, "title": "Ende"}]}
GUIDS = {"un": " guid un\n", "deux": "http://x.example/?p=2&a=b", "trois": "https://127.0.0.1/3.mp3"}
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel>
<title>Un, deux</title><link>https://example.org/un</link><description>D.</description><language>fr</language><itunes:author>A</itunes:author>
<itunes:category text="Government"/><itunes:image href="/cover.jpg"/>
<item><title>Deux</title><guid>http://x.example/?p=2&amp;a=b</guid><pubDate>Fri, 16 Jan 2026 19:00:00 +0100</pubDate>
<enclosure url="/deux.mp3?x=1" length="102400" type="audio/mpeg"/><itunes:image href="/small.png"/><itunes:episode>2</itunes:episode>
<podcast:chapters url="/chapters.json" type="application/json+chapters"/></item>
<item><title>Un</title><guid> guid un
</guid><pubDate>Thu, 15 Jan 2026 19:00:00 +0100</pubDate><itunes:episode>1</itunes:episode>
<enclosure url="/un.mp3" length="1" type="audio/mpeg"/><podcast:person>Ute Kern</podcast:person>
<podcast:transcript url="/un.vtt" type="text/vtt"/></item></channel></rss>"""


def pages(**more: Page | bytes) -> dict[str, Page | bytes]:
    """The whole site of a small show."""
    sounds = {f"/{name}.mp3": ranges(SOUND, 50_000) for name in ("un", "deux")}
    texts = {
        "/feed": FEED.encode(),
        "/cover.jpg": COVER,
        "/small.png": b"GIF89a",
        "/un.vtt": VTT,
        "/chapters.json": json.dumps(CHAPTERS).encode(),
    }
    return {**sounds, **texts, **{f"/{name.replace('_', '.')}": page for name, page in more.items()}}


def run(**options: bool) -> tuple[ImportSession, list[str]]:
    """A run, and what it says."""
    said: list[str] = []
    return ImportSession(allow_private=True, on_message=lambda text, always=False: said.append(text), **options), said


def test_a_show_comes_over_with_all_it_has(tmp_path: Path) -> None:
    root, (asks, said) = tmp_path / "show", run(media=True)
    with serving(pages()) as (site, _):
        assert import_show(root, f"{site}/feed", asks)
    show = loader.load_config(root)
    un, deux = show.episodes
    assert (un.slug, deux.slug, show.cover) == ("un", "deux", "cover.jpg")
    assert [(mark.start_s, mark.title) for mark in deux.chapters] == [(0, "Anfang"), (61.5, "Ende")]
    assert [credit.person.name for credit in un.info.credits] == ["Ute Kern"]
    assert [(root / episode.mix.files[0]).read_bytes() == SOUND for episode in show.episodes] == [True, True]
    assert (root / "transcripts/un.imported.vtt").read_bytes() == VTT
    assert "Ute Kern : Guten Tag. Los!" in (root / "transcripts/un.md").read_text()
    assert sorted(path.name for path in root.iterdir()) == [
        ".gitignore",
        "cover.jpg",
        "episodes",
        "feeds",
        "guides",
        "show.toml",
        "transcripts",
    ]
    told = "\n".join(said)
    assert "deux: cover: is not a JPEG or PNG image" in told and "un: audio has 102400 bytes, the feed declares 1" in told


def test_the_first_feed_after_an_import_has_the_old_identities(tmp_path: Path) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_text(FEED.replace("<guid>http://x.example/?p=2&amp;a=b</guid>", ""))
    import_show(tmp_path / "show", str(feed), run(offline=True)[0])
    show = load_show(tmp_path / "show", save_guids=True)
    at = datetime(2026, 2, 1, tzinfo=UTC)
    steps = {step.name: step for step in plan_steps(show, at)}
    settings = steps["show/feed"].settings
    written = told(settings["show"], *(published(episode) for episode in settings["episodes"]))
    old, new = convert_feed(feed.read_bytes(), "old"), ledger.read_publication(written, at=at, target="public")
    assert {given.guid for given in new.episodes} == {item.info.guid for item in old.items} == {" guid un\n", old.items[1].enclosure.url}
    assert steps["un/ingest"].reads["files"] == ("episodes/un/original.mp3",)
    noticed = describe_changes(ledger.load_ledger(tmp_path / "show/feeds/ledger.json").baseline("public"), new)
    assert noticed[0] == "2 sounds replaced, 0 downloads repeated"


def test_an_imported_sound_is_made_again_without_moving_a_word(tmp_path: Path) -> None:
    sound, root = tmp_path / "un.mp3", tmp_path / "show"
    cut_audio(REPOSITORY / "episodes/01-la-file-d-attente/prise-unique.flac", sound, 0, 6, "-b:a", "96k")
    with serving(pages(un_mp3=sound.read_bytes(), deux_mp3=sound.read_bytes())) as (site, _):
        assert import_show(root, f"{site}/feed", run(media=True)[0])
    causerie("normalise", "un", root=root)
    found = read_json(root / ".causerie/un/sound.json")
    assert found["trimmed_s"] == [0, 0] and found["recordings"][0]["cleaned"] == []
    before, after = probe_file(sound).duration_s, found["duration_s"]
    assert before is not None and abs(before - after) < 0.06


def test_sounds_stay_where_they_are_unless_asked_for_and_can_come_later(tmp_path: Path) -> None:
    with serving(pages()) as (site, asked):
        import_show(tmp_path, f"{site}/feed", run()[0])
        assert not [path for path, _ in asked if "mp3" in path]
        before = (tmp_path / "show.toml").read_bytes()
        with pytest.raises(CauserieError, match="already holds this import"):
            import_show(tmp_path, f"{site}/feed", run()[0])
        (tmp_path / "show.toml").write_bytes(before + b"# mine\n")
        assert import_show(tmp_path, f"{site}/feed", run(media=True)[0])
    assert (tmp_path / "episodes/deux/original.mp3").read_bytes() == SOUND
    assert (tmp_path / "show.toml").read_bytes() == before + b"# mine\n"


def test_a_list_of_sounds_that_names_other_places_is_refused(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    root = tmp_path / "show"
    import_show(root, str(tmp_path / "feed.xml"), run(offline=True)[0])
    listed = (root / "feeds/imported.json").read_text()
    (root / "feeds/imported.json").write_text(listed.replace("episodes/un/original.mp3", "episodes/un/../../../x.mp3"))
    with pytest.raises(CauserieError, match="is not a valid import manifest"):
        import_show(root, str(tmp_path / "feed.xml"), run(media=True)[0])


def test_one_sound_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    with serving(pages(un_mp3=lambda page: body(page, b"no", status=500))) as (site, _):
        asks, said = run(media=True)
        assert not import_show(tmp_path, f"{site}/feed", asks)
        assert any("HTTP status 500" in line for line in said)
        assert (tmp_path / "episodes/deux/original.mp3").exists()


def test_a_folder_with_anything_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(CauserieError, match="not an empty folder"):
        import_show(tmp_path, "feed.xml", run()[0])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("feed", [b"<rss><channel/></rss>", b"<html/>", b"<!DOCTYPE a [<!ENTITY x 'y'>]><rss/>", b""])
def test_what_is_refused_leaves_nothing(tmp_path: Path, feed: bytes) -> None:
    (tmp_path / "feed.xml").write_bytes(feed)
    with pytest.raises(CauserieError):
        import_show(tmp_path / "show", str(tmp_path / "feed.xml"), run()[0])
    assert not (tmp_path / "show").exists()


def test_a_host_that_keeps_failing_is_left_alone(tmp_path: Path) -> None:
    item = '<item><title>{0}</title><guid>{0}</guid><enclosure url="/{0}.mp3"/><podcast:transcript url="/{0}.vtt" type="text/vtt"/></item>'
    start, end = FEED.split("<item>")[0], "</channel></rss>"
    feed = start + "".join(item.format(number) for number in range(12)) + end
    with serving({"/feed": feed.encode(), "/cover.jpg": COVER}) as (site, asked):
        import_show(tmp_path, f"{site}/feed", run()[0])
    assert MAX_HOST_FAILURES <= len([path for path, _ in asked if path.endswith(".vtt")]) < MAX_HOST_FAILURES + MAX_PARALLEL


def test_no_name_in_a_feed_becomes_a_name_on_the_disk(tmp_path: Path) -> None:
    hostile = "../../etc/passwd\\..\\CON"
    feed = (
        FEED.replace("<title>Un</title>", f"<title>{hostile}</title>")
        .replace("/un.mp3", f"/{hostile}.sh;rm")
        .replace("/un.vtt", f"/{hostile}.vtt")
    )
    (tmp_path / "feed.xml").write_text(feed)
    import_show(tmp_path / "a/show", str(tmp_path / "feed.xml"), run(offline=True)[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "feed.xml"]
    assert sorted(path.name for path in (tmp_path / "a/show/episodes").iterdir()) == ["deux", "etc-passwd-con"]
    assert loader.load_config(tmp_path / "a/show").episodes[0].mix.files == ("episodes/etc-passwd-con/original.mp3",)


def command(root: Path, *arguments: str) -> list[str]:
    """The program itself."""
    return [sys.executable, str(REPOSITORY / "cli.py"), "import-feed", *arguments, "--show", str(root), "--allow-private"]


def killed_when(reached: threading.Event, *arguments: str) -> None:
    """Run the program, and kill it as soon as it is there."""
    process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert reached.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("where", ["cover_jpg", "un_vtt", "deux_mp3"])
def test_a_run_that_is_killed_is_ended_by_the_next(tmp_path: Path, where: str) -> None:
    root, reached = tmp_path / "show", threading.Event()

    def hold(handler: Handler) -> None:
        reached.set()
        time.sleep(30)

    site_pages = pages()
    path = f"/{where.replace('_', '.')}"
    good = site_pages[path]
    site_pages[path] = hold
    with serving(site_pages) as (site, _):
        killed_when(reached, *command(root, f"{site}/feed", "--media"))
        assert (root / "show.toml").exists() == (where == "deux_mp3")
        site_pages[path] = good
        import_show(root, f"{site}/feed", run(media=True)[0])
    assert not loader.read_config(root)[1] and not (root / ".importing").exists()
    assert ledger.load_ledger(root / "feeds/ledger.json").episodes == {slug: GUIDS[slug] for slug in ("un", "deux")}
    assert all((root / f"episodes/{slug}/original.mp3").read_bytes() == SOUND for slug in ("un", "deux"))


@pytest.mark.parametrize("after", range(7))
def test_a_run_that_is_killed_while_it_puts_things_in_place_is_ended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    root, calls, rename = tmp_path / "show", [], os.rename

    class Killed(BaseException):
        pass

    def renamed(*paths: Path) -> None:
        if len(calls) == after:
            raise Killed
        calls.append(paths)
        rename(*paths)

    monkeypatch.setattr("pipeline.feed.imports.importer.os.rename", renamed)
    with pytest.raises(Killed):
        import_show(root, str(tmp_path / "feed.xml"), run(offline=True)[0])
    assert not (root / "show.toml").exists()
    monkeypatch.undo()
    import_show(root, str(tmp_path / "feed.xml"), run(offline=True)[0])
    assert not loader.read_config(root)[1] and len(read_json(root / "feeds/imported.json")["media"]) == 2
    assert not (root / ".importing").exists()


def test_what_was_nearly_put_in_place_is_not_mixed_with_another_feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    (tmp_path / "other.xml").write_text(FEED)
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.feed.imports.importer._install", lambda *paths: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            import_show(tmp_path / "show", str(tmp_path / "feed.xml"), run(offline=True)[0])
    with pytest.raises(CauserieError, match="has an unfinished import of .*feed.xml"):
        import_show(tmp_path / "show", str(tmp_path / "other.xml"), run(offline=True)[0])


def test_a_dry_run_tells_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    asks, said = run(dry_run=True)
    assert import_show(tmp_path / "show", str(tmp_path / "feed.xml"), asks)
    assert "would create 2 episodes: un, deux" in said[-1] and any("podcast:guid" in line for line in said)
    assert not (tmp_path / "show").exists()


def test_the_command_says_what_is_wrong_in_a_sentence_and_its_status(tmp_path: Path) -> None:
    def invoke(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["import-feed", *arguments, "--show", str(tmp_path / "show")])
        return result.exit_code, result.output

    (tmp_path / "feed.xml").write_text(FEED)
    assert invoke("http://127.0.0.1:9/feed")[0] == 1
    status, said = invoke("http://127.0.0.1:9/feed")
    assert "--allow-private" in said and len(said.strip().splitlines()) == 1
    assert invoke("nowhere.xml")[0] == 1 and "Traceback" not in invoke("nowhere.xml")[1]
    assert invoke()[0] == 2
    status, said = invoke(str(tmp_path / "feed.xml"), "--offline")
    assert status == 0 and "2 audio files are not downloaded yet" in said


def test_where_the_show_goes_is_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    import_show(tmp_path / "show", str(tmp_path / "feed.xml"), ImportSession(offline=True, website="https://podcast.example.org/un"))
    assert loader.load_config(tmp_path / "show").info.website == "https://podcast.example.org/un/"
    assert not any("is a guess" in note["text"] for note in read_json(tmp_path / "show/feeds/imported.json")["notes"])
    for wrong in ("podcast.example.org", "http://podcast.example.org/", "https://a.example/?secret=1"):
        with pytest.raises(CauserieError, match="is not a valid website") as refused:
            import_show(tmp_path / "other", str(tmp_path / "feed.xml"), ImportSession(offline=True, website=wrong))
        assert "secret" not in str(refused.value) and not (tmp_path / "other").exists()


def test_an_endless_feed_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.feed.imports.importer.MAX_FEED_BYTES", 500_000)
    with serving({"/feed": endless()}) as (site, _), pytest.raises(CauserieError, match="is larger than"):
        import_show(tmp_path / "show", f"{site}/feed", run()[0])
    assert not (tmp_path / "show").exists()
