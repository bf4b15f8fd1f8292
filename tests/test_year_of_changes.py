"""The changes of a show over a year, as a subscriber sees them: which episodes does an application treat as new?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import feedparser
import podcastparser
import pytest

from pipeline.commands.publish import subscriber_diff
from pipeline.commands.workspace import load_show
from pipeline.engine.files import write_json
from pipeline.engine.step import execute_step
from pipeline.feed.ledger import load_ledger
from pipeline.model.errors import CauserieError
from pipeline.model.show import Chapter, Show
from pipeline.model.urls import episode_keys, show_keys
from pipeline.plan import due_episodes, plan_steps
from pipeline.publish.publisher import PublishCallbacks, publish
from pipeline.publish.release import Release, write_release
from pipeline.transcript.chapters import chapters_to_json
from tests.config.test_loader import EPISODE, SHOW, add
from tests.support.publishing import SOURCES_AND_KEYS, file_of, put

pytestmark = pytest.mark.slow

AT = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = EPISODE.replace('"Un"', '"Deux"').replace("number = 1", "number = 2").replace("01-15T", "01-22T")
TRAILER = EPISODE.replace('"Un"', '"Annonce"').replace("number = 1", 'kind = "trailer"').replace("01-15T", "02-02T")
LATER = EPISODE.replace('"Un"', '"Plus tard"').replace("number = 1", "number = 3").replace("2026-01", "2026-06")
HOST, NEW_HOST = "https://podcast.example.org/essai", "https://voix.example.org/essai"


@dataclass
class Listener:
    """An application that subscribed, as gPodder, newsboat and AntennaPod do it: an episode is new when its GUID is."""

    seen: set[str] = field(default_factory=set)

    def new(self, feed: Path) -> list[str]:
        """The titles it would download, the newest first; two libraries must read the same identities."""
        data = feed.read_bytes()
        found = podcastparser.parse("https://app.example/", BytesIO(data))["episodes"]
        assert [episode["guid"] for episode in found] == [entry.id for entry in feedparser.parse(data).entries]
        fresh = [episode for episode in found if episode["guid"] not in self.seen]
        self.seen |= {episode["guid"] for episode in found}
        return [episode["title"] for episode in fresh]


def change(root: Path, file: str, before: str, after: str) -> None:
    """Replace text in a file, as a person would in an editor."""
    text = (root / file).read_text()
    assert before in text
    (root / file).write_text(text.replace(before, after, 1))


def built(root: Path, at: datetime = AT) -> Show:
    """The show as a build leaves it: audio files are a few letters that change with the recording and the title; the feed is real."""
    show = load_show(root, save_guids=True)
    for episode in show.episodes:
        slug, take = episode.slug, (root / f"episodes/{episode.slug}/raw.wav").read_bytes()
        contents = {role: f"{role} {slug}".encode() for role in SOURCES_AND_KEYS} | {
            "audio": take + episode.info.title.encode(),
            "light": take,
        }
        files = [file_of(root, slug, role, *SOURCES_AND_KEYS[role], contents[role]) for role in SOURCES_AND_KEYS if role != "chapters"]
        write_json(root / f"feeds/{slug}.chapters.json", chapters_to_json((Chapter(0, "Ouverture"),)))
        marks = (root / f"feeds/{slug}.chapters.json").read_bytes()
        write_release(
            root / f".causerie/{slug}/release.json",
            Release(slug, 60.0, (*files, file_of(root, slug, "chapters", *SOURCES_AND_KEYS["chapters"], marks))),
        )
    cover = file_of(root, "", "cover", "cover.png", "cover-{hash}.png", b"image")
    write_release(root / ".causerie/show/release.json", Release("", 0.0, (cover,)))
    for keys in (*(episode_keys(episode.slug) for episode in show.episodes), *show_keys(show, due_episodes(show, at)).values()):
        for key in keys.values():
            put(root / "site" / key, f"{key} of {[episode.info.title for episode in show.episodes]}".encode())
    (step,) = (step for step in plan_steps(show, at) if step.kind == "feed")
    execute_step(step, root, root)
    return show


def published_feed(root: Path, at: datetime = AT) -> Path:
    """The feed after a build and a publication."""
    show = built(root, at)
    publish(show, due_episodes(show, at), root, at=at)
    return root / show.publish.folder / show.feed.key


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A show of two episodes that is published."""
    (tmp_path / "show.toml").write_text(SHOW)
    put(tmp_path / "cover.png", b"x")
    for slug, toml in (("un", EPISODE), ("deux", SECOND)):
        add(tmp_path, slug, toml)
        put(tmp_path / f"episodes/{slug}/raw.wav", b"one take")
    published_feed(tmp_path)
    return tmp_path


@pytest.fixture
def listener(root: Path) -> Listener:
    """A subscriber who has downloaded every episode."""
    listener = Listener()
    assert listener.new(root / "public/feed.xml") == ["Deux", "Un"]
    return listener


def another(slug: str, toml: str) -> Callable[[Path], None]:
    """One more episode."""

    def write(root: Path) -> None:
        add(root, slug, toml)
        put(root / f"episodes/{slug}/raw.wav", b"another take")

    return write


UN, DEUX = "episodes/un/episode.toml", "episodes/deux/episode.toml"
YEAR: dict[str, tuple[Callable[[Path], None], list[str], str]] = {
    "a title": (lambda root: change(root, UN, '"Un"', '"Premier"'), [], "1 text corrected, 1 sound replaced"),
    "a text": (lambda root: change(root, UN, "Le premier.", "Le tout premier."), [], "1 text corrected"),
    "a date": (lambda root: change(root, UN, "15T19", "16T19"), [], "1 text corrected"),
    "a recording": (lambda root: put(root / "episodes/deux/raw.wav", b"second take") and None, [], "1 sound replaced"),
    "a season": (lambda root: change(root, DEUX, "number = 2", "number = 2\nseason = 1"), [], "1 text corrected"),
    "a title of the show": (lambda root: change(root, "show.toml", '"Essai"', '"Nouveau titre"'), [], ""),
    "a trailer": (another("annonce", TRAILER), ["Annonce"], "1 new episode"),
    "an embargo": (another("plus-tard", LATER), [], ""),
    "a feed beside": (lambda root: change(root, "show.toml", "[people.nora]", '[[feeds]]\nname = "leger"\naudio = "light"\n[people.nora]'), [], ""),
    "a host": (lambda root: change(root, "show.toml", HOST, NEW_HOST), [], "texts corrected"),
    "a withdrawal": (lambda root: shutil.rmtree(root / "episodes/un"), [], "1 episode withdrawn"),
}  # fmt: skip


@pytest.mark.parametrize("what", YEAR)
def test_a_change_makes_new_only_what_is_new_and_is_announced_before(root: Path, listener: Listener, what: str) -> None:
    make, new, told = YEAR[what]
    make(root)
    built(root)
    said = subscriber_diff(root, at=AT)[0]
    assert told in said and ("0 downloads repeated" in said or not told)
    assert listener.new(published_feed(root)) == new


def test_all_changes_one_after_another(root: Path, listener: Listener) -> None:
    found = []
    for make, _, _ in YEAR.values():
        make(root)
        found += listener.new(published_feed(root))
    assert found == ["Annonce"]
    assert listener.new(published_feed(root, datetime(2026, 7, 1, tzinfo=UTC))) == ["Plus tard"]
    assert "plus-tard" not in repr(load_ledger(root / "feeds/ledger.json").publications[-2])


def test_a_show_that_moves_is_followed_without_a_download(root: Path, listener: Listener) -> None:
    change(root, "show.toml", "[people.nora]", f'[feed]\nmoved_to = "{NEW_HOST}/feed.xml"\n[people.nora]')
    left = published_feed(root)
    assert listener.new(left) == [] and podcastparser.parse("x", BytesIO(left.read_bytes()))["new_url"] == f"{NEW_HOST}/feed.xml"
    change(root, "show.toml", HOST, NEW_HOST)
    change(root, "show.toml", "[people.nora]", '[publish]\nfolder = "elsewhere"\n[people.nora]')
    built(root)
    assert subscriber_diff(root, at=AT)[0] == "2 texts corrected, 2 sounds moved, 0 downloads repeated"
    assert listener.new(published_feed(root)) == [] and (root / "elsewhere/feed.xml").exists()


def test_a_show_that_becomes_private_redirects_its_subscribers(root: Path, listener: Listener) -> None:
    change(root, "show.toml", "[people.nora]", "[feed]\nprivate = true\n[people.nora]")
    feed = published_feed(root)
    assert feed.parent.name not in ("public", "feed") and listener.new(feed) == []


@pytest.mark.parametrize(("what", "left"), [("a withdrawal", "un/index.html"), ("private", "feed.xml")])
def test_files_left_online_are_reported_until_they_are_deleted(root: Path, what: str, left: str) -> None:
    if what == "private":
        change(root, "show.toml", "[people.nora]", "[feed]\nprivate = true\n[people.nora]")
    else:
        YEAR[what][0](root)
    show, said = built(root), []
    publish(show, show.episodes, root, at=AT, callbacks=PublishCallbacks(on_message=said.append))
    assert [line.partition(" is still online")[0] for line in said if "is still online" in line] == [f"{left}:"]
    publish(show, show.episodes, root, at=AT, prune=True)
    assert not (root / "public" / left).exists()


@pytest.mark.parametrize("target", ["public", "elsewhere"])
def test_a_renamed_folder_is_refused_wherever_it_is_published(root: Path, target: str) -> None:
    (root / "episodes/un").rename(root / "episodes/premier")
    change(root, "show.toml", "[people.nora]", f'[publish]\nfolder = "{target}"\n[people.nora]')
    with pytest.raises(CauserieError, match="would download 1 episode again: Un"):
        published_feed(root)
