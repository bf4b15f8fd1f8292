"""How long a feed of many episodes takes against feedgen alone, and how much memory: `python benchmarks/feed.py [EPISODES]`.

«Bare» is feedgen with what it knows itself, for the same items. Ours adds every tag of the Podcasting 2.0 namespace a built episode
has: four transcripts, chapters twice, people, two alternate enclosures with their digests, a soundbite, a location. Both start from
the same values. Each way runs in a process of its own, so that its peak of memory is its own. «step» is the whole step, which reads
20,000 files first.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline.engine.files import write_json
from pipeline.feed import rss as feeds
from pipeline.feed.rss_item import FeedContext, FeedEpisode, item_description
from pipeline.model.audio import Soundbite
from pipeline.model.feed import ChannelOptions, FeedTag, FeedVariant, ItemOptions
from pipeline.model.show import Chapter, Credit, EpisodeInfo, Person, ShowInfo
from pipeline.publish.release import MEDIA_TYPES, Release, ReleaseFile, write_release
from pipeline.transcript.chapters import chapters_to_json

SITE = "https://podcast.example.org/essai/"
NORA, MALIK = Person("nora", "Nora Belkacem", "https://example.org/nora", "https://example.org/nora.jpg"), Person("malik", "Malik Aubry")
CREDITS = (Credit(NORA, "Host", "Cast"), Credit(MALIK, "Guest", "Cast"), Credit(MALIK, "Composer", "Audio Post-Production"))
SHOW = ShowInfo(
    "Essai",
    "Une série longue.",
    "Nous",
    SITE,
    email="a@example.org",
    license="cc-by-4.0",
    categories=(("Government",),),
    credits=CREDITS[:1],
)
MARKS = tuple(Chapter(60.5 * i, f"Partie {i} : la suite", "https://example.org/") for i in range(6))
TEXT = "Nous prenons un ticket, une chaise, et nous attendons avec ceux qui attendent. " * 8
OPTIONS = ItemOptions(tags=(FeedTag("podcast:location", "Orvalle", (("geo", "geo:48.85,2.35"),)),))
BITES = (Soundbite(60.0, 30.0, "Le ticket"),)
ROLES = {
    "audio": ".mp3", "m4a": ".m4a", "light": ".opus", "chapters": ".json",
    **{f"transcript_{form}": f".{form}" for form in ("vtt", "srt", "json", "html", "txt")},
    **{f"guide_{form}_pdf": ".pdf" for form in ("facilitator", "handout")},
    **{f"guide_{form}_html": ".html" for form in ("facilitator", "handout")},
}  # fmt: skip


def episode(i: int) -> EpisodeInfo:
    """The episode of that number."""
    at = datetime(2000, 1, 1, 6, tzinfo=UTC) + timedelta(days=i)
    return EpisodeInfo(
        f"ep-{i}",
        f"Épisode {i} : « où ? »",
        "Un résumé d’une ou deux phrases.",
        at,
        i + 1,
        1 + i // 100,
        description=TEXT,
        credits=CREDITS,
        guid=f"guid-{i}",
    )


def release(i: int) -> Release:
    """What it publishes."""
    files = (
        ReleaseFile(role, f"ep-{i}/{role}-0123456789{end}", "x", 1_000_000 + i, "ab" * 32, MEDIA_TYPES.get(role) or MEDIA_TYPES[end])
        for role, end in ROLES.items()
    )
    return Release(f"ep-{i}", 600.0, tuple(files))


FILES = {file.role: vars(file) for file in release(0).files}


def published(one: EpisodeInfo) -> FeedEpisode:
    """The same in memory."""
    return FeedEpisode(one, 600.0, FILES, MARKS, OPTIONS, BITES)


def newest_first(count: int) -> list[EpisodeInfo]:
    """Every episode."""
    return [episode(i) for i in reversed(range(count))]


def bare(episodes: list[EpisodeInfo]) -> bytes:
    """feedgen's own feed of the same items, from the same values."""
    from feedgen.feed import FeedGenerator

    made = FeedGenerator()
    made.load_extension("podcast")
    made.title(SHOW.title)
    made.description(SHOW.description)
    made.link(href=SITE, rel="alternate")
    made.language("fr")
    audio = FILES["audio"]
    for one in episodes:
        item = made.add_entry(order="append")
        item.title(one.title)
        item.link(href=f"{SITE}{one.slug}/")
        item.guid(one.guid, permalink=False)
        item.pubDate(one.published)
        item.description(item_description(published(one), f"{SITE}{one.slug}/", "fr"))
        item.enclosure(SITE + audio["key"], audio["bytes"], audio["type"])
        item.podcast.itunes_summary(one.summary)
        item.podcast.itunes_duration(600)
        item.podcast.itunes_season(one.season)
        item.podcast.itunes_episode(one.number)
        item.podcast.itunes_episode_type(one.kind)
        item.podcast.itunes_explicit("no")
    return made.rss_str(pretty=True)


def ours(episodes: list[EpisodeInfo]) -> bytes:
    """Our feed of them, with every tag."""
    whole = FeedContext(SHOW, ChannelOptions(), ({"key": "cover.jpg", "type": "image/jpeg"},), FeedVariant("feed", key="feed.xml"))
    return feeds.render_feed(whole, episodes, (), map(published, episodes))


def step(episodes: list[EpisodeInfo]) -> bytes:
    """The step of a build, from files to a file."""
    folder, count = Path(sys.argv[3]), len(episodes)
    reads = {"releases": tuple(folder / f"{one.slug}.json" for one in episodes), "chapters": (folder / "chapters.json",) * count}
    told = {
        "show": SHOW,
        "episodes": tuple(episodes),
        "options": ChannelOptions(),
        "items": (OPTIONS,) * count,
        "soundbites": (BITES,) * count,
    }
    feeds.write_feed(**reads, cover=folder / "cover.json", feed=folder / "feed.xml", **told)
    return (folder / "feed.xml").read_bytes()


WAYS: dict[str, Callable[[list[EpisodeInfo]], bytes]] = {"bare": bare, "ours": ours, "step": step}


def prepare(folder: Path, count: int) -> None:
    """The files that the step reads."""
    for i in range(count):
        (folder / f"ep-{i}.json").write_text(
            json.dumps({"version": 1, "slug": f"ep-{i}", "duration_s": 600.0, "files": [vars(file) for file in release(i).files]})
        )
    write_json(folder / "chapters.json", chapters_to_json(MARKS))
    cover = ReleaseFile("cover", "cover.jpg", "cover.jpg", 1, "00", "image/jpeg", 3000, 3000)
    write_release(folder / "cover.json", replace(release(0), slug="", files=(cover,)))


def measured(way: str, count: int, folder: str) -> dict[str, float]:
    """One way in a process of its own: seconds, peak of memory in MB, size of the feed in MB."""
    command = [sys.executable, __file__, way, str(count), folder]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main(count: int) -> None:
    """Three runs of each way, in turn; the quickest of each counts."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), count)
        runs = [{way: measured(way, count, folder) for way in WAYS} for _ in range(3)]
    best = {way: min((run[way] for run in runs), key=lambda run: run["s"]) for way in WAYS}
    for way, run in best.items():
        print(f"{way}: {run['s']:.1f} s, {run['peak_mb']:.0f} MB, {run['feed_mb']:.1f} MB of feed")
    print(f"{count} episodes: {best['ours']['s'] / best['bare']['s']:.2f} times feedgen alone; asked: at most 2.0, and at most 300 MB")


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in WAYS:
        import feedgen.feed  # noqa: F401  loading it is not writing a feed
        import lxml.etree  # noqa: F401

        all_of_them = newest_first(int(sys.argv[2]))
        start_s = time.perf_counter()
        size = len(WAYS[sys.argv[1]](all_of_them))
        spent_s = time.perf_counter() - start_s
        print(json.dumps({"s": spent_s, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, "feed_mb": size / 1e6}))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 10_000)
