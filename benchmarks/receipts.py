"""How long it takes to find that nothing changed in a show of 1,000 episodes.

    python benchmarks/receipts.py [EPISODES]

Real plans, real receipts, stand-in files of a few bytes: what is timed is the reading of receipts, the looking at files and the comparing.
As a ratio, beside reading the same files' names and sizes from the disk and nothing else.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline.engine.receipts import Receipt  # noqa: E402
from pipeline.engine.runner import BuildState, preview  # noqa: E402
from pipeline.model.audio import Mix, Recording
from pipeline.model.show import Episode, EpisodeInfo, Show, ShowInfo  # noqa: E402
from pipeline.plan import plan_steps  # noqa: E402

AT = datetime(2026, 1, 1, tzinfo=UTC)


def made_up(episodes: int) -> Show:
    """A show of so many episodes."""
    first = EpisodeInfo("e0", "Titre", "Résumé.", AT - timedelta(days=episodes))
    each = (
        Episode(replace(first, slug=f"e{n}", published=first.published + timedelta(days=n)), Mix((Recording(f"episodes/e{n}/raw.wav"),)))
        for n in range(episodes)
    )
    return Show(ShowInfo("Titre", "Description.", "Nous", "https://podcast.example.org/"), "cover.jpg", episodes=tuple(each))


def main(episodes: int) -> None:
    """Make the files and receipts, look at them, print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        root, steps = Path(folder), plan_steps(made_up(episodes), AT)
        named = (paths for step in steps for paths in (*step.reads.values(), *step.writes.values()))
        paths = {path for some in named for path in ([some] if isinstance(some, str) else some)}
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(path)
        shop = BuildState(root)
        for step in steps:
            now = shop.snapshot(step)
            shop.journal.commit(Receipt(step.name, now.revision, now.settings, now.reads, dict(now.writes)))
        shop.close()
        start = time.perf_counter()
        stale = [result for result in preview(steps, root) if result.status not in ("current", "edited")]
        looked_s = time.perf_counter() - start
        start = time.perf_counter()
        for path in paths:
            os.stat(root / path)
        seen_s = time.perf_counter() - start
        print(f"{episodes} episodes, {len(steps)} steps, {len(paths)} files: looked through in {looked_s:.2f} s, {len(stale)} stale;")
        print(f"{looked_s / seen_s:.1f} times what asking the disk for their sizes takes ({seen_s:.2f} s)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
