"""How long `causerie check` takes over many episodes and the files behind them: `python benchmarks/check.py [EPISODES]`.

A show of that many episodes is written with every file that its feed names: real sound of a second with tags of its own, captions of
eight minutes. They share one recording: to hear each takes as long as to decode it, once. «bare» reads what a check has to look at, and
understands none of it: every TOML file, and of every file behind the feed a first block of sound, or all of a text. «cold» is a first
check, «warm» a second one, when nothing has changed. Each runs in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from feed import BITES, MARKS, OPTIONS, ROLES, SHOW, episode

from pipeline.audio import ffmpeg
from pipeline.feed import rss as feeds
from pipeline.feed.rss_item import FeedContext, FeedEpisode
from pipeline.model.feed import ChannelOptions, FeedVariant
from pipeline.publish.release import MEDIA_TYPES
from pipeline.transcript.chapters import chapters_to_json

CAPTION_S = 4.0
HEAD_BYTES = 1 << 16
COVER = Path(__file__).parents[1] / "episodes/cover.jpg"
SHOW_TOML = """title = "Essai"
description = "Une série longue."
author = "Nous"
website = "https://podcast.example.org/essai/"
email = "a@example.org"
license = "cc-by-4.0"
categories = ["Government"]
cover = "cover.jpg"
[people.nora]
name = "Nora Belkacem"
url = "https://example.org/nora"
[people.malik]
name = "Malik Aubry"
[credits]
Host = ["nora"]
[audio]
m4a_kbps = 96
"""
EPISODE_TOML = """title = "{title}"
summary = "Un résumé d’une ou deux phrases."
published = {published}
number = {number}
season = {season}
description = \"\"\"
{description}
\"\"\"
[[recordings]]
file = "../../take.wav"
[credits]
Guest = ["malik"]
Composer = ["malik"]
{chapters}"""


def texts(minutes: float) -> dict[str, bytes]:
    """The files of an episode of so many minutes that are text, by role."""
    cues = [
        (i * CAPTION_S, f"Nous prenons un ticket, puis une chaise, et nous attendons : {i}.")
        for i in range(round(minutes * 60 / CAPTION_S))
    ]
    clock = "{0:02.0f}:{1:02.0f}:{2:06.3f}".format
    times = [(clock(*parts(start_s)), clock(*parts(start_s + 3.5)), text) for start_s, text in cues]
    vtt = "WEBVTT\n\n" + "\n\n".join(f"{start} --> {end}\n<v Nora>{text}" for start, end, text in times)
    srt = "\n\n".join(f"{n}\n{start} --> {end}\n{text}".replace(".", ",", 2) for n, (start, end, text) in enumerate(times, 1))
    segments = [{"speaker": "Nora", "startTime": start_s, "endTime": start_s + 3.5, "body": text} for start_s, text in cues]
    html = "".join(f"<cite>Nora :</cite><time>{start}</time><p>{text}</p>\n" for start, _, text in times)
    made = {"vtt": vtt, "srt": srt, "json": json.dumps({"version": "1.0.0", "segments": segments}), "html": html}
    return {
        **{f"transcript_{form}": text.encode() for form, text in made.items()},
        "chapters": json.dumps(chapters_to_json(MARKS)).encode(),
    }


def parts(time_s: float) -> tuple[float, float, float]:
    """Hours, minutes and seconds."""
    return time_s // 3600, time_s // 60 % 60, time_s % 60


def sounds(folder: Path) -> dict[str, bytes]:
    """A second of sound in each form, by role; and the recording that all the episodes share."""
    tone = ["-y", "-f", "lavfi", "-i", "sine=duration=1"]
    places = {"audio": folder / "a.mp3", "m4a": folder / "a.m4a", "light": folder / "a.opus"}
    tags = ["-id3v2_version", "3", "-metadata", "title=Épisode 00000 : « où ? »"]
    for role, path in places.items():
        ffmpeg.run([*tone, "-ac", "1", "-ar", "48000", "-b:a", "32k" if role == "light" else "96k", *tags, str(path)])
    ffmpeg.run([*tone, str(folder / "take.wav")])
    return {role: path.read_bytes() for role, path in places.items()}


def prepare(folder: Path, count: int, minutes: float = 8) -> None:
    """The whole show, as a build leaves it; its captions last so many minutes."""
    same = {**texts(minutes), **sounds(folder)}
    (folder / "show.toml").write_text(SHOW_TOML)
    (folder / "cover.jpg").write_bytes(COVER.read_bytes())
    marks = "".join(f'[[chapters]]\nstart = {mark.start_s}\ntitle = "{mark.title}"\nurl = "{mark.url}"\n' for mark in MARKS)
    published = []
    for i in range(count):
        one = replace(episode(i), title=f"Épisode {i:05} : « où ? »")
        place = folder / f"episodes/{one.slug}/episode.toml"
        place.parent.mkdir(parents=True)
        values = {"title": one.title, "published": one.published.isoformat(), "number": one.number, "season": one.season}
        place.write_text(EPISODE_TOML.format(**values, description=one.description.strip(), chapters=marks))
        files = [publish(folder, one.slug, role, data.replace("00000".encode("utf-16-le"), f"{i:05}".encode("utf-16-le")))
                 for role, data in same.items()]  # fmt: skip
        write_small(folder / f".causerie/{one.slug}/release.json", {"version": 1, "slug": one.slug, "duration_s": 1.0, "files": files})
        published.append(FeedEpisode(one, 1.0, {file["role"]: file for file in files}, MARKS, OPTIONS, BITES))
    cover = {"role": "cover", "key": "cover.jpg", "source": "cover.jpg", "bytes": 1, "sha256": "", "type": "image/jpeg"}
    write_small(folder / ".causerie/show/release.json", {"version": 1, "slug": "", "duration_s": 0.0, "files": [cover]})
    published.reverse()
    whole = FeedContext(SHOW, ChannelOptions(), (cover,), FeedVariant("feed", key="feed.xml"))
    (folder / "feeds/feed.xml").write_bytes(feeds.render_feed(whole, [one.episode for one in published], (), published))


def publish(folder: Path, slug: str, role: str, data: bytes) -> dict[str, object]:
    """Write a file of an episode; what its release says of it."""
    end = ROLES[role]
    source = f"{'feeds' if role == 'chapters' else f'episodes/{slug}' if end in ('.mp3', '.m4a', '.opus') else 'transcripts'}/{slug}{end}"
    path = folder / source
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    kind = (MEDIA_TYPES.get(role) or MEDIA_TYPES[end]).partition(";")[0]
    return {
        "role": role,
        "key": f"{slug}/{role}{end}",
        "source": source,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "type": kind,
    }


def write_small(path: Path, value: object) -> None:
    """JSON without waiting for the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def bare(folder: Path) -> int:
    """Read what a check has to."""
    heads = [path for end in ("mp3", "m4a", "opus") for path in folder.glob(f"episodes/*/*.{end}")]
    texts = [*folder.glob("transcripts/*.*"), *folder.glob("feeds/*.json"), *folder.glob("episodes/*/*.toml"), folder / "feeds/feed.xml"]
    return sum(len(path.open("rb").read(HEAD_BYTES)) for path in heads) + sum(len(path.read_bytes()) for path in texts)


def check(folder: Path) -> int:
    """The whole command; how much it found, mistakes it must not."""
    from pipeline.commands.check import check_show

    found = check_show(folder)
    assert not [finding for finding in found if finding.level == "error"], found[:3]
    return len(found)


WAYS: dict[str, Callable[[Path], int]] = {"bare": bare, "cold": check, "warm": check}


def main(count: int) -> None:
    """Each way once, in turn, on a show made for it."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder).resolve(), count)
        command = [sys.executable, __file__]
        runs = {way: json.loads(subprocess.run([*command, way, folder], capture_output=True, text=True, check=True).stdout) for way in WAYS}
    for way, run in runs.items():
        times = f", {run['s'] / runs['bare']['s']:.1f} times bare" if way != "bare" else ""
        print(f"{way}: {run['s']:.1f} s{times}, {run['cpu_s']:.1f} s of one processor, {run['peak_mb']:.0f} MB")
    print(f"{count} episodes; asked: at most 10 s for 10,000")


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in WAYS:
        start_s = time.perf_counter()
        WAYS[sys.argv[1]](Path(sys.argv[2]).resolve())
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({"s": time.perf_counter() - start_s, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1000}))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 10_000)
