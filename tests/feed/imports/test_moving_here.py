"""A show moves here from another host: import, build, publish, and what the apps of its subscribers see of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import feedparser
import podcastparser
import pytest

from pipeline.commands.workspace import load_show
from pipeline.engine.files import write_json
from pipeline.engine.step import Step
from pipeline.feed.imports.converter import convert_feed
from pipeline.feed.imports.importer import import_show
from pipeline.feed.imports.session import ImportSession
from pipeline.plan import due_episodes, plan_steps
from pipeline.publish.publisher import publish
from tests.commands.test_check import ffmpeg
from tests.conftest import REPOSITORY
from tests.support.publishing import put

FEEDS = Path(__file__).parents[2] / "data/feeds"
WEBSITE = "https://podcast.example.org/demenagement/"
AT = datetime(2026, 6, 1, tzinfo=UTC)
BY_HAND = ("release", "series-release", "cover", "feed")  # steps that run; what the others make is made up
DATED = "2026-01-01T06:00:00+01:00"
# GUIDs that some app made up where the old feed said none, or half of one: by feed, those that gPodder cannot find again
MADE_UP = {"patchwork": {"https://trois.example.fr/episodes/3", "https://feeds.hebergeur.example/1042"}}
# Dates that gPodder reads otherwise than they are meant (CET as UTC, 25 o'clock as the day after), and a GUID of two episodes
ODD = {
    "https://media.hebergeur.example/trois/4.mp3?v=2",
    "https://trois.example.fr/?p=5&preview=true",
    "urn:uuid:7a1c0c52-0000-4000-8000-000000000007",
}
READABLE = [path.stem for path in sorted(FEEDS.glob("*.xml")) if path.stem != "latin-1"]  # no app reads that one before it is mended


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of MP3."""
    path = tmp_path_factory.mktemp("sound") / "a.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-ac", "1", "-b:a", "96k", path)
    return path.read_bytes()


def moved(root: Path, feed: Path, sound: bytes) -> bytes:
    """Import a feed, put right what it tells of, build and publish; the new feed."""
    assert import_show(root, str(feed), ImportSession(offline=True, website=WEBSITE))
    mend(root)
    return published(root, sound)


def mend(root: Path) -> None:
    """What a person is told to do before a first build: dates and categories that the old feed lacks."""
    (root / "cover.png").write_bytes((REPOSITORY / "episodes/cover.jpg").read_bytes())
    show = root / "show.toml"
    show.write_text(show.read_text("utf-8").replace("categories = []", 'categories = ["Arts"]'), "utf-8")
    for path in root.glob("episodes/*/episode.toml"):
        path.write_text(re.sub(r"(?m)^# published = .*", f"published = {DATED}", path.read_text("utf-8")), "utf-8")


def published(root: Path, sound: bytes) -> bytes:
    """Build with every file of an episode made up but its sound, and publish; the feed."""
    show = load_show(root, save_guids=True)
    steps = plan_steps(show, AT)
    for step in steps:
        for path in step.writes.values():
            if step.kind not in BY_HAND:
                put(root / path, sound if path.endswith(".mp3") else path.encode())
        if step.kind == "chapters":
            write_json(root / step.writes["chapters"], {"version": "1.2.0", "chapters": []})
    for kind in BY_HAND:
        for step in steps:
            if step.kind == kind:
                run(root, step)
    publish(show, due_episodes(show, AT), root, at=AT)
    return (root / "public/feed.xml").read_bytes()


def run(root: Path, step: Step) -> None:
    """A step by hand."""
    reads = {name: tuple(root / each for each in path) if isinstance(path, tuple) else root / path for name, path in step.reads.items()}
    step.run(**reads, **{name: root / path for name, path in step.writes.items()}, **step.settings)


def gpodder(data: bytes, url: str) -> dict[str, Any]:
    """Every episode by the identity that gPodder gives it."""
    return {each["guid"]: each for each in podcastparser.parse(url, BytesIO(data))["episodes"]}


def others(data: bytes) -> dict[str, Any]:
    """The same with Universal Feed Parser: only identities that the feed itself gives."""
    return {each.id: each for each in feedparser.parse(data).entries if "id" in each and each.enclosures}


@pytest.mark.parametrize("name", READABLE)
def test_a_subscriber_sees_no_episode_twice(tmp_path: Path, name: str, sound: bytes) -> None:
    old = (FEEDS / f"{name}.xml").read_bytes()
    was = convert_feed(old, name)
    new = moved(tmp_path / "show", FEEDS / f"{name}.xml", sound)
    told_new = {item.info.guid for item in was.items if any("will appear as new" in note for note in item.notes)}
    before, after = gpodder(old, was.feed_url or "https://old.example/feed"), gpodder(new, f"{WEBSITE}feed.xml")
    with_sound = {guid for guid, episode in before.items() if episode["enclosures"]}
    assert {guid.strip() for guid in after} == {item.info.guid.strip() for item in was.items}
    assert with_sound - set(after) == MADE_UP.get(name, set())
    assert set(others(old)) - set(others(new)) == set()
    assert len(set(after) - with_sound - told_new) == len(MADE_UP.get(name, ()))
    taken_for_new = [note.text for note in was.notes if "will show the episode as new" in note.text]
    assert len(taken_for_new) == len(MADE_UP.get(name, ()))


@pytest.mark.parametrize("name", ["powerpress", "patchwork", "acast"])
def test_dates_stay_and_sounds_have_addresses_of_the_new_house(tmp_path: Path, name: str, sound: bytes) -> None:
    root, old = tmp_path / "show", (FEEDS / f"{name}.xml").read_bytes()
    new = moved(root, FEEDS / f"{name}.xml", sound)
    before, after = gpodder(old, "https://old.example/feed"), gpodder(new, f"{WEBSITE}feed.xml")
    dates = {guid: (before[guid]["published"], after[guid]["published"]) for guid in before.keys() & after.keys() - ODD}
    assert all(was == now for was, now in dates.values() if was) and (dates or name == "patchwork")
    urls = [enclosure["url"] for episode in after.values() for enclosure in episode["enclosures"][:1]]
    assert len(set(urls)) == len(after)
    assert all(re.fullmatch(rf"{WEBSITE}([a-z0-9-]+)/\1-[0-9a-f]{{10}}\.mp3", url) for url in urls)
    assert all((root / "public" / url.removeprefix(WEBSITE)).read_bytes() == sound for url in urls)


def test_dates_that_are_none_stop_the_build_and_wrong_ones_are_read_as_meant(tmp_path: Path) -> None:
    found = convert_feed((FEEDS / "patchwork.xml").read_bytes(), "x")
    dates = {item.info.title: item.info.published for item in found.items}
    assert dates["Quatre, sans identité"].utcoffset() == timedelta(hours=1)
    assert [item.info.slug for item in found.items if any("an invalid date" in note for note in item.notes)] == ["six-meme-titre"]
    assert dates["Deux, un numéro pour adresse"] == datetime(2026, 2, 3, 5, tzinfo=UTC)


def test_a_year_of_changes_repeats_no_episode(tmp_path: Path, sound: bytes) -> None:
    root = tmp_path / "show"
    first = gpodder(moved(root, FEEDS / "patchwork.xml", sound), f"{WEBSITE}feed.xml")
    for path in root.glob("episodes/*/episode.toml"):
        path.write_text(re.sub("(?m)^title = .*", f'title = "Nouveau {path.parent.name}"', path.read_text("utf-8"), count=1), "utf-8")
    show = root / "show.toml"
    show.write_text(show.read_text("utf-8").replace(WEBSITE, "https://ailleurs.example.org/"), "utf-8")
    second = gpodder(published(root, sound + sound), "https://ailleurs.example.org/feed.xml")
    assert second.keys() == first.keys()
    assert all(second[guid]["title"].startswith("Nouveau ") for guid in second)
