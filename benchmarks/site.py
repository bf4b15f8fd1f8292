"""What the pages of many episodes take, what an hour of transcript weighs, what following it costs: `python benchmarks/site.py [EPISODES]`.

The pages are made as `causerie build` makes them, with a worker for each processor: files read, written and synced to the disk, receipts
kept. «again» is the same build when nothing has changed. «bare» is Jinja2 alone in this process, which renders a page of the same bytes
as one piece of text, written the same way: what no generator can do without.
Following is measured in Chromium when there is one: the time of each `timeupdate`, over an hour of 10,000 words.
"""

from __future__ import annotations

import gzip
import random
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline.commands.build import TARGET_STEPS
from pipeline.engine.files import write_atomic, write_json
from pipeline.engine.process_pool import ProcessPools, available_cores
from pipeline.engine.runner import run_steps
from pipeline.engine.step import Step, execute_step
from pipeline.model.audio import Mix
from pipeline.model.show import Credit, Episode, EpisodeInfo, Person, Show, ShowInfo
from pipeline.model.transcript import TimedTranscript, Turn, Voice, Word
from pipeline.plan import plan_steps, work_path
from pipeline.publish.release import SERIES_RELEASE, Release, ReleaseFile, write_release
from pipeline.transcript.timed_json import write_timed

AT = datetime(2200, 1, 1, tzinfo=UTC)
NORA = Credit(Person("nora", "Nora Belkacem"), "Host", "Cast")
SHOW = ShowInfo("Essai", "Une série longue.", "Nous", "https://podcast.example.org/essai/", credits=(NORA,))
SYLLABLES = "ba be bi bon ca ce chi con da de di du el en es fa fi ga gi ja la le li lon ma me mi mon na ne non ra re ri sa".split()
KEYS = {
    "audio": "{slug}/{slug}-0123456789.mp3", "light": "{slug}/{slug}-0123456789.opus", "card": "{slug}/card-0123456789.png",
    **{f"transcript_{form}": f"{{slug}}/transcript-0123456789.{form}" for form in ("vtt", "srt", "json", "html", "txt")},
    **{f"guide_{form.replace('.', '_')}": f"guides/{{slug}}.{form}" for form in ("facilitator.pdf", "handout.pdf")},
}  # fmt: skip


def transcript(words: int, seconds: float) -> TimedTranscript:
    """So many words of four voices in turns of twenty, evenly spread: drawn from 3,000, each as frequent as its rank (Zipf)."""
    step_s, chance = seconds / words, random.Random(1)
    known = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(3_000)]
    spoken = chance.choices(known, [1 / rank for rank in range(1, 3_001)], k=words)
    placed = [Word(word, i * step_s, (i + 0.9) * step_s) for i, word in enumerate(spoken)]
    turns = (Turn(Voice(f"Voix {i // 20 % 4}", "récit"), tuple(placed[i : i + 20])) for i in range(0, words, 20))
    return TimedTranscript(seconds, "fr", tuple(turns))


def workspace(root: Path, episodes: int, text: TimedTranscript) -> Show:
    """A show whose releases and transcripts are there."""
    first = EpisodeInfo("e0000", "Prendre un ticket", "On attend.", datetime(2000, 1, 1, tzinfo=UTC), credits=(NORA,))
    infos = [replace(first, slug=f"e{i:04}", published=first.published + timedelta(days=i), number=i + 1) for i in range(episodes)]
    write_release(root / work_path("show", "release.json"), Release("", 0.0, (file("cover", "cover-0123456789.jpg"),)))
    write_release(root / SERIES_RELEASE, Release("", 0.0, (file("guide_series_pdf", "guides/series.facilitator.pdf"),)))
    for info in infos:
        files = tuple(file(role, key.format(slug=info.slug)) for role, key in KEYS.items())
        write_release(root / work_path(info.slug, "release.json"), Release(info.slug, text.duration_s, files))
        write_timed(root / work_path(info.slug, "timed.json"), text)
        write_json(root / f"feeds/{info.slug}.chapters.json", {"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Début"}]})
    return Show(SHOW, "cover.jpg", episodes=tuple(Episode(info, Mix(()), tags=(f"Thème {i % 9}",)) for i, info in enumerate(infos)))


def file(role: str, key: str) -> ReleaseFile:
    """A file nobody opens."""
    return ReleaseFile(role, key, key, 7_654_321, "0" * 64, "application/octet-stream")


def built(steps: tuple[Step, ...], root: Path, status: str) -> float:
    """Seconds that a build of those steps takes, each of which ends so."""
    since = time.perf_counter()
    with ProcessPools(available_cores()) as workers:
        assert {result.status for result in run_steps(steps, root, workers)} == {status}
    return time.perf_counter() - since


def bare(root: Path, page: str, times: int) -> float:
    """Seconds that Jinja2 takes to write that page so many times, its text given whole."""
    import jinja2

    template = jinja2.Environment(autoescape=False).from_string("{{ page }}")
    since = time.perf_counter()
    for i in range(times):
        write_atomic(root / f"bare/{i}/index.html", template.render(page=page))
    return time.perf_counter() - since


def ticks(page: Path) -> str:
    """What following costs in Chromium, or why that is not known."""
    binary = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if binary is None:
        return "no Chromium here: following was not measured"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page()
        tab.goto(page.as_uri())
        loads = [tab.reload() and tab.evaluate(READY) for _ in range(5)]  # the first time is the browser's own
        costs = tab.evaluate(FOLLOWING)
        browser.close()
    return f"a tick costs {statistics.median(costs):.3f} ms (worst {max(costs):.3f}); interactive after {statistics.median(loads):.0f} ms"


# When the page's own script has run, in milliseconds since the address was asked for
READY = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
# Chromium's clock is coarse, so a tick is a tenth of ten; each moves to another turn, which is the dearer case
FOLLOWING = """() => {
  const audio = document.querySelector("audio"), costs = [];
  let now = 0;
  Object.defineProperty(audio, "currentTime", { get: () => now, set: (value) => { now = value; } });
  for (let i = 0; i < 200; i++) {
    const since = performance.now();
    for (let k = 0; k < 10; k++) { now = (now + 37) % 3600; audio.ontimeupdate(); document.body.offsetHeight; }
    costs.push((performance.now() - since) / 10);
  }
  return costs;
}"""


def main(episodes: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        show = workspace(root, episodes, transcript(1_300, 480.0))
        steps = tuple(step for step in plan_steps(show, AT) if step.kind in TARGET_STEPS["site"])
        took, again = built(steps, root, "built"), built(steps, root, "current")
        alone = bare(root, (root / "site/e0000/index.html").read_text(), episodes)
        made = f"{episodes} episodes of 8 minutes, 1,300 words, and {len(steps) - episodes} steps around, {available_cores()} workers"
        print(f"{made}: {took:.1f} s; again {again:.1f} s; bare {alone:.1f} s")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        show = workspace(root, 1, transcript(10_000, 3600.0))
        for step in plan_steps(show, AT):
            if step.kind in TARGET_STEPS["site"]:
                execute_step(step, root, root)
        place = root / "site/e0000/index.html"
        weight = len(gzip.compress(place.read_bytes(), 6))
        print(f"an hour, 10,000 words: {place.stat().st_size / 1e3:.0f} kB, {weight / 1e3:.0f} kB compressed; {ticks(place)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
